"""How the sandbox speaks: refusals, headers, pages, faults on demand."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from skill.catalog import Catalog
from skill.sandbox import Sandbox
from skill.types import Request


@pytest.mark.parametrize(
    "path", ["/no/such/path", "/apps/no-such-app/domains/www.example.com", "/apps/example/domains/no-such.example.com"]
)
def test_unknown_is_not_found(ask, path):
    """An unknown path, parent or thing is 404 and says what could not be found."""
    assert ask("GET", path, status=404)["id"] == "not_found"


def test_other_host_is_not_found(ask):
    """A path of one host is not answered at another."""
    assert ask("GET", "https://elsewhere.example.com/apps", status=404)["id"] == "not_found"


def test_wrong_value_is_named(ask):
    """A value that will not do is refused with the property's name, and nothing is made."""
    refused = ask("POST", "/apps", {"name": "No Good"}, 422)
    assert refused["id"] == "invalid_params"
    assert refused["message"].startswith("name ")
    assert len(ask("GET", "/apps")) == 1


def test_missing_value_is_named(ask):
    """What is required and missing is named."""
    assert "hostname" in ask("POST", "/apps/example/domains", {"sni_endpoint": None}, 422)["message"]


def test_unknown_property_is_let_through(ask):
    """A property that the catalog does not know is no error: the service may know it."""
    ask("POST", "/apps", {"name": "shop", "unheard_of": 1}, 201)


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b"[" * 100_000])
def test_broken_body(ask, body):
    """A body that is no JSON object is 400."""
    reply = ask.send("POST", "/apps", body)
    assert (reply.status, json.loads(reply.body)["id"]) == (400, "bad_request")


def test_version_must_be_asked_for(ask):
    """The main host wants its version in the Accept header; other hosts do not."""
    assert ask.send("GET", "/apps", Accept="application/json").status == 406
    assert ask.send("GET", "/apps", Accept="application/vnd.heroku+json; version=3.sdk").status == 200


def test_headers(ask):
    """Every reply says what it is, carries an id of its own and tells what is left of the rate limit."""
    first, second = ask.send("GET", "/apps"), ask.send("GET", "/no-such-path")
    for reply in (first, second):
        assert reply.headers["content-type"] == "application/json;charset=utf-8"
        assert int(reply.headers["ratelimit-remaining"]) > 0
    assert first.headers["request-id"] != second.headers["request-id"]


def test_unchanged(ask):
    """A reply that the caller has already is 304 without a body."""
    reply = ask.send("GET", "/apps")
    again = ask.send("GET", "/apps", **{"If-None-Match": reply.headers["etag"]})
    assert (again.status, again.body) == (304, b"")


def test_head(ask):
    """HEAD answers as GET does, without the body."""
    reply = ask.send("HEAD", "/apps/example")
    assert (reply.status, reply.body) == (200, b"")


def test_path_values_are_decoded_once(ask):
    """A percent sign in a segment is decoded once and no more."""
    assert ask("GET", "/apps/ex%61mple")["name"] == "example"
    ask("GET", "/apps/ex%2561mple", status=404)


def test_fault_on_demand(catalog, state):
    """A fault that was asked for is given instead of an answer, and changes nothing."""
    body = {"id": "rate_limit", "message": "Your account reached the API rate limit"}
    sandbox = Sandbox(catalog, state, {"DELETE /apps/example": (429, body)})
    accept = {"Accept": "application/vnd.heroku+json; version=3"}
    reply = sandbox(Request("DELETE", "https://api.heroku.com/apps/example", accept))
    assert (reply.status, json.loads(reply.body)) == (429, body)
    assert sandbox(Request("GET", "https://api.heroku.com/apps/example", accept)).status == 200


def test_reset(ask):
    """After a reset everything is as it was at first."""
    ask("DELETE", "/apps/example")
    ask.sandbox.reset()
    assert ask("GET", "/apps/example")["name"] == "example"


def test_more_actions_later(catalog, ask, state):
    """A catalog that changed keeps what people made and learns what is new."""
    ask("POST", "/apps", {"name": "shop"}, 201)
    kept = json.loads(state.read_bytes())
    kept["digest"] = "of another catalog"
    del kept["records"]["region"]
    state.write_text(json.dumps(kept))
    assert [one["name"] for one in ask("GET", "/apps")] == ["example", "shop"]
    assert ask("GET", "/regions/eu")["name"] == "eu"


def test_one_request_opens_few_actions(catalog, state):
    """One request does not open the whole catalog."""
    mine = Catalog(catalog.parts)
    Sandbox(mine, state)(Request("GET", "https://api.heroku.com/apps", {"Accept": "version=3"}))
    assert len(mine._opened) <= 3


def test_import_is_light():
    """Importing the room loads no network, no YAML and no schema library."""
    heavy = "{'ssl', 'httpx', 'http.client', 'yaml', 'jsonschema_rs', 'numpy', 'typer'}"
    code = f"import sys, skill.sandbox; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert done.stdout.strip() == "[]"
