"""Rank the actions of a catalog by an intent: meaning first, words beside it, typing slips mended."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skill.catalog import Catalog
from skill.index.build import rarity
from skill.index.encoders import Encoder
from skill.index.open import open_index
from skill.index.spelling import repair
from skill.index.store import Segment
from skill.index.words import words
from skill.types import Hit

# measured on labelled intents: the share of the document, of the mean of an action's asks, of its best ask, and of words
DOCUMENT, CENTRE, BEST, KEYWORDS = 0.4, 0.2, 0.3, 0.3
FLOOR = 0.4
NEAREST = 3


class Found(NamedTuple):
    """What a search gives: the hits, or, where nothing fits, none and the nearest few, with a word about it."""

    hits: list[Hit]
    nearest: list[Hit]
    message: str


class Ranking(NamedTuple):
    """Every key with its score, best first; `closeness` is how near the best action comes by meaning alone."""

    keys: list[str]
    scores: list[float]
    closeness: float


def search(catalog: Catalog, intent: str, limit: int, note: Callable[[str], None], service: str | None = None) -> Found:
    """Find the actions that fit an intent.

    Args:
        limit: how many hits at most; 0 for all.
        note: told what the user should know, such as an index that had to be rebuilt.
        service: only actions of this service.
    """
    index = open_index(catalog, note)
    ranking = rank(index.segments, intent, index.encoder)
    kept = [(key, score) for key, score in zip(ranking.keys, ranking.scores, strict=True) if key in catalog]
    if service is not None:
        of = {one.key: one.service for one in catalog.summaries()}
        kept = [(key, score) for key, score in kept if of[key] == service]
    fits = ranking.closeness >= FLOOR
    most = (limit or len(kept)) if fits else NEAREST
    hits = [Hit(catalog.action(key), score) for key, score in kept[:most]]
    if fits:
        return Found(hits, [], "")
    return Found([], hits, "no action does that; the nearest are listed, and none may be what you mean")


def rank(segments: Sequence[Segment], intent: str, encoder: Encoder | None) -> Ranking:
    """Score every action of every segment; with no encoder by words alone."""
    vocabulary = getattr(getattr(encoder, "words", None), "vocabulary", None)
    known = {word: 1 for segment in segments for word in segment.words}
    mended = repair(intent, known, vocabulary) if vocabulary is not None else intent
    by_words = _by_words(segments, words(mended))
    scores, closeness = by_words, 1.0 if by_words.max(initial=0.0) > 0 else 0.0
    if encoder is not None:
        query = encoder.encode([mended])[0]
        parts = [_by_meaning(segment, query) for segment in segments]
        meaning = np.concatenate([mix for mix, _ in parts])
        closeness = float(np.concatenate([best for _, best in parts]).max(initial=0.0))
        scores = (meaning + KEYWORDS * by_words) / (1 + KEYWORDS)
    keys = [key for segment in segments for key in segment.keys]
    order = np.argsort(-scores, kind="stable")
    # a key that stands in two segments counts once, for the later, user's folder
    last = {key: place for place, key in enumerate(keys)}
    kept = [place for place in order if last[keys[place]] == place]
    return Ranking([keys[place] for place in kept], [float(np.clip(scores[place], 0.0, 1.0)) for place in kept], closeness)


def _by_meaning(segment: Segment, query: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give (n,) mixed similarity and (n,) the best of document and asks."""
    documents = (segment.documents.astype(np.float32) @ query) * segment.document_scales
    if not len(segment.asks):
        return documents, documents
    centres = (segment.centres.astype(np.float32) @ query) * segment.centre_scales
    asks = (segment.asks.astype(np.float32) @ query) * segment.ask_scales
    starts = segment.starts[:-1]
    full = np.diff(segment.starts) > 0
    best = documents.copy()
    best[full] = np.maximum.reduceat(asks, starts[full])
    return (DOCUMENT * documents + CENTRE * centres + BEST * best) / (DOCUMENT + CENTRE + BEST), np.maximum(best, documents)


def _by_words(segments: Sequence[Segment], query: Sequence[str]) -> NDArray[np.float32]:
    """Give (n,) BM25 as a share of what an action could reach with this query, over all segments."""
    among = sum(len(segment.keys) for segment in segments)
    scores = [np.zeros(len(segment.keys), dtype=np.float32) for segment in segments]
    possible = 0.0
    for word in dict.fromkeys(query):
        spans = [_span(segment, word) for segment in segments]
        containing = sum(stop - start for start, stop in spans)
        weight = rarity(containing, among)
        possible += weight
        for score, segment, (start, stop) in zip(scores, segments, spans, strict=True):
            score[segment.posting_actions[start:stop]] += weight * segment.posting_weights[start:stop]
    whole = np.concatenate(scores) if scores else np.zeros(0, dtype=np.float32)
    return whole / np.float32(max(possible, 1e-6) * 2.2)


def _span(segment: Segment, word: str) -> tuple[int, int]:
    place = segment.words.get(word)
    return (0, 0) if place is None else (int(segment.spans[place]), int(segment.spans[place + 1]))
