"""The app that a call is about when it does not say: named once, in the environment, or by the folder's git remote."""

import re
from collections.abc import Mapping
from pathlib import Path

from skill.children import cleaned

_REMOTE = re.compile(
    r"^(?:https://git\.heroku\.com/|git@heroku\.com:|ssh://git@heroku\.com/)([a-z][a-z0-9-]{1,28}[a-z0-9])(?:\.git)?$"
)


def known_app(named: str | None, environ: Mapping[str, str], folder: Path) -> tuple[str, str] | None:
    """Give the app and where it was found: `-a`, `HEROKU_APP`, or the one Heroku git remote of the folder.

    Returns:
        The app's name and its source, None where nothing names one, or several remotes name several.
    """
    if named:
        return named, "-a"
    if environ.get("HEROKU_APP"):
        return environ["HEROKU_APP"], "HEROKU_APP"
    apps = {match[1] for url in _remotes(folder, environ) if (match := _REMOTE.match(url))}
    return (apps.pop(), "the git remote of this folder") if len(apps) == 1 else None


def _remotes(folder: Path, environ: Mapping[str, str]) -> list[str]:
    if not any((above / ".git").exists() for above in (folder, *folder.parents)):
        return []
    import subprocess

    try:
        found = subprocess.run(
            ["git", "config", "--get-regexp", r"^remote\..*\.url$"],  # noqa: S607 - the user's own git
            cwd=folder,
            env=cleaned(environ),
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.split(" ", 1)[1].strip() for line in found.stdout.splitlines() if " " in line]
