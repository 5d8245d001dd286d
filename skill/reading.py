"""Read a reply: its body as plain values, its warnings, and what a failed one means."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from skill.faults import Fault, NeedsConfirmation, NotSignedIn, Refused, Step, TryLater, Unknown
from skill.schema import parse
from skill.shape import mask_text, plain
from skill.types import Json, Plan, Reply

UNREADABLE = "the reply's body could not be read, though the service says that it was done"
MOST_WORDS = 500
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


def fault_of(reply: Reply, plan: Plan, look: Step | None) -> Fault:
    """Say what a failed reply means.

    Args:
        look: the read that tells what became of a write.
    """
    error = _error(reply)
    code, status = str(error.get("id") or ""), reply.status
    words = mask_text(plain(str(error.get("message") or "")))[:MOST_WORDS]
    facts: dict[str, Any] = {"http_status": status, "request_id": plain(reply.headers.get("request-id", "")) or None}
    message = words or f"the service answered {status}"
    unknown = status >= 500 or status in _DONE_AND_ELSEWHERE
    if unknown and plan.risk != "read":
        return Unknown(
            f"{message}; whether it was done is unknown",
            hint="do not repeat it before you have looked",
            next=[look] if look else [],
            **facts,
        )
    kept_out = _kept_out(code, status, message, facts)
    if kept_out is not None:
        return kept_out
    if status == 429:
        return TryLater(message, code=code or "rate_limit", hint="too many calls within the hour: wait a minute", **facts)
    if status >= 500:
        return TryLater(message, code=code or "server_error", hint="the service has a problem of its own: try later", **facts)
    if 300 <= status < 400:
        return Refused(f"the service answered {status} and points elsewhere; nothing was sent there", code="redirected", **facts)
    return Refused(
        message,
        code=code or _CODES.get(status, "refused"),
        hint=_HINTS.get(status, ""),
        next=[look] if look and status in (404, 409) else [],
        **facts,
    )


def _kept_out(code: str, status: int, message: str, facts: dict[str, Any]) -> Fault | None:
    """Say who must do what before the service lets the caller in; None where it is about something else."""
    if status == 401:
        hint = "the credential is not accepted: sign in again, or set HEROKU_API_KEY anew"
        return NotSignedIn(message, code=code or "unauthorized", hint=hint, **facts)
    if code == "two_factor":
        return NotSignedIn(message, code=code, hint="the account asks for a second factor: a person must give the code", **facts)
    if code == "confirmation_required" or status == 423:
        hint = "the service wants the app's name as the input `confirm`"
        return NeedsConfirmation(message, code="confirmation_required", hint=hint, **facts)
    return NotSignedIn(message, code=code or "forbidden", hint=_FORBIDDEN, **facts) if status == 403 else None


def _error(reply: Reply) -> Mapping[str, Json]:
    value = body_of(reply).value
    return value if isinstance(value, dict) else {}


_FORBIDDEN = (
    "the credential may not do this: ask the owner for access, or sign in with a wider scope (config vars need read-protected)"
)
_CODES = {
    402: "delinquent",
    404: "not_found",
    406: "not_acceptable",
    409: "conflict",
    410: "gone",
    416: "bad_range",
    422: "invalid_params",
}
_HINTS = {
    402: "the account owes money: a person must settle it",
    404: "look the name up with the matching list action",
    409: "something else is changing it: look, then try again",
    422: "check the input with `action show`",
}
