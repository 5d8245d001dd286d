"""Make the first state: what the examples of the actions name, so that each of them can be tried at once."""

from collections.abc import Mapping
from typing import Any

from skill.catalog import Catalog
from skill.sandbox.deed import kind_of_parameter
from skill.sandbox.fleet import is_member, muster
from skill.sandbox.heroku import BEGINNING, FLEETS, STARTS
from skill.sandbox.kinds import Acts, home_of, learn, names_of
from skill.sandbox.maker import make
from skill.sandbox.plain import settled, types_of
from skill.sandbox.world import Parents, Record, World
from skill.types import Json

EXAMPLE_ID = "01234567-89ab-cdef-0123-456789abcdef"


def begin(catalog: Catalog, old: dict[str, Any] | None) -> World:
    """Give the world of a catalog: a new one, or an old one with the kinds that it did not know yet."""
    kinds, paths, acts = learn(catalog.actions())
    world = World(catalog, {"records": {}, **(old or {}), "digest": catalog.digest, "kinds": kinds, "paths": paths})
    known = set((old or {}).get("records", {}))
    seeder = _Seeder(world, acts, known)
    for kind in kinds:
        seeder.seed(kind)
    seeder.complete()
    world.changed = True
    return world


def provide(world: World, kind: str, parents: Parents) -> None:
    """Give a parent what nobody creates and every parent has, such as its settings, when it has none yet."""
    if not _is_given(world, kind, parents) or any(_beneath(world, kind, record, parents) for record in world.records(kind)):
        return
    rows: list[dict[str, Json]] = [{}]
    if world.schema(kind).get("properties"):
        rows = [row or _pattern(world, kind) for row in STARTS.get(kind, rows)]
    else:
        rows = [_wider(world, kind, parents)]
    for row in rows:
        thing = settled(make(world, kind, row, parents, strict=False), world.schema(kind))
        record = world.add(kind, thing, parents)
        if kind in FLEETS:
            muster(world, kind, record)


def _is_given(world: World, kind: str, parents: Parents) -> bool:
    """Tell whether things of this kind come by themselves with these very parents."""
    known = world.kind(kind)
    if known.get("created") or is_member(kind) or not parents:
        return False
    return not known["listed"] or set(parents) == set(known["under"])


def _wider(world: World, kind: str, parents: Parents) -> dict[str, Json]:
    """Take the newest settings of fewer of these parents: those of a release begin as those of its app."""
    near = [one for one in world.records(kind) if set(one["under"]) < set(parents) and world.within(kind, one, parents)]
    return dict(near[-1]["is"]) if near else {}


def _pattern(world: World, kind: str) -> dict[str, Json]:
    """Take what names the first thing of a kind, so that a new parent's is called the same."""
    first: dict[str, Json] = next((record["is"] for record in world.records(kind)), {})
    return {name: first[name] for name in ("name", "enabled", "type") if isinstance(first.get(name), str | bool)}


def _beneath(world: World, kind: str, record: Record, parents: Parents) -> bool:
    if not world.kind(kind)["listed"] and set(record["under"]) != set(parents):
        return False
    return all(world.belongs(kind, record, *parent) for parent in parents.items())


