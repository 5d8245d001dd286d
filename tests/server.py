"""A small HTTP server over a real socket: it plays a script, one part a request, and writes down what it saw."""

import json
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

How = Literal["reply", "cut", "dribble", "dribble head", "reset unread", "reset read", "hang"]
PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the script: a reply, or what befalls the connection in its place."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    how: How = "reply"


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it came over the socket; `headers` with lower-case names."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body read as JSON."""
        return json.loads(self.body)


def answer(value: Any = None, status: int = 200, how: How = "reply", **headers: str) -> Part:
    """Make a part that answers JSON; `next_range="x"` is the header Next-Range."""
    named = tuple((name.replace("_", "-").title(), text) for name, text in headers.items())
    return Part(status, b"" if value is None else json.dumps(value).encode(), (("Content-Type", "application/json"), *named), how)


def text(body: str, status: int = 200, kind: str = "text/html; charset=utf-8") -> Part:
    """Make a part that answers something other than JSON, or what only says that it is JSON."""
    return Part(status, body.encode(), (("Content-Type", kind),))


RESET_UNREAD = Part(how="reset unread")
RESET_READ = Part(how="reset read")
HANG = Part(how="hang")


class Server:
    """Plays parts in order, each once; `rest` answers every request beyond the script."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.connections = 0
        self.left: deque[Part] = deque()
        self.rest = Part(599)
        self._over = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._listen, daemon=True)]
        self._threads[0].start()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._socket.getsockname()[1])

    @property
    def url(self) -> str:
        """Its origin."""
        return f"http://127.0.0.1:{self.port}"

    def play(self, *parts: Part) -> None:
        """Add parts to the script."""
        self.left.extend(parts)

    def wait_seen(self, count: int = 1, timeout_s: float = 20) -> None:
        """Wait until so many requests have come."""
        until = time.monotonic() + timeout_s
        while len(self.seen) < count and time.monotonic() < until:
            time.sleep(0.01)

    def close(self) -> None:
        """Let go of whatever hangs and stop."""
        self._over.set()
        # a blocked accept is woken by a connection, not by closing its socket
        socket.create_connection(("127.0.0.1", self.port)).close()
        for thread in self._threads:
            thread.join(5)
        self._socket.close()

    def _listen(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            if self._over.is_set():
                connection.close()
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            if (self.left[0] if self.left else self.rest).how == "reset unread":
                self._next()
                # wait for the first bytes without taking them, so that the client has begun to send
                connection.recv(1, socket.MSG_PEEK)
                _reset(connection)
                return
            request = _read(connection)
            if request is None:
                return
            self.seen.append(request)
            part = self._next()
            try:
                self._act(connection, part, with_body=request.method != "HEAD")
            except OSError:
                return  # the client has gone

    def _next(self) -> Part:
        return self.left.popleft() if self.left else self.rest

    def _act(self, connection: socket.socket, part: Part, *, with_body: bool) -> None:
        if part.how == "hang":
            self._over.wait()
        elif part.how == "reset read":
            _reset(connection)
        else:
            head, body = _head(part), part.body if with_body else b""
            slowly = {"dribble": (b"", head, body), "dribble head": (head, b"", body)}.get(part.how)
            if slowly is None:
                connection.sendall(head + (body[: len(body) // 2] if part.how == "cut" else body))
                return
            if slowly[1]:
                connection.sendall(slowly[1])
            self._dribble(connection.sendall, slowly[0] + slowly[2])

    def _dribble(self, send: Callable[[bytes], None], content: bytes) -> None:
        for place in range(len(content)):
            if self._over.wait(PAUSE_S):
                return
            send(content[place : place + 1])


def _head(part: Part) -> bytes:
    lines = [f"HTTP/1.1 {part.status} Said", f"Content-Length: {len(part.body)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in part.headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _read(connection: socket.socket) -> Seen | None:
    content = b""
    while b"\r\n\r\n" not in content:
        chunk = connection.recv(65536)
        if not chunk:
            return None
        content += chunk
    head, _, body = content.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65536)
    method, path, _ = first.split(" ", 2)
    return Seen(method, path, headers, body)


def _reset(connection: socket.socket) -> None:
    # closing with data pending and no lingering sends RST, as a machine that dies does
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
