"""The credential of a connection that the user made with `login`."""

import time
from collections.abc import Mapping

from skill.connection.store import Entry, Store, no_such
from skill.faults import BadInput, NotSignedIn, Step
from skill.types import Credential, Service

NEEDS_SIGN_IN = "connection_needs_sign_in"


def read(service: Service, environ: Mapping[str, str]) -> Credential | None:
    """Give the credential of a service's default connection, None where it has none.

    Raises:
        NotSignedIn: there is one, and it cannot be used.
    """
    del environ
    store = Store()
    entry = store.read().chosen(service.name)
    return credential_of(entry, store) if entry else None


def named(service: Service, name: str) -> Credential:
    """Give the credential of a connection.

    Raises:
        BadInput: there is none of that name, or it is of another service.
        NotSignedIn: it cannot be used.
    """
    store = Store()
    entry = store.read().named(name)
    if entry is None:
        raise no_such(name)
    if entry.service != service.name:
        other = entry.service or entry.wanted
        raise BadInput(f"the connection {entry.key} is one of {other}, not of {service.title}", code="wrong_service")
    return credential_of(entry, store)


def service_of(name: str, services: Mapping[str, Service]) -> Service:
    """Give the service of a connection.

    Raises:
        BadInput: there is none of that name, or its service is not known.
    """
    entry = Store().read().named(name)
    if entry is None or entry.service not in services:
        raise no_such(name)
    return services[entry.service]


def credential_of(entry: Entry, store: Store) -> Credential:
    """Give the credential of a connection as it was kept.

    Raises:
        NotSignedIn: it is not signed in, or no longer.
    """
    secrets = store.secrets(entry) if entry.kind and not entry.problem else {}
    renewable = "refresh" in secrets
    late = entry.expires_at is not None and entry.expires_at <= time.time() and not renewable
    if "token" not in secrets or late:
        why = entry.problem or (f"its credential expired{_ago(entry)}" if late else "it is not signed in yet")
        raise NotSignedIn(
            f"the connection {entry.key} needs a sign-in: {why}",
            code=NEEDS_SIGN_IN,
            next=[Step(f"login --connectionId {entry.key}", "sign this connection in")],
        )
    return Credential(
        entry.service,
        f"connection {entry.key}",
        secrets["token"],
        kind=entry.kind,
        account=entry.account,
        scope=tuple(entry.scope),
        expires_at=entry.expires_at,
        renewable=renewable,
        connection=entry.id,
    )


def _ago(entry: Entry) -> str:
    return time.strftime(" at %Y-%m-%d %H:%M:%S UTC", time.gmtime(entry.expires_at or 0))
