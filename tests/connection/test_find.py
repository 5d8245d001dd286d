"""Which credential is used, where there are several: one order, and a named one is never replaced by another."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Cli, Outcome
from tests.identity import Identity

WHO = ("whoami",)
RUN = ("action", "run", "get-app", "--input", '{"app":"example"}')
SECRET_TOOL = """#!/bin/sh
[ "$*" = "lookup service heroku-cli account cli@example.com" ] || exit 1
[ -z "$HEROKU_API_KEY$SKILL_OAUTH_CLIENT_SECRET" ] && echo "$TEST_CLI_TOKEN"
"""


def netrc(home: Path, token: str) -> None:
    path = home / ".netrc"
    path.write_text(f"machine api.heroku.com login netrc@example.com password {token}\n")
    path.chmod(0o600)


@pytest.fixture
def heroku_cli(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, identity: Identity) -> str:
    """A session of the Heroku CLI, version 11, in a keychain that secret-tool reads; gives its token."""
    identity.account = "cli@example.com"
    token = identity.issue()
    (home / "data" / "heroku").mkdir(parents=True)
    (home / "data" / "heroku" / "login.json").write_text(json.dumps({"account": "cli@example.com"}))
    (tmp_path / "bin").mkdir()
    tool = tmp_path / "bin" / "secret-tool"
    tool.write_text(SECRET_TOOL)
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:/usr/bin:/bin")
    monkeypatch.setenv("TEST_CLI_TOKEN", token)
    return token


def test_every_source_in_its_order(
    cli: Cli, identity: Identity, home: Path, monkeypatch: pytest.MonkeyPatch, heroku_cli: str, signed_in: Callable[..., Outcome]
) -> None:
    """Each source is used until one before it has a credential: netrc, CLI, stored, variable, connection, stdin, named."""
    seen = []

    def look(*words: str, stdin: bytes = b"") -> None:
        done = cli(*WHO, *words, stdin=stdin)
        assert done.code == 0, done.out
        seen.append((done.json["source"], done.json["account"]))

    def account(email: str) -> str:
        identity.account = email
        return identity.issue()

    monkeypatch.setenv("HEROKU_NETRC_WRITE", "true")
    netrc(home, account("netrc@example.com"))
    look()
    monkeypatch.delenv("HEROKU_NETRC_WRITE")
    look()
    identity.account = "second@example.com"
    signed_in("--name", "second")
    identity.account = "stored@example.com"
    signed_in("--name", "stored")
    look()
    monkeypatch.setenv("HEROKU_API_KEY", account("variable@example.com"))
    look()
    monkeypatch.setenv("SKILL_CONNECTION", "stored")
    look()
    token = account("stdin@example.com").encode()
    look("--token-stdin", stdin=token)
    look("--token-stdin", "--connectionId", "second", stdin=token)
    assert [email for _, email in seen] == [
        "netrc@example.com",
        "cli@example.com",
        "stored@example.com",
        "variable@example.com",
        "stored@example.com",
        "stdin@example.com",
        "second@example.com",
    ]
    assert [source for source, _ in seen] == [
        str(home / ".netrc"),
        "the Heroku CLI's session (keychain)",
        "connection heroku-2",
        "HEROKU_API_KEY",
        "connection heroku-2",
        "--token-stdin",
        "connection heroku-1",
    ]


@pytest.mark.parametrize("words", [WHO, RUN], ids=["whoami", "run"])
@pytest.mark.parametrize("how", ["--connectionId", "--connection-id", "SKILL_CONNECTION"])
def test_a_named_connection_that_is_missing_is_an_error(
    cli: Cli, identity: Identity, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], how: str
) -> None:
    """A named connection that is not there is exit 2, though another credential could be found."""
    monkeypatch.setenv("HEROKU_API_KEY", identity.issue())
    more: tuple[str, ...] = (how, "nobody") if how.startswith("-") else ()
    if not more:
        monkeypatch.setenv(how, "nobody")
    done = cli(*words, *more)
    assert (done.code, done.error["code"]) == (2, "no_such_connection")
    assert not identity.seen


@pytest.mark.parametrize(
    "words",
    [("login",), ("login", "--token-stdin"), ("login", "--scope", "read"), ("login", "complete", "x"), ("logout",), ("doctor",),
     ("request", "nobody", "/apps/example")],
    ids=" ".join,
)  # fmt: skip
def test_no_command_makes_do_without_a_named_connection(
    cli: Cli, identity: Identity, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """Every command that names a missing connection is exit 2 and makes none of that name; `doctor` finds it wrong."""
    token = identity.issue()
    monkeypatch.setenv("HEROKU_API_KEY", token)
    more = () if words[0] == "request" else ("--connectionId", "nobody")
    done = cli(*words, *more, stdin=token.encode())
    if words == ("doctor",):
        assert (done.code, "nobody" in done.out) == (2, True)
    else:
        assert (done.code, done.error["code"]) == (2, "no_such_connection")
    assert not [one for one in cli("connection", "list").json["items"] if one["name"] == "nobody"]


def test_a_sign_in_does_not_make_do_without_the_connection_of_the_environment(
    cli: Cli, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With SKILL_CONNECTION naming none that is there `login` is exit 2, unless it makes the one of that name."""
    monkeypatch.setenv("SKILL_CONNECTION", "work")
    for words in (
        ("login",),
        ("login", "--token-stdin"),
        ("login", "--name", "other"),
        ("login", "--token-stdin", "--scope", "read"),
    ):
        done = cli(*words, stdin=identity.issue().encode())
        assert (done.code, done.error["code"]) == (2, "no_such_connection")
    assert identity.count("POST", "/oauth/authorizations") == 0
    assert cli("login", "--name", "work", "--token-stdin", stdin=identity.issue().encode()).json["state"] == "READY"
    assert cli(*WHO).code == 0
    assert cli("login", "--connectionId", "heroku").json["name"] == "work"


