"""What the search is given, what the model learns from and what it is measured on are different sentences."""

import json
import re
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest
import yaml

from skill.catalog import Catalog

ROOT = Path(__file__).resolve().parent.parent
# two requests that share this much of their three-letter groups are the same request in another dress
ALIKE = 0.9
LANGUAGES = ("de", "es", "fr", "ja", "pt", "zh")


def plain(text: str) -> str:
    """Fold a text to its letters and digits."""
    return " ".join(re.findall(r"\w+", text.lower()))


def table(path: Path) -> list[list[str]]:
    """Read the rows of a file of tab-separated columns."""
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def sets(catalog: Catalog) -> dict[str, set[str]]:
    """The folded phrases of each set."""
    requests = [
        yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "training" / "requests").glob("*.yaml"))
    ]
    parallel = [row[2] for path in sorted((ROOT / "training" / "parallel").glob("*.tsv")) for row in table(path)]
    none = yaml.safe_load((ROOT / "training" / "none.yaml").read_text(encoding="utf-8"))
    labels = [
        json.loads(line) for path in (ROOT / "evals").glob("*.jsonl") for line in path.read_text(encoding="utf-8").splitlines()
    ]
    return {
        "asks": {plain(ask) for action in catalog.actions() for ask in (*action.asks, *action.other_asks)},
        "training": {plain(str(text)) for file in [*requests, none] for texts in file.values() for text in texts}
        | {plain(text) for text in parallel}
        | {plain(request) for row in table(ROOT / "training" / "others.tsv") for request in row[3:]},
        "evals": {plain(label["intent"]) for label in labels},
    }


def test_the_sets_share_no_phrase(sets: dict[str, set[str]]) -> None:
    """No phrase stands in two of: the catalog's asks, the training requests, the evaluation intents."""
    for one, other in combinations(sets, 2):
        assert not sets[one] & sets[other], f"{one} and {other}"


def test_no_evaluation_intent_is_nearly_what_was_learned_from(sets: dict[str, set[str]]) -> None:
    """No evaluation intent differs from what the model or the catalog saw by a trifle only."""
    seen = sets["asks"] | sets["training"]
    by_group: dict[str, list[frozenset[str]]] = {}
    for groups in map(threes, seen):
        for group in groups:
            by_group.setdefault(group, []).append(groups)
    for intent in sets["evals"]:
        groups = threes(intent)
        rare = sorted(groups, key=lambda group: len(by_group.get(group, ())))[:4]
        near = (other for group in rare for other in by_group.get(group, ()))
        worst = max((len(groups & other) / len(groups | other) for other in near), default=0.0)
        assert worst < ALIKE, intent


def threes(text: str) -> frozenset[str]:
    """Give the three-letter groups of a text."""
    padded = f" {text} "
    return frozenset(padded[place : place + 3] for place in range(len(padded) - 2))


def test_every_action_has_requests_to_learn_from(catalog: Catalog) -> None:
    """For every action the model sees at least thirty requests, and at least eight in each of the six other languages."""
    count: Counter[tuple[str, str]] = Counter()
    for path in (ROOT / "training" / "requests").glob("*.yaml"):
        for key, texts in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            count[key, path.stem.partition("-")[0]] += len(texts)
    for path in (ROOT / "training" / "parallel").glob("*.tsv"):
        count.update((line.partition("\t")[0], path.stem) for line in path.read_text(encoding="utf-8").splitlines())
    for action in catalog.actions():
        assert sum(count[action.key, language] for language in ("en", *LANGUAGES)) >= 30
        assert min(count[action.key, language] for language in LANGUAGES) >= 8, action.key
        assert {len(texts) >= 1 for texts in (action.asks, action.other_asks)} == {True}


def test_the_tools_of_other_fields_are_told_apart() -> None:
    """Every made-up tool of another field has a title, a description and five requests, none of which another has."""
    rows = table(ROOT / "training" / "others.tsv")
    assert {len(row) for row in rows} == {8}
    assert len({(field, title) for field, title, *_ in rows}) == len(rows)
    assert max(Counter(plain(request) for row in rows for request in row[3:]).values()) == 1
