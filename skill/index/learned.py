"""What was learned from requests, beside the encoder: where each action's requests lie, and where those lie that none serves.

`training/learn.py` writes the file; it holds for one encoder and for our own actions.
"""

from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from skill.index.encoders import Encoder
from skill.index.rounding import quantise

FILE = "learned.npz"


class Learned(NamedTuple):
    """`centres` (n, d) float32 belong to `keys`, `aside` (k, d) float32 to no action; all are unit rows."""

    keys: list[str]
    centres: NDArray[np.float32]
    aside: NDArray[np.float32]


def read_learned(folder: Path, encoder: Encoder | None) -> Learned | None:
    """Read what was learned with an encoder, None where nothing was."""
    try:
        # numpy does not close what it opened and cannot read
        with (folder / FILE).open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            if encoder is None or str(file["encoder"]) != encoder.digest:
                return None
            return Learned([str(key) for key in file["keys"]], _unit(file["centres"]), _unit(file["aside"]))
    except (OSError, ValueError, KeyError, BadZipFile):
        return None


def write_learned(folder: Path, encoder: Encoder, learned: Learned) -> None:
    """Write what was learned; rows are kept in 8 bits, as the index keeps them.

    Raises:
        OSError: the folder cannot be written.
    """
    # all are unit rows: what a row is scaled by is known without its scale
    centres, aside = (quantise(rows)[0] for rows in (learned.centres, learned.aside))
    np.savez_compressed(
        folder / FILE, encoder=np.array(encoder.digest), keys=np.array(learned.keys), centres=centres, aside=aside
    )


def _unit(rows: NDArray[np.int8]) -> NDArray[np.float32]:
    whole = rows.astype(np.float32)
    length = np.linalg.norm(whole, axis=1, keepdims=True)
    length[length == 0] = 1
    whole /= length
    return whole
