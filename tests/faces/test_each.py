"""Many inputs in one call: a result line each, over one pool, and an interruption that repeats nothing."""

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from skill import audit
from tests.conftest import Cli, command, environment, shown_on
from tests.server import HANG, RESET_READ, Server, answer

APP = {"id": "01234567-89ab-cdef-0123-456789abcdef", "name": "example"}
READ = ("action", "run", "get-app", "--each", "-", "--set-from", "app")
RAW = ("request", "/apps/{app}", "--each", "-", "--set-from", "app")
WRITE = ("action", "run", "create-app", "--each", "-", "--set-from", "name", "--jobs", "1")


@pytest.mark.parametrize("words", [READ, RAW], ids=["action", "raw"])
def test_every_input_has_a_line(cli: Cli, server: Server, words: tuple[str, ...]) -> None:
    """Every input has one line, with its index, whether it went well or not; any failure makes exit 1."""
    server.play(answer(APP), answer({"id": "not_found", "message": "no"}, 404), answer(APP))
    done = cli(*words, "--jobs", "1", stdin=b"a\n\nb\nc\n")
    assert (done.code, [line["index"] for line in done.lines]) == (1, [0, 1, 2])
    assert [line.get("exit", 0) for line in done.lines] == [0, 1, 0]
    assert done.err == "2 done, 1 failed\n"
    assert [one.path for one in server.seen] == ["/apps/a", "/apps/b", "/apps/c"]


def test_the_pipe_of_the_documents_works(process: Cli) -> None:
    """What one command gives with --jq is what the next takes with --each."""
    listed = process("action", "run", "list-apps", "--jq", ".[].name", "--sandbox")
    piped = process("action", "run", "list-formation", "--each", "-", "--set-from", "app", "--sandbox", stdin=listed.out.encode())
    assert (piped.code, len(piped.lines)) == (0, len(listed.out.splitlines()))
    assert all(line["output"][0]["app"]["name"] for line in piped.lines)


def test_objects_are_joined_with_the_base(cli: Cli, server: Server) -> None:
    """A line that is an object adds to --input, and what it names itself counts."""
    server.rest = answer(APP)
    lines = b'{"app":"a"}\n{"maintenance":false}\n'
    cli("action", "run", "update-app", "--input", '{"app":"z","maintenance":true}', "--each", "-", "--jobs", "1", stdin=lines)
    assert [(one.path, one.json) for one in server.seen] == [
        ("/apps/a", {"maintenance": True}),
        ("/apps/z", {"maintenance": False}),
    ]


def test_a_raw_request_takes_inputs_where_an_action_would(cli: Cli, server: Server) -> None:
    """What the path does not name goes into the query of a read and into the JSON body of a write."""
    server.rest = answer(APP)
    line = b'{"app":"a b","x":"1&y=2"}\n'
    cli("request", "/apps/{app}", "--each", "-", stdin=line)
    cli("request", "/apps/{app}", "-X", "PATCH", "-d", '{"z":3}', "--each", "-", stdin=line)
    assert [one.path for one in server.seen] == ["/apps/a%20b?x=1%26y%3D2", "/apps/a%20b"]
    assert server.seen[1].json == {"x": "1&y=2", "z": 3}


@pytest.mark.parametrize(
    "line",
    ["..", "a/b", '{"app":["x"]}', '{"app":null}', '{"other":1}', '{"error":{"code":"network","message":"lost"}}', "\udcff"],
)
def test_a_line_that_is_no_input_sends_nothing(cli: Cli, server: Server, line: str) -> None:
    """A line that cannot be sent, the printed failure of a command before among them, is an error of its own."""
    done = cli(*RAW, "-X", "PATCH", stdin=line.encode("utf-8", "surrogateescape") + b"\n")
    assert (done.code, done.lines[0]["exit"], server.seen) == (1, 2, [])


def test_a_rehearsal_of_many_sends_nothing(cli: Cli, server: Server) -> None:
    """--each with --dry-run shows a plan for every line, and sends nothing."""
    done = cli(*WRITE, "--dry-run", stdin=b"a-1\na-2\n")
    assert [line["plan"]["body"] for line in done.lines] == [{"name": "a-1"}, {"name": "a-2"}]
    assert (done.code, server.seen, list(audit.read())) == (0, [], [])


