"""Every action there is, asked with its own example."""

import json
import random
from urllib.parse import quote, urlencode

import pytest

from skill.catalog import open_catalog
from skill.schema import check
from skill.types import Request


def request_of(action, service) -> Request:
    """Write the request of an action's example by hand, without the program's own planner."""
    given = dict(action.example or {})
    path = action.path
    for name in [part[1:-1] for part in path.split("/") if part.startswith("{")]:
        path = path.replace(f"{{{name}}}", quote(str(given.pop(name)), safe=""))
    query = {
        name: text if isinstance(text := given.pop(name), str) else json.dumps(text) for name in action.query if name in given
    }
    content = given.get(action.body) if action.body else given
    origin = f"https://{action.host}" if action.host else service.base
    headers = {"Accept": action.accept or service.accept, **action.headers}
    body = json.dumps(content).encode() if content else None
    return Request(action.method, origin + path + (f"?{urlencode(query)}" if query else ""), headers, body)


@pytest.mark.parametrize("key", open_catalog().keys())
def test_example_is_answered(key, catalog, ask):
    """The example of every action is answered in a fresh sandbox, with what the action's output allows."""
    action = catalog.action(key)
    reply = ask.sandbox(request_of(action, catalog.services[action.service]))
    assert 200 <= reply.status < 300, reply.body
    body = json.loads(reply.body)
    assert check(body, action.output or {}) == []


@pytest.mark.parametrize(
    "key", [one.key for one in open_catalog().summaries() if one.path.count("{") == 1 and one.path.endswith("}")]
)
def test_unknown_name_is_not_found(key, catalog, ask):
    """A name that nothing has is answered with 404, whatever the action."""
    action = catalog.action(key)
    known = request_of(action, catalog.services[action.service])
    head, _, tail = known.url.partition("?")
    url = head.rpartition("/")[0] + "/no-such-thing" + (f"?{tail}" if tail else "")
    reply = ask.sandbox(Request(known.method, url, known.headers, known.body))
    assert (reply.status, json.loads(reply.body)["id"]) == (404, "not_found")


@pytest.mark.parametrize("seed", range(2))
def test_any_order(seed, catalog, ask):
    """In any order, each example is answered with what the action's output allows, or refused in the service's words."""
    actions = list(catalog.actions())
    random.Random(seed).shuffle(actions)
    for action in actions:
        reply = ask.sandbox(request_of(action, catalog.services[action.service]))
        body = json.loads(reply.body)
        assert check(body, action.output or {}) == [] if reply.status < 300 else body["id"] in ("not_found", "invalid_params"), (
            action.key
        )


@pytest.mark.parametrize("value", [None, "", [], {}, 0, "~", [None], {"id": {}}, {"name": []}, {"x": {"y": 1}}, "\0"])
def test_any_value(value, catalog, ask):
    """Whatever stands in a body, the sandbox answers or refuses, and does not break."""
    for action in [one for one in catalog.actions() if one.method != "GET"]:
        asked = request_of(action, catalog.services[action.service])
        content = json.loads(asked.body or b"{}")
        body = json.dumps(dict.fromkeys(content, value)).encode()
        reply = ask.sandbox(Request(asked.method, asked.url, asked.headers, body))
        assert reply.status in (200, 201, 202, 404, 422), (action.key, reply.body)
