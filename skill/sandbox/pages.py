"""Give one page of a list, as the Range header asks for it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from skill.sandbox.refusal import Refusal
from skill.types import Json

PAGE, MOST = 200, 1000
_NUMBERS = ("version", "number", "ordinal", "seq")
_SORTED_BY = ("id", "name", *_NUMBERS, "hostname", "email", "type", "date", "started_at", "created_at", "updated_at")
_RANGE = re.compile(r"(?P<field>\w+) +(?P<open>\]?)(?P<first>[^;]*?)\.\.(?P<last>[^;\[]*)(?P<shut>\[?) *(?:;(?P<more>.*))?")


@dataclass(frozen=True, slots=True)
class Span:
    """A range as it was asked for; `field` empty means as the objects stand."""

    field: str
    first: str = ""
    last: str = ""
    after: bool = False
    before: bool = False
    most: int = PAGE
    descending: bool = False


def page(items: Sequence[Json], fields: Iterable[str], header: str) -> tuple[int, list[Json], dict[str, str]]:
    """Cut a page out of a list.

    Args:
        items: the whole list, oldest first; the place in it stands for a field that the objects do not show.
        fields: what the list may be sorted by.
        header: the request's Range, empty for none.

    Returns:
        The status (206 where more follows), the page, and the headers that describe it.

    Raises:
        Refusal: 416, the range cannot be understood or met.
    """
    names = list(fields)
    span = _span(header, names) if header.strip() else Span(names[0] if names else "")
    headers = {"accept-ranges": ", ".join(names)} if names else {}
    if not span.field:
        return 200, list(items), headers
    placed = [(item.get(span.field, place), item) for place, item in enumerate(items, 1)]
    within = [pair for pair in placed if _within(pair[0], span)]
    chosen = sorted(within, key=lambda pair: _rank(pair[0]), reverse=span.descending)
    shown = chosen[: span.most]
    if shown:
        headers["content-range"] = f"{span.field} {shown[0][0]}..{shown[-1][0]}"
    if len(shown) < len(chosen):
        order = ",order=desc" if span.descending else ""
        headers["next-range"] = f"{span.field} ]{shown[-1][0]}..{span.last}; max={span.most}{order}"
    return 206 if len(shown) < len(chosen) else 200, [item for _, item in shown], headers


def sortable(properties: Iterable[str], told: Iterable[str]) -> list[str]:
    """List what a list may be sorted by: the fields that identify its objects, and what its action tells."""
    known = set(properties)
    return list(dict.fromkeys([*(name for name in _SORTED_BY if name in known), *told]))


def _span(header: str, sortable: Sequence[str]) -> Span:
    found = _RANGE.fullmatch(header.strip())
    if found is None or found["field"] not in sortable:
        raise _refuse(f"Range must be like `{sortable[0] if sortable else 'id'} ..; max=200`")
    parts = [part.strip() for part in re.split("[,;]", found["more"] or "")]
    options = dict(part.partition("=")[::2] for part in parts if part)
    most = options.pop("max", str(PAGE)).strip()
    order = options.pop("order", "asc").strip()
    if options or not most.isdigit() or not 1 <= int(most) <= MOST or order not in ("asc", "desc"):
        raise _refuse(f"Range takes max (1 to {MOST}) and order (asc or desc)")
    ends = found["first"], found["last"], bool(found["open"]), bool(found["shut"])
    return Span(found["field"], *ends, most=int(most), descending=order == "desc")


def _within(value: Json, span: Span) -> bool:
    # a range begins where the order begins, so downwards its first value is the highest
    past = _past(value, span.last, not span.descending, span.before)
    return not past and not _past(value, span.first, span.descending, span.after)


def _past(value: Json, bound: str, upwards: bool, excluded: bool) -> bool:
    if not bound:
        return False
    own, other = _rank(value), _rank(bound)
    return (own > other if upwards else own < other) or (excluded and own == other)


def _rank(value: Json) -> tuple[int, float, str]:
    """Sort numbers as numbers, and a number written in a header like the number itself."""
    text = str(value)
    return (0, float(text), "") if text.isdigit() else (1, 0.0, text)


def _refuse(message: str) -> Refusal:
    return Refusal(416, "requested_range_not_satisfiable", message)
