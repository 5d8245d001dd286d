"""Build the index of one actions folder: rich documents, examples of how people ask, and weighted words."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skill.index.encoders import Encoder
from skill.index.learned import Learned
from skill.index.rounding import pack, quantise, unpack
from skill.index.store import Segment
from skill.index.words import words
from skill.types import Action

# Okapi BM25 (Robertson and Zaragoza, 2009) with its customary constants
SATURATION, LENGTH_SHARE = 1.2, 0.75
LONGEST_THING = 200
# texts between two words of progress: a second or so
_BATCH = 128
Floats = NDArray[np.float32]


def build(
    actions: Sequence[Action],
    digest: str,
    encoder: Encoder | None,
    progress: Callable[[int, int], None] | None = None,
    known: Iterable[Segment] = (),
    learned: Learned | None = None,
) -> Segment:
    """Build an index.

    Args:
        actions: what to index, in the order that the index keeps.
        digest: names the actions' content.
        encoder: None builds the words alone.
        progress: told how many texts are done, of how many.
        known: older indexes by the same encoder, whose vectors of texts that stayed the same are taken over.
        learned: what was learned of these actions with this encoder.
    """
    documents = [document(action) for action in actions]
    asks = [ask for action in actions for ask in (*action.asks, *action.other_asks)]
    held = list(known)
    width = encoder.dimensions if encoder else 0
    tell = _Progress(progress, len(documents) + len(asks))
    rows, scales = _rows(documents, encoder, quantise, (width, np.int8), _held(held, "document"), tell)
    ask_rows, ask_scales = _rows(asks, encoder, pack, (-(-width // 2), np.uint8), _held(held, "ask"), tell)
    starts = np.cumsum([0, *(len(action.asks) + len(action.other_asks) for action in actions)], dtype=np.int32)
    means = _centres(rows.astype(np.float32) * scales[:, None], unpack(ask_rows, width) * ask_scales[:, None], starts)
    centres, centre_scales = quantise(_learned(actions, means, learned) if learned else means)
    aside, aside_scales = quantise(learned.aside if learned else np.zeros((0, width), dtype=np.float32))
    vocabulary, spans, posting_actions, posting_weights = _postings(actions)
    return Segment(
        digest=digest,
        encoder=_facts(encoder),
        keys=[action.key for action in actions],
        words=vocabulary,
        document_marks=_marks(documents),
        ask_marks=_marks(asks),
        documents=rows,
        document_scales=scales,
        centres=centres,
        centre_scales=centre_scales,
        aside=aside,
        aside_scales=aside_scales,
        asks=ask_rows,
        ask_scales=ask_scales,
        starts=starts,
        spans=spans,
        posting_actions=posting_actions,
        posting_weights=posting_weights,
    )


def _facts(encoder: Encoder | None) -> dict[str, Any]:
    return {"name": encoder.name, "digest": encoder.digest, "dimensions": encoder.dimensions} if encoder else {}


def _marks(texts: Sequence[str]) -> NDArray[np.uint64]:
    return np.array([mark(text) for text in texts], dtype=np.uint64)


def mark(text: str) -> int:
    """Name a text by 64 bits of its BLAKE2 hash."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def document(action: Action) -> str:
    """Write the text that stands for an action: its names, what it does, what it takes, and what it is about."""
    official = [link.replace("#", " ").replace("-", " ") for link in action.link]
    takes = ", ".join(name.replace("_", " ") for name in action.input["properties"])
    parts = [action.title, *official, action.about, f"Takes {takes}." if takes else "", action.thing[:LONGEST_THING]]
    return ". ".join(part.strip(". ") for part in parts if part) + "."


class _Progress:
    """Counts texts, and tells of them where somebody listens."""

    def __init__(self, tell: Callable[[int, int], None] | None, of: int) -> None:
        self._tell, self._of, self._done = tell, of, 0

    def add(self, count: int) -> None:
        self._done += count
        if self._tell:
            self._tell(self._done, self._of)


