"""Which things a list or a question is about."""

import re
from collections.abc import Mapping

from skill.sandbox.deed import Deed
from skill.sandbox.intake import Asked
from skill.sandbox.refusal import not_found
from skill.sandbox.world import Parents, Record, World, key_of
from skill.types import Json

_EQUALS = re.compile(r"eq\[(\w+)\]")


def listed(world: World, asked: Asked, deed: Deed, parents: Parents) -> list[Record]:
    """List the things beneath the parents in the path, oldest first; of each parent the newest, where the path says latest."""
    found = [one for one in world.records(deed.kind) if world.within(deed.kind, one, parents)]
    for name, value in asked.query.items():
        field = _EQUALS.fullmatch(name)
        found = [one for one in found if str(one["is"].get(field[1])) == value] if field else found
    if deed.tail.startswith("latest-"):
        newest = {tuple(sorted(one["under"].items())): one for one in found}
        found = list(newest.values())
    return found


def queried(world: World, asked: Asked, deed: Deed) -> list[Record]:
    """List the things that a question in a body means.

    Raises:
        Refusal: 404, it names something that is not there.
    """
    found = world.records(deed.kind)
    for name, value in asked.given.items():
        kinds = world.kinds_of(name)
        if isinstance(value, dict):
            found = [one for one in found if _among(one["is"], value)]
        elif kinds[:1] == (deed.kind,):
            found = [one for one in found if _answers_to(world, deed.kind, one, str(value))]
        elif kinds and value:
            parent = world.find(kinds[0], str(value))
            found = [one for one in found if world.belongs(deed.kind, one, kinds[0], parent)]
        if not found and not isinstance(value, dict):
            raise not_found(deed.kind)
    return found


def _among(thing: Json, wanted: Mapping[str, Json]) -> bool:
    return all(thing.get(name) in values for name, values in wanted.items() if isinstance(values, list))


def _answers_to(world: World, kind: str, record: Record, name: str) -> bool:
    """Tell whether a thing has this name, or something fixed to it has."""
    if world.is_called(kind, record, name):
        return True
    return any(
        world.is_called(other_kind, other, name) and world.belongs(other_kind, other, kind, record, deep=False)
        for other_kind, other in world.every()
        if other is not record and key_of(other) and other_kind.startswith(kind)
    )
