"""The command line: every bad input has its exit, its envelope and one line; every form of input and option works."""

import json
import subprocess
from pathlib import Path

import pytest

from skill import __version__
from tests.conftest import TOKEN, Cli, Outcome
from tests.server import Server, answer

RUN = ("action", "run")
GET = (*RUN, "get-app", "--dry-run", "--input")
BAD: dict[str, tuple[int, str, tuple[str, ...]]] = {
    "unknown command": (2, "usage", ("acton",)),
    "unknown subcommand": (2, "usage", ("action", "nope")),
    "no command": (2, "usage", ()),
    "no subcommand": (2, "usage", ("action",)),
    "unknown option": (2, "usage", ("action", "list", "--nope")),
    "option without its value": (2, "usage", ("action", "list", "--limit")),
    "a limit that is no number": (2, "usage", ("action", "list", "--limit", "x")),
    "a timeout of nothing": (2, "usage", ("action", "list", "--timeout", "0")),
    "key missing": (2, "usage", ("action", "show")),
    "two keys": (2, "usage", ("action", "show", "list-apps", "get-app")),
    "unknown key": (3, "no_such_action", ("action", "show", "list-app")),
    "unknown key to run": (3, "no_such_action", (*RUN, "nope", "--input", "{}")),
    "unknown key in odd letters": (3, "no_such_action", ("action", "show", "\u202e\x1b[2Jx\ny")),
    "broken JSON": (2, "bad_json", (*GET, '{"app":')),
    "empty JSON": (2, "bad_json", (*GET, "")),
    "NaN": (2, "bad_json", (*GET, '{"app": NaN}')),
    "JSON nested too deep": (2, "bad_json", (*GET, "[" * 100_000)),
    "JSON that is no object": (2, "bad_input", (*GET, "[]")),
    "JSON that is null": (2, "bad_input", (*GET, "null")),
    "a file that is not there": (2, "no_such_file", (*GET, "@missing")),
    "a folder": (2, "no_such_file", (*GET, "@.")),
    "a file without a name": (2, "no_such_file", (*GET, "@")),
    "a name with a NUL": (2, "no_such_file", (*GET, "@a\x00b")),
    "a device": (2, "no_such_file", (*GET, "@/dev/zero")),
    "empty standard input": (2, "bad_json", (*GET, "-")),
    "unknown property": (2, "bad_input", (*GET, '{"app":"x","ap":"y"}')),
    "wrong type": (2, "bad_input", (*GET, '{"app":5}')),
    "missing required": (2, "bad_input", (*GET, "{}")),
    "an empty path value": (2, "bad_input", (*GET, '{"app":""}')),
    "a path value that climbs": (2, "bad_input", (*GET, '{"app":"../x"}')),
    "a pair that is none": (2, "bad_input", (*RUN, "get-app", "--set", "app")),
    "a pair without a name": (2, "bad_input", (*RUN, "get-app", "--set", "=x")),
    "no credential": (4, "not_signed_in", (*RUN, "list-apps")),
    "no credential for a request": (4, "not_signed_in", ("request", "/apps")),
    "a path that is none": (2, "bad_input", ("request", "apps")),
    "a host of others": (2, "host_not_allowed", ("request", "https://evil.com/apps")),
    "too many words": (2, "bad_input", ("request", "heroku", "/apps", "/more")),
    "an unknown connection": (2, "no_such_connection", ("request", "nope", "/apps")),
    "an unknown connection to list": (2, "no_such_connection", ("action", "list", "--connectionId", "nope")),
    "an unknown method": (2, "bad_input", ("request", "/apps", "-X", "BREW")),
    "a header that is none": (2, "bad_input", ("request", "/apps", "-H", "nope")),
    "a header of two lines": (2, "bad_input", ("request", "/apps", "-H", "a: b\r\nc: d")),
    "a query that is none": (2, "bad_input", ("request", "/apps", "--query", "x")),
    "an open parameter": (2, "bad_input", ("request", "/apps/{app}")),
    "a parameter that climbs": (2, "bad_input", ("request", "/apps/{app}", "--pathParam", "app=..")),
    "an actions folder that is not there": (2, "bad_input", ("action", "list", "--actions", "/nowhere")),
}


