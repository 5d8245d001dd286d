"""A line on a terminal's stderr that says how far a long call has come."""

import sys
import time
from typing import Self

EVERY_S = 0.1
BAR = 24


class Progress:
    """Writes one line over and over, on a terminal alone, and takes it away at the end."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet or sys.stderr is None or not sys.stderr.isatty()
        self._shown_at = 0.0
        self._written = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def items(self, count: int) -> None:
        """Say how many items of a list have come."""
        self._write(f"{count} items…")

    def inputs(self, done: int, failed: int, total: int | None) -> None:
        """Say how many inputs are done, with a bar where it is known of how many."""
        if not total:
            self._write(f"{done} done, {failed} failed")
            return
        full = min(BAR, BAR * (done + failed) // total)
        self._write(f"[{'#' * full}{'.' * (BAR - full)}] {done + failed} of {total}, {failed} failed")

    def clear(self) -> None:
        """Take the line away, so that other words can be written."""
        if self._written:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._written = False

    def _write(self, words: str) -> None:
        now = time.monotonic()
        if self._quiet or now - self._shown_at < EVERY_S:
            return
        print(f"\r\x1b[K{words}", end="", file=sys.stderr, flush=True)
        self._shown_at, self._written = now, True