@pytest.mark.parametrize(
    "more", [("--out", "p"), ("--plan", "p"), ("--format", "csv"), ("--jq", ".["), ("--fields", "nme"), ("--input", "-")], ids=str
)
def test_what_cannot_be_had_for_many_is_refused(cli: Cli, server: Server, more: tuple[str, ...]) -> None:
    """Options that have no meaning for many inputs, or are wrong, are refused before anything is sent."""
    done = cli(*READ, *more, stdin=b"a\n")
    assert (done.code, server.seen) == (2, [])


@pytest.mark.parametrize("more", [("--set-from", "app"), ("--resume", "j")], ids=str)
def test_what_is_for_many_is_refused_for_one(cli: Cli, more: tuple[str, ...]) -> None:
    """--set-from and --resume without --each are a mistake, and said to be."""
    assert cli("action", "run", "get-app", "--set", "app=x", *more).code == 2


def test_without_a_credential_nothing_is_begun(cli: Cli) -> None:
    """Many inputs without a credential are one error, and no line for each."""
    done = cli(*READ, stdin=b"a\nb\n")
    assert (done.code, done.error["code"]) == (4, "not_signed_in")


@pytest.mark.parametrize(
    ("words", "word"),
    [
        (("action", "run", "delete-app", "--each", "-", "--set-from", "app", "--jobs", "2"), "delete-app"),
        (("request", "/apps/{app}", "-X", "DELETE", "--each", "-", "--set-from", "app"), "DELETE"),
        (("request", "/x/{app}", "-X", "DELETE", "--each", "-", "--set-from", "app"), "DELETE"),
    ],
)
def test_to_destroy_many_is_confirmed_once(cli: Cli, server: Server, words: tuple[str, ...], word: str) -> None:
    """What destroys many things wants one word for all; the refusal has the whole command."""
    asked = cli(*words, stdin=b"a\nb\n")
    assert (asked.code, server.seen) == (5, [])
    suggested = asked.error["next"][0]["command"]
    assert suggested.endswith(f"--confirm {word}")
    assert all(part in suggested for part in words if part not in ("{app}", "/apps/{app}", "/x/{app}"))
    server.play(answer(APP), answer(APP))
    assert cli(*words, "--confirm", word, stdin=b"a\nb\n").code == 0


def test_a_resumed_run_repeats_no_finished_write(cli: Cli, server: Server) -> None:
    """What an earlier run has done is not done again, whatever lines came or went since; what failed is."""
    server.play(answer(APP, 201), answer({"id": "invalid_params", "message": "no"}, 422), answer(APP, 201))
    assert cli(*WRITE, "--resume", "j", stdin=b"app-one\napp-two\napp-three\n").code == 1
    server.play(answer(APP, 201), answer(APP, 201))
    again = cli(*WRITE, "--resume", "j", stdin=b"app-nil\napp-three\napp-two\napp-one\n")
    assert (again.code, [one.json["name"] for one in server.seen[3:]]) == (0, ["app-nil", "app-two"])
    assert Path("j").stat().st_mode & 0o077 == 0
    assert "app-one" not in Path("j").read_text()


def test_like_inputs_are_told_apart(cli: Cli, server: Server) -> None:
    """Two lines that are the same are two inputs, each done once."""
    server.play(answer(APP, 201), answer(APP, 201), answer(APP, 201))
    cli(*WRITE, "--resume", "j", stdin=b"a-1\na-1\n")
    cli(*WRITE, "--resume", "j", stdin=b"a-1\na-1\na-1\n")
    assert len(server.seen) == 3


def test_an_unknown_write_is_never_begun_again(cli: Cli, server: Server) -> None:
    """A write whose outcome is unknown stays so in a resumed run: exit 8 in its line, with the read that tells."""
    server.play(RESET_READ)
    cli(*WRITE, "--resume", "j", stdin=b"a-1\n")
    again = cli(*WRITE, "--resume", "j", stdin=b"a-1\n")
    assert (again.lines[0]["exit"], len(server.seen)) == (8, 1)
    assert "action run list-apps" in again.lines[0]["error"]["next"][0]["command"]


