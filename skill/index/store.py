"""One index on disk: a small JSON header and one file of arrays, memory-mapped; checked for size before it is used."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skill import places

VERSION = 3
HEADER, ARRAYS = "index.json", "index.bin"
_ALIGN = 64


class Segment(NamedTuple):
    """The index of one actions folder: n actions, m asks, w words, d dimensions.

    `document_marks` (n,) and `ask_marks` (m,) name the texts that the vectors are of, so that a later build can take over
    what did not change. `documents` and `centres` (what was learned of an action, else the mean of its asks) are (n, d) int8,
    `asks` (m, d/2) uint8, two values of 4 bits a byte, all with one float32 scale a row; `starts` (n+1) says which asks are
    whose. `aside` (k, d) int8 is what was learned of requests that no action serves.
    `postings` of word i stand at `spans[i]:spans[i+1]`: the action, and how much the word weighs in it.
    Without vectors (no encoder) the arrays of vectors are empty and the words still count.
    """

    digest: str
    encoder: Mapping[str, Any]
    keys: list[str]
    words: dict[str, int]
    document_marks: NDArray[np.uint64]
    ask_marks: NDArray[np.uint64]
    documents: NDArray[np.int8]
    document_scales: NDArray[np.float32]
    centres: NDArray[np.int8]
    centre_scales: NDArray[np.float32]
    aside: NDArray[np.int8]
    aside_scales: NDArray[np.float32]
    asks: NDArray[np.uint8]
    ask_scales: NDArray[np.float32]
    starts: NDArray[np.int32]
    spans: NDArray[np.int32]
    posting_actions: NDArray[np.int32]
    posting_weights: NDArray[np.float32]


_NAMES = Segment._fields[4:]


def save(home: Path, segment: Segment) -> None:
    """Write an index so that a reader sees the old one or the whole new one.

    Raises:
        OSError: the folder cannot be written.
    """
    arrays, offset, chunks = {}, 0, []
    for name in _NAMES:
        array = np.ascontiguousarray(getattr(segment, name))
        content = array.tobytes()
        content += b"\0" * (-len(content) % _ALIGN)
        arrays[name] = [array.dtype.str, array.shape, offset]
        offset += len(content)
        chunks.append(content)
    header = {
        "version": VERSION,
        "digest": segment.digest,
        "encoder": segment.encoder,
        "size": offset,
        "keys": segment.keys,
        "arrays": arrays,
        "words": list(segment.words),
    }
    # the arrays first: a header is never there without them
    places.write_whole(home / ARRAYS, b"".join(chunks))
    places.write_whole(home / HEADER, json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode())


def load(home: Path, digest: str | None, encoder: str | None) -> Segment | None:
    """Open an index, None where it is missing, damaged, or made from other actions or by another encoder.

    Args:
        digest: the content of the actions that it must be of; None takes any.
        encoder: the digest of the encoder's weights; None takes any.
    """
    try:
        header = json.loads((home / HEADER).read_bytes())
        if header["version"] != VERSION or os.stat(home / ARRAYS).st_size != header["size"]:
            return None
        if digest is not None and header["digest"] != digest:
            return None
        if encoder is not None and header["encoder"].get("digest") != encoder:
            return None
        whole = np.memmap(home / ARRAYS, dtype=np.uint8, mode="r")
        arrays = {name: _array(whole, *header["arrays"][name]) for name in _NAMES}
        words = dict(zip(header["words"], range(len(header["words"])), strict=True))
        return Segment(header["digest"], header["encoder"], header["keys"], words, **arrays)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _array(whole: NDArray[np.uint8], kind: str, shape: list[int], offset: int) -> NDArray[Any]:
    dtype = np.dtype(kind)
    count = int(np.prod(shape))
    return np.asarray(whole[offset : offset + count * dtype.itemsize]).view(dtype).reshape(shape)
