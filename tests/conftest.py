"""What every test stands on: a home of its own, the catalog, and the command line in this process or in another."""

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from skill import places
from skill.catalog import Catalog, open_catalog
from tests.server import Server

ROOT = Path(__file__).resolve().parent.parent
TOKEN = "HRKU-AAtesttokentesttokentesttokentesttokentesttokentesttoken-_01"
_NOT_OURS = ("HEROKU_", "SKILL_", "XDG_", "SSL_CERT_", "PYTHONIOENCODING", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")

settings.register_profile("skill", deadline=None, database=None)
settings.load_profile("skill")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call of the command line left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The output read as JSON."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """Every line of the output read as JSON, in the order of their indexes where they have one."""
        read = [json.loads(line) for line in self.out.splitlines()]
        return sorted(read, key=lambda line: line["index"]) if read and "index" in read[0] else read

    @property
    def error(self) -> Any:
        """The error of the envelope."""
        return self.json["error"]


Cli = Callable[..., Outcome]


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache in which the package's own actions are compiled."""
    cache = tmp_path_factory.mktemp("compiled")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(cache))
        open_catalog()
    return cache


@pytest.fixture(scope="session")
def catalog(compiled: Path) -> Catalog:
    """The package's own actions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(compiled))
        return open_catalog()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiled: Path) -> Path:
    """A home, XDG folders and a working folder of the test's own, and an environment without our variables."""
    for name in os.environ:
        if name.upper().startswith(_NOT_OURS):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    (home / "here").mkdir(parents=True)
    shutil.copytree(compiled, home / "cache")
    monkeypatch.setenv("HOME", str(home))
    for name in ("cache", "state", "config", "data"):
        monkeypatch.setenv(f"XDG_{name.upper()}_HOME", str(home / name))
    monkeypatch.chdir(home / "here")
    return home


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A scripted server that stands where Heroku would, with a token for it; its whole script must be played."""
    server = Server()
    monkeypatch.setenv("HEROKU_HOST", server.url)
    monkeypatch.setenv("HEROKU_API_KEY", TOKEN)
    yield server
    server.close()
    assert not server.left, "parts of the script were never asked for"


@pytest.fixture
def cli() -> Cli:
    """Run the command line in this process."""
    from skill.faces import cli as command_line

    def run(*words: str, stdin: bytes | None = None) -> Outcome:
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
        before, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(stdin or b""), encoding="utf-8")
        try:
            with redirect_stdout(out), redirect_stderr(err):
                code = command_line.run(list(words))
        finally:
            sys.stdin = before
        return Outcome(code, *(_read(stream) for stream in (out, err)))

    return run


@pytest.fixture
def process() -> Cli:
    """Run the command line in a process of its own."""

    def run(*words: str, env: dict[str, str] | None = None, stdin: bytes = b"") -> Outcome:
        done = subprocess.run(command(words), input=stdin, capture_output=True, env=environment(env), timeout=60, check=False)
        return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture
def user_actions(tmp_path: Path) -> Callable[..., Path]:
    """Write a folder of a user's own action files: `service/file` and its text."""

    def write(files: dict[str, str]) -> Path:
        folder = tmp_path / "own"
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content, encoding="utf-8")
        return folder

    return write


def shown_on(terminal: int) -> str:
    """Read all that a program has written on a terminal, and close it."""
    content = b""
    try:
        while chunk := os.read(terminal, 65536):
            content += chunk
    except OSError:
        pass  # a terminal ends with an error where a pipe ends with nothing
    os.close(terminal)
    return content.decode()


def command(words: Sequence[str]) -> list[str]:
    """Give the command that runs the program with this Python."""
    return [sys.executable, "-m", "skill", *words]


def environment(more: dict[str, str] | None = None) -> dict[str, str]:
    """Give the environment of a process that finds the package from any folder."""
    return {**os.environ, "PYTHONPATH": str(places.PACKAGE.parent), **(more or {})}


def _read(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()
