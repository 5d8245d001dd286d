"""In which state a connection is, and what somebody has to do about it."""

import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from skill.connection.store import Entry
from skill.faults import Fault
from skill.types import Service

READY, BUILDING, ACTION = "READY", "BUILDING", "CLIENT_ACTION_REQUIRED"
CONFIGURATION_ERROR, SETUP_FAILED = "CONFIGURATION_ERROR", "SETUP_FAILED"
UNOFFICIAL = "This is the browser sign-in of Heroku's own command line, which Heroku supports for nothing else (unofficial)."
FAILED = frozenset({CONFIGURATION_ERROR, SETUP_FAILED})


class Standing(NamedTuple):
    """A state, the error that put it there, and why a person is needed."""

    state: str
    error: Fault | Mapping[str, Any] | None = None
    why: str = ""


def standing(entry: Entry, services: Mapping[str, Service]) -> Standing:
    """Tell how a connection stands by what is kept of it alone, without asking the service."""
    if entry.wanted and not entry.service:
        return Standing(ACTION, why=f"no service is known that {entry.wanted} belongs to")
    if entry.service not in services:
        gone = {
            "code": "no_such_service",
            "message": f"the service {entry.service!r} is no longer among the actions",
            "hint": "name its folder of actions again (--actions DIR), or delete the connection",
        }
        return Standing(CONFIGURATION_ERROR, gone)
    if entry.error:
        return Standing(SETUP_FAILED, entry.error)
    if not entry.kind or entry.problem:
        return Standing(ACTION, why=entry.problem or "nobody has signed in yet")
    if entry.expires_at is not None and entry.expires_at <= time.time() and entry.kind != "oauth":
        return Standing(ACTION, why="its credential has expired")
    return Standing(READY)


def view(facts: Mapping[str, Any], standing: Standing, action: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Give a connection as it is printed."""
    whole = {**facts, "state": standing.state}
    if action:
        whole["clientAction"] = dict(action)
    if standing.error is not None:
        whole["error"] = standing.error.as_json() if isinstance(standing.error, Fault) else dict(standing.error)
    return whole


def facts_of(entry: Entry, *, default: bool) -> dict[str, Any]:
    """Give what is kept of a connection and no secret: empty parts left out."""
    facts: dict[str, Any] = {"id": entry.id, "key": entry.key, "name": entry.name, "service": entry.service}
    more = {
        "account": entry.account,
        "kind": entry.kind,
        "scope": entry.scope,
        "expiresAt": moment(entry.expires_at),
        "wanted": "" if entry.service else entry.wanted,
        "default": default,
    }
    return {**facts, **{name: value for name, value in more.items() if value}}


def moment(seconds: float | None) -> str | None:
    """Write a moment, given in seconds since 1970, as ISO 8601 in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds)) if seconds is not None else None


def connect(service: Service, entry: Entry, why: str, program: str) -> dict[str, Any]:
    """Say what a person does to sign in, and what the agent does meanwhile."""
    begun = entry.pending or {}
    url, by_code = begun.get("url"), begun.get("way") == "client"
    unofficial = "" if by_code or not url else f" {UNOFFICIAL}"
    if url:
        person = f"give the person this address and ask them to sign in to {service.title} there"
        then = f"{program} connection get {entry.id} --wait --timeout 60"
        last = f"; if the browser ends on a page that cannot be shown, ask for its address: `{program} login complete ADDRESS`"
        steps = f"Open uiUrl in a browser: {person}. Then run `{then}` until the state is READY{last if by_code else ''}."
    elif service.name == "heroku":
        steps = (
            f"Run `{program} connection ensure {service.domain}` for an address that a person opens, "
            f"or ask the person to run `{program} login` in a terminal."
        )
    else:
        variable = service.name.upper().replace("-", "_") + "_API_KEY"
        command = f"{program} login --connectionId {entry.key} --token-stdin"
        steps = f"Ask the person to set {variable}, or to run `{command}` in a terminal."
    action = {
        "type": "connect",
        "description": f"Sign in to {service.title}: {why}.{unofficial}",
        "agentInstructions": f"{steps} Never ask for a password or a token in the conversation.",
    }
    finish = f"{program} login complete{' CODE-OR-ADDRESS' if by_code else ''}"
    return {**action, "uiUrl": url, "finish": finish} if url else action


def provide_input(entry: Entry, services: Iterable[Service], program: str) -> dict[str, Any]:
    """Say that it is not known which service is meant, and what there is."""
    known = ", ".join(f"{one.title} ({one.domain})" for one in services)
    return {
        "type": "provide-input",
        "description": f"Which service is meant by {entry.wanted}? Known: {known}; and `sandbox`, the embedded stand-in.",
        "agentInstructions": (
            f"Ask which of the known services is meant and run `{program} connection ensure DOMAIN` with it. "
            "For another service, write its actions: a folder with SERVICE/service.yaml (name, title, about, domain, base) "
            f"and one YAML file a resource, check it with `{program} action lint DIR`, "
            f"then run `{program} connection ensure {entry.wanted} --actions DIR`."
        ),
    }
