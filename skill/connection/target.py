"""Which service a person means: by an address, a domain or a name."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from skill.faults import BadInput
from skill.types import Service

_NAME = re.compile(r"[^\W_](?:[\w .-]{0,250}[\w])?")


def domain_of(target: str) -> str:
    """Bring an address, a domain or a name into its one form: lower case, without scheme, user, port, path and `www`.

    Raises:
        BadInput: it is none of them.
    """
    text = target.strip()
    try:
        host = urlsplit(text if "://" in text else f"//{text}").hostname or ""
        host = host.rstrip(".").removeprefix("www.")
        if not host.isascii():
            host = host.encode("idna").decode()
    except (ValueError, UnicodeError):
        host = ""
    if not _NAME.fullmatch(host):
        raise BadInput(
            f"{target[:80]!r} is no address, domain or name of a service", hint="for example https://www.heroku.com/ or heroku"
        )
    return host


def service_of(domain: str, services: Mapping[str, Service]) -> Service | None:
    """Find the service that a domain or a name belongs to."""
    for service in services.values():
        own = service.domain.lower()
        if domain in {service.name.lower(), service.title.lower(), own} or (own and domain.endswith("." + own)):
            return service
    return None
