"""Find the credential of a service: the first source that has one, in the order of the table."""

from collections.abc import Callable, Mapping

from skill.connection import environment
from skill.faults import NotSignedIn, Step
from skill.types import Credential, Service

VARIABLE = "SKILL_CONNECTION"
IN_HAND = "--token-stdin"


def _stored(service: Service, environ: Mapping[str, str]) -> Credential | None:
    from skill.connection import stored

    return stored.read(service, environ)


def _heroku_cli(service: Service, environ: Mapping[str, str]) -> Credential | None:
    from skill.connection import heroku_cli

    return heroku_cli.read(service, environ)


SOURCES: tuple[Callable[[Service, Mapping[str, str]], Credential | None], ...] = (environment.read, _stored, _heroku_cli)


def find(service: Service, environ: Mapping[str, str], named: str | None = None, token: str | None = None) -> Credential:
    """Find the credential of a service: the named connection, the token in hand, SKILL_CONNECTION, then the table's sources.

    Args:
        named: a connection; the service's own name stands for none in particular.
        token: what was given on standard input.

    Raises:
        BadInput: the named connection does not exist.
        NotSignedIn: no source has one, or one that cannot be used.
    """
    if token and (named is None or named == service.name):
        return _usable(Credential(service.name, IN_HAND, token, kind="token"))
    chosen = named or environ.get(VARIABLE, "").strip()
    if chosen and chosen != service.name:
        from skill.connection import stored

        return _usable(stored.named(service, chosen))
    for source in SOURCES:
        credential = source(service, environ)
        if credential is not None:
            return _usable(credential)
    raise _nothing(service)


def _nothing(service: Service) -> NotSignedIn:
    return NotSignedIn(
        f"no credential for {service.title} was found",
        hint=f"sign in with `login`, or a person sets {environment.variable(service)}; --sandbox needs none",
        next=[Step("login", "sign in"), Step("action list --sandbox", "try everything without an account")],
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
