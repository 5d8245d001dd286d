"""Answer a request from the world: one function for each thing that an action can do."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from skill.sandbox.act import act
from skill.sandbox.deed import Deed, deed_of, is_list, item_schema, kind_of_parameter
from skill.sandbox.fleet import around, counted, is_member, muster
from skill.sandbox.follow import follow, keep, renew
from skill.sandbox.heroku import FLEETS, TAKES_AFTER
from skill.sandbox.intake import Asked
from skill.sandbox.lists import listed, queried
from skill.sandbox.maker import Maker, amend, make, written
from skill.sandbox.pages import page, sortable
from skill.sandbox.refusal import invalid, not_found
from skill.sandbox.seed import provide
from skill.sandbox.world import Parents, Record, World
from skill.types import Json, Schema


class Answer(NamedTuple):
    """A status, a body as plain JSON, and headers with lower-case names."""

    status: int
    body: Json
    headers: Mapping[str, str] = {}


def answer(world: World, asked: Asked) -> Answer:
    """Do what a request asks and say what came of it.

    Raises:
        Refusal: it cannot be done; the world may have changed in part and must not be kept.
    """
    deed = deed_of(asked.action, world.state["paths"])
    parents = _parents(world, deed, asked.values)
    provide(world, deed.kind, parents)
    return _DO[deed.verb](world, asked, deed, parents)


def _parents(world: World, deed: Deed, values: Mapping[str, str]) -> Parents:
    found: Parents = {}
    for name in deed.parents:
        kind = kind_of_parameter(name)
        if world.kind(kind):
            provide(world, kind, found)
            # what lies beneath nothing is found by itself: an app need not be the team's to be asked about there
            found[kind] = world.find(kind, values[name], found if world.kind(kind)["under"] else {})
        else:
            found[name] = values[name]
    return found


def _list(world: World, asked: Asked, deed: Deed, parents: Parents) -> Answer:
    return _page(world, asked, deed, listed(world, asked, deed, parents))


def _query(world: World, asked: Asked, deed: Deed, _parents: Parents) -> Answer:
    return _page(world, asked, deed, queried(world, asked, deed))


def _page(world: World, asked: Asked, deed: Deed, records: list[Record]) -> Answer:
    things = [shown(world, deed.kind, record["is"], asked.action.output) for record in records]
    fields = sortable(item_schema(asked.action.output).get("properties", {}), asked.action.sort)
    return Answer(*page(things, fields, asked.span))


def _show(world: World, asked: Asked, deed: Deed, parents: Parents) -> Answer:
    return _answer(world, asked, deed, _subject(world, asked, deed, parents)["is"])


def _single(world: World, asked: Asked, deed: Deed, parents: Parents) -> Answer:
    nodes = item_schema(asked.action.output).get("properties", {})
    said: dict[str, Json] = {name: value for name, value in asked.query.items() if name in nodes}
    wrapped = _wrapped(world, deed.kind, nodes)
    if wrapped:
        records = listed(world, asked, deed, parents)
        said[wrapped] = [shown(world, deed.kind, record["is"], nodes[wrapped]) for record in records]
    elif not _is_other(world, deed.kind, asked.action.output):
        said = {**_only(world, deed, parents)["is"], **said}
    return _answer(world, asked, deed, said)


def _call(world: World, asked: Asked, deed: Deed, parents: Parents) -> Answer:
    return _answer(world, asked, deed, make(world, deed.kind, asked.given, parents), 201)


def _create(world: World, asked: Asked, deed: Deed, parents: Parents) -> Answer:
    thing = make(world, deed.kind, _taken_after(world, asked, parents), parents)
    if not world.kind(deed.kind)["kept"]:
        return _answer(world, asked, deed, thing, 201)
    record = _replaced(world, deed.kind, thing, parents) or keep(world, deed.kind, thing, parents)
    follow(world, "create", deed.kind, record, asked.action.key, asked.given)
    # the reply shows it under way; whoever looks next sees it done
    return _answer(world, asked, deed, {**record["is"], **_under_way(thing, record)}, 201)


def _change(world: World, asked: Asked, deed: Deed, parents: Parents) -> Answer:
    record = _subject(world, asked, deed, parents)
    _change_one(world, deed.kind, record, asked.given)
    follow(world, "change", deed.kind, record, asked.action.key, asked.given)
    return _answer(world, asked, deed, record["is"])


def _set(world: World, asked: Asked, deed: Deed, parents: Parents) -> Answer:
    if asked.action.method == "PUT" and world.kind(deed.kind)["listed"]:
        return _answer(world, asked, deed, keep(world, deed.kind, make(world, deed.kind, asked.given, parents), parents)["is"])
    if _is_other(world, deed.kind, asked.action.output):
        is_map = not item_schema(asked.action.output).get("properties")
        told = {name: {"value": value} for name, value in asked.given.items()} if is_map else asked.given
        return _answer(world, asked, deed, told)
    record = _only(world, deed, parents)
    if asked.action.method == "PUT":
        kept = {name: record["is"][name] for name in ("id", "created_at") if name in record["is"]}
        record["is"] = {**make(world, deed.kind, asked.given, parents), **kept}
    _change_one(world, deed.kind, record, asked.given)
    follow(world, "set", deed.kind, record, asked.action.key, asked.given)
    return _answer(world, asked, deed, record["is"])


def _gather(world: World, asked: Asked, deed: Deed, parents: Parents) -> Answer:
    lists = [value for value in asked.given.values() if isinstance(value, list)]
    rows = next((value for value in lists if all(isinstance(row, dict) for row in value)), None)
    if rows is None:
        return _answer(world, asked, deed, _put(world, deed, asked.given, parents, asked.action.method == "PUT")["is"])
    if asked.action.method == "PUT":
        for record in [one for one in world.records(deed.kind) if world.within(deed.kind, one, parents)]:
            world.remove(deed.kind, record)
        made = [keep(world, deed.kind, make(world, deed.kind, row, parents), parents) for row in rows]
    else:
        made = [_put(world, deed, row, parents, deed.kind not in FLEETS) for row in rows]
    return Answer(200, [shown(world, deed.kind, record["is"], asked.action.output) for record in made])


def _put(world: World, deed: Deed, row: Mapping[str, Json], parents: Parents, new: bool) -> Record:
    """Change the thing that a row names; make it where there is none and that is allowed."""
    name = next((str(row[one]) for one in ("id", "name", "type", "email") if row.get(one)), "")
    near = [one for one in world.records(deed.kind) if world.within(deed.kind, one, parents)]
    found = next((one for one in near if world.is_called(deed.kind, one, name)), None)
    if found:
        _change_one(world, deed.kind, found, row)
        return found
    if not new:
        raise not_found(deed.kind)
    return keep(world, deed.kind, make(world, deed.kind, row, parents), parents)


def _act(world: World, asked: Asked, deed: Deed, parents: Parents) -> Answer:
    record = _subject(world, asked, deed, parents) if deed.subject else _only(world, deed, parents)
    act(world, asked, deed, record)
    instead = follow(world, "act", deed.kind, record, asked.action.key, asked.given)
    return _answer(world, asked, deed, (instead or record)["is"])


def _renew(world: World, _asked: Asked, deed: Deed, parents: Parents) -> Answer:
    renew(world, deed.kind, parents)
    return Answer(202, {})


def _remove(world: World, asked: Asked, deed: Deed, parents: Parents) -> Answer:
    return _removed(world, asked, deed, _subject(world, asked, deed, parents))


def _drop(world: World, asked: Asked, deed: Deed, parents: Parents) -> Answer:
    return _removed(world, asked, deed, _only(world, deed, parents))


def _nothing(_world: World, _asked: Asked, _deed: Deed, _parents: Parents) -> Answer:
    return Answer(200, {})


_DO: dict[str, Callable[[World, Asked, Deed, Parents], Answer]] = {
    "list": _list,
    "query": _query,
    "show": _show,
    "single": _single,
    "create": _create,
    "call": _call,
    "change": _change,
    "set": _set,
    "gather": _gather,
    "act": _act,
    "renew": _renew,
    "remove": _remove,
    "drop": _drop,
    "nothing": _nothing,
}


def shown(world: World, kind: str, thing: Json, output: Schema | None) -> Json:
    """Give the part of a thing that an action's output shows; what the thing lacks is a plain value."""
    schema = item_schema(output)
    nodes = schema.get("properties")
    if not nodes:
        return dict(thing) if "additionalProperties" in schema else {}
    maker = Maker(world, kind, {}, strict=False)
    return {name: thing[name] if name in thing else maker.plain(name, node) for name, node in nodes.items()}


