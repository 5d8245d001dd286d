"""Planning: one request out of an action or of raw words, with nothing in it that must not be sent."""

import json
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from skill.catalog import Catalog
from skill.faults import BadInput
from skill.paths import match_path, path_parameters, segment
from skill.plan import body_bytes, plan_action, plan_raw, secret_pointers
from skill.run import actions_like
from skill.types import Confirmation, Json, Plan

BASE = "https://api.heroku.com"
UUID = "01234567-89ab-cdef-0123-456789abcdef"
texts = st.text() | st.text(alphabet="./%2fF\\?#&;@: ~\x00\n\r\u202eé") | st.text(alphabet=st.characters(), max_size=3)


def planned(catalog: Catalog, key: str, given: dict[str, Json]) -> Plan:
    """Plan an action of the catalog."""
    return plan_action(catalog.action(key), given, catalog.services["heroku"], BASE)


def raw(catalog: Catalog, method: str, path: str, **more: Any) -> Plan:
    """Plan a raw request as the command line does."""
    return plan_raw(
        catalog.services["heroku"], BASE, method, path, matches=actions_like(catalog, method, urlsplit(path).path, None), **more
    )


@given(texts)
@example("/")
@example("..")
@example("%2F")
@example("a\x00b")
@example("a\nb")
@example("\ud800")
def test_a_path_value_is_one_segment_or_refused(text: str) -> None:
    """Any text is either refused or exactly one segment that decodes once to itself."""
    try:
        encoded = segment("app", text)
    except BadInput:
        return
    assert unquote(encoded, errors="strict") == text
    assert urlsplit(f"https://h/apps/{encoded}/x").path.split("/") == ["", "apps", encoded, "x"]
    assert encoded.isascii()
    assert not {".", ".."} & {encoded, unquote(encoded)}


@pytest.mark.parametrize("text", ["", " ", ".", "..", "a/b", "/", "a\x00", "a\n", "\r", "\x7f", "\ud800"])
def test_what_is_no_segment_is_refused(text: str) -> None:
    """Empty values, dot segments, slashes, control characters and broken text are refused, with the parameter's name."""
    with pytest.raises(BadInput) as refused:
        segment("app", text)
    assert refused.value.problems[0].where == "/app"


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("%2F", "%252F"),
        ("a b", "a%20b"),
        ("17:63", "17%3A63"),
        ("a@b.c", "a%40b.c"),
        ("*.x", "%2A.x"),
        ("~", "~"),
        ("é", "%C3%A9"),
    ],
)
def test_a_path_value_is_encoded_once(text: str, encoded: str) -> None:
    """A path value is percent-encoded exactly once, what looks encoded already too."""
    assert segment("key", text) == encoded


def test_a_slash_stands_only_where_the_parameter_says_so() -> None:
    """A slash is let through, encoded, only for a parameter that may have one."""
    assert segment("buildpack", "heroku/python", slash=True) == "heroku%2Fpython"


@given(texts)
def test_a_value_never_moves_the_request(catalog: Catalog, text: str) -> None:
    """Whatever the app is called, the request goes to the service's own host and keeps its shape."""
    try:
        plan = planned(catalog, "get-config-vars", {"app": text})
    except BadInput:
        return
    parts = urlsplit(plan.url)
    assert (f"{parts.scheme}://{parts.netloc}", parts.query, parts.fragment) == (BASE, "", "")
    assert match_path("/apps/{app}/config-vars", parts.path) == {"app": parts.path.split("/")[2]}


def test_inputs_go_where_the_action_says(catalog: Catalog) -> None:
    """Path parameters go into the path, the rest into the JSON body, and a read has none."""
    plan = planned(catalog, "update-formation", {"app": "shop", "formation": "web", "quantity": 2})
    assert (plan.method, plan.url, plan.content) == ("PATCH", f"{BASE}/apps/shop/formation/web", {"quantity": 2})
    assert plan.headers["Content-Type"] == "application/json"
    read = planned(catalog, "get-app", {"app": "shop"})
    assert (read.content, body_bytes(read), "Content-Type" in read.headers) == (None, None, False)


def test_query_parameters_are_encoded(catalog: Catalog) -> None:
    """An input that belongs into the query is encoded there, and is in no body."""
    action = next(action for action in catalog.actions() if action.query and action.method == "GET")
    name = action.query[0]
    given = {**dict.fromkeys(path_parameters(action.path), "x"), name: "a&b=c d#"}
    plan = plan_action(action, given, catalog.services["heroku"], BASE)
    assert (urlsplit(plan.url).query, plan.content) == (f"{name}=a%26b%3Dc+d%23", None)


def test_a_free_form_body_is_one_input(catalog: Catalog) -> None:
    """A free-form body is the value of its input, null values and all, each of them secret."""
    plan = planned(catalog, "update-config-vars", {"app": "shop", "vars": {"A": "x", "a/b": "y", "C": None}})
    assert plan.content == {"A": "x", "a/b": "y", "C": None}
    assert plan.secrets == ("/A", "/a~1b")


