"""A stand-in for ClawHub's registry: it takes what its client publishes, and gives it to install, as its own schema says."""

import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

VERSION = {"version": "0.1.0", "createdAt": 0, "changelog": ""}


@dataclass
class Registry:
    """What was uploaded, by its storage id, and the files of the published version, by their names."""

    url: str = ""
    stored: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    published: dict[str, Any] = field(default_factory=dict)


@contextmanager
def standing() -> Iterator[Registry]:
    """Run the stand-in."""
    registry = Registry()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"registry": registry}))
    server.daemon_threads = True
    registry.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    registry: Registry
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer what the client asks before it publishes, and when it installs."""
        path = urlsplit(self.path).path
        if path == "/api/v1/resolve":
            self._say({"match": None, "latestVersion": None})
        elif path == "/api/v1/whoami":
            self._say({"user": {"handle": "somebody"}})
        elif path == "/api/v1/skills/heroku":
            facts = {"slug": "heroku", "displayName": "Heroku", "tags": {}, "stats": {}, "createdAt": 0, "updatedAt": 0}
            self._say({"skill": facts, "latestVersion": VERSION, "owner": None, "moderation": None})
        elif path == "/api/v1/download":
            self._send(self._archive(), "application/zip")
        else:
            self._say({"error": path}, 404)

    def do_POST(self) -> None:
        """Take an upload, or the list of what was uploaded."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/api/v1/skills/-/upload-url":
            self._say({"uploadUrl": f"{self.registry.url}/store", "uploadTicket": "ticket"})
        elif self.path == "/store":
            name = hashlib.sha256(body).hexdigest()
            self.registry.stored[name] = body
            self._say({"storageId": name})
        elif self.path == "/api/v1/skills":
            self.registry.published = json.loads(body)
            self.registry.files = {
                one["path"]: self.registry.stored[one["storageId"]] for one in self.registry.published["files"]
            }
            self._say({"ok": True, "skillId": "s", "versionId": "v", "publicationStatus": "published"})
        else:
            self._say({"error": self.path}, 404)

    def _archive(self) -> bytes:
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in self.registry.files.items():
                archive.writestr(name, data)
        return held.getvalue()

    def _say(self, value: Any, status: int = 200) -> None:
        self._send(json.dumps(value).encode(), "application/json", status)

    def _send(self, body: bytes, kind: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
