"""What an action on one thing does to it, told from the action's own words."""

from collections.abc import Mapping

from skill.sandbox.deed import Deed
from skill.sandbox.fleet import around
from skill.sandbox.heroku import ACTS
from skill.sandbox.intake import Asked
from skill.sandbox.maker import amend
from skill.sandbox.world import Record, World
from skill.types import Json, Schema


def act(world: World, asked: Asked, deed: Deed, record: Record) -> None:
    """Change a thing as an action on it says: switch a feature, reach a state, make its secrets anew."""
    schema, word = world.schema(deed.kind), deed.tail
    nodes = schema.get("properties", {})
    told: dict[str, Json] = {**asked.given, **ACTS.get(asked.action.key, {})}
    if nodes.get(word, {}).get("type") == "boolean":
        told[word] = asked.action.method != "DELETE"
    for name in ("state", "status"):
        ends = [choice for choice in nodes.get(name, {}).get("enum", ()) if str(choice).startswith(word)]
        told.update({name: ends[0]} if ends and name not in told else {})
    if word.startswith(("regenerate", "rotate")):
        record["is"].update(_fresh_secrets(world, schema, record["is"]))
    amend(world, deed.kind, record, told, around(world, record))
    world.refresh(deed.kind, record)


def _fresh_secrets(world: World, schema: Schema, thing: Mapping[str, Json]) -> dict[str, Json]:
    fresh: dict[str, Json] = {}
    for name, node in schema.get("properties", {}).items():
        if node.get("x-secret") and isinstance(thing.get(name), str):
            fresh[name] = f"EXAMPLE-{world.new_id()}"
        elif isinstance(thing.get(name), dict):
            fresh[name] = {**thing[name], **_fresh_secrets(world, node, thing[name])}
    return fresh
