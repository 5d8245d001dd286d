"""Run a plan: confirm, find the credential, send, follow the pages, check, mask. One way for actions and raw requests."""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urljoin

from skill.catalog import Catalog
from skill.faults import Fault, NeedsConfirmation, Refused, Step, TryLater, Unknown
from skill.gather import Gatherer, Sink
from skill.paths import match_path, path_parameters
from skill.policy import enforce, read_policy
from skill.reading import body_of, fault_of
from skill.record import Record, existing_paths
from skill.shape import mask, mask_text
from skill.types import Action, Confirmation, Credential, Exchange, Json, Pages, Plan, Reply, Result, Service
from skill.wire.exchange import ExchangeFailed

if TYPE_CHECKING:
    from skill.wire import Delivery

ALL = Pages()
TWO_FACTOR = "Heroku-Two-Factor-Code"


class Wish(NamedTuple):
    """How a plan is to be run.

    `confirm` is what the person typed, `again` the command that was run, `pages` the part of a list that is wanted;
    `if_missing` and `missing_ok` let a create find its thing there already, and a delete find it gone.
    """

    confirm: str | None = None
    again: str = ""
    pages: Pages = ALL
    if_missing: bool = False
    missing_ok: bool = False


@dataclass(slots=True)
class Runner:
    """What a run needs beside its plan; `exchange` is made only when something is sent.

    `timeout_s` is the limit of one exchange in seconds; `shell` turns a key and an input into the command that a person
    would type; `say` is told of waits.
    """

    catalog: Catalog
    environ: Mapping[str, str]
    exchange: Callable[[], Exchange]
    shell: Callable[[str, Mapping[str, Json]], str]
    sign: Callable[[Service], Credential]
    sandbox: bool = False
    timeout_s: float = 60.0
    reveal: Sequence[str] = ()
    strict: bool = False
    two_factor: str | None = None
    say: Callable[[str], None] = field(default=lambda _: None)
    _delivery: "Delivery | None" = None

    def run(self, plan: Plan, given: Mapping[str, Json], wish: Wish, sink: Sink | None = None) -> Result:
        """Send a plan and give its result, secrets masked.

        Args:
            given: the input that the plan was made from.
            wish: how it is to be run.
            sink: takes the items of a list as they come, which are not kept then.

        Raises:
            Fault: nothing was done, or it is said what is unknown.
        """
        policy = read_policy(self.environ)
        credential = self._credential(plan)
        if policy is not None:
            enforce(policy, plan, given, partial(self._app_name, plan))
        if plan.confirmation is not None:
            self._confirm(plan, plan.confirmation, wish, credential)
        identities = existing_paths(self.catalog, plan, given) if wish.if_missing else []
        run_id = str(uuid.uuid4())
        record = Record(plan, given, run_id, self.sandbox, self.say)
        record.write("tried")
        try:
            result = self._gathered(plan, given, wish, sink, credential)
        except Refused as fault:
            found = self._converged(fault, plan, wish, identities)
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
        return result._replace(sandbox=self.sandbox, run_id=run_id)

    def _interrupted(self, stop: KeyboardInterrupt, plan: Plan, given: Mapping[str, Json]) -> KeyboardInterrupt:
        """Give an interruption the words for what it leaves unknown, and the command that tells."""
        if plan.risk == "read":
            return stop
        look = self._look(plan, given)
        return KeyboardInterrupt("whether it was done is unknown", look.command if look else "")

    def _gathered(
        self, plan: Plan, given: Mapping[str, Json], wish: Wish, sink: Sink | None, credential: Credential | None
    ) -> Result:
        gatherer = Gatherer(plan, self.reveal, self.strict, wish.pages.limit, f"{wish.again} --limit 0", sink)
        try:
            for reply in self._replies(plan, given, credential, wish.pages):
                gatherer.take(reply)
                if gatherer.full:
                    break
        except Fault as fault:
            raise gatherer.broken(fault) from None
        how = "created" if wish.if_missing else "deleted" if wish.missing_ok else ""
        return gatherer.result()._replace(converged=how)

    def _converged(self, fault: Refused, plan: Plan, wish: Wish, identities: Sequence[Plan]) -> Result | None:
        """Give the result of a run that found things as they were to be; None where they are not."""
        if wish.missing_ok and plan.method == "DELETE" and fault.http_status in (404, 410):
            return Result(None, converged="missing")
        if not wish.if_missing or fault.http_status not in (409, 422):
            return None
        for one in identities:
            try:
                value = self.ask(one)
            except Fault:
                continue
            return Result(mask(value, one.action.output if one.action else None, self.reveal), converged="existed")
        return None

    def _app_name(self, plan: Plan, app: str) -> str | None:
        url = urljoin(plan.url, f"/apps/{app}")
        look = replace(plan, method="GET", url=url, shown_url=url, risk="read", content=None, raw=None, action=None)
        try:
            value = self.ask(look)
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
        headers = {name: value for name, value in plan.headers.items() if name != "Content-Type"}
        look = replace(
            plan, method="GET", url=url, shown_url=url, risk="read", headers=headers, content=None, raw=None, action=None
        )
        try:
            reply = next(self._replies(look, {}, credential))
        except Refused:
            # not everything that can be deleted can be read; then the id is what there is
            return wanted.expected
        value = body_of(reply).value
        name = value.get("name") or value.get("hostname") if isinstance(value, dict) else None
        return str(name) if name else wanted.expected

    def _replies(
        self, plan: Plan, given: Mapping[str, Json], credential: Credential | None, pages: Pages = ALL
    ) -> Iterator[Reply]:
        from skill.connection.scoped import explained
        from skill.wire import Delivery, send

        if self._delivery is None:
            self._delivery = Delivery(self.exchange(), self.say)
        service = self.catalog.services[plan.service]
        try:
            signed = replace(plan, headers={**plan.headers, TWO_FACTOR: self.two_factor}) if self.two_factor else plan
            for reply in send(signed, service, credential, self._delivery, self.timeout_s, pages):
                if reply.status >= 300:
                    raise explained(fault_of(reply, plan, self._look(plan, given)), credential, plan)
                if plan.risk == "read" and not body_of(reply).readable:
                    raise TryLater("the reply was cut off or is not what it says it is", http_status=reply.status)
                yield reply
        except ExchangeFailed as failed:
            raise self._failed(failed, plan, given) from None

    def _failed(self, failed: ExchangeFailed, plan: Plan, given: Mapping[str, Json]) -> Fault:
        words = mask_text(failed.message)
        if failed.sent and plan.risk != "read":
            look = self._look(plan, given)
            hint = "do not repeat it before you have looked"
            return Unknown(f"{words}; whether it was done is unknown", hint=hint, next=[look] if look else [])
        return TryLater(
            f"{words}; nothing was changed", code="network", hint="check the network, or HTTPS_PROXY if there is a proxy"
        )

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


def actions_like(catalog: Catalog, method: str, path: str, host: str | None) -> list[Action]:
    """List the actions that a raw request may be: the same method and path, literal segments before parameters."""
    found = [
        (len(path_parameters(one.path)), one.key)
        for one in catalog.summaries()
        if one.method == method and (one.host or None) == host and match_path(one.path, path) is not None
    ]
    fewest = min((count for count, _ in found), default=0)
    return [catalog.action(key) for count, key in found if count == fewest]
