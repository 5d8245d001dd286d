"""What was learned from requests holds for one encoder and for our own actions, and for nothing else."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from skill.catalog import Catalog, open_catalog
from skill.index import search
from skill.index.build import build
from skill.index.learned import Learned, read_learned, write_learned
from skill.index.open import open_index


class Encoder:
    """Gives every text a vector of its own."""

    name, dimensions = "dummy", 8

    def __init__(self, digest: str) -> None:
        self.digest = digest

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:  # noqa: D102 - named by the interface
        rows = np.array([np.random.default_rng(len(text)).standard_normal(8) for text in texts], dtype=np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def some(catalog: Catalog) -> Learned:
    rows = np.eye(8, dtype=np.float32)
    return Learned([action.key for action in list(catalog.actions())[:3]], rows[:3], rows[3:5])


def mine(where: Path, action: str) -> Path:
    """Make a folder of one's own with one action."""
    own = where / "mine"
    own.mkdir()
    (own / "service.yaml").write_text(
        "{name: mine, title: Mine, domain: mine.example, base: 'https://api.mine.example'}\n", encoding="utf-8"
    )
    (own / "actions.yaml").write_text(f"actions:\n  {action}", encoding="utf-8")
    return own


def test_it_comes_back_as_it_was_written(tmp_path: Path, catalog: Catalog) -> None:
    """Keys and unit rows come back for the encoder that they were learned with, and nothing for another or where no file is."""
    write_learned(tmp_path, Encoder("a"), some(catalog))
    found = read_learned(tmp_path, Encoder("a"))
    assert found is not None
    assert found.keys == some(catalog).keys
    assert np.allclose(found.centres, some(catalog).centres)
    assert np.allclose(found.aside, some(catalog).aside)
    assert read_learned(tmp_path, Encoder("b")) is None
    assert read_learned(tmp_path / "none", Encoder("a")) is None


def test_a_damaged_file_is_as_none(tmp_path: Path) -> None:
    """A file that is no archive is passed over: the search then goes by the means of the asks."""
    (tmp_path / "learned.npz").write_bytes(b"PK\x03\x04 torn")
    assert read_learned(tmp_path, Encoder("a")) is None


def test_what_was_learned_takes_the_place_of_the_mean(catalog: Catalog) -> None:
    """An action that was learned has its learned centre, every other the mean of its asks."""
    actions, encoder = list(catalog.actions())[:5], Encoder("a")
    plain, learned = build(actions, "x", encoder), build(actions, "x", encoder, learned=some(catalog))
    assert np.array_equal(learned.centres[:3].argmax(axis=1), [0, 1, 2])
    assert np.array_equal(learned.centres[3:], plain.centres[3:])
    assert (plain.aside.shape, learned.aside.shape) == ((0, 8), (2, 8))


def test_another_folder_learns_nothing(tmp_path: Path) -> None:
    """The shipped index knows what no action serves; that of a user's folder has the means of its own asks alone."""
    own = mine(
        tmp_path,
        "list-apps:\n    title: List Parrots\n    about: Lists the parrots.\n    asks: [who is in the aviary]\n"
        "    request: GET /parrots\n",
    )
    ours, theirs = open_index(open_catalog([own]), lambda _: None).segments
    assert len(ours.aside) > 0
    assert len(theirs.aside) == 0
    cosine = theirs.centres[0].astype(np.float32) @ theirs.documents[0].astype(np.float32)
    assert cosine != 0


def test_an_action_of_ones_own_is_not_taken_for_off_topic(tmp_path: Path) -> None:
    """What has nothing to do with Heroku is turned away, until an action of one's own does it: then that is the first hit."""
    own = mine(
        tmp_path,
        "get-forecast:\n    title: Get Forecast\n    about: Tells the weather of the coming days at a place.\n"
        "    asks: [do I need an umbrella in Porto tomorrow]\n    request: GET /forecast\n",
    )
    intent = "will it rain in Lisbon tomorrow"
    assert not search(open_catalog([]), intent, 5, lambda _: None).hits
    hits = search(open_catalog([own]), intent, 5, lambda _: None).hits
    assert hits[0].action.key == "get-forecast"
