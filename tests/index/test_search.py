"""The search as a whole: it finds what people mean, says when nothing fits, and bears what goes wrong."""

from pathlib import Path
from typing import Any

import pytest

from skill.catalog import Catalog, open_catalog
from skill.index import search
from skill.index.build import build
from skill.index.evaluate import curve, measure, read_labels, report
from skill.index.open import Index, open_index
from skill.index.ranking import gather, mixture, rank
from skill.index.rounding import pack, unpack
from skill.index.spelling import repair
from skill.index.store import load, save

EVALS = Path(__file__).resolve().parent.parent.parent / "evals"


@pytest.fixture(scope="module")
def index(catalog: Catalog) -> Index:
    """The shipped index."""
    return open_index(catalog, lambda _: None)


@pytest.fixture(scope="module")
def figures(index: Index) -> dict[str, Any]:
    """What the search makes of every labelled intent."""
    return report(measure(read_labels(sorted(EVALS.glob("*.jsonl"))), index, mixture()), mixture())


@pytest.mark.parametrize(
    ("intent", "key"),
    [
        ("give the shop site two more web processes", "update-formation"),
        ("my site is down, turn it off and on again", "restart-all-dynos"),
        ("who can get into the shop app?", "list-collaborators"),
        ("the last deploy broke everything, go back", "rollback-release"),
        ("make shop answer at www.shop.com", "create-domain"),
        ("回滚到上一个版本", "rollback-release"),
    ],
)
def test_the_first_answer_is_the_right_one(catalog: Catalog, intent: str, key: str) -> None:
    """What people say in their own words finds the one operation that does it, first."""
    assert search(catalog, intent, 3, lambda _: None).hits[0].action.key == key


@pytest.mark.parametrize(
    ("kind", "first", "five"),
    [("terse", 95, 99), ("thread", 85, 97), ("loose", 80, 94), ("typo", 92, 99), ("lookalike", 86, 98), ("everyday", 86, 97)],
)
def test_the_right_action_is_near_the_top(figures: dict[str, Any], kind: str, first: int, five: int) -> None:
    """On labelled intents of each kind a right action is first, and among the first five, at least this often, in per cent."""
    assert figures["kinds"][kind]["R@1"] >= first
    assert figures["kinds"][kind]["R@5"] >= five


@pytest.mark.parametrize("language", ["de", "es", "fr", "ja", "pt", "zh"])
def test_other_languages_find_it_too(figures: dict[str, Any], language: str) -> None:
    """In each of the other languages a right action is first for 80 of 100 intents, and among the first five for 95."""
    assert figures["languages"][language]["R@1"] >= 80
    assert figures["languages"][language]["R@5"] >= 95


def test_few_real_requests_are_turned_away(figures: dict[str, Any]) -> None:
    """At most 2% of real requests get no answer, and at least 80% of off-topic ones get none."""
    assert figures["turned away"]["real"] <= 2
    assert figures["turned away"]["off-topic"] >= 80


def test_a_score_means_what_it_says(figures: dict[str, Any]) -> None:
    """Of the first hits in each fifth of the scores, as many are right as the scores say, to within ten of a hundred."""
    assert len(figures["reliability"]) == 5
    for band in figures["reliability"]:
        assert abs(band["said"] - band["right"]) <= 10, band


def test_figures_by_resource_and_the_curve(index: Index) -> None:
    """A report has the figures of each resource, and the curve says what a threshold would turn away."""
    labels = read_labels([EVALS / "typos.jsonl", EVALS / "none.jsonl"])[::5]
    outcomes = measure(labels, index, mixture())
    resources = {key: key.partition("-")[2] for key in index.segments[0].keys}
    found = report(outcomes, mixture(), resources)
    assert sum(row["n"] for row in found["resources"].values()) == found["all"]["n"]
    rows = curve(outcomes, (1, 5, 20))
    assert [row["real"] for row in rows] == [1, 5, 20]
    assert rows[0]["off-topic"] <= rows[1]["off-topic"] <= rows[2]["off-topic"]


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("retsart the worker", "restart the worker"),
        ("show teh domians of shop", "show teh domains of shop"),
        ("die Rechnungen vom letzten Monat anzeigem", "die Rechnungen vom letzten Monat anzeigem"),
        ("última versión del sitio, por favro", "última versión del sitio, por favro"),
    ],
)
def test_only_english_is_mended(index: Index, text: str, mended: str) -> None:
    """An unknown English word becomes the known one a slip away; a text in another language stays as it was typed."""
    assert index.encoder is not None
    assert repair(text, index.segments[0].words, index.encoder.words.vocabulary) == mended


