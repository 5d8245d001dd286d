"""Check a value against a JSON Schema and say every problem at once, in words that name the mend.

The library is jsonschema-rs: of the kept ones it is the quickest to import (about 30 ms; jsonschema takes 90) and,
unlike fastjsonschema, it reports all problems and not only the first.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from skill.faults import Problem
from skill.types import Json, Schema

# the checking library takes 255; walking a value costs two or three calls a level
DEEPEST = 128


def check(value: Json, schema: Schema) -> list[Problem]:
    """Find everything in `value` that `schema` (2020-12) does not allow.

    Args:
        value: what came in, as plain JSON values.
        schema: a JSON Schema; words beginning with `x-` are ours and say nothing here.

    Returns:
        Problems in the order of the value, each with a JSON pointer; empty when all is well.
    """
    import jsonschema_rs

    unfit = [*_broken_texts(value)] if not too_deep(value) else [Problem("", f"nests deeper than {DEEPEST} levels")]
    if unfit:
        return unfit
    # the mask keeps the value itself, which may be a secret, out of the library's messages
    found = jsonschema_rs.Draft202012Validator(schema, mask="the value").iter_errors(value)
    return [problem for error in found for problem in _problems(error, schema)]


def parse(content: bytes | str) -> Json:
    """Read JSON that can be written as JSON again: no NaN, no number beyond the range of floats, not nested too deep.

    Raises:
        ValueError: it is something else; a json.JSONDecodeError says where.
    """
    try:
        value = json.loads(content, parse_constant=_no_number, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if too_deep(value):
        raise ValueError("nested too deep")
    return value


def too_deep(value: Json) -> bool:
    """Tell whether a value nests deeper than may be walked through."""
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(DEEPEST):
        parts = chain.from_iterable(one.values() if isinstance(one, dict) else one for one in level)
        level = [part for part in parts if isinstance(part, (dict, list))]
        if not level:
            return False
    return True


def with_defaults(value: Json, schema: Schema) -> Json:
    """Give `value` with the defaults of the schema's top-level properties filled in where nothing was given."""
    if not isinstance(value, dict):
        return value
    missing = {
        name: node["default"]
        for name, node in schema.get("properties", {}).items()
        if name not in value and isinstance(node, dict) and "default" in node
    }
    return {**value, **missing}


def closest(word: str, among: Iterable[str], most: int = 1) -> list[str]:
    """Name up to `most` of `among` that look like `word`, best first."""
    from difflib import get_close_matches

    return get_close_matches(word.lower(), list(among), n=most, cutoff=0.6)


def _broken_texts(value: Json, where: str = "") -> Iterator[Problem]:
    """Find texts that are no Unicode: halves of surrogate pairs, which no request can carry."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            yield Problem(where, "is not valid text")
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _broken_texts(name, f"{where}/{name}")
            yield from _broken_texts(part, f"{where}/{name}")
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from _broken_texts(part, f"{where}/{place}")


def _no_number(text: str) -> Json:
    raise ValueError(text)


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number beyond the range of floats")
    return number


def _problems(error: Any, schema: Schema) -> Iterator[Problem]:
    path = list(error.instance_path)
    where = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
    node = _node(schema, path)
    kind = error.kind.name
    told = _TELL.get(kind)
    if told is not None:
        yield from told(error, where, node)
    else:
        yield Problem(where, str(error.message))


def _node(schema: Schema, path: Sequence[str | int]) -> Schema:
    for part in path:
        inner = schema.get("items") if isinstance(part, int) else schema.get("properties", {}).get(part)
        schema = inner if isinstance(inner, dict) else {}
    return schema


def _unknown(error: Any, where: str, node: Schema) -> Iterator[Problem]:
    known = list(node.get("properties", {}))
    for name in error.kind.unexpected:
        near = closest(name, known)
        hint = f"did you mean {near[0]!r}?" if near else f"it takes {', '.join(known) or 'no input'}"
        yield Problem(f"{where}/{name}", f"unknown property; {hint}")


def _missing(error: Any, where: str, node: Schema) -> Iterator[Problem]:
    name = error.kind.property
    words = node.get("properties", {}).get(name, {}).get("description", "")
    yield Problem(f"{where}/{name}", f"required, but missing{': ' + words if words else ''}")


def _wrong_type(error: Any, where: str, node: Schema) -> Iterator[Problem]:
    wanted = node.get("type", error.kind.types if hasattr(error.kind, "types") else "another type")
    wanted = " or ".join(wanted) if isinstance(wanted, list) else str(wanted)
    yield Problem(where, f"must be {wanted}, but is {_name_of_type(error.instance)}{_example(node)}")


def _wrong_choice(error: Any, where: str, node: Schema) -> Iterator[Problem]:
    choices = [choice for choice in node.get("enum", []) if choice is not None]
    near = closest(str(error.instance), [str(choice) for choice in choices])
    hint = f"; did you mean {near[0]!r}?" if near else ""
    yield Problem(where, f"must be one of {', '.join(map(str, choices))}{hint}")


def _wrong_form(error: Any, where: str, node: Schema) -> Iterator[Problem]:
    pattern = getattr(error.kind, "pattern", node.get("pattern"))
    yield Problem(where, f"must match {pattern}{_example(node)}")


def _wrong_name(error: Any, where: str, node: Schema) -> Iterator[Problem]:
    inner = error.kind.error
    yield Problem(f"{where}/{inner.instance}", f"a name here must match {inner.kind.pattern}")


def _example(node: Schema) -> str:
    examples = node.get("examples")
    return f", for example {json.dumps(examples[0], ensure_ascii=False)}" if examples else ""


def _name_of_type(value: Json) -> str:
    if isinstance(value, bool):
        return "boolean"
    names = {str: "string", int: "integer", float: "number", list: "array", dict: "object"}
    return names.get(type(value), "null")


_TELL: dict[str, Callable[[Any, str, Schema], Iterator[Problem]]] = {
    "additionalProperties": _unknown,
    "required": _missing,
    "type": _wrong_type,
    "enum": _wrong_choice,
    "pattern": _wrong_form,
    "propertyNames": _wrong_name,
}
