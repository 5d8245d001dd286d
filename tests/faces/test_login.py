"""The command line of sign-in: at a terminal, in a pipe, and what it says."""

import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.conftest import Cli, command, environment
from tests.identity import FULL, Identity, browse, standing
from tests.terminal import Terminal

BROWSER = """#!/bin/sh
printf '%s\\n' "$1" >"$TEST_OPENED"
printf 'key=%s\\n' "$HEROKU_API_KEY$SKILL_OAUTH_CLIENT_SECRET" >>"$TEST_OPENED"
"""


@pytest.fixture(autouse=True)
def no_keychain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the keychain of this machine away, by keyring's own configuration."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "WSL_DISTRO_NAME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def identity(monkeypatch: pytest.MonkeyPatch) -> Iterator[Identity]:
    """The stand-in, in Heroku's place."""
    with standing() as identity:
        for name in ("HEROKU_HOST", "HEROKU_LOGIN_HOST", "SKILL_ID_HOST"):
            monkeypatch.setenv(name, identity.url)
        yield identity


def at_terminal(*words: str, env: Mapping[str, str] | None = None) -> Terminal:
    """Run the command line at a terminal."""
    return Terminal(command(words), environment(dict(env or {})))


def netrc(home: Path, token: str) -> None:
    path = home / ".netrc"
    path.write_text(f"machine api.heroku.com login cli@example.com password {token}\n")
    path.chmod(0o600)


def test_at_a_terminal_the_session_of_the_heroku_cli_is_offered(identity: Identity, home: Path) -> None:
    """A session of the Heroku CLI is offered first, and an empty answer takes it."""
    netrc(home, identity.issue())
    terminal = at_terminal("login")
    terminal.until(r"Use .*\.netrc \(cli@example\.com\)\? \[Y/n\]")
    terminal.type("")
    assert terminal.end() == 0
    assert "READY" in terminal.shown
    assert identity.count("POST", "/auth") == 0


def test_an_offer_that_is_declined_goes_to_the_browser(identity: Identity, home: Path) -> None:
    """Where the offer is declined the address of the browser sign-in is shown, and the person finishes it there."""
    netrc(home, identity.issue())
    terminal = at_terminal("login")
    terminal.until(r"\[Y/n\]")
    terminal.type("n")
    url = terminal.until(r"http://\S+/auth/browser/\w+")[0]
    browse(url, "Log In")
    assert terminal.end() == 0
    assert "READY" in terminal.shown
    assert "unofficial" in terminal.shown


def test_on_a_machine_with_a_browser_it_opens(identity: Identity, tmp_path: Path) -> None:
    """The browser that the machine names is opened with the address, and finds no secret in its environment."""
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(BROWSER)
    browser.chmod(0o755)
    env = {"BROWSER": f"{browser} %s &", "TEST_OPENED": str(opened), "HEROKU_API_KEY": "HRKU-nobodysnobodysnobodys"}
    terminal = at_terminal("login", "--using", "browser", env=env)
    url = terminal.until(r"http://\S+/auth/browser/\w+")[0]
    browse(url, "Log In")
    assert terminal.end() == 0
    assert opened.read_text().splitlines() == [url, "key="]


def test_without_a_browser_the_address_is_pasted_back(identity: Identity) -> None:
    """With a client of one's own and no browser, a person pastes the address at which the browser ended elsewhere."""
    identity.redirect = "http://localhost:1/callback"
    env = {
        "SKILL_OAUTH_CLIENT_ID": "client-id-1",
        "SKILL_OAUTH_CLIENT_SECRET": "client-secret-1",
        "SKILL_OAUTH_REDIRECT_URI": identity.redirect,
    }
    terminal = at_terminal("login", env=env)
    url = terminal.until(r"http://\S+/oauth/authorize\?\S+")[0]
    _, address = browse(url, "Allow Access")
    terminal.until("paste")
    terminal.type(address)
    assert terminal.end() == 0
    assert "READY" in terminal.shown