def _rows(
    texts: Sequence[str],
    encoder: Encoder | None,
    rounded: Callable[[Floats], tuple[NDArray[Any], Floats]],
    form: tuple[int, Any],
    held: Mapping[int, tuple[NDArray[Any], np.float32]],
    progress: _Progress,
) -> tuple[NDArray[Any], Floats]:
    """Give a rounded row and a scale for every text, encoding only what no older index holds."""
    width, kind = form
    rows, scales = np.zeros((len(texts), width), dtype=kind), np.ones(len(texts), dtype=np.float32)
    if encoder is None:
        return rows, scales
    new = []
    for place, text in enumerate(texts):
        found = held.get(mark(text))
        if found is None:
            new.append(place)
        else:
            rows[place], scales[place] = found
    progress.add(len(texts) - len(new))
    # texts of about one length together: little is padded, and batches are as quick as they can be
    new.sort(key=lambda place: len(texts[place]))
    for start in range(0, len(new), _BATCH):
        some = new[start : start + _BATCH]
        rows[some], scales[some] = rounded(encoder.encode([texts[place] for place in some]))
        progress.add(len(some))
    return rows, scales


def _held(known: Iterable[Segment], what: str) -> dict[int, tuple[NDArray[Any], np.float32]]:
    found: dict[int, tuple[NDArray[Any], np.float32]] = {}
    for segment in known:
        marks, rows, scales = (getattr(segment, f"{what}{name}") for name in ("_marks", "s", "_scales"))
        found.update(zip(marks.tolist(), zip(rows, scales, strict=True), strict=True))
    return found


def _centres(documents: Floats, asks: Floats, starts: NDArray[np.int32]) -> Floats:
    """Give the unit mean of each action's document and asks: (n, d) float32."""
    centres = documents.copy()
    for place, (start, stop) in enumerate(pairwise(starts.tolist())):
        centres[place] += asks[start:stop].sum(axis=0)
    centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-12)
    return centres


def _learned(actions: Sequence[Action], means: Floats, learned: Learned) -> Floats:
    """Give each action's learned centre, the mean of its asks where none was learned: (n, d) float32."""
    of = dict(zip(learned.keys, learned.centres, strict=True))
    return np.array([of.get(action.key, mean) for action, mean in zip(actions, means, strict=True)], dtype=np.float32)


def _postings(actions: Sequence[Action]) -> tuple[dict[str, int], NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    counts = [Counter(_words_of(action)) for action in actions]
    lengths = [sum(count.values()) for count in counts]
    usual = sum(lengths) / max(len(lengths), 1) or 1.0
    found: dict[str, list[tuple[int, float]]] = {}
    for place, (count, length) in enumerate(zip(counts, lengths, strict=True)):
        damping = SATURATION * (1 - LENGTH_SHARE + LENGTH_SHARE * length / usual)
        for word, times in count.items():
            found.setdefault(word, []).append((place, times * (SATURATION + 1) / (times + damping)))
    ordered = sorted(found)
    spans = np.cumsum([0, *(len(found[word]) for word in ordered)], dtype=np.int32)
    flat = [pair for word in ordered for pair in found[word]]
    places_of = np.array([place for place, _ in flat], dtype=np.int32)
    weights = np.array([weight for _, weight in flat], dtype=np.float32)
    return {word: place for place, word in enumerate(ordered)}, spans, places_of, weights


def _words_of(action: Action) -> Iterator[str]:
    yield from words(document(action))
    yield from words(action.key.replace("-", " "))
    for ask in (*action.asks, *action.other_asks):
        yield from words(ask)


def rarity(containing: int, among: int) -> float:
    """Give a word's inverse document frequency, never negative (Lucene's form)."""
    return math.log(1 + (among - containing + 0.5) / (containing + 0.5))
