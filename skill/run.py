"""Run a plan: confirm, find the credential, send, follow the pages, check, mask. One way for actions and raw requests."""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urljoin

from skill import converge
from skill.catalog import Catalog
from skill.faults import Fault, NeedsConfirmation, Refused, Step, TryLater, Unknown
from skill.gather import Gatherer, Sink
from skill.paths import match_path, path_parameters
from skill.plan import secret_values
from skill.policy import enforce, read_policy
from skill.reading import body_of, fault_of
from skill.record import Record
from skill.shape import hide, mask, mask_text
from skill.types import Action, Confirmation, Credential, Json, Plan, Reply, Result, Service
from skill.ways import Ways
from skill.wire.exchange import ExchangeFailed

if TYPE_CHECKING:
    from skill.wire import Delivery

TWO_FACTOR = "Heroku-Two-Factor-Code"


class Wish(NamedTuple):
    """How a plan is to be run.

    `confirm` is what the person typed, `again` the command that was run, `limit` how many items of a list are wanted (0:
    all); `if_missing` and `missing_ok` let a create find its thing there already, and a delete find it gone.
    """

    confirm: str | None = None
    again: str = ""
    limit: int = 0
    if_missing: bool = False
    missing_ok: bool = False


@dataclass(frozen=True, slots=True)
class Runner:
    """What a run needs beside its plan; `deliver` gives what sends, which is made only when something is sent.

    `until` is when all that is asked for must be over, in seconds of the monotonic clock; `shell` turns a key and an input
    into the command that a person would type, `tail` is what every such command needs; `say` is told of waits, `warn` of
    what is wrong beside the run, `told` of how many items of a long list have come.
    """

    catalog: Catalog
    environ: Mapping[str, str]
    deliver: Callable[[], "Delivery"]
    shell: Callable[[str, Mapping[str, Json]], str]
    sign: Callable[[Service], Credential]
    until: float
    tail: str = ""
    sandbox: bool = False
    reveal: Sequence[str] = ()
    strict: bool = False
    two_factor: str | None = None
    say: Callable[[str], None] = field(default=lambda _: None)
    warn: Callable[[str], None] = field(default=lambda _: None)
    told: Callable[[int], None] = field(default=lambda _: None)

    def run(self, plan: Plan, given: Mapping[str, Json], wish: Wish, sink: Sink | None = None) -> Result:
        """Send a plan and give its result, secrets masked.

        Args:
            given: the input that the plan was made from.
            wish: how it is to be run.
            sink: takes the items of a list as they come, which are not kept then.

        Raises:
            Fault: nothing was done, or it is said what is unknown.
        """
        try:
            return self._allowed(plan, given, wish, sink)
        except Fault as fault:
            fault.message = hide(fault.message, secret_values(plan))
            raise

    def _allowed(self, plan: Plan, given: Mapping[str, Json], wish: Wish, sink: Sink | None) -> Result:
        self.permit(plan, given)
        credential = self._credential(plan)
        if plan.confirmation is not None:
            self._confirm(plan, plan.confirmation, wish, credential)
        if isinstance(plan.content, dict) and plan.action and not plan.action.body:
            # a raw request says by its body what an action's input says
            given = {**plan.content, **given}
        places = converge.places_of(self.catalog, plan, given) if wish.if_missing else []
        # looked for first, since not every service refuses to make a second one
        result = self._existing(places, plan, given) or self._recorded(plan, given, wish, sink, credential, places)
        return result._replace(sandbox=self.sandbox)

    def _recorded(
        self,
        plan: Plan,
        given: Mapping[str, Json],
        wish: Wish,
        sink: Sink | None,
        credential: Credential | None,
        places: Sequence[converge.Place],
    ) -> Result:
        run_id = str(uuid.uuid4())
        record = Record(plan, given, run_id, self.sandbox, self.warn)
        record.write("tried")
        try:
            result = self._gathered(plan, given, wish, sink, credential)
        except Refused as fault:
            found = self._converged(fault, plan, given, wish, places)
            record.failed(fault) if found is None else record.write(found.converged, found.reply)
            if found is None:
                raise
            result = found
        except KeyboardInterrupt as stop:
            record.failed(stop)
            raise self._interrupted(stop, plan, given) from None
        except BaseException as fault:
            record.failed(fault)
            raise
        else:
            record.write("done", result.reply)
        return result._replace(run_id=run_id)

    def permit(self, plan: Plan, given: Mapping[str, Json]) -> None:
        """Refuse what the user's policy forbids.

        Raises:
            NeedsConfirmation: it is forbidden, or the policy cannot be read.
        """
        policy = read_policy(self.environ)
        if policy is not None:
            enforce(policy, plan, given, partial(self._app_name, plan))

    def ways(self, plan: Plan, given: Mapping[str, Json], again: str = "") -> Ways:
        """Give the commands that may follow a plan."""
        return Ways(self.catalog, self.shell, plan, given, again, self.tail)

    def _interrupted(self, stop: KeyboardInterrupt, plan: Plan, given: Mapping[str, Json]) -> KeyboardInterrupt:
        """Give an interruption the words for what it leaves unknown, and the command that tells."""
        if plan.risk == "read":
            return stop
        look = self.ways(plan, given).look()
        return KeyboardInterrupt("whether it was done is unknown", look.command if look else "")

    def _gathered(
        self, plan: Plan, given: Mapping[str, Json], wish: Wish, sink: Sink | None, credential: Credential | None
    ) -> Result:
        rest, secrets = f"{wish.again} --limit 0", self._secrets(plan, credential)
        gatherer = Gatherer(plan, self.reveal, self.strict, wish.limit, rest, sink, secrets, self.told)
        try:
            for reply in self._replies(plan, given, credential, wish.again, gatherer.warn):
                gatherer.take(reply)
                if gatherer.full:
                    break
        except Fault as fault:
            raise gatherer.broken(fault) from None
        how = "created" if wish.if_missing else "deleted" if wish.missing_ok else ""
        return gatherer.result()._replace(converged=how)

    def _converged(
        self, fault: Refused, plan: Plan, given: Mapping[str, Json], wish: Wish, places: Sequence[converge.Place]
    ) -> Result | None:
        """Give the result of a run that found things as they were to be; None where they are not."""
        if wish.missing_ok and converge.gone(fault, plan):
            return Result(None, converged="missing")
        # another may have made it since it was looked for
        return self._existing(places, plan, given) if fault.http_status in (409, 422) else None

    def _existing(self, places: Sequence[converge.Place], plan: Plan, given: Mapping[str, Json]) -> Result | None:
        found = converge.found(places, given, self._items)
        if found is None:
            return None
        value, action = found
        schema = action.output if action else None
        if schema and schema.get("type") == "array":
            schema = schema.get("items")
        shown = mask(value, schema, self.reveal)
        told = converge.differences(shown, mask(dict(given), plan.action.input if plan.action else None))
        return Result(shown, warnings=tuple(told), run_id=str(uuid.uuid4()), converged="existed")

    def _items(self, plan: Plan) -> Iterator[Json]:
        for reply in self._replies(plan, {}, self._credential(plan)):
            value = body_of(reply).value
            yield from value if isinstance(value, list) else [value]

    def _app_name(self, plan: Plan, app: str) -> str | None:
        try:
            value = self.ask(_look_up(plan, urljoin(plan.url, f"/apps/{app}")))
        except Fault:
            return None
        return value.get("name") if isinstance(value, dict) else None

    def ask(self, plan: Plan) -> Json:
        """Send a read and give its first page, unmasked: for what the program itself must know.

        Raises:
            Fault: the service does not answer it.
        """
        return body_of(next(self._replies(plan, {}, self._credential(plan)))).value

    def _credential(self, plan: Plan) -> Credential | None:
        unsigned = self.sandbox or plan.sign_in == "none"
        return None if unsigned else self.sign(self.catalog.services[plan.service])

    def _confirm(self, plan: Plan, wanted: Confirmation, wish: Wish, credential: Credential | None) -> None:
        expected = self._name(plan, wanted, credential)
        if wish.confirm == expected:
            return
        from shlex import quote

        title = plan.action.title if plan.action else plan.method
        message = f"this destroys something: {title} needs --confirm {quote(expected)}"
        if wish.confirm is not None:
            message = f"the confirmation {wish.confirm!r} is not {expected!r}; nothing was sent"
        step = Step(f"{wish.again} --confirm {quote(expected)}", "run it, once a person has agreed")
        raise NeedsConfirmation(message, hint="ask the person who owns it before you confirm", next=[step])

    def _name(self, plan: Plan, wanted: Confirmation, credential: Credential | None) -> str:
        """Look up the name behind an id, so that a person confirms something they know."""
        if wanted.lookup is None:
            return wanted.expected
        url = plan.url.split("?")[0]
        look = _look_up(plan, url)
        try:
            reply = next(self._replies(look, {}, credential))
        except Refused:
            # not everything that can be deleted can be read; then the id is what there is
            return wanted.expected
        value = body_of(reply).value
        name = value.get("name") or value.get("hostname") if isinstance(value, dict) else None
        return str(name) if name else wanted.expected

    def _replies(
        self,
        plan: Plan,
        given: Mapping[str, Json],
        credential: Credential | None,
        again: str = "",
        warn: Callable[[Reply], None] = lambda _: None,
    ) -> Iterator[Reply]:
        from skill.connection.scoped import explained
        from skill.wire import send

        service, ways = self.catalog.services[plan.service], self.ways(plan, given, again)
        signed = replace(plan, headers={**plan.headers, TWO_FACTOR: self.two_factor}) if self.two_factor else plan
        left_s = self.until - time.monotonic()
        try:
            for reply in send(signed, service, credential, self.deliver(), left_s):
                if reply.status >= 300:
                    warn(reply)
                    fault = explained(fault_of(reply, plan, ways), credential, plan)
                    fault.message = hide(fault.message, [credential.token] if credential else [])
                    raise fault
                if plan.risk == "read" and not body_of(reply).readable:
                    raise _torn(reply, ways)
                yield reply
        except ExchangeFailed as failed:
            raise self._failed(failed, plan, ways) from None

    def _secrets(self, plan: Plan, credential: Credential | None) -> list[str]:
        """List what is never shown, wherever the service repeats it."""
        return [*secret_values(plan, self.reveal), *([credential.token] if credential else [])]

    def _failed(self, failed: ExchangeFailed, plan: Plan, ways: Ways) -> Fault:
        words, look = mask_text(failed.message), ways.look()
        if failed.sent and plan.risk != "read":
            hint = "do not repeat it before you have looked"
            return Unknown(f"{words}; whether it was done is unknown", hint=hint, next=[look] if look else [])
        hint = "check the network, or HTTPS_PROXY if there is a proxy; --timeout SECONDS allows more time"
        step = [Step(ways.again, "try again")] if ways.again else []
        return TryLater(f"{words}; nothing was changed", code="network", hint=hint, next=step)


def _torn(reply: Reply, ways: Ways) -> TryLater:
    again = ways.repeated()
    return TryLater(
        "the reply was cut off or is not what it says it is",
        hint="try again; --timeout SECONDS allows more time, and a network that wants a sign-in may answer in its place",
        next=[again] if again else [],
        http_status=reply.status,
    )


def _look_up(plan: Plan, url: str) -> Plan:
    headers = {name: value for name, value in plan.headers.items() if name not in ("Content-Type", "Range")}
    return replace(
        plan,
        method="GET",
        url=url,
        shown_url=url,
        risk="read",
        headers=headers,
        content=None,
        raw=None,
        secrets=(),
        action=None,
    )


def actions_like(catalog: Catalog, method: str, path: str, host: str | None) -> list[Action]:
    """List the actions that a raw request may be: the same method and path, literal segments before parameters."""
    found = [
        (len(path_parameters(one.path)), one.key)
        for one in catalog.summaries()
        if one.method == method and (one.host or None) == host and match_path(one.path, path) is not None
    ]
    fewest = min((count for count, _ in found), default=0)
    return [catalog.action(key) for count, key in found if count == fewest]
