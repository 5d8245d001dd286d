"""What a skill folder holds, from wherever this program runs: a checkout, a copied folder or an installed package."""

from collections.abc import Iterator
from pathlib import Path

from skill import places

PROGRAMS = ("scripts/set-up", "scripts/skill")
BESIDE = ("LICENSE", "NOTICE", "SKILL.md", "requirements/run.txt", *PROGRAMS)
# installers drop a file of this name from a skill
DROPPED = "metadata.json"


def contents() -> dict[str, Path]:
    """Give every file of the folder by its name there, in the order of the names.

    Raises:
        FileNotFoundError: this installation lacks a part.
    """
    package = places.PACKAGE
    # a wheel carries inside the package what a checkout has beside it
    home = package if (package / "SKILL.md").is_file() else package.parent
    carried = {name.split("/")[0] for name in (*BESIDE, "actions")} if home == package else set()
    found = {name: home / name for name in BESIDE}
    found |= {f"actions/{name}": path for name, path in _below(places.ACTIONS)}
    found |= {f"skill/{name}": path for name, path in _below(package) if name.split("/")[0] not in carried}
    missing = [name for name, path in found.items() if not path.is_file()]
    if missing:
        raise FileNotFoundError(f"this installation lacks {', '.join(missing)}")
    return dict(sorted(found.items()))


def mode(name: str) -> int:
    """Give the permissions of a file of the folder."""
    return 0o755 if name in PROGRAMS else 0o644


def _below(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        made = "__pycache__" in parts or path.suffix in {".pyc", ".pyo"}
        if path.is_file() and not made and path.name != DROPPED and not any(part.startswith(".") for part in parts):
            yield "/".join(parts), path
