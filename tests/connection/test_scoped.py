"""Least privilege: tokens that may do less and end sooner, and signing out."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skill.connection.scoped import explained, scopes_of, seconds_of
from skill.faults import BadInput, NotSignedIn
from skill.types import Credential, Plan
from tests.conftest import Cli, Outcome
from tests.identity import FULL, Identity, browse

VARS = ("action", "run", "get-config-vars", "--input", '{"app":"example"}')


def narrow(cli: Cli, monkeypatch: pytest.MonkeyPatch, *words: str) -> Any:
    monkeypatch.setenv("HEROKU_API_KEY", FULL)
    done = cli("login", *words)
    assert done.code == 0, done.out
    monkeypatch.delenv("HEROKU_API_KEY")
    return done


def test_a_full_credential_is_exchanged_for_a_narrow_one(
    cli: Cli, identity: Identity, monkeypatch: pytest.MonkeyPatch, store: Path
) -> None:
    """`login --scope read --expires 8h` makes an authorization for this machine with `identity`, and keeps only that."""
    done = narrow(cli, monkeypatch, "--scope", "read", "--expires", "8h")
    asked = next(body for body in identity.bodies if isinstance(body, dict) and "expires_in" in body)
    assert (asked["scope"], asked["expires_in"]) == (["identity", "read"], 8 * 3600)
    assert "heroku-skill" in asked["description"]
    assert (done.json["state"], done.json["kind"], done.json["scope"]) == ("READY", "scoped", ["identity", "read"])
    assert FULL not in store.read_text()
    assert "HEROKU_API_KEY" in done.err


def test_a_narrow_credential_says_which_scope_is_missing(cli: Cli, identity: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    """Config vars with the scope read are exit 4: the fault names read-protected and the command that gets it."""
    narrow(cli, monkeypatch, "--scope", "read")
    done = cli(*VARS)
    assert (done.code, done.error["code"], done.error["http_status"]) == (4, "scope_too_narrow", 403)
    assert "read-protected" in done.error["message"]
    assert done.error["next"][0]["command"].endswith("login --scope read-protected")
    narrow(cli, monkeypatch, "--scope", "read-protected")
    assert cli(*VARS, "--reveal", "all").code == 0


def test_a_sign_in_in_the_browser_can_end_in_a_narrow_token(cli: Cli, identity: Identity, store: Path) -> None:
    """Without a credential the browser's full token is only the means: it is revoked, and the narrow one kept."""
    begun = cli("login", "--scope", "read", "--expires", "30m").json
    browse(begun["clientAction"]["uiUrl"], "Log In")
    done = cli("login", "complete").json
    assert (done["kind"], done["scope"]) == ("scoped", ["identity", "read"])
    left = [one.scope for one in identity.tokens.values()]
    assert left == [("global",), ("identity", "read")]
    assert next(iter(identity.tokens)) == FULL


def test_a_stored_full_credential_is_signed_out_for_a_narrow_one(
    cli: Cli, identity: Identity, signed_in: Callable[..., Outcome]
) -> None:
    """Narrowing a kept credential forgets the full one."""
    signed_in()
    cli("login", "--scope", "read")
    assert [one["kind"] for one in cli("connection", "list").json["items"]] == ["scoped"]


def test_narrowing_keeps_the_connection_and_ends_the_full_credential(cli: Cli, identity: Identity) -> None:
    """The connection keeps its id and name, so that what names it goes on, and the full credential is revoked."""
    begun = cli("login", "--name", "work").json
    browse(begun["clientAction"]["uiUrl"], "Log In")
    cli("login", "complete")
    done = cli("login", "--scope", "read", "--connectionId", "work")
    assert (done.json["id"], done.json["name"], done.json["kind"]) == (begun["id"], "work", "scoped")
    assert "was revoked" in done.err
    assert [one.scope for one in identity.tokens.values()] == [("global",), ("identity", "read")]
    assert next(iter(identity.tokens)) == FULL


def test_a_token_of_the_users_own_is_narrowed_and_left_to_them(
    cli: Cli, identity: Identity, store: Path, signed_in: Callable[..., Outcome]
) -> None:
    """A token that was brought is forgotten when it is narrowed; where to revoke it is said."""
    signed_in()
    token = list(identity.tokens)[-1]
    assert "dashboard.heroku.com" in cli("login", "--scope", "read").err
    assert token not in store.read_text()
    assert token in identity.tokens


