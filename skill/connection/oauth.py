"""The authorization code flow of OAuth 2, with a client that the user registered."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from skill.connection.calls import call, facts_of, post_form, refusal, text_of
from skill.connection.grant import Grant
from skill.connection.hosts import LOCAL, sign_in_base
from skill.faults import BadInput, NotSignedIn, Refused
from skill.types import Exchange, Reply, Service

HOST, VARIABLE = "https://id.heroku.com", "SKILL_ID_HOST"
CLIENT_ID, CLIENT_SECRET, REDIRECT = "SKILL_OAUTH_CLIENT_ID", "SKILL_OAUTH_CLIENT_SECRET", "SKILL_OAUTH_REDIRECT_URI"
DEFAULT_REDIRECT = "http://localhost:57373/callback"
# a person may take a while; the code itself lives for minutes only
LIFETIME_S = 3600.0


@dataclass(frozen=True, slots=True)
class Client:
    """A registered OAuth client; `redirect` is the address that was registered with it."""

    id: str
    secret: str = field(repr=False)
    redirect: str = DEFAULT_REDIRECT

    @property
    def port(self) -> int:
        """The port of this machine that the browser is sent back to, 0 where it is not this machine."""
        parts = urlsplit(self.redirect)
        return parts.port or 80 if parts.scheme == "http" and parts.hostname in LOCAL else 0


def client_of(environ: Mapping[str, str]) -> Client | None:
    """Give the client that the environment names, None where it names none.

    Raises:
        BadInput: only half of it is named.
    """
    name, secret = environ.get(CLIENT_ID, "").strip(), environ.get(CLIENT_SECRET, "").strip()
    if bool(name) != bool(secret):
        raise BadInput(
            f"{CLIENT_ID if name else CLIENT_SECRET} is set without its other half",
            code="half_a_client",
            hint=f"set {CLIENT_ID} and {CLIENT_SECRET}, or neither",
        )
    return Client(name, secret, environ.get(REDIRECT, "").strip() or DEFAULT_REDIRECT) if name else None


def start(service: Service, environ: Mapping[str, str], client: Client, scope: tuple[str, ...]) -> tuple[dict[str, Any], str]:
    """Begin a sign-in.

    Returns:
        What is kept of it, with the address that a person opens, and the secret `state` that its answer must carry.
    """
    state = secrets.token_urlsafe(24)
    base = sign_in_base(service, environ, VARIABLE, HOST)
    query = {"client_id": client.id, "response_type": "code", "scope": " ".join(scope), "state": state}
    pending = {
        "way": "client",
        "url": f"{base}/oauth/authorize?{urlencode(query)}",
        "scope": list(scope),
        "began_at": time.time(),
    }
    return pending, state


def code_in(answer: str, state: str) -> str:
    """Take the code out of what a person pastes: the code alone, or the whole address that the browser was sent to.

    Raises:
        NotSignedIn: it belongs to another sign-in, or says that consent was refused.
        BadInput: there is no code in it.
    """
    text = answer.strip()
    if "://" not in text and "=" not in text:
        if not text or not text.isprintable() or " " in text:
            raise BadInput("that is no code", hint="paste the code, or the whole address that the browser ended at")
        return text
    return code_of(_query_of(text), state)


def belongs(answer: str, state: str) -> bool:
    """Tell whether what a person pastes carries the `state` of a sign-in; a code alone carries none."""
    return bool(state) and secrets.compare_digest(_query_of(answer.strip()).get("state", "").encode(), state.encode())


def _query_of(text: str) -> dict[str, str]:
    query = parse_qs(urlsplit(text).query if "://" in text else text.lstrip("?"))
    return {name: values[0] for name, values in query.items()}


def code_of(given: Mapping[str, str], state: str) -> str:
    """Take the code out of what the browser brought back.

    Raises:
        NotSignedIn: it belongs to another sign-in, or says that consent was refused.
        BadInput: there is no code in it.
    """
    if not secrets.compare_digest(given.get("state", "").encode(), state.encode()):
        raise NotSignedIn(
            "the answer belongs to another sign-in (its state differs), so it was not used",
            code="wrong_state",
            hint="open the newest address, and paste where it ends",
        )
    if given.get("error"):
        raise NotSignedIn("the sign-in was refused in the browser", code="consent_denied", hint="start again: login")
    if not given.get("code"):
        raise BadInput("there is no code in it", hint="paste the code, or the whole address that the browser ended at")
    return given["code"]


def exchange(service: Service, environ: Mapping[str, str], client: Client, code: str, ask: Exchange) -> Grant:
    """Exchange a code for tokens.

    Raises:
        Fault: it is refused, or the identity server cannot be reached.
    """
    return _token(service, environ, {"grant_type": "authorization_code", "code": code, "client_secret": client.secret}, ask)


def refresh(service: Service, environ: Mapping[str, str], client_secret: str, refresh_token: str, ask: Exchange) -> Grant:
    """Get a new access token; the refresh token may stay the same.

    Raises:
        Fault: it is refused, or the identity server cannot be reached.
    """
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_secret": client_secret}
    return _token(service, environ, form, ask, refresh_token)


def register(service: Service, base: str, token: str, redirect: str, ask: Exchange) -> Client:
    """Register a client of the user's own with a credential that may.

    Raises:
        Fault: it is refused, or the service cannot be reached.
    """
    body = {"name": "heroku-skill on this machine", "redirect_uri": redirect}
    reply = call(service, f"{base}/oauth/clients", "POST", ask, token=token, body=body)
    if reply.status >= 300:
        raise refusal("the OAuth client was not registered", reply)
    facts = facts_of(reply)
    if not (text_of(facts, "id") and text_of(facts, "secret")):
        raise _odd()
    return Client(text_of(facts, "id"), text_of(facts, "secret"), redirect)


def _token(service: Service, environ: Mapping[str, str], form: Mapping[str, str], ask: Exchange, old: str = "") -> Grant:
    base = sign_in_base(service, environ, VARIABLE, HOST)
    reply = post_form(service, f"{base}/oauth/token", form, ask)
    if reply.status >= 300:
        raise refusal("the identity server gave no token", reply)
    return _grant(reply, old)


def _grant(reply: Reply, old: str) -> Grant:
    facts = facts_of(reply)
    token, lasts = text_of(facts, "access_token"), facts.get("expires_in")
    if not token:
        raise _odd()
    # counted from now by this machine's own clock, so a clock that is wrong does no harm
    expires = time.time() + lasts if isinstance(lasts, (int, float)) and not isinstance(lasts, bool) else None
    return Grant(token, text_of(facts, "refresh_token") or old, expires)


def _odd() -> Refused:
    return Refused("the identity server answered oddly: no token in its answer", code="odd_sign_in")
