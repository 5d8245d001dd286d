"""Rooms stand in one order, and each third-party library has one home."""

import ast
from collections.abc import Iterator

import pytest

from skill import places

ROOMS = (
    "types", "faults", "places", "children", "schema", "paths", "select", "catalog", "plan", "sorting", "lookup", "shape",
    "policy", "audit", "record", "converge", "ways", "context", "connection", "wire", "reading", "gather", "index", "sandbox",
    "around", "run", "flows", "again", "wiring", "app", "faces",
)  # fmt: skip
HOMES = {
    "yaml": ("catalog/yaml_file.py",),
    "httpx": ("wire/http.py",),
    "truststore": ("wire/http.py",),
    "certifi": ("wire/http.py",),
    "keyring": ("connection/keychain.py",),
    "tenacity": ("wire/deliver.py",),
    "jq": ("select.py",),
    "jsonschema_rs": ("schema.py",),
    "typer": ("faces/",),
    "click": ("faces/",),
    "numpy": ("index/",),
    "sentence_transformers": ("index/encoders.py",),
}
FILES = sorted(path.relative_to(places.PACKAGE).as_posix() for path in places.PACKAGE.rglob("*.py"))


def imports(tree: ast.AST) -> Iterator[str]:
    """Name every module that the nodes below import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def tree_of(file: str) -> ast.Module:
    """Parse a file of the package."""
    return ast.parse((places.PACKAGE / file).read_text(encoding="utf-8"))


def room_of(file: str) -> str:
    """Name the room of a file."""
    return file.split("/", maxsplit=1)[0].removesuffix(".py")


@pytest.mark.parametrize("file", [file for file in FILES if not room_of(file).startswith("__")])
def test_a_module_imports_only_from_rooms_above_it(file: str) -> None:
    """A module imports, at its top or inside a function, only its own room and rooms above it."""
    assert room_of(file) in ROOMS
    above = ROOMS[: ROOMS.index(room_of(file)) + 1]
    ours = {name.split(".")[1] for name in imports(tree_of(file)) if name.startswith("skill.")}
    assert ours - {"__version__"} <= set(above)


@pytest.mark.parametrize("file", [file for file in FILES if file.startswith("flows/")])
def test_a_flow_imports_only_the_values(file: str) -> None:
    """A flow knows no HTTP, no credential and no clock: of ours it imports the values alone."""
    ours = {name.split(".")[1] for name in imports(tree_of(file)) if name.startswith("skill.")}
    assert ours <= {"types", "faults", "flows"}
    assert not {"time", "httpx", "socket", "os"} & {name.split(".")[0] for name in imports(tree_of(file))}


@pytest.mark.parametrize(("library", "homes"), HOMES.items(), ids=HOMES)
def test_a_library_has_one_home(library: str, homes: tuple[str, ...]) -> None:
    """A third-party library is imported in its home and nowhere else."""
    users = [file for file in FILES if library in {name.split(".")[0] for name in imports(tree_of(file))}]
    assert not [file for file in users if not file.startswith(homes)]


def test_no_module_imports_itself_in_a_ring() -> None:
    """Imports at the top of modules make no ring, within a room neither."""
    names = {"skill." + file.removesuffix(".py").replace("/", ".").removesuffix(".__init__"): file for file in FILES}
    graph = {name: _top(tree_of(file), set(names)) - {name} for name, file in names.items()}
    # a package's front re-exports its own modules, which is no ring
    graph = {
        name: {one for one in used if not name.startswith(one + ".") and not one.startswith(name + ".")}
        for name, used in graph.items()
    }
    while free := {name for name, used in graph.items() if not used & set(graph)}:
        graph = {name: used for name, used in graph.items() if name not in free}
    assert not graph


def _top(tree: ast.Module, names: set[str]) -> set[str]:
    found = {name for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom)) for name in imports(node)}
    return {one for name in found for one in (name, name.rpartition(".")[0]) if one in names}
