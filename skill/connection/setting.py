"""What stands around a sign-in: the services, the environment, the network, and where connections are kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from skill.connection import oauth, renew
from skill.connection.find import find
from skill.connection.hosts import base_of
from skill.connection.store import Book, Entry, Store
from skill.types import Credential, Exchange, Service


class Listener(Protocol):
    """Where a browser of this machine brings the answer of a sign-in."""

    def wait(self, state: str, until: float) -> Mapping[str, str] | None:
        """Wait for the answer that carries `state`, until a moment of the monotonic clock."""

    def close(self) -> None:
        """Stop listening."""


@dataclass(slots=True)
class Setting:
    """What a sign-in needs; nothing of it is opened before it is needed.

    `ask` makes the exchange, whose failures are faults; `listen` opens a port and path of this machine (OSError: taken).
    `indexed` tells whether a service can be searched, `build` makes it so. `token` is what was given on standard input.
    """

    services: Mapping[str, Service]
    environ: Mapping[str, str]
    ask: Callable[[], Exchange]
    listen: Callable[[int, str], Listener]
    indexed: Callable[[Service], bool] = lambda _: True
    build: Callable[[Service], None] = lambda _: None
    program: str = "skill"
    token: str = field(default="", repr=False)
    store: Store = field(default_factory=Store)

    def base(self, service: Service) -> str:
        """Give the origin of a service.

        Raises:
            BadInput: a variable moves it where the credential must not go.
        """
        return base_of(service, self.environ)

    def credential(self, service: Service, named: str | None = None) -> Credential:
        """Find a credential that is still good.

        Raises:
            BadInput: the named connection does not exist.
            NotSignedIn: there is none.
            TryLater: it must be renewed, and the identity server cannot be reached.
        """
        found = find(service, self.environ, named, self.token)
        return renew.fresh(found, service, self.environ, self.ask)

    def client(self, service: Service, book: Book) -> oauth.Client | None:
        """Give the user's own OAuth client: the environment's, else the kept one.

        Raises:
            BadInput: the environment names half of one.
            NotSignedIn: its secret cannot be had.
        """
        if service.name != "heroku":
            return None
        kept = book.clients.get(service.name)
        named = oauth.client_of(self.environ)
        if named is not None or kept is None:
            return named
        return oauth.Client(kept.authorization, self.store.secrets(kept)["client_secret"], kept.name)

    def entry(self, name: str) -> Entry | None:
        """Find a kept connection."""
        return self.store.read().named(name)
