"""Make an object from its schema, out of what the request says, what lies around it, and plain stand-in values."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from skill.sandbox.heroku import BEGINNING, FOLLOWING, NAMED_BEFORE, SAID_AS
from skill.sandbox.plain import first_state, plain_text, types_of
from skill.sandbox.refusal import not_found
from skill.sandbox.world import Parents, Record, World
from skill.types import Json, Schema

_NUMBERED = frozenset({"version", "number", "num", "ordinal", "index"})
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def make(world: World, kind: str, given: Mapping[str, Json], parents: Parents, *, strict: bool = True) -> Json:
    """Make a new object of a kind.

    Args:
        given: the values that the request gives; those that the object has no property for are passed over.
        parents: what it will lie beneath.
        strict: refuse what names a thing that is not there; else make the mention up.

    Raises:
        Refusal: 404, a thing that the request names is not there.
    """
    schema = world.schema(kind)
    if not schema.get("properties"):
        return {name: value for name, value in given.items() if value is not None}
    maker = Maker(world, kind, parents, strict)
    thing = {name: maker.property(name, node, given) for name, node in schema["properties"].items()}
    _split_names(maker, schema, thing)
    begun = {name: text for name, text in BEGINNING.get(kind, {}).items() if isinstance(text, str) and "{" in text}
    _write(world, thing, {name: text for name, text in begun.items() if name not in given}, given)
    _write(world, thing, FOLLOWING.get(kind, {}), given)
    return thing


def amend(world: World, kind: str, record: Record, given: Mapping[str, Json], parents: Parents) -> None:
    """Give a thing new values; in a free-form map null takes a key away.

    Raises:
        Refusal: 404, a thing that the request names is not there.
    """
    schema, thing = world.schema(kind), record["is"]
    world.changed = True
    if not schema.get("properties"):
        # a setting that is an object has its value inside
        inner = schema.get("additionalProperties", {}).get("type") == "object"
        wraps = {name: value for name, value in given.items() if inner and not isinstance(value, dict)}
        thing.update({**given, **{name: {**thing.get(name, {}), "value": value} for name, value in wraps.items()}})
        record["is"] = {name: value for name, value in thing.items() if value is not None}
        return
    maker = Maker(world, kind, parents, strict=True)
    nodes = schema["properties"]
    said = {name: value for name in nodes if (value := maker.said(name, given)) is not _UNSAID}
    thing.update({name: maker.convert(name, nodes[name], value) for name, value in said.items()})
    if "owner" in said:
        _hand_over(maker, nodes, thing, said["owner"])
    if "updated_at" in nodes:
        thing["updated_at"] = world.now()
    _split_names(maker, schema, thing)
    _write(world, thing, FOLLOWING.get(kind, {}), {})


def written(template: Json, values: Mapping[str, Json]) -> Json:
    """Fill a template of ours; None where the values lack what it asks for."""
    if not isinstance(template, str) or "{" not in template:
        return template
    try:
        return template.format_map(values)
    except (KeyError, TypeError, IndexError):
        return None


_UNSAID = object()


class Maker:
    """Makes the values of one object; see `make`."""

    def __init__(self, world: World, kind: str, parents: Parents, strict: bool) -> None:
        self.world, self.kind, self.parents, self.strict = world, kind, parents, strict

    def said(self, name: str, given: Mapping[str, Json]) -> Any:
        """Give what the request says of a property, under its own name or another; `_UNSAID` when nothing."""
        other = SAID_AS.get(self.kind, {}).get(name, name)
        return given.get(name, given.get(other, _UNSAID))

    def property(self, name: str, node: Schema, given: Mapping[str, Json]) -> Json:
        """Give the value of a property of a new object."""
        said = self.said(name, given)
        if said is not _UNSAID:
            return self.convert(name, node, said)
        begun = BEGINNING.get(self.kind, {}).get(name)
        value = self.parents.get(name)
        if isinstance(value, str) and "object" not in types_of(node):
            return int(value) if "integer" in types_of(node) and value.isdigit() else value
        parent = self.parents.get(name.removesuffix("_id").replace("_", "-"))
        if name.endswith("_id") and isinstance(parent, dict):
            return parent["is"].get("id")
        if name in _NUMBERED and "integer" in types_of(node):
            return self.next_number(name)
        if "object" in types_of(node) and self.world.kinds_of(name, begun):
            return self.mention_around(name, node, begun)
        return begun if begun is not None else self.plain(name, node, top=True)

    def convert(self, name: str, node: Schema, value: Json) -> Json:
        """Turn what a request says into what the object holds: a name becomes a mention of the thing it names."""
        types = types_of(node)
        if value is None:
            return None
        if "object" in types:
            return self.inner(name, node, value)
        if "array" in types and isinstance(value, list):
            return [self.convert("", node.get("items", {}), item) for item in value]
        if types == {"string"} and not isinstance(value, str):
            return str(value)
        return value

    def inner(self, name: str, node: Schema, value: Json) -> Json:
        """Make an object inside the object: a mention of a thing, or the values that were given and plain ones."""
        kinds = self.world.kinds_of(name, value)
        if kinds:
            return self.mention_of(kinds, node, value)
        if not isinstance(value, dict):
            value = {part: value for part in ("name", "url") if part in node.get("properties", {})}
        nodes = node.get("properties", {})
        said = {part: self.convert(part, nodes[part], value[part]) for part in value if part in nodes}
        return {**{part: self.plain(part, inner) for part, inner in nodes.items()}, **value, **said}

    def mention_of(self, kinds: Iterable[str], node: Schema, value: Json) -> Json:
        """Mention the thing that a value names."""
        every = tuple(kinds)
        said = value if isinstance(value, dict) else {_naming(str(value)): value}
        text = next((said[one] for one in ("id", "name", "email") if said.get(one)), "")
        found = self.world.look(every, str(text))
        if found is not None:
            return self.mention(found[0], node, found[1]["is"], value if isinstance(value, dict) else {})
        if self.strict and not isinstance(value, dict) and self.world.kind(every[0]).get("created"):
            raise not_found(every[0])
        return self.mention(every[0], node, {}, said)

    def mention_around(self, name: str, node: Schema, begun: Json) -> Json:
        """Mention the thing of that kind that lies nearest: a parent, the newest beneath the same parents, the first of all."""
        kinds = self.world.kinds_of(name, begun)
        for kind in kinds:
            if isinstance(self.parents.get(kind), dict):
                return self.mention(kind, node, self.parents[kind]["is"], begun or {})
        if "null" in types_of(node) and begun is None:
            return None
        near = self.nearest(kinds[0])
        return self.mention(kinds[0], node, near, begun or {})

    def nearest(self, kind: str) -> Json:
        """Give the newest thing of a kind beneath the same parents, else the first of all."""
        others = {name: parent for name, parent in self.parents.items() if isinstance(parent, dict)}
        records = self.world.records(kind)
        near = [one for one in records if any(self.world.belongs(kind, one, *parent) for parent in others.items())]
        return near[-1]["is"] if near else records[0]["is"] if records else {}

    def mention(self, kind: str, node: Schema, thing: Json, said: Mapping[str, Json]) -> Json:
        """Write the part of a thing that another object shows of it."""
        word = {"type": "user" if kind == "account" else kind}
        known = {**word, **said, **{name: value for name, value in thing.items() if name != "type"}}
        nodes = node.get("properties", {})
        told = {name: _fit(known[name], inner) for name, inner in nodes.items() if known.get(name) is not None}
        return {name: told[name] if name in told else self.plain(name, inner) for name, inner in nodes.items()}

    def next_number(self, name: str) -> int:
        """Count on from the highest number beneath the same parents."""
        siblings = (one for one in self.world.records(self.kind) if self.world.within(self.kind, one, self.parents))
        return 1 + max((int(one["is"].get(name) or 0) for one in siblings), default=0)

    def plain(self, name: str, node: Schema, top: bool = False) -> Json:
        """Give a value that the schema allows, where nothing is known."""
        types = types_of(node)
        if "null" in types:
            return None
        if "enum" in node:
            return first_state(node["enum"])
        if "object" in types:
            return {part: self.plain(part, inner) for part, inner in node.get("properties", {}).items()}
        if "string" in types:
            known = self.world.kind(self.kind)
            named = top and name in ("name", known.get("unique"))
            return plain_text(self.world, name, node, (known.get("called") or self.kind) if named else "")
        return [] if "array" in types else "boolean" not in types and 0


def _write(world: World, thing: Json, templates: Mapping[str, str], given: Mapping[str, Json]) -> None:
    number = None
    for name, template in templates.items():
        if "{number}" in template and number is None:
            number = 10000 + world.count()
        text = written(template, {**thing, "given": given, "number": number, "now": world.now()})
        if name in thing and text is not None:
            thing[name] = text


def _split_names(maker: Maker, schema: Schema, thing: Json) -> None:
    for name, (other, mark) in NAMED_BEFORE.items():
        whole = (thing.get(name) or {}).get("name", "") if isinstance(thing.get(name), dict) else ""
        if mark in whole and other in thing:
            kinds, node = maker.world.kinds_of(other), schema["properties"][other]
            thing[other] = maker.mention_of(kinds, node, {"name": whole.split(mark)[0]})


def _hand_over(maker: Maker, nodes: Schema, thing: Json, owner: Json) -> None:
    """Put a thing under a team that was named as its owner, or out of its team when the owner is a person."""
    if not isinstance(owner, str) or "team" not in thing:
        return
    found = maker.world.look(maker.world.kinds_of("owner")[:2], owner)
    team = found[1]["is"] if found and found[0] == "team" else None
    thing["team"] = maker.mention("team", nodes["team"], team, {}) if team else None
    if team:
        thing["owner"] = maker.mention("account", nodes["owner"], maker.world.me(), {})


def _fit(value: Json, node: Schema) -> Json:
    """Give a mentioned thing's name where only a text is wanted."""
    return value.get("name") if isinstance(value, dict) and "object" not in types_of(node) else value


def _naming(text: str) -> str:
    return "email" if "@" in text else "id" if _ID.fullmatch(text) else "name"
