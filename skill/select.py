"""Choose what of a result is shown: fields, a jq expression, a summary of a long list, a cut at a number of bytes. Pure.

The home of jq, the library of the language itself, imported when an expression is given.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from skill.faults import BadInput
from skill.types import Json, Schema

LONG_LIST = 20
MOST_COLUMNS = 3
# what names a thing, then what tells its state, the most telling first
NAMING = ("name", "hostname", "email", "version", "number", "id")
TELLING = ("state", "status", "type", "stage", "role", "quantity", "size", "plan", "kind", "created_at")
LONGEST_CELL = 60
# an expression sees the output alone: not the environment, where a token may be, and no file by way of include
_CLOSED = "def env: {{}}; {{}} as $ENV | (\n{}\n)"


def check_fields(names: Sequence[str], schema: Schema | None) -> None:
    """Refuse fields that a result cannot have, before anything is sent.

    Raises:
        BadInput: a name is not in the schema; the fault lists those that are.
    """
    for name in names:
        node: Any = _item(schema or {})
        for part in name.split("."):
            known = node.get("properties") if isinstance(node, dict) else None
            if not known:
                break
            if part not in known:
                raise _wrong_field(name, part, known)
            node = _item(known[part])


def pick(value: Json, names: Sequence[str]) -> Json:
    """Give an object, or each of a list, with only the fields that are named, dotted ones nested as they were."""
    if isinstance(value, list):
        return [pick(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    kept: dict[str, Any] = {}
    for name in names:
        _merge(kept, value, name.split("."))
    return kept


def check_query(expression: str) -> None:
    """Refuse a jq expression that cannot be read, before anything is sent.

    Raises:
        BadInput: it is no jq.
    """
    import jq

    try:
        jq.compile(_CLOSED.format(expression))
    except ValueError as wrong:
        raise BadInput(
            f"--jq cannot be read: {_first_line(wrong)}", code="bad_query", hint="for example --jq '.[].name'"
        ) from None


def query(value: Json, expression: str) -> list[Json]:
    """Apply a jq expression to a value and give every answer.

    Raises:
        BadInput: the expression does not fit the value.
    """
    import jq

    try:
        return list(jq.compile(_CLOSED.format(expression)).input_value(value).all())
    except ValueError as wrong:
        raise BadInput(
            f"--jq does not fit the output: {_first_line(wrong)}", code="bad_query", hint="look at the output without --jq"
        ) from None


class Summary(NamedTuple):
    """A long list in few columns."""

    rows: list[Json]
    fields: list[str]


def summarise(value: Json) -> Summary | None:
    """Give a long list with only what names its things and tells how they are; None for anything else."""
    if not isinstance(value, list) or len(value) <= LONG_LIST or not all(isinstance(item, dict) for item in value):
        return None
    naming = [name for name in NAMING if all(item.get(name) is not None for item in value)][:1]
    telling = [name for name in TELLING if name not in naming and any(_short(item.get(name)) for item in value)]
    fields = [*naming, *telling][:MOST_COLUMNS]
    return Summary(pick(value, fields), fields) if fields else None


def fit(value: Json, most: int) -> Json:
    """Cut a value so that its JSON has at most about `most` bytes: whole items of a list, whole fields of an object."""
    if isinstance(value, list):
        return _fitting(value, most)
    if isinstance(value, dict):
        kept = _fitting([[name, part] for name, part in value.items()], most)
        return dict(kept)
    if isinstance(value, str):
        return value.encode()[: max(most, 0)].decode("utf-8", "ignore")
    return value


def size(value: Json) -> int:
    """Count the bytes of a value's JSON."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))


def _fitting(items: Iterable[Any], most: int) -> list[Any]:
    kept, used = [], 2
    for item in items:
        used += size(item) + 1
        if used > most:
            break
        kept.append(item)
    return kept


def _merge(kept: dict[str, Any], value: Json, parts: Sequence[str]) -> None:
    head, rest = parts[0], parts[1:]
    inner = value.get(head) if isinstance(value, dict) else None
    if not rest:
        kept[head] = inner
    elif isinstance(inner, list):
        kept[head] = [pick(item, [".".join(rest)]) for item in inner]
    else:
        _merge(kept.setdefault(head, {}), inner, rest)


def _item(node: Json) -> Json:
    while isinstance(node, dict) and "properties" not in node and isinstance(node.get("items"), dict):
        node = node["items"]
    return node


def _wrong_field(name: str, part: str, known: Iterable[str]) -> BadInput:
    from skill.schema import closest

    near = closest(part, known)
    hint = f"did you mean {near[0]}? " if near else ""
    return BadInput(f"there is no field {name!r}", code="no_such_field", hint=f"{hint}the fields are {', '.join(sorted(known))}")


def _short(value: Json) -> bool:
    return value not in (None, "", [], {}) and not isinstance(value, (dict, list)) and len(str(value)) <= LONGEST_CELL


def _first_line(wrong: Exception) -> str:
    return str(wrong).strip().splitlines()[0][:200] if str(wrong).strip() else "unknown"
