"""Keep things that follow a count in step with it: as many members as it says, named in order."""

from collections.abc import Mapping

from skill.sandbox.heroku import FLEETS
from skill.sandbox.maker import make, written
from skill.sandbox.world import Parents, Record, World, key_of
from skill.types import Json


def is_member(kind: str) -> bool:
    """Tell whether things of this kind come and go with a count."""
    return any(fleet.members == kind for fleet in FLEETS.values())


def muster(world: World, kind: str, record: Record) -> None:
    """Add or remove members until there are as many as the thing says."""
    fleet = FLEETS[kind]
    members = [one for one in world.records(fleet.members) if one["under"].get(kind) == key_of(record)]
    wanted = int(record["is"].get(fleet.sized) or 0)
    for extra in members[wanted:]:
        world.remove(fleet.members, extra)
    parents = around(world, record)
    stem = record["is"][fleet.by]
    values = {name: written(text, record["is"]) for name, text in fleet.values.items()}
    for number in range(len(members) + 1, wanted + 1):
        given = {**values, fleet.by: stem, "name": f"{stem}.{number}"}
        world.add(fleet.members, make(world, fleet.members, given, parents, strict=False), {**parents, kind: record})
    for member in members[:wanted]:
        member["is"].update({name: value for name, value in values.items() if name in member["is"]})


def counted(kind: str, thing: Json, given: Mapping[str, Json]) -> Mapping[str, Json]:
    """Give a change with a count such as "+1" made the number that it leads to."""
    fleet = FLEETS.get(kind)
    text = given.get(fleet.sized) if fleet else None
    if fleet is None or not isinstance(text, str):
        return given
    before = int(thing.get(fleet.sized) or 0) if text[0] in "+-" else 0
    return {**given, fleet.sized: max(0, before + int(text.removeprefix("=")))}


def around(world: World, record: Record) -> Parents:
    """Give the things that a thing lies beneath."""
    return {kind: one for kind, key in record["under"].items() for one in world.records(kind) if key_of(one) == key}
