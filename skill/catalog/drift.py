"""Compare the catalog with a published JSON hyper-schema: which operations are new, changed or gone."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from skill.types import Action, Json, Schema


class Difference(NamedTuple):
    """One operation that differs: `kind` is new, changed or gone; `what` says how."""

    kind: str
    link: str
    key: str
    what: str


def differences(actions: list[Action], published: Mapping[str, Any]) -> list[Difference]:
    """List how a published hyper-schema differs from the actions that carry a `link`.

    Args:
        published: a JSON hyper-schema with `definitions`, each with its `links` (draft 4).
    """
    ours = {link: action for action in actions for link in action.link}
    theirs = {
        f"{name}#{link['title']}": link for name, body in published["definitions"].items() for link in body.get("links", [])
    }
    found = [
        Difference("new", name, "", f"{link['method']} {_path(link['href'])}")
        for name, link in theirs.items()
        if name not in ours
    ]
    found += [
        Difference("gone", name, action.key, f"{action.method} {action.path}")
        for name, action in ours.items()
        if name not in theirs
    ]
    for name, action in ours.items():
        if name in theirs:
            found += [Difference("changed", name, action.key, what) for what in _changes(action, theirs[name], published)]
    return sorted(found)


def _changes(action: Action, link: Mapping[str, Any], published: Mapping[str, Any]) -> Iterator[str]:
    asked = f"{link['method']} {_path(link['href'])}"
    sent = f"{action.method} {re.sub(r'{[^}]*}', '{}', action.path)}"
    if asked != sent:
        yield f"the request is now {asked}"
    body = resolve(link.get("schema", {}), published)
    if not body or "properties" not in body:
        return
    known = action.input["properties"]
    path = set(re.findall(r"\{(\w+)\}", action.path))
    for name, node in body["properties"].items():
        if name not in known:
            yield f"takes {name} now"
            continue
        wanted, have = types(node, published), types(known[name], known[name])
        if wanted and not wanted <= have:
            yield f"{name} is {' or '.join(sorted(wanted))} now"
        choices, ours = choices_of(node, published), known[name].get("enum")
        if choices is not None and ours is not None and not choices <= set(map(str, ours)):
            yield f"{name} may be {', '.join(sorted(choices - set(map(str, ours))))} now"
    beyond = {name for name, node in known.items() if node.get("x-beyond")}
    for name in sorted(set(known) - set(body["properties"]) - path - beyond):
        yield f"takes {name} no longer"
    met = set(action.input.get("required", ()))
    for name in sorted(set(body.get("required", [])) - met):
        yield f"requires {name} now"


def resolve(node: Json, root: Mapping[str, Any]) -> Schema:
    """Follow local references of a schema node until it stands for itself."""
    for _ in range(30):
        if not isinstance(node, dict) or "$ref" not in node:
            break
        target: Any = root
        for part in node["$ref"].lstrip("#/").split("/"):
            target = target.get(part, target.get(part.replace("_", "-"), {})) if isinstance(target, dict) else {}
        node = target
    return node if isinstance(node, dict) else {}


def types(node: Json, root: Mapping[str, Any]) -> set[str]:
    """Give the JSON types that a node admits; empty where it says nothing."""
    node = resolve(node, root)
    kind = node.get("type")
    if isinstance(kind, (str, list)):
        return {one for one in ([kind] if isinstance(kind, str) else kind) if isinstance(one, str)}
    return {one for word in ("anyOf", "oneOf", "allOf") for part in node.get(word, []) for one in types(part, root)}


def choices_of(node: Json, root: Mapping[str, Any]) -> set[str] | None:
    """Give the values that a node admits, None where any will do."""
    choices = resolve(node, root).get("enum")
    return None if choices is None else {str(choice) for choice in choices if choice is not None}


def _path(href: str) -> str:
    return unquote(re.sub(r"\{\([^)]*\)\}", "{}", href))
