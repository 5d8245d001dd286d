"""Signs a run: finds its credential, and renews it where the service refuses it."""

from collections.abc import Callable
from contextlib import suppress

from skill.connection import renew
from skill.connection.setting import Setting
from skill.faults import Fault
from skill.types import Credential, Exchange, Service


class Signer:
    """Gives the credential of a run, and the exchange that keeps it alive; `named` is the connection asked for."""

    def __init__(self, setting: Setting, exchange: Callable[[], Exchange], named: str | None) -> None:
        self._setting = setting
        self._exchange = exchange
        self._named = named
        self._service: Service | None = None
        self._renewing: renew.Renewing | None = None
        self._credential: Credential | None = None

    def credential(self, service: Service) -> Credential:
        """Find the credential of a service, once a run.

        Raises:
            BadInput: the named connection does not exist.
            NotSignedIn: there is none.
            TryLater: it must be renewed, and the identity server cannot be reached.
        """
        if self._credential is None or self._service != service:
            self._service, self._credential = service, self._setting.credential(service, self._named)
            if self._renewing is not None:
                self._renewing.sign_with(self._credential)
        return self._credential

    def exchange(self) -> Exchange:
        """Make the exchange that requests go through."""
        self._renewing = renew.Renewing(self._exchange(), self._renewed, _refused)
        self._renewing.sign_with(self._credential)
        return self._renewing

    def _renewed(self, credential: Credential) -> Credential | None:
        """Renew a refused credential; None where that is not possible, which the connection then remembers."""
        if self._service is None:
            return None
        try:
            if credential.renewable:
                self._credential = renew.renew(credential, self._service, self._setting.environ, self._setting.ask())
                return self._credential
            _refused(credential)
        except Fault:
            # the refusal itself is what the run reports
            return None
        return None


def _refused(credential: Credential) -> None:
    # what cannot be kept of it changes nothing in the refusal that the run reports
    with suppress(Fault):
        renew.mark_refused(credential)
