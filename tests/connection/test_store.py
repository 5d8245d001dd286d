"""Where connections and their secrets are kept: one file for the user's eyes alone, or the keychain."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from skill.connection import keychain as chain
from skill.connection.store import Store
from tests.conftest import Cli, Outcome, environment
from tests.identity import Identity

RUN = ("action", "run", "get-app", "--input", '{"app":"example"}')


def test_the_file_is_for_the_user_alone(identity: Identity, store: Path, signed_in: Callable[..., Outcome]) -> None:
    """The file is 0600 in a folder of 0700, whatever the umask, and nothing is left beside it but locks."""
    before = os.umask(0)
    try:
        signed_in()
    finally:
        os.umask(before)
    assert (stat.S_IMODE(store.stat().st_mode), stat.S_IMODE(store.parent.stat().st_mode)) == (0o600, 0o700)
    assert {path.name for path in store.parent.iterdir()} == {"connections.json", "lock"}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in store.parent.iterdir())


@pytest.mark.parametrize(("what", "mode"), [("file", 0o640), ("file", 0o604), ("folder", 0o755), ("folder", 0o770)])
def test_a_file_that_others_may_read_is_refused(
    cli: Cli, identity: Identity, store: Path, signed_in: Callable[..., Outcome], what: str, mode: int
) -> None:
    """Permissions wider than the user's own are exit 4, the hint is the chmod that mends them, and it does."""
    signed_in()
    path = store if what == "file" else store.parent
    path.chmod(mode)
    done = cli(*RUN)
    assert (done.code, done.error["code"]) == (4, "store_open")
    assert cli("login", "--token-stdin", stdin=identity.issue().encode()).error["code"] == "store_open"
    subprocess.run(done.error["hint"].split(), check=True)
    assert cli(*RUN).code == 0


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'{"version":1}', b'{"version":1,"entries":[{}]}', b"\xff", b"[" * 99999]
)
def test_a_broken_file_is_set_aside_and_reported(cli: Cli, identity: Identity, store: Path, content: bytes) -> None:
    """A file that cannot be read is moved aside whole and reported once; the next call starts anew."""
    store.parent.mkdir(mode=0o700, parents=True)
    store.write_bytes(content)
    store.chmod(0o600)
    done = cli(*RUN)
    assert (done.code, done.error["code"]) == (4, "store_corrupt")
    aside = next(iter(store.parent.glob("*.broken-*")))
    assert str(aside) in done.error["message"]
    assert aside.read_bytes() == content
    assert not store.exists()
    assert cli(*RUN).error["code"] == "not_signed_in"
    assert str(aside) in cli("doctor", "--offline").out


def test_a_newer_file_is_left_alone(cli: Cli, identity: Identity, store: Path) -> None:
    """A file that a newer version wrote is neither read nor touched."""
    store.parent.mkdir(mode=0o700, parents=True)
    store.write_text('{"version":2}')
    store.chmod(0o600)
    assert cli(*RUN).error["code"] == "store_newer"
    assert store.read_text() == '{"version":2}'


