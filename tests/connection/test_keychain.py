"""A real keychain: a Secret Service of its own, started for these tests and ended after them."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from skill.connection.keychain import SERVICE
from tests.conftest import Cli, Outcome, environment
from tests.identity import CLIENT_ID, CLIENT_SECRET, Identity, browse
from tests.terminal import Terminal

pytestmark = pytest.mark.keychain

RUN = ("action", "run", "get-app", "--input", '{"app":"example"}')
PROGRAMS = ("dbus-run-session", "dbus-send", "gnome-keyring-daemon", "secret-tool")
ACCOUNT = "cli@example.com"
# the daemon opens, or makes, the keyring with the password; the bus ends when this shell does, and the daemon with it
SESSION = (
    """printf pass | gnome-keyring-daemon --unlock --components=secrets >/dev/null && echo "$DBUS_SESSION_BUS_ADDRESS" && cat"""
)
LOCK = (
    "dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.secrets", "/org/freedesktop/secrets",
    "org.freedesktop.Secret.Service.Lock", "array:objpath:/org/freedesktop/secrets/collection/login",
)  # fmt: skip


class Keychain:
    """A Secret Service on a bus of its own; `env` makes a process find it."""

    def __init__(self, env: dict[str, str]) -> None:
        self._session = subprocess.Popen(
            ["dbus-run-session", "--", "sh", "-c", SESSION],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=env,
            text=True,
        )
        assert self._session.stdout is not None
        address = self._session.stdout.readline().strip()
        assert address, "the Secret Service did not start"
        self.env = {**env, "DBUS_SESSION_BUS_ADDRESS": address}

    def ask(self, *words: str, stdin: str = "") -> str:
        """Run a program against the keychain and give what it printed."""
        done = subprocess.run(words, input=stdin, env=self.env, text=True, capture_output=True, timeout=30, check=False)
        return done.stdout

    def lock(self) -> None:
        """Lock it, as a desktop does."""
        assert "collection/login" in self.ask(*LOCK)

    def holds(self, name: str) -> str:
        """Give what it holds under a connection's id, read by another program than ours."""
        return self.ask("secret-tool", "lookup", "service", SERVICE, "username", name)

    def close(self) -> None:
        """End the bus, and what is on it."""
        self._session.communicate(timeout=30)


