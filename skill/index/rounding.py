"""Rows of vectors in 8 bits, in 6 and in 4, each with one scale: a quarter to an eighth of the room that floats take."""

import numpy as np
from numpy.typing import NDArray

# what a row of 4 bits calls zero: 15 steps, seven on either side
MIDDLE = 7
# what a row of 6 bits calls zero: 63 steps, 31 on either side
SIX_BITS = 31
Floats = NDArray[np.float32]


def quantise(vectors: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Round rows to int8 with one scale a row: (n, d) float32 to (n, d) int8 and (n,) float32."""
    if vectors.size == 0:
        return np.zeros(vectors.shape, dtype=np.int8), np.zeros(len(vectors), dtype=np.float32)
    scales = (np.abs(vectors).max(axis=1) / 127.0).astype(np.float32)
    scales[scales == 0] = 1.0
    return np.rint(vectors / scales[:, None]).astype(np.int8), scales


def pack(vectors: Floats) -> tuple[NDArray[np.uint8], Floats]:
    """Round rows to 4 bits with one scale a row: (n, d) float32 to (n, d/2) uint8 and (n,) float32.

    A byte holds a value of the first half of a row and one of the second. The similarity to a query is off by about
    0.006 (standard deviation), far less than what separates actions, and the asks take half the room.
    """
    if vectors.shape[1] % 2:
        vectors = np.hstack([vectors, np.zeros((len(vectors), 1), dtype=np.float32)])
    scales = (np.abs(vectors).max(axis=1, initial=0.0) / MIDDLE).astype(np.float32)
    scales[scales == 0] = 1.0
    steps = (np.clip(np.rint(vectors / scales[:, None]), -MIDDLE, MIDDLE) + MIDDLE).astype(np.uint8)
    half = vectors.shape[1] // 2
    return (steps[:, :half] << 4) | steps[:, half:], scales


def unpack(packed: NDArray[np.uint8], width: int) -> Floats:
    """Give the rows that were packed, without their scales: (n, d/2) uint8 to (n, d) float32."""
    return np.hstack([(packed >> 4).astype(np.float32), (packed & 15).astype(np.float32)])[:, :width] - MIDDLE


def pack_six(rows: Floats) -> tuple[NDArray[np.uint8], Floats]:
    """Round rows to 6 bits with one scale a row: (n, d) float32 to (n, 3d/4) uint8, four values in three bytes, and (n,)."""
    scales = (np.abs(rows).max(axis=1) / SIX_BITS).astype(np.float32)
    scales[scales == 0] = 1
    whole = (np.rint(rows / scales[:, None]) + SIX_BITS).astype(np.uint8).reshape(len(rows), -1, 4)
    one, two, three, four = whole.transpose(2, 0, 1)
    return np.stack([one << 2 | two >> 4, two << 4 | three >> 2, three << 6 | four], axis=2).reshape(len(rows), -1), scales


def unpack_six(packed: NDArray[np.uint8]) -> Floats:
    """Give the rows that were packed, without their scales: (n, 3d/4) uint8 to (n, d) float32."""
    first, second, third = packed.reshape(len(packed), packed.shape[1] // 3, 3).transpose(2, 0, 1)
    values = np.stack([first >> 2, (first & 3) << 4 | second >> 4, (second & 15) << 2 | third >> 6, third & 63], axis=2)
    whole: Floats = values.reshape(len(packed), values.shape[1] * 4).astype(np.float32)
    return whole - SIX_BITS
