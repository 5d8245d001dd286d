"""The states of a connection, each reached as a user would reach it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from skill.connection.target import domain_of, service_of
from skill.faults import BadInput
from tests.conftest import Cli, Outcome
from tests.identity import FULL, Identity

if TYPE_CHECKING:
    from skill.types import Service

SERVICE = "name: thing\ntitle: Thing\nabout: A thing.\ndomain: thing.example\nbase: http://localhost:9\n"
RESOURCE = """about: A part of the thing.
object: {type: object, properties: {id: {type: string}}}
actions:
  list-thing-parts:
    title: List Thing Parts
    about: Lists the parts of the thing.
    asks: [parts of the thing, which parts are there, show thing parts, list all parts]
    request: GET /parts
    output: [object]
"""


@pytest.fixture
def thing(user_actions: Callable[..., Path]) -> Path:
    """A user's own service."""
    return user_actions({"thing/service.yaml": SERVICE, "thing/part.yaml": RESOURCE})


def test_ready_when_the_service_accepts_the_credential(cli: Cli, identity: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    """A credential that the harmless call proves is READY; the service's name stands for it, and nothing is written."""
    monkeypatch.setenv("HEROKU_API_KEY", FULL)
    done = cli("connection", "ensure", "https://www.heroku.com/")
    assert (done.code, done.json["state"], done.json["id"], done.json["source"]) == (0, "READY", "heroku", "HEROKU_API_KEY")
    assert identity.count("GET", "/account/rate-limits") == 1
    assert cli("connection", "get", "heroku").json["state"] == "READY"
    assert cli("action", "run", "get-app", "--input", '{"app":"example"}', "--connectionId", done.json["id"]).code == 0


def test_ensure_finds_what_it_made(cli: Cli, identity: Identity, signed_in: Callable[..., Outcome]) -> None:
    """Ensuring a kept connection gives that one, and a name gives the one of that name or makes it."""
    made = signed_in().json
    assert cli("connection", "ensure", "heroku.com").json["id"] == made["id"]
    named = cli("connection", "ensure", "heroku.com", "--name", "other").json
    assert (named["name"], named["state"]) == ("other", "CLIENT_ACTION_REQUIRED")
    assert cli("connection", "ensure", "heroku.com", "--name", "other").json["id"] == named["id"] != made["id"]


def test_the_same_account_stays_the_same_connection(cli: Cli, identity: Identity, signed_in: Callable[..., Outcome]) -> None:
    """Signing the same account in again mends its connection and keeps its id; another account stands beside it."""
    first, again = signed_in().json, signed_in().json
    identity.account = "other@example.com"
    other = signed_in().json
    assert first["id"] == again["id"] != other["id"]
    assert [one["name"] for one in cli("connection", "list").json["items"]] == ["me@example.com", "other@example.com"]


def test_a_revoked_token_asks_for_a_sign_in(cli: Cli, identity: Identity, signed_in: Callable[..., Outcome]) -> None:
    """A kept token that is no longer accepted makes a run exit 4 and the connection want a person; `ensure` begins it."""
    made = signed_in().json
    del identity.tokens[list(identity.tokens)[-1]]
    assert cli("action", "run", "get-app", "--input", '{"app":"example"}').code == 4
    assert cli("connection", "list").json["items"][0]["state"] == "CLIENT_ACTION_REQUIRED"
    begun = cli("connection", "ensure", "heroku.com").json
    assert (begun["id"], begun["clientAction"]["type"], "uiUrl" in begun["clientAction"]) == (made["id"], "connect", True)


def test_a_sign_in_mends_the_connection_in_use(
    cli: Cli, identity: Identity, monkeypatch: pytest.MonkeyPatch, signed_in: Callable[..., Outcome]
) -> None:
    """Of several connections that want a person the default is signed in first, unless the environment names another."""
    waiting = cli("connection", "ensure", "heroku", "--name", "waiting").json
    used = signed_in("--name", "used").json
    del identity.tokens[list(identity.tokens)[-1]]
    assert cli("connection", "ensure", "heroku.com").json["id"] == used["id"]
    monkeypatch.setenv("SKILL_CONNECTION", "waiting")
    assert cli("connection", "ensure", "heroku.com").json["id"] == waiting["id"]


def test_listing_asks_nobody(cli: Cli, identity: Identity, signed_in: Callable[..., Outcome]) -> None:
    """The list is what is kept, whatever the network does."""
    signed_in()
    identity.seen.clear()
    assert cli("connection", "list").json["items"][0]["state"] == "READY"
    assert not identity.seen


def test_a_refused_variable_is_to_be_unset(cli: Cli, identity: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is not accepted comes before any sign-in, so the person is asked to mend it, and nothing is begun."""
    monkeypatch.setenv("HEROKU_API_KEY", "HRKU-nobodysnobodysnobodysnobodys")
    done = cli("connection", "ensure", "heroku.com").json
    assert (done["state"], "HEROKU_API_KEY" in done["clientAction"]["description"]) == ("CLIENT_ACTION_REQUIRED", True)
    assert identity.count("POST", "/auth") == 0


def test_an_unknown_service_asks_which_is_meant(cli: Cli, identity: Identity, thing: Path) -> None:
    """An address of no known service wants input: the known ones are listed, and how to add one's own actions."""
    done = cli("connection", "ensure", "https://www.thing.example/some/page")
    action = done.json["clientAction"]
    assert (done.code, done.json["state"], action["type"]) == (0, "CLIENT_ACTION_REQUIRED", "provide-input")
    assert "heroku.com" in action["description"]
    assert "service.yaml" in action["agentInstructions"]
    assert cli("connection", "ensure", "thing.example").json["id"] == done.json["id"]
    known = cli("connection", "get", done.json["id"], "--actions", str(thing)).json
    assert (known["id"], known["service"]) == (done.json["id"], "thing")


def test_building_until_the_index_is_built(cli: Cli, thing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service whose actions cannot be searched yet is BUILDING; waiting for it builds the index."""
    monkeypatch.setenv("THING_API_KEY", "t0ken")
    first = cli("connection", "ensure", "thing.example", "--actions", str(thing))
    assert (first.code, first.json["state"]) == (0, "BUILDING")
    waited = cli("connection", "get", "thing", "--wait", "--actions", str(thing))
    assert (waited.code, waited.json["state"]) == (0, "READY")


def test_a_service_without_a_browser_sign_in_says_what_to_set(cli: Cli, thing: Path) -> None:
    """A service of the user's own wants its variable or a token; there is no address to open."""
    done = cli("connection", "ensure", "thing", "--actions", str(thing))
    action = done.json["clientAction"]
    assert (done.code, done.json["state"], "uiUrl" in action) == (0, "CLIENT_ACTION_REQUIRED", False)
    assert "THING_API_KEY" in action["agentInstructions"]


def test_a_token_in_hand_signs_a_service_of_ones_own_in(cli: Cli, thing: Path) -> None:
    """A connection of the user's own service takes a token in hand, by the connection's name alone."""
    made = cli("connection", "ensure", "thing", "--actions", str(thing)).json
    words = ("login", "--connectionId", made["key"], "--token-stdin", "--actions", str(thing))
    done = cli(*words, stdin=b"t0ken")
    assert (done.code, done.json["id"], done.json["service"], done.json["kind"]) == (0, made["id"], "thing", "token")


def test_a_host_that_is_not_allowed_is_a_configuration_error(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that moves the API where the credential must not go is CONFIGURATION_ERROR, exit 1."""
    monkeypatch.setenv("HEROKU_HOST", "evil.com")
    monkeypatch.setenv("HEROKU_API_KEY", FULL)
    done = cli("connection", "ensure", "heroku.com")
    assert (done.code, done.json["state"], done.json["error"]["code"]) == (1, "CONFIGURATION_ERROR", "host_not_allowed")


def test_a_service_that_is_gone_is_a_configuration_error(cli: Cli, thing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection whose actions are no longer there says so."""
    made = cli("connection", "ensure", "thing", "--actions", str(thing)).json
    done = cli("connection", "get", made["id"])
    assert (done.code, done.json["state"], done.json["error"]["code"]) == (1, "CONFIGURATION_ERROR", "no_such_service")


def test_a_service_that_is_down_is_a_failed_set_up(cli: Cli, identity: Identity, signed_in: Callable[..., Outcome]) -> None:
    """A service that cannot be asked gives SETUP_FAILED with the cause, and READY once it is back."""
    made = signed_in().json
    identity.down = True
    done = cli("connection", "get", made["id"])
    assert (done.code, done.json["state"], done.json["error"]["http_status"]) == (1, "SETUP_FAILED", 503)
    identity.down = False
    assert cli("connection", "get", made["id"]).json["state"] == "READY"


def test_the_sandbox_is_always_ready(cli: Cli) -> None:
    """The sandbox is READY without a credential or a network, and runs under its name."""
    for words in (("ensure", "sandbox"), ("get", "sandbox"), ("get", "sandbox", "--wait")):
        done = cli("connection", *words)
        assert (done.code, done.json["id"], done.json["state"]) == (0, "sandbox", "READY")
    assert cli("action", "run", "get-app", "--input", '{"app":"example"}', "--connectionId", "sandbox").json["sandbox"] is True


def test_a_connection_can_be_forgotten(cli: Cli, identity: Identity, store: Path, signed_in: Callable[..., Outcome]) -> None:
    """A deleted connection is gone with its secret, and the next one becomes the default."""
    first = signed_in("--name", "a").json
    second = signed_in("--name", "b").json
    assert cli("connection", "delete", second["id"]).json == {"id": second["id"], "deleted": True}
    assert cli("connection", "get", second["id"]).error["code"] == "no_such_connection"
    assert cli("whoami").json["connection"] == first["id"]
    assert len(json.loads(store.read_bytes())["entries"]) == 1


@pytest.mark.parametrize("verb", ["get", "delete", "default"])
def test_a_connection_that_is_not_there(cli: Cli, verb: str) -> None:
    """Looking at, forgetting or choosing what is not there is exit 2 and names the list."""
    done = cli("connection", verb, "nobody")
    assert (done.code, done.error["code"]) == (2, "no_such_connection")
    assert done.error["next"][0]["command"].endswith("connection list")


@pytest.mark.parametrize(
    "given",
    [
        "heroku",
        "Heroku",
        "heroku.com",
        "HEROKU.COM",
        "https://www.heroku.com/",
        "http://me:pw@api.heroku.com:443/apps?x#y",
        "www.heroku.com.",
        " dashboard.heroku.com/apps ",
    ],
)
def test_every_form_of_a_service_is_known(catalog: object, given: str) -> None:
    """A name, a domain, or any address below it, names the service."""
    services: dict[str, Service] = catalog.services  # type: ignore[attr-defined]
    found = service_of(domain_of(given), services)
    assert found is not None
    assert found.name == "heroku"


@pytest.mark.parametrize("given", ["", " ", "https://", "http://[::1", "a/../..", "\x1b[31m", "-", "https://evil\u202e.com"])
def test_what_is_no_service_is_refused(cli: Cli, given: str) -> None:
    """What is no address, domain or name is exit 2."""
    done = cli("connection", "ensure", "--", given)
    if done.code == 0:
        assert done.json["clientAction"]["type"] == "provide-input"
        assert given == "a/../.."
        return
    assert done.code == 2


@pytest.mark.parametrize("given", ["xheroku.com", "heroku.com.evil.com", "herokuapp.com", "https://heroku.com@evil.com/"])
def test_a_domain_that_only_looks_like_it_is_unknown(catalog: object, given: str) -> None:
    """Another domain is not Heroku's, however alike it looks."""
    assert service_of(domain_of(given), catalog.services) is None  # type: ignore[attr-defined]


def test_a_bad_domain_is_a_fault() -> None:
    """A text without a name in it is bad input."""
    with pytest.raises(BadInput):
        domain_of("https:///")
