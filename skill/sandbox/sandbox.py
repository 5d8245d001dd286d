"""The stand-in for the service: requests in, replies out, state kept in one file."""

import json
import uuid
import zlib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from skill.catalog import Catalog
from skill.sandbox.answer import Answer, answer
from skill.sandbox.intake import read
from skill.sandbox.match import Match, Matcher
from skill.sandbox.refusal import Refusal
from skill.sandbox.seed import begin
from skill.sandbox.store import Store
from skill.sandbox.world import World
from skill.types import Action, Json, Reply, Request

Faults = Mapping[str, tuple[int, Json]]


class Sandbox:
    """An `Exchange` that answers every action of a catalog by itself; it reads no credential and opens no socket."""

    def __init__(self, catalog: Catalog, state: Path, faults: Faults | None = None) -> None:
        """Answer from `catalog` and keep the state in the file `state`.

        Args:
            faults: `METHOD /path` → status and body of a reply that is given instead of an answer, for tests.
        """
        self.catalog = catalog
        self.faults = faults or {}
        self._store = Store(state)
        self._matcher: Matcher | None = None

    def __call__(self, request: Request) -> Reply:
        """Answer one request."""
        if request.method == "HEAD":
            asked = self(Request("GET", request.url, request.headers, request.body, request.timeout_s))
            return Reply(asked.status, asked.headers, b"", asked.url)
        parts = urlsplit(request.url)
        fault = self.faults.get(f"{request.method} {parts.path}")
        if fault is not None:
            return _reply(request, Answer(*fault))
        try:
            return _reply(request, *self._answer(request, self._matches(request.method, parts.netloc, parts.path)))
        except Refusal as refusal:
            return _reply(request, Answer(refusal.status, refusal.body))

    def reset(self) -> None:
        """Forget everything, so that the next request finds the sandbox as it was at first."""
        with self._store.held():
            self._store.clear()

    def _matches(self, method: str, host: str, path: str) -> list[tuple[Match, Action]]:
        if self._matcher is None:
            self._matcher = Matcher(self.catalog)
        found = self._matcher.matches(method, host, path)
        if not found:
            raise Refusal(404, "not_found", "There is nothing at that address, or not with that method.")
        return [(match, self.catalog.action(match.key)) for match in found]

    def _answer(self, request: Request, matches: list[tuple[Match, Action]]) -> tuple[Answer, str]:
        asked = read(request, matches, self.catalog.services[matches[0][1].service])
        with self._store.held():
            world, warning = self._world()
            done = answer(world, asked)
            if world.changed:
                self._store.save(world.state)
        return done, warning

    def _world(self) -> tuple[World, str]:
        state, warning = self._store.load()
        if state is not None and state.get("digest") == self.catalog.digest:
            return World(self.catalog, state), warning
        world = begin(self.catalog, state)
        # kept at once: a refusal must not lose what the next request counts on
        self._store.save(world.state)
        world.changed = False
        return world, warning


def _reply(request: Request, done: Answer, warning: str = "") -> Reply:
    body = json.dumps(done.body, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {
        "content-type": "application/json;charset=utf-8",
        "request-id": str(uuid.uuid4()),
        "ratelimit-remaining": "4500",
        "etag": f'"{zlib.crc32(body):08x}"',
        **done.headers,
        **({"warning-message": warning} if warning else {}),
    }
    known = next((value for name, value in request.headers.items() if name.lower() == "if-none-match"), "")
    if request.method == "GET" and done.status == 200 and known == headers["etag"]:
        return Reply(304, headers, b"", request.url)
    return Reply(done.status, headers, body, request.url)
