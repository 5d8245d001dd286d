"""Delivering: what is tried again, what never is, and how long is waited."""

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from email.utils import formatdate

import pytest

from skill.types import Reply, Request
from skill.wire.deliver import FIRST_WAIT_S, LONGEST_WAIT_S, MOST_TRIES, Delivery, retry_after_s
from skill.wire.exchange import ExchangeFailed

NOW = 1_800_000_000.0
REQUEST = Request("POST", "https://api.heroku.com/x", {}, b"{}", 60)
LOST, UNSENT = ExchangeFailed("lost", sent=True), ExchangeFailed("never sent", sent=False)


class Line:
    """Plays outcomes, and keeps how often it was asked and how long was slept."""

    def __init__(self, *outcomes: Reply | ExchangeFailed) -> None:
        self.left = deque(outcomes)
        self.asked = 0
        self.slept: list[float] = []
        self.time = 0.0
        self.deliver = Delivery(self.exchange, sleep=self.sleep, now=lambda: NOW + self.time, clock=lambda: self.time)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.time += seconds

    def exchange(self, request: Request) -> Reply:
        """Play the next outcome."""
        self.asked += 1
        outcome = self.left.popleft()
        if isinstance(outcome, ExchangeFailed):
            raise outcome
        return outcome


def reply(status: int, whole: bool = True, **headers: str) -> Reply:
    """Make a reply; `retry_after` is the header retry-after."""
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, b"{}", whole=whole)


@pytest.mark.parametrize("form", [lambda: "7", lambda: formatdate(NOW + 7, usegmt=True), lambda: str(int(NOW + 7))])
def test_a_wait_is_read_in_three_forms(form: Callable[[], str]) -> None:
    """Retry-After is a span in seconds, an HTTP date, or a moment since 1970: seven seconds in each."""
    assert retry_after_s(form(), NOW) == 7
    line = Line(reply(429, retry_after=form()), reply(200))
    assert (line.deliver(REQUEST, repeatable=False).status, line.slept) == (200, [7])


@pytest.mark.parametrize(
    "first", [LOST, UNSENT, reply(429), reply(502), reply(503), reply(504), reply(200, whole=False)], ids=str
)
def test_a_read_is_tried_again(first: Reply | ExchangeFailed) -> None:
    """A read that was lost, cut off or met a gateway's error is tried again."""
    line = Line(first, reply(200))
    assert (line.deliver(REQUEST, repeatable=True).status, line.asked) == (200, 2)


@pytest.mark.parametrize("first", [UNSENT, reply(429)], ids=str)
def test_a_write_that_was_not_done_is_tried_again(first: Reply | ExchangeFailed) -> None:
    """A write that certainly did not arrive, or was refused for the rate, is tried again."""
    line = Line(first, reply(201))
    assert (line.deliver(REQUEST, repeatable=False).status, line.asked) == (201, 2)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 201])
def test_a_write_that_may_have_been_done_is_never_tried_again(status: int) -> None:
    """A write that was answered, be it in halves or by a gateway, is given back as it is."""
    line = Line(reply(status, whole=False))
    assert (line.deliver(REQUEST, repeatable=False).status, line.asked, line.slept) == (status, 1, [])


def test_a_lost_write_is_never_tried_again() -> None:
    """A write whose connection broke after it was sent is not sent again."""
    line = Line(LOST)
    with pytest.raises(ExchangeFailed):
        line.deliver(REQUEST, repeatable=False)
    assert (line.asked, line.slept) == (1, [])


def test_a_write_that_is_lost_on_its_second_try_stays_lost() -> None:
    """A write refused for the rate and then lost is not sent a third time."""
    line = Line(reply(429, retry_after="1"), LOST)
    with pytest.raises(ExchangeFailed):
        line.deliver(REQUEST, repeatable=False)
    assert line.asked == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 500])
def test_an_answer_that_stays_is_asked_for_once(status: int) -> None:
    """What would be answered the same again is not asked again."""
    line = Line(reply(status))
    assert (line.deliver(REQUEST, repeatable=True).status, line.asked) == (status, 1)


def test_waits_grow_within_bounds_and_end() -> None:
    """Without a word from the service the waits are random, below a bound that doubles, and the tries are few."""
    line = Line(*(reply(503) for _ in range(9)))
    line.deliver(Request("GET", "https://api.heroku.com/", {}, None, 3600), repeatable=True)
    assert line.asked == MOST_TRIES
    assert all(0 <= wait <= min(FIRST_WAIT_S * 2**place, LONGEST_WAIT_S) for place, wait in enumerate(line.slept, 1))


