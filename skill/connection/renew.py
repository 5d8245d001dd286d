"""Keep a credential alive: renew it before it expires and once when it is refused, one process at a time."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from threading import Lock

from skill.connection import oauth
from skill.connection.lock import locked
from skill.connection.store import Entry, Store
from skill.connection.stored import NEEDS_SIGN_IN, credential_of
from skill.faults import Fault
from skill.types import Credential, Exchange, Reply, Request, Service

# renewed this many seconds before it ends, so that no request meets the end on its way
EARLY_S = 120.0
REFUSED = "the service no longer accepts its credential"


def fresh(credential: Credential, service: Service, environ: Mapping[str, str], ask: Callable[[], Exchange]) -> Credential:
    """Renew a credential that ends soon.

    Raises:
        NotSignedIn: it can no longer be renewed.
        TryLater: it has ended, and the identity server cannot be reached.
    """
    if not credential.renewable or credential.expires_at is None or credential.expires_at - time.time() > EARLY_S:
        return credential
    try:
        return renew(credential, service, environ, ask())
    except Fault as fault:
        # what is still good is used while its renewal cannot be had
        if fault.code != NEEDS_SIGN_IN and credential.expires_at > time.time():
            return credential
        raise


def renew(credential: Credential, service: Service, environ: Mapping[str, str], ask: Exchange) -> Credential:
    """Renew a credential, unless another process has just done so.

    Raises:
        NotSignedIn: it can no longer be renewed; a person must sign in again.
        TryLater: the identity server cannot be reached.
    """
    store = Store()
    with locked(store.folder / f"{credential.connection}.lock"):
        entry = store.read().named(credential.connection)
        if entry is None:
            return credential
        kept = credential_of(entry, store)
        if kept.token != credential.token:
            return kept
        secrets = store.secrets(entry)
        try:
            grant = oauth.refresh(service, environ, secrets.get("client_secret", ""), secrets["refresh"], ask)
        except Fault as fault:
            # a wrong host, an odd answer or an outage says nothing of the token
            if fault.http_status is None or fault.retryable:
                raise
            _mark(store, credential.connection, "its refresh token is no longer accepted")
            return credential_of(_again(store, credential.connection, entry), store)
        with store.edit() as book:
            entry = book.named(credential.connection) or entry
            store.hide(entry, {**secrets, "token": grant.token, "refresh": grant.refresh})
            entry.expires_at = grant.expires_at
        return credential_of(entry, store)


def mark_refused(credential: Credential) -> None:
    """Keep that a connection's credential is no longer accepted, so that the next sign-in mends this connection."""
    store = Store()
    entry = store.read().named(credential.connection) if credential.connection else None
    # another process may have signed it in again meanwhile
    if entry is not None and entry.kind and not entry.problem and store.secrets(entry).get("token") == credential.token:
        _mark(store, credential.connection, REFUSED)


def _mark(store: Store, name: str, problem: str) -> None:
    with store.edit() as book:
        entry = book.named(name)
        if entry is not None:
            entry.problem = problem


def _again(store: Store, name: str, before: Entry) -> Entry:
    return store.read().named(name) or before


class Renewing:
    """An exchange that renews a refused credential once and sends the request again, which is safe: 401 means not done.

    `renewed` gives a new credential, None where there is none; `refused` is told of a new one that is refused as well.
    """

    def __init__(
        self, exchange: Exchange, renewed: Callable[[Credential], Credential | None], refused: Callable[[Credential], None]
    ) -> None:
        self._exchange = exchange
        self._renewed = renewed
        self._refused = refused
        # the threads of one call share the credential
        self._lock = Lock()
        self._credential: Credential | None = None
        self._stale: dict[str, str] = {}

    def sign_with(self, credential: Credential | None) -> None:
        """Say which credential the requests are signed with."""
        self._credential = credential

    def __call__(self, request: Request) -> Reply:
        """Exchange a request.

        Raises:
            ExchangeFailed: no reply came.
        """
        request = self._signed(request)
        reply = self._exchange(request)
        signature = request.headers.get("Authorization")
        if reply.status != 401 or signature is None:
            return reply
        with self._lock:
            # another thread may have renewed it while this request was on its way
            if signature not in self._stale and not self._renew():
                return reply
        reply = self._exchange(self._signed(request))
        if reply.status == 401 and self._credential is not None:
            self._refused(self._credential)
        return reply

    def _renew(self) -> bool:
        new = self._renewed(self._credential) if self._credential else None
        if self._credential is None or new is None or new.token == self._credential.token:
            return False
        for sign in (_bearer, _basic):
            self._stale[sign(self._credential.token)] = sign(new.token)
        self._credential = new
        return True

    def _signed(self, request: Request) -> Request:
        # later pages are asked for with the headers of the first one
        signature = request.headers.get("Authorization", "")
        while signature in self._stale:
            signature = self._stale[signature]
            request = replace(request, headers={**request.headers, "Authorization": signature})
        return request


def _bearer(token: str) -> str:
    return f"Bearer {token}"


def _basic(token: str) -> str:
    from base64 import b64encode

    return "Basic " + b64encode(f":{token}".encode()).decode()
