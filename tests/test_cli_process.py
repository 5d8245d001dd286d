"""The command line as a process of its own: interruption, readers that go away, terminals, and odd words from outside."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import TOKEN, Cli, command, environment, shown_on
from tests.server import HANG, Server, answer, text

WRITE = ("action", "run", "create-app", "--set", "name=example-new")
posix = pytest.mark.skipif(sys.platform == "win32", reason="needs the signals and terminals of POSIX")


@posix
@pytest.mark.parametrize("words", [("action", "run", "list-apps"), WRITE], ids=["read", "write"])
def test_an_interruption_ends_a_hanging_call(server: Server, words: tuple[str, ...]) -> None:
    """Ctrl-C while a service hangs is exit 130, at most one line on stderr, and no traceback."""
    code, out, err = _interrupted(server, words)
    assert (code, out) == (130, b"")
    assert len(err.splitlines()) <= 1
    assert b"Traceback" not in err


@posix
def test_an_interruption_is_said(server: Server) -> None:
    """Ctrl-C says that the call was interrupted."""
    assert _interrupted(server, ("action", "run", "list-apps"))[2] == b"interrupted\n"


@posix
def test_an_interrupted_write_says_what_is_unknown(server: Server) -> None:
    """Ctrl-C while a write is on its way says that its outcome is unknown, with the read that tells."""
    said = _interrupted(server, WRITE)[2].decode()
    assert said.startswith("interrupted: whether it was done is unknown; look first: python -m skill action run list-apps")


def _interrupted(server: Server, words: tuple[str, ...]) -> tuple[int, bytes, bytes]:
    server.play(HANG)
    with subprocess.Popen(command(words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) as running:
        server.wait_seen()
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=30)
    return running.returncode, out, err


@posix
def test_a_reader_that_goes_away_is_no_error() -> None:
    """A reader that closes stdout early ends the program without a word."""
    done = subprocess.run(
        f"{shlex.join(command(['action', 'list']))} | head -c 1",
        shell=True,
        capture_output=True,
        env=environment(),
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == (b"{", b"")


@posix
def test_json_is_json_on_a_terminal_too() -> None:
    """On a terminal a list is a table, and with --json it is JSON."""
    shown = {flag: _on_a_terminal("action", "list", "--limit", "1", *flag) for flag in ((), ("--json",))}
    assert shown["--json",].startswith('{"items":[')
    assert "NAME" in shown[()].splitlines()[0]


def _on_a_terminal(*words: str) -> str:
    import pty

    ours, theirs = pty.openpty()
    with subprocess.Popen(command(words), stdout=theirs, stderr=subprocess.DEVNULL, env=environment()) as running:
        os.close(theirs)
        shown = shown_on(ours)
        running.wait(30)
    return shown


def test_the_program_runs_from_any_folder(process: Cli) -> None:
    """`python -m skill` runs from any folder, and a failure has its exit there too."""
    assert process("--version").code == 0
    done = process("action", "show", "nope")
    assert (done.code, done.error["code"], len(done.err.splitlines())) == (3, "no_such_action", 1)


def test_a_token_is_in_no_process_list(server: Server) -> None:
    """While a call runs, its command line holds no token."""
    server.play(HANG)
    with subprocess.Popen(
        command(("action", "run", "list-apps")), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    ) as running:
        server.wait_seen()
        listed = Path(f"/proc/{running.pid}/cmdline")
        seen = listed.read_bytes() if listed.exists() else b""
        running.kill()
        running.communicate()
    assert TOKEN.encode() not in seen


@pytest.mark.parametrize("where", [">&-", ">/dev/full"])
@pytest.mark.parametrize("words", [("action", "list"), ("action", "show", "nope")], ids=["list", "fault"])
def test_an_output_that_cannot_be_written_is_said(where: str, words: tuple[str, ...]) -> None:
    """A stdout that is closed or full is one line on stderr and a non-zero exit, without a traceback."""
    done = subprocess.run(
        f"{shlex.join(command(words))} {where}", shell=True, capture_output=True, env=environment(), timeout=60, check=False
    )
    assert done.returncode != 0
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "words", [("--set", "vars.A=\udcff"), ("--input", '{"app":"x","vars":{"\\ud800":"y"}}')], ids=["value", "name"]
)
def test_a_broken_character_is_not_a_bug(cli: Cli, words: tuple[str, ...]) -> None:
    """Half of a surrogate pair in the input is either sent escaped or refused, and never a bug of the program."""
    assert cli("action", "run", "update-config-vars", "--set", "app=x", *words, "--dry-run", "--reveal", "all").code in (0, 2)


def test_a_broken_character_in_a_reply_does_not_fail_a_write(cli: Cli, server: Server) -> None:
    """A write that was done is exit 0, also where the reply holds half of a surrogate pair."""
    server.play(text('{"name": "\\ud800"}', 201, "application/json"))
    assert cli(*WRITE).code == 0


def test_a_deep_reply_does_not_fail_a_write(cli: Cli, server: Server) -> None:
    """A write that was done is exit 0, also where the reply is nested deep."""
    server.play(text("[" * 700 + "]" * 700, 201, "application/json"))
    assert cli(*WRITE).code == 0


def test_what_is_printed_is_json(cli: Cli, server: Server) -> None:
    """A reply that holds NaN, which JSON has not, is not printed as if it were JSON."""
    server.rest = text('{"quantity": NaN}', 200, "application/json")
    assert "NaN" not in cli("request", "/x", "--timeout", "0.3").out


def test_a_line_break_in_a_name_makes_no_second_line(cli: Cli) -> None:
    """The line on stderr stays one, whatever the names in the input hold."""
    assert len(cli("action", "run", "get-app", "--input", '{"app":"x","a\\nb":1}').err.splitlines()) == 1


@pytest.mark.parametrize("words", [("run", "list-apps", "--dry-run"), ("show", "list-apps")])
def test_a_connection_that_does_not_exist_is_refused(cli: Cli, words: tuple[str, ...]) -> None:
    """A named connection that does not exist is an error everywhere."""
    assert cli("action", *words, "--connectionId", "nope").code == 2


@pytest.mark.parametrize(
    "words", [("/apps/example", "--sandbox"), ("sandbox", "/apps/example"), ("/apps/example", "--sandbox", "-H", "X-A: b")]
)
def test_a_confirmed_rehearsal_stays_a_rehearsal(cli: Cli, words: tuple[str, ...]) -> None:
    """The command that a refusal suggests is the whole one: a sandbox call stays in the sandbox, with its headers."""
    suggested = cli("request", "-X", "DELETE", *words).error["next"][0]["command"]
    assert "sandbox" in suggested
    assert ("-H" in words) == ("-H" in suggested)


def test_the_suggested_command_keeps_its_options(cli: Cli, tmp_path: Path) -> None:
    """The command that a refusal suggests keeps the options that it needs."""
    (tmp_path / "own/heroku").mkdir(parents=True)
    (tmp_path / "own/heroku/x.yaml").write_text(
        "actions:\n  delete-thing:\n    title: Delete Thing\n    about: Deletes the thing for good.\n"
        "    asks: [drop the thing, remove thing, thing away please, kill the thing, no more thing]\n"
        "    request: DELETE /apps/{app}/thing\n"
    )
    done = cli("action", "run", "delete-thing", "--set", "app=x", "--sandbox", "--actions", str(tmp_path / "own"))
    assert done.code == 5
    assert "--actions" in done.error["next"][0]["command"]


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "zzz://x"])
def test_an_unusable_proxy_is_named(cli: Cli, server: Server, monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    """A proxy variable that cannot be used is the user's to mend, and no bug of the program."""
    monkeypatch.setenv("ALL_PROXY", proxy)
    monkeypatch.setenv("HEROKU_HOST", "heroku.com")
    assert cli("action", "run", "list-apps", "--timeout", "0.3").code in (2, 6)


