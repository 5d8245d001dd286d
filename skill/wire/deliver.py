"""Deliver one request: try again what may safely be tried again, as long and as politely as the service asks.

What may be tried again: anything, while it certainly did not arrive or was refused for the rate (429); reads, and writes
that replace a whole, also after a broken connection or a gateway's error. A write that may have arrived never is.
The home of tenacity, which is imported when the first try fails, since it costs as much as half of a start.
"""

import re
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
    """Delivers requests through one exchange; keeps count of how many calls the service still allows.

    `sleep` waits seconds and `now` gives seconds since 1970; tests give their own. `say` is told of every wait.
    """

    exchange: Exchange
    say: Callable[[str], None] = field(default=lambda _: None)
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time
    left: int | None = None

    def __call__(self, request: Request, *, repeatable: bool) -> Reply:
        """Deliver a request within its `timeout_s`, all tries and waits included.

        Raises:
            ExchangeFailed: the last try brought no reply.
        """
        self._spread()
        deadline = time.monotonic() + request.timeout_s
        outcome = self._try(request)
        if self._again(outcome, repeatable):
            outcome = self._repeat(request, outcome, deadline, repeatable)
        if isinstance(outcome, ExchangeFailed):
            raise outcome
        remaining = outcome.headers.get("ratelimit-remaining", "").strip()
        self.left = int(remaining) if _COUNT.fullmatch(remaining) else self.left
        return outcome

    def _spread(self) -> None:
        if self.left is not None and self.left < SCARCE:
            pause = REFILL_S * (1 + (SCARCE - self.left) / SCARCE)
            self.say(f"only {self.left} calls are left in this hour; slowing down")
            self.sleep(pause)

    def _try(self, request: Request) -> Reply | ExchangeFailed:
        try:
            return self.exchange(request)
        except ExchangeFailed as failed:
            return failed

    def _again(self, outcome: Reply | ExchangeFailed, repeatable: bool) -> bool:
        if isinstance(outcome, ExchangeFailed):
            return repeatable or not outcome.sent
        broken = outcome.status < 300 and not outcome.whole
        return outcome.status == 429 or (repeatable and (outcome.status in BUSY or broken))

    def _repeat(
        self, request: Request, first: Reply | ExchangeFailed, deadline: float, repeatable: bool
    ) -> Reply | ExchangeFailed:
        import tenacity

        jitter = tenacity.wait_random_exponential(multiplier=FIRST_WAIT_S, max=LONGEST_WAIT_S)
        done = [first]

        def attempt() -> Reply | ExchangeFailed:
            left_s = deadline - time.monotonic()
            return done.pop() if done else self._try(replace(request, timeout_s=max(left_s, 0.1)))

        def pause(state: tenacity.RetryCallState) -> float:
            asked = _asked(state.outcome.result() if state.outcome else None, self.now())
            return asked if asked is not None else jitter(state)

        def spent(state: tenacity.RetryCallState) -> bool:
            return time.monotonic() + state.upcoming_sleep >= deadline

        retrying: Any = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda outcome: self._again(outcome, repeatable)),
            wait=pause,
            stop=lambda state: state.attempt_number >= MOST_TRIES or spent(state),
            sleep=self.sleep,
            before_sleep=self._tell,
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else first,
        )
        outcome: Reply | ExchangeFailed = retrying(attempt)
        return outcome

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
