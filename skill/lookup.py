"""Names where the service wants ids: look them up as the service's own file says, or refuse with the candidates.

A service names its lookups; an input's schema says `x-lookup: NAME`. A lookup has `when`, the form of a value that is a
name, `strip`, a prefix to take off, and, where that is not all, `request` (with `query` or `body`; `{value}` and `{app}` are
filled in everywhere), `take`, the field that is wanted, and `show`, the fields that tell candidates apart.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from skill.faults import Problem, Refused, Step
from skill.paths import segment
from skill.types import Action, Json, Schema, Service


class Lookup(NamedTuple):
    """One value to look up: where in the input it stands, what it is, and the request that finds it."""

    path: tuple[str, ...]
    value: str
    rule: Mapping[str, Any]
    app: str | None

    @property
    def method(self) -> str:
        """The method of the request."""
        return str(self.rule["request"]).split(" ")[0]

    @property
    def names(self) -> dict[str, str | None]:
        """What is filled in: the bare name, and the app that it belongs to, which `app::NAME` names too."""
        head, mark, tail = self.value.rpartition("::")
        return {"value": (tail if mark else self.value).removeprefix(self.rule.get("strip", "")), "app": head or self.app}

    @property
    def target(self) -> str:
        """The path of the request."""
        path = str(self.rule["request"]).split(" ", 1)[1]
        for name, value in self.names.items():
            path = path.replace(f"{{{name}}}", segment(name, value)) if value else path
        return path

    def filled(self, part: str) -> dict[str, Json]:
        """Give the request's `query` or `body`."""
        names = self.names
        filled = {
            name: names[form[1:-1]] if form in ("{value}", "{app}") else form for name, form in self.rule.get(part, {}).items()
        }
        return {name: value for name, value in filled.items() if value is not None}


Ask = Callable[[Lookup], Json]


def wanted(action: Action, given: Mapping[str, Json], service: Service) -> list[Lookup]:
    """List what must be looked up before the input can be sent."""
    return [found for found in _walk(given, action.input, service, ()) if "request" in found.rule]


def stripped(action: Action, given: Mapping[str, Json], service: Service) -> dict[str, Json]:
    """Give the input with the prefixes taken off that a lookup names: that needs no request."""
    whole: Json = dict(given)
    for found in _walk(given, action.input, service, ()):
        if "request" not in found.rule:
            whole = _put(whole, found.path, found.names["value"])
    return dict(whole)


def resolved(
    action: Action, given: Mapping[str, Json], service: Service, ask: Ask, command: Callable[[dict[str, Json]], str]
) -> dict[str, Json]:
    """Give the input with every name replaced by its id.

    Args:
        ask: sends a lookup's request and gives the candidates.
        command: writes the command that would run with another input.

    Raises:
        Refused: nothing, or more than one thing, has that name.
    """
    whole: Json = dict(given)
    for found in wanted(action, given, service):
        candidates = ask(found)
        rows = candidates if isinstance(candidates, list) else [candidates]
        rows = [row for row in rows if isinstance(row, dict) and row.get(found.rule["take"])]
        if len(rows) != 1:
            raise _refused(found, rows, whole, command)
        whole = _put(whole, found.path, rows[0][found.rule["take"]])
    return dict(whole)


def _refused(found: Lookup, rows: list[dict[str, Json]], whole: Json, command: Callable[[dict[str, Json]], str]) -> Refused:
    where, take = "/" + "/".join(found.path), found.rule["take"]
    if not rows:
        return Refused(
            f"nothing is called {found.value!r}", code="not_found", problems=[Problem(where, "names nothing that there is")]
        )
    steps = []
    for row in rows[:10]:
        told = ", ".join(f"{name} {_of(row, name)}" for name in found.rule.get("show", ()) if _of(row, name))
        steps.append(Step(command(dict(_put(whole, found.path, row[take]))), told or "one of them"))
    message = f"{found.value!r} is the name of {len(rows)} things; say which by its id"
    return Refused(
        message,
        code="ambiguous",
        problems=[Problem(where, f"may be {', '.join(str(row[take]) for row in rows[:10])}")],
        next=steps,
    )


def _of(row: Json, path: str) -> Json:
    for part in path.split("."):
        row = row.get(part) if isinstance(row, dict) else None
    return row


def _walk(value: Json, node: Schema, service: Service, path: tuple[str, ...], app: str | None = None) -> Iterator[Lookup]:
    app = app or (value.get("app") if isinstance(value, dict) and isinstance(value.get("app"), str) else None)
    for name, inner in node.get("properties", {}).items():
        part = value.get(name) if isinstance(value, dict) else None
        rule = service.lookups.get(inner.get("x-lookup", ""))
        if isinstance(part, str) and rule and re.search(rule["when"], part):
            yield Lookup((*path, name), part, rule, app)
        elif isinstance(part, dict):
            yield from _walk(part, inner, service, (*path, name), app)


def _put(whole: Json, path: tuple[str, ...], value: Json) -> Json:
    return {**whole, path[0]: value if len(path) == 1 else _put(whole[path[0]], path[1:], value)}
