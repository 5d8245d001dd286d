"""Read what a caller gives as input: JSON, a file, standard input, or name=value pairs."""

import json
import os
import re
import stat
import sys
from collections.abc import Sequence
from typing import Any

from skill.faults import BadInput, Problem
from skill.schema import parse
from skill.types import Json, Schema

LARGEST = 16 * 1024 * 1024
_NATURAL, _INTEGER = re.compile(r"0|[1-9][0-9]{0,17}"), re.compile(r"-?(0|[1-9][0-9]{0,17})")
_NO_WAIT: int = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_WORDS = {"null": None, "true": True, "false": False}


def read_text(given: str, what: str) -> bytes:
    """Read `@file`, `-` for standard input, or the text itself.

    Raises:
        BadInput: the file cannot be read; its content is never quoted.
    """
    if given == "-":
        if sys.stdin is None:
            raise BadInput(f"{what}: standard input is closed", code="no_such_file", hint="give the text itself, or @FILE")
        return sys.stdin.buffer.read(LARGEST)
    if not given.startswith("@"):
        return given.encode("utf-8", "surrogatepass")
    path = given[1:]
    try:
        # a pipe or a device is not waited for, only looked at
        with open(os.open(path, os.O_RDONLY | _NO_WAIT), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise BadInput(f"{what}: {path!r} is no regular file", code="no_such_file")
            return file.read(LARGEST)
    except (OSError, ValueError) as wrong:
        reason = wrong.strerror if isinstance(wrong, OSError) else "not a file name"
        raise BadInput(
            f"{what}: cannot read {path!r}: {reason}", code="no_such_file", hint="@FILE names a file; the text itself has no @"
        ) from None


def read_json(given: str, what: str) -> Json:
    """Read JSON from a text, a file or standard input.

    Raises:
        BadInput: it is not JSON; the fault says where, and quotes nothing of it.
    """
    content = read_text(given, what)
    try:
        return parse(content)
    except json.JSONDecodeError as wrong:
        where = f"line {wrong.lineno}, column {wrong.colno}"
        raise BadInput(
            f"{what} is not JSON: {wrong.msg} at {where}",
            code="bad_json",
            hint="""quote it for the shell: --input '{"app": "example"}', or give --set app=example""",
        ) from None
    except ValueError:
        raise BadInput(
            f"{what} is not JSON", code="bad_json", hint="UTF-8 text, not nested too deep, no NaN or Infinity"
        ) from None


def read_input(given: str | None, pairs: Sequence[str], schema: Schema) -> dict[str, Json]:
    """Put `--input` and every `--set name=value` together; a pair beats the JSON.

    Raises:
        BadInput: the JSON is no object, or a pair is no pair.
    """
    whole = read_json(given, "--input") if given is not None else {}
    if not isinstance(whole, dict):
        raise BadInput("--input must be a JSON object", hint="""for example --input '{"app": "example"}'""")
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise BadInput(f"--set {pair.split('=')[0]!r} is no name=value pair", hint="for example --set app=example")
        _set(whole, name, text, schema)
    return whole


def _set(whole: dict[str, Any], name: str, text: str, schema: Schema) -> None:
    properties = schema.get("properties", {})
    head, dot, tail = name.partition(".")
    if name not in properties and dot and head in properties:
        inner = whole.setdefault(head, {})
        if not isinstance(inner, dict):
            raise BadInput(f"--set {name}: {head} is no object", problems=[Problem(f"/{head}", "is no object")])
        node = properties[head]
        _set(inner, tail, text, node if "properties" in node else {"properties": {tail: node.get("additionalProperties", {})}})
        return
    whole[name] = typed(text, properties.get(name, {}))


def typed(text: str, node: Any) -> Json:
    """Read a text as what a schema node wants: a number, true, false, null, JSON, or the text itself."""
    kinds = node.get("type", []) if isinstance(node, dict) else []
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if text in _WORDS and ((text == "null" and "null" in kinds) or (text != "null" and "boolean" in kinds)):
        return _WORDS[text]
    # where a text may stand too, a sign means something of its own: "+1" is one more
    form = _NATURAL if "string" in kinds else _INTEGER
    if ("integer" in kinds or "number" in kinds) and form.fullmatch(text):
        return int(text)
    if kinds and "string" not in kinds:
        try:
            return parse(text)
        except ValueError:
            return text
    return text
