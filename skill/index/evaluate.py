"""Measure a search on labelled intents: how often the right action comes first, how sure it is, how quick.

A file of labels holds one JSON object a line: `intent`, `keys` (the best first; empty where no action serves it),
`language` and `kind`.
"""

import json
import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from skill.faults import BadInput
from skill.index.open import Index
from skill.index.ranking import Mixture, Ranking, gather, rank
from skill.types import Json

BINS = 5


class Label(NamedTuple):
    """One labelled intent; `keys` are right, the first the best, and none where no action serves it."""

    intent: str
    keys: tuple[str, ...]
    language: str
    kind: str


class Outcome(NamedTuple):
    """A label and what the search made of it; `seconds` is how long it took."""

    label: Label
    ranking: Ranking
    seconds: float


def read_labels(paths: Iterable[Path]) -> list[Label]:
    """Read files of labels.

    Raises:
        BadInput: a file cannot be read, or a line is no label.
    """
    labels = []
    for path in paths:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as wrong:
            raise BadInput(f"cannot read {str(path)!r}", hint="a file of labelled intents, one JSON object a line") from wrong
        for number, line in enumerate(lines, 1):
            if line.strip():
                labels.append(_label(line, f"{path}:{number}", path.stem))
    return labels


def measure(labels: Sequence[Label], index: Index, mix: Mixture) -> list[Outcome]:
    """Search for every label."""
    found = []
    for label in labels:
        begun = time.perf_counter()
        ranking = rank(gather(index.segments, label.intent, index.encoder), mix, index.encoder is not None)
        found.append(Outcome(label, ranking, time.perf_counter() - begun))
    return found


def report(outcomes: Sequence[Outcome], mix: Mixture, resource_of: Mapping[str, str] | None = None) -> dict[str, Json]:
    """Sum up: figures for all, by kind, language and resource, what is refused, how true scores are, the worst confusions.

    Args:
        resource_of: the resource of each key; without it there is no table of resources.
    """
    real = [one for one in outcomes if one.label.keys]
    none = [one for one in outcomes if not one.label.keys]
    of = resource_of or {}
    resources = _grouped(real, lambda one: of.get(one.label.keys[0]))
    return {
        "all": figures(real),
        "kinds": {kind: figures(some) for kind, some in _grouped(real, lambda one: one.label.kind).items()},
        "languages": {language: figures(some) for language, some in _grouped(real, lambda one: one.label.language).items()},
        "resources": {resource: figures(some) for resource, some in resources.items()},
        "turned away": {
            "real": turned_away(real, mix.threshold),
            **{kind: turned_away(some, mix.threshold) for kind, some in _grouped(none, lambda one: one.label.kind).items()},
        },
        "reliability": reliability(outcomes),
        "confusions": confusions(real),
        "warm ms": round(1000 * sorted(one.seconds for one in outcomes)[len(outcomes) // 2], 2) if outcomes else None,
    }


def turned_away(outcomes: Sequence[Outcome], threshold: float) -> float:
    """Give the share, in per cent, that gets no answer."""
    return _share(one.ranking.fits < threshold for one in outcomes)


def curve(outcomes: Sequence[Outcome], shares: Sequence[float]) -> list[dict[str, Json]]:
    """Say what would be turned away of each kind that nothing serves, were the threshold set so that a share of real requests is.

    Args:
        shares: of the real requests, in per cent.
    """
    real = sorted(one.ranking.fits for one in outcomes if one.label.keys)
    none = _grouped([one for one in outcomes if not one.label.keys], lambda one: one.label.kind)
    rows: list[dict[str, Json]] = []
    for share in shares:
        threshold = real[min(int(len(real) * share / 100), len(real) - 1)]
        rows.append({"real": share, **{kind: turned_away(some, threshold) for kind, some in none.items()}})
    return rows


def figures(outcomes: Sequence[Outcome]) -> dict[str, Json]:
    """Give recall at 1, 3 and 5, MRR@10 and nDCG@10 in per cent."""
    places_of = [_place(one) for one in outcomes]
    gains = [1 / math.log2(place + 2) if place is not None and place < 10 else 0.0 for place in places_of]

    def within(most: int) -> float:
        return _share(place is not None and place < most for place in places_of)

    ranks = [1 / (place + 1) if place is not None and place < 10 else 0.0 for place in places_of]
    count = max(len(outcomes), 1)
    return {
        "n": len(outcomes),
        "R@1": within(1),
        "R@3": within(3),
        "R@5": within(5),
        "MRR@10": round(100 * sum(ranks) / count, 1),
        "nDCG@10": round(100 * sum(gains) / count, 1),
    }


def reliability(outcomes: Sequence[Outcome]) -> list[dict[str, Json]]:
    """Compare the first hit's score with how often it is right, in bands of the score; where nothing serves, none is right."""
    bands: dict[int, list[Outcome]] = defaultdict(list)
    for one in outcomes:
        bands[min(int(one.ranking.scores[0] * BINS), BINS - 1)].append(one)
    return [
        {
            "score": f"{band / BINS:.1f}-{(band + 1) / BINS:.1f}",
            "n": len(some),
            "said": round(100 * sum(one.ranking.scores[0] for one in some) / len(some), 1),
            "right": _share(_place(one) == 0 for one in some),
        }
        for band, some in sorted(bands.items())
    ]


def confusions(outcomes: Sequence[Outcome], most: int = 12) -> list[dict[str, Json]]:
    """List what is most often taken for what."""
    wrong = Counter((one.label.keys[0], one.ranking.keys[0]) for one in outcomes if _place(one) != 0)
    return [{"wanted": wanted, "got": got, "times": times} for (wanted, got), times in wrong.most_common(most)]


def _place(outcome: Outcome) -> int | None:
    right = set(outcome.label.keys)
    return next((place for place, key in enumerate(outcome.ranking.keys) if key in right), None)


def _grouped(outcomes: Iterable[Outcome], name: Callable[[Outcome], str | None]) -> dict[str, list[Outcome]]:
    found: dict[str, list[Outcome]] = defaultdict(list)
    for one in outcomes:
        group = name(one)
        if group is not None:
            found[group].append(one)
    return dict(sorted(found.items()))


def _share(facts: Iterable[bool]) -> float:
    known = list(facts)
    return round(100 * sum(known) / max(len(known), 1), 1)


def _label(line: str, where: str, kind: str) -> Label:
    try:
        row: Any = json.loads(line)
        return Label(str(row["intent"]), tuple(row["keys"]), str(row.get("language", "en")), str(row.get("kind", kind)))
    except (ValueError, KeyError, TypeError):
        raise BadInput(f"{where} is no labelled intent", hint='{"intent": "…", "keys": ["…"]}') from None