def test_what_does_not_fit_says_so(catalog: Catalog) -> None:
    """An intent that no action serves gives no hits, three that are nearest, and a sentence."""
    found = search(catalog, "what is a good recipe for banana bread", 10, lambda _: None)
    assert (found.hits, len(found.nearest)) == ([], 3)
    assert found.message


def test_what_is_deprecated_stands_behind(catalog: Catalog) -> None:
    """A deprecated action comes after the one that replaces it, whatever the words."""
    found = [
        hit.action.key for hit in search(catalog, "an upload address for the source code of app shop", 5, lambda _: None).hits
    ]
    assert found.index("create-source") < found.index("create-app-source")


def test_scores_are_shares_of_one(index: Index) -> None:
    """Scores fall from the first on, and together they are the probability that any action fits."""
    ranking = rank(gather(index.segments, "restart the workers", index.encoder), mixture())
    assert ranking.scores == sorted(ranking.scores, reverse=True)
    assert sum(ranking.scores) == pytest.approx(ranking.fits, abs=1e-3)


def test_words_alone_still_find(index: Index) -> None:
    """Without an encoder the search goes by words."""
    ranking = rank(gather(index.segments, "list the log drains of an app", None), mixture(), meaning=False)
    assert ranking.keys[0] == "list-log-drains"


def test_missing_weights_are_a_note_and_no_failure(catalog: Catalog, tmp_path: Path) -> None:
    """An encoder whose weights are missing is told once; a folder without them raises what the search catches."""
    from skill.index.minilm import EncoderUnavailable, MiniLM

    with pytest.raises(EncoderUnavailable, match="missing"):
        MiniLM(tmp_path)
    assert len(build(list(catalog.actions())[:3], "x", None).keys) == 3


def test_a_cut_index_is_not_read(tmp_path: Path, index: Index) -> None:
    """An index file that was cut in half is refused, so that it is built again."""
    segment = index.segments[0]
    save(tmp_path, segment)
    assert load(tmp_path, segment.digest, None) is not None
    whole = (tmp_path / "index.bin").read_bytes()
    (tmp_path / "index.bin").write_bytes(whole[: len(whole) // 2])
    assert load(tmp_path, segment.digest, None) is None


def test_packed_rows_keep_their_similarity(index: Index) -> None:
    """Rows of four bits have nearly the direction of what was packed."""
    assert index.encoder is not None
    vectors = index.encoder.encode(["restart my app", "list the domains", "who has access", "roll back"])
    packed, scales = pack(vectors)
    again = unpack(packed, vectors.shape[1]) * scales[:, None]
    cosines = (again * vectors).sum(axis=1) / (again**2).sum(axis=1) ** 0.5
    assert cosines.min() > 0.98


def test_an_edited_action_is_found_by_its_new_words(tmp_path: Path) -> None:
    """A folder of one's own actions is found by search like ours, and so is what is edited in it."""
    own = tmp_path / "mine"
    own.mkdir()
    (own / "service.yaml").write_text(
        "{name: mine, title: Mine, domain: mine.example, base: 'https://api.mine.example'}\n", encoding="utf-8"
    )
    action = (
        "actions:\n  feed-parrot:\n    title: Feed Parrot\n    about: Give the parrot its seeds.\n"
        "    asks: [{ask}]\n    request: POST /parrot\n"
    )
    for ask in ("the parrot is hungry", "polly wants a cracker"):
        (own / "parrot.yaml").write_text(action.format(ask=ask), encoding="utf-8")
        found = search(open_catalog([own]), ask, 3, lambda _: None)
        assert found.hits[0].action.key == "feed-parrot"
