"""The credential in an environment variable: `HEROKU_API_KEY` for Heroku, `NAME_API_KEY` for a service NAME."""

from collections.abc import Mapping

from skill.connection.hosts import BOUND
from skill.types import Credential, Service


def variable(service: Service) -> str:
    """Name the environment variable that holds a service's credential."""
    return _variable(service.name)


def read(service: Service, environ: Mapping[str, str]) -> Credential | None:
    """Give the credential in the service's variable, None where it is unset or blank."""
    # a service named Heroku would have the variable of heroku, and take its token to a host of its own
    if any(name != service.name and _variable(name) == variable(service) for name in BOUND):
        return None
    token = environ.get(variable(service), "").strip()
    return Credential(service.name, variable(service), token, kind="environment") if token else None


def _variable(name: str) -> str:
    return name.upper().replace("-", "_") + "_API_KEY"
