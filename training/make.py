"""Make the shipped search anew, from the base's weights to what lies in skill/data: `scripts/train` starts this.

    python training/make.py [--work FOLDER] [--from STEP]

The steps are run one after the other; each is a command of its own and stops the rest where it fails. Models lie in the work
folder. What each step took, in seconds and MiB at most, is printed at the end.
"""

import argparse
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def steps(work: Path) -> dict[str, list[str]]:
    """Give the arguments of Python for each step, in their order."""
    wide, aligned, model = (str(work / name) for name in ("wide", "aligned", "model"))
    return {
        "vocabulary": ["training/vocabulary.py", "--out", wide],
        "align": ["training/align.py", "--model", wide, "--out", aligned],
        "train": ["training/train.py", "--model", aligned, "--out", model],
        "export": ["training/export_minilm.py", model],
        "learn": ["training/learn.py", model],
        "index": ["-m", "skill", "index", "build", "--out", "skill/data"],
        "calibrate": ["training/calibrate.py"],
        "golden": ["tests/golden/make_minilm_golden.py", model],
        "report": ["evals/report.py"],
    }


def run(command: list[str]) -> tuple[int, float, float]:
    """Run a command from the project's folder: how it ended, the seconds it took, and the most MiB it held."""
    begun = time.monotonic()
    child = os.posix_spawn(sys.executable, [sys.executable, *command], os.environ)
    _, status, used = os.wait4(child, 0)
    most = used.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return os.waitstatus_to_exitcode(status), time.monotonic() - begun, most


def main() -> None:
    """Run the steps, from the named one on."""
    names = list(steps(Path()))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=ROOT / "dist" / "training", help="where models lie; dist/training")
    parser.add_argument("--from", dest="first", choices=names, default=names[0], help="the step to begin with")
    given = parser.parse_args()
    work = given.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    os.chdir(ROOT)
    taken = []
    for name, command in list(steps(work).items())[names.index(given.first) :]:
        print(f"== {name}", flush=True)
        ended, seconds, most = run(command)
        taken.append(f"{name:<12}{seconds:>7.0f} s{most:>7.0f} MiB")
        if ended:
            print(f"{name} failed with exit {ended}; mend it, then run: scripts/train --work {work} --from {name}")
            sys.exit(1)
    print("\n".join(["== taken", *taken]))


if __name__ == "__main__":
    main()
