"""Tokens that may do less and end sooner: made for this machine, named so, and revoked when they are no longer wanted."""

import platform
import re
import time
from collections.abc import Sequence

from skill.connection.calls import call, facts_of, refusal, text_of
from skill.connection.grant import Grant
from skill.faults import BadInput, Fault, NotSignedIn, Refused, Step
from skill.types import Credential, Exchange, Plan, Service

SCOPES = ("global", "identity", "read", "write", "read-protected", "write-protected")
DEFAULT_LIFE = "30d"
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_COVERS = {
    "global": {"global"},
    "read": {"global", "read", "write", "read-protected", "write-protected"},
    "write": {"global", "write", "write-protected"},
    "read-protected": {"global", "read-protected", "write-protected"},
    "write-protected": {"global", "write-protected"},
    "identity": {"global", "identity"},
}


def scopes_of(given: Sequence[str]) -> tuple[str, ...]:
    """Read scopes, separated by commas or spaces; `identity` is added so that it can be said who is signed in.

    Raises:
        BadInput: there is no such scope.
    """
    words = [word for text in given for word in re.split(r"[,\s]+", text.strip()) if word]
    unknown = [word for word in words if word not in SCOPES]
    if unknown or not words:
        raise BadInput(
            f"there is no scope {unknown[0] if unknown else ''!r}", code="no_such_scope", hint=f"known: {', '.join(SCOPES)}"
        )
    return ("global",) if "global" in words else tuple(dict.fromkeys(["identity", *words]))


def seconds_of(life: str) -> int | None:
    """Read how long a token lives: 30m, 8h, 7d or never.

    Returns:
        Seconds, None for ever.

    Raises:
        BadInput: it is no span of time.
    """
    if life == "never":
        return None
    match = re.fullmatch(r"(\d{1,9})([smhd]?)", life.strip().lower())
    if match is None or int(match[1]) == 0:
        raise BadInput(f"--expires {life!r} is no span of time", hint="for example 30m, 8h, 7d, or never")
    return int(match[1]) * _SECONDS[match[2] or "s"]


def create(service: Service, base: str, token: str, scope: Sequence[str], life_s: int | None, ask: Exchange) -> Grant:
    """Make an authorization of a narrower scope with a full credential.

    Args:
        life_s: how long it lives in seconds, None for ever.

    Raises:
        Fault: it is refused, or the service cannot be reached.
    """
    body = {"description": f"heroku-skill on {platform.node() or 'this machine'}", "expires_in": life_s, "scope": list(scope)}
    reply = call(service, f"{base}/oauth/authorizations", "POST", ask, token=token, body=body)
    if reply.status >= 300:
        fault = refusal("no narrower token was made", reply)
        fault.hint = "a credential of scope global is needed to make one: sign in with it first, or without --scope"
        raise fault
    facts = facts_of(reply)
    access = facts.get("access_token")
    access = access if isinstance(access, dict) else {}
    if not (text_of(access, "token") and text_of(facts, "id")):
        raise Refused("no narrower token was made: the service answered oddly", code="odd_sign_in")
    lasts = access.get("expires_in")
    lasts = lasts if isinstance(lasts, int) else life_s
    given = tuple(one for one in facts.get("scope") or scope if isinstance(one, str))
    return Grant(
        text_of(access, "token"),
        expires_at=time.time() + lasts if lasts else None,
        scope=given,
        authorization=text_of(facts, "id"),
    )


def revoke(service: Service, base: str, credential: Credential, authorization: str, ask: Exchange) -> bool:
    """Revoke an authorization with its own token.

    Returns:
        Whether it is revoked.
    """
    reply = call(service, f"{base}/oauth/authorizations/{authorization}", "DELETE", ask, token=credential.token)
    # a token that is no longer known is as good as revoked
    return reply.status < 300 or reply.status in {401, 404}


def end_session(service: Service, base: str, token: str, ask: Exchange) -> bool:
    """End the session that a sign-in in the browser began.

    Returns:
        Whether its token is no longer accepted.
    """
    call(service, f"{base}/oauth/sessions/~", "DELETE", ask, token=token)
    listed = call(service, f"{base}/oauth/authorizations", "GET", ask, token=token)
    own = [text_of(one, "id") for one in _items(listed.body) if _token_of(one) == token]
    for authorization in own:
        call(service, f"{base}/oauth/authorizations/{authorization}", "DELETE", ask, token=token)
    return call(service, f"{base}/account", "GET", ask, token=token).status == 401


def explained(fault: Fault, credential: Credential | None, plan: Plan) -> Fault:
    """Say which scope a refused request needs, where the credential's known one does not cover it; else the fault as it is."""
    if fault.http_status != 403 or fault.code != "forbidden" or credential is None or credential.service != "heroku":
        return fault
    wanted = _needed(plan)
    if not credential.scope:
        # a token that was made elsewhere does not say what it may do
        fault.hint = (
            f"ask the owner for access; or the credential lacks the scope {wanted}, "
            f"which a full one gives a new one: login --scope {wanted}"
        )
        return fault
    if _COVERS[wanted] & set(credential.scope):
        return fault
    return NotSignedIn(
        f"this needs the scope {wanted}; the credential from {credential.source} has {', '.join(credential.scope)}",
        code="scope_too_narrow",
        hint="a person decides whether this program may do more",
        next=[Step(f"login --scope {wanted}", "make a credential that may")],
        http_status=403,
        request_id=fault.request_id,
    )


def _needed(plan: Plan) -> str:
    path = plan.url.split("://", 1)[-1].partition("/")[2].split("?")[0]
    reads = plan.risk == "read"
    room = path.split("/")[0]
    if room in {"account", "oauth"}:
        # of a person's own things only the account may be seen with less than everything
        return "identity" if reads and room == "account" else "global"
    protected = "config-vars" in path or path.endswith("/config")
    return ("read" if reads else "write") + ("-protected" if protected else "")


def _items(body: bytes) -> list[dict[str, object]]:
    import json

    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return []
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _token_of(authorization: dict[str, object]) -> str:
    access = authorization.get("access_token")
    return text_of(access, "token") if isinstance(access, dict) else ""
