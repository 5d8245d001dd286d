"""The shipped encoder, a MiniLM in numpy: texts to unit vectors, from int8 weights that are mapped, not read.

The model is BERT (Devlin et al. 2019, arXiv:1810.04805) with six layers, then the mean of the tokens at unit length, as
sentence-transformers publishes it; `training/export_minilm.py` writes the weights.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skill.index.rounding import unpack_six
from skill.index.wordpiece import WordPiece

VERSION = 3
META, VOCABULARY = "meta.json", "vocab.txt"

# tokens worked on at once: what one layer makes of them stays near the processor
_TOKENS = 256
_EPSILON = 1e-12
# columns of a matrix that lie together: OpenBLAS multiplies a few rows by so narrow a matrix without copying it first, which
# halves the time of a search where it knows the processor, and costs a tenth where it does not
TILE = 32

Floats = NDArray[np.float32]


class EncoderUnavailable(Exception):
    """The encoder's weights are missing or damaged; the message names the file."""


class Linear(NamedTuple):
    """A matrix with scales for its rows, (inputs,), and its columns, (outputs,), and a bias.

    `weights` is (outputs / TILE, inputs, TILE) int8: tiles of columns side by side.
    """

    weights: NDArray[np.int8]
    input_scales: Floats
    output_scales: Floats
    bias: Floats


class Norm(NamedTuple):
    """What layer normalisation ends with: a gain and a bias, (d,) float32."""

    gain: Floats
    bias: Floats


class Layer(NamedTuple):
    """One layer of the transformer; the queries of `attention` are divided by the root of a head's width beforehand."""

    attention: Linear
    mix: Linear
    mix_norm: Norm
    widen: Linear
    narrow: Linear
    norm: Norm


class Run(NamedTuple):
    """Texts of one length that lie side by side among the tokens of a batch."""

    tokens: slice
    texts: int
    length: int


class MiniLM:
    """The shipped sentence encoder; `words` cuts its texts, `digest` names its weights."""

    def __init__(self, folder: Path) -> None:
        """Open the weights of a folder; nothing is read but their description.

        Raises:
            EncoderUnavailable: a file is missing, is not of its size, or is described wrongly.
        """
        self._folder = folder
        try:
            meta = json.loads((folder / META).read_bytes())
            _check(folder, meta)
            self._open(_Tensors(folder, meta), meta)
        except FileNotFoundError as missing:
            raise EncoderUnavailable(f"the encoder's file {missing.filename} is missing") from None
        except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as wrong:
            raise EncoderUnavailable(f"the encoder's files in {folder} are damaged: {type(wrong).__name__}") from wrong

    def _open(self, tensors: "_Tensors", meta: Mapping[str, Any]) -> None:
        self.name: str = meta["name"]
        self.digest: str = meta["digest"]
        self.dimensions: int = meta["dimensions"]
        self.words = WordPiece(self._folder / VOCABULARY)
        self._files: Mapping[str, int] = meta["files"]
        self._heads: int = meta["heads"]
        self._tokens = [
            (tensors[f"tokens.{block}.weights"], tensors[f"tokens.{block}.scales"]) for block in range(meta["blocks"])
        ]
        # rows of the table that no text can name were left out: where they were, and how many had gone by then
        self._free = np.array([first for first, _ in meta["free"]], dtype=np.int64)
        self._gone = np.cumsum([0, *(past - first for first, past in meta["free"])])
        self._positions: Floats = tensors["positions"]
        self._norm = tensors.norm("norm")
        self._layers = [tensors.layer(f"layer.{number}") for number in range(meta["layers"])]

    def verify(self) -> None:
        """Read every file and compare it with the digest; opening compares the sizes alone.

        Raises:
            EncoderUnavailable: a file is not what was exported.
        """
        if digest_of(self._folder, self._files) != self.digest:
            raise EncoderUnavailable(f"the encoder's files in {self._folder} are not what their digest says")

    def encode(self, texts: Sequence[str]) -> Floats:
        """Give one vector a text, however long the list; a text's tokens beyond the model's limit are left out.

        Returns:
            (n, dimensions) float32, unit rows.
        """
        ids = [self.words.encode(text, len(self._positions)) for text in texts]
        batches = list(_batches(ids))
        vectors = np.empty((len(ids), self.dimensions), dtype=np.float32)

        def embed(places: list[int]) -> None:
            vectors[places] = self._embed([ids[place] for place in places])

        if len(batches) > 1:
            from concurrent.futures import ThreadPoolExecutor

            # numpy lets other threads run while it multiplies
            with ThreadPoolExecutor(min(len(batches), os.cpu_count() or 1)) as pool:
                list(pool.map(embed, batches))
        elif batches:
            embed(batches[0])
        return vectors

    def _embed(self, ids: Sequence[Sequence[int]]) -> Floats:
        """Encode token ids, shortest first, in one go: (len(ids), dimensions) float32, unit rows."""
        runs = list(_runs(ids))
        room = np.empty(max(layer.widen.weights.size for layer in self._layers), dtype=np.float32)
        hidden = _normalised(self._looked_up(ids), self._norm)
        for layer in self._layers:
            context = _attended(_applied(layer.attention, hidden, room), runs, self._heads)
            hidden = _normalised(hidden + _applied(layer.mix, context, room), layer.mix_norm)
            wide = gelu(_applied(layer.widen, hidden, room))
            hidden = _normalised(hidden + _applied(layer.narrow, wide, room), layer.norm)
        means: Floats = np.concatenate([hidden[run.tokens].reshape(run.texts, run.length, -1).mean(axis=1) for run in runs])
        means /= np.linalg.norm(means, axis=1, keepdims=True)
        return means

    def _looked_up(self, ids: Sequence[Sequence[int]]) -> Floats:
        """Give the vectors of tokens and their places, (tokens, dimensions) float32."""
        named = np.array([one for text in ids for one in text])
        flat = named - self._gone[np.searchsorted(self._free, named)]
        found = self._positions[[place for text in ids for place in range(len(text))]].astype(np.float32)
        size = len(self._tokens[0][0])
        for block, (weights, scales) in enumerate(self._tokens):
            here = flat // size == block
            rows = flat[here] - block * size
            found[here] += unpack_six(weights[rows]) * scales[rows, None]
        return found


