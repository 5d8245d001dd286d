"""Sign out: revoke what may revoke itself, forget it, and say where to revoke the rest."""

from contextlib import suppress
from typing import Any

from skill.connection import desk, keychain, oauth, proof, scoped
from skill.connection.setting import Setting
from skill.connection.store import Entry
from skill.faults import Fault
from skill.types import Credential, Service

DASHBOARD = "https://dashboard.heroku.com/account/applications"


def leave(setting: Setting, entry: Entry) -> dict[str, Any]:
    """Sign a connection out and forget it.

    Returns:
        Which one it was, whether its credential is revoked, where to revoke it if not, and what a locked keychain still holds.
    """
    service = setting.services.get(entry.service)
    revoked = False
    if service is not None and entry.kind:
        with suppress(Fault):
            # a token at its end is refused, which would look as if what renews it were revoked too
            _, credential = proof.proven(setting, service, setting.credential(service, entry.id))
            revoked = _revoked(setting, service, credential, entry.authorization)
    gone = desk.delete(setting, entry.id)
    facts = {"id": entry.id, "key": entry.key, "name": entry.name, "service": entry.service, "revoked": revoked}
    facts |= left_behind(gone)
    return facts if revoked or not entry.kind else {**facts, "where": _where(entry)}


def left_behind(gone: Entry) -> dict[str, Any]:
    """Say which entry a locked keychain still holds of a connection that was forgotten; empty where it holds none."""
    if not gone.keychain:
        return {}
    name = f"{keychain.SERVICE} {gone.id}"
    return {"left": f"the keychain is locked and still holds its secret: unlock it and remove the entry {name} there"}


def elsewhere(credential: Credential) -> str:
    """Say how to get rid of a credential that is not kept here."""
    if credential.kind == "environment":
        return f"unset {credential.source}; revoke the token itself at {DASHBOARD}"
    return "it is the Heroku CLI's own session: heroku logout ends it"


def give_up(setting: Setting, service: Service, entry: Entry, full: Credential, *, forget: bool) -> bool:
    """Revoke the full credential that a narrower one was made with, and forget its connection where that is another.

    Returns:
        Whether it is revoked.
    """
    # `entry` is as it was before: the narrower one may stand in its place by now
    revoked = False
    with suppress(Fault):
        revoked = _revoked(setting, service, full, entry.authorization)
    if forget:
        desk.delete(setting, entry.id)
    return revoked


def _revoked(setting: Setting, service: Service, credential: Credential, authorization: str) -> bool:
    if service.name != "heroku" or credential.kind not in {"browser", "oauth", "scoped"}:
        return False
    base, ask = setting.base(service), setting.ask()
    if authorization:
        return scoped.revoke(service, base, credential, authorization, ask)
    return scoped.end_session(service, base, credential.token, ask)


def _where(entry: Entry) -> str:
    if entry.kind == "scoped":
        return f"{DASHBOARD} (authorization {entry.authorization})"
    return f"the service's own page of tokens, for Heroku {DASHBOARD}"


def forget_clients(setting: Setting) -> list[dict[str, Any]]:
    """Forget the user's own OAuth clients that are kept; at their service they stay registered.

    Returns:
        Which ones they were.
    """
    if not setting.store.read().clients:
        return []
    with setting.store.edit() as book:
        gone = list(book.clients.values())
        book.clients.clear()
        for kept in gone:
            setting.store.drop(kept)
    return [{"service": one.service, "clientId": one.authorization, **left_behind(one)} for one in gone]


def keep_client(setting: Setting, service: Service, client: oauth.Client) -> None:
    """Keep the user's own OAuth client, its secret where secrets are kept."""
    with setting.store.edit() as book:
        kept = Entry(
            f"oauth-client-{service.name}", "oauth-client", client.redirect, service.name, "client", authorization=client.id
        )
        setting.store.hide(kept, {"client_secret": client.secret})
        book.clients[service.name] = kept
