"""The things there are: found by any of their names, tied to their parents, changed and removed with all that hangs on them.

A record is `{"is": the object, "under": {kind: id of a parent}, "also": another name, "stand_in": bool}`.
"""

import os
import time
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from skill.catalog import Catalog
from skill.sandbox.deed import item_schema
from skill.sandbox.heroku import NOT_UNIQUE, POINTS_AT, TIED
from skill.sandbox.refusal import not_found
from skill.types import Json, Schema

Record: TypeAlias = dict[str, Any]
Parents: TypeAlias = dict[str, Any]
"""Kind → record, or the name of a path parameter → its value where it names no thing."""

_NAMES = (
    "id",
    "uuid",
    "name",
    "hostname",
    "email",
    "fingerprint",
    "digest",
    "number",
    "num",
    "version",
    "token",
    "url",
    "pcx_id",
)
_INNER_NAMES = (("user", "email"), ("user", "id"), ("addon_service", "name"), ("addon_service", "id"))


class World:
    """All records and what is known of their kinds; `state` is plain JSON and is what the file holds."""

    def __init__(self, catalog: Catalog, state: dict[str, Any]) -> None:
        self.catalog = catalog
        self.state = state
        self.changed = False

    def now(self) -> str:
        """Give the time as the service writes it: UTC, to the second."""
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

    def count(self) -> int:
        """Give a fresh number."""
        self.state["count"] = self.state.get("count", 0) + 1
        self.changed = True
        return int(self.state["count"])

    def new_id(self) -> str:
        """Give a fresh UUID; later ones sort after earlier ones, so that lists stand in the order of making."""
        moment, number = f"{time.time_ns() // 1_000_000:012x}", self.count()
        return f"{moment[:8]}-{moment[8:]}-7{number >> 12 & 0xFFF:03x}-8{number & 0xFFF:03x}-{os.urandom(6).hex()}"

    def kind(self, kind: str) -> dict[str, Any]:
        """Give what is known of a kind; empty for a name that is none."""
        known: dict[str, Any] = self.state["kinds"].get(kind, {})
        return known

    def schema(self, kind: str) -> Schema:
        """Give the schema of a kind's objects."""
        shown = [item_schema(self.catalog.action(key).output) for key in self.kind(kind).get("keys", ())]
        if len(shown) < 2:
            return shown[0] if shown else {}
        # the first counts where two views differ
        merged = {name: node for schema in reversed(shown) for name, node in schema.get("properties", {}).items()}
        return {**shown[0], "properties": merged}

    def records(self, kind: str) -> list[Record]:
        """List the records of a kind, oldest first."""
        found: list[Record] = self.state["records"].setdefault(kind, [])
        return found

    def every(self) -> Iterator[tuple[str, Record]]:
        """Go through all records."""
        return ((kind, record) for kind, records in list(self.state["records"].items()) for record in list(records))

    def find(self, kind: str, name: str, parents: Parents | None = None, parameter: str = "") -> Record:
        """Find the thing of a kind that has this name, id or other identity, beneath its parents.

        Raises:
            Refusal: 404, there is none.
        """
        for record in self.records(kind):
            if self.is_called(kind, record, name, parameter) and self.within(kind, record, parents or {}):
                return record
        raise not_found(kind)

    def look(self, kinds: Iterable[str], name: str) -> tuple[str, Record] | None:
        """Find a thing of one of several kinds by its name; None when there is none."""
        for kind in kinds:
            for record in self.records(kind):
                if self.is_called(kind, record, name):
                    return kind, record
        return None

    def is_called(self, kind: str, record: Record, name: str, parameter: str = "") -> bool:
        """Tell whether a thing answers to a name."""
        thing = record["is"]
        if name == "~":
            return self.is_mine(kind, record)
        names = [thing.get(one) for one in (*_NAMES, parameter)]
        # a type names a thing that has no name of its own
        names += [thing.get("type")] if "name" not in thing else []
        held = self.kind(kind).get("unique", "").partition(".")[0]
        names += [_inner(thing, *path) for path in _INNER_NAMES if path[0] == held or (path[0], parameter) == ("user", "account")]
        return name in (str(one) for one in (*names, record.get("also")) if one not in (None, ""))

    def is_mine(self, kind: str, record: Record) -> bool:
        """Tell whether a thing is what `~` means: the account that is signed in, or what it holds."""
        me, user = self.me(), record["is"].get("user")
        return record["is"] is me or (
            user.get("id") == me.get("id") if isinstance(user, dict) else self.records(kind)[0] is record
        )

    def me(self) -> Json:
        """Give the account that is signed in."""
        return next((record["is"] for record in self.records("account")), {})

    def within(self, kind: str, record: Record, parents: Parents) -> bool:
        """Tell whether a thing lies beneath all of these parents; one that it has nothing to do with does not count."""
        return all(self.belongs(kind, record, *parent) is not False for parent in parents.items())

    def belongs(self, kind: str, record: Record, parent: str, other: Any, deep: bool = True) -> bool | None:
        """Tell whether a thing belongs to a parent; None when they have nothing to do with each other."""
        if not isinstance(other, dict):
            own = record["is"].get(parent, record["under"].get(parent))
            return None if own is None else str(own) == str(other)
        if kind == parent:
            return record is other
        if parent in record["under"]:
            return bool(record["under"][parent] == key_of(other))
        told = [self.points(name, value, parent, other) for name, value in record["is"].items()]
        said = [one for one in told if one is not None]
        if deep and not said:
            said = list(self._through(kind, record, parent, other))
        return any(said) if said else None

    def points(self, name: str, value: Json, parent: str, other: Record) -> bool | None:
        """Tell whether a property points at a thing; None for a property that points at no thing of that kind."""
        if name == f"{parent.replace('-', '_')}_id":
            return bool(value == other["is"].get("id"))
        kinds = self.kinds_of(name, value)
        if parent not in kinds or not (value is None or isinstance(value, dict)):
            return None
        if value is None:
            return False if parent == kinds[0] else None
        return _same(value, other)

    def kinds_of(self, name: str, value: Json = None) -> tuple[str, ...]:
        """Name the kinds that a property may point at, told apart by the value's `type` where it has one."""
        kinds = POINTS_AT.get(name) or (name.replace("_", "-"),)
        told = value.get("type") if isinstance(value, dict) else None
        if len(kinds) > 1 and told:
            kinds = tuple(kind for kind in kinds if kind == {"user": "account"}.get(told, told))
        elif len(kinds) > 1 and isinstance(value, dict):
            kinds = kinds[:1]
        return tuple(kind for kind in kinds if kind in self.state["kinds"])

    def add(self, kind: str, thing: Json, parents: Parents, **more: Any) -> Record:
        """Keep a new thing beneath its parents."""
        under = {name: key_of(parent) if isinstance(parent, dict) else parent for name, parent in parents.items()}
        record = {"is": thing, "under": under, **more}
        self.records(kind).append(record)
        self.changed = True
        return record

    def remove(self, kind: str, record: Record) -> None:
        """Remove a thing and all that hangs on it; what only mentions it forgets it."""
        kept = [one for one in self.records(kind) if one is not record]
        if len(kept) == len(self.records(kind)):
            return
        self.state["records"][kind] = kept
        self.changed = True
        for other_kind, other in self.every():
            if other["under"].get(kind) == key_of(record):
                self.remove(other_kind, other)
                continue
            for name in [name for name, value in other["is"].items() if value and self.points(name, value, kind, record)]:
                if name in self.kind(other_kind).get("nullable", ()):
                    other["is"][name] = None
                else:
                    self.remove(other_kind, other)

    def refresh(self, kind: str, record: Record) -> None:
        """Carry what changed in a thing to every place that mentions it."""
        self.changed = True
        # a free-form map is mentioned nowhere
        if not self.schema(kind).get("properties"):
            return
        pointing: dict[str, bool] = {}
        for _, other in self.every():
            if other is not record:
                self._mention(other["is"], kind, record, pointing)

    def taken(self, kind: str, thing: Json, parents: Parents, but: Record | None = None) -> Record | None:
        """Find the thing whose name a new or renamed one would take; None when it is free."""
        path = self.kind(kind).get("unique", "")
        name = _inner(thing, *path.split("."))
        if not path or name is None or kind in NOT_UNIQUE:
            return None
        others = (one for one in self.records(kind) if one is not but and self.within(kind, one, parents))
        return next((one for one in others if _inner(one["is"], *path.split(".")) == name), None)

    def _through(self, kind: str, record: Record, parent: str, other: Record) -> Iterator[bool]:
        """Ask the things that this one points at, and those that tie two kinds together."""
        for middle, link in self._links(record):
            tie = TIED.get((middle, parent))
            ties = [one for one in self.records(tie or "") if self.belongs(tie or "", one, middle, link, False)]
            if tie and tie != kind:
                yield any(self.belongs(tie, one, parent, other, False) for one in ties)
            elif (told := self.belongs(middle, link, parent, other, False)) is not None:
                yield told

    def _links(self, record: Record) -> Iterator[tuple[str, Record]]:
        for name, value in record["is"].items():
            if isinstance(value, dict):
                for kind in self.kinds_of(name, value):
                    yield from ((kind, one) for one in self.records(kind) if _same(value, one))
        for kind, key in record["under"].items():
            yield from ((kind, one) for one in self.records(kind) if key_of(one) == key)

    def _mention(self, value: Json, kind: str, record: Record, pointing: dict[str, bool]) -> None:
        for name, inner in value.items() if isinstance(value, dict) else ():
            if not isinstance(inner, dict):
                continue
            if name not in pointing:
                pointing[name] = kind in self.kinds_of(name)
            if pointing[name] and self.points(name, inner, kind, record):
                # what a mention calls a type is the kind, and is no part of the thing
                parts = [part for part in inner if part != "type" and part in record["is"]]
                plain = {part: record["is"][part] for part in parts if not isinstance(record["is"][part], dict)}
                inner.update({part: value for part, value in plain.items() if not isinstance(inner[part], dict)})
            self._mention(inner, kind, record, pointing)


def key_of(record: Record) -> str:
    """Give the one text that a record's children keep of it."""
    thing = record["is"]
    return str(thing.get("id") or thing.get("name") or record.get("also") or "")


def _same(mention: Json, record: Record) -> bool:
    for name in ("id", "name", "email"):
        if mention.get(name) is not None:
            return bool(mention[name] == record["is"].get(name))
    return False


def _inner(thing: Json, *path: str) -> Json:
    for name in path:
        thing = thing.get(name) if isinstance(thing, dict) else None
    return thing
