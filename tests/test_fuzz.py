"""Anything at all: as an input it stays where it was put, as a reply it is shown or refused, and never a bug."""

import contextlib
import io
import json
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skill.app import Skill
from skill.catalog import Catalog
from skill.faces.order import How, Order, finish
from skill.faces.raw import RawMaker
from skill.faults import BadInput, Fault
from skill.paths import path_parameters
from skill.plan import plan_action
from skill.types import Action, Json, Options, Plan, Reply, Request
from tests.conftest import TOKEN, Cli
from tests.server import Server, answer

SHARED = [HealthCheck.function_scoped_fixture]
# what is apt to break out, beside any text at all
NASTY = st.sampled_from(
    [
        "..",
        ".",
        "%2e%2e",
        "a/b",
        "a%2Fb",
        "?x=1",
        "#x",
        "a\r\nX: y",
        "\x00",
        "{app}",
        "a;b",
        "//h",
        "\\",
        "é",
        "\u202e",
        "~",
        "@h",
        ":80",
    ]
)
TEXTS = st.one_of(NASTY, st.text(max_size=20), st.builds(str.__add__, NASTY, st.text(max_size=4)))
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS)
VALUES = st.recursive(SCALARS, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)))


@given(data=st.data())
def test_an_input_stays_where_it_was_put(catalog: Catalog, data: st.DataObject) -> None:
    """Whatever the inputs of whatever action are, each is one segment, one part of the query or one value of the body."""
    action = data.draw(st.sampled_from(list(catalog.actions())), label="action")
    example = dict(action.example or {})
    names = data.draw(st.lists(st.sampled_from(sorted(example) or ["app"]), unique=True), label="names")
    whole = {**example, **{name: data.draw(TEXTS if name in path_parameters(action.path) else VALUES) for name in names}}
    service = catalog.services[action.service]
    try:
        plan = plan_action(action, whole, service, service.base)
    except BadInput:
        return
    before = plan_action(action, example, service, service.base)
    # an input of an action whose example has no body gives it one, which has its type and nothing else
    named = {**before.headers, **({"Content-Type": "application/json"} if plan.content is not None else {})}
    assert (plan.method, plan.headers, urlsplit(plan.url)[:2]) == (before.method, named, urlsplit(before.url)[:2])
    _same_path(action, whole, plan)
    assert plan.url.isascii()
    assert plan.url.isprintable()
    asked = {name: value for name, value in parse_qsl(urlsplit(plan.url).query, keep_blank_values=True) if name in action.query}
    assert all(asked[name] == whole[name] for name in action.query if isinstance(whole.get(name), str))
    rest = {name for name in whole if name not in (*path_parameters(action.path), *action.query)}
    if plan.content is not None:
        assert plan.content == (whole[action.body] if action.body else {name: whole[name] for name in rest})


def _same_path(action: Action, whole: dict[str, Json], plan: Plan) -> None:
    wanted, found = action.path.split("/"), urlsplit(plan.url).path.split("/")
    assert len(wanted) == len(found)
    for form, part in zip(wanted, found, strict=True):
        expected = form
        for name in path_parameters(form):
            expected = expected.replace(f"{{{name}}}", str(whole[name]))
        assert unquote(part) == expected
        assert part not in (".", "..")


@given(
    line=st.dictionaries(st.one_of(st.sampled_from(["app", "x"]), TEXTS), VALUES, max_size=4),
    method=st.sampled_from(["GET", "PATCH"]),
)
def test_a_line_stays_where_it_was_put(catalog: Catalog, line: dict[str, Json], method: str) -> None:
    """Whatever a line of --each holds, a raw request stays at its host, method, path and headers."""
    skill = Skill(Options(sandbox=True), lambda _: None)
    skill.__dict__["catalog"] = catalog
    try:
        plan = RawMaker("/apps/{app}/x", method, content={} if method == "PATCH" else None).make(skill, line).plan
    except BadInput:
        return
    parts = urlsplit(plan.url)
    assert (plan.method, parts.scheme, parts.netloc, parts.path.count("/")) == (method, "https", "api.heroku.com", 3)
    assert unquote(parts.path.split("/")[2]) == (line["app"] if isinstance(line["app"], str) else json.dumps(line["app"]))
    assert set(plan.headers) <= {"Accept", "Content-Type"}
    if method == "PATCH":
        assert plan.content == {name: value for name, value in line.items() if name != "app"}