@given(st.dictionaries(st.text(), st.none() | st.integers() | st.text(alphabet=st.characters(exclude_categories=["Cs"]))))
def test_a_body_goes_there_and_back(catalog: Catalog, content: dict[str, Json]) -> None:
    """The bytes of a body, read as JSON, are the body."""
    try:
        sent = body_bytes(raw(catalog, "POST", "/x", content=content))
    except UnicodeEncodeError:
        assert any(not key.isprintable() for key in content)
        return
    assert json.loads(sent or b"") == content


def test_every_example_can_be_planned(catalog: Catalog) -> None:
    """Every action's own example makes a plan with its risk, which wants a confirmation just where it destroys."""
    for action in catalog.actions():
        plan = plan_action(action, action.example or {}, catalog.services[action.service], BASE)
        assert (plan.risk, plan.confirmation is not None, "{" in plan.url) == (action.risk, action.risk == "destroy", False), (
            action.key
        )


def test_a_plan_holds_no_credential(catalog: Catalog) -> None:
    """No plan has an Authorization header."""
    plans = (plan_action(one, one.example or {}, catalog.services[one.service], BASE) for one in catalog.actions())
    assert not [plan for plan in plans if "authorization" in {name.lower() for name in plan.headers}]


def test_the_last_name_in_the_path_confirms(catalog: Catalog) -> None:
    """A destroying plan is confirmed by the last name of its path, looked up where an id was given."""
    named = planned(catalog, "delete-app", {"app": "shop"}).confirmation
    by_id = planned(catalog, "delete-app", {"app": UUID}).confirmation
    assert named is not None
    assert (named.expected, named.lookup) == ("shop", None)
    assert by_id is not None
    assert (by_id.expected, by_id.lookup) == (UUID, f"/apps/{UUID}")


def test_a_confirmation_is_never_a_secret(catalog: Catalog) -> None:
    """What a person must type never is a secret path value."""
    for action in catalog.actions():
        secret = [name for name in path_parameters(action.path) if action.input["properties"][name].get("x-secret")]
        plan = plan_action(
            action, {**(action.example or {}), **dict.fromkeys(secret, "s3cr3t-value")}, catalog.services[action.service], BASE
        )
        assert "s3cr3t-value" not in plan.shown_url, action.key
        assert plan.confirmation is None or plan.confirmation.expected != "s3cr3t-value", action.key


@pytest.mark.parametrize(
    ("method", "path", "key"),
    [
        ("DELETE", "/apps/shop", "delete-app"),
        ("GET", "/apps/shop/config-vars", "get-config-vars"),
        ("PATCH", "/apps/shop/config-vars/", "update-config-vars"),
        ("GET", "/apps", "list-apps"),
        ("GET", "/apps/shop?x=y", "get-app"),
    ],
)
def test_a_raw_request_is_the_action_it_matches(catalog: Catalog, method: str, path: str, key: str) -> None:
    """A raw request with the method and path of an action is that action: its risk, its confirmation."""
    plan = raw(catalog, method, path)
    assert plan.action is not None
    assert (plan.action.key, plan.risk) == (key, catalog.action(key).risk)
    assert (plan.confirmation.expected if plan.confirmation else None) == ("shop" if plan.risk == "destroy" else None)


@pytest.mark.parametrize(("content", "body"), [({"A": "x"}, None), (None, b'{"A":"x"}')], ids=["json", "bytes"])
def test_a_raw_request_inherits_secrets(catalog: Catalog, content: Json, body: bytes | None) -> None:
    """The body of a raw request has the secrets of the action that it is, sent as JSON or as bytes."""
    assert raw(catalog, "PATCH", "/apps/shop/config-vars", content=content, raw=body).secrets == ("/A",)


@pytest.mark.parametrize(
    ("method", "risk"),
    [("GET", "read"), ("HEAD", "read"), ("POST", "write"), ("PUT", "write"), ("PATCH", "write"), ("DELETE", "destroy")],
)
def test_an_unknown_raw_request_has_the_risk_of_its_method(catalog: Catalog, method: str, risk: str) -> None:
    """An unmatched DELETE destroys, and is confirmed by its last segment; other unmatched writes write."""
    plan = raw(catalog, method, "/no/such/thing")
    assert (plan.risk, plan.confirmation.expected if plan.confirmation else None) == (
        risk,
        "thing" if risk == "destroy" else None,
    )


@pytest.mark.parametrize(
    "path",
    [
        "apps",
        "//evil.com/x",
        "/a\nb",
        "/a b",
        "/a\\b",
        "/a#b",
        "/a/../b",
        "/a/%2e%2E/b",
        "/./a",
        "/{app}",
        "https://u@api.heroku.com/x",
        "http://api.heroku.com/",
        "/\x00",
    ],
)
def test_a_raw_path_that_must_not_be_sent_is_refused(catalog: Catalog, path: str) -> None:
    """A raw path that climbs, breaks a line, names a user or leaves a parameter open is refused."""
    with pytest.raises(BadInput):
        raw(catalog, "GET", path)


