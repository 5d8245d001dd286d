"""Deliver one request: try again what may safely be tried again, as long and as politely as the service asks.

What may be tried again: anything, while it certainly did not arrive or was refused for the rate (429); reads, and writes
that replace a whole, also after a broken connection or a gateway's error. A write that may have arrived never is.
The home of tenacity, which is imported when the first try fails, since it costs as much as half of a start.
"""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from typing import Any

from skill.types import Exchange, Reply, Request
from skill.wire.exchange import ExchangeFailed

MOST_TRIES = 6
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 20.0
BUSY = frozenset({502, 503, 504})
# Heroku refills about 75 calls a minute: below this many left, calls are spread out before they are refused
SCARCE, REFILL_S = 50, 0.8
_COUNT = re.compile(r"[0-9]{1,9}")
# a Retry-After this large is a moment and no span (seconds since 1970)
EPOCH_FROM = 1_000_000_000


@dataclass(slots=True)
class Delivery:
    """Delivers requests through one exchange, from one thread or many; keeps count of how many calls the service still allows.

    `sleep` waits seconds, `now` gives seconds since 1970 and `clock` those of a clock that is never set; tests give their
    own. `say` is told of every wait. Threads that must wait are let through one after the other, since the limit is one.
    """

    exchange: Exchange
    say: Callable[[str], None] = field(default=lambda _: None)
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time
    clock: Callable[[], float] = time.monotonic
    left: int | None = None
    _free_at: float = 0.0
    _refused: Reply | None = None
    _refused_until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: Request, *, repeatable: bool) -> Reply:
        """Deliver a request within its `timeout_s`, all tries and waits included.

        Raises:
            ExchangeFailed: the last try brought no reply, or there was no time left for one.
        """
        deadline = self.clock() + request.timeout_s
        refused = self._spread(deadline)
        if refused is not None:
            return refused
        outcome = self._try(request, deadline)
        if self._again(outcome, repeatable):
            outcome = self._repeat(request, outcome, deadline, repeatable)
        if isinstance(outcome, ExchangeFailed):
            raise outcome
        return outcome

    def _spread(self, deadline: float) -> Reply | None:
        """Wait for the turn of this call where calls are scarce; give the last refusal where the service wants a longer wait."""
        with self._lock:
            begun = self.clock()
            if self._refused is not None and begun < self._refused_until and self._refused_until >= deadline:
                # it would be refused again: asking only makes it worse
                return self._refused
            turn = max(begun, self._free_at)
            if self.left is not None and self.left < SCARCE:
                turn += REFILL_S * (1 + (SCARCE - self.left) / SCARCE)
                self._free_at = turn
                self.say(f"only {self.left} calls are left in this hour; slowing down")
            # politeness must not use up the time that the call itself needs
            wait = min(turn - begun, (deadline - begun) / 2)
        if wait > 0:
            self.sleep(wait)
        return None

    def _try(self, request: Request, deadline: float) -> Reply | ExchangeFailed:
        left_s = deadline - self.clock()
        if left_s <= 0:
            return ExchangeFailed("the time that --timeout allows was up", sent=False)
        try:
            reply = self.exchange(replace(request, timeout_s=left_s))
        except ExchangeFailed as failed:
            return failed
        self._heed(reply)
        return reply

    def _heed(self, reply: Reply) -> None:
        """Note for all threads what a reply says of the calls that are left."""
        remaining = reply.headers.get("ratelimit-remaining", "").strip()
        asked = _asked(reply, self.now()) if reply.status == 429 else None
        with self._lock:
            self.left = int(remaining) if _COUNT.fullmatch(remaining) else self.left
            if asked is not None:
                self._refused, self._refused_until = reply, self.clock() + asked
                self._free_at = max(self._free_at, self._refused_until)

    def _again(self, outcome: Reply | ExchangeFailed, repeatable: bool) -> bool:
        if isinstance(outcome, ExchangeFailed):
            return repeatable or not outcome.sent
        broken = outcome.status < 300 and (not outcome.whole or _torn(outcome))
        return outcome.status == 429 or (repeatable and (outcome.status in BUSY or broken))

    def _repeat(
        self, request: Request, first: Reply | ExchangeFailed, deadline: float, repeatable: bool
    ) -> Reply | ExchangeFailed:
        import tenacity

        jitter = tenacity.wait_random_exponential(multiplier=FIRST_WAIT_S, max=LONGEST_WAIT_S)
        outcomes: list[Reply | ExchangeFailed] = []

        def attempt() -> Reply | ExchangeFailed:
            outcomes.append(self._try(request, deadline) if outcomes else first)
            return outcomes[-1]

        def pause(state: tenacity.RetryCallState) -> float:
            asked = _asked(state.outcome.result() if state.outcome else None, self.now())
            return asked if asked is not None else jitter(state)

        def spent(state: tenacity.RetryCallState) -> bool:
            return self.clock() + state.upcoming_sleep >= deadline

        retrying: Any = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda outcome: self._again(outcome, repeatable)),
            wait=pause,
            stop=lambda state: state.attempt_number >= MOST_TRIES or spent(state),
            sleep=self.sleep,
            before_sleep=self._tell,
            retry_error_callback=lambda _: None,
        )
        retrying(attempt)
        return _telling(request, outcomes)

    def _tell(self, state: Any) -> None:
        outcome = state.outcome.result()
        why = outcome.message if isinstance(outcome, ExchangeFailed) else f"the service answered {outcome.status}"
        self.say(f"{why}; trying again in {state.upcoming_sleep:.1f} s")


def retry_after_s(value: str, now: float) -> float | None:
    """Read a Retry-After as seconds to wait: seconds, an HTTP date, or a moment since 1970; None where it is none of them."""
    text = value.strip()
    try:
        number = float(text)
    except ValueError:
        return _until_date(text, now)
    if number != number or number < 0:  # noqa: PLR0124 - NaN is unequal to itself
        return None
    return max(0.0, number - now) if number >= EPOCH_FROM else number


def _until_date(text: str, now: float) -> float | None:
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _asked(outcome: Reply | ExchangeFailed | None, now: float) -> float | None:
    if not isinstance(outcome, Reply):
        return None
    return retry_after_s(outcome.headers.get("retry-after", ""), now)


def _telling(request: Request, outcomes: list[Reply | ExchangeFailed]) -> Reply | ExchangeFailed:
    """Pick the outcome of several tries that tells most: a write of which one may have arrived stays in doubt."""
    last = outcomes[-1]
    if isinstance(last, Reply) and last.status != 429:
        return last
    doubtful = [one for one in outcomes if (one.status >= 500 if isinstance(one, Reply) else one.sent)]
    if doubtful and request.method not in ("GET", "HEAD"):
        return doubtful[-1]
    # what the service said tells more than that there was no time to ask it once more
    said = [one for one in outcomes if isinstance(one, Reply) and one.status >= 400]
    return said[-1] if said else last


def _torn(reply: Reply) -> bool:
    """Tell whether JSON ends before it is closed, as where a proxy cut it off and set the length anew."""
    body = reply.body.strip()
    ends = {b"[": b"]", b"{": b"}"}.get(body[:1])
    return ends is not None and "json" in reply.headers.get("content-type", "") and not body.endswith(ends)