@pytest.fixture
def desktop(home: Path, tmp_path: Path) -> Callable[[], dict[str, str]]:
    """Give the environment of a desktop session, in which keyring chooses for itself."""
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if missing or sys.platform != "linux":
        pytest.skip(f"a Secret Service needs Linux and {', '.join(missing or PROGRAMS)}")
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    env = environment({"XDG_RUNTIME_DIR": str(folder)})
    for name in ("PYTHON_KEYRING_BACKEND", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY"):
        env.pop(name, None)
    return lambda: dict(env)


@pytest.fixture
def secret_service(desktop: Callable[[], dict[str, str]]) -> Iterator[Keychain]:
    """A Secret Service with an open keyring."""
    keychain = Keychain(desktop())
    yield keychain
    keychain.close()


@pytest.fixture
def skill(identity: Identity, secret_service: Keychain) -> Callable[..., Outcome]:
    """Run the command line in a process of its own that finds the keychain."""
    return lambda *words, stdin=b"", env=None: call(words, stdin, env or secret_service.env)


def call(words: tuple[str, ...], stdin: bytes, env: dict[str, str]) -> Outcome:
    done = subprocess.run(
        [sys.executable, "-m", "skill", *words], input=stdin, capture_output=True, env=env, timeout=90, check=False
    )
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


def sign_in(skill: Cli, identity: Identity) -> tuple[str, str]:
    """Sign in with a token in hand; gives the token and the connection's id."""
    token = identity.issue()
    done = skill("login", "--token-stdin", stdin=token.encode())
    assert done.code == 0, done.out
    return token, done.json["id"]


def test_another_process_signs_with_what_is_kept(skill: Cli, identity: Identity, secret_service: Keychain, store: Path) -> None:
    """A token goes into the keychain and not the file, another process signs with it, and `doctor` names the keychain."""
    token, name = sign_in(skill, identity)
    assert json.loads(secret_service.holds(name)) == {"token": token}
    assert token not in store.read_text()
    assert skill(*RUN).code == 0
    found = next(one for one in skill("doctor").json["checks"] if one["check"] == "keychain")
    assert (found["status"], "SecretService" in found["found"]) == ("ok", True)


@pytest.mark.parametrize("words", [("logout",), ("connection", "delete")], ids=" ".join)
def test_what_is_forgotten_is_gone(skill: Cli, identity: Identity, secret_service: Keychain, words: tuple[str, ...]) -> None:
    """Signing out and deleting take the secret out of the keychain."""
    _, name = sign_in(skill, identity)
    assert skill(*words, *([name] if words[0] == "connection" else [])).code == 0
    assert secret_service.holds(name) == ""


def test_twenty_processes_renew_once(skill: Cli, identity: Identity, secret_service: Keychain, store: Path) -> None:
    """An OAuth token at its end is renewed once by twenty processes at a time, and the keychain holds the new one."""
    identity.redirect = "http://localhost:1/callback"
    client = {"SKILL_OAUTH_CLIENT_ID": CLIENT_ID, "SKILL_OAUTH_CLIENT_SECRET": CLIENT_SECRET}
    env = {**secret_service.env, **client, "SKILL_OAUTH_REDIRECT_URI": identity.redirect}
    _, address = browse(skill("login", env=env).json["clientAction"]["uiUrl"], "Allow Access")
    name = skill("login", "complete", address).json["id"]
    before = json.loads(secret_service.holds(name))
    assert not {before["token"], before["refresh"], CLIENT_SECRET} & set(store.read_text().split('"'))
    whole = json.loads(store.read_bytes())
    whole["entries"][0]["expires_at"] = time.time() - 1
    store.write_text(json.dumps(whole))
    with ThreadPoolExecutor(20) as pool:
        runs = [pool.submit(skill, *RUN) for _ in range(20)]
    assert [run.result().code for run in runs] == [0] * 20
    assert identity.refreshes == 1
    after = json.loads(secret_service.holds(name))
    assert (after["refresh"], after["token"] == before["token"]) == (before["refresh"], False)


def test_a_locked_keychain_is_said(skill: Cli, identity: Identity, secret_service: Keychain, home: Path) -> None:
    """What a locked keychain holds is not passed over for another credential: exit 4, with the mend, and nothing is lost."""
    _, name = sign_in(skill, identity)
    netrc = home / ".netrc"
    netrc.write_text(f"machine api.heroku.com login x password {identity.issue()}\n")
    netrc.chmod(0o600)
    secret_service.lock()
    done = skill(*RUN)
    assert (done.code, done.error["code"], "unlock" in done.error["hint"]) == (4, "keychain_locked", True)
    assert skill("connection", "get", name).json["error"]["code"] == "keychain_locked"
    found = next(one for one in skill("doctor").json["checks"] if one["check"] == "credential")
    assert (found["status"], "locked" in found["found"], "unlock" in found["mend"]) == ("wrong", True, True)


def test_an_opened_keychain_gives_what_it_held(
    identity: Identity, desktop: Callable[[], dict[str, str]], home: Path, store: Path
) -> None:
    """After the session has ended and a new one has opened the keyring, the kept credential signs again."""
    first = Keychain(desktop())
    token = identity.issue()
    assert call(("login", "--token-stdin"), token.encode(), first.env).code == 0
    first.lock()
    first.close()
    assert call(RUN, b"", first.env).error["code"] in {"keychain_locked", "keychain_empty"}
    again = Keychain(desktop())
    try:
        assert call(RUN, b"", again.env).code == 0
    finally:
        again.close()
    assert token not in store.read_text()


@pytest.mark.parametrize("words", [("logout",), ("connection", "delete")], ids=" ".join)
def test_what_a_locked_keychain_still_holds_is_said(
    skill: Cli, identity: Identity, secret_service: Keychain, words: tuple[str, ...]
) -> None:
    """A connection can be forgotten while the keychain is locked, and the entry that is left in it is named."""
    _, name = sign_in(skill, identity)
    secret_service.lock()
    done = skill(*words, *([name] if words[0] == "connection" else []))
    said = done.json["items"][0] if words == ("logout",) else done.json
    assert (done.code, f"{SERVICE} {name}" in said["left"]) == (0, True)
    assert skill("connection", "list").json == {"items": []}


def test_a_keychain_that_is_locked_from_the_start_leaves_the_file(
    skill: Cli, identity: Identity, secret_service: Keychain, store: Path
) -> None:
    """A sign-in while the keychain is locked waits for nobody: the secret goes to the user's own file."""
    secret_service.lock()
    token, _ = sign_in(skill, identity)
    assert token in store.read_text()
    assert store.stat().st_mode & 0o777 == 0o600
    assert skill(*RUN).code == 0


@pytest.mark.parametrize("address", ["", "unix:path=/nonexistent/bus"], ids=["no bus", "a bus that is gone"])
def test_without_a_secret_service_the_file_is_used(
    identity: Identity, desktop: Callable[[], dict[str, str]], store: Path, address: str
) -> None:
    """Where no keychain answers, as on a server, keyring itself finds none and the secret goes to the user's own file."""
    env = {**desktop(), "DBUS_SESSION_BUS_ADDRESS": address}
    token = identity.issue()
    assert call(("login", "--token-stdin"), token.encode(), env).code == 0
    assert token in store.read_text()
    assert (store.stat().st_mode & 0o777, store.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert call(RUN, b"", env).code == 0


@pytest.fixture
def heroku_cli(home: Path, identity: Identity, secret_service: Keychain) -> str:
    """A session of the Heroku CLI, version 11, as it keeps it on Linux: login.json and an entry of secret-tool's."""
    identity.account = ACCOUNT
    token = identity.issue()
    (home / "data" / "heroku").mkdir(parents=True)
    (home / "data" / "heroku" / "login.json").write_text(json.dumps({"account": ACCOUNT}))
    secret_service.ask("secret-tool", "store", "--label=heroku-cli", "service", "heroku-cli", "account", ACCOUNT, stdin=token)
    return token


def test_the_session_of_the_heroku_cli_is_found(skill: Cli, identity: Identity, heroku_cli: str, store: Path) -> None:
    """The entry that the Heroku CLI keeps is found, says whose it is, signs runs, and is copied nowhere."""
    who = skill("whoami").json
    assert (who["kind"], who["account"], "keychain" in who["source"]) == ("heroku-cli", ACCOUNT, True)
    assert skill("login").json["kind"] == "heroku-cli"
    assert skill(*RUN).code == 0
    assert not store.exists()


def test_the_session_of_the_heroku_cli_in_a_locked_keychain(
    skill: Cli, identity: Identity, heroku_cli: str, secret_service: Keychain
) -> None:
    """Where the keychain is locked the session that it holds is named, and a sign-in of its own can begin."""
    secret_service.lock()
    done = skill("whoami")
    assert (done.code, done.error["code"], ACCOUNT in done.error["message"]) == (4, "not_signed_in", True)
    assert "unlock" in done.error["hint"]
    assert skill("connection", "ensure", "heroku").json["clientAction"]["type"] == "connect"


def test_the_real_heroku_cli(skill: Cli, identity: Identity, secret_service: Keychain, home: Path) -> None:
    """Heroku's own command line signs in at the stand-in as it does at Heroku, and the session that it keeps is found."""
    heroku = shutil.which("heroku")
    # it would go on to fetch a newer release of itself after the test
    secret_service.env |= {"HEROKU_DISABLE_AUTOUPDATE": "1", "DISABLE_TELEMETRY": "true"}
    if heroku is None or "heroku/" not in (version := secret_service.ask(heroku, "--version")):
        pytest.skip("the Heroku CLI is not installed here")
    if int(version.split("heroku/")[1].split(".")[0]) < 11:
        pytest.skip("this Heroku CLI keeps its session in the netrc file: 11 or newer is needed")
    terminal = Terminal([heroku, "login", "--browser", "true"], secret_service.env)
    terminal.until("Press any key", timeout_s=60)
    # it listens to keys a moment after it has said so
    time.sleep(1)
    terminal.type("x")
    browse(terminal.until(r"http://\S+/auth/browser/\w+", timeout_s=60)[0], "Log In")
    assert terminal.end() == 0
    assert json.loads((home / "data" / "heroku" / "login.json").read_bytes()) == {"account": "me@example.com"}
    assert not (home / ".netrc").exists()
    who = skill("whoami").json
    assert (who["kind"], who["account"]) == ("heroku-cli", "me@example.com")
    secret_service.ask(heroku, "logout")
    assert skill("whoami").error["code"] == "not_signed_in"
