"""The journal of `--each --resume`: which inputs are begun and done, so that an interrupted run can go on."""

import json
import os
import secrets
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from skill.faults import BadInput
from skill.types import Json

VERSION = 1
# an input that was begun and not ended may have been done: it is never begun again
_OVER = frozenset({"done", "unknown", "begun"})


@dataclass(slots=True)
class Journal:
    """Notes outcomes by a salted digest of the input, so that no input can be read from it; without a path it notes nothing.

    `over` are the inputs of earlier runs that are not to be begun again, and how each ended.
    """

    path: Path | None
    over: dict[str, str] = field(default_factory=dict)
    _salt: str = ""
    _times: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _file: int = -1

    def open(self) -> "Journal":
        """Read what is there, and open it for more, for this process alone.

        Raises:
            BadInput: it cannot be read or written, is no journal, or another run has it open.
        """
        if self.path is None:
            return self
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            _claim(self._file)
            text = self.path.read_bytes()
            if text:
                self._read(text)
            else:
                self._salt = secrets.token_hex(16)
                self._write({"skillJournal": VERSION, "salt": self._salt})
        except BlockingIOError:
            raise _wrong(self.path, "another run has it open") from None
        except OSError as wrong:
            raise _wrong(self.path, wrong.strerror or "cannot be opened") from None
        return self

    def mark(self, word: str, given: Mapping[str, Json]) -> str:
        """Name an input: by what it holds, and the how-manieth of its like it is, wherever it stands among the others."""
        if self.path is None:
            return ""
        text = json.dumps([self._salt, word, given], sort_keys=True).encode("utf-8", "surrogatepass")
        name = sha256(text).hexdigest()[:32]
        self._times[name] += 1
        return f"{name}-{self._times[name]}"

    def add(self, mark: str, outcome: str) -> None:
        """Note an outcome at once: whatever ends the program after this does not lose it."""
        if self.path is not None:
            with self._lock:
                self._write({"mark": mark, "outcome": outcome})

    def close(self) -> None:
        """Let others have it."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _read(self, content: bytes) -> None:
        lines = content.decode("utf-8", "replace").splitlines()
        try:
            head = json.loads(lines[0])
            self._salt = str({VERSION: head}[head["skillJournal"]]["salt"])
        except (ValueError, KeyError, TypeError):
            # it is somebody's file, perhaps the inputs themselves
            raise _wrong(self.path, "is no journal") from None
        for line in lines[1:]:
            try:
                entry = json.loads(line)
                self.over[entry["mark"]] = entry["outcome"]
            except (ValueError, KeyError, TypeError):
                continue
        self.over = {mark: outcome for mark, outcome in self.over.items() if outcome in _OVER}
        if not content.endswith(b"\n"):
            os.write(self._file, b"\n")

    def _write(self, entry: Mapping[str, Json]) -> None:
        os.write(self._file, json.dumps(entry).encode() + b"\n")


def _claim(file: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: two runs with one journal are the caller's to avoid
        return
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _wrong(path: Path | None, why: str) -> BadInput:
    return BadInput(f"--resume {str(path)!r}: {why}", hint="name a file for the journal, new or of an earlier run")