def is_refusal(done: Outcome, code: int, name: str) -> None:
    """Hold an outcome against what every refusal has: its exit, one envelope on stdout, one line on stderr."""
    assert (done.code, done.error["code"]) == (code, name), done
    assert (len(done.out.splitlines()), len(done.err.splitlines())) == (1, 1), done
    assert done.err.startswith("error: ")
    assert "Traceback" not in done.err
    assert done.error["message"]
    assert done.error["retryable"] is False


@pytest.mark.parametrize(("code", "name", "words"), BAD.values(), ids=BAD)
def test_a_bad_call_is_refused(cli: Cli, code: int, name: str, words: tuple[str, ...]) -> None:
    """A bad call has the exit of the table, the envelope on stdout, exactly one line on stderr, and no traceback."""
    is_refusal(cli(*words), code, name)


def test_the_mend_is_named(cli: Cli) -> None:
    """A refused input names what was meant, shows the action and rehearses the example, all as whole commands."""
    error = cli(*GET, '{"app":"x","ap":"y"}').error
    assert error["problems"] == [{"where": "/ap", "what": "unknown property; did you mean 'app'?"}]
    assert [" action show get-app" in one["command"] or "--dry-run" in one["command"] for one in error["next"]] == [True, True]


def test_a_file_is_never_quoted(cli: Cli) -> None:
    """A file that is no JSON is refused without a word of what is in it."""
    Path("secret").write_text("s3cr3t: hunter2")
    done = cli(*GET, "@secret")
    is_refusal(done, 2, "bad_json")
    assert "s3cr3t" not in done.out + done.err
    assert "hunter2" not in done.out + done.err


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_a_flag_stands_before_or_after(cli: Cli, place: int) -> None:
    """A shared option works before, between and after the words of a command."""
    words = ["action", "run", "get-config-vars", "--set", "app=x", "--dry-run", "--set", "ap=y"]
    words.insert(place, "--allow-unknown")
    assert cli(*words).code == 0
    assert cli(*[word for word in words if word != "--allow-unknown"]).code == 2


def test_input_comes_from_a_file_or_standard_input(cli: Cli) -> None:
    """--input reads JSON, @FILE and - alike."""
    Path("input.json").write_text('{"app":"shop"}')
    urls = [cli(*GET, given, stdin=b'{"app":"shop"}').json["plan"]["url"] for given in ('{"app":"shop"}', "@input.json", "-")]
    assert urls == ["https://api.heroku.com/apps/shop"] * 3


@pytest.mark.parametrize(
    ("key", "pairs", "body"),
    [
        ("update-formation", ("app=x", "formation=web", "quantity=2"), {"quantity": 2}),
        ("update-app", ("app=x", "maintenance=true"), {"maintenance": True}),
        (
            "update-config-vars",
            ("app=x", "vars.A=1", "vars.B=a=b", "vars.C=null", "vars.D="),
            {"A": "1", "B": "a=b", "C": None, "D": ""},
        ),
        ("create-app", ("name=example-new", 'feature_flags=["a"]'), {"name": "example-new", "feature_flags": ["a"]}),
        (
            "create-domain",
            ("app=x", "hostname=true.example.com", "sni_endpoint=null"),
            {"hostname": "true.example.com", "sni_endpoint": None},
        ),
    ],
)
def test_a_pair_has_the_type_of_its_input(cli: Cli, key: str, pairs: tuple[str, ...], body: object) -> None:
    """--set gives each value the type that the action's schema wants, and reaches into a free-form object."""
    words = [word for pair in pairs for word in ("--set", pair)]
    assert cli(*RUN, key, *words, "--dry-run", "--reveal", "all").json["plan"]["body"] == body


def test_a_pair_beats_the_input(cli: Cli) -> None:
    """--set comes after --input and beats it."""
    assert cli(*GET, '{"app":"a"}', "--set", "app=b").json["plan"]["url"].endswith("/apps/b")


