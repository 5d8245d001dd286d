"""Sending: where the token goes and where it must not, over a transport that writes down every request."""

import time
from base64 import b64decode
from collections import deque
from dataclasses import replace

import pytest

from skill.catalog import Catalog
from skill.faults import BadInput
from skill.plan import plan_action, plan_raw
from skill.types import Credential, Json, Plan, Reply, Request, Service
from skill.wire import Delivery, send
from skill.wire.exchange import ExchangeFailed
from skill.wire.http import Network
from tests.conftest import Cli
from tests.server import RESET_READ, Server, answer, text

CREDENTIAL = Credential("heroku", "test", "s3cr3t-token")


class Wire:
    """A transport that plays replies and keeps the requests."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = deque(replies)
        self.seen: list[Request] = []

    def __call__(self, request: Request) -> Reply:
        """Keep a request and give the next reply."""
        self.seen.append(request)
        return self.replies.popleft()


def reply(status: int = 200, body: bytes = b"{}", **headers: str) -> Reply:
    """Make a reply; `next_range` is the header next-range."""
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


@pytest.fixture
def heroku(catalog: Catalog) -> Service:
    """The built-in service."""
    return catalog.services["heroku"]


@pytest.fixture
def read(heroku: Service) -> Plan:
    """A raw read."""
    return plan_raw(heroku, heroku.base, "GET", "/apps")


@pytest.fixture
def write(heroku: Service) -> Plan:
    """A raw write."""
    return plan_raw(heroku, heroku.base, "POST", "/apps", content={"a": 1})


def sent(
    plan: Plan, service: Service, *replies: Reply, credential: Credential | None = CREDENTIAL
) -> tuple[list[Reply], list[Request]]:
    """Send a plan over a transport of these replies."""
    wire = Wire(*replies)
    return list(send(plan, service, credential, Delivery(wire, sleep=lambda _: None), 5)), wire.seen


@pytest.mark.parametrize(
    "target",
    ["https://evil.com/apps", "https://api.heroku.com.evil.com/", "//evil.com/apps", "https://bucket.s3.amazonaws.com/x?sig=1"],
)
def test_a_read_is_followed_elsewhere_without_the_token(heroku: Service, read: Plan, target: str) -> None:
    """A read that is sent to another host goes there with nothing but what it accepts."""
    replies, requests = sent(read, heroku, reply(302, location=target), reply(200))
    assert replies[-1].status == 200
    assert "Authorization" in requests[0].headers
    assert set(requests[1].headers) == {"Accept"}


def test_a_token_does_not_come_back(heroku: Service, read: Plan) -> None:
    """Once a redirect has left the host, the token is gone for good."""
    back = "https://api.heroku.com/apps"
    _, requests = sent(read, heroku, reply(302, location="https://evil.com/"), reply(302, location=back), reply())
    assert [("Authorization" in one.headers) for one in requests] == [True, False, False]


@pytest.mark.parametrize("target", ["http://api.heroku.com/apps", "http://evil.com/", "ftp://evil.com/", "file:///etc/passwd"])
def test_a_redirect_to_plain_http_is_not_followed(heroku: Service, read: Plan, target: str) -> None:
    """A redirect from https to anything but https is given back as it is."""
    replies, requests = sent(read, heroku, reply(302, location=target))
    assert (replies[0].status, len(requests)) == (302, 1)


def test_a_redirect_within_the_host_keeps_the_token(heroku: Service, read: Plan) -> None:
    """A redirect to another path of the same host is followed with the token."""
    _, requests = sent(read, heroku, reply(307, location="/other"), reply())
    assert (requests[1].url, "Authorization" in requests[1].headers) == ("https://api.heroku.com/other", True)


def test_redirects_come_to_an_end(heroku: Service, read: Plan) -> None:
    """A service that points in a circle is left after a few rounds."""
    replies, requests = sent(read, heroku, *(reply(302, location="/apps") for _ in range(20)))
    assert (replies[0].status, len(requests)) == (302, 6)


@pytest.mark.parametrize(
    ("status", "target"), [(302, "/other"), (303, "/other"), (307, "https://evil.com/"), (308, "https://api.heroku.com:8443/")]
)
def test_a_write_is_not_sent_elsewhere(heroku: Service, write: Plan, status: int, target: str) -> None:
    """A write is never sent to another host, nor turned into another method."""
    replies, requests = sent(write, heroku, reply(status, location=target))
    assert (replies[0].status, len(requests)) == (status, 1)


def test_a_host_of_others_gets_no_request(heroku: Service, read: Plan) -> None:
    """A plan for a host that is not the service's own is refused before it is sent."""
    with pytest.raises(BadInput):
        sent(replace(read, url="https://evil.com/apps"), heroku, reply())


