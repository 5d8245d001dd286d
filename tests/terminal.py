"""A terminal of its own for a command, as a person sees and types at it."""

import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Mapping, Sequence


class Terminal:
    """A command at a terminal of its own, read and typed to as a person would."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str]) -> None:
        self.shown = ""
        self._ours, theirs = pty.openpty()
        self.run = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=env, close_fds=True)
        os.close(theirs)

    def until(self, pattern: str, timeout_s: float = 20) -> re.Match[str]:
        """Read until a text is shown."""
        end = time.monotonic() + timeout_s
        while (found := re.search(pattern, self.shown)) is None:
            assert time.monotonic() < end, self.shown
            assert self._read(), self.shown
        return found

    def type(self, text: str) -> None:
        """Type a line."""
        os.write(self._ours, f"{text}\n".encode())

    def end(self) -> int:
        """Read to the end and give the exit code."""
        while self._read():
            pass
        os.close(self._ours)
        return self.run.wait(20)

    def _read(self) -> bool:
        if not select.select([self._ours], [], [], 20)[0]:
            return False
        try:
            content = os.read(self._ours, 65536)
        except OSError:
            return False
        self.shown += content.decode()
        return bool(content)
