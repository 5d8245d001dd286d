"""Read a reply: its body as plain values, its warnings, and what a failed one means."""

from collections.abc import Mapping
from shlex import quote
from typing import Any, NamedTuple

from skill.faults import Fault, NeedsConfirmation, NotSignedIn, Refused, Step, TryLater, Unknown
from skill.schema import parse
from skill.shape import mask_text, plain
from skill.types import Json, Plan, Reply
from skill.ways import Ways

UNREADABLE = "the reply's body could not be read, though the service says that it was done"
MOST_WORDS = 500
MOST_NAME = 200
# answers to a write that was done, or may have been, with the place of what came of it
_DONE_AND_ELSEWHERE = frozenset({301, 302, 303})


class Body(NamedTuple):
    """A reply's body: `value` as plain JSON values or text, and whether it could be read."""

    value: Json
    readable: bool


def body_of(reply: Reply) -> Body:
    """Read a body as what it says it is; an empty one is null."""
    if not reply.whole:
        return Body(None, False)
    if not reply.body.strip():
        return Body(None, True)
    kind = reply.headers.get("content-type", "application/json").split(";")[0].strip().lower()
    # a page of HTML is not from the service: a proxy, or a network that wants a sign-in, put it there
    if kind.startswith("text/") and "html" not in kind:
        return Body(reply.body.decode("utf-8", "replace"), True)
    try:
        return Body(parse(reply.body), True)
    except ValueError:
        return Body(None, False)


def warnings_of(reply: Reply) -> list[str]:
    """List what the service warns of in its headers."""
    said = [reply.headers.get(name, "") for name in ("x-heroku-warning", "warning-message")]
    lines = [line.strip() for text in said for line in text.split("\n") if line.strip()]
    return [mask_text(plain(line.removeprefix("Warning:").removeprefix("warning:").strip())) for line in lines]


class Meaning(NamedTuple):
    """What an error of the service means: the kind of fault, what to do, and the way (of `Ways`) that begins it."""

    kind: type[Fault]
    hint: str
    way: str


# what the service is known to answer, by its own id; one that is not here passes through with the meaning of its status
MEANINGS: Mapping[str, Meaning] = {
    "bad_request": Meaning(Refused, "the service does not take it so: check the input with `action show`", "shown"),
    "unauthorized": Meaning(NotSignedIn, "the credential is not accepted: sign in again, or set HEROKU_API_KEY anew", "login"),
    "device_trust_required": Meaning(
        NotSignedIn, "the account does not trust this device (any more): a person must sign in in the browser", "login"
    ),
    "delinquent": Meaning(Refused, "the account owes money: a person must settle it", "debts"),
    "forbidden": Meaning(
        NotSignedIn,
        "the credential may not do this: ask the owner for access, or sign in with a wider scope (config vars need "
        "read-protected)",
        "whoami",
    ),
    "suspended": Meaning(NotSignedIn, "the account or the app is suspended: a person must ask Heroku's support", "whoami"),
    "two_factor": Meaning(
        NotSignedIn, "the account asks for a second factor: a person must give the code, for --two-factor-code", "second_factor"
    ),
    "not_found": Meaning(Refused, "look the name up with the matching list action", "around"),
    "not_acceptable": Meaning(Refused, "the service has no such form of the answer: leave the header Accept out", "shown"),
    "conflict": Meaning(Refused, "something else is changing it: look, then try again", "look"),
    "gone": Meaning(Refused, "it is there no more", "around"),
    "requested_range_not_satisfiable": Meaning(Refused, "the list cannot be sorted so: leave --sort and --order out", "unsorted"),
    "invalid_params": Meaning(Refused, "check the input with `action show`", "shown"),
    "verification_needed": Meaning(
        Refused, "a person must verify the account with a payment method, in the dashboard's billing settings", "account"
    ),
    "multiple_matches": Meaning(Refused, "several things have that name: give the id of one, or its app too", "around"),
    "unprocessable_entity": Meaning(Refused, "it cannot be done as things stand: look, and check the input", "shown"),
    "rate_limit": Meaning(TryLater, "too many calls within the hour: wait a minute", "calls_left"),
    "internal_server_error": Meaning(TryLater, "the service has a problem of its own: try later", "repeated"),
    "server_error": Meaning(TryLater, "the service has a problem of its own: try later", "repeated"),
    "addon_error": Meaning(TryLater, "the add-on's provider has a problem of its own: try later", "repeated"),
}
_BY_STATUS = {
    400: "bad_request",
    401: "unauthorized",
    402: "delinquent",
    403: "forbidden",
    404: "not_found",
    406: "not_acceptable",
    409: "conflict",
    410: "gone",
    416: "requested_range_not_satisfiable",
    422: "invalid_params",
    429: "rate_limit",
}
_OTHER = Meaning(Refused, "", "")


def fault_of(reply: Reply, plan: Plan, ways: Ways) -> Fault:
    """Say what a failed reply means, and what to run next."""
    error = _error(reply)
    code, status = str(error.get("id") or ""), reply.status
    words = mask_text(plain(str(error.get("message") or "")))[:MOST_WORDS]
    facts: dict[str, Any] = {"http_status": status, "request_id": plain(reply.headers.get("request-id", "")) or None}
    message = words or f"the service answered {status}"
    if code == "confirmation_required" or status == 423:
        return _unconfirmed(reply, error, message, ways, facts)
    if (status >= 500 or status in _DONE_AND_ELSEWHERE) and plan.risk != "read":
        words = f"{message}; whether it was done is unknown"
        return Unknown(words, hint="do not repeat it before you have looked", next=_steps(ways.look()), **facts)
    if 300 <= status < 400:
        return Refused(f"the service answered {status} and points elsewhere; nothing was sent there", code="redirected", **facts)
    usual = "server_error" if status >= 500 else _BY_STATUS.get(status, "refused")
    meaning = MEANINGS.get(code)
    if meaning is None or (meaning.kind is TryLater) != (status >= 500 or status == 429):
        # what is not known, or not known with such a status, means what its status means
        meaning = MEANINGS.get(usual, _OTHER)
    return meaning.kind(message, code=plain(code) or usual, hint=meaning.hint, next=_steps(ways.step(meaning.way)), **facts)


def _unconfirmed(reply: Reply, error: Mapping[str, Json], message: str, ways: Ways, facts: dict[str, Any]) -> Fault:
    """Make the refusal that a destroying action without --confirm gets here, for one that the service itself refuses so."""
    app = error.get("app")
    named = reply.headers.get("x-confirmation-required") or (app.get("name") if isinstance(app, dict) else None)
    name = mask_text(plain(str(named)))[:MOST_NAME] if named else ""
    typed = f"--confirm {quote(name)}" if name else "--confirm NAME"
    return NeedsConfirmation(
        f"{message}; it needs {typed}",
        hint="ask the person who owns it before you confirm" + ("" if name else "; the name is that of the app"),
        next=_steps(Step(f"{ways.again} {typed}", "run it, once a person has agreed") if ways.again else None),
        **facts,
    )


def _steps(step: Step | None) -> list[Step]:
    return [step] if step else []


def _error(reply: Reply) -> Mapping[str, Json]:
    value = body_of(reply).value
    return value if isinstance(value, dict) else {}
