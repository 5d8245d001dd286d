"""Run a plan: confirm, find the credential, send, follow the pages, check, mask. One way for actions and raw requests."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from skill.catalog import Catalog
from skill.connection import find
from skill.faults import Fault, NeedsConfirmation, OddReply, Refused, Step, TryLater, Unknown
from skill.plan import match_path, path_parameters
from skill.reading import UNREADABLE, Body, body_of, fault_of, warnings_of
from skill.shape import mask, mask_text
from skill.types import Action, Confirmation, Credential, Exchange, Json, Plan, Reply, Result, Schema
from skill.wire.exchange import ExchangeFailed

MOST_ODDITIES = 3


@dataclass(slots=True)
class Runner:
    """What a run needs beside its plan; `exchange` is made only when something is sent.

    `timeout_s` is the limit of one exchange in seconds; `shell` turns a key and an input into the command that a person
    would type.
    """

    catalog: Catalog
    environ: Mapping[str, str]
    exchange: Callable[[], Exchange]
    shell: Callable[[str, Mapping[str, Json]], str]
    sandbox: bool = False
    timeout_s: float = 60.0
    reveal: Sequence[str] = ()
    strict: bool = False
    _wire: list[Exchange] = field(default_factory=list)

    def run(self, plan: Plan, given: Mapping[str, Json], confirm: str | None, again: str) -> Result:
        """Send a plan and give its result, secrets masked.

        Args:
            given: the input that the plan was made from.
            confirm: what the person typed to confirm.
            again: the command that was run, for the hint of a refusal.

        Raises:
            Fault: nothing was done, or it is said what is unknown.
        """
        unsigned = self.sandbox or plan.sign_in == "none"
        credential = None if unsigned else find(self.catalog.services[plan.service], self.environ)
        if plan.confirmation is not None:
            self._confirm(plan, plan.confirmation, confirm, again, credential)
        run_id = str(uuid.uuid4())
        replies = self._send(plan, given, credential)
        result = self._result(plan, replies)
        return result._replace(sandbox=self.sandbox, run_id=run_id)

    def _confirm(self, plan: Plan, wanted: Confirmation, typed: str | None, again: str, credential: Credential | None) -> None:
        expected = self._name(plan, wanted, credential)
        if typed == expected:
            return
        from shlex import quote

        message = (
            f"this destroys something: {plan.action.title if plan.action else plan.method} needs --confirm {quote(expected)}"
        )
        if typed is not None:
            message = f"the confirmation {typed!r} is not {expected!r}; nothing was sent"
        raise NeedsConfirmation(
            message,
            hint="ask the person who owns it before you confirm",
            next=[Step(f"{again} --confirm {quote(expected)}", "run it, once a person has agreed")],
        )

    def _name(self, plan: Plan, wanted: Confirmation, credential: Credential | None) -> str:
        """Look up the name behind an id, so that a person confirms something they know."""
        if wanted.lookup is None:
            return wanted.expected
        url = plan.url.split("?")[0]
        headers = {name: value for name, value in plan.headers.items() if name != "Content-Type"}
        look = replace(
            plan, method="GET", url=url, shown_url=url, risk="read", headers=headers, content=None, raw=None, action=None
        )
        try:
            reply = self._send(look, {}, credential)[0]
        except Refused:
            # not everything that can be deleted can be read; then the id is what there is
            return wanted.expected
        value = body_of(reply).value
        name = value.get("name") or value.get("hostname") if isinstance(value, dict) else None
        return str(name) if name else wanted.expected

    def _send(self, plan: Plan, given: Mapping[str, Json], credential: Credential | None) -> list[Reply]:
        from skill.wire import send

        if not self._wire:
            self._wire.append(self.exchange())
        service = self.catalog.services[plan.service]
        replies: list[Reply] = []
        try:
            for reply in send(plan, service, credential, self._wire[0], self.timeout_s):
                if reply.status >= 300:
                    raise self._with(replies, fault_of(reply, plan, self._look(plan, given)), plan)
                if plan.risk == "read" and not body_of(reply).readable:
                    raise self._with(
                        replies, TryLater("the reply was cut off or is not what it says it is", http_status=reply.status), plan
                    )
                replies.append(reply)
        except ExchangeFailed as failed:
            raise self._with(replies, self._failed(failed, plan, given), plan) from None
        return replies

    def _failed(self, failed: ExchangeFailed, plan: Plan, given: Mapping[str, Json]) -> Fault:
        words = mask_text(failed.message)
        if failed.sent and plan.risk != "read":
            look = self._look(plan, given)
            hint = "do not repeat it before you have looked"
            return Unknown(f"{words}; whether it was done is unknown", hint=hint, next=[look] if look else [])
        return TryLater(
            f"{words}; nothing was changed", code="network", hint="check the network, or HTTPS_PROXY if there is a proxy"
        )

    def _with(self, replies: Sequence[Reply], fault: Fault, plan: Plan) -> Fault:
        """Keep the pages that came before a failure: they are printed with the error."""
        if replies:
            fault.output = mask(_joined([body_of(reply).value for reply in replies]), _output(plan), self.reveal)
            fault.page = {"truncated": True, "shown": len(fault.output), "total": None}
        return fault

    def _look(self, plan: Plan, given: Mapping[str, Json]) -> Step | None:
        """Name the read that tells what became of a write: the object itself, else the list that it would be in."""
        if plan.action is None or plan.risk == "read":
            return None
        path = plan.action.path
        for wanted in (path, path.rsplit("/", 1)[0], path.split("/actions/")[0]):
            for one in self.catalog.summaries():
                if one.method == "GET" and one.path == wanted and one.service == plan.service:
                    known = {name: given[name] for name in path_parameters(wanted) if name in given}
                    return Step(self.shell(one.key, known), "see how things stand")
        return None

    def _result(self, plan: Plan, replies: Sequence[Reply]) -> Result:
        bodies = [body_of(reply) for reply in replies]
        value = _joined([body.value for body in bodies]) if len(bodies) > 1 else bodies[0].value
        warnings = list(dict.fromkeys(warning for reply in replies for warning in warnings_of(reply)))
        if not all(body.readable for body in bodies):
            warnings.append(UNREADABLE)
        schema = _output(plan)
        warnings += self._oddities(bodies, value, schema)
        page = {"truncated": False, "shown": len(value), "total": len(value), "next": None} if len(replies) > 1 else None
        return Result(mask(value, schema, self.reveal), page, tuple(warnings), replies[-1])

    def _oddities(self, bodies: Sequence[Body], value: Json, schema: Schema | None) -> list[str]:
        if not schema or value is None or not all(body.readable for body in bodies):
            return []
        from skill.schema import check

        found = check(value, schema)
        told = [
            f"the reply differs from what is known: {problem.where or '/'} {problem.what}" for problem in found[:MOST_ODDITIES]
        ]
        if found and self.strict:
            fault = OddReply(told[0], problems=found)
            fault.output = mask(value, schema, self.reveal)
            raise fault
        return told + ([f"and {len(found) - MOST_ODDITIES} more differences"] if len(found) > MOST_ODDITIES else [])


def actions_like(catalog: Catalog, method: str, path: str, host: str | None) -> list[Action]:
    """List the actions that a raw request may be: the same method and path, literal segments before parameters."""
    found = [
        (len(path_parameters(one.path)), one.key)
        for one in catalog.summaries()
        if one.method == method and (one.host or None) == host and match_path(one.path, path.rstrip("/") or "/") is not None
    ]
    fewest = min((count for count, _ in found), default=0)
    return [catalog.action(key) for count, key in found if count == fewest]


def _output(plan: Plan) -> Schema | None:
    return plan.action.output if plan.action else None


def _joined(values: Sequence[Json]) -> list[Any]:
    return [item for value in values for item in (value if isinstance(value, list) else [value])]
