"""Plain stand-in values: texts that a format or pattern allows, and the states that things begin and end in."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from skill.types import Json, Schema

if TYPE_CHECKING:
    from skill.sandbox.world import World

_BEGIN = ("pending", "provisioning", "allocating", "initiating-request")
_END = ("succeeded", "provisioned", "created", "allocated", "active", "completed")
_CANDIDATES = ("example", "team", "us", "203.0.113.0/24", "10.0.0.0/16", "203.0.113.1", "https://git.heroku.com/example.git")


def types_of(node: Schema) -> set[str]:
    """Give the types that a schema allows."""
    kinds = node.get("type", "object" if "properties" in node else "string")
    return set(kinds) if isinstance(kinds, list) else {kinds}


def first_state(choices: Sequence[Json]) -> Json:
    """Give the choice that a new thing begins with: one that is still under way, else the first."""
    begun = [choice for choice in _BEGIN if choice in choices]
    return begun[0] if begun else next((choice for choice in choices if choice is not None), None)


def settled(thing: Json, schema: Schema) -> Json:
    """Give a thing as it is when what was under way is done."""
    done = {}
    for name, node in schema.get("properties", {}).items():
        ends = [choice for choice in _END if choice in node.get("enum", ())]
        if ends and thing.get(name) in _BEGIN:
            done[name] = ends[0]
    return {**thing, **done}


def plain_text(world: "World", name: str, node: Schema, called: str) -> str:
    """Give a text that the schema allows.

    Args:
        called: what the thing is to be called like, empty for a text that is no name.
    """
    form = node.get("format", "")
    if form in ("date-time", "date"):
        return world.now()[: 10 if form == "date" else None]
    fixed = {"email": "person@example.com", "uri": f"https://example.com/{name}", "ipv4": "203.0.113.1"}
    if form in fixed and "pattern" not in node:
        return fixed[form]
    if node.get("x-secret") or name in ("token", "secret", "code"):
        return f"EXAMPLE-{world.new_id()}"
    if "uuid" in (form, name) or name == "id":
        return world.new_id()
    own = f"{re.sub('[-0-9]+$', '', called)}-{10000 + world.count()}" if called else f"example {name}"
    if name == "url" or name.endswith("_url"):
        own = f"https://example.com/{name}"
    return next((text for text in (own, *_CANDIDATES) if re.search(node.get("pattern", ""), text)), own)
