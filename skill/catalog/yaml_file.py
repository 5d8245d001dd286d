"""One YAML file: its value, and the line and column of every place in it. The home of pyyaml."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from skill.faults import Problem
from skill.schema import DEEPEST
from skill.types import Json

_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_BASE):  # type: ignore[misc]
    """YAML's plain values as JSON has them: a date stays the text it was written as."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - a class attribute of the library's own
        first: [(tag, form) for tag, form in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in _BASE.yaml_implicit_resolvers.items()
    }


@dataclass(slots=True)
class Marked:
    """A file's value, None where it cannot be read, and where its parts stand."""

    path: Path
    value: Json

    def at(self, pointer: str = "") -> str:
        """Give `file:line:column` of the place that a JSON pointer names, or of the nearest place above it."""
        # composed only when something is wrong: it costs as much as reading
        node = yaml.compose(self.path.read_text(encoding="utf-8"), Loader=_Loader)
        mark = node.start_mark if node else None
        for part in pointer.split("/")[1:]:
            found = _child(node, part.replace("~1", "/").replace("~0", "~"))
            if found is None:
                break
            mark, node = found
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return f"{self.path}:{line}:{column}"


def read_yaml(path: Path, problems: list[Problem]) -> Marked:
    """Read a YAML file whose top is a mapping; anything else is added to `problems`."""
    try:
        value = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a safe loader with one resolver less
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark
        at = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        problems.append(Problem(f"{path}{at}", f"is not YAML: {wrong.problem or wrong.context}"))
        return Marked(path, None)
    except RecursionError:
        problems.append(Problem(f"{path}:1:1", "is nested too deep"))
        return Marked(path, None)
    except (yaml.YAMLError, ValueError, OSError) as wrong:
        problems.append(Problem(f"{path}:1:1", f"cannot be read: {wrong}"))
        return Marked(path, None)
    if not isinstance(value, dict):
        problems.append(Problem(f"{path}:1:1", "must be a mapping of names to values"))
        return Marked(path, None)
    file = Marked(path, value)
    odd = next(_unlike_json(value), None)
    if odd is not None:
        problems.append(Problem(file.at(odd[0]), odd[1]))
        return Marked(path, None)
    return file


def _unlike_json(value: Json, pointer: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Find what YAML can say and JSON cannot, as pointers and words."""
    if depth > DEEPEST:
        yield "", "is nested too deep"
    elif isinstance(value, dict):
        for name, part in value.items():
            if isinstance(name, str):
                yield from _unlike_json(part, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}", depth + 1)
            else:
                # on, off, yes and no are such names too: YAML takes them for true and false
                yield pointer, f"the name {str(name).lower()} is no text: put it into quotes"
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from _unlike_json(part, f"{pointer}/{place}", depth + 1)
    elif not isinstance(value, (str, int, float, bool, type(None))) or value in (float("inf"), float("-inf")) or value != value:  # noqa: PLR0124
        yield pointer, "is no value that JSON has"


def _child(node: Any, part: str) -> Any:
    if isinstance(node, yaml.MappingNode):
        return next(((key.start_mark, value) for key, value in node.value if key.value == part), None)
    if isinstance(node, yaml.SequenceNode) and part.isdigit() and int(part) < len(node.value):
        return node.value[int(part)].start_mark, node.value[int(part)]
    return None
