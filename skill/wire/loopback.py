"""Where a browser of this machine brings the answer of a sign-in."""

import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PAGE = """<!doctype html><meta charset="utf-8"><title>heroku-skill</title><p>{}</p>"""
DONE = "You can close this window and go back."
ODD = "This answer belongs to another sign-in. Go back and open the newest address."
SLOWEST_S = 5.0


class Loopback:
    """Listens on one port of this machine, for this machine alone.

    Raises:
        OSError: the port is taken.
    """

    def __init__(self, port: int, path: str) -> None:
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.path = path

    def wait(self, state: str, until: float) -> Mapping[str, str] | None:
        """Wait for the browser; an answer with another state is turned away.

        Args:
            until: the moment to stop waiting, of the monotonic clock.

        Returns:
            The answer's query, None where none came.
        """
        self._server.state = state
        while self._server.answer is None and (left := until - time.monotonic()) > 0:
            self._server.timeout = min(left, 1.0)
            self._server.handle_request()
        return self._server.answer

    def close(self) -> None:
        """Stop listening."""
        self._server.server_close()


class _Server(HTTPServer):
    # a second listener on the same port would be given another's answers
    allow_reuse_port = False
    path = "/"
    state = ""
    answer: Mapping[str, str] | None = None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a browser that went away."""


class _Handler(BaseHTTPRequestHandler):
    timeout = SLOWEST_S
    server: _Server

    def do_GET(self) -> None:
        """Take the answer, or turn away what is none."""
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path != self.server.path:
            self._say(404, "There is nothing here.")
        elif query.get("state") != self.server.state:
            self._say(400, ODD)
        else:
            self.server.answer = query
            self._say(200, DONE)

    def _say(self, status: int, words: str) -> None:
        body = PAGE.format(words).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the code out of every log."""
