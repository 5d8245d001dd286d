"""Rank the actions of a catalog by an intent: meaning first, words beside it, typing slips mended.

How the parts are mixed, and how sure a score is, stands in `skill/data/ranking.json`, which `training/calibrate.py` fits.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skill import places
from skill.catalog import Catalog
from skill.index.build import SATURATION, rarity
from skill.index.encoders import Encoder
from skill.index.nearness import beside, by_meaning
from skill.index.open import open_index
from skill.index.spelling import repair
from skill.index.store import Segment
from skill.index.words import words
from skill.types import Hit

NEAREST = 3
DEPRECATED = 0.05
NOTHING = "no action does that; the nearest are listed, and none may be what you mean"
Floats = NDArray[np.float32]


class Found(NamedTuple):
    """What a search gives: the hits, or, where nothing fits, none and the nearest few, with a word about it."""

    hits: list[Hit]
    nearest: list[Hit]
    message: str


class Mixture(NamedTuple):
    """How the parts of a score are weighed, and what a score is worth.

    `temperature` turns scores into shares of one whole; `bias`, `closeness`, `likeness`, `coverage` and `aside` tell by a
    logistic function how probable it is that any action fits; below `threshold` of that, none does. `usual` stands for how near
    a request is to what no action serves where nothing was learned of that: beside actions of one's own.
    """

    centre: float = 0.5
    best: float = 0.5
    words: float = 0.3
    temperature: float = 0.05
    bias: float = -6.0
    closeness: float = 14.0
    likeness: float = 0.0
    coverage: float = 2.0
    aside: float = 0.0
    usual: float = 0.0
    threshold: float = 0.3


class Evidence(NamedTuple):
    """What speaks for each action, (n,) float32 each: how near its centre and the best of its texts are, and words.

    `aside` is how near the nearest of what the action and its neighbours do not serve is, NaN where nothing was learned of that.
    """

    keys: list[str]
    centre: Floats
    best: Floats
    words: Floats
    aside: Floats


class Ranking(NamedTuple):
    """Every key, best first, with the probability that it is right, and the probability that any is."""

    keys: list[str]
    scores: list[float]
    fits: float


def search(catalog: Catalog, intent: str, limit: int, note: Callable[[str], None], service: str | None = None) -> Found:
    """Find the actions that fit an intent.

    Args:
        limit: how many hits at most; 0 for all.
        note: told what the user should know, such as an index that had to be rebuilt.
        service: only actions of this service.
    """
    index = open_index(catalog, note)
    ranking = rank(gather(index.segments, intent, index.encoder), mixture(), index.encoder is not None)
    kept = ((key, score) for key, score in zip(ranking.keys, ranking.scores, strict=True) if key in catalog)
    if service is not None:
        of = {one.key: one.service for one in catalog.summaries()}
        kept = ((key, score) for key, score in kept if of[key] == service)
    fits = ranking.fits >= mixture().threshold
    most = (limit or len(ranking.keys)) if fits else NEAREST
    opened = [(catalog.action(key), score) for key, score in islice(kept, most + 1)]
    # what is deprecated stands behind what replaces it
    hits = [Hit(action, score * DEPRECATED if action.deprecated else score) for action, score in opened]
    hits = sorted(hits, key=lambda hit: -hit.score)[:most]
    return Found(hits, [], _apart(hits)) if fits else Found([], hits, NOTHING)


def gather(segments: Sequence[Segment], intent: str, encoder: Encoder | None, mend: bool = True) -> Evidence:
    """Gather what speaks for each action of every segment; with no encoder words alone.

    Args:
        mend: whether slips of the fingers are mended first.
    """
    vocabulary: Mapping[str, int] | None = getattr(getattr(encoder, "words", None), "vocabulary", None)
    known = segments[0].words if len(segments) == 1 else {word: 1 for segment in segments for word in segment.words}
    mended = repair(intent, known, vocabulary) if mend and vocabulary is not None else intent
    keys = [key for segment in segments for key in segment.keys]
    by_words = _by_words(segments, words(mended))
    if encoder is None:
        nothing = np.zeros(len(keys), dtype=np.float32)
        return Evidence(keys, nothing, nothing, by_words, nothing)
    query = encoder.encode([mended])[0]
    centre, best = (np.concatenate(part) for part in zip(*(by_meaning(one, query) for one in segments), strict=True))
    aside = np.repeat([beside(one, query) for one in segments], [len(one.keys) for one in segments]).astype(np.float32)
    return Evidence(keys, centre, best, by_words, aside)


def rank(evidence: Evidence, mix: Mixture, meaning: bool = True) -> Ranking:
    """Weigh the evidence: an order of all actions, each with the probability that it is the right one."""
    scores = mix.centre * evidence.centre + mix.best * evidence.best + mix.words * evidence.words
    order = np.argsort(-scores, kind="stable")
    # a key that stands in two segments counts once, for the later, user's folder
    last = {key: place for place, key in enumerate(evidence.keys)}
    if len(last) < len(evidence.keys):
        order = order[np.isin(order, list(last.values()))]
    fits = answerable(evidence, mix) if meaning else float(evidence.words.max(initial=0.0) > 0)
    spread = np.exp((scores[order] - scores.max(initial=0.0)) / mix.temperature)
    shares = fits * spread / max(float(spread.sum()), 1e-9)
    return Ranking([evidence.keys[place] for place in order.tolist()], shares.tolist(), fits)


def answerable(evidence: Evidence, mix: Mixture) -> float:
    """Give the probability that any action fits, rather than that the request is of what no action serves."""
    near, like, known, aside = signs(evidence)
    aside = mix.usual if math.isnan(aside) else aside
    weighed = mix.closeness * near + mix.likeness * like + mix.coverage * known + mix.aside * aside
    return 1 / (1 + math.exp(-(mix.bias + weighed)))


def signs(evidence: Evidence) -> tuple[float, float, float, float]:
    """Give what tells whether any action fits: how near texts and centres are, what is known, how near what none serves is."""
    if not evidence.keys:
        return 0.0, 0.0, 0.0, math.nan
    nearest = int(evidence.best.argmax())
    return (
        float(evidence.best[nearest]),
        float(evidence.centre.max()),
        float(evidence.words.max()),
        float(evidence.aside[nearest]),
    )


@cache
def mixture() -> Mixture:
    """Read how the parts are mixed; what the file leaves out has its default."""
    try:
        given = json.loads((places.DATA / "ranking.json").read_bytes())
    except (OSError, ValueError):
        return Mixture()
    return Mixture(**{name: float(value) for name, value in given.items() if name in Mixture._fields})


def _apart(hits: Sequence[Hit]) -> str:
    """Say what tells the first two apart where they are close and one does more harm, or to more, than the other."""
    if len(hits) < 2 or hits[1].score < 0.5 * hits[0].score:
        return ""
    one, other = hits[0].action, hits[1].action
    if one.risk == other.risk and one.resource == other.resource:
        return ""
    what = f"{one.risk}, {other.risk}" if one.risk != other.risk else f"{one.resource}, {other.resource}"
    return f"{one.key} or {other.key}? They differ ({what}): {one.instead or other.instead or other.about}"


def _by_words(segments: Sequence[Segment], query: Sequence[str]) -> Floats:
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
    return (whole / np.float32(max(possible, 1e-6) * (SATURATION + 1))).astype(np.float32)


def _span(segment: Segment, word: str) -> tuple[int, int]:
    place = segment.words.get(word)
    return (0, 0) if place is None else (int(segment.spans[place]), int(segment.spans[place + 1]))
