"""Gather the replies of a run, page by page, into one result: cut to what was asked for, checked, masked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from skill.faults import Fault, OddReply, Problem, TryLater
from skill.reading import UNREADABLE, Body, body_of, warnings_of
from skill.shape import hide, mask
from skill.types import Json, Plan, Reply, Result, Schema

MOST_ODDITIES = 3
OPEN_END = "the service says that this is a part of the list, and not how to get the rest"
Sink = Callable[[list[Any]], None]


@dataclass(slots=True)
class Gatherer:
    """Takes replies as they come; items go on to `sink` where there is one, and are kept here where there is none.

    `limit` is how many items of a list are wanted (0: all); `rest` is the command that gives all of them; `secrets` are
    never shown, wherever the service repeats them; `told` hears how many items there are after each further page.
    """

    plan: Plan
    reveal: Sequence[str] = ()
    strict: bool = False
    limit: int = 0
    rest: str = ""
    sink: Sink | None = None
    secrets: Sequence[str] = ()
    told: Callable[[int], None] = field(default=lambda _: None)
    output: Json = None
    shown: int = 0
    pages: int = 0
    more: bool = False
    single: bool = False
    reply: Reply | None = None
    warnings: list[str] = field(default_factory=list)
    odd: list[Problem] = field(default_factory=list)
    _before: frozenset[str] = frozenset()

    def take(self, reply: Reply) -> None:
        """Take one page, or the one reply of a request that has no pages.

        Raises:
            OddReply: it is unlike its schema, and that is to be an error.
            TryLater: it is the page before it once more.
        """
        body = body_of(reply)
        self.reply, self.pages = reply, self.pages + 1
        self.warn(reply)
        self.warnings += [] if body.readable else [UNREADABLE]
        schema = self.plan.action.output if self.plan.action else None
        self._check(body, schema)
        value = hide(mask(body.value, schema, self.reveal), self.secrets)
        if isinstance(value, list):
            self._add(value, reply)
        elif self.pages == 1:
            # what is no list has no pages, whatever its head says
            self.output, self.single = value, True
        else:
            self._add([] if value is None else [value], reply)

    def warn(self, reply: Reply) -> None:
        """Keep what a reply warns of, once."""
        self.warnings += [words for words in hide(warnings_of(reply), self.secrets) if words not in self.warnings]

    @property
    def full(self) -> bool:
        """Whether as many items have come as were wanted, or all that there can be."""
        return self.single or (bool(self.limit) and self.shown >= self.limit)

    def result(self) -> Result:
        """Give what was gathered."""
        told = [f"the reply differs from what is known: {one.where or '/'} {one.what}" for one in self.odd[:MOST_ODDITIES]]
        if len(self.odd) > MOST_ODDITIES:
            told.append(f"and {len(self.odd) - MOST_ODDITIES} more differences")
        return Result(self.output, self.page(), tuple(dict.fromkeys([*self.warnings, *told])), self.reply)

    def page(self) -> Json:
        """Say which part of the list this is; None where it is plainly all of one page."""
        if not self.more and self.pages < 2:
            return None
        total = None if self.more else self.shown
        return {
            "truncated": self.more,
            "shown": self.shown,
            "total": total,
            "next": self.rest if self.more and self.rest else None,
        }

    def broken(self, fault: Fault) -> Fault:
        """Keep what came before a failure with the fault, to be printed with it."""
        fault.warnings = tuple(self.warnings)
        if self.pages and self.sink is None:
            fault.output = _joined(self.output, fault.output)
        if self.pages and (self.shown or isinstance(fault.output, list)):
            fault.page = {"truncated": True, "shown": self.shown, "total": None, "next": self.rest or None}
        return fault

    def _add(self, items: list[Any], reply: Reply) -> None:
        fresh = self._fresh(items)
        room = self.limit - self.shown if self.limit else len(fresh)
        part = fresh[:room]
        span, full = bool(reply.headers.get("next-range")), self.full_with(len(part))
        # 206 is a part: where it does not say how to go on, it must not look like the whole
        ended = reply.status == 206 and not span and not full
        self.more = len(part) < len(fresh) or (full and span) or ended
        self.warnings += [OPEN_END] if ended else []
        self.shown += len(part)
        if self.sink is not None:
            self.sink(part)
        elif self.output is None:
            self.output = part
        else:
            self.output += part
        if self.pages > 1:
            self.told(self.shown)

    def _fresh(self, items: list[Any]) -> list[Any]:
        """Leave out what the page before had: an item that moved while the list was read, or a page that came twice."""
        here = [item.get("id") if isinstance(item, dict) else None for item in items]
        fresh = [item for item, name in zip(items, here, strict=True) if not (isinstance(name, str) and name in self._before)]
        self._before = frozenset(name for name in here if isinstance(name, str))
        if items and not fresh:
            raise TryLater("the service gives the same page of the list again", code="bad_range")
        return fresh

    def full_with(self, count: int) -> bool:
        """Tell whether that many items more would be as many as were wanted."""
        return bool(self.limit) and self.shown + count >= self.limit

    def _check(self, body: Body, schema: Schema | None) -> None:
        if not schema or body.value is None or not body.readable:
            return
        from skill.schema import check

        self.odd += check(body.value, schema)
        if self.odd and self.strict:
            fault = OddReply(f"the reply differs from what is known: {self.odd[0].what}", problems=self.odd)
            fault.output = mask(body.value, schema, self.reveal)
            raise fault


def _joined(before: Json, last: Json) -> Json:
    """Put what a fault holds of the last page after the pages before it."""
    if isinstance(before, list) and isinstance(last, list):
        return [*before, *last]
    return before if last is None else last
