"""Where things lie: what the package carries, and the user's own folders (XDG base directories, on every system)."""

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
DATA = PACKAGE / "data"
# a wheel carries the actions inside the package; a checkout has them beside it
ACTIONS = PACKAGE / "actions" if (PACKAGE / "actions").is_dir() else PACKAGE.parent / "actions"
NAME = "heroku-skill"


def cache() -> Path:
    """Folder for what can be made again: compiled catalogs and indexes."""
    return _base("XDG_CACHE_HOME", ".cache")


def state() -> Path:
    """Folder for what a run leaves behind: the sandbox's state, logs."""
    return _base("XDG_STATE_HOME", ".local/state")


def config() -> Path:
    """Folder for what the user sets: own actions, connections."""
    return _base("XDG_CONFIG_HOME", ".config")


def _base(variable: str, default: str) -> Path:
    given = os.environ.get(variable, "")
    return (Path(given) if os.path.isabs(given) else Path(os.path.expanduser("~")) / default) / NAME


def write_whole(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file so that a reader sees the old one or the whole new one, never a part.

    Raises:
        OSError: the folder cannot be made or written.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            file.write(content)
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