@pytest.mark.parametrize("origin", ["https://API.heroku.com", "https://api.heroku.com:443"])
def test_a_host_written_otherwise_is_the_same(cli: Cli, origin: str) -> None:
    """A raw request to our own host, in capitals or with its port, is the action that it matches."""
    assert cli("request", f"{origin}/apps/x/config-vars", "--dry-run").json["plan"]["action"] == "get-config-vars"


@pytest.mark.parametrize("path", ["https://[", "//[", "//\uff0f", "https://api.heroku.com]/"])
def test_a_path_with_a_bracket_is_refused(cli: Cli, path: str) -> None:
    """A path that is no address is refused like any other."""
    assert cli("request", path, "--dry-run").code == 2


def test_a_suggested_command_names_the_program_once(process: Cli) -> None:
    """Called as `python -m skill`, a usage error suggests a command that can be typed."""
    assert process("action", "nope").error["next"][0]["command"] == "python -m skill action --help"


def test_a_deep_input_is_refused(cli: Cli) -> None:
    """An input nested deep is refused."""
    assert cli("action", "run", "get-app", "--dry-run", "--input", '{"app":' + "[" * 400 + "]" * 400 + "}").code == 2


@posix
def test_a_named_pipe_is_not_waited_for() -> None:
    """An @file that is a named pipe is refused at once."""
    os.mkfifo("pipe")
    done = subprocess.run(
        command(("action", "run", "list-apps", "--dry-run", "--input", "@pipe")),
        capture_output=True,
        env=environment(),
        timeout=3,
        check=False,
    )
    assert done.returncode == 2


