"""The state's file: one reader and writer at a time, over all processes."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from skill.places import write_whole

VERSION = 1


class Store:
    """The file that holds the state, and the lock beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock, so that what is read is still true when it is written."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # the lock has a file of its own: the state's file is replaced at every write
        with open(self.path.with_name(self.path.name + ".lock"), "a+b") as file:
            _lock(file)
            try:
                yield
            finally:
                _unlock(file)

    def load(self) -> tuple[dict[str, Any] | None, str]:
        """Read the state.

        Returns:
            The state, None where there is none yet, and a warning where a file was unreadable and has been set aside.
        """
        try:
            state = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return None, ""
        except (ValueError, RecursionError):
            return None, self._set_aside()
        whole = isinstance(state, dict) and state.get("version") == VERSION and isinstance(state.get("records"), dict)
        return (state, "") if whole else (None, self._set_aside())

    def save(self, state: dict[str, Any]) -> None:
        """Write the state; nobody but its owner may read it, since people try their own secrets out."""
        write_whole(self.path, json.dumps({**state, "version": VERSION}, separators=(",", ":")).encode(), mode=0o600)

    def clear(self) -> None:
        """Forget the state."""
        self.path.unlink(missing_ok=True)

    def _set_aside(self) -> str:
        broken = self.path.with_name(self.path.name + ".broken")
        os.replace(self.path, broken)
        return f"the sandbox's state could not be read; it was set aside as {broken}, and the sandbox starts anew"


if sys.platform == "win32":
    import msvcrt

    def _lock(file: BinaryIO) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)

    def _unlock(file: BinaryIO) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _lock(file: BinaryIO) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)

    def _unlock(file: BinaryIO) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