def _wrapped(world: World, kind: str, nodes: Schema) -> str:
    """Name the property that holds a list of things of this kind; empty where none does."""
    own = set(world.schema(kind).get("properties", {}))
    lists = {name: set(item_schema(node).get("properties", {})) for name, node in nodes.items() if node.get("type") == "array"}
    return next((name for name, inner in lists.items() if inner & own and name not in own), "")


def _is_other(world: World, kind: str, output: Schema | None) -> bool:
    """Tell whether an action shows something else than the things of its kind, such as a figure or a status."""
    own, other = world.schema(kind), item_schema(output)
    if bool(own.get("properties")) != bool(other.get("properties")):
        return "additionalProperties" in other
    return bool(other.get("properties")) and not set(other["properties"]) & set(own["properties"])


def _subject(world: World, asked: Asked, deed: Deed, parents: Parents) -> Record:
    name = deed.subject or ""
    return world.find(deed.kind, asked.values[name], parents, name)


def _only(world: World, deed: Deed, parents: Parents) -> Record:
    """Find the one thing of its kind beneath its parents: the newest, where it is one of a list."""
    for record in reversed(world.records(deed.kind)):
        near = world.kind(deed.kind)["listed"] or set(record["under"]) == set(parents)
        if near and all(world.belongs(deed.kind, record, *parent) for parent in parents.items()):
            return record
    raise not_found(deed.kind)