@pytest.mark.parametrize(("sign_in", "header"), [("bearer", "Bearer s3cr3t-token"), ("none", None)])
def test_a_plan_says_how_it_is_signed(heroku: Service, read: Plan, sign_in: str, header: str | None) -> None:
    """A plan is signed as its sign-in says, or not at all."""
    _, requests = sent(replace(read, sign_in=sign_in), heroku, reply())
    assert requests[0].headers.get("Authorization") == header


def test_basic_is_the_token_as_a_password(heroku: Service, read: Plan) -> None:
    """Basic sign-in sends the token as the password of an empty user."""
    _, requests = sent(replace(read, sign_in="basic"), heroku, reply())
    assert b64decode(requests[0].headers["Authorization"].removeprefix("Basic ")) == b":s3cr3t-token"


def test_an_action_without_sign_in_needs_no_credential(catalog: Catalog, heroku: Service) -> None:
    """Every action that takes no sign-in is sent without a token even where there is one."""
    for action in catalog.actions():
        plan = plan_action(action, action.example or {}, heroku, heroku.base)
        if plan.sign_in == "none":
            assert "Authorization" not in sent(plan, heroku, reply())[1][0].headers, action.key


def test_no_request_shows_its_headers_or_body(heroku: Service, write: Plan) -> None:
    """A request that is printed by mistake shows neither token nor body."""
    _, requests = sent(replace(write, content={"password": "hunter2"}), heroku, reply())
    assert "s3cr3t" not in repr(requests[0])
    assert "hunter2" not in repr(requests[0])


def test_only_reads_are_paged(heroku: Service, write: Plan) -> None:
    """A write is sent once even where its reply names a next range."""
    _, requests = sent(write, heroku, reply(200, next_range="]1.."))
    assert len(requests) == 1


@pytest.mark.parametrize(("values", "expected"), [([[1], [2]], 2), ([[1]], 1)])
def test_a_page_is_asked_for_only_when_it_is_wanted(heroku: Service, read: Plan, values: list[Json], expected: int) -> None:
    """The next page is asked for when the caller goes on, not before."""
    wire = Wire(*(reply(206, next_range=f"]{place}..") for place, _ in enumerate(values)), reply())
    pages = send(read, heroku, CREDENTIAL, Delivery(wire), 5)
    for _ in values:
        next(pages)
    assert len(wire.seen) == expected


def test_a_redirect_to_another_port_is_another_host(cli: Cli, server: Server) -> None:
    """Over a real socket: a redirect to another port of the machine is reported, and nothing is sent there."""
    other = Server()
    try:
        server.play(answer(None, 302, location=other.url + "/apps/example"))
        done = cli("action", "run", "get-app", "--set", "app=example")
        assert (done.code, done.error["code"], other.connections) == (1, "redirected", 0)
    finally:
        other.close()


def test_a_failed_exchange_tells_whether_it_was_sent(server: Server) -> None:
    """The network tells a request that may have arrived from one that never left."""
    server.rest = RESET_READ
    network = Network()
    try:
        with pytest.raises(ExchangeFailed) as reset:
            network(Request("POST", server.url + "/x", {}, b"{}", 5))
        with pytest.raises(ExchangeFailed) as never:
            network(Request("POST", "http://127.0.0.1:1/x", {}, b"{}", 5))
    finally:
        network.close()
    assert (reset.value.sent, never.value.sent) == (True, False)


def test_headers_that_repeat_are_joined(server: Server) -> None:
    """A header that comes twice is joined by a line feed under its lower-case name."""
    part = answer({}, x_heroku_warning="one")
    server.play(replace(part, headers=(*part.headers, ("X-Heroku-Warning", "two"))))
    network = Network()
    try:
        assert network(Request("GET", server.url + "/", {}, None, 5)).headers["x-heroku-warning"] == "one\ntwo"
    finally:
        network.close()


