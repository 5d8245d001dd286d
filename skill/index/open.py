"""Open the index of a catalog: the shipped one, one of the cache, or one built on the spot."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from skill import places
from skill.catalog import Catalog
from skill.catalog.catalog import Part
from skill.index.build import build
from skill.index.encoders import Encoder, open_encoder
from skill.index.learned import read_learned
from skill.index.store import Segment, load, save

LARGE = 300


class Index(NamedTuple):
    """One segment a folder of actions, and the encoder that made their vectors (None: words alone)."""

    segments: list[Segment]
    encoder: Encoder | None


def open_index(catalog: Catalog, note: Callable[[str], None]) -> Index:
    """Open the index of every part of a catalog, building what is missing or stale.

    Args:
        note: told once when search must do without vectors, and when a long build begins.
    """
    encoder = _encoder(note)
    return Index([open_segment(part, encoder, note) for part in catalog.parts], encoder)


def open_segment(part: Part, encoder: Encoder | None, note: Callable[[str], None]) -> Segment:
    """Open the index of one folder of actions, or build it into the cache."""
    wanted = encoder.digest if encoder else None
    for home in homes(part, encoder):
        found = load(home, part.digest, wanted)
        if found is not None:
            return found
    return build_segment(part, encoder, note)


def build_segment(
    part: Part,
    encoder: Encoder | None,
    note: Callable[[str], None],
    progress: Callable[[int, int], None] | None = None,
    home: Path | None = None,
) -> Segment:
    """Build the index of one folder and keep it, in the cache where no home is given."""
    actions = list(Catalog([part]).actions())
    target = home or homes(part, encoder)[-1]
    older = _older(part, encoder, target)
    if len(actions) >= LARGE and encoder is not None and progress is None and not older:
        note(f"note: the index of {part.source} is built anew, once")
    # what was learned holds for our own actions; another folder may use the same key for something else
    learned = read_learned(places.DATA, encoder) if part.source == places.ACTIONS else None
    segment = build(actions, part.digest, encoder, progress, older, learned)
    try:
        save(target, segment)
        _remember(part, target)
    except OSError:
        if home is not None:
            raise
        note("note: the cache cannot be written, so the index was built for this call only")
    return segment


def _older(part: Part, encoder: Encoder | None, target: Path) -> list[Segment]:
    """Open what was built of a folder before: the shipped index, the one in place, and the last one of the cache."""
    if encoder is None:
        return []
    pointer = _pointer(part)
    last = [Path(pointer.read_text(encoding="utf-8"))] if pointer.is_file() else []
    places_of = dict.fromkeys([*homes(part, encoder), target, *last])
    found = (load(home, None, encoder.digest) for home in places_of)
    return [segment for segment in found if segment is not None]


def _remember(part: Part, home: Path) -> None:
    places.write_whole(_pointer(part), str(home).encode())


def _pointer(part: Part) -> Path:
    return places.cache() / "indexes" / f"last-{crc32(str(part.source.resolve()).encode()):08x}"


def homes(part: Part, encoder: Encoder | None) -> list[Path]:
    """List where the index of a part may lie: shipped with ours, else in the cache."""
    cached = places.cache() / "indexes" / f"{part.digest}-{encoder.digest[:16] if encoder else 'words'}"
    return [places.DATA / "index", cached] if part.source == places.ACTIONS else [cached]


def chosen_model() -> str | None:
    """Give the model that `index build --model` chose, None for the shipped one."""
    try:
        model = json.loads((places.config() / "index.json").read_bytes()).get("model")
    except (OSError, ValueError, AttributeError):
        return None
    return model if isinstance(model, str) else None


def choose_model(model: str | None) -> None:
    """Keep which model searches from now on; None is the shipped one."""
    places.write_whole(places.config() / "index.json", json.dumps({"model": model}).encode())


def _encoder(note: Callable[[str], None]) -> Encoder | None:
    from skill.index.minilm import EncoderUnavailable

    try:
        return open_encoder(chosen_model())
    except EncoderUnavailable as missing:
        note(f"note: searching by words alone: {missing}")
        return None


def stale(parts: Sequence[Part], encoder: Encoder | None) -> list[Part]:
    """List the parts whose index is missing or out of date."""
    wanted = encoder.digest if encoder else None
    return [part for part in parts if all(load(home, part.digest, wanted) is None for home in homes(part, encoder))]
