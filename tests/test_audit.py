"""The log of writes: whole lines, whoever writes at once, and no secret in them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from skill import audit
from tests.conftest import Cli, environment
from tests.server import RESET_READ, Server, answer, text

MANY = """
import sys
from skill import audit
for place in range(20):
    audit.append({"who": sys.argv[1], "place": place, "fill": "é" * 3000})
"""


def test_twenty_processes_write_at_once() -> None:
    """Twenty processes that write at once leave every line of each, whole and in each one's order."""
    running = [subprocess.Popen([sys.executable, "-c", MANY, str(who)], env=environment()) for who in range(20)]
    assert [one.wait(60) for one in running] == [0] * 20
    entries = list(audit.read())
    assert len(entries) == 400
    for who in map(str, range(20)):
        assert [entry["place"] for entry in entries if entry["who"] == who] == list(range(20))


def test_a_torn_line_costs_itself_alone() -> None:
    """Half a line that a crash left is passed over, and the next one begins anew."""
    audit.append({"a": 1})
    with audit.path().open("ab") as file:
        file.write(b'{"a": 2, "b"')
    audit.append({"a": 3})
    assert [entry["a"] for entry in audit.read()] == [1, 3]


FULL = """
import resource
from skill import audit
audit.append({"a": 1})
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    audit.append({"a": "x" * 3000})
except OSError:
    audit.append({"a": 2})
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs the limits of POSIX")
def test_a_full_disk_leaves_no_half_line() -> None:
    """A line for which there is no room is not written in part, and the next one that fits is."""
    assert subprocess.run([sys.executable, "-c", FULL], env=environment(), timeout=60, check=False).returncode == 0
    assert [json.loads(line)["a"] for line in audit.path().read_text().splitlines()] == [1, 2]


def test_a_raw_write_is_written_down_with_its_body(cli: Cli, server: Server) -> None:
    """A raw request's line has what its path names and its body holds, masked, under the action that it is."""
    server.play(answer({}), answer({}), answer({}))
    cli("request", "/apps/x", "-X", "PATCH", "-d", '{"maintenance":true}')
    cli("request", "/apps/x/config-vars", "-X", "PATCH", "-d", '{"KEY":"hunter2"}')
    cli("request", "/none", "-X", "POST", "-d", '{"password":"hunter2","a":1}')
    told = [(entry.get("key"), entry["input"]) for entry in audit.read() if entry["outcome"] == "done"]
    assert told == [
        ("update-app", {"app": "x", "maintenance": True}),
        ("update-config-vars", {"app": "x", "KEY": "[masked]"}),
        (None, {"password": "[masked]", "a": 1}),
    ]


def test_the_log_is_the_users_alone() -> None:
    """The file of the log is readable by its owner alone."""
    audit.append({"a": 1})
    assert audit.path().stat().st_mode & 0o077 == 0


def outcomes() -> list[str]:
    """List what the log says of the runs."""
    return [entry["outcome"] for entry in audit.read()]


def test_a_write_is_written_down_before_and_after(cli: Cli, server: Server) -> None:
    """A write has a line before it is sent and one after, with the same id; a read has none."""
    server.play(
        answer([]), answer({"id": "1"}, 201), answer({"id": "invalid"}, 422), RESET_READ, text("{", 201, "application/json")
    )
    cli("action", "run", "list-apps")
    for _ in range(4):
        cli("action", "run", "create-app", "--set", "name=example-new")
    assert outcomes() == ["tried", "done", "tried", "refused", "tried", "unknown", "tried", "done"]
    first, second, *_ = audit.read()
    assert first["actionRunId"] == second["actionRunId"]


def test_no_secret_is_written_down(cli: Cli, server: Server) -> None:
    """The value of a config var is not in the log, and neither is the token."""
    server.play(answer({}))
    cli("action", "run", "update-config-vars", "--input", '{"app":"x","vars":{"KEY":"hunter2"}}')
    content = audit.path().read_text()
    assert "KEY" in content
    assert "hunter2" not in content
    assert "HRKU" not in content


def test_a_log_that_cannot_be_written_stops_nothing(cli: Cli, server: Server) -> None:
    """A write is done and reported as done, also where its line cannot be written."""
    audit.path().mkdir(parents=True)
    server.play(answer({"id": "1"}, 201))
    done = cli("action", "run", "create-app", "--set", "name=example-new")
    assert done.code == 0
    assert json.loads(done.out)["output"] == {"id": "1"}
    assert Path(audit.path()).is_dir()