def test_a_taken_port_leaves_the_pasting(identity: Identity) -> None:
    """With the registered port taken a person at a browser of this machine pastes the address that it ended at."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        identity.redirect = f"http://localhost:{taken.getsockname()[1]}/callback"
        env = {
            "SKILL_OAUTH_CLIENT_ID": "client-id-1",
            "SKILL_OAUTH_CLIENT_SECRET": "client-secret-1",
            "SKILL_OAUTH_REDIRECT_URI": identity.redirect,
            "BROWSER": "true",
        }
        terminal = at_terminal("login", env=env)
        url = terminal.until(r"http://\S+/oauth/authorize\?\S+")[0]
        terminal.until("paste")
    _, address = browse(url, "Allow Access")
    terminal.type(address)
    assert terminal.end() == 0
    assert "READY" in terminal.shown


def test_at_a_terminal_without_a_browser_it_says_what_to_do(identity: Identity) -> None:
    """`--no-browser` at a terminal prints the address and the command that finishes, and ends."""
    terminal = at_terminal("login", "--no-browser")
    assert terminal.end() == 0
    assert re.search(r"Open: http://\S+/auth/browser/\w+\s+Then: .*login complete", terminal.shown)
    assert "unofficial" in terminal.shown


def test_a_token_typed_at_a_terminal_is_not_shown(identity: Identity) -> None:
    """`--token-stdin` at a terminal reads the token unseen."""
    token = identity.issue()
    terminal = at_terminal("login", "--token-stdin")
    terminal.until("Token: ")
    terminal.type(token)
    assert terminal.end() == 0
    assert token not in terminal.shown
    assert "READY" in terminal.shown


@pytest.mark.parametrize("words", [("login",), ("login", "--json"), ("login", "start"), ("login", "--no-browser")])
def test_without_a_terminal_nothing_is_asked(cli: Cli, identity: Identity, home: Path, words: tuple[str, ...]) -> None:
    """Without a terminal the session of the Heroku CLI is simply taken."""
    netrc(home, identity.issue())
    done = cli(*words)
    assert (done.code, done.json["state"], done.json["kind"]) == (0, "READY", "netrc")


def test_signing_in_twice_does_nothing(cli: Cli, identity: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a credential is there and accepted, `login` says so and begins nothing."""
    monkeypatch.setenv("HEROKU_API_KEY", FULL)
    assert cli("login").json["state"] == "READY"
    assert identity.count("POST", "/auth") == 0