class _Seeder:
    def __init__(self, world: World, acts: Mapping[str, Acts], known: set[str]) -> None:
        self.world, self.acts, self.old, self.done = world, acts, frozenset(known), known

    def seed(self, kind: str) -> None:
        """Make the first things of a kind, after those that they lie beneath and point at."""
        if kind in self.done or kind not in self.acts:
            return
        self.done.add(kind)
        homes = home_of(self.acts[kind])
        nodes = self.world.schema(kind).get("properties", {})
        # what may be null is left null, and must not lead round in a circle
        needed = [name for name, node in nodes.items() if "null" not in types_of(node) or name in BEGINNING.get(kind, {})]
        for other in [*map(kind_of_parameter, homes), *(one for name in needed for one in self.world.kinds_of(name)[:1])]:
            self.seed(other)
        self.world.records(kind)
        if self.world.kind(kind)["kept"] and not is_member(kind):
            self.fill(kind, self.parents(kind, homes))

    def parents(self, kind: str, homes: tuple[str, ...]) -> Parents:
        examples: dict[str, Json] = {}
        for action, _ in reversed(self.acts[kind]):
            examples.update(action.example or {})
        found: Parents = {}
        for name in homes:
            parent = kind_of_parameter(name)
            records = self.world.records(parent) if parent in self.world.state["kinds"] else []
            if records or parent not in self.world.state["kinds"]:
                found[parent if records else name] = records[0] if records else str(examples.get(name, ""))
        return found

    def fill(self, kind: str, parents: Parents) -> None:
        """Make what the examples name, and what else there is at the start, in the order that is given there."""
        schema = self.world.schema(kind)
        names = names_of(self.acts[kind], schema)
        named = self.named(kind, names) if schema.get("properties") else []
        rows: list[dict[str, Json]] = []
        for start in STARTS.get(kind, []):
            told = {name: value for name, value in start.items() if name in names.values()}
            own = next((row for row in named if any(row.get(name) == value for name, value in told.items())), None)
            rows.append({**own, **start} if own else start)
            named = [row for row in named if row is not own]
        other = next((name for name, held in names.items() if not held), None)
        for row in rows + named if rows else named or [{}]:
            self.place(kind, row, parents, other if row.get("id", EXAMPLE_ID) == EXAMPLE_ID else None)

    def place(self, kind: str, values: Mapping[str, Json], parents: Parents, other: str | None = None) -> None:
        thing = settled(make(self.world, kind, values, parents, strict=False), self.world.schema(kind))
        more: dict[str, Any] = {"also": other} if other is not None else {}
        if self.is_made_by_example(kind, thing):
            more["stand_in"] = True
        record = self.world.add(kind, thing, parents, **more)
        if "current" in thing:
            for one in self.world.records(kind):
                one["is"]["current"] = one is record
        if kind in FLEETS:
            muster(self.world, kind, record)

    def named(self, kind: str, names: Mapping[str, str]) -> list[dict[str, Json]]:
        """Give the values of the things that the examples name: as creating one is shown, and called as they call it."""
        nodes = self.world.schema(kind)["properties"]
        made = {name: value for name, value in self.creation(kind).items() if name in nodes}
        # a second name for the same property is a second thing
        rows: list[dict[str, Json]] = []
        for name, held in names.items():
            place, _, inner = held.partition(".")
            row = next((row for row in rows if place not in row), None)
            if row is None:
                rows.append(row := {})
            if place:
                number = name.isdigit() and "integer" in types_of(nodes[place])
                row[place] = {inner: name} if inner else int(name) if number else name
        own = {"id": EXAMPLE_ID} if "string" in types_of(nodes.get("id", {"type": "none"})) else {}
        return [{**made, **(own if not number else {}), **row} for number, row in enumerate(rows or [{}])]

    def creation(self, kind: str) -> Mapping[str, Json]:
        """Give the example of the action that makes, or else sets, a thing of this kind."""
        order = ("create", "gather", "set")
        acts = [(order.index(deed.verb), action) for action, deed in self.acts[kind] if deed.verb in order]
        best = min(acts, key=lambda pair: (pair[1].resource != kind, pair[0]), default=None)
        return (best[1].example or {}) if best else {}

    def complete(self) -> None:
        """Make what the examples' inputs name and nothing else has made."""
        for kind, acts in self.acts.items():
            nodes = self.world.schema(kind).get("properties", {})
            for action, deed in acts:
                for name, value in (action.example or {}).items():
                    if name in deed.parents:
                        self.complete_one(kind_of_parameter(name), str(value))
                    elif name in nodes and isinstance(value, str) and f"{{{name}}}" not in action.path:
                        self.complete_one(next(iter(self.world.kinds_of(name)), ""), value)

    def complete_one(self, kind: str, value: str) -> None:
        if kind in self.old:
            return
        known = self.world.kind(kind)
        plain = known.get("created") and known["unique"] and "." not in known["unique"]
        if plain and not self.world.look([kind], value):
            self.place(kind, {known["unique"]: value}, self.parents(kind, home_of(self.acts[kind])))

    def is_made_by_example(self, kind: str, thing: Json) -> bool:
        """Tell whether an example makes a thing of the very name that this one has; then it makes way for it."""
        creates = [action for action, deed in self.acts[kind] if deed.verb in ("create", "gather")]
        path = self.world.kind(kind)["unique"].split(".")[0]
        if not path:
            return False
        own = thing.get(path)
        return any((action.example or {}).get(path, (action.example or {}).get("email")) in _texts(own) for action in creates)


def _texts(value: Json) -> list[Json]:
    return list(value.values()) if isinstance(value, dict) else [value]
