"""Whether a service accepts a credential, and whose it is."""

from typing import Any

from skill.connection.calls import call, facts_of, text_of
from skill.types import Credential, Exchange, Reply, Service


def probe(service: Service, base: str, credential: Credential, ask: Exchange) -> Reply | None:
    """Make the harmless call that proves a credential.

    Returns:
        Its reply, None where the service names no such call.

    Raises:
        TryLater: no reply came.
    """
    if not service.probe:
        return None
    method, _, path = service.probe.partition(" ")
    return call(service, base + path, method, ask, token=credential.token)


def accepted(reply: Reply) -> bool:
    """Tell whether a reply shows that the credential is known; a narrow one may be, and still not be allowed to ask this."""
    return reply.status < 300 or reply.status in {403, 429}


def account(service: Service, base: str, credential: Credential, ask: Exchange) -> dict[str, Any]:
    """Ask whose credential it is; empty where the service does not say.

    Raises:
        TryLater: no reply came.
    """
    if service.name != "heroku":
        return {}
    reply = call(service, f"{base}/account", "GET", ask, token=credential.token)
    facts = facts_of(reply) if reply.status < 300 else {}
    return {name: text_of(facts, name) for name in ("email", "id") if text_of(facts, name)}
