"""The audit of one run, and where a thing that is to be created would already be found."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from skill import audit
from skill.catalog import Catalog
from skill.faults import BadInput, Fault, Refused, TryLater, Unknown
from skill.paths import path_parameters
from skill.plan import digest, plan_action
from skill.shape import mask, mask_text, show_plan
from skill.types import Json, Plan, Reply

# by what a thing is known before it has an id, the surest first
IDENTITIES = ("name", "hostname", "user", "email", "url")


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
        shown = (
            mask(dict(self.given), plan.action.input)
            if plan.action and plan.raw is None and self.given
            else show_plan(plan).get("body")
        )
        return {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "actionRunId": self.run_id,
            "outcome": outcome,
            "key": plan.action.key if plan.action else None,
            "risk": plan.risk,
            "request": f"{plan.method} {mask_text(plan.shown_url)}",
            "input": shown,
            # salted with the run, so that a secret in it cannot be guessed by trying
            "planDigest": digest(plan, self.run_id)[:16],
            **({"sandbox": True} if self.sandbox else {}),
        }

    def _append(self, entry: dict[str, Json]) -> None:
        try:
            audit.append({name: value for name, value in entry.items() if value is not None})
        except OSError as wrong:
            self.say(f"warning: the log of writes cannot be written: {wrong.strerror}")


def existing_paths(catalog: Catalog, plan: Plan, given: Mapping[str, Json]) -> list[Plan]:
    """Plan the reads that would find a thing that is to be created, by the names that its input gives it.

    Raises:
        BadInput: it is no create, or its input names nothing.
    """
    action = plan.action
    names = [str(given[name]) for name in IDENTITIES if isinstance(given.get(name), str)]
    if action is None or action.method not in ("POST", "PUT") or not names:
        raise BadInput(
            "--if-missing needs a create with a name to look for",
            hint=f"give one of {', '.join(IDENTITIES)}, or leave --if-missing out",
        )
    found = []
    service = catalog.services[plan.service]
    base = plan.url.split(action.path.split("{")[0])[0] if action.host is None else service.base
    for one in catalog.summaries():
        here = one.method == "GET" and one.service == plan.service and one.path.rsplit("/", 1)[0] == action.path
        if here and one.path.endswith("}"):
            reader = catalog.action(one.key)
            last = path_parameters(one.path)[-1]
            parents = {name: given[name] for name in path_parameters(action.path)}
            found += [plan_action(reader, {**parents, last: name}, service, base) for name in names]
    return found
