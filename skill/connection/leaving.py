"""Sign out: revoke what may revoke itself, forget it, and say where to revoke the rest."""

from typing import Any

from skill.connection import desk, oauth, scoped
from skill.connection.setting import Setting
from skill.connection.store import Entry
from skill.connection.stored import credential_of
from skill.faults import Fault
from skill.types import Credential, Service

DASHBOARD = "https://dashboard.heroku.com/account/applications"


def leave(setting: Setting, entry: Entry) -> dict[str, Any]:
    """Sign a connection out and forget it.

    Returns:
        Which one it was, whether its credential is revoked, and where to revoke it if not.
    """
    service = setting.services.get(entry.service)
    revoked = _revoked(setting, service, entry) if service is not None else False
    desk.delete(setting, entry.id)
    facts = {"id": entry.id, "key": entry.key, "name": entry.name, "service": entry.service, "revoked": revoked}
    return facts if revoked or not entry.kind else {**facts, "where": _where(entry)}


def elsewhere(credential: Credential) -> str:
    """Say how to get rid of a credential that is not kept here."""
    if credential.kind == "environment":
        return f"unset {credential.source}; revoke the token itself at {DASHBOARD}"
    return "it is the Heroku CLI's own session: heroku logout ends it"


def _revoked(setting: Setting, service: Service, entry: Entry) -> bool:
    if service.name != "heroku" or entry.kind not in {"browser", "oauth", "scoped"}:
        return False
    try:
        credential = credential_of(entry, setting.store)
        base, ask = setting.base(service), setting.ask()
        if entry.authorization:
            return scoped.revoke(service, base, credential, entry.authorization, ask)
        return scoped.end_session(service, base, credential.token, ask)
    except Fault:
        return False


def _where(entry: Entry) -> str:
    if entry.kind == "scoped":
        return f"{DASHBOARD} (authorization {entry.authorization})"
    return f"the service's own page of tokens, for Heroku {DASHBOARD}"


def keep_client(setting: Setting, service: Service, client: oauth.Client) -> None:
    """Keep the user's own OAuth client, its secret where secrets are kept."""
    with setting.store.edit() as book:
        kept = Entry(
            f"oauth-client-{service.name}", "oauth-client", client.redirect, service.name, "client", authorization=client.id
        )
        setting.store.hide(kept, {"client_secret": client.secret})
        book.clients[service.name] = kept
