"""`scripts/train`: every step is there, and one that fails stops the rest and says how to go on."""

import os
import subprocess
import sys
from pathlib import Path
from runpy import run_path

ROOT = Path(__file__).resolve().parent.parent.parent
MAKE = ROOT / "training" / "make.py"


def test_every_step_is_a_program_of_the_project(tmp_path: Path) -> None:
    """Each step runs a file, or a module, that the project has; the first makes what the next takes."""
    steps = run_path(str(MAKE))["steps"](tmp_path)
    for command in steps.values():
        target = Path("skill" if command[0] == "-m" else command[0])
        assert (ROOT / target).exists(), command
    made = [steps[name][-1] for name in ("vocabulary", "align", "train")]
    assert [steps[name][2] for name in ("align", "train")] == made[:2]
    assert [steps[name][1] for name in ("export", "learn", "golden")] == [made[2]] * 3


def test_a_step_that_fails_stops_the_rest_and_says_how_to_go_on(tmp_path: Path) -> None:
    """Where a step fails the next does not run, and the command that goes on from there is printed: exit 1."""
    # no such model lies in the work folder
    command = [sys.executable, str(MAKE), "--work", str(tmp_path), "--from", "export"]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=False)
    assert done.returncode == 1
    assert f"scripts/train --work {tmp_path} --from export" in done.stdout
    assert "== learn" not in done.stdout
