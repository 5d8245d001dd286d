"""The credential in an environment variable: `HEROKU_API_KEY` for Heroku, `NAME_API_KEY` for a service NAME."""

from collections.abc import Mapping

from skill.types import Credential, Service


def variable(service: Service) -> str:
    """Name the environment variable that holds a service's credential."""
    return service.name.upper().replace("-", "_") + "_API_KEY"


def read(service: Service, environ: Mapping[str, str]) -> Credential | None:
    """Give the credential in the service's variable, None where it is unset or blank."""
    token = environ.get(variable(service), "").strip()
    return Credential(service.name, variable(service), token, kind="environment") if token else None
