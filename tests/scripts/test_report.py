"""The figures in the docs are those that were measured."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_tables_and_the_chart_are_fresh() -> None:
    """The tables of docs/search.md and its chart are made from evals/results.json, and changed with it."""
    done = subprocess.run([sys.executable, "evals/report.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_part_of_the_mixture_has_its_ablation() -> None:
    """For each part that counts in the shipped mixture it was measured what the search is without it."""
    rows = json.loads((ROOT / "evals" / "results.json").read_text(encoding="utf-8"))["rows"]
    mixture = json.loads((ROOT / "skill" / "data" / "ranking.json").read_text(encoding="utf-8"))
    for part in ("centre", "best", "words"):
        assert not mixture[part] or f"without {part}" in rows
    labels = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in (ROOT / "evals").glob("*.jsonl"))
    none = len((ROOT / "evals" / "none.jsonl").read_text(encoding="utf-8").splitlines())
    whole = rows["as shipped"]
    assert whole["English, all kinds"]["n"] + whole["other languages, all"]["n"] == labels - none
