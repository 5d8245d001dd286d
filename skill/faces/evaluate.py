"""`eval`: how good and how quick the search is, on labelled intents."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from skill import places
from skill.app import Skill
from skill.faces.printing import dump, note, wants_json
from skill.faults import BadInput

OWN = places.PACKAGE.parent / "evals"
# of the resources, those with the most to gain are shown; JSON has all
WORST, ENOUGH = 12, 5
COLD_RUNS = 3
_START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from skill.faces.cli import main; main()"


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
    labels = read_labels(chosen)
    outcomes = measure(labels, open_index(skill.catalog, note), mixture())
    resources = {one.key: one.resource for one in skill.catalog.actions()}
    found = {**report(outcomes, mixture(), resources), "cold ms": _cold(labels[0].intent) if labels else None}
    if wants_json(skill.options):
        dump(found)
    else:
        _print(found)


def _print(found: dict[str, Any]) -> None:
    _table("all", {"all": found["all"]})
    _table("kind", found["kinds"])
    _table("language", found["languages"])
    worst = sorted((row["R@1"], name) for name, row in found["resources"].items() if row["n"] >= ENOUGH)[:WORST]
    _table("resource, the worst", {name: found["resources"][name] for _, name in worst})
    print("\nturned away, %: " + ", ".join(f"{name} {share}" for name, share in found["turned away"].items()))
    print("\nscore      n   said  right")
    for band in found["reliability"]:
        print(f"{band['score']:8}{band['n']:5}{band['said']:7}{band['right']:7}")
    print("\nmost often confused")
    for one in found["confusions"]:
        print(f"  {one['times']}x {one['wanted']} taken for {one['got']}")
    print(f"\none search: {found['warm ms']} ms in a running process, {found['cold ms']} ms as a process of its own")


def _cold(intent: str) -> float:
    """Give the least wall time, in ms, of `action list --intent` as a fresh process."""
    command = [sys.executable, "-c", _START, str(places.PACKAGE.parent), "action", "list", "--json", "--intent", intent]
    spent = []
    for _ in range(COLD_RUNS):
        begun = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, check=False)  # noqa: S603
        spent.append(time.perf_counter() - begun)
    return round(1000 * min(spent), 1)


def _table(title: str, rows: dict[str, Any]) -> None:
    if not rows:
        return
    width = max(14, *(len(name) + 2 for name in [title, *rows]))
    names = list(next(iter(rows.values())))
    print(f"\n{title:{width}}" + "".join(f"{name:>9}" for name in names))
    for name, row in rows.items():
        print(f"{name:{width}}" + "".join(f"{row[column]:>9}" for column in names))
