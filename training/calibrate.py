"""Fit how the search mixes its parts, and what a score is worth, on requests that the model did not learn from.

    python training/calibrate.py            # writes skill/data/ranking.json

The weights are the likeliest of a softmax over all actions (a conditional logit, McFadden 1974), which gives the temperature
too; the chance that any action fits is a logistic function fitted to held-out requests and to held-out ones that no action
serves, taken to be `STRANGE` of all; the threshold turns away at most `TURNED_AWAY` of the real ones. Build the index first.
"""

import json
from typing import Any

import numpy as np
from data import ENGLISH, load, none

from skill.catalog.catalog import open_part
from skill.index.encoders import open_encoder
from skill.index.open import Index, open_segment
from skill.index.ranking import Evidence, Mixture, gather, signs
from skill.places import ACTIONS, DATA

# of held-out requests; a little less than the 2% that may be, since people are not the writers of these
TURNED_AWAY = 0.015
# the share of requests that no action serves; most who ask an assistant for Heroku have something to do there
STRANGE = 0.2
PARTS = ("centre", "best", "words")
# there are six other languages: English counts three times, so that it counts about as much as all of them
ENGLISH_COUNTS = 3.0


def fit_logit(features: Any, right: Any, counts: Any) -> Any:
    """Fit weights, (f,), by Newton's method to features, (n, actions, f), the right actions, (n,), and what each row counts."""
    rows, found = np.arange(len(right)), np.ones(features.shape[2])
    for _ in range(40):
        logits = features @ found
        chance = np.exp(logits - logits.max(axis=1, keepdims=True))
        chance /= chance.sum(axis=1, keepdims=True)
        mean = np.einsum("na,naf->nf", chance, features)
        slope = ((features[rows, right] - mean) * counts[:, None]).sum(axis=0) - 1e-3 * found
        spread = np.einsum("na,naf,nag,n->fg", chance, features, features, counts, optimize=True)
        curve = spread - np.einsum("nf,ng,n->fg", mean, mean, counts) + 1e-3 * np.eye(len(found))
        step = np.linalg.solve(curve, slope)
        found = found + step * min(1.0, 5 / np.abs(step).max())
    return found


def fit_logistic(features: Any, fits: Any) -> Any:
    """Fit bias and weights by Newton's method with a little ridge: (n, f) and (n,) to (1 + f,)."""
    inputs = np.hstack([np.ones((len(features), 1)), features])
    # the requests at hand are not as many of each kind as people make
    weights = np.where(fits, (1 - STRANGE) / fits.mean(), STRANGE / (1 - fits.mean()))
    found = np.zeros(inputs.shape[1])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-inputs @ found))
        slope = inputs.T @ (weights * (fits - chance)) - 1e-2 * found
        curve = (inputs * (weights * chance * (1 - chance))[:, None]).T @ inputs + 1e-2 * np.eye(len(found))
        found = found + np.linalg.solve(curve, slope)
    return found


def signs_of(evidence: list[Evidence]) -> Any:
    """Give what tells whether any action fits: (n, 4)."""
    return np.array([signs(one) for one in evidence])


def main() -> None:
    """Fit, say what was found, and write it."""
    material = load()
    part, encoder = open_part(ACTIONS, shipped=DATA / "catalog"), open_encoder()
    index = Index([open_segment(part, encoder, print)], encoder)

    def gathered(texts: list[str]) -> list[Evidence]:
        return [gather(index.segments, text, index.encoder) for text in texts]

    keys = index.segments[0].keys
    real = gathered([text for _, _, text in material.held_out])
    right = np.array([keys.index(key) for key, _, _ in material.held_out])
    counts = np.array([ENGLISH_COUNTS if language == ENGLISH else 1.0 for _, language, _ in material.held_out])
    features = np.stack([np.stack([getattr(one, name) for name in PARTS], axis=1) for one in real]).astype(np.float64)
    weights = fit_logit(features, right, counts)
    first = (features @ weights).argmax(axis=1) == right
    strange = gathered(none("off-topic", held_out=True))
    told = np.vstack([signs_of(real), signs_of(strange)])
    fits = np.array([True] * len(real) + [False] * len(strange))
    bias, closeness, likeness, coverage, aside = fit_logistic(told, fits)
    usual = float(told[fits, 3].mean())
    chance = 1 / (1 + np.exp(-(bias + told @ np.array([closeness, likeness, coverage, aside]))))
    threshold = float(np.quantile(chance[fits], TURNED_AWAY))
    english = counts == ENGLISH_COUNTS
    print(f"{len(real)} held-out requests, {len(keys)} actions; first: {first[english].mean():.3f} of the English ones,")
    print(f"{first[~english].mean():.3f} of the others; off-topic turned away: {(chance[~fits] < threshold).mean():.3f}")
    whole = float(weights[:2].sum())
    mixture = Mixture(
        **dict(zip(PARTS, weights / whole, strict=True)),
        temperature=1 / whole,
        bias=bias,
        closeness=closeness,
        likeness=likeness,
        coverage=coverage,
        aside=aside,
        usual=usual,
        threshold=threshold,
    )
    rounded = {name: round(float(value), 4) for name, value in mixture._asdict().items()}
    (DATA / "ranking.json").write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")
    print(rounded)


if __name__ == "__main__":
    main()