@pytest.mark.parametrize("words", [("login", "--using", "browser"), ("login", "--token-stdin")], ids=" ".join)
def test_a_variable_that_comes_first_is_told_of(
    cli: Cli, identity: Identity, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """A sign-in that HEROKU_API_KEY would hide says so."""
    monkeypatch.setenv("HEROKU_API_KEY", "HRKU-nobodysnobodysnobodys")
    done = cli(*words, stdin=FULL.encode())
    assert (done.code, "HEROKU_API_KEY is set" in done.err) == (0, True)


@pytest.mark.parametrize(
    "words",
    [("login", "nonsense"), ("login", "complete", "a", "b"), ("login", "--using", "magic"), ("login", "--expires", "8h"),
     ("login", "--service", "nobody"), ("login", "--scope", "reed"), ("login", "--using", "client"),
     ("login", "--connectionId", "nobody")],
    ids=" ".join,
)  # fmt: skip
def test_a_wrong_use_is_exit_2(cli: Cli, identity: Identity, words: tuple[str, ...]) -> None:
    """Words and options that make no sense are exit 2, and nothing is asked of the service's identity server."""
    assert cli(*words).code == 2
    assert identity.count("POST", "/auth") == 0


def test_no_option_takes_a_token(cli: Cli) -> None:
    """A token is never an argument: no option of `login` takes one, and a word that looks like one is not taken."""
    assert not re.search(r"--token\b(?!-stdin)", cli("login", "--help").out)
    assert cli("login", "HRKU-abcabcabcabcabcabcabcabcabc").code == 2


def test_the_flow_of_other_programs_works_unchanged(cli: Cli, identity: Identity) -> None:
    """Log in, ensure, wait, list by intent and run, as an agent written for another program does it."""
    assert cli("login", "--tenant", "--clientName=openclaw", "--json").json["clientAction"]["type"] == "connect"
    made = cli("connection", "ensure", "https://www.heroku.com/", "--json").json
    person = threading.Timer(0.3, browse, (made["clientAction"]["uiUrl"], "Log In"))
    person.start()
    ready = cli("connection", "get", made["id"], "--wait", "--timeout", "20", "--json")
    person.join()
    assert ready.json["state"] == "READY"
    found = cli("action", "list", f"--connectionId={made['id']}", "--intent", "show one app", "--limit", "3", "--json").json
    assert len(found["items"]) == 3
    ran = cli("action", "run", "get-app", f"--connectionId={made['id']}", "--input", '{"app":"example"}', "--json")
    assert (ran.code, ran.json["output"]["name"]) == (0, "example")


def check(cli: Cli, name: str, *words: str) -> Mapping[str, str]:
    done = cli("doctor", *words)
    found: dict[str, str] = next(one for one in done.json["checks"] if one["check"] == name)
    assert done.code == (0 if done.json["ok"] else 1)
    return found


def test_the_doctor_finds_nothing_wrong(cli: Cli, identity: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a credential that is accepted every check is in order, and the service was really asked."""
    monkeypatch.setenv("HEROKU_API_KEY", FULL)
    done = cli("doctor")
    assert (done.code, done.json["ok"]) == (0, True), done.out
    assert {one["check"] for one in done.json["checks"]} == {
        "python",
        "catalog",
        "index",
        "host",
        "proxy",
        "files",
        "keychain",
        "path",
        "network",
        "clock",
        "credential",
    }
    assert identity.count("GET", "/account/rate-limits") == 1


@pytest.mark.parametrize(("skew", "word"), [(3600, "behind"), (-3600, "ahead")])
def test_the_doctor_sees_a_wrong_clock(
    cli: Cli, identity: Identity, monkeypatch: pytest.MonkeyPatch, skew: float, word: str
) -> None:
    """A clock an hour off the service's is wrong, exit 1."""
    monkeypatch.setenv("HEROKU_API_KEY", FULL)
    identity.clock_s = skew
    assert (check(cli, "clock")["status"], word in check(cli, "clock")["found"]) == ("wrong", True)


WRONGS: list[tuple[str, dict[str, str], str]] = [
    ("credential", {}, "login"),
    ("credential", {"HEROKU_API_KEY": "HRKU-nobodysnobodysnobodys"}, "login"),
    ("host", {"HEROKU_HOST": "evil.com"}, "HEROKU_HOST"),
    ("proxy", {"HTTPS_PROXY": "nonsense", "NO_PROXY": "*"}, "HTTPS_PROXY"),
]


@pytest.mark.parametrize(("name", "env", "mend"), WRONGS, ids=[f"{one[0]}-{index}" for index, one in enumerate(WRONGS)])
def test_every_finding_has_its_mend(
    cli: Cli, identity: Identity, monkeypatch: pytest.MonkeyPatch, name: str, env: dict[str, str], mend: str
) -> None:
    """What is wrong comes with what mends it."""
    for variable, value in env.items():
        monkeypatch.setenv(variable, value)
    words = ("--offline",) if name == "proxy" else ()
    found = check(cli, name, *words)
    assert (found["status"], mend in found["mend"]) == ("wrong", True)


def test_the_doctor_does_not_judge_a_credential_while_the_service_is_down(
    cli: Cli, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outage says nothing of the credential: it is neither accepted nor refused."""
    monkeypatch.setenv("HEROKU_API_KEY", FULL)
    identity.down = True
    found = check(cli, "credential")
    assert (found["status"], "503" in found["found"], bool(found["mend"])) == ("note", True, True)


def test_the_doctor_offline_says_where_the_credential_lies(cli: Cli, identity: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    """Offline nobody is asked, and the source of the credential is said."""
    monkeypatch.setenv("HEROKU_API_KEY", FULL)
    found = check(cli, "credential", "--offline")
    assert (found["status"], "HEROKU_API_KEY" in found["found"]) == ("ok", True)
    assert not identity.seen


def test_the_doctor_without_a_network_has_a_mend_for_all(cli: Cli, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """With everything broken at once every finding that is wrong still has its mend."""
    monkeypatch.setenv("HEROKU_HOST", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "")
    (home / "config" / "heroku-skill" / "connections").mkdir(parents=True, mode=0o700)
    (home / "config" / "heroku-skill" / "connections" / "connections.json").write_text("{")
    (home / "config" / "heroku-skill" / "connections" / "connections.json").chmod(0o600)
    done = cli("doctor")
    wrong = [one for one in done.json["checks"] if one["status"] == "wrong"]
    assert {"files", "network", "credential"} <= {one["check"] for one in wrong}
    assert all(one.get("mend") for one in wrong)


def test_the_doctor_sees_files_that_others_may_read(cli: Cli, identity: Identity, home: Path) -> None:
    """A netrc file that others may read is wrong, and the mend is the chmod."""
    netrc(home, FULL)
    (home / ".netrc").chmod(0o644)
    found = [one for one in cli("doctor", "--offline").json["checks"] if one["check"] == "files" and one["status"] == "wrong"]
    assert found[0]["mend"] == f"chmod 600 {home / '.netrc'}"


@pytest.mark.parametrize(
    ("content", "ours"), [("#!/bin/sh\nkill $1", False), ("#!/usr/bin/python\nfrom skill.faces.cli import main\n", True)]
)
def test_the_doctor_sees_another_skill(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, ours: bool
) -> None:
    """Another program called `skill` that comes first on PATH is told of; our own is not."""
    other = tmp_path / "skill"
    other.write_text(content)
    other.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr("sys.argv", ["skill"])
    found = check(cli, "path", "--offline")
    assert found["status"] == ("ok" if ours else "wrong")


def test_the_doctor_hides_the_proxys_password(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy is named without its user and password."""
    monkeypatch.setenv("HTTPS_PROXY", "http://me:pa55@proxy.example:3128")
    done = cli("doctor", "--offline")
    assert "proxy.example:3128" in done.out
    assert "pa55" not in done.out


@pytest.mark.parametrize("words", [("whoami",), ("login",), ("doctor",)], ids=" ".join)
def test_the_sandbox_needs_no_sign_in(cli: Cli, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    """Under --sandbox nobody signs in and no credential is read."""
    monkeypatch.setenv("HEROKU_HOST", "http://127.0.0.1:1")
    done = cli(*words, "--sandbox")
    assert done.code == 0, done.out


def test_people_get_words(identity: Identity, home: Path) -> None:
    """At a terminal every command answers in words, not JSON."""
    netrc(home, identity.issue())
    shown: Callable[[str], str] = str
    for words, wanted in (
        (("whoami",), "source"),
        (("connection", "list"), "READY"),
        (("doctor",), "credential"),
        (("logout",), "Nothing is kept here"),
    ):
        terminal = at_terminal(*words)
        terminal.end()
        assert wanted in shown(terminal.shown)
        assert "{" not in terminal.shown
