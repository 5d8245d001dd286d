"""What a command may import: a start is quick only while nothing heavy comes along."""

import json
import subprocess
import sys

import pytest

from tests.conftest import environment

HEAVY = frozenset({"numpy", "httpx", "yaml", "torch", "asyncio", "rich", "pydantic", "ssl"})
RUN = """
import json, sys
from skill.faces.cli import run
code = run(json.loads(sys.argv[1]))
print(json.dumps([code, sorted({name.split(".")[0] for name in sys.modules})]), file=sys.stderr)
"""


def imported(*words: str) -> set[str]:
    """Run a command in a process of its own and give the top names of all modules that it imported."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, json.dumps(words)], capture_output=True, env=environment(), timeout=60, check=True
    )
    code, names = json.loads(done.stderr.decode().splitlines()[-1])
    assert code == 0
    return set(names)


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("action", "show", "create-app"),
        ("action", "list"),
        ("action", "run", "create-app", "--input", '{"name":"example-new"}', "--dry-run"),
    ],
    ids=lambda words: " ".join(words[:3]),
)
def test_a_light_command_imports_nothing_heavy(words: tuple[str, ...]) -> None:
    """Help, listing, showing and rehearsing import no numbers, no network, no YAML and no event loop."""
    assert imported(*words) & HEAVY == set()


def test_a_search_imports_no_network() -> None:
    """A search imports numpy, and neither the network nor torch nor YAML."""
    found = imported("action", "list", "--intent", "restart the shop app")
    assert not found & {"httpx", "ssl", "torch", "yaml", "sentence_transformers"}