def test_the_app_is_taken_from_where_it_is_named(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """The app comes from the input, else -a, else HEROKU_APP, else the folder's git remote, and the last two are said."""
    words = (*RUN, "list-dynos", "--dry-run")

    def app(*more: str) -> tuple[str, str]:
        done = cli(*words, *more)
        return done.json["plan"]["url"].split("/")[4], done.err.strip()

    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", "remote", "add", "heroku", "https://git.heroku.com/from-git.git"], check=True)
    assert app() == ("from-git", "note: app 'from-git' taken from the git remote of this folder")
    monkeypatch.setenv("HEROKU_APP", "from-env")
    assert app() == ("from-env", "note: app 'from-env' taken from HEROKU_APP")
    assert app("-a", "from-flag") == ("from-flag", "")
    assert app("-a", "from-flag", "--set", "app=from-input") == ("from-input", "")


@pytest.mark.parametrize(
    "urls",
    [
        ["https://git.heroku.com/one.git", "git@heroku.com:two.git"],
        ["https://github.com/me/one.git"],
        ["https://evil.com/git.heroku.com/x.git"],
    ],
)
def test_a_remote_that_does_not_name_one_app_is_not_used(cli: Cli, urls: list[str]) -> None:
    """Two Heroku remotes, or a remote elsewhere, name no app."""
    subprocess.run(["git", "init", "-q"], check=True)
    for place, url in enumerate(urls):
        subprocess.run(["git", "remote", "add", f"r{place}", url], check=True)
    assert cli(*RUN, "list-dynos", "--dry-run").code == 2


def test_a_dry_run_needs_nobody(cli: Cli) -> None:
    """A dry run of a destroying action needs no credential and no confirmation, and names the one that the run will want."""
    done = cli(*RUN, "delete-app", "--set", "app=example", "--dry-run")
    assert (done.code, done.err, done.json["plan"]["risk"], done.json["plan"]["confirm"]) == (0, "", "destroy", "example")


def test_a_dry_run_is_what_is_sent(cli: Cli, server: Server) -> None:
    """The method, address and body of a dry run are those of the run."""
    words = (*RUN, "update-config-vars", "--input", '{"app":"example","vars":{"A":"é \\u0000"}}', "--reveal", "all")
    server.play(answer({}))
    plan = cli(*words, "--dry-run").json["plan"]
    cli(*words)
    assert (plan["method"], plan["url"], plan["body"]) == (
        server.seen[0].method,
        server.url + server.seen[0].path,
        server.seen[0].json,
    )


def test_the_list_is_whole_and_in_order(cli: Cli) -> None:
    """Without an intent all actions are listed in key order, with four facts each; --limit cuts, --limit 0 does not."""
    items = cli("action", "list").json["items"]
    assert [one["key"] for one in items] == sorted(one["key"] for one in items)
    assert len(items) >= 300
    assert set(items[0]) == {"key", "name", "description", "risk"}
    assert (
        len(cli("action", "list", "--limit", "3").json["items"]),
        len(cli("action", "list", "--limit", "0").json["items"]),
    ) == (3, len(items))


def test_show_and_get_are_one(cli: Cli) -> None:
    """`action get` is another name of `action show`."""
    assert cli("action", "show", "get-app").out == cli("action", "get", "get-app").out


@pytest.mark.parametrize(
    ("words", "method", "path", "body", "kind"),
    [
        (("/apps",), "GET", "/apps", b"", None),
        (("heroku", "/apps"), "GET", "/apps", b"", None),
        (("/x", "-d", '{"a": 1}'), "POST", "/x", b'{"a":1}', "application/json"),
        (("/x", "-d", '{"a": 1}', "-X", "put"), "PUT", "/x", b'{"a":1}', "application/json"),
        (("/x", "-d", "a b", "--rawData"), "POST", "/x", b"a b", None),
        (("/x", "-d", "@body", "--raw-data", "-H", "Content-Type: text/plain"), "POST", "/x", b"from file", "text/plain"),
        (("/x/{a}", "--pathParam", "a=b c", "--query", "q=1 2", "--query", "q=é"), "GET", "/x/b%20c?q=1+2&q=%C3%A9", b"", None),
    ],
)
def test_a_request_is_sent_as_it_is_written(
    cli: Cli, server: Server, words: tuple[str, ...], method: str, path: str, body: bytes, kind: str | None
) -> None:
    """A raw request takes its method, path, query, headers and body from the words of the command."""
    Path("body").write_bytes(b"from file")
    server.play(answer({}))
    assert cli("request", *words).code == 0
    seen = server.seen[0]
    assert (seen.method, seen.path, seen.body, seen.headers.get("content-type")) == (method, path, body, kind)


def test_the_head_of_a_reply_is_shown_masked(cli: Cli, server: Server) -> None:
    """-i gives the status and the headers, without the secret ones."""
    server.play(answer({"a": 1}, 201, set_cookie="s3cr3t", heroku_webhook_secret="s3cr3t", x_note=TOKEN, ratelimit_remaining="9"))
    done = cli("request", "/x", "-i")
    assert (done.json["status"], done.json["output"], done.json["headers"]["ratelimit-remaining"]) == (201, {"a": 1}, "9")
    assert "s3cr3t" not in done.out
    assert TOKEN not in done.out


def test_verbose_says_what_is_sent_on_stderr(cli: Cli, server: Server) -> None:
    """--verbose names the request on stderr, and stdout keeps the result alone."""
    server.play(answer({"id": "x"}))
    done = cli(*RUN, "get-app", "--set", "app=shop", "--verbose")
    assert f"GET {server.url}/apps/shop" in done.err
    assert TOKEN not in done.err
    assert "output" in done.json


def test_the_version_is_said(cli: Cli) -> None:
    """--version names the program and its version, wherever it stands."""
    assert cli("--version").out.startswith(f"heroku-skill {__version__} (")
    assert cli("action", "list", "--version").out == cli("--version").out


def test_help_lists_every_exit(cli: Cli) -> None:
    """The help text has the exit codes."""
    done = cli("--help")
    assert done.code == 0
    assert "Exit codes" in done.out
    assert "outcome is unknown" in done.out.replace("\n  ", " ")


@pytest.mark.parametrize(
    "words",
    [
        ("action",),
        ("action", "list"),
        ("action", "show"),
        ("action", "run"),
        ("request",),
        ("index", "build"),
        ("sandbox", "reset"),
    ],
)
def test_every_command_has_help(cli: Cli, words: tuple[str, ...]) -> None:
    """Every command says what it takes, with exit 0."""
    done = cli(*words, "--help")
    assert (done.code, done.err) == (0, "")
    assert "--json" in done.out


def test_a_suggested_command_is_typed_as_it_stands(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Suggested commands begin with the program as it was called."""
    monkeypatch.setenv("SKILL_PROGRAM", "./scripts/skill")
    assert all(one["command"].startswith("./scripts/skill action ") for one in cli("action", "show", "nope").error["next"])


@pytest.mark.parametrize("intent", ["", "   ", "?!…", "🙂🙂", "\n"])
def test_an_intent_that_says_nothing_is_refused(cli: Cli, intent: str) -> None:
    """An empty intent, or one of punctuation or emoji alone, is exit 2."""
    is_refusal(cli("action", "list", "--intent", intent), 2, "bad_input")


def test_json_can_be_read_back(cli: Cli) -> None:
    """Every action shown is one line of compact JSON."""
    shown = cli("action", "show", "update-config-vars")
    assert shown.out == json.dumps(shown.json, ensure_ascii=False, separators=(",", ":")) + "\n"


@pytest.mark.parametrize("more", [("--jq", "."), ("--format", "csv")], ids=" ".join)
def test_a_head_stands_beside_an_envelope_alone(cli: Cli, more: tuple[str, ...]) -> None:
    """-i beside what has no envelope is refused."""
    assert cli("request", "/apps", "-i", *more, "--sandbox").code == 2


@pytest.mark.parametrize("words", [("action", "run"), ("request", "/apps")], ids=" ".join)
def test_a_raw_request_takes_what_an_action_takes(cli: Cli, words: tuple[str, ...]) -> None:
    """Every option that shapes, limits, repeats, keeps or converges stands on `action run` and on `request` alike."""
    said = cli(*words, "--help").out
    shaping = ("--fields", "--jq", "--format", "--limit", "--max-bytes", "--order", "--sort", "--reveal", "--strict", "--timeout")
    running = ("--each", "--set-from", "--jobs", "--resume", "--dry-run", "--out", "--plan", "--confirm", "--two-factor-code")
    assert [option for option in (*shaping, *running, "--if-missing", "--missing-ok") if option not in said] == []
