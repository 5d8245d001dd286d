"""What the tests of sign-in stand on: no keychain of the developer's, and Heroku's identity server as a stand-in."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backends import fail

from skill import places
from tests.conftest import Cli, Outcome
from tests.identity import Identity, standing

KEYCHAINS = """
import json, os
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

class InAFile(KeyringBackend):
    priority = 1
    path = os.environ.get("TEST_KEYCHAIN", "")

    def _all(self):
        try:
            with open(self.path) as file:
                return json.load(file)
        except FileNotFoundError:
            return {}

    def get_password(self, service, username):
        return self._all().get(f"{service}/{username}")

    def set_password(self, service, username, password):
        with_it = {**self._all(), f"{service}/{username}": password}
        with open(self.path, "w") as file:
            json.dump(with_it, file)

    def delete_password(self, service, username):
        left = self._all()
        del left[f"{service}/{username}"]
        with open(self.path, "w") as file:
            json.dump(left, file)

class Locked(KeyringBackend):
    priority = 1

    def get_password(self, service, username):
        raise KeyringLocked("locked")

    def set_password(self, service, username, password):
        raise KeyringLocked("locked")

    delete_password = get_password
"""


@pytest.fixture(autouse=True)
def no_keychain(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take the keychain of this machine away, by keyring's own configuration."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    before = keyring.get_keyring()
    keyring.set_keyring(fail.Keyring())
    yield
    keyring.set_keyring(before)


@pytest.fixture
def identity(monkeypatch: pytest.MonkeyPatch) -> Iterator[Identity]:
    """The stand-in, in Heroku's place."""
    with standing() as identity:
        for name in ("HEROKU_HOST", "HEROKU_LOGIN_HOST", "SKILL_ID_HOST"):
            monkeypatch.setenv(name, identity.url)
        yield identity


@pytest.fixture
def signed_in(identity: Identity, cli: Cli) -> Callable[..., Outcome]:
    """Sign in with a token in hand."""

    def sign_in(*words: str, **facts: Any) -> Outcome:
        done = cli("login", "--token-stdin", *words, stdin=identity.issue(**facts).encode())
        assert done.code == 0, done.out
        return done

    return sign_in


@pytest.fixture
def store() -> Path:
    """The file where connections are kept."""
    return places.config() / "connections" / "connections.json"


@pytest.fixture
def keychain(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """Give the environment in which a fake keychain answers: InAFile or Locked."""
    (tmp_path / "fakes").mkdir()
    (tmp_path / "fakes" / "fake_keychains.py").write_text(KEYCHAINS)

    def choose(name: str) -> dict[str, str]:
        paths = f"{places.PACKAGE.parent}:{tmp_path / 'fakes'}"
        chosen = f"fake_keychains.{name}"
        return {"PYTHON_KEYRING_BACKEND": chosen, "PYTHONPATH": paths, "TEST_KEYCHAIN": str(tmp_path / "keychain.json")}

    return choose
