"""Learn from the catalog which kinds of things there are, what they are called, and what they lie beneath."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from skill.sandbox.deed import Deed, deed_of, item_schema, kind_of_parameter, paths_of
from skill.types import Action, Json, Schema

Acts = Sequence[tuple[Action, Deed]]

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TEXTS = ("name", "hostname", "fingerprint", "pcx_id", "type", "url")
# what many things have in common, or what is counted up by itself
_SHARED = ("version", "number", "num", "year", "month", "url")
_INNER = ("addon_service.name", "app.name")


def learn(actions: Iterable[Action]) -> tuple[dict[str, Any], dict[str, list[str]], dict[str, list[tuple[Action, Deed]]]]:
    """Learn the kinds of a catalog.

    Returns:
        What is known of each kind (plain JSON, kept with the state), the paths at which they are read, and the actions of each.
    """
    every = list(actions)
    paths = paths_of(every)
    acts: dict[str, list[tuple[Action, Deed]]] = {}
    for action in every:
        deed = deed_of(action, paths)
        acts.setdefault(deed.kind, []).append((action, deed))
    return {kind: _known(kind, own) for kind, own in acts.items()}, paths, acts


def names_of(acts: Acts, schema: Schema) -> dict[str, str]:
    """Give the names and ids by which the examples call a thing of this kind, and the property that holds each."""
    found: dict[str, str] = {}
    for action, deed in acts:
        name = (action.example or {}).get(deed.subject) if deed.subject else None
        if name is not None:
            found.setdefault(str(name), called_by(str(name), schema, deed.subject or ""))
    return found


def home_of(acts: Acts) -> tuple[str, ...]:
    """Name the parameters of the parents that a thing of this kind lies beneath: those of its own paths, not of lists."""
    if not any(deed.subject for _, deed in acts):
        own = [deed.parents for _, deed in acts if deed.verb in ("single", "set", "create", "drop")]
        return min(own or [deed.parents for _, deed in acts], key=len)
    parents = [deed.parents for _, deed in acts if deed.verb in ("show", "single", "change", "remove", "create", "act", "set")]
    return tuple(dict.fromkeys(name for names in parents for name in names))


def called_by(name: str, schema: Schema, parameter: str = "") -> str:
    """Tell which property of an object holds this name; empty where none does."""
    nodes = schema.get("properties", {})
    if parameter in nodes:
        return parameter
    if _ID.fullmatch(name):
        return next((one for one in ("id", "uuid") if one in nodes), "")
    if name.isdigit():
        return next((one for one in ("version", "number", "num", "year") if one in nodes), "")
    if "@" in name:
        return "email" if "email" in nodes else "user.email" if "user" in nodes else ""
    if name == "~":
        return ""
    own = next((one for one in _TEXTS if one in nodes), "")
    return own or next((one for one in _INNER if one.split(".")[0] in nodes), "")


def _known(kind: str, acts: Acts) -> dict[str, Any]:
    views = list(_views(kind, acts))
    schema = item_schema(views[0].output) if views else {}
    verbs = {deed.verb for _, deed in acts}
    texts = {name: place for name, place in names_of(acts, schema).items() if place not in ("", "id", "uuid")}
    told, unique = next(iter(texts.items()), ("", ""))
    nodes = schema.get("properties", {})
    put = any(action.method == "PUT" and deed.verb == "gather" for action, deed in acts)
    return {
        "keys": [action.key for action in views],
        "called": told if unique == "name" else "",
        "unique": "" if unique in _SHARED else unique,
        "created": "create" in verbs or put,
        "listed": bool(verbs & {"list", "show"}),
        "kept": bool(verbs - {"create", "call", "query", "nothing"}),
        "under": [kind_of_parameter(name) for name in home_of(acts)],
        "nullable": [name for name, node in nodes.items() if "null" in _types(node)],
    }


def _views(kind: str, acts: Acts) -> Iterator[Action]:
    """List one action for each resource that shows things of this kind: the fullest, and those that show more."""

    def rank(pair: tuple[Action, Deed]) -> tuple[bool, bool, int]:
        action, deed = pair
        return action.resource != kind, deed.verb != "show", -len(item_schema(action.output).get("properties", ()))

    told = sorted((pair for pair in acts if {"properties", "additionalProperties"} & set(item_schema(pair[0].output))), key=rank)
    resources: set[str] = set()
    shown: set[str] = set()
    for action, _ in told:
        nodes = set(item_schema(action.output).get("properties", ()))
        if not resources or (action.resource not in resources and shown & nodes and nodes - shown):
            yield action
            shown |= nodes
        resources.add(action.resource)


def _types(node: Schema) -> Json:
    return node.get("type", ())