def test_a_killed_run_goes_on(server: Server) -> None:
    """A run that was killed leaves a journal by which what it had begun is not begun again, and the rest is done."""
    server.play(answer(APP, 201), HANG, answer(APP, 201))
    words = command((*WRITE, "--resume", "j"))
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()) as running:
        assert running.stdin is not None
        running.stdin.write(b"a-1\na-2\na-3\n")
        running.stdin.close()
        server.wait_seen(2)
        running.send_signal(signal.SIGKILL)
    done = subprocess.run(words, input=b"a-1\na-2\na-3\n", capture_output=True, env=environment(), timeout=60, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted((line["index"], line.get("exit", 0)) for line in lines) == [(1, 8), (2, 0)]
    assert [one.json["name"] for one in server.seen] == ["a-1", "a-2", "a-3"]


def test_an_interruption_lets_what_is_under_way_end(server: Server) -> None:
    """Ctrl-C begins nothing more, and the outcome of what is under way is noted; a second one ends at once."""
    server.rest = HANG
    words = command((*WRITE, "--resume", "j", "--timeout", "60"))
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    ) as running:
        assert running.stdin is not None
        assert running.stderr is not None
        running.stdin.write(b"a-1\na-2\na-3\n")
        running.stdin.close()
        server.wait_seen()
        running.send_signal(signal.SIGINT)
        assert running.stderr.readline() == b"waiting for what is under way; a second interruption does not\n"
        running.send_signal(signal.SIGINT)
        assert running.wait(20) == 130
    assert len(server.seen) == 1


@pytest.mark.parametrize("content", ["a-1\na-2\n", '{"skillJournal": 9}\n', "{"])
def test_a_file_that_is_no_journal_is_left_alone(cli: Cli, content: str) -> None:
    """--resume with a file of something else, such as the inputs themselves, is refused, and the file stays as it is."""
    Path("f").write_text(content)
    assert cli(*WRITE, "--resume", "f", "--sandbox", stdin=b"a-1\n").code == 2
    assert Path("f").read_text() == content


def test_a_torn_journal_loses_its_last_line_alone(cli: Cli, server: Server) -> None:
    """Half a line that a crash left is passed over, and what is noted after it is read."""
    server.play(*(answer(APP, 201) for _ in range(2)))
    cli(*WRITE, "--resume", "j", stdin=b"a-1\n")
    with Path("j").open("a") as file:
        file.write('{"mark": "x"')
    cli(*WRITE, "--resume", "j", stdin=b"a-2\n")
    assert cli(*WRITE, "--resume", "j", stdin=b"a-1\na-2\n").code == 0
    assert len(server.seen) == 2


def test_fields_query_and_cut_hold_for_every_line(cli: Cli, server: Server) -> None:
    """--fields, --jq and --max-bytes choose within each line, in its envelope; an agent's own cut never does."""
    server.rest = answer([{"id": str(place), "name": f"n{place}" * 20} for place in range(30)])
    words = ("action", "run", "list-domains", "--each", "-", "--set-from", "app")
    assert cli(*words, "--jq", "length", stdin=b"a\n").lines[0]["output"] == 30
    assert cli(*words, "--fields", "id", stdin=b"a\n").lines[0]["output"][1] == {"id": "1"}
    assert cli(*words, "--max-bytes", "600", stdin=b"a\n").lines[0]["page"]["truncated"]
    assert "page" not in cli(*words, stdin=b"a\n").lines[0]


def test_a_warning_of_many_is_said_once(cli: Cli, server: Server) -> None:
    """A warning that comes with every reply is on stderr once, and in every line."""
    server.rest = answer(APP, x_heroku_warning="old stack")
    done = cli(*READ, stdin=b"a\nb\nc\n")
    assert done.err.count("old stack") == 1
    assert all("old stack" in line["warnings"] for line in done.lines)


@pytest.mark.skipif(sys.platform == "win32", reason="needs the terminals of POSIX")
def test_a_terminal_sees_how_far_it_is(server: Server) -> None:
    """On a terminal a bar on stderr says how many of the inputs are done; stdout has the lines alone."""
    server.rest = answer(APP)
    Path("in").write_text("a\n" * 30)
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command(("action", "run", "get-app", "--each", "@in", "--set-from", "app")),
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=environment(),
    ) as running:
        os.close(theirs)
        out, _ = running.communicate(timeout=60)
    shown = shown_on(ours)
    assert len(out.splitlines()) == 30
    assert "of 30, 0 failed" in shown
    assert shown.endswith("30 done, 0 failed\r\n")
