"""The browser sign-in of Heroku's own command line, against a stand-in of its server."""

import threading
import time
from pathlib import Path

import pytest

from skill.faces.output import AGENTS
from tests.conftest import Cli
from tests.identity import Identity, browse
from tests.server import Server, answer

RUN = ("action", "run", "get-app", "--input", '{"app":"example"}')


def test_without_a_terminal_the_address_is_printed_and_nothing_asked(cli: Cli, identity: Identity) -> None:
    """A non-interactive sign-in gives a connection that wants a person, with the address to open and what to do."""
    done = cli("login", "--clientName", "claude", "--tenant")
    action = done.json["clientAction"]
    assert (done.code, done.json["state"], action["type"]) == (0, "CLIENT_ACTION_REQUIRED", "connect")
    assert action["uiUrl"].startswith(identity.url + "/auth/browser/")
    assert done.json["id"] in action["agentInstructions"]
    assert action["description"]
    assert "unofficial" in done.err
    assert "unofficial" in action["description"]
    assert action["finish"].endswith("login complete")


def test_a_sign_in_is_finished_in_another_process(cli: Cli, process: Cli, identity: Identity) -> None:
    """A sign-in begun in one process is finished by `login complete` in another, and then signs runs."""
    url = cli("login", "--no-browser").json["clientAction"]["uiUrl"]
    browse(url, "Log In")
    done = process("login", "complete")
    assert (done.code, done.json["state"], done.json["account"], done.json["kind"]) == (0, "READY", "me@example.com", "browser")
    assert cli(*RUN).code == 0


def test_waiting_for_the_connection_finishes_the_sign_in(cli: Cli, identity: Identity) -> None:
    """`connection get --wait` goes on with the sign-in and returns as soon as the person is done."""
    begun = cli("connection", "ensure", "https://www.heroku.com/").json
    person = threading.Timer(0.4, browse, (begun["clientAction"]["uiUrl"], "Log In"))
    person.start()
    start = time.monotonic()
    done = cli("connection", "get", begun["id"], "--wait", "--timeout", "20")
    person.join()
    assert (done.code, done.json["state"], done.json["id"]) == (0, "READY", begun["id"])
    assert time.monotonic() - start < 10


def test_a_wait_that_runs_out_says_so(cli: Cli, identity: Identity) -> None:
    """A wait in which nobody signs in prints the connection as it is and exits 6."""
    begun = cli("connection", "ensure", "heroku").json
    done = cli("connection", "get", begun["id"], "--wait", "--timeout", "0.5")
    assert (done.code, done.json["state"]) == (6, "CLIENT_ACTION_REQUIRED")
    assert done.json["clientAction"]["uiUrl"] == begun["clientAction"]["uiUrl"]


def test_a_denied_sign_in_is_a_failed_set_up_and_can_be_begun_again(cli: Cli, identity: Identity) -> None:
    """A refusal in the browser puts the connection into SETUP_FAILED with its cause; `ensure` begins the same one again."""
    begun = cli("login").json
    browse(begun["clientAction"]["uiUrl"], "Deny")
    refused = cli("login", "complete")
    assert (refused.code, refused.error["code"]) == (4, "consent_denied")
    failed = cli("connection", "get", begun["id"])
    assert (failed.code, failed.json["state"], failed.json["error"]["code"]) == (1, "SETUP_FAILED", "consent_denied")
    again = cli("connection", "ensure", "heroku.com").json
    assert (again["id"], again["state"]) == (begun["id"], "CLIENT_ACTION_REQUIRED")


def test_a_sign_in_that_is_still_open_is_gone_on_with(cli: Cli, identity: Identity) -> None:
    """Asking twice gives the same connection and the same address."""
    first, second = cli("login").json, cli("connection", "ensure", "heroku.com").json
    assert (first["id"], first["clientAction"]["uiUrl"]) == (second["id"], second["clientAction"]["uiUrl"])
    assert identity.count("POST", "/auth") == 1


def test_there_is_nothing_to_complete_without_a_sign_in(cli: Cli, identity: Identity) -> None:
    """Completing a sign-in that was never begun is exit 4 and says how to begin."""
    done = cli("login", "complete")
    assert (done.code, done.error["code"]) == (4, "no_sign_in")


def test_an_identity_server_that_is_down_is_to_be_tried_later(cli: Cli, identity: Identity) -> None:
    """A sign-in that cannot begin is exit 6, and `ensure` gives a failed set-up with the cause."""
    identity.down = True
    assert cli("login").code == 6
    ensured = cli("connection", "ensure", "heroku.com")
    assert (ensured.code, ensured.json["state"], ensured.json["error"]["retryable"]) == (1, "SETUP_FAILED", True)


@pytest.mark.parametrize(
    "host",
    ["https://evil.com", "http://heroku.com", "https://me@cli-auth.heroku.com", "https://heroku.com.evil.com", "http://[::1"],
)
def test_the_login_host_is_bound(cli: Cli, identity: Identity, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """HEROKU_LOGIN_HOST moves the sign-in to no host but Heroku's and this machine's."""
    monkeypatch.setenv("HEROKU_LOGIN_HOST", host)
    done = cli("login")
    assert (done.code, done.error["code"]) == (2, "host_not_allowed")


def test_the_client_name_goes_into_the_user_agent(cli: Cli, identity: Identity) -> None:
    """The agent that `--clientName` named is said to the service by every later call."""
    cli("login", "--clientName", "codex")
    identity.agents.clear()
    cli("connection", "ensure", "heroku")
    cli("login", "--name", "another")
    assert len(identity.agents) == 1
    assert "; codex)" in identity.agents.pop()


@pytest.mark.parametrize(("name", "shortened"), [("codex", True), ("Windsurf", True), ("my-script", False)])
def test_the_client_name_picks_the_defaults_of_the_output(
    process: Cli, server: Server, monkeypatch: pytest.MonkeyPatch, name: str, shortened: bool
) -> None:
    """For the harness of an agent long lists come in few fields, as if it had said so itself; --format json still gives all."""
    for variable in AGENTS:
        monkeypatch.delenv(variable, raising=False)
    apps = [{"id": str(place), "name": f"a{place}", "owner": {"email": f"p{place}@example.com"}} for place in range(30)]
    server.play(answer({"remaining": 4500}), answer(apps), answer(apps))
    assert process("login", f"--clientName={name}").json["state"] == "READY"
    short, whole = process("action", "run", "list-apps").json, process("action", "run", "list-apps", "--format", "json").json
    assert (short["output"] == apps, "page" in short) == (not shortened, shortened)
    assert whole["output"] == apps


@pytest.mark.parametrize("name", ["a b", "x\r\nEvil: 1", "", "-x", "a" * 41])
def test_a_client_name_that_fits_no_header_is_refused(cli: Cli, identity: Identity, name: str) -> None:
    """A name of a client with other characters than letters, digits, dots and dashes is exit 2."""
    assert cli("login", f"--clientName={name}").code == 2


def test_no_secret_of_a_pending_sign_in_is_printed(cli: Cli, identity: Identity, store: Path) -> None:
    """The token that fetches the outcome is kept, and neither printed nor listed."""
    begun, listed = cli("login"), cli("connection", "list")
    token = next(iter(identity.logins.values()))["token"]
    assert token in store.read_text()
    assert token not in begun.out + begun.err + listed.out
