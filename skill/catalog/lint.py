"""Check a folder of actions for what a reader would stumble over; every problem with its file, line and mend."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from skill.catalog.source import SERVICE_FILE, read_folder, service_folders
from skill.catalog.yaml_file import Marked, read_yaml
from skill.faults import Problem
from skill.schema import check, closest
from skill.types import Action, Schema

FEWEST_ASKS = 8


def lint(folder: Path, known: Any = None) -> list[Problem]:
    """Check every action file of a folder.

    Args:
        folder: a folder of service folders, or one service folder.
        known: services that a folder without a `service.yaml` may add to.

    Returns:
        Problems, located `file:line:column`; empty when all is well.
    """
    source = read_folder(folder, known)
    problems = list(source.problems)
    files = {
        (service.name, path.stem): read_yaml(path, [])
        for service in service_folders(folder)
        for path in sorted(service.glob("*.yaml"))
        if path.name != SERVICE_FILE
    }
    by_stem = {stem: file for (_, stem), file in files.items()}
    asked: dict[str, str] = {}
    for action in source.actions:
        file = by_stem[action.resource]
        problems += [Problem(file.at(where), what) for where, what in _action(action, asked, file)]
    problems += _languages(folder, {action.key for action in source.actions})
    return problems


def _action(action: Action, asked: dict[str, str], file: Marked) -> Iterator[tuple[str, str]]:
    at = f"/actions/{action.key}"
    own = file.value["actions"][action.key]["asks"]
    if len(own) < FEWEST_ASKS:
        yield f"{at}/asks", f"{action.key} has {len(own)} asks; write at least {FEWEST_ASKS}, as different people would type them"
    for ask in (*action.asks, *action.other_asks):
        yield from _ask(action, ask, asked, at)
    for where, node in _nodes(action.input, ""):
        if not node.get("description"):
            yield (
                f"{at}/input{where}",
                f"{action.key}: the input {where.rsplit('/', 1)[-1]!r} has no description; say what it is, with units",
            )
    yield from _example(action, at)
    for key in re.findall(r"\b[a-z]+(?:-[a-z]+)+\b", action.instead.split(" ")[0]):
        if key == action.key:
            yield f"{at}/instead", f"{action.key} names itself as its neighbour; name the other one"
    if action.deprecated and not re.search(
        r"deprecat|retired|no longer|old|instead", action.about + action.instead, re.IGNORECASE
    ):
        yield f"{at}/about", f"{action.key} is deprecated; say so, and what to use"


def _ask(action: Action, ask: str, asked: dict[str, str], at: str) -> Iterator[tuple[str, str]]:
    plain = " ".join(re.findall(r"\w+", ask.lower()))
    other = asked.setdefault(plain, action.key)
    if other != action.key:
        yield f"{at}/asks", f"{action.key}: the ask {ask!r} stands under {other} too; let it fit one of them only"
    if plain == " ".join(re.findall(r"\w+", action.title.lower())):
        yield f"{at}/asks", f"{action.key}: the ask {ask!r} is the title; say it in other words"


def _example(action: Action, at: str) -> Iterator[tuple[str, str]]:
    example = action.example or {}
    for problem in check(example, action.input):
        yield f"{at}/example", f"{action.key}: the example does not fit the input: {problem.where} {problem.what}"
    if action.body and action.body not in action.input["properties"]:
        near = closest(action.body, action.input["properties"])
        yield (
            f"{at}/body",
            f"{action.key}: body names {action.body!r}, which is no input{f'; did you mean {near[0]!r}?' if near else ''}",
        )


def _nodes(schema: Schema, at: str) -> Iterator[tuple[str, Schema]]:
    for name, node in schema.get("properties", {}).items():
        yield f"{at}/properties/{name}", node
        yield from _nodes(node, f"{at}/properties/{name}")
        items = node.get("items")
        if isinstance(items, dict):
            yield from _nodes(items, f"{at}/properties/{name}/items")


def _languages(folder: Path, keys: set[str]) -> Iterator[Problem]:
    for service in service_folders(folder):
        for path in sorted(service.glob("asks/*.yaml")):
            file = read_yaml(path, [])
            for key in file.value or {}:
                if key not in keys:
                    near = closest(key, keys)
                    yield Problem(file.at(f"/{key}"), f"no action {key!r}{f'; did you mean {near[0]!r}?' if near else ''}")
