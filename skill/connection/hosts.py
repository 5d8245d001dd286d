"""Which hosts a service's credential may go to. Bound here in code, so that no file of actions can widen it."""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from skill.faults import BadInput
from skill.types import Service

LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


class Bound(NamedTuple):
    """The domains, with all below them, that belong to a service, and the variable that moves its API elsewhere."""

    domains: tuple[str, ...]
    variable: str


BOUND = {"heroku": Bound(("heroku.com", "herokai.com", "herokuspace.com", "herokudev.com"), "HEROKU_HOST")}


def base_of(service: Service, environ: Mapping[str, str]) -> str:
    """Give the origin to send a service's requests to, following its own convention for another host.

    Raises:
        BadInput: the variable names a host that the service's credential must not go to.
    """
    bound = BOUND.get(service.name)
    given = environ.get(bound.variable, "").strip() if bound else ""
    if bound is None or not given:
        return service.base
    base = given.rstrip("/") if given.startswith(("http://", "https://")) else f"https://api.{given}"
    if not _is_origin(base) or not may_sign(service, base):
        raise BadInput(
            f"{bound.variable}={given!r} is not a host of {service.title}",
            code="host_not_allowed",
            hint=f"unset {bound.variable}, or set a host under {', '.join(bound.domains)}, or http://localhost:PORT",
        )
    return base


def sign_in_base(service: Service, environ: Mapping[str, str], variable: str, default: str) -> str:
    """Give the origin of an identity server, which a variable may move within the service's own hosts and this machine.

    Raises:
        BadInput: the variable names another host.
    """
    base = environ.get(variable, "").strip().rstrip("/") or default
    if not _is_origin(base) or not may_sign(service, base):
        raise BadInput(
            f"{variable}={base!r} is not a host of {service.title}",
            code="host_not_allowed",
            hint=f"unset {variable}, or set https:// and a host of the service, or http://localhost:PORT",
        )
    return base


def may_sign(service: Service, url: str) -> bool:
    """Tell whether the credential of a service may be sent to an address."""
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return False
    bound = BOUND.get(service.name)
    own = (urlsplit(service.base).hostname or "").lower()
    if host in LOCAL:
        # a bound service is moved to this machine by its variable alone, never by a file of actions
        return host == own if bound is None else _below(own, bound.domains)
    if parts.scheme != "https":
        return False
    if bound is None:
        return host == own
    return _below(host, bound.domains)


def _is_origin(base: str) -> bool:
    """Tell whether an address is an origin alone: a path or a user in it would move the token or the request."""
    try:
        parts = urlsplit(base)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and not (parts.path or parts.query or parts.fragment or "@" in parts.netloc)


def _below(host: str, domains: tuple[str, ...]) -> bool:
    return any(host == domain or host.endswith("." + domain) for domain in domains)
