"""The few calls that a sign-in makes, and how their answers are read. The token goes only to bound hosts."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from skill.connection.hosts import may_sign
from skill.faults import BadInput, Fault, NotSignedIn, Refused, TryLater
from skill.shape import mask_text, plain
from skill.types import Exchange, Json, Reply, Request, Service

CALL_S = 30.0
MOST_WORDS = 300


def call(
    service: Service, url: str, method: str, ask: Exchange, *, token: str = "", body: Json = None, timeout_s: float = CALL_S
) -> Reply:
    """Make one call, signed where a token is given.

    Raises:
        BadInput: the address is none of the service's hosts.
        TryLater: no reply came.
    """
    if not may_sign(service, url):
        raise BadInput(f"{urlsplit(url).netloc} is not a host of {service.title}", code="host_not_allowed")
    headers = {"Accept": service.accept}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if body is not None:
        headers["Content-Type"] = "application/json"
    content = None if body is None else json.dumps(body).encode()
    return ask(Request(method, url, headers, content, timeout_s))


def post_form(service: Service, url: str, form: Mapping[str, str], ask: Exchange) -> Reply:
    """Post a form, as an identity server wants it.

    Raises:
        BadInput: the address is none of the service's hosts.
        TryLater: no reply came.
    """
    if not may_sign(service, url):
        raise BadInput(f"{urlsplit(url).netloc} is not a host of {service.title}", code="host_not_allowed")
    headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
    return ask(Request("POST", url, headers, urlencode(form).encode(), CALL_S))


def facts_of(reply: Reply) -> dict[str, Any]:
    """Read a reply's body as an object, an empty one where it is none."""
    try:
        value = json.loads(reply.body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def text_of(facts: Mapping[str, Any], name: str) -> str:
    """Give a text among the facts, empty where it is missing or no text."""
    value = facts.get(name)
    return value if isinstance(value, str) else ""


def words_of(reply: Reply) -> str:
    """Say what a refusal says, safe to be shown."""
    facts = facts_of(reply)
    said = next((text for name in ("message", "error_description", "error", "id") if (text := text_of(facts, name))), "")
    return mask_text(plain(said))[:MOST_WORDS] or f"the service answered {reply.status}"


def refusal(what: str, reply: Reply) -> Fault:
    """Say that a call of a sign-in was refused: for good, for this credential, or for now."""
    if reply.status == 429 or reply.status >= 500:
        return TryLater(f"{what}: {words_of(reply)}", http_status=reply.status)
    said = f"{what}: {words_of(reply)}"
    if reply.status in {401, 403}:
        return NotSignedIn(said, code=text_of(facts_of(reply), "id") or "unauthorized", http_status=reply.status)
    return Refused(said, http_status=reply.status)