@given(st.text(alphabet="/.%2eE\\?#@:{}ab \n\u3002"))
def test_a_raw_path_never_climbs_or_moves(catalog: Catalog, tail: str) -> None:
    """Whatever the raw path, it is refused or stays on the service's own host without dot segments."""
    try:
        plan = raw(catalog, "GET", "/" + tail)
    except BadInput:
        return
    assert urlsplit(plan.url).netloc == "api.heroku.com"
    assert not {".", ".."} & set(unquote(urlsplit(plan.url).path).split("/")) or "%2f" in tail.lower()


@given(st.text(alphabet="X-ab: \r\n\x00\té", max_size=6), st.text(alphabet="ab \r\n\x00\x85\u2028é:", max_size=6))
def test_a_header_is_one_line_of_plain_text(catalog: Catalog, name: str, value: str) -> None:
    """A header is refused, or is one line of ASCII under one name."""
    try:
        plan = raw(catalog, "GET", "/x", headers=[(name, value)])
    except BadInput:
        return
    assert value.isascii()
    assert not set(value) & set("\r\n\x00")
    assert name
    assert set(name) <= set("X-ab")
    assert plan.headers[name] == value


@pytest.mark.parametrize(
    "name", ["Authorization", "authorization", "HOST", "Cookie", "Content-Length", "Transfer-Encoding", "Proxy-Authorization"]
)
def test_a_header_of_the_programs_own_is_refused(catalog: Catalog, name: str) -> None:
    """A caller sets neither the credential nor the framing of a request."""
    with pytest.raises(BadInput):
        raw(catalog, "GET", "/x", headers=[(name, "x")])


def test_a_header_replaces_its_namesake(catalog: Catalog) -> None:
    """A header of the caller's takes the place of the default, whatever its capitals."""
    headers = raw(catalog, "GET", "/x", headers=[("accept", "text/plain")]).headers
    assert headers == {"accept": "text/plain"}


@pytest.mark.parametrize("method", ["get", "TRACE", "CONNECT", "GET /x HTTP/1.1", ""])
def test_an_unknown_method_is_refused(catalog: Catalog, method: str) -> None:
    """Only the six methods are sent, written in capitals."""
    with pytest.raises(BadInput):
        raw(catalog, method, "/x")


@given(
    st.recursive(st.none() | st.text(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))
)
def test_secrets_are_pointed_at_wherever_they_are(value: Json) -> None:
    """A value that is secret as a whole has one pointer, to itself; null has none."""
    assert secret_pointers(value, {"x-secret": True}) == ([""] if value is not None else [])
    assert secret_pointers({"a": [value]}, {"properties": {"a": {"items": {"x-secret": True}}}}) == (
        ["/a/0"] if value is not None else []
    )


def test_an_encoded_letter_does_not_hide_an_action(catalog: Catalog) -> None:
    """A raw path whose plain characters are percent-encoded is the action that the service will take it for."""
    assert raw(catalog, "GET", "/apps/shop/config%2Dvars").action is not None


@pytest.mark.parametrize("path", ["/apps/shop/", "/apps//shop", "/%61pps/shop//", "/apps/%73hop"])
def test_slashes_do_not_hide_an_action(catalog: Catalog, path: str) -> None:
    """A raw path with doubled or trailing slashes wants the confirmation that the action wants."""
    plan = raw(catalog, "DELETE", path)
    assert plan.action is not None
    assert (plan.action.key, plan.confirmation) == ("delete-app", Confirmation("shop"))


def test_a_header_does_not_change_the_method(catalog: Catalog) -> None:
    """A header that would make the service take another method is refused."""
    for name in ("X-Http-Method-Override", "x-http-method", "X-Method-Override", "X_HTTP_Method_Override"):
        with pytest.raises(BadInput):
            raw(catalog, "POST", "/apps/shop", headers=[(name, "DELETE")])


def test_what_is_not_known_goes_into_the_query_of_a_read(catalog: Catalog) -> None:
    """A property that no schema knows becomes a part of a read's query: a GET has no body."""
    action = catalog.action("list-apps")
    plan = plan_action(action, {"beta": True}, catalog.services["heroku"], "https://api.heroku.com")
    assert (plan.url, plan.content) == ("https://api.heroku.com/apps?beta=true", None)


def test_what_is_not_known_is_never_dropped(catalog: Catalog) -> None:
    """Where one input is the whole body, a property beside it is refused and not left out in silence."""
    action = catalog.action("update-config-vars")
    with pytest.raises(BadInput, match="no place for 'beta'"):
        plan_action(action, {"app": "x", "vars": {}, "beta": 1}, catalog.services["heroku"], "https://api.heroku.com")


def test_half_of_a_surrogate_pair_is_refused(catalog: Catalog) -> None:
    """A body, a path or a query that is no Unicode text is refused before anything is sent."""
    for path, content, query in (("/x", {"a": "\ud800"}, []), ("/\ud800", None, []), ("/x", None, [("a", "\udcff")])):
        with pytest.raises(BadInput):
            raw(catalog, "POST", path, content=content, query=query)
