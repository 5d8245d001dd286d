"""Measure the search over made-up catalogs: `scripts/bench --scale`.

Every size has its actions from one seed, is built by the shipped encoder, saved, and searched in a fresh process.
The search is exact: every row is compared. Most of the time goes into encoding, some six milliseconds an action.
"""

import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SIZES = (305, 1_000, 10_000, 100_000)
SEED = 23
WORDS = {
    "verb": "list get create update delete restart stop scale attach detach rotate archive restore copy move rename share lock",
    "side": "weekly nightly shared private public remote local frozen urgent spare hidden signed broken paid free old new global",
    "noun": "invoice parrot bridge ticket recipe camera garden letter engine planet ladder window sensor budget parcel tunnel"
    " harbour library orchard glacier compass lantern saddle thermometer violin bakery chimney turbine meadow beacon",
    "owner": "team shop school hotel clinic farm museum airline bank studio factory club court office theatre station",
}
QUERY = "give the harbour of the hotel a new signed ticket"
# run in a process of its own: what a search costs from nothing, and then again
CHILD = """
import json, re, sys, time
from pathlib import Path
begun = time.perf_counter()
sys.path.insert(0, sys.argv[1])
import skill.index
from skill import places
from skill.index.minilm import MiniLM
from skill.index.ranking import gather, mixture, rank
from skill.index.store import load
imported = time.perf_counter()
encoder, segment = MiniLM(places.DATA / "minilm"), load(Path(sys.argv[2]), None, None)
opened = time.perf_counter()
search = lambda: rank(gather([segment], sys.argv[3], encoder), mixture())
search()
first = time.perf_counter()
warm = []
for _ in range(20):
    start = time.perf_counter()
    search()
    warm.append(time.perf_counter() - start)
# what getrusage calls the most begins, after exec, with what the parent had
most = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())
print(json.dumps({"import": imported - begun, "open": opened - imported, "first": first - opened, "warm": sorted(warm)[10],
                  "memory": int(most[1]) / 1024}))
"""


def actions(count: int) -> Iterator[object]:
    """Make up actions, each named differently."""
    from skill.types import Action

    rng = random.Random(SEED)
    for number in range(count):
        verb, side, noun, owner = (rng.choice(words.split()) for words in WORDS.values())
        yield Action(
            key=f"{verb}-{noun}-{number}",
            title=f"{verb} {side} {noun} {number}",
            about=f"{verb.capitalize()} a {side} {noun} of the {owner}, number {number}.",
            service="made-up",
            resource=noun,
            method="GET",
            path=f"/{noun}/{number}",
            risk="read",
            input={"type": "object", "properties": {}},
            asks=(f"{verb} the {side} {noun} {number} for our {owner}",),
        )


def measure(sizes: tuple[int, ...] = SIZES) -> list[dict[str, float]]:
    """Build, save and search a catalog of each size; times in ms but for the build's seconds, sizes in MiB."""
    sys.path.insert(0, str(ROOT))
    from skill import places
    from skill.index.build import build
    from skill.index.minilm import MiniLM
    from skill.index.store import save

    encoder, rows = MiniLM(places.DATA / "minilm"), []
    for size in sizes:
        begun = time.perf_counter()
        segment = build(list(actions(size)), "made-up", encoder)
        spent = time.perf_counter() - begun
        with tempfile.TemporaryDirectory() as home:
            save(Path(home), segment)
            runs = [_searched(home) for _ in range(5)]
            whole = sum(path.stat().st_size for path in Path(home).iterdir())
        found = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
        rows.append(
            {
                "actions": size,
                "build_s": round(spent, 1),
                "file_mib": round(whole / 2**20, 1),
                **{f"{name}_ms": round(1000 * found[name], 1) for name in ("import", "open", "first", "warm")},
                "memory_mib": round(found["memory"], 1),
            }
        )
        print(f"{size} done", file=sys.stderr)
    return rows


def _searched(home: str) -> dict[str, float]:
    command = [sys.executable, "-c", CHILD, str(ROOT), home, QUERY]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def table(rows: list[dict[str, float]]) -> str:
    """Write the rows as a table of Markdown."""
    names = list(rows[0])
    lines = [f"| {' | '.join(names)} |", f"|{' --- |' * len(names)}"]
    return "\n".join([*lines, *(f"| {' | '.join(f'{row[name]:,}' for name in names)} |" for row in rows)])
