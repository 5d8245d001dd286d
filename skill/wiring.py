"""What a call is wired to: its actions, its connection, the network or the sandbox; each is made when it is first needed."""

import os
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from skill import places
from skill.again import SANDBOX, manner, run_command, where
from skill.catalog import Catalog, open_catalog
from skill.connection import base_of
from skill.faults import BadInput
from skill.types import Exchange, Json, Options, Service

if TYPE_CHECKING:
    from skill.connection.setting import Setting
    from skill.connection.signer import Signer
    from skill.run import Runner
    from skill.wire import Delivery


class Wiring:
    """The parts of one call, made from its options and put together."""

    def __init__(self, options: Options, note: Callable[[str], None], exchange: Callable[[], Exchange] | None = None) -> None:
        self.options = options
        self.note = note
        self.told: Callable[[int], None] = lambda _: None
        self._exchange = exchange
        self._said: set[str] = set()
        # every command that is suggested, and every result, says so too
        options.sandbox = self.sandbox
        self._token = ""
        if options.token_stdin:
            from skill.around import read_token

            # it is the first line of standard input, so it is read before any input that follows it
            self._token = read_token()

    @cached_property
    def catalog(self) -> Catalog:
        """The actions of the package, of the user's configuration and of the folders named in the call."""
        named = [Path(part) for part in os.environ.get("SKILL_ACTIONS", "").split(os.pathsep) if part]
        own = places.config() / "actions"
        # the folder of the user's configuration may be there and hold nothing; one that is named may not
        mine = [own] if own.is_dir() and any(own.rglob("*.yaml")) else []
        catalog = open_catalog([*mine, *named, *self.options.actions])
        for problem in catalog.problems:
            self.note(f"warning: {problem.where}: {problem.what}")
        return catalog

    @property
    def sandbox(self) -> bool:
        """Whether the embedded stand-in answers instead of the network."""
        return self.options.sandbox or self.connection == SANDBOX

    @property
    def connection(self) -> str | None:
        """The connection that was named in the call, else in the environment where no token was given in hand."""
        given = self.options.connection
        return given if given or self.options.token_stdin else os.environ.get("SKILL_CONNECTION", "").strip() or None

    def service(self) -> Service | None:
        """Give the service of the connection that was named, None where none was.

        Raises:
            BadInput: there is no such connection.
        """
        name = self.connection
        if name is None or name == SANDBOX:
            return None
        if name in self.catalog.services:
            return self.catalog.services[name]
        from skill.connection.stored import service_of

        return service_of(name, self.catalog.services)

    @cached_property
    def _chosen(self) -> Service | None:
        # looked up once a call, since many actions may be opened in one
        return self.service()

    def sign_in(self, service: str | None, kind: str | None) -> None:
        """Find the credential that a service's requests will be signed with; for a stand-in, or where none is wanted, none.

        Raises:
            NotSignedIn: there is none.
        """
        named = self.catalog.services[service] if service else self._chosen or next(iter(self.catalog.services.values()))
        if not self.sandbox and (kind or named.sign_in) != "none":
            self._signer.credential(named)

    @cached_property
    def runner(self) -> "Runner":
        """Make what runs plans, with the network or the sandbox behind it."""
        from skill.run import Runner

        options = self.options
        return Runner(
            catalog=self.catalog,
            environ=os.environ,
            deliver=lambda: self.delivery,
            shell=self._look,
            sign=self._signer.credential,
            until=self._until(),
            tail=where(options),
            sandbox=self.sandbox,
            reveal=options.reveal,
            strict=options.strict,
            two_factor=options.two_factor,
            say=self._say,
            warn=self.once,
            told=self._tell,
        )

    @cached_property
    def delivery(self) -> "Delivery":
        """Make what sends: one pool of connections and one count of the calls that are left, for the whole call."""
        from skill.wire import Delivery

        return Delivery(self._signer.exchange(), self._say)

    @cached_property
    def _signer(self) -> "Signer":
        from skill.connection.signer import Signer

        return Signer(self.setting, self.exchange, self.connection)

    def _until(self) -> float:
        return time.monotonic() + self.options.timeout_s

    def once(self, words: str) -> None:
        """Say something beside the result, once a call."""
        if words not in self._said:
            self._said.add(words)
            self.note(words)

    def _tell(self, count: int) -> None:
        # whoever listens may come after the runner was made
        self.told(count)

    def _say(self, words: str) -> None:
        if self.options.verbose:
            from skill.shape import mask_text

            self.note(mask_text(words))

    def command(self, key: str, given: Mapping[str, Json]) -> str:
        """Write the command of this call for an action, without the program's name, quoted for a shell."""
        return self._look(key, given) + manner(self.options)

    def _look(self, key: str, given: Mapping[str, Json]) -> str:
        return run_command(self.catalog.action(key), given, self.options)

    def base(self, service: Service) -> str:
        """Give the origin that a service's requests go to.

        Raises:
            BadInput: the user's environment names another host than the service's own.
        """
        try:
            return service.base if self.sandbox else base_of(service, os.environ)
        except ValueError:
            raise BadInput(
                f"the variable that moves {service.title} elsewhere holds no address",
                code="host_not_allowed",
                hint="unset it, or set a host of the service, or http://localhost:PORT",
            ) from None

    @cached_property
    def setting(self) -> "Setting":
        """What a sign-in needs: the services, the network, and where connections are kept."""
        from skill.around import setting_of

        return setting_of(self.catalog, self.options.program, self._token, self.exchange, self.note)

    def exchange(self) -> Exchange:
        """Make what stands where the socket is: the network, or the sandbox."""
        from skill.around import network

        return (self._exchange or (self._stand_in if self.sandbox else network))()

    def _stand_in(self) -> Exchange:
        from skill.sandbox import Sandbox

        exchange: Exchange = Sandbox(self.catalog, places.state() / "sandbox.json")
        return exchange