def test_a_variable_does_without_the_file(cli: Cli, identity: Identity, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With HEROKU_API_KEY set the file is not even looked at."""
    monkeypatch.setenv("HEROKU_API_KEY", identity.issue())
    store.parent.mkdir(mode=0o777, parents=True)
    store.write_text("{")
    assert cli(*RUN).code == 0
    assert store.read_text() == "{"


def test_no_secret_is_shown(cli: Cli, identity: Identity, store: Path, signed_in: Callable[..., Outcome]) -> None:
    """A kept token appears in no output of any command, and in no repr."""
    done = signed_in()
    token = list(identity.tokens)[-1]
    words = (
        ["connection", "list"],
        ["connection", "get", done.json["id"]],
        ["whoami"],
        ["doctor"],
        [*RUN, "--verbose"],
        [*RUN, "--dry-run"],
    )
    said = done.out + done.err + "".join(one.out + one.err for one in (cli(*each) for each in words))
    assert token not in said
    assert token not in repr(Store().read())
    assert token in store.read_text()


def test_a_refused_token_is_not_kept(cli: Cli, identity: Identity, store: Path) -> None:
    """A token that the service does not accept is exit 4 and leaves no file."""
    done = cli("login", "--token-stdin", stdin=b"HRKU-nobodysnobodysnobodysnobodys\n")
    assert (done.code, store.exists()) == (4, False)


@pytest.mark.parametrize("given", [b"", b"\n", b"two words", b"HRKU-ab**********cd", b"\xff\xfe"])
def test_what_is_no_token_is_refused_before_it_is_sent(cli: Cli, identity: Identity, given: bytes) -> None:
    """Nothing, several words, a shortened token or bytes are refused and sent nowhere."""
    done = cli("login", "--token-stdin", stdin=given)
    assert done.code in {2, 4}
    assert not identity.seen


def test_secrets_go_to_the_keychain_where_one_answers(
    process: Cli, identity: Identity, store: Path, tmp_path: Path, keychain: Callable[[str], dict[str, str]]
) -> None:
    """With a keychain the file holds no secret, another process signs with it, and signing out empties it."""
    env, token = keychain("InAFile"), identity.issue()
    assert process("login", "--token-stdin", stdin=token.encode(), env=env).json["state"] == "READY"
    assert token not in store.read_text()
    assert token in (tmp_path / "keychain.json").read_text()
    assert process(*RUN, env=env).code == 0
    assert process("logout", env=env).code == 0
    assert (tmp_path / "keychain.json").read_text() == "{}"


def test_a_locked_keychain_is_said_and_never_passed_over(
    process: Cli, identity: Identity, home: Path, keychain: Callable[[str], dict[str, str]]
) -> None:
    """A keychain that is locked is exit 4 with the mend, though another credential could be found, and nothing is lost."""
    env = keychain("InAFile")
    made = process("login", "--token-stdin", stdin=identity.issue().encode(), env=env).json
    netrc = home / ".netrc"
    netrc.write_text(f"machine api.heroku.com login x password {identity.issue()}\n")
    netrc.chmod(0o600)
    locked = {**env, "PYTHON_KEYRING_BACKEND": "fake_keychains.Locked"}
    done = process(*RUN, env=locked)
    assert (done.code, done.error["code"]) == (4, "keychain_locked")
    state = process("connection", "get", made["id"], env=locked)
    assert (state.code, state.json["state"]) == (1, "CONFIGURATION_ERROR")
    assert process(*RUN, env=env).code == 0


@pytest.mark.parametrize("words", [("logout",), ("connection", "delete")], ids=" ".join)
def test_what_a_locked_keychain_still_holds_is_said(
    process: Cli, identity: Identity, keychain: Callable[[str], dict[str, str]], words: tuple[str, ...]
) -> None:
    """Forgetting a connection whose secret a locked keychain holds names the entry that is left."""
    env = keychain("InAFile")
    made = process("login", "--token-stdin", stdin=identity.issue().encode(), env=env).json
    locked = {**env, "PYTHON_KEYRING_BACKEND": "fake_keychains.Locked"}
    done = process(*words, *([made["id"]] if words[0] == "connection" else []), env=locked)
    said = done.json["items"][0] if words == ("logout",) else done.json
    assert (done.code, f"heroku-skill {made['id']}" in said["left"]) == (0, True)


def test_without_a_keychain_the_file_is_used(
    process: Cli, identity: Identity, store: Path, keychain: Callable[[str], dict[str, str]]
) -> None:
    """A keychain that takes nothing, or keeps nothing, leaves the secret to the file."""
    fake = keychain("Locked")
    for backend in ("fake_keychains.Locked", "keyring.backends.null.Keyring", "keyring.backends.fail.Keyring"):
        env, token = {**fake, "PYTHON_KEYRING_BACKEND": backend}, identity.issue()
        assert process("login", "--name", backend, "--token-stdin", stdin=token.encode(), env=env).code == 0
        assert token in store.read_text()


def test_two_processes_lose_nothing_of_each_other(identity: Identity, process: Cli) -> None:
    """Ten sign-ins at once leave ten connections."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(10) as pool:
        done = list(
            pool.map(
                lambda one: process("login", "--name", f"n{one}", "--token-stdin", stdin=identity.issue().encode()), range(10)
            )
        )
    assert [one.code for one in done] == [0] * 10
    assert len(Store().read().entries) == 10


@pytest.mark.parametrize(
    "words",
    [
        ("action", "show", "create-app"),
        ("action", "list"),
        ("action", "run", "create-app", "--input", '{"name":"example-new"}', "--dry-run"),
        ("action", "run", "get-app", "--input", '{"app":"example"}'),
    ],
    ids=" ".join,
)
def test_no_command_imports_keyring_without_need(identity: Identity, words: tuple[str, ...]) -> None:
    """Showing, listing, rehearsing, and running with a variable import neither keyring nor the store."""
    run = "import sys; from skill.faces.cli import run; code = run(sys.argv[1:]); print(code, *sys.modules, file=sys.stderr)"
    env = environment({"HEROKU_API_KEY": identity.issue()})
    done = subprocess.run([sys.executable, "-c", run, *words], capture_output=True, env=env, timeout=60, check=True)
    code, *names = done.stderr.decode().splitlines()[-1].split()
    assert code == "0"
    assert not {"keyring", "http.server", "webbrowser"} & set(names)
    if words[-1] == "--dry-run" or words[1] != "run":
        assert not {"skill.connection.store", "skill.connection.setting", "skill.connection.scoped"} & set(names)


def test_a_keychain_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A keychain that waits for a dialog is left after its time."""
    import threading

    monkeypatch.setattr(chain, "ANSWER_S", 0.05)
    over = threading.Event()
    with pytest.raises(TimeoutError):
        chain._in_time(over.wait)
    over.set()


def test_what_is_kept_can_be_read_by_a_later_version(
    identity: Identity, store: Path, signed_in: Callable[..., Outcome], cli: Cli
) -> None:
    """Facts of a connection that this version does not know do no harm."""
    signed_in()
    whole = json.loads(store.read_bytes())
    whole["entries"][0]["later"] = 1
    store.write_text(json.dumps(whole))
    assert cli(*RUN).code == 0