def test_no_wait_goes_beyond_the_limit() -> None:
    """A wait that would outlast the limit of the request is not begun: the refusal is the answer."""
    line = Line(reply(429, retry_after="61"))
    assert (line.deliver(REQUEST, repeatable=True).status, line.slept) == (429, [])


def test_scarce_calls_are_spread_out() -> None:
    """With few calls left in the hour the next one waits first, the longer the fewer are left."""
    line = Line(*(reply(200, ratelimit_remaining=left) for left in ("51", "49", "0", "50")), reply(200))
    for _ in range(5):
        line.deliver(REQUEST, repeatable=True)
    assert line.slept == [pytest.approx(0.816), pytest.approx(1.6)]


def test_politeness_leaves_time_for_the_call() -> None:
    """A call that has little time waits for at most half of it."""
    line = Line(reply(200, ratelimit_remaining="0"), reply(200))
    for _ in range(2):
        line.deliver(replace(REQUEST, timeout_s=1), repeatable=True)
    assert line.slept == [0.5]


def test_calls_without_time_are_not_sent() -> None:
    """A request whose time is up is not sent, and is known not to have been."""
    line = Line()
    with pytest.raises(ExchangeFailed) as caught:
        line.deliver(replace(REQUEST, timeout_s=0), repeatable=True)
    assert (caught.value.sent, line.asked) == (False, 0)


def test_every_try_has_what_time_is_left() -> None:
    """A later try is given the time that the tries and waits before it have left."""
    given: list[float] = []
    line = Line(reply(429, retry_after="20"), reply(200))
    line.deliver = replace(line.deliver, exchange=lambda request: (given.append(request.timeout_s), line.exchange(request))[1])
    line.deliver(REQUEST, repeatable=False)
    assert given == [60, 40]


def test_a_refusal_holds_for_every_thread() -> None:
    """While the service wants a wait that outlasts the limit, no other call is sent either: the refusal is its answer."""
    line = Line(reply(429, retry_after="100"), reply(200))
    first, second = (line.deliver(REQUEST, repeatable=True) for _ in range(2))
    assert (first.status, second.status, line.asked) == (429, 429, 1)
    line.time += 101
    assert line.deliver(REQUEST, repeatable=True).status == 200


def test_threads_are_let_through_one_after_the_other() -> None:
    """Where calls are scarce, eight threads together are no quicker than the calls come back."""
    begun: list[float] = []

    def exchange(request: Request) -> Reply:
        begun.append(time.monotonic())
        return reply(200, ratelimit_remaining="49")

    deliver = Delivery(exchange, sleep=lambda wait: time.sleep(wait / 10), left=49)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: deliver(REQUEST, repeatable=True), range(8)))
    assert max(begun) - min(begun) > 0.4


@pytest.mark.parametrize(("body", "tries"), [(b'[{"a":1},', 2), (b'{"a":', 2), (b"[]", 1), (b'"x', 1), (b"", 1)])
def test_json_that_is_not_closed_is_asked_for_again(body: bytes, tries: int) -> None:
    """JSON that a proxy cut off and sent on as whole is asked for again by a read."""
    torn = Reply(200, {"content-type": "application/json"}, body)
    line = Line(torn, reply(200))
    line.deliver(REQUEST, repeatable=True)
    assert line.asked == tries


@pytest.mark.parametrize(("last", "repeatable", "status"), [(LOST, True, 503), (UNSENT, True, 503), (UNSENT, False, 429)])
def test_what_was_said_outlives_a_lost_try(last: ExchangeFailed, repeatable: bool, status: int) -> None:
    """Where the last of several tries is lost, and nothing was changed, what the service said before is the answer."""
    line = Line(reply(status), *[last] * 9)
    request = replace(REQUEST, method="GET") if repeatable else REQUEST
    assert line.deliver(request, repeatable=repeatable).status == status


@pytest.mark.parametrize("first", [LOST, reply(503)], ids=["lost", "503"])
@pytest.mark.parametrize("last", [UNSENT, reply(429)], ids=["unsent", "429"])
def test_a_replacing_write_in_doubt_stays_in_doubt(first: Reply | ExchangeFailed, last: Reply | ExchangeFailed) -> None:
    """A write that may be repeated and of which one try may have arrived is not called unsent for the sake of a later one."""
    line = Line(first, *[last] * 9)
    with pytest.raises(ExchangeFailed) if first is LOST else nullcontext() as caught:
        assert line.deliver(replace(REQUEST, method="PUT"), repeatable=True).status == 503
    assert caught is None or caught.value.sent
