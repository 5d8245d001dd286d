"""Rows that were rounded and packed are compared with a query as if they were whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skill.index.nearness import _packed, _whole
from skill.index.rounding import SIX_BITS, pack, pack_six, quantise, unpack, unpack_six
from training.export_minilm import as_shipped

SEED = 5


def rows(count: int, width: int) -> np.ndarray:
    some = np.random.default_rng(SEED).standard_normal((count, width)).astype(np.float32)
    return some / np.linalg.norm(some, axis=1, keepdims=True)


@pytest.mark.parametrize("count", [0, 1, 511, 512, 513, 1500])
@pytest.mark.parametrize("width", [384, 7])
def test_rows_in_chunks_give_what_all_at_once_give(count: int, width: int) -> None:
    """Whatever the number of rows, the similarities are those of the rounded rows multiplied in one go."""
    some, query = rows(count, width), rows(1, width)[0]
    whole, scales = quantise(some)
    assert np.allclose(_whole(whole, scales, query), whole.astype(np.float32) @ query * scales, atol=1e-5)
    small, small_scales = pack(some)
    assert np.allclose(_packed(small, small_scales, query), unpack(small, width) @ query * small_scales, atol=1e-5)


@given(st.lists(st.integers(-SIX_BITS, SIX_BITS), min_size=4, max_size=64).filter(lambda one: len(one) % 4 == 0 and any(one)))
@settings(max_examples=200)
def test_six_bits_come_back(values: list[int]) -> None:
    """Whole numbers that fit six bits come out of three bytes for four as they went in."""
    row = np.array([values], dtype=np.float32) * (SIX_BITS / max(map(abs, values)))
    small, scales = pack_six(row)
    assert small.shape == (1, len(values) * 3 // 4)
    assert np.abs(unpack_six(small) * scales[:, None] - row).max() <= scales[0] / 2 + 1e-6
    assert np.array_equal(as_shipped(as_shipped(row)), as_shipped(row))
