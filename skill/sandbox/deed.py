"""What an action does to the state, told from its method, path and output alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from skill.sandbox.heroku import FLEETS, KIND_OF_ACTION, SAME_KIND
from skill.types import Action, Schema

Verb: TypeAlias = Literal[
    "list", "show", "single", "query", "create", "call", "change", "gather", "set", "act", "renew", "remove", "drop", "nothing"
]
Paths: TypeAlias = Mapping[str, Sequence[str]]
"""Path → the kind that is read there, or named there by its last parameter, and `list` or `one`."""

_MEMBERS = frozenset(fleet.members for fleet in FLEETS.values())
_TELLING = ("id", "uuid", "name")


@dataclass(frozen=True, slots=True)
class Deed:
    """What an action does: to which kind of thing, named by `subject`, beneath which parents (path parameters).

    `single` is the one thing of its kind beneath its parents; `set` changes it and `drop` removes it. `gather` changes
    or replaces several at once; `act` is anything done to one thing, `renew` starts things anew, and `call` makes
    something that is told once and not kept.
    """

    verb: Verb
    kind: str
    parents: tuple[str, ...]
    subject: str | None
    tail: str


def deed_of(action: Action, paths: Paths) -> Deed:
    """Tell what an action does, among the paths of the whole catalog."""
    kind = kind_of(action)
    parts = action.path.strip("/").split("/")
    names = tuple(part[1:-1] for part in parts if is_parameter(part))
    verb = _verb(action, kind, parts, names, paths)
    before = parts[: parts.index("actions")] if "actions" in parts else parts[:-1]
    direct = bool(before) and _names_one(before, kind, paths)
    has_subject = verb in ("show", "change", "remove") or (verb == "act" and direct)
    return Deed(verb, kind, names[:-1] if has_subject else names, names[-1] if has_subject else None, parts[-1])


def paths_of(actions: Sequence[Action]) -> dict[str, list[str]]:
    """Gather the paths at which things are read or named."""
    found: dict[str, list[str]] = {}
    for action in actions:
        if action.method == "GET" or action.path.endswith("}"):
            found.setdefault(action.path, [kind_of(action), "list" if is_list(action) else "one"])
        elif action.method == "DELETE":
            found["DELETE " + action.path] = [kind_of(action), "one"]
    return found


def kind_of(action: Action) -> str:
    """Name the kind of things that an action is about; several resources may be views of one kind."""
    return KIND_OF_ACTION.get(action.key) or SAME_KIND.get(action.resource, action.resource)


def kind_of_parameter(name: str) -> str:
    """Name the kind that a path parameter would point at."""
    return name.removesuffix("_id").replace("_", "-")


def item_schema(output: Schema | None) -> Schema:
    """Give the schema of one object of an output, which may be a list of them."""
    schema = output or {}
    while schema.get("type") == "array":
        schema = schema.get("items", {})
    return schema


def is_list(action: Action) -> bool:
    """Tell whether an action answers a list."""
    return (action.output or {}).get("type") == "array"


def is_parameter(part: str) -> bool:
    """Tell whether a segment of a path stands for a value."""
    return part.startswith("{")


def _verb(action: Action, kind: str, parts: list[str], names: tuple[str, ...], paths: Paths) -> Verb:
    ends = _names_one(parts, kind, paths)
    if action.method == "GET":
        return "show" if ends else "list" if is_list(action) else "single"
    bare = not _nodes(action) and "additionalProperties" not in item_schema(action.output)
    if bare and kind in _MEMBERS:
        return "renew"
    if action.risk == "read":
        return "query"
    if not ends and names and _is_on_last(action, kind, parts, names, paths):
        return "act"
    if action.method == "POST":
        # the only one of its kind that nobody can delete is there already
        stays = paths.get(action.path, ("", ""))[1] == "one" and "DELETE " + action.path not in paths
        return "set" if stays else "create" if _makes(action, paths) else "call"
    if ends:
        return "remove" if action.method == "DELETE" else "change"
    if action.method == "DELETE":
        return "nothing" if bare else "drop"
    return "gather" if is_list(action) or paths.get(action.path, ("", ""))[1] == "list" else "set"


def _is_on_last(action: Action, kind: str, parts: list[str], names: tuple[str, ...], paths: Paths) -> bool:
    """Tell whether an action is something done to the thing that the last parameter names."""
    thing = paths.get(action.path.rpartition("/")[0], ("", ""))[0]
    return "actions" in parts or kind_of_parameter(names[-1]) == kind or (thing == kind and _names_one(parts[:-1], kind, paths))


def _names_one(parts: list[str], kind: str, paths: Paths) -> bool:
    """Tell whether a path ends with the name of one thing of a kind, and not of the parent of its only one."""
    if not is_parameter(parts[-1]):
        return False
    own = kind_of_parameter(parts[-1][1:-1])
    known = any(one == own for one, _ in paths.values())
    return own == kind or not known or paths.get("/" + "/".join(parts[:-1]), ("", ""))[1] == "list"


def _makes(action: Action, paths: Paths) -> bool:
    """Tell whether what a POST gives can be found again: at its own path, by a name beneath it, or by its id."""
    beneath = any(path.startswith(action.path + "/{") for path in paths)
    return action.path in paths or beneath or any(name in _nodes(action) for name in _TELLING)


def _nodes(action: Action) -> Mapping[str, Schema]:
    nodes: Mapping[str, Schema] = item_schema(action.output).get("properties", {})
    return nodes
