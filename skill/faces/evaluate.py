"""`eval`: how good the search is, on labelled intents."""

from pathlib import Path
from typing import Any

from skill import places
from skill.app import Skill
from skill.faces.printing import dump, note, wants_json
from skill.faults import BadInput

OWN = places.PACKAGE.parent / "evals"


def evaluate(skill: Skill, files: list[Path]) -> None:
    """Print the figures of a search over labelled intents.

    Raises:
        BadInput: there are no labels, or they cannot be read.
    """
    from skill.index.evaluate import measure, read_labels, report
    from skill.index.open import open_index
    from skill.index.ranking import mixture

    chosen = files or sorted(OWN.glob("*.jsonl"))
    if not chosen:
        raise BadInput("which labelled intents?", hint='eval FILE, one {"intent": "…", "keys": ["…"]} a line')
    outcomes = measure(read_labels(chosen), open_index(skill.catalog, note), mixture())
    found = report(outcomes, mixture())
    if wants_json(skill.options):
        dump(found)
        return
    _table("all", {"all": found["all"]})
    _table("kind", found["kinds"])
    _table("language", found["languages"])
    print("\nturned away, %: " + ", ".join(f"{name} {share}" for name, share in found["turned away"].items()))
    print("\nscore      n   said  right")
    for band in found["reliability"]:
        print(f"{band['score']:8}{band['n']:5}{band['said']:7}{band['right']:7}")
    print("\nmost often confused")
    for one in found["confusions"]:
        print(f"  {one['times']}x {one['wanted']} taken for {one['got']}")
    print(f"\none warm search: {found['warm ms']} ms")


def _table(title: str, rows: dict[str, Any]) -> None:
    names = list(next(iter(rows.values()), {}))
    print(f"\n{title:14}" + "".join(f"{name:>9}" for name in names))
    for name, row in rows.items():
        print(f"{name:14}" + "".join(f"{row[column]:>9}" for column in names))
