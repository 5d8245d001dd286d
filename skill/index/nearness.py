"""How near a query is to many rows, without ever holding them all as floats."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skill.index.rounding import MIDDLE
from skill.index.store import Segment

# rows made floats at once: they stay near the processor, and memory does not grow with the index
_ROWS = 512
Floats = NDArray[np.float32]


def by_meaning(segment: Segment, query: Floats) -> tuple[Floats, Floats]:
    """Give the cosine of a query, (d,), to each action's centre and to the best of its texts, document and asks: (n,) each."""
    centres = _whole(segment.centres, segment.centre_scales, query)
    best = _whole(segment.documents, segment.document_scales, query)
    if len(segment.asks):
        asks = _packed(segment.asks, segment.ask_scales, query)
        full = np.diff(segment.starts) > 0
        best[full] = np.maximum(best[full], np.maximum.reduceat(asks, segment.starts[:-1][full]))
    return centres, best


def beside(segment: Segment, query: Floats) -> float:
    """Give the cosine of a query, (d,), to the nearest of what no action serves; NaN where nothing was learned of that."""
    return float(_whole(segment.aside, segment.aside_scales, query).max()) if len(segment.aside) else math.nan


def _whole(rows: NDArray[np.int8], scales: Floats, query: Floats) -> Floats:
    """Multiply rows of int8, (n, d), by a query: (n,)."""
    found = np.empty(len(rows), dtype=np.float32)
    room = np.empty((min(_ROWS, len(rows)), len(query)), dtype=np.float32)
    for some in _chunks(len(rows)):
        part = room[: some.stop - some.start]
        np.copyto(part, rows[some])
        np.matmul(part, query, out=found[some])
    found *= scales
    return found


def _packed(rows: NDArray[np.uint8], scales: Floats, query: Floats) -> Floats:
    """Multiply rows of 4 bits, (n, d/2), as `skill.index.rounding.pack` makes them, by a query, (d,): (n,)."""
    half = rows.shape[1]
    first, second = query[:half], np.zeros(half, dtype=np.float32)
    second[: len(query) - half] = query[half:]
    found = np.empty(len(rows), dtype=np.float32)
    room = np.empty((min(_ROWS, len(rows)), half), dtype=np.float32)
    # a byte is 16 times its first value and its second: taking the whole byte spares a pass over the rows
    first = first - 16 * second
    for some in _chunks(len(rows)):
        part = room[: some.stop - some.start]
        np.copyto(part, rows[some] >> 4)
        np.matmul(part, first, out=found[some])
        np.copyto(part, rows[some])
        found[some] += part @ second
    found -= MIDDLE * query.sum()
    found *= scales
    return found


def _chunks(count: int) -> Any:
    return (slice(start, min(start + _ROWS, count)) for start in range(0, count, _ROWS))