def test_a_number_is_written_as_in_json(cli: Cli) -> None:
    """--set takes a number as JSON writes it."""
    done = cli(
        "action", "run", "update-formation", "--set", "app=x", "--set", "formation=web", "--set", "quantity=1_0", "--dry-run"
    )
    assert done.code == 2


def test_a_strict_failure_keeps_the_reply(cli: Cli, server: Server) -> None:
    """Under --strict a reply that differs from its schema is printed beside the error."""
    server.play(answer({"id": 5}))
    assert cli("action", "run", "get-app", "--set", "app=x", "--strict").json["output"] == {"id": 5}


@pytest.mark.parametrize("seconds", ["nan", "inf", "-1"])
def test_a_limit_is_a_number_of_seconds(cli: Cli, seconds: str) -> None:
    """--timeout takes a span within its range, and NaN is none."""
    assert cli("action", "list", "--timeout", seconds).code == 2


def test_a_suggested_request_is_whole_and_holds_no_secret(cli: Cli) -> None:
    """The command that confirms a raw request has its headers and its body's file, and the secrets of neither."""
    headers = ("-H", "X-Trace: 1", "-H", "X-Api-Key: hunter2")
    body = ("--query", "u=postgres://a:hunter2@h", "-d", '{"password":"hunter2"}')
    done = cli("request", "-X", "DELETE", "/apps/example", *headers, *body, "--rawData", "--sandbox")
    assert done.code == 5
    suggested = shlex.split(done.error["next"][0]["command"])
    assert {"X-Trace: 1", "X-Api-Key: [masked]", "@FILE", "--rawData", "--sandbox"} <= set(suggested)
    assert "hunter2" not in done.out + done.err


def test_this_machine_is_no_host_of_a_service(cli: Cli) -> None:
    """A raw request to this machine is refused where no variable moved the service there."""
    assert cli("request", "https://localhost:8443/x", "--dry-run").error["code"] == "host_not_allowed"


def test_a_next_step_keeps_the_folder_of_actions(cli: Cli, tmp_path: Path) -> None:
    """What is suggested for a key that is not known has the folder of actions in which it may be."""
    (tmp_path / "own/heroku").mkdir(parents=True)
    (tmp_path / "own/heroku/x.yaml").write_text("actions: {}\n")
    done = cli("action", "show", "list-app", "--actions", str(tmp_path / "own"))
    assert done.code == 3
    assert all(f"--actions {tmp_path / 'own'}" in step["command"] for step in done.error["next"])
