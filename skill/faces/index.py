"""`index build` and `index status`."""

import sys
from pathlib import Path
from typing import Any

from skill import places
from skill.app import Skill
from skill.catalog.catalog import compile_part
from skill.faces.printing import dump, note, wants_json


def build(skill: Skill, model: str | None, out: str | None) -> None:
    """Build the index of every folder of actions anew, and keep the model that searches from now on.

    Raises:
        BadInput: the model cannot be loaded.
    """
    from skill.index.encoders import open_encoder
    from skill.index.open import build_segment, choose_model

    encoder = open_encoder(model)
    catalog = skill.catalog
    for part in catalog.parts:
        home = Path(out) / "index" if out and part.source == places.ACTIONS else None
        if home is not None:
            compile_part(part.source, part.digest, home.parent / "catalog")
        build_segment(part, encoder, note, _progress, home)
    if out is None:
        choose_model(model)
    _say(skill, {"model": encoder.name, "dimensions": encoder.dimensions, "actions": len(catalog), "digest": catalog.digest})


def status(skill: Skill) -> None:
    """Print what searches, and which folders' indexes are stale."""
    from skill.index.encoders import open_encoder
    from skill.index.minilm import EncoderUnavailable
    from skill.index.open import chosen_model, stale

    try:
        encoder = open_encoder(chosen_model())
    except EncoderUnavailable as missing:
        note(f"warning: {missing}")
        encoder = None
    old = stale(skill.catalog.parts, encoder)
    _say(
        skill,
        {
            "model": encoder.name if encoder else None,
            "modelDigest": encoder.digest[:16] if encoder else None,
            "dimensions": encoder.dimensions if encoder else 0,
            "actions": len(skill.catalog),
            "digest": skill.catalog.digest,
            "folders": [
                {"folder": str(part.source), "actions": len(part.summaries), "stale": part in old} for part in skill.catalog.parts
            ],
        },
    )


def _say(skill: Skill, facts: dict[str, Any]) -> None:
    if wants_json(skill.options):
        dump(facts)
        return
    for name, value in facts.items():
        if name != "folders":
            print(f"{name:12}{value}")
    for folder in facts.get("folders", []):
        print(f"{'stale' if folder['stale'] else 'fresh':12}{folder['folder']} ({folder['actions']} actions)")


def _progress(done: int, of: int) -> None:
    if sys.stderr.isatty():
        filled = 30 * done // max(of, 1)
        print(
            f"\r[{'#' * filled}{'.' * (30 - filled)}] {done}/{of} texts",
            end="\n" if done == of else "",
            file=sys.stderr,
            flush=True,
        )
