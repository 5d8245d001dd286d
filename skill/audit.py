"""A line for every write, before it is sent and after: an append-only JSONL file that many processes may write at once."""

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from skill import places

NAME = "audit.jsonl"


def path() -> Path:
    """Give the file's place."""
    return places.state() / NAME


def append(entry: dict[str, Any]) -> None:
    """Add one line, whole, or nothing.

    Raises:
        OSError: the file cannot be written.
    """
    line = json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass") + b"\n"
    where = path()
    where.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = os.open(where, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        with _locked(file):
            # a writer that was killed may have left half a line; it stays, closed off, and ours begins anew
            size = os.fstat(file).st_size
            if size and hasattr(os, "pread") and os.pread(file, 1, size - 1) != b"\n":
                line = b"\n" + line
            if os.write(file, line) < len(line):
                # the disk is full: half a line would be worse than none
                os.ftruncate(file, size)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(file)


def read() -> Iterator[dict[str, Any]]:
    """Give every entry, oldest first; half a line that a crash left is passed over."""
    try:
        with open(path(), encoding="utf-8", errors="replace") as file:
            for line in file:
                try:
                    entry = json.loads(line)
                except ValueError:
                    continue
                if isinstance(entry, dict):
                    yield entry
    except FileNotFoundError:
        return


@contextmanager
def _locked(file: int) -> Iterator[None]:
    try:
        import fcntl
    except ImportError:  # Windows: an append of one line is what there is
        yield
        return
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)
