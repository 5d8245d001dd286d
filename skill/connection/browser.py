"""The browser sign-in of Heroku's own command line. Unofficial: Heroku documents it for nobody else."""

import platform
import time
from collections.abc import Mapping
from typing import Any

from skill.connection.calls import call, facts_of, refusal, text_of, words_of
from skill.connection.grant import Grant
from skill.connection.hosts import sign_in_base
from skill.faults import NotSignedIn, Refused, TryLater
from skill.types import Exchange, Service

HOST, VARIABLE = "https://cli-auth.heroku.com", "HEROKU_LOGIN_HOST"
# as long as Heroku's own command line waits, in seconds
LIFETIME_S = 600.0
PAUSE_S = 1.0


def start(service: Service, environ: Mapping[str, str], ask: Exchange) -> tuple[dict[str, Any], str]:
    """Begin a sign-in.

    Returns:
        What is kept of it, with the address that a person opens, and the secret that fetches its outcome.

    Raises:
        Fault: the identity server cannot be reached, or answers oddly.
    """
    base = sign_in_base(service, environ, VARIABLE, HOST)
    body = {"description": f"heroku-skill login from {platform.node() or 'a machine'}"}
    reply = call(service, f"{base}/auth", "POST", ask, body=body)
    if reply.status >= 300:
        raise refusal("the browser sign-in did not begin", reply)
    facts = facts_of(reply)
    page, outcome, token = (text_of(facts, name) for name in ("browser_url", "cli_url", "token"))
    # both are paths of that host; an address of another one would lead the person, or the token, away
    if not (_is_path(page) and _is_path(outcome) and token):
        raise Refused("the browser sign-in did not begin: the identity server answered oddly", code="odd_sign_in")
    return {"way": "browser", "url": base + page, "outcome": base + outcome, "began_at": time.time()}, token


def poll(service: Service, pending: Mapping[str, Any], secret: str, ask: Exchange, until: float) -> Grant | None:
    """Wait for a person to finish in the browser.

    Args:
        until: the moment to stop waiting, of the monotonic clock.

    Returns:
        What was granted, None where nothing has happened yet.

    Raises:
        NotSignedIn: it was refused, or has expired.
    """
    while (left := until - time.monotonic()) > 0:
        try:
            reply = call(service, str(pending["outcome"]), "GET", ask, token=secret, timeout_s=left)
        except TryLater:
            # the long poll was cut, by time or by a proxy; what it waits for may still come
            time.sleep(max(0.0, min(PAUSE_S, until - time.monotonic())))
            continue
        facts = facts_of(reply)
        if reply.status < 300 and text_of(facts, "access_token"):
            return Grant(text_of(facts, "access_token"), scope=("global",))
        if text_of(facts, "error") and reply.status < 500:
            raise NotSignedIn(f"the sign-in was refused: {words_of(reply)}", code="consent_denied")
        if reply.status in {401, 403, 404, 410}:
            raise NotSignedIn("the sign-in has expired", code="sign_in_expired", hint="start again: login")
        time.sleep(max(0.0, min(PAUSE_S, until - time.monotonic())))
    return None


def _is_path(text: str) -> bool:
    return text.startswith("/") and not text.startswith("//") and text.isprintable() and " " not in text and "\\" not in text
