"""One exchange over the network. The home of httpx."""

import os
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

from skill import __version__
from skill.faults import BadInput
from skill.types import Reply, Request
from skill.wire.exchange import ExchangeFailed

# httpx brings a command line of its own, whose imports (rich) cost half as much again; it does without where that is missing
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
import httpx  # noqa: E402

if sys.modules.get("httpx._main", httpx) is None:
    del sys.modules["httpx._main"]

CONNECT_S = 10.0
READ_S = 30.0
# how much longer than its limit an exchange may take to end by itself, with better words
GRACE_S = 0.2
LARGEST_REPLY = 256 * 1024 * 1024
USER_AGENT = f"heroku-skill/{__version__} ({sys.platform})"
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


def user_agent(client_name: str) -> str:
    """Name this program, and the agent that calls it, to the service."""
    return f"heroku-skill/{__version__} ({sys.platform}; {client_name})" if client_name else USER_AGENT


class Network:
    """Exchanges requests over HTTP/1.1 with kept connections; proxies and trust come from the user's environment."""

    def __init__(self, client: httpx.Client | None = None, agent: str = USER_AGENT) -> None:
        self._client = client or _client(agent)

    def __call__(self, request: Request) -> Reply:
        """Send a request once.

        Raises:
            ExchangeFailed: no reply came, with whether the request may have arrived.
        """
        at = _Progress(time.monotonic() + request.timeout_s)
        try:
            return self._in_time(request, at)
        except _NEVER_SENT as failed:
            raise ExchangeFailed(_words(failed), sent=False) from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as failed:
            raise ExchangeFailed(_words(failed), sent=not isinstance(failed, httpx.InvalidURL)) from None

    def close(self) -> None:
        """Close the kept connections."""
        self._client.close()

    def _in_time(self, request: Request, at: "_Progress") -> Reply:
        """Exchange beside this thread, since a name that is looked up, or a head that dribbles, heeds no limit."""
        outcomes: SimpleQueue[Reply | Exception] = SimpleQueue()

        def work() -> None:
            try:
                outcomes.put(self._exchange(request, at))
            except Exception as failed:  # noqa: BLE001 - it is raised where it is waited for
                outcomes.put(failed)

        threading.Thread(target=work, daemon=True).start()
        try:
            outcome = outcomes.get(timeout=max(at.deadline - time.monotonic(), 0) + GRACE_S)
        except Empty:
            if at.head is not None:
                return at.head._replace(body=b"".join(at.chunks), whole=False)
            raise ExchangeFailed("no reply came in time", sent=at.sent) from None
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _exchange(self, request: Request, at: "_Progress") -> Reply:
        limit = httpx.Timeout(min(READ_S, request.timeout_s), connect=min(CONNECT_S, request.timeout_s))
        with self._client.stream(
            request.method,
            request.url,
            headers=dict(request.headers),
            content=request.body,
            timeout=limit,
            extensions={"trace": at.trace},
        ) as response:
            names = dict.fromkeys(name.lower() for name in response.headers)
            headers = {name: "\n".join(response.headers.get_list(name)) for name in names}
            at.head = Reply(response.status_code, headers, b"", request.url)
            whole = True
            try:
                for chunk in _until(response, at.deadline):
                    at.chunks.append(chunk)
            except (httpx.HTTPError, httpx.StreamError):
                # the status has come: whether it was done is known, only the words about it are lost
                whole = False
            return at.head._replace(body=b"".join(at.chunks), whole=whole)


@dataclass(slots=True)
class _Progress:
    """How far an exchange has come; `deadline` in seconds of the monotonic clock."""

    deadline: float
    sent: bool = False
    head: Reply | None = None
    chunks: list[bytes] = field(default_factory=list)

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Take note when the request's own head is being sent; the one that opens a tunnel through a proxy is not it."""
        if event.endswith("send_request_headers.started") and getattr(info.get("request"), "method", b"") != b"CONNECT":
            self.sent = True


def _client(agent: str) -> httpx.Client:
    try:
        return httpx.Client(verify=_trust(), follow_redirects=False, headers={"User-Agent": agent})
    except (ValueError, ImportError, httpx.InvalidURL):
        # the address may hold a password, so it is not shown
        raise BadInput(
            "a proxy that the environment names cannot be used",
            code="bad_proxy",
            hint="HTTPS_PROXY, HTTP_PROXY or ALL_PROXY must be http://HOST:PORT; unset it to use none",
        ) from None


def _until(response: httpx.Response, deadline: float) -> Iterator[bytes]:
    size = 0
    for chunk in response.iter_bytes():
        size += len(chunk)
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("the reply took too long")
        if size > LARGEST_REPLY:
            raise httpx.ReadError("the reply is too large")
        yield chunk


def _trust() -> ssl.SSLContext:
    """Trust what the system trusts, or what SSL_CERT_FILE and SSL_CERT_DIR name; certifi's list where neither is there."""
    named = bool(os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR"))
    if sys.platform == "darwin" and not named:
        import truststore

        context: ssl.SSLContext = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return context
    context = ssl.create_default_context()
    paths = ssl.get_default_verify_paths()
    if not named and not paths.cafile and not paths.capath and sys.platform != "win32":
        import certifi

        context.load_verify_locations(certifi.where())
    return context


_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (httpx.ConnectTimeout, "the connection could not be made in time"),
    (httpx.PoolTimeout, "no connection was free in time"),
    (httpx.ProxyError, "the proxy refused the connection"),
    (httpx.ConnectError, "the connection could not be made"),
    (httpx.TimeoutException, "no reply came in time"),
    (httpx.RemoteProtocolError, "the connection ended in the middle of the reply"),
    (httpx.NetworkError, "the connection broke"),
)


def _words(failed: Exception) -> str:
    said = next((words for kind, words in _WORDS if isinstance(failed, kind)), "the exchange failed")
    detail = str(failed).strip()
    return f"{said} ({detail})" if detail and isinstance(failed, (httpx.ConnectError, httpx.ProxyError)) else said


make: Callable[[], Network] = Network
