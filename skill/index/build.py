"""Build the index of one actions folder: rich documents, examples of how people ask, and weighted words."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from skill.index.encoders import Encoder
from skill.index.store import Segment
from skill.index.words import words
from skill.types import Action

# Okapi BM25 (Robertson and Zaragoza, 2009) with its customary constants
SATURATION, LENGTH_SHARE = 1.2, 0.75
LONGEST_THING = 200
_BATCH = 64


def build(
    actions: Sequence[Action],
    digest: str,
    encoder: Encoder | None,
    progress: Callable[[int, int], None] | None = None,
    known: Iterable[Segment] = (),
) -> Segment:
    """Build an index.

    Args:
        actions: what to index, in the order that the index keeps.
        digest: names the actions' content.
        encoder: None builds the words alone.
        progress: told how many texts are done, of how many.
        known: older indexes by the same encoder, whose vectors of texts that stayed the same are taken over.
    """
    documents = [document(action) for action in actions]
    asks = [ask for action in actions for ask in (*action.asks, *action.other_asks)]
    rows, scales = _vectors([*documents, *asks], encoder, progress, known)
    here = len(documents)
    starts = np.cumsum([0, *(len(action.asks) + len(action.other_asks) for action in actions)], dtype=np.int32)
    centres, centre_scales = quantise(_centres(rows, scales, here, starts))
    vocabulary, spans, posting_actions, posting_weights = _postings(actions)
    return Segment(
        digest=digest,
        encoder={"name": encoder.name, "digest": encoder.digest, "dimensions": encoder.dimensions} if encoder else {},
        keys=[action.key for action in actions],
        words=vocabulary,
        document_marks=np.array([mark(text) for text in documents], dtype=np.uint64),
        ask_marks=np.array([mark(text) for text in asks], dtype=np.uint64),
        documents=rows[:here],
        document_scales=scales[:here],
        centres=centres,
        centre_scales=centre_scales,
        asks=rows[here:],
        ask_scales=scales[here:],
        starts=starts,
        spans=spans,
        posting_actions=posting_actions,
        posting_weights=posting_weights,
    )


def mark(text: str) -> int:
    """Name a text by 64 bits of its BLAKE2 hash."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def document(action: Action) -> str:
    """Write the text that stands for an action: its names, what it does, what it takes, and what it is about."""
    official = [link.replace("#", " ").replace("-", " ") for link in action.link]
    takes = ", ".join(name.replace("_", " ") for name in action.input["properties"])
    parts = [action.title, *official, action.about, f"Takes {takes}." if takes else "", action.thing[:LONGEST_THING]]
    return ". ".join(part.strip(". ") for part in parts if part) + "."


def quantise(vectors: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Round rows to int8 with one scale a row: (n, d) float32 to (n, d) int8 and (n,) float32."""
    if vectors.size == 0:
        return np.zeros(vectors.shape, dtype=np.int8), np.zeros(len(vectors), dtype=np.float32)
    scales = (np.abs(vectors).max(axis=1) / 127.0).astype(np.float32)
    scales[scales == 0] = 1.0
    return np.rint(vectors / scales[:, None]).astype(np.int8), scales


def _vectors(
    texts: Sequence[str], encoder: Encoder | None, progress: Callable[[int, int], None] | None, known: Iterable[Segment]
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Give (n, d) int8 rows with (n,) scales, encoding only what no older index holds."""
    if encoder is None:
        return np.zeros((len(texts), 0), dtype=np.int8), np.zeros(len(texts), dtype=np.float32)
    rows, scales = np.zeros((len(texts), encoder.dimensions), dtype=np.int8), np.ones(len(texts), dtype=np.float32)
    held = _held(known)
    new = []
    for place, text in enumerate(texts):
        found = held.get(mark(text))
        if found is None:
            new.append(place)
        else:
            rows[place], scales[place] = found
    # texts of about one length together: little is padded, and batches are as quick as they can be
    new.sort(key=lambda place: len(texts[place]))
    for start in range(0, len(new), _BATCH):
        some = new[start : start + _BATCH]
        rows[some], scales[some] = quantise(encoder.encode([texts[place] for place in some]))
        if progress:
            progress(min(start + _BATCH, len(new)), len(new))
    return rows, scales


def _held(known: Iterable[Segment]) -> dict[int, tuple[NDArray[np.int8], np.float32]]:
    found: dict[int, tuple[NDArray[np.int8], np.float32]] = {}
    for segment in known:
        found.update(
            zip(segment.document_marks.tolist(), zip(segment.documents, segment.document_scales, strict=True), strict=True)
        )
        found.update(zip(segment.ask_marks.tolist(), zip(segment.asks, segment.ask_scales, strict=True), strict=True))
    return found


def _centres(rows: NDArray[np.int8], scales: NDArray[np.float32], here: int, starts: NDArray[np.int32]) -> NDArray[np.float32]:
    """Give the unit mean of each action's asks, its document where it has none: (n, d) float32."""
    vectors = rows.astype(np.float32) * scales[:, None]
    centres = vectors[:here].copy()
    for place, (start, stop) in enumerate(pairwise(starts.tolist())):
        if stop > start:
            mean = vectors[here + start : here + stop].mean(axis=0)
            centres[place] = mean / max(float(np.linalg.norm(mean)), 1e-12)
    return centres


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
