"""The state's file: whole, locked, private, and replaceable."""

import json
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WRITER = """
import sys
from pathlib import Path
from skill.catalog import open_catalog
from skill.sandbox import Sandbox
from skill.types import Request
sandbox = Sandbox(open_catalog(), Path(sys.argv[1]))
for number in range(20):
    body = b'{"name": "%s-%d"}' % (sys.argv[2].encode(), number)
    reply = sandbox(Request("POST", "https://api.heroku.com/apps", {"Accept": "version=3"}, body))
    assert reply.status == 201, reply.body
"""


@pytest.mark.parametrize("fresh", [True, False])
def test_two_processes_lose_nothing(ask, state, fresh):
    """Two processes that write at once lose nothing, even when neither found a state."""
    if fresh:
        state.unlink()
    running = [subprocess.Popen([sys.executable, "-c", WRITER, str(state), name], cwd=ROOT) for name in ("left", "right")]
    assert [one.wait(60) for one in running] == [0, 0]
    assert len(ask("GET", "/apps")) == 41


def test_threads_lose_nothing(ask):
    """Threads of one process lose nothing either."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: ask("POST", "/apps", {"name": f"shop-{number}"}), range(20)))
    assert len(ask("GET", "/apps")) == 21


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"version": 0}', b"\xff\xfe", b"[" * 100_000])
def test_broken_state_is_set_aside(ask, state, content):
    """A state that cannot be read is set aside, the reply says so once, and the sandbox starts anew."""
    state.write_bytes(content)
    reply = ask.send("GET", "/apps")
    assert (reply.status, len(json.loads(reply.body))) == (200, 1)
    aside = state.with_name("sandbox.json.broken")
    assert str(aside) in reply.headers["warning-message"]
    assert aside.read_bytes() == content
    assert "warning-message" not in ask.send("GET", "/apps").headers


def test_refused_request_changes_nothing(ask, state):
    """What is refused leaves the file as it was."""
    before = state.read_bytes()
    ask("POST", "/apps", {"name": "example"}, 422)
    ask("GET", "/apps")
    assert state.read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_state_is_private(ask, state):
    """Only its owner may read the state: people try their own secrets out."""
    ask("PATCH", "/apps/example/config-vars", {"SECRET": "hidden"})
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
