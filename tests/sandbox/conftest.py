"""A sandbox with a fresh state, and a small client that talks to it as the wire would."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from skill.catalog import open_catalog
from skill.sandbox import Sandbox
from skill.types import Reply, Request

BASE = "https://api.heroku.com"
ACCEPT = "application/vnd.heroku+json; version=3"


@dataclass
class Client:
    """Sends plain values and gives plain values back."""

    sandbox: Sandbox

    def send(self, method: str, path: str, body=None, **headers: str) -> Reply:
        """Send one request; `body` bytes go as they are."""
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        url = path if path.startswith("https://") else BASE + path
        return self.sandbox(Request(method, url, {"Accept": ACCEPT, **headers}, content))

    def __call__(self, method: str, path: str, body=None, status: int | None = None):
        """Send one request and give the body of its reply, which must be a success unless `status` says else."""
        reply = self.send(method, path, body)
        assert reply.status == status if status else 200 <= reply.status < 300, (reply.status, reply.body)
        return json.loads(reply.body)


@pytest.fixture(scope="session")
def catalog():
    return open_catalog()


@pytest.fixture(scope="session")
def first_state(catalog, tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("first") / "sandbox.json"
    Client(Sandbox(catalog, path))("GET", "/account")
    return path.read_bytes()


@pytest.fixture
def state(first_state, tmp_path) -> Path:
    path = tmp_path / "sandbox.json"
    path.write_bytes(first_state)
    return path


@pytest.fixture
def ask(catalog, state) -> Client:
    return Client(Sandbox(catalog, state))