@settings(max_examples=30, suppress_health_check=SHARED)
@given(value=TEXTS)
def test_a_header_is_one_header(cli: Cli, server: Server, value: str) -> None:
    """Over a real socket: a header's value arrives as it is, alone, or is refused and nothing is sent."""
    server.rest, before = answer({}), len(server.seen)
    done = cli("request", "/none", "-H", f"X-Own: {value}")
    sent = server.seen[before:]
    assert done.code in (0, 2)
    assert len(sent) == (0 if done.code else 1)
    for one in sent:
        assert one.headers["x-own"] == value.strip()
        assert set(one.headers) <= {
            "x-own",
            "host",
            "accept",
            "accept-encoding",
            "connection",
            "user-agent",
            "request-id",
            "authorization",
        }


BODIES = st.one_of(
    VALUES.map(lambda value: json.dumps(value).encode()),
    st.lists(st.dictionaries(st.sampled_from(["id", "name", "region", "state"]), VALUES), max_size=30).map(
        lambda value: json.dumps(value).encode()
    ),
    st.binary(max_size=60),
    TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")),
)
KINDS = st.sampled_from(["application/json", "text/plain", "text/html; charset=x", "", "application/octet-stream", "é;;"])
HEADS = st.dictionaries(
    st.sampled_from(
        ["next-range", "content-range", "x-heroku-warning", "ratelimit-remaining", "request-id", "location", "retry-after"]
    ),
    st.text(max_size=12),
    max_size=3,
)
FORMS: list[dict[str, Json]] = [
    {},
    {"json": True},
    {"format": "ndjson"},
    {"format": "csv"},
    {"format": "table"},
    {"max_bytes": 200},
    {"jq": "."},
    {"fields": ["name"], "limit": 2},
    {"strict": True},
]
REPLIES = st.builds(
    lambda status, kind, head, body, whole: Reply(status, {**head, "content-type": kind}, body, whole=whole),
    st.sampled_from([200, 201, 202, 204, 206, 302, 400, 403, 404, 409, 422, 423, 429, 500, 503, 999]),
    KINDS,
    HEADS,
    BODIES,
    st.booleans(),
)


def survives(catalog: Catalog, key: str, reply: Reply, form: dict[str, Json]) -> None:
    """Run an action that gets a reply, and print what comes of it; anything but a result or a fault is a crash."""

    def exchange(request: Request) -> Reply:
        return reply

    skill = Skill(Options(timeout_s=0.05, **form), lambda _: None, lambda: exchange)
    skill.__dict__["catalog"] = catalog
    action = catalog.action(key)
    service = catalog.services[action.service]
    plan = plan_action(action, action.example or {}, service, service.base)
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out), contextlib.suppress(Fault):
        finish(skill, Order(plan, dict(action.example or {}), f"action run {key}"), How())
    assert "\x1b" not in out.getvalue().replace("\\u001b", "")


KEYS = ["list-apps", "get-app", "create-app", "get-config-vars", "list-releases", "restart-dyno", "list-test-nodes"]


@settings(max_examples=300, suppress_health_check=SHARED)
@given(key=st.sampled_from(KEYS), reply=REPLIES, form=st.sampled_from(FORMS))
def test_no_reply_crashes(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, key: str, reply: Reply, form: dict[str, Json]
) -> None:
    """Whatever comes back, it is shown or it is a fault."""
    monkeypatch.setenv("HEROKU_API_KEY", TOKEN)
    survives(catalog, key, reply, form)


@pytest.mark.load
@settings(max_examples=10_000, suppress_health_check=[*SHARED, HealthCheck.too_slow])
@given(key=st.sampled_from(KEYS), reply=REPLIES, form=st.sampled_from(FORMS))
def test_ten_thousand_replies_crash_nothing(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, key: str, reply: Reply, form: dict[str, Json]
) -> None:
    """The same for ten thousand of them."""
    monkeypatch.setenv("HEROKU_API_KEY", TOKEN)
    survives(catalog, key, reply, form)