def test_a_named_connection_signs_the_run(cli: Cli, identity: Identity, signed_in: Callable[..., Outcome]) -> None:
    """Two accounts stand side by side: a run is signed by the named one, by id, key or name, and a raw request too."""
    first = signed_in("--name", "work").json
    second = signed_in("--name", "private").json
    tokens = list(identity.tokens)[-2:]
    for name in (first["id"], first["key"], "work"):
        assert cli(*RUN, "--connectionId", name).code == 0
        assert cli("request", name, "/apps/example").code == 0
    del identity.tokens[tokens[0]]
    assert cli(*RUN, "--connectionId", "private").code == 0
    assert cli(*RUN, "--connectionId", "work").code == 4
    assert second["default"]
    assert cli(*RUN).code == 0


def test_the_default_can_be_chosen(cli: Cli, identity: Identity, signed_in: Callable[..., Outcome]) -> None:
    """`connection default` makes a connection the one that is used where none is named."""
    identity.account = "a@example.com"
    first = signed_in().json
    identity.account = "b@example.com"
    signed_in()
    assert cli(*WHO).json["account"] == "b@example.com"
    assert cli("connection", "default", first["id"]).json["default"] is True
    assert cli(*WHO).json["account"] == "a@example.com"


def test_a_token_on_standard_input_leaves_the_rest_for_the_input(cli: Cli, identity: Identity) -> None:
    """The first line is the token, and what follows is the input of `--input -`."""
    token = identity.issue()
    done = cli("action", "run", "get-app", "--input", "-", "--token-stdin", stdin=f'{token}\n{{"app":"example"}}'.encode())
    assert done.code == 0, done.out


def test_the_heroku_cli_gets_no_secret_in_its_environment(
    cli: Cli, identity: Identity, monkeypatch: pytest.MonkeyPatch, heroku_cli: str
) -> None:
    """The program that reads the keychain is started without the user's secrets in its environment."""
    monkeypatch.setenv("SKILL_OAUTH_CLIENT_SECRET", "s3cret")
    monkeypatch.setenv("SKILL_OAUTH_CLIENT_ID", "id")
    assert cli(*WHO).json["kind"] == "heroku-cli"


def test_a_keychain_without_its_program_is_said(
    cli: Cli, identity: Identity, heroku_cli: str, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    """A session of the Heroku CLI that cannot be read is named with the reason; a netrc file is used in its place."""
    monkeypatch.setenv("PATH", "/nowhere")
    done = cli(*WHO)
    assert (done.code, done.error["code"]) == (4, "not_signed_in")
    assert "cli@example.com" in done.error["message"]
    assert "secret-tool is missing" in done.error["message"]
    netrc(home, identity.issue())
    assert cli(*WHO).json["kind"] == "netrc"


def test_git_gets_no_secret_in_its_environment(
    cli: Cli, identity: Identity, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program that tells the folder's remotes is started without any service's key in its environment."""
    git, seen = tmp_path / "git", tmp_path / "seen"
    git.write_text(f"#!/bin/sh\nenv >'{seen}'\n")
    git.chmod(0o755)
    (home / "here" / ".git").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    for name in ("HEROKU_API_KEY", "HEROKU_API_TOKEN", "THING_API_KEY", "SKILL_OAUTH_CLIENT_SECRET"):
        monkeypatch.setenv(name, "s3cret")
    cli("action", "run", "get-app", "--dry-run")
    assert "HOME=" in seen.read_text()
    assert "s3cret" not in seen.read_text()


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"account": 1}', '{"account": "-rf"}', "\xff"])
def test_a_broken_login_of_the_heroku_cli_is_none(
    cli: Cli, home: Path, identity: Identity, heroku_cli: str, content: str
) -> None:
    """An account file of the Heroku CLI that cannot be read names no session."""
    (home / "data" / "heroku" / "login.json").write_text(content)
    assert cli(*WHO).error["code"] == "not_signed_in"


def test_who_am_i_says_account_source_scope_and_end(cli: Cli, identity: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    """`whoami` says the account, the source, the host, and the scope and end where they are known."""
    monkeypatch.setenv("HEROKU_API_KEY", identity.issue())
    known = cli(*WHO).json
    assert (known["account"], known["source"], known["scope"], known["expiresAt"]) == (
        "me@example.com",
        "HEROKU_API_KEY",
        None,
        None,
    )
    cli("login", "--scope", "read", "--expires", "8h")
    monkeypatch.delenv("HEROKU_API_KEY")
    narrow = cli(*WHO).json
    assert (narrow["scope"], narrow["kind"], narrow["host"]) == (["identity", "read"], "scoped", identity.url)
    assert narrow["expiresAt"].endswith("Z")


def test_who_am_i_without_a_credential_is_exit_4(cli: Cli, identity: Identity) -> None:
    """Without a credential `whoami` is exit 4 and names `login`."""
    done = cli(*WHO)
    assert (done.code, done.error["next"][0]["command"].split()[-1]) == (4, "login")


def test_who_am_i_with_a_refused_token_is_exit_4(cli: Cli, identity: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that the service does not accept is exit 4, and is not quoted."""
    monkeypatch.setenv("HEROKU_API_KEY", "HRKU-nobodysnobodysnobodysnobodys")
    done = cli(*WHO)
    assert (done.code, done.error["http_status"]) == (4, 401)
    assert "HRKU-nobodys" not in done.out + done.err
