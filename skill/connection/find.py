"""Find the credential of a service: the first source that has one, in the order of the table."""

from collections.abc import Callable, Mapping

from skill.connection import environment, netrc
from skill.faults import NotSignedIn, Step
from skill.types import Credential, Service

SOURCES: tuple[Callable[[Service, Mapping[str, str]], Credential | None], ...] = (environment.read, netrc.read)


def find(service: Service, environ: Mapping[str, str]) -> Credential:
    """Find the credential of a service.

    Raises:
        NotSignedIn: no source has one, or one that cannot be used.
    """
    for source in SOURCES:
        credential = source(service, environ)
        if credential is not None:
            return _usable(credential)
    variable = environment.variable(service)
    raise NotSignedIn(
        f"no credential for {service.title} was found",
        hint=f"a person sets {variable}, or signs in with the service's own command line; --sandbox needs none",
        next=[Step("action list --sandbox", "try everything without an account")],
    )


def _usable(credential: Credential) -> Credential:
    token = credential.token
    # a list of tokens shows them shortened with ten asterisks; such a one opens nothing
    if "**********" in token or not token.isascii() or not token.isprintable() or " " in token:
        raise NotSignedIn(
            f"the credential from {credential.source} is not a usable token",
            code="bad_credential",
            hint="it holds a space, a line break, asterisks or characters outside ASCII: set it again",
        )
    return credential
