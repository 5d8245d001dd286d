"""The audit of one run: a line before anything is sent, and one for what became of it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from skill import audit
from skill.faults import Fault, Refused, TryLater, Unknown
from skill.paths import path_parameters
from skill.plan import digest
from skill.shape import mask, mask_text, show_plan
from skill.types import Json, Plan, Reply


@dataclass(slots=True)
class Record:
    """Writes what becomes of a write; a read leaves no trace. `say` is told once when the file cannot be written."""

    plan: Plan
    given: Mapping[str, Json]
    run_id: str
    sandbox: bool
    say: Callable[[str], None]

    def write(self, outcome: str, reply: Reply | None = None) -> None:
        """Add a line: `tried` before anything is sent, then what became of it."""
        if self.plan.risk == "read":
            return
        entry = self._entry(outcome)
        if reply is not None:
            entry |= {"status": reply.status, "requestId": reply.headers.get("request-id", "")}
        self._append(entry)

    def failed(self, fault: BaseException) -> None:
        """Add the line of a run that failed."""
        if self.plan.risk == "read":
            return
        kinds = (
            (Unknown, "unknown"),
            (Refused, "refused"),
            (TryLater, "not sent"),
            (Fault, "failed"),
            (KeyboardInterrupt, "interrupted"),
        )
        entry = self._entry(next((words for kind, words in kinds if isinstance(fault, kind)), "failed"))
        if isinstance(fault, Fault):
            entry |= {"code": fault.code, "status": fault.http_status, "requestId": fault.request_id}
        self._append(entry)

    def _entry(self, outcome: str) -> dict[str, Json]:
        plan = self.plan
        return {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "actionRunId": self.run_id,
            "outcome": outcome,
            "key": plan.action.key if plan.action else None,
            "risk": plan.risk,
            "request": f"{plan.method} {mask_text(plan.shown_url)}",
            "input": self._input(),
            # salted with the run, so that a secret in it cannot be guessed by trying
            "planDigest": digest(plan, self.run_id)[:16],
            **({"sandbox": True} if self.sandbox else {}),
        }

    def _input(self) -> Json:
        """Give the input, masked: an action's own, or what a raw request names in its path and holds in its body."""
        plan, body = self.plan, show_plan(self.plan).get("body")
        if plan.action is None:
            return body
        named = mask(dict(self.given), plan.action.input)
        raw = plan.content is not None and not set(self.given) - set(path_parameters(plan.action.path))
        if not raw:
            return named or body
        return {**named, **body} if isinstance(body, dict) else {**named, "body": body}

    def _append(self, entry: dict[str, Json]) -> None:
        try:
            audit.append({name: value for name, value in entry.items() if value is not None})
        except OSError as wrong:
            self.say(f"warning: the log of writes cannot be written: {wrong.strerror}")
