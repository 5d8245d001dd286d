"""The shipped encoder says what sentence-transformers says, and refuses weights that are not whole."""

import json
import math
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from skill import places
from skill.index.minilm import EncoderUnavailable, MiniLM, gelu

WEIGHTS = places.DATA / "minilm"
GOLDEN = Path(__file__).resolve().parent.parent / "golden"
LARGEST_FILE = 8_000_000


class Golden(NamedTuple):
    """Texts, what the reference made of them, (n, 384) unit rows, and what the shipped encoder makes of them in one batch."""

    texts: list[str]
    expected: NDArray[np.float32]
    found: NDArray[np.float32]


@pytest.fixture(scope="module")
def encoder() -> MiniLM:
    """Open the shipped weights once for all tests."""
    return MiniLM(WEIGHTS)


@pytest.fixture(scope="module")
def golden(encoder: MiniLM) -> Golden:
    """Encode the golden texts once for all tests."""
    facts = json.loads((GOLDEN / "minilm.json").read_bytes())
    with np.load(GOLDEN / "minilm.npz") as file:
        stored = file["vectors"]
    assert sha256(stored.tobytes()).hexdigest() == facts["digest"]
    expected = stored.astype(np.float32)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    return Golden(facts["texts"], expected, encoder.encode(facts["texts"]))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Give a folder with the weights in it, to be damaged."""
    return Path(shutil.copytree(WEIGHTS, tmp_path / "minilm"))


def test_vectors_are_those_of_the_reference(golden: Golden) -> None:
    """Over a thousand texts the mean cosine with sentence-transformers is at least 0.999, and the least 0.995."""
    cosines = (golden.found * golden.expected).sum(axis=1)
    assert len(golden.texts) == 1000
    assert cosines.mean() >= 0.999
    worst = int(cosines.argmin())
    assert cosines[worst] >= 0.995, golden.texts[worst]


def test_neighbours_are_those_of_the_reference(golden: Golden) -> None:
    """No similarity between two of the texts differs from the reference's by 0.05."""
    difference = np.abs(golden.found @ golden.found.T - golden.expected @ golden.expected.T)
    assert difference.max() < 0.05


def test_rows_are_unit_vectors(golden: Golden) -> None:
    """Every vector is finite, single precision, 384 long and of length one."""
    assert golden.found.shape == (1000, 384)
    assert golden.found.dtype == np.float32
    assert np.allclose(np.linalg.norm(golden.found, axis=1), 1, atol=1e-6)


def test_a_batch_gives_what_single_texts_give(encoder: MiniLM, golden: Golden) -> None:
    """A text's vector does not depend on the texts beside it."""
    for place in range(0, 1000, 17):
        alone = encoder.encode([golden.texts[place]])[0]
        assert np.abs(alone - golden.found[place]).max() < 1e-5, golden.texts[place]


def test_order_does_not_matter(encoder: MiniLM) -> None:
    """Texts of mixed lengths come back in the order in which they were given."""
    texts = ["roll back", "list the apps of my team please", "", "logs", "list the apps of my team please"]
    forth, back = encoder.encode(texts), encoder.encode(texts[::-1])
    assert np.abs(forth - back[::-1]).max() < 1e-5
    assert np.abs(forth[1] - forth[4]).max() < 1e-6


def test_no_texts_give_no_rows(encoder: MiniLM) -> None:
    """An empty list gives an array of no rows and the right width."""
    assert encoder.encode([]).shape == (0, 384)


def test_words_beyond_the_limit_do_not_count(encoder: MiniLM) -> None:
    """Two texts that differ only after 256 tokens have the same vector."""
    start = "scale " * 300
    first, second = encoder.encode([start + "down", start + "up"])
    assert np.abs(first - second).max() < 1e-6


def test_it_says_what_it_is(encoder: MiniLM) -> None:
    """Name, width and digest are those of the description, and the words of its vocabulary can be asked for."""
    assert (encoder.name, encoder.dimensions, len(encoder.digest)) == ("minilm-l6-heroku", 384, 64)
    assert "database" in encoder.words.vocabulary


def test_the_shipped_weights_are_whole(encoder: MiniLM) -> None:
    """The shipped files are what their digest says."""
    encoder.verify()


def test_no_file_is_too_large() -> None:
    """Every shipped file is at most eight million bytes."""
    assert max(path.stat().st_size for path in WEIGHTS.iterdir()) <= LARGEST_FILE


@pytest.mark.parametrize("name", ["meta.json", "vocab.txt", "shard-0.bin", "shard-1.bin", "shard-2.bin"])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    """Opening weights of which a file is missing says which."""
    (copy / name).unlink()
    with pytest.raises(EncoderUnavailable, match=name):
        MiniLM(copy)


@pytest.mark.parametrize("name", ["vocab.txt", "shard-0.bin", "shard-2.bin"])
@pytest.mark.parametrize("size", [0, 1000])
def test_a_cut_file_is_named(copy: Path, name: str, size: int) -> None:
    """Opening weights of which a file was cut short says which."""
    (copy / name).write_bytes((copy / name).read_bytes()[:size])
    with pytest.raises(EncoderUnavailable, match=name):
        MiniLM(copy)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"{}", b"\xff", b'{"version": 99}'])
def test_a_damaged_description_is_refused(copy: Path, content: bytes) -> None:
    """Opening weights whose description is no description says where they lie."""
    (copy / "meta.json").write_bytes(content)
    with pytest.raises(EncoderUnavailable, match="minilm"):
        MiniLM(copy)


def _moved(meta: Any) -> None:
    meta["tensors"]["positions"]["offset"] = 7_900_000


def _forgotten(meta: Any) -> None:
    del meta["tensors"]["layer.5.norm.gain"]


def _elsewhere(meta: Any) -> None:
    meta["tensors"]["positions"]["shard"] = 9


def _newer(meta: Any) -> None:
    meta["version"] += 1


@pytest.mark.parametrize("spoil", [_moved, _forgotten, _elsewhere, _newer])
def test_a_wrong_description_is_refused(copy: Path, spoil: Any) -> None:
    """Opening weights whose description points outside the files, lacks a tensor or is of another version fails clearly."""
    meta = json.loads((copy / "meta.json").read_bytes())
    spoil(meta)
    (copy / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
    with pytest.raises(EncoderUnavailable, match="damaged"):
        MiniLM(copy)


def test_changed_bytes_are_found_when_asked(copy: Path) -> None:
    """One changed byte passes the check of sizes, and not the check of the digest."""
    whole = bytearray((copy / "shard-1.bin").read_bytes())
    whole[12345] ^= 1
    (copy / "shard-1.bin").write_bytes(whole)
    with pytest.raises(EncoderUnavailable, match="digest"):
        MiniLM(copy).verify()


def test_gelu_is_exact_enough() -> None:
    """GELU is off by at most 5e-7 from what the standard library's error function gives."""
    points = np.linspace(-12, 12, 20_001, dtype=np.float32)
    exact = [0.5 * float(point) * (1 + math.erf(float(point) / math.sqrt(2))) for point in points]
    assert np.abs(gelu(points) - np.array(exact)).max() <= 5e-7
