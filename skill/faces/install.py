"""`install` and `uninstall`: this program as a skill folder where agents look for skills."""

import contextlib
import json
import os
from pathlib import Path
from shlex import quote
from typing import Any, NamedTuple

from skill import __version__, places
from skill.faces.folder import contents, mode
from skill.faces.printing import dump, note, wants_json
from skill.faults import BadInput
from skill.types import Options

# the first is read by most agents, the second by Claude Code
FOLDERS = (".agents/skills/heroku", ".claude/skills/heroku")
MARK = ".heroku-skill.json"
# the folders above ours that a fresh project lacks: `.agents` and `.agents/skills`
MOST_MADE = 2


class Mark(NamedTuple):
    """What we left in a folder: the files, by their names there, and how many folders above it were made for it."""

    files: tuple[str, ...]
    made: int


def install(options: Options, everywhere: bool, only_print: bool) -> None:
    """Copy the skill folder to where agents look.

    Raises:
        BadInput: something else lies there, or it cannot be written; in the first case nothing was changed.
    """
    files, folders = _contents(), _folders(everywhere)
    marks = {folder: _mark(folder) for folder in folders}
    for folder, mark in marks.items():
        if mark is None and os.path.lexists(folder):
            raise _not_ours(folder)
        strange = [name for name in (*files, MARK) if _inside(folder, name) is None]
        if strange:
            raise BadInput(f"{str(folder / strange[0])!r} leads out of its folder through a link", code="not_ours")
    if not only_print:
        for folder, mark in marks.items():
            _write(folder, files, mark)
    _say_installed(options, [str(folder) for folder in folders], len(files), only_print)


def uninstall(options: Options, everywhere: bool) -> None:
    """Remove what `install` wrote, and nothing else.

    Raises:
        BadInput: it cannot be removed.
    """
    removed, left = [], []
    for folder in _folders(everywhere):
        mark = _mark(folder)
        if mark is not None:
            _remove(folder, mark)
            removed.append(str(folder))
        if os.path.lexists(folder):
            left.append(str(folder))
    if wants_json(options):
        dump({"removed": [*removed], "left": [*left]})
    else:
        print("\n".join(f"removed {folder}" for folder in removed) or "nothing was installed here")
    for kept in left:
        note(f"left {kept}: it holds files that `install` did not write")
    if left:
        note("Installed with `npx skills add`? Then: npx skills remove heroku" + (" --global" if everywhere else ""))


def _contents() -> dict[str, Path]:
    try:
        return contents()
    except FileNotFoundError as missing:
        raise BadInput(
            str(missing), code="incomplete", hint="install it again: pip install --force-reinstall heroku-skill"
        ) from None


def _folders(everywhere: bool) -> list[Path]:
    base = Path.home() if everywhere else Path.cwd()
    # one of the two may be a link to the other
    unique = {os.path.realpath((base / name).parent): base / name for name in reversed(FOLDERS)}
    return sorted(unique.values())


def _mark(folder: Path) -> Mark | None:
    try:
        if folder.is_symlink():
            return None
        kept = json.loads((folder / MARK).read_bytes())
        files, made = kept["files"], kept["made"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not isinstance(files, list) or not all(isinstance(name, str) for name in files) or not isinstance(made, int):
        return None
    return Mark(tuple(files), min(max(made, 0), MOST_MADE))


def _inside(folder: Path, name: str) -> Path | None:
    """Give a file of the folder; none where the name leads out: a mark may have come with somebody's project."""
    if {"", ".", ".."} & set(name.split("/")) or "\0" in name:
        return None
    path, home = folder / name, os.path.realpath(folder)
    return path if os.path.commonpath([os.path.realpath(path.parent), home]) == home else None


def _not_ours(folder: Path) -> BadInput:
    return BadInput(
        f"{str(folder)!r} is there already, and `install` did not write it; nothing was changed",
        code="not_ours",
        hint=f"move it away, then install again: mv {quote(str(folder))} {quote(str(folder.parent.parent / 'heroku.before'))}",
    )


def _write(folder: Path, files: dict[str, Path], before: Mark | None) -> None:
    try:
        made = before.made if before else sum(not above.exists() for above in (folder.parent, folder.parent.parent))
        folder.mkdir(parents=True, exist_ok=True)
        # the mark goes first, so that a copy that was broken off can be installed over, or removed
        names = sorted({*files, *(before.files if before else ())})
        _write_mark(folder, names, made)
        for name, source in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            places.write_whole(folder / name, source.read_bytes(), mode(name))
        _unlink(folder, [name for name in names if name not in files])
        _write_mark(folder, list(files), made)
    except OSError as wrong:
        raise BadInput(f"{str(folder)!r} cannot be written: {wrong.strerror}", code="not_writable") from None


def _write_mark(folder: Path, names: list[str], made: int) -> None:
    mark = {"program": places.NAME, "version": __version__, "made": made, "files": names}
    places.write_whole(folder / MARK, json.dumps(mark, indent=1).encode() + b"\n")


def _remove(folder: Path, mark: Mark) -> None:
    try:
        _unlink(folder, [*mark.files, MARK])
    except OSError as wrong:
        raise BadInput(f"{str(folder)!r} cannot be removed: {wrong.strerror}", code="not_writable") from None
    with contextlib.suppress(OSError):
        for above in (folder, *list(folder.parents)[: mark.made]):
            above.rmdir()


def _unlink(folder: Path, names: list[str]) -> None:
    paths = [path for name in names if (path := _inside(folder, name))]
    for path in paths:
        if path.is_symlink() or path.is_file():
            path.unlink()
    inner = {above for path in paths for above in path.parents if folder in above.parents}
    for above in sorted(inner, reverse=True):
        # what is not empty holds something of the user's
        with contextlib.suppress(OSError):
            above.rmdir()


def _say_installed(options: Options, folders: list[str], count: int, only_print: bool) -> None:
    others = f"npx skills add {quote(folders[0])} --agent NAME"
    if wants_json(options):
        facts: dict[str, Any] = {"folders": folders, "files": count, "version": __version__, "otherAgents": others}
        dump({**facts, "dryRun": True} if only_print else facts)
        return
    for folder in folders:
        print(f"{'would write' if only_print else 'installed'} {folder} ({count} files)")
    note(f"Other agents: {others}")