def _change_one(world: World, kind: str, record: Record, given: Mapping[str, Json]) -> None:
    parents = around(world, record)
    given = counted(kind, record["is"], given)
    if world.taken(kind, given, parents, but=record):
        raise _is_taken(world, kind, given)
    amend(world, kind, record, given, parents)
    world.refresh(kind, record)
    if kind in FLEETS:
        muster(world, kind, record)


def _replaced(world: World, kind: str, thing: Json, parents: Parents) -> Record | None:
    """Put a new thing in the place of the stand-in that has its name; None where the name is free.

    Raises:
        Refusal: the name is taken by something that people made.
    """
    held = world.taken(kind, thing, parents)
    if held is None and not world.kind(kind)["listed"]:
        near = [one for one in world.records(kind) if parents and set(one["under"]) == set(parents)]
        held = next((one for one in near if world.within(kind, one, parents)), None)
    elif held is not None and not held.pop("stand_in", False):
        raise _is_taken(world, kind, thing)
    if held is None:
        return None
    held["is"] = {**thing, **({"id": held["is"]["id"]} if "id" in held["is"] else {})}
    world.refresh(kind, held)
    return held


def _is_taken(world: World, kind: str, thing: Mapping[str, Json]) -> Exception:
    place, _, inner = world.kind(kind)["unique"].partition(".")
    value: Any = thing[place]
    text = value[inner] if inner and isinstance(value, dict) else value
    return invalid(f"{place.replace('_', ' ').capitalize()} {text} is already taken")


def _taken_after(world: World, asked: Asked, parents: Parents) -> dict[str, Json]:
    if asked.action.key not in TAKES_AFTER:
        return dict(asked.given)
    name, values = TAKES_AFTER[asked.action.key]
    model = world.find(name, str(asked.given[name]), parents)["is"]
    fresh = {"id", "version", "number", "created_at", "updated_at"}
    kept = {part: value for part, value in model.items() if part not in fresh and part not in asked.given}
    return {**kept, **{part: written(text, model) for part, text in values.items()}}


def _removed(world: World, asked: Asked, deed: Deed, record: Record) -> Answer:
    reply = _answer(world, asked, deed, record["is"])
    if is_member(deed.kind):
        return reply
    world.remove(deed.kind, record)
    follow(world, "remove", deed.kind, record, asked.action.key, asked.given)
    return reply


def _under_way(thing: Json, record: Record) -> dict[str, Json]:
    return {name: thing[name] for name in ("state", "status") if name in thing and thing[name] != record["is"].get(name)}


def _answer(world: World, asked: Asked, deed: Deed, thing: Json, status: int = 200) -> Answer:
    body = shown(world, deed.kind, thing, asked.action.output)
    return Answer(status, [body] if is_list(asked.action) else body)
