"""Fit how the search mixes its parts, and what a score is worth, on requests that the model did not learn from.

    python training/calibrate.py            # writes skill/data/ranking.json

The weights are those of a grid that put the right action first most often; the temperature is the likeliest; the chance
that any action fits is a logistic function fitted to held-out requests and to requests that no action serves; the
threshold turns away at most `TURNED_AWAY` of the real ones. Build the index first.
"""

import itertools
import json
from typing import Any

import numpy as np
import yaml
from data import ROOT, load

from skill.catalog.catalog import open_part
from skill.index.encoders import open_encoder
from skill.index.open import Index, open_segment
from skill.index.ranking import Evidence, Mixture, gather
from skill.places import ACTIONS, DATA

TURNED_AWAY = 0.035
DOCUMENT = (0.1, 0.2, 0.3, 0.4)
CENTRE = (0.0, 0.2, 0.4, 0.6)
BEST = (0.2, 0.4, 0.6, 0.8)
WORDS = (0.0, 0.1, 0.2, 0.3, 0.45)
TEMPERATURES = tuple(np.geomspace(0.005, 0.3, 40))


def gathered(index: Index, texts: list[str]) -> list[Evidence]:
    """Gather the evidence for every text."""
    return [gather(index.segments, text, index.encoder) for text in texts]


def stacked(evidence: list[Evidence]) -> dict[str, Any]:
    """Give each kind of evidence as (texts, actions) float32."""
    return {name: np.stack([getattr(one, name) for one in evidence]) for name in ("document", "centre", "best", "words")}


def best_weights(parts: dict[str, Any], right: Any) -> tuple[dict[str, float], Any]:
    """Give the weights that put the right action first most often, and the scores that they make."""
    rows = np.arange(len(right))
    found: tuple[float, dict[str, float], Any] = (-1.0, {}, None)
    for document, centre, best, words in itertools.product(DOCUMENT, CENTRE, BEST, WORDS):
        whole = document + centre + best
        scores = (document * parts["document"] + centre * parts["centre"] + best * parts["best"]) / whole + words * parts["words"]
        place = (scores > scores[rows, right][:, None]).sum(axis=1)
        quality = float((1 / (1 + place)).mean() + 0.5 * (place == 0).mean())
        if quality > found[0]:
            weights = {"document": document / whole, "centre": centre / whole, "best": best / whole, "words": words}
            found = (quality, weights, scores)
    return found[1], found[2]


def best_temperature(scores: Any, right: Any) -> float:
    """Give the temperature under which the right actions are likeliest."""
    rows = np.arange(len(right))

    def likelihood(temperature: float) -> float:
        logits = scores / temperature
        logits = logits - logits.max(axis=1, keepdims=True)
        return float((logits[rows, right] - np.log(np.exp(logits).sum(axis=1))).mean())

    return float(max(TEMPERATURES, key=likelihood))


def fit_logistic(features: Any, fits: Any) -> Any:
    """Fit bias and weights by Newton's method with a little ridge: (n, f) and (n,) to (1 + f,)."""
    inputs = np.hstack([np.ones((len(features), 1)), features])
    # as many real requests as others, whatever there are
    weights = np.where(fits, 0.5 / fits.mean(), 0.5 / (1 - fits.mean()))
    found = np.zeros(inputs.shape[1])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-inputs @ found))
        slope = inputs.T @ (weights * (fits - chance)) - 1e-3 * found
        curve = (inputs * (weights * chance * (1 - chance))[:, None]).T @ inputs + 1e-3 * np.eye(len(found))
        found = found + np.linalg.solve(curve, slope)
    return found


def nearness(evidence: list[Evidence]) -> Any:
    """Give what tells whether any action fits: (n, 2), how near the nearest is and how much of the words is known."""
    return np.array([[float(np.maximum(one.best, one.document).max()), float(one.words.max())] for one in evidence])


def main() -> None:
    """Fit, say what was found, and write it."""
    material = load()
    part, encoder = open_part(ACTIONS, shipped=DATA / "catalog"), open_encoder()
    index = Index([open_segment(part, encoder, print)], encoder)
    keys = index.segments[0].keys
    real = gathered(index, [text for _, text in material.held_out])
    right = np.array([keys.index(key) for key, _ in material.held_out])
    weights, scores = best_weights(stacked(real), right)
    temperature = best_temperature(scores, right)
    path = ROOT / "training" / "none.yaml"
    nothing = yaml.safe_load(path.read_text(encoding="utf-8"))["off-topic"]
    near = np.vstack([nearness(real), nearness(gathered(index, [str(text) for text in nothing]))])
    fits = np.array([True] * len(real) + [False] * len(nothing))
    bias, closeness, coverage = fit_logistic(near, fits)
    chance = 1 / (1 + np.exp(-(bias + near @ np.array([closeness, coverage]))))
    threshold = float(np.quantile(chance[fits], TURNED_AWAY))
    print(f"{len(real)} held-out requests: {(scores.argmax(axis=1) == right).mean():.3f} first; {len(keys)} actions")
    print(f"off-topic turned away: {(chance[~fits] < threshold).mean():.3f}, real: {(chance[fits] < threshold).mean():.3f}")
    mixture = Mixture(**weights, temperature=temperature, bias=bias, closeness=closeness, coverage=coverage, threshold=threshold)
    rounded = {name: round(float(value), 4) for name, value in mixture._asdict().items()}
    (DATA / "ranking.json").write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")
    print(rounded)


if __name__ == "__main__":
    main()