def test_a_token_whose_scope_nobody_knows_is_told_what_it_may_lack(
    cli: Cli, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal of a token that was made elsewhere names the scope that it may lack, and how to get one."""
    monkeypatch.setenv("HEROKU_API_KEY", identity.issue(("read",)))
    done = cli(*VARS)
    assert (done.code, done.error["code"]) == (4, "forbidden")
    assert "login --scope read-protected" in done.error["hint"]


@pytest.mark.parametrize(
    ("path", "method", "scope"),
    [
        ("/account", "GET", "identity"),
        ("/account", "PATCH", "global"),
        ("/oauth/authorizations", "GET", "global"),
        ("/apps/x", "GET", "read"),
        ("/apps/x", "PATCH", "write"),
        ("/apps/x/config-vars", "PATCH", "write-protected"),
        ("/addons/x/config", "GET", "read-protected"),
    ],
)
def test_the_scope_that_a_request_needs(path: str, method: str, scope: str) -> None:
    """What is refused to a token without any scope but one of another kind names the scope that its path and method need."""
    plan = Plan("heroku", method, f"https://api.heroku.com{path}?x=1", "read" if method == "GET" else "write", {})
    refused = NotSignedIn("no", code="forbidden", http_status=403)
    fault = explained(refused, Credential("heroku", "here", "t", scope=("none",)), plan)
    assert (fault.code, fault.next[0].command) == ("scope_too_narrow", f"login --scope {scope}")
    assert explained(refused, Credential("heroku", "here", "t", scope=("global",)), plan) is refused


def test_a_narrow_credential_cannot_make_another(cli: Cli, identity: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that is known to be narrow is not used to make a wider one: a person signs in anew."""
    narrow(cli, monkeypatch, "--scope", "read")
    assert cli("login", "--scope", "write").json["state"] == "CLIENT_ACTION_REQUIRED"


def test_an_unknown_narrow_credential_is_told_why(cli: Cli, identity: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token whose scope nobody knows and that may not make authorizations is exit 4 with the reason."""
    monkeypatch.setenv("HEROKU_API_KEY", identity.issue(("read",)))
    done = cli("login", "--scope", "read")
    assert (done.code, "global" in done.error["hint"]) == (4, True)


def test_an_expired_token_asks_for_a_sign_in(cli: Cli, identity: Identity, monkeypatch: pytest.MonkeyPatch, store: Path) -> None:
    """A narrow token at its end is CLIENT_ACTION_REQUIRED, and a run with it is exit 4 without being sent."""
    made = narrow(cli, monkeypatch, "--scope", "read").json
    whole = json.loads(store.read_bytes())
    whole["entries"][0]["expires_at"] = time.time() - 1
    store.write_text(json.dumps(whole))
    identity.seen.clear()
    assert cli(*VARS).error["code"] == "connection_needs_sign_in"
    assert not identity.seen
    assert cli("connection", "get", made["id"]).json["state"] == "CLIENT_ACTION_REQUIRED"


@pytest.mark.parametrize(
    ("given", "scope"),
    [
        (["read"], ("identity", "read")),
        (["read,write-protected"], ("identity", "read", "write-protected")),
        (["read", "identity write"], ("identity", "read", "write")),
        (["global"], ("global",)),
    ],
)
def test_scopes_are_read(given: list[str], scope: tuple[str, ...]) -> None:
    """Scopes come with commas, spaces or several times; identity is added unless everything is asked for."""
    assert scopes_of(given) == scope


@pytest.mark.parametrize("given", [[""], ["reed"], ["read,"], ["read;write"]])
def test_an_unknown_scope_is_refused(given: list[str]) -> None:
    """A scope that Heroku does not have is refused with those that it has."""
    if given == ["read,"]:
        assert scopes_of(given) == ("identity", "read")
        return
    with pytest.raises(BadInput) as unknown:
        scopes_of(given)
    assert "read-protected" in unknown.value.hint


@pytest.mark.parametrize(("given", "seconds"), [("30m", 1800), ("8h", 28800), ("7D", 604800), ("90", 90), ("never", None)])
def test_spans_of_time_are_read(given: str, seconds: int | None) -> None:
    """A span is a number with s, m, h or d, or never."""
    assert seconds_of(given) == seconds


@pytest.mark.parametrize("given", ["", "0h", "-1h", "8 hours", "8w", "1.5h", "NaN"])
def test_other_spans_are_refused(given: str) -> None:
    """Anything else is no span of time."""
    with pytest.raises(BadInput):
        seconds_of(given)


def test_signing_out_revokes_the_authorization(
    cli: Cli, identity: Identity, monkeypatch: pytest.MonkeyPatch, store: Path
) -> None:
    """Signing a narrow credential out deletes its authorization and forgets it."""
    narrow(cli, monkeypatch, "--scope", "read")
    done = cli("logout").json
    assert [one["revoked"] for one in done["items"]] == [True]
    assert list(identity.tokens) == [FULL]
    assert json.loads(store.read_bytes())["entries"] == []


def test_signing_out_ends_the_session_of_the_browser(cli: Cli, identity: Identity) -> None:
    """Signing out of a browser sign-in asks to end the session and deletes the authorization that holds its token."""
    browse(cli("login").json["clientAction"]["uiUrl"], "Log In")
    cli("login", "complete")
    done = cli("logout").json
    assert done["items"][0]["revoked"] is True
    assert identity.count("DELETE", "/oauth/sessions/~") == 1
    assert list(identity.tokens) == [FULL]


def test_a_token_of_the_users_own_is_forgotten_and_not_revoked(
    cli: Cli, identity: Identity, signed_in: Callable[..., Outcome]
) -> None:
    """A token that was brought is only forgotten; where to revoke it is said."""
    signed_in()
    done = cli("logout").json
    assert (done["items"][0]["revoked"], "dashboard.heroku.com" in done["items"][0]["where"]) == (False, True)
    assert not [one for one in identity.seen if one[0] == "DELETE"]


def test_signing_out_offline_still_forgets(cli: Cli, identity: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the service down the credential is forgotten, and where to revoke it is said."""
    narrow(cli, monkeypatch, "--scope", "read")
    identity.down = True
    done = cli("logout").json
    assert (done["items"][0]["revoked"], bool(done["items"][0]["where"])) == (False, True)
    assert cli("connection", "list").json == {"items": []}


def test_signing_out_says_what_is_still_found(cli: Cli, identity: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    """A credential that is not kept here cannot be forgotten: it is named, with how to get rid of it."""
    monkeypatch.setenv("HEROKU_API_KEY", FULL)
    left = cli("logout").json["left"]
    assert (left["source"], "unset HEROKU_API_KEY" in left["how"]) == ("HEROKU_API_KEY", True)


def test_signing_out_of_all(cli: Cli, identity: Identity, signed_in: Callable[..., Outcome]) -> None:
    """`--all` forgets every connection, and a name that is not there is exit 2."""
    signed_in("--name", "a")
    signed_in("--name", "b")
    assert cli("logout", "--connectionId", "nobody").code == 2
    assert len(cli("logout", "--all").json["items"]) == 2
