"""Find the actions that a request may be, by host, method and path, without opening any."""

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from skill.catalog import Catalog


class Match(NamedTuple):
    """An action that fits a request, and the decoded values of its path parameters."""

    key: str
    values: dict[str, str]


class Matcher:
    """The paths of a catalog, sorted so that one request is compared with few of them."""

    def __init__(self, catalog: Catalog) -> None:
        hosts = {name: urlsplit(service.base).netloc for name, service in catalog.services.items()}
        self._paths: dict[tuple[str, str, int], list[tuple[str, tuple[str, ...]]]] = {}
        for one in catalog.summaries():
            parts = _parts(one.path)
            place = (one.method, one.host or hosts[one.service], len(parts))
            self._paths.setdefault(place, []).append((one.key, parts))

    def matches(self, method: str, host: str, path: str) -> list[Match]:
        """List what fits best; a literal segment beats a parameter, and only one request's two names leave more than one."""
        parts = _parts(path)
        found = list(self._fitting(method, host, parts))
        # compared segment by segment from the left, literals first
        best = min((form for form, _ in found), default=())
        return [match for form, match in found if form == best]

    def _fitting(self, method: str, host: str, parts: tuple[str, ...]) -> Iterator[tuple[tuple[bool, ...], Match]]:
        for key, template in self._paths.get((method, host, len(parts)), ()):
            pairs = list(zip(template, parts, strict=True))
            if all(_is_parameter(name) or name == part for name, part in pairs):
                values = {name[1:-1]: unquote(part) for name, part in pairs if _is_parameter(name)}
                yield tuple(_is_parameter(name) for name in template), Match(key, values)


def _parts(path: str) -> tuple[str, ...]:
    return tuple(path.strip("/").split("/"))


def _is_parameter(part: str) -> bool:
    return part.startswith("{")
