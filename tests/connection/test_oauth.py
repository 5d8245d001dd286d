"""The authorization code flow with an OAuth client of the user's own, and keeping its tokens alive."""

import json
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from skill.connection.renew import Renewing
from skill.types import Credential, Reply, Request
from tests.conftest import Cli, command, environment
from tests.identity import CLIENT_ID, CLIENT_SECRET, FULL, Identity, browse

RUN = ("action", "run", "get-app", "--input", '{"app":"example"}')
WRITE = ("action", "run", "create-app", "--input", '{"name":"example-new"}')


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.fixture(autouse=True)
def client(monkeypatch: pytest.MonkeyPatch, identity: Identity) -> int:
    """A client of the user's own, with a redirect to a free port."""
    port = free_port()
    identity.redirect = f"http://localhost:{port}/callback"
    monkeypatch.setenv("SKILL_OAUTH_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("SKILL_OAUTH_CLIENT_SECRET", CLIENT_SECRET)
    monkeypatch.setenv("SKILL_OAUTH_REDIRECT_URI", identity.redirect)
    return port


@pytest.fixture
def oauth(cli: Cli, identity: Identity) -> Callable[[], dict[str, Any]]:
    """Sign in by the flow and give the connection."""

    def sign_in() -> dict[str, Any]:
        begun = cli("login").json
        _, address = browse(begun["clientAction"]["uiUrl"], "Allow Access")
        done = cli("login", "complete", address)
        assert done.code == 0, done.out
        return done.json

    return sign_in


def refuse(identity: Identity) -> None:
    """Let no access token be accepted that a sign-in gave."""
    for token in [token for token, one in identity.tokens.items() if one.expires_at]:
        identity.tokens[token].expires_at = time.time() - 1


def change(store: Path, **facts: Any) -> None:
    """Change what is kept of the first connection."""
    whole = json.loads(store.read_bytes())
    whole["entries"][0].update(facts)
    store.write_text(json.dumps(whole))


def test_the_address_carries_client_scope_and_state(cli: Cli, identity: Identity) -> None:
    """The address to open asks for a code for the user's client, everything unless a scope is given, and a state."""
    url = cli("login").json["clientAction"]["uiUrl"]
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert url.startswith(identity.url + "/oauth/authorize?")
    assert (query["client_id"], query["response_type"], query["scope"]) == (CLIENT_ID, "code", "global")
    assert len(query["state"]) >= 32
    assert CLIENT_SECRET not in url


def test_a_pasted_address_finishes_the_sign_in_in_another_process(cli: Cli, process: Cli, identity: Identity) -> None:
    """The address at which the browser ended finishes the sign-in in another process, even without the client's variables."""
    url = cli("login", "--no-browser").json["clientAction"]["uiUrl"]
    status, address = browse(url, "Allow Access")
    assert status == 0
    without = {"SKILL_OAUTH_CLIENT_ID": "", "SKILL_OAUTH_CLIENT_SECRET": ""}
    done = process("login", "complete", address, env=without)
    assert (done.code, done.json["state"], done.json["kind"]) == (0, "READY", "oauth")
    assert cli(*RUN).code == 0


def test_a_pasted_code_finishes_the_sign_in(cli: Cli, identity: Identity) -> None:
    """The code alone is enough."""
    _, address = browse(cli("login").json["clientAction"]["uiUrl"], "Allow Access")
    code = parse_qs(urlsplit(address).query)["code"][0]
    assert cli("login", "complete", code).json["state"] == "READY"


def test_the_browser_of_this_machine_brings_the_code_itself(cli: Cli, identity: Identity) -> None:
    """While somebody waits for the connection, the registered port takes the code from the browser."""
    begun = cli("login").json
    outcome: list[tuple[int, str]] = []

    def person() -> None:
        time.sleep(0.5)
        outcome.append(browse(begun["clientAction"]["uiUrl"], "Allow Access"))

    thread = threading.Thread(target=person)
    thread.start()
    done = cli("connection", "get", begun["id"], "--wait", "--timeout", "20")
    thread.join()
    assert (done.json["state"], outcome[0][0]) == ("READY", 200)


def test_a_wrong_state_is_not_used_and_the_sign_in_stays_open(cli: Cli, identity: Identity) -> None:
    """An answer with another state is refused without asking for a token, and the right one still counts."""
    _, address = browse(cli("login").json["clientAction"]["uiUrl"], "Allow Access")
    wrong = cli("login", "complete", address.replace("state=", "state=x"))
    assert (wrong.code, wrong.error["code"]) == (4, "wrong_state")
    assert identity.count("POST", "/oauth/token") == 0
    assert cli("login", "complete", address).code == 0


def test_the_port_turns_a_wrong_state_away(cli: Cli, identity: Identity, client: int) -> None:
    """The listening port answers 400 to another sign-in's answer, 404 elsewhere, and goes on waiting for the right one."""
    begun = cli("login").json
    seen: list[int] = []

    def person() -> None:
        import urllib.error
        import urllib.request

        time.sleep(0.5)
        for path in ("/callback?code=x&state=wrong", "/favicon.ico"):
            try:
                urllib.request.urlopen(f"http://localhost:{client}{path}", timeout=5)
            except urllib.error.HTTPError as refused:
                seen.append(refused.code)
                refused.close()
        seen.append(browse(begun["clientAction"]["uiUrl"], "Allow Access")[0])

    thread = threading.Thread(target=person)
    thread.start()
    done = cli("connection", "get", begun["id"], "--wait", "--timeout", "20")
    thread.join()
    assert (done.json["state"], seen) == ("READY", [400, 404, 200])


def test_denied_consent_is_a_failed_set_up(cli: Cli, identity: Identity) -> None:
    """A refusal in the browser is exit 4, and the connection's error gives the cause."""
    begun = cli("login").json
    _, address = browse(begun["clientAction"]["uiUrl"], "Deny")
    done = cli("login", "complete", address)
    assert (done.code, done.error["code"]) == (4, "consent_denied")
    assert cli("connection", "get", begun["id"]).json["error"]["code"] == "consent_denied"


def test_a_taken_port_leaves_the_way_without_it(cli: Cli, identity: Identity, client: int) -> None:
    """With the registered port taken nothing is listened to, and the pasted address finishes the sign-in."""
    with socket.create_server(("127.0.0.1", client)):
        begun = cli("login").json
        waited = cli("connection", "get", begun["id"], "--wait", "--timeout", "0.5")
        assert (waited.code, waited.json["state"]) == (6, "CLIENT_ACTION_REQUIRED")
    _, address = browse(begun["clientAction"]["uiUrl"], "Allow Access")
    assert cli("login", "complete", address).json["state"] == "READY"


def test_a_used_code_is_refused(cli: Cli, identity: Identity) -> None:
    """A code that the identity server does not take is exit 4 and a failed set-up."""
    begun = cli("login").json
    done = cli("login", "complete", "no-such-code")
    assert done.code == 4
    assert cli("connection", "get", begun["id"]).json["state"] == "SETUP_FAILED"


@pytest.mark.parametrize("missing", ["SKILL_OAUTH_CLIENT_ID", "SKILL_OAUTH_CLIENT_SECRET"])
def test_half_a_client_is_a_configuration_error(
    cli: Cli, identity: Identity, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    """An id without a secret, or a secret without an id, is exit 2 for `login` and CONFIGURATION_ERROR for `ensure`."""
    monkeypatch.delenv(missing)
    assert cli("login").error["code"] == "half_a_client"
    ensured = cli("connection", "ensure", "heroku.com")
    assert (ensured.code, ensured.json["state"], ensured.json["error"]["code"]) == (1, "CONFIGURATION_ERROR", "half_a_client")


def test_a_client_can_be_registered_and_is_used_from_then_on(
    cli: Cli, identity: Identity, monkeypatch: pytest.MonkeyPatch, store: Path
) -> None:
    """`--create-client` registers a client with a token that is there, and sign-ins use it until `logout --all` forgets it."""
    for name in ("SKILL_OAUTH_CLIENT_ID", "SKILL_OAUTH_CLIENT_SECRET"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HEROKU_API_KEY", next(iter(identity.tokens)))
    made = cli("login", "--create-client")
    assert (made.code, made.json["clientId"]) == (0, "made-client")
    assert "made-secret" not in made.out + made.err
    monkeypatch.delenv("HEROKU_API_KEY")
    _, address = browse(cli("login").json["clientAction"]["uiUrl"], "Allow Access")
    assert cli("login", "complete", address).json["kind"] == "oauth"
    assert cli("logout", "--all").json["clients"] == [{"service": "heroku", "clientId": "made-client"}]
    assert "made-secret" not in store.read_text()
    assert "/auth/browser/" in cli("login").json["clientAction"]["uiUrl"]


def test_a_token_that_ends_soon_is_renewed_before_it_is_used(
    cli: Cli, identity: Identity, store: Path, oauth: Callable[[], Any]
) -> None:
    """A token within two minutes of its end is renewed first, and the run does not notice."""
    oauth()
    change(store, expires_at=time.time() + 60)
    assert cli(*RUN).code == 0
    assert identity.refreshes == 1
    assert cli(*RUN).code == 0
    assert identity.refreshes == 1


def test_twenty_processes_renew_once(identity: Identity, store: Path, oauth: Callable[[], Any]) -> None:
    """Twenty processes that all find the token at its end renew it once, and all succeed."""
    oauth()
    change(store, expires_at=time.time() - 1)
    with ThreadPoolExecutor(20) as pool:
        runs = [
            pool.submit(subprocess.run, command(RUN), capture_output=True, env=environment(), timeout=120, check=False)
            for _ in range(20)
        ]
    assert [run.result().returncode for run in runs] == [0] * 20
    assert identity.refreshes == 1


@pytest.mark.parametrize("words", [RUN, WRITE], ids=["read", "write"])
def test_a_refused_token_is_renewed_and_the_request_sent_again(
    cli: Cli, identity: Identity, oauth: Callable[[], Any], words: tuple[str, ...]
) -> None:
    """A 401 renews the token once and sends the request again, a write too, since a refused one was not done."""
    oauth()
    for token in [token for token, one in identity.tokens.items() if one.expires_at]:
        del identity.tokens[token]
    assert cli(*words).code == 0
    assert identity.refreshes == 1


def test_many_runs_side_by_side_renew_once(cli: Cli, identity: Identity, oauth: Callable[[], Any]) -> None:
    """A token that is refused to many requests of one call at a time is renewed once, and every one of them is sent again."""
    oauth()
    refuse(identity)
    identity.slow_s = 0.05
    done = cli("action", "run", "get-app", "--each", "-", "--set-from", "app", stdin=b"example\n" * 32)
    assert done.code == 0, done.out
    assert identity.refreshes == 1


def test_a_request_that_was_on_its_way_while_another_renewed_is_sent_again() -> None:
    """A request refused for a token that another thread renewed meanwhile is signed anew, and nothing is renewed twice."""
    renewals = []

    def exchange(request: Request) -> Reply:
        old = request.headers["Authorization"] == "Bearer old"
        if old and request.url.endswith("/slow"):
            renewing(Request("GET", "https://api.heroku.com/quick", request.headers))
        return Reply(401 if old else 200, {}, b"")

    def renewed(credential: Credential) -> Credential:
        renewals.append(credential.token)
        return replace(credential, token="new")

    renewing = Renewing(exchange, renewed, lambda _: None)
    renewing.sign_with(Credential("heroku", "here", "old", renewable=True))
    assert renewing(Request("GET", "https://api.heroku.com/slow", {"Authorization": "Bearer old"})).status == 200
    assert renewals == ["old"]


def test_a_token_that_is_refused_though_it_was_renewed(cli: Cli, identity: Identity, oauth: Callable[[], Any]) -> None:
    """A new token that is refused too ends the connection: exit 4 after one renewal and one more try."""
    kept = oauth()
    refuse(identity)
    identity.lifetime_s = -1
    identity.seen.clear()
    assert cli(*WRITE).code == 4
    assert (identity.refreshes, identity.count("POST", "/apps")) == (1, 2)
    (shown,) = (one for one in cli("connection", "list").json["items"] if one["id"] == kept["id"])
    assert shown["state"] == "CLIENT_ACTION_REQUIRED"


def test_a_clock_that_is_wrong_does_no_harm(cli: Cli, identity: Identity, store: Path, oauth: Callable[[], Any]) -> None:
    """Where the kept end is years off, as after a jump of the clock, the service's own refusal renews the token."""
    oauth()
    change(store, expires_at=time.time() + 1e8)
    for one in identity.tokens.values():
        one.expires_at = one.expires_at and time.time() - 1
    assert cli(*RUN).code == 0
    assert identity.refreshes == 1


def test_a_revoked_refresh_token_asks_for_a_sign_in_of_the_same_connection(
    cli: Cli, identity: Identity, store: Path, oauth: Callable[[], Any]
) -> None:
    """With its refresh token revoked the connection wants a person, and the next sign-in mends that very connection."""
    kept = oauth()
    identity.refresh_tokens.clear()
    change(store, expires_at=time.time() - 1)
    run = cli(*RUN)
    assert (run.code, run.error["code"]) == (4, "connection_needs_sign_in")
    assert kept["key"] in run.error["next"][0]["command"]
    assert cli("connection", "get", kept["id"]).json["state"] == "CLIENT_ACTION_REQUIRED"
    begun = cli("login").json
    assert begun["id"] == kept["id"]
    _, address = browse(begun["clientAction"]["uiUrl"], "Allow Access")
    assert cli("login", "complete", address).json["id"] == kept["id"]
    assert cli(*RUN).code == 0


def test_an_identity_server_that_is_down_keeps_a_token_that_is_still_good(
    cli: Cli, identity: Identity, store: Path, monkeypatch: pytest.MonkeyPatch, oauth: Callable[[], Any]
) -> None:
    """A token near its end that cannot be renewed just now is used while it lasts; one that has ended is exit 6."""
    oauth()
    monkeypatch.setenv("SKILL_ID_HOST", f"http://127.0.0.1:{free_port()}")
    change(store, expires_at=time.time() + 60)
    assert cli(*RUN).code == 0
    change(store, expires_at=time.time() - 1)
    late = cli(*RUN)
    assert (late.code, late.error["retryable"]) == (6, True)


@pytest.mark.parametrize("words", [("whoami",), ("connection", "ensure", "heroku.com"), ("login",), ("doctor",)], ids=" ".join)
def test_looking_renews_a_refused_token_too(
    cli: Cli, identity: Identity, oauth: Callable[[], Any], words: tuple[str, ...]
) -> None:
    """A refused access token is renewed once by whatever looks at the connection, which stays READY."""
    oauth()
    refuse(identity)
    assert cli(*words).code == 0
    assert identity.refreshes == 1
    assert cli("connection", "list").json["items"][0]["state"] == "READY"


@pytest.mark.parametrize("words", [("whoami",), RUN, WRITE], ids=["whoami", "read", "write"])
def test_a_refused_token_that_cannot_be_renewed_asks_for_a_sign_in(
    cli: Cli, identity: Identity, oauth: Callable[[], Any], words: tuple[str, ...]
) -> None:
    """A 401 whose renewal is refused is exit 4, sent once, and the connection then wants a person."""
    kept = oauth()
    refuse(identity)
    identity.refresh_tokens.clear()
    identity.seen.clear()
    assert cli(*words).code == 4
    assert len([one for one in identity.seen if one[1].startswith("/apps")]) == (0 if words == ("whoami",) else 1)
    assert cli("connection", "get", kept["id"]).json["state"] == "CLIENT_ACTION_REQUIRED"


@pytest.mark.parametrize("host", ["https://evil.example", "heroku"])
def test_a_wrong_identity_host_does_not_end_a_connection(
    cli: Cli, identity: Identity, store: Path, monkeypatch: pytest.MonkeyPatch, oauth: Callable[[], Any], host: str
) -> None:
    """A renewal that could not be asked for says why and leaves the connection signed in."""
    oauth()
    change(store, expires_at=time.time() - 1)
    with monkeypatch.context() as patch:
        patch.setenv("SKILL_ID_HOST", host)
        assert cli(*RUN).error["code"] == "host_not_allowed"
    assert cli(*RUN).code == 0


def test_an_odd_answer_does_not_end_a_connection(cli: Cli, identity: Identity, store: Path, oauth: Callable[[], Any]) -> None:
    """An answer that is no refusal, as of a network that wants a sign-in of its own, leaves the connection signed in."""
    oauth()
    identity.odd = True
    change(store, expires_at=time.time() + 60)
    assert cli(*RUN).code == 0
    change(store, expires_at=time.time() - 1)
    assert cli(*RUN).error["code"] == "odd_sign_in"
    identity.odd = False
    assert cli(*RUN).code == 0


def test_signing_out_with_a_token_at_its_end_revokes_what_renews_it(
    cli: Cli, identity: Identity, store: Path, oauth: Callable[[], Any]
) -> None:
    """An expired access token is renewed before it is revoked, so that the authorization itself is."""
    oauth()
    refuse(identity)
    change(store, expires_at=time.time() - 1)
    assert cli("logout").json["items"][0]["revoked"] is True
    assert [token for token, one in identity.tokens.items() if (one.expires_at or time.time() + 1) > time.time()] == [FULL]
    assert identity.refreshes == 1


def test_consent_denied_in_the_browser_of_this_machine(cli: Cli, identity: Identity) -> None:
    """A refusal that the browser brings to the registered port is a failed set-up with its cause."""
    begun = cli("login").json
    person = threading.Timer(0.5, browse, (begun["clientAction"]["uiUrl"], "Deny"))
    person.start()
    done = cli("connection", "get", begun["id"], "--wait", "--timeout", "20")
    person.join()
    assert (done.code, done.json["state"], done.json["error"]["code"]) == (1, "SETUP_FAILED", "consent_denied")


def test_a_pasted_address_finishes_the_sign_in_that_it_belongs_to(cli: Cli, identity: Identity) -> None:
    """Of two sign-ins that are open, the address finishes its own, though the other was begun later."""
    first, second = (cli("login", "--name", name).json for name in ("work", "private"))
    _, address = browse(first["clientAction"]["uiUrl"], "Allow Access")
    assert cli("login", "complete", address).json["id"] == first["id"]
    _, address = browse(second["clientAction"]["uiUrl"], "Allow Access")
    assert cli("login", "complete", address).json["id"] == second["id"]


def test_a_client_of_ones_own_cannot_promise_an_end(cli: Cli, identity: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    """--expires with an OAuth client, whose tokens are renewed for ever, is exit 2 unless a full credential is there."""
    done = cli("login", "--scope", "read", "--expires", "8h")
    assert (done.code, "--using browser" in done.error["hint"]) == (2, True)
    assert cli("login", "--scope", "read", "--expires", "8h", "--using", "browser").json["state"] == "CLIENT_ACTION_REQUIRED"
    monkeypatch.setenv("HEROKU_API_KEY", FULL)
    assert cli("login", "--scope", "read", "--expires", "8h").json["kind"] == "scoped"


def test_all_is_said_of_how_to_finish(cli: Cli, identity: Identity) -> None:
    """The action says which command finishes the sign-in, and that an address may be pasted."""
    action = cli("login", "--no-browser").json["clientAction"]
    assert action["finish"].endswith("login complete CODE-OR-ADDRESS")
    assert "unofficial" not in action["description"]