@pytest.mark.parametrize(
    ("method", "sent_before", "tries"), [("GET", True, 2), ("GET", False, 2), ("POST", True, 1), ("POST", False, 2)]
)
def test_only_what_cannot_have_arrived_is_sent_again(method: str, sent_before: bool, tries: int) -> None:
    """A write that may have arrived is tried once; a read, and what never left, is tried again."""
    seen: list[Request] = []

    def wire(request: Request) -> Reply:
        seen.append(request)
        if len(seen) == 1:
            raise ExchangeFailed("broken", sent=sent_before)
        return reply()

    deliver = Delivery(wire, sleep=lambda _: None)
    try:
        deliver(Request(method, "https://api.heroku.com/", {}, None, 60), repeatable=method == "GET")
    except ExchangeFailed:
        assert tries == 1
    assert len(seen) == tries


@pytest.mark.parametrize(("status", "tries"), [(429, 2), (500, 1), (502, 1), (503, 1), (504, 1), (409, 1), (200, 1)])
def test_a_write_is_repeated_only_for_the_rate(status: int, tries: int) -> None:
    """A write that was answered is sent again only where the service refused it for the rate."""
    wire = Wire(reply(status), reply())
    Delivery(wire, sleep=lambda _: None)(Request("POST", "https://api.heroku.com/", {}, b"{}", 60), repeatable=False)
    assert len(wire.seen) == tries


@pytest.mark.parametrize("asked", ["3", "1700000003", "Tue, 14 Nov 2023 22:13:23 GMT"])
def test_the_service_says_how_long_to_wait(asked: str) -> None:
    """A wait is as long as Retry-After asks: in seconds, as a moment, or as a date."""
    slept: list[float] = []
    wire = Wire(reply(429, retry_after=asked), reply())
    Delivery(wire, sleep=slept.append, now=lambda: 1_700_000_000.0)(
        Request("GET", "https://api.heroku.com/", {}, None, 60), repeatable=True
    )
    assert slept == [3.0]


@pytest.mark.parametrize(
    "asked", ["inf", "1e300", "-5", "nan", "", "soon", "99999999999999999999", "Tue, 99 Nov 9999999 22:13:23 GMT", "\u0663"]
)
def test_an_odd_wait_keeps_to_the_limit(asked: str) -> None:
    """Whatever Retry-After says, no wait is longer than the limit of the request."""
    slept: list[float] = []
    wire = Wire(*(reply(429, retry_after=asked) for _ in range(9)))
    Delivery(wire, sleep=slept.append)(Request("GET", "https://api.heroku.com/", {}, None, 30), repeatable=True)
    assert all(0 <= one < 30 for one in slept)


@pytest.mark.parametrize("left", ["\u00b2", "9" * 5000])
def test_an_odd_count_of_calls_loses_no_reply(left: str) -> None:
    """A reply is given back whatever its RateLimit-Remaining says."""
    wire = Wire(reply(201, ratelimit_remaining=left))
    assert Delivery(wire)(Request("POST", "https://api.heroku.com/", {}, b"{}", 5), repeatable=False).status == 201


def test_a_location_that_is_no_address_is_not_a_bug(cli: Cli, server: Server) -> None:
    """A redirect to what is no address is reported as a redirect."""
    server.play(answer(None, 302, location="http://["))
    assert cli("request", "/apps").code == 1


def test_a_range_outside_ascii_is_not_a_bug(cli: Cli, server: Server) -> None:
    """A next range that cannot be sent back ends the list with a fault that keeps what came."""
    server.rest = answer([{"id": "1"}], 206, next_range="]é..")
    assert cli("request", "/apps", "--timeout", "0.3").code in (0, 6)


def test_a_page_of_a_proxy_is_not_a_result(cli: Cli, server: Server) -> None:
    """A read that is answered 200 with a page of HTML, as a proxy's sign-in does, is exit 6 and not a result."""
    server.rest = text("<html>sign in to the wireless network</html>")
    assert cli("action", "run", "list-apps", "--timeout", "0.3").code == 6


def test_a_slow_head_ends_at_the_limit(cli: Cli, server: Server) -> None:
    """A head that comes byte by byte is given up at --timeout."""
    server.rest = answer({}, 200, "dribble head")
    before = time.monotonic()
    cli("request", "/apps", "--timeout", "0.5")
    assert time.monotonic() - before < 2