class _Tensors:
    """The arrays of the shards, by name, without copying."""

    def __init__(self, folder: Path, meta: Mapping[str, Any]) -> None:
        self._described = meta["tensors"]
        self._shards = [_mapped(folder / name) for name in meta["files"] if name != VOCABULARY]

    def __getitem__(self, name: str) -> NDArray[Any]:
        said = self._described[name]
        return np.ndarray(said["shape"], said["dtype"], self._shards[said["shard"]], said["offset"])

    def linear(self, name: str) -> Linear:
        return Linear(*(self[f"{name}.{part}"] for part in Linear._fields))

    def norm(self, name: str) -> Norm:
        return Norm(*(self[f"{name}.{part}"] for part in Norm._fields))

    def layer(self, name: str) -> Layer:
        attention, mix, widen, narrow = (self.linear(f"{name}.{part}") for part in ("attention", "mix", "widen", "narrow"))
        return Layer(attention, mix, self.norm(f"{name}.mix_norm"), widen, narrow, self.norm(f"{name}.norm"))


def digest_of(folder: Path, names: Iterable[str]) -> str:
    """Give the SHA-256, in hex, of files one after the other."""
    import hashlib

    whole = hashlib.sha256()
    for name in names:
        whole.update((folder / name).read_bytes())
    return whole.hexdigest()


def gelu(values: Floats) -> Floats:
    """Give x · Φ(x), Φ being the normal distribution, element by element.

    The error function is 7.1.26 of Abramowitz and Stegun, Handbook of Mathematical Functions (1964), wrong by at most 1.5e-7.
    With it x · Φ(x) is max(x, 0) less a tail in |x| alone, so that no sign is needed.
    """
    size = np.abs(values)
    step = np.float32(1) / (size * np.float32(0.3275911 / 2**0.5) + np.float32(1))
    tail = step * np.float32(1.061405429 / 2)
    for coefficient in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        tail += np.float32(coefficient / 2)
        tail *= step
    tail *= size
    np.square(size, out=size)
    size *= np.float32(-0.5)
    tail *= np.exp(size, out=size)
    np.maximum(values, 0, out=size)
    size -= tail
    return size


def _check(folder: Path, meta: Mapping[str, Any]) -> None:
    if meta["version"] != VERSION:
        raise ValueError(f"version {meta['version']}")
    for name, size in meta["files"].items():
        found = (folder / name).stat().st_size
        if found != size:
            raise EncoderUnavailable(f"the encoder's file {folder / name} is damaged: {found} bytes, not {size}")


def _mapped(path: Path) -> mmap:
    with path.open("rb") as file:
        return mmap(file.fileno(), 0, access=ACCESS_READ)


def _batches(ids: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Give the places of texts, shortest first, in lists of about `_TOKENS` tokens."""
    batch: list[int] = []
    tokens = 0
    for place in sorted(range(len(ids)), key=lambda place: len(ids[place])):
        batch.append(place)
        tokens += len(ids[place])
        if tokens >= _TOKENS:
            yield batch
            batch, tokens = [], 0
    if batch:
        yield batch


def _runs(ids: Sequence[Sequence[int]]) -> Iterator[Run]:
    """Give the runs of equal length, so that attention needs neither padding nor a mask."""
    start = 0
    for length, group in groupby(ids, key=len):
        texts = sum(1 for _ in group)
        yield Run(slice(start, start + texts * length), texts, length)
        start += texts * length


def _applied(linear: Linear, values: Floats, room: Floats) -> Floats:
    """Multiply (n, inputs) by a matrix, giving (n, outputs); `room` is where its floats are written, again and again."""
    tiles = room[: linear.weights.size].reshape(linear.weights.shape)
    np.copyto(tiles, linear.weights)
    product: Floats = np.matmul(values * linear.input_scales, tiles).swapaxes(0, 1).reshape(len(values), -1)
    product *= linear.output_scales
    product += linear.bias
    return product


def _attended(projected: Floats, runs: Sequence[Run], heads: int) -> Floats:
    """Mix each text's tokens: queries, keys and values, (tokens, 3d), to (tokens, d)."""
    width = projected.shape[1] // 3
    mixed = np.empty((len(projected), width), dtype=np.float32)
    for run in runs:
        parts = projected[run.tokens].reshape(run.texts, run.length, 3, heads, width // heads)
        queries, keys, values = parts.transpose(2, 0, 3, 1, 4)
        weights = queries @ keys.swapaxes(2, 3)
        weights -= weights.max(axis=3, keepdims=True)
        np.exp(weights, out=weights)
        weights /= weights.sum(axis=3, keepdims=True)
        mixed[run.tokens] = (weights @ values).swapaxes(1, 2).reshape(-1, width)
    return mixed


def _normalised(values: Floats, norm: Norm) -> Floats:
    """Bring each row to mean 0 and variance 1, then to the norm's gain and bias."""
    centred: Floats = values - values.mean(axis=1, keepdims=True)
    variance = np.square(centred).mean(axis=1, keepdims=True)
    centred /= np.sqrt(variance + np.float32(_EPSILON))
    centred *= norm.gain
    centred += norm.bias
    return centred
