"""Keep a new thing, and do what follows from a deed: releases, dynos, attachments."""

from collections.abc import Iterator, Mapping
from typing import Any

from skill.sandbox.fleet import around, muster
from skill.sandbox.heroku import FLEETS, FOLLOWS, RENEWS, Follow
from skill.sandbox.maker import make, written
from skill.sandbox.plain import settled
from skill.sandbox.world import Parents, Record, World
from skill.types import Json


def keep(world: World, kind: str, thing: Json, parents: Parents) -> Record:
    """Keep a new thing as it is when it is done, and bring what depends on it in step."""
    record = world.add(kind, settled(thing, world.schema(kind)), parents)
    if "current" in thing:
        for one in world.records(kind):
            if world.within(kind, one, parents):
                one["is"]["current"] = one is record
    if kind in FLEETS:
        muster(world, kind, record)
    if kind in RENEWS:
        renew(world, RENEWS[kind], parents, {kind: record})
    return record


def renew(world: World, kind: str, parents: Parents, mentions: Parents | None = None) -> None:
    """Start things anew: those that a count keeps come back, the others end."""
    fleets = [name for name, fleet in FLEETS.items() if fleet.members == kind]
    for record in list(world.records(kind)):
        if not all(world.belongs(kind, record, *parent) for parent in parents.items()):
            continue
        if not any(fleet in record["under"] for fleet in fleets):
            world.remove(kind, record)
            continue
        fresh = {name: world.now() for name in ("created_at", "updated_at")}
        record["is"].update({"id": world.new_id(), **fresh})
        for name, other in (mentions or {}).items():
            mention = record["is"].get(name) or {}
            record["is"][name] = {part: other["is"].get(part, value) for part, value in mention.items()}
    world.changed = True


def follow(world: World, on: str, kind: str, record: Record, key: str, given: Mapping[str, Json]) -> Record | None:
    """Do what follows from a deed on a thing.

    Args:
        on: what was done: create, set, remove or act.
        key: the action that did it.
        given: the input of the deed.

    Returns:
        The thing that takes the place of `record`, None where it stays.
    """
    instead = None
    for rule in FOLLOWS:
        if (rule.on, rule.kind) == (on, kind) and rule.action in ("", key):
            made = [_make(world, rule, record, item, given) for item in _each(rule, given)]
            if rule.takes and made:
                record["is"][rule.takes] = {"id": made[-1]["is"]["id"]}
            if rule.instead:
                world.remove(kind, record)
                instead = made[-1]
    return instead


def _each(rule: Follow, given: Mapping[str, Json]) -> Iterator[Mapping[str, Any]]:
    yield from given.get(rule.each, ()) if rule.each else ({},)


def _make(world: World, rule: Follow, record: Record, item: Mapping[str, Json], given: Mapping[str, Json]) -> Record:
    filled = {**record["is"], "given": given, "inputs": ", ".join(given)}
    values = {name: written(template, filled) for name, template in rule.values.items()}
    said = {name: value for name, value in values.items() if value is not None or rule.values[name] is None}
    near = {**around(world, record), rule.kind: record}
    parents = {name: near[name] for name in world.kind(rule.makes)["under"] if name in near}
    return keep(world, rule.makes, make(world, rule.makes, {**said, **item}, parents, strict=False), parents)
