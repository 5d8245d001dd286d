"""A stand-in for Heroku's identity servers and the part of its API that a sign-in needs, over a real socket.

One server plays cli-auth, id and api at once, with the shapes that are known of them. The steps of a browser are done by
`browse`, which follows the links of the pages as a person would.
"""

import json
import re
import secrets
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

FULL = "HRKU-fullfullfullfullfullfullfullfullfullfullfull-_01"
CLIENT_ID, CLIENT_SECRET = "client-id-1", "client-secret-1"
LONG_POLL_S = 1.0
READS = {"read", "write", "read-protected", "write-protected"}


@dataclass
class Token:
    """A token as the service knows it."""

    email: str
    scope: tuple[str, ...] = ("global",)
    authorization: str = field(default_factory=lambda: secrets.token_hex(8))
    expires_at: float | None = None


@dataclass
class Identity:
    """What the stand-in knows, what it is told to do, and what it saw."""

    url: str = ""
    account: str = "me@example.com"
    tokens: dict[str, Token] = field(default_factory=lambda: {FULL: Token("me@example.com")})
    refresh_tokens: set[str] = field(default_factory=set)
    codes: set[str] = field(default_factory=set)
    logins: dict[str, dict[str, Any]] = field(default_factory=dict)
    clients: dict[str, str] = field(default_factory=lambda: {CLIENT_SECRET: CLIENT_ID})
    redirect: str = "http://localhost:57373/callback"
    lifetime_s: float = 28799
    clock_s: float = 0.0
    down: bool = False
    slow_s: float = 0.0
    odd: bool = False
    seen: list[tuple[str, str]] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)
    bodies: list[Any] = field(default_factory=list)
    refreshes: int = 0

    def count(self, method: str, path: str) -> int:
        """Count the requests of a method and path."""
        return self.seen.count((method, path))

    def issue(self, scope: tuple[str, ...] = ("global",), lifetime_s: float | None = None) -> str:
        """Make a token."""
        token = f"HRKU-{secrets.token_urlsafe(32)}"
        self.tokens[token] = Token(self.account, scope, expires_at=time.time() + lifetime_s if lifetime_s else None)
        return token


@contextmanager
def standing(**facts: Any) -> Iterator[Identity]:
    """Run the stand-in."""
    identity = Identity(**facts)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"identity": identity}))
    server.daemon_threads = True
    identity.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield identity
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def browse(url: str, link: str) -> tuple[int, str]:
    """Open a page as a person would, follow its link of a name, and every redirect after it.

    Returns:
        The status of the last page, and its address.
    """
    page = urllib.request.urlopen(url, timeout=10).read().decode()
    target = re.search(rf'href="([^"]+)">{link}<', page)
    assert target is not None, page
    following = target[1].replace("&amp;", "&")
    parts = urlsplit(url)
    address = following if "://" in following else f"{parts.scheme}://{parts.netloc}{following}"
    try:
        with urllib.request.urlopen(address, timeout=10) as last:
            return last.status, last.url
    except urllib.error.HTTPError as wrong:
        with wrong:
            return wrong.code, wrong.url
    except urllib.error.URLError:
        # nobody listens where the browser was sent: its address line still shows it
        return 0, _sent_to(address)


def _sent_to(address: str) -> str:
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    try:
        urllib.request.build_opener(Stay).open(address, timeout=10)
    except urllib.error.HTTPError as moved:
        with moved:
            return moved.headers["Location"]
    raise AssertionError(address)


class _Handler(BaseHTTPRequestHandler):
    identity: Identity

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def handle_one_request(self) -> None:
        """Handle one request, whatever its method."""
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def do_GET(self) -> None:
        self._do()

    def do_POST(self) -> None:
        self._do()

    def do_DELETE(self) -> None:
        self._do()

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Tell the time as the stand-in's clock has it."""
        return formatdate((timestamp or time.time()) + self.identity.clock_s, usegmt=True)

    def _do(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        parts = urlsplit(self.path)
        self.query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        kind = self.headers.get("Content-Type", "")
        if "json" in kind:
            self.sent = json.loads(body or b"null")
        else:
            self.sent = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        known = self.identity
        known.seen.append((self.command, parts.path))
        known.bodies.append(self.sent)
        known.agents.add(self.headers.get("User-Agent", ""))
        time.sleep(known.slow_s)
        if known.down:
            self._say(503, {"id": "unavailable", "message": "down"})
            return
        for pattern, name in _ROUTES:
            found = re.fullmatch(pattern, f"{self.command} {parts.path}")
            if found:
                getattr(self, name)(*found.groups())
                return
        self._say(404, {"id": "not_found", "message": f"no {parts.path}"})

    # cli-auth

    def _auth(self) -> None:
        name, token = secrets.token_hex(8), secrets.token_urlsafe(24)
        self.identity.logins[name] = {"token": token, "outcome": None}
        self._say(200, {"browser_url": f"/auth/browser/{name}", "cli_url": f"/auth/cli/{name}", "token": token})

    def _auth_page(self, name: str) -> None:
        self._page(f'<a href="/auth/decide/{name}?allow=1">Log In</a> <a href="/auth/decide/{name}">Deny</a>')

    def _auth_decide(self, name: str) -> None:
        allowed = "allow" in self.query
        outcome = {"access_token": self.identity.issue()} if allowed else {"error": "access_denied"}
        self.identity.logins[name]["outcome"] = outcome
        self._page("You can close this window")

    def _auth_cli(self, name: str) -> None:
        login = self.identity.logins.get(name)
        if login is None or self._bearer() != login["token"]:
            self._say(404, {"error": "not found"})
            return
        until = time.monotonic() + LONG_POLL_S
        while login["outcome"] is None and time.monotonic() < until:
            time.sleep(0.02)
        if login["outcome"] is None:
            self._say(503, None)
        else:
            self._say(200 if "access_token" in login["outcome"] else 401, login["outcome"])

    # id

    def _authorize(self) -> None:
        if self.query.get("client_id") not in self.identity.clients.values() or self.query.get("response_type") != "code":
            self._say(400, {"id": "bad_request", "message": "unknown client"})
            return
        kept = urlencode(self.query)
        self._page(f'<a href="/oauth/consent?{kept}&amp;allow=1">Allow Access</a> <a href="/oauth/consent?{kept}">Deny</a>')

    def _consent(self) -> None:
        state = self.query.get("state", "")
        if "allow" in self.query:
            code = secrets.token_urlsafe(16)
            self.identity.codes.add(code)
            answer = {"code": code, "state": state}
        else:
            answer = {"error": "access_denied", "state": state}
        self.send_response(302)
        self.send_header("Location", f"{self.identity.redirect}?{urlencode(answer)}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _token(self) -> None:
        known, sent = self.identity, self.sent
        if known.odd:
            self._page("Welcome! Sign in to use this network.")
        elif sent.get("client_secret") not in known.clients:
            self._say(401, {"id": "unauthorized", "message": "Unknown client"})
        elif sent.get("grant_type") == "authorization_code" and sent.get("code") in known.codes:
            known.codes.discard(sent["code"])
            refresh = secrets.token_urlsafe(32)
            known.refresh_tokens.add(refresh)
            self._say(200, self._granted(refresh))
        elif sent.get("grant_type") == "refresh_token" and sent.get("refresh_token") in known.refresh_tokens:
            known.refreshes += 1
            self._say(200, self._granted(sent["refresh_token"]))
        else:
            self._say(401, {"id": "unauthorized", "message": "The grant is not valid"})

    def _granted(self, refresh: str) -> dict[str, Any]:
        lasts = self.identity.lifetime_s
        facts = {"access_token": self.identity.issue(lifetime_s=lasts), "expires_in": lasts, "refresh_token": refresh}
        return {**facts, "token_type": "Bearer", "user_id": "u1", "session_nonce": None}

    # api

    def _limits(self) -> None:
        if self._signed():
            self._say(200, {"remaining": 4500})

    def _account(self) -> None:
        token = self._signed()
        if token and not {"global", "identity"} & set(token.scope):
            self._say(403, {"id": "forbidden", "message": "You do not have access to the account."})
        elif token:
            self._say(200, {"id": "01234567-89ab-cdef-0123-456789abcdef", "email": token.email})

    def _make_authorization(self) -> None:
        token = self._signed()
        if token and "global" not in token.scope:
            self._say(403, {"id": "forbidden", "message": "no"})
        elif token:
            lasts = self.sent.get("expires_in")
            made = self.identity.issue(tuple(self.sent["scope"]), lasts)
            name = self.identity.tokens[made].authorization
            access = {"id": "t1", "token": made, "expires_in": lasts}
            self._say(
                201, {"id": name, "scope": self.sent["scope"], "description": self.sent["description"], "access_token": access}
            )

    def _authorizations(self) -> None:
        if self._signed():
            listed = [{"id": one.authorization, "access_token": {"token": token}} for token, one in self.identity.tokens.items()]
            self._say(200, listed)

    def _revoke(self, name: str) -> None:
        token = self._signed()
        if token is None:
            return
        for value, one in list(self.identity.tokens.items()):
            if one.authorization == name and (token is one or "global" in token.scope):
                del self.identity.tokens[value]
                self._say(200, {"id": name})
                return
        self._say(403, {"id": "forbidden", "message": "no"})

    def _end_session(self) -> None:
        if self._signed():
            self._say(404, {"id": "not_found", "resource": "session", "message": "no session"})

    def _make_client(self) -> None:
        if self._signed():
            self.identity.clients["made-secret"] = "made-client"
            self._say(201, {"id": "made-client", "secret": "made-secret", **self.sent})

    def _app(self) -> None:
        if self._signed():
            self._say(200, {"id": "01234567-89ab-cdef-0123-456789abcdef", "name": "example"})

    def _make_app(self) -> None:
        if self._signed():
            self._say(201, {"id": "01234567-89ab-cdef-0123-456789abcdef", "name": self.sent["name"]})

    def _config_vars(self) -> None:
        token = self._signed()
        if token and not {"global", "read-protected", "write-protected"} & set(token.scope):
            self._say(403, {"id": "forbidden", "message": "You do not have access to the app example."})
        elif token:
            self._say(200, {"NAME": "value"})

    def _bearer(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def _signed(self) -> Token | None:
        token = self.identity.tokens.get(self._bearer())
        if token is None or (token.expires_at is not None and token.expires_at <= time.time()):
            self._say(401, {"id": "unauthorized", "message": "Invalid credentials provided."})
            return None
        return token

    def _page(self, content: str) -> None:
        self._send(200, "text/html", content.encode())

    def _say(self, status: int, value: Any) -> None:
        self._send(status, "application/json", b"" if value is None else json.dumps(value).encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


_ROUTES = (
    (r"POST /auth", "_auth"),
    (r"GET /auth/browser/(\w+)", "_auth_page"),
    (r"GET /auth/decide/(\w+)", "_auth_decide"),
    (r"GET /auth/cli/(\w+)", "_auth_cli"),
    (r"GET /oauth/authorize", "_authorize"),
    (r"GET /oauth/consent", "_consent"),
    (r"POST /oauth/token", "_token"),
    (r"GET /account/rate-limits", "_limits"),
    (r"GET /account", "_account"),
    (r"POST /oauth/authorizations", "_make_authorization"),
    (r"GET /oauth/authorizations", "_authorizations"),
    (r"DELETE /oauth/authorizations/(\w+)", "_revoke"),
    (r"DELETE /oauth/sessions/~", "_end_session"),
    (r"POST /oauth/clients", "_make_client"),
    (r"GET /apps/example", "_app"),
    (r"POST /apps", "_make_app"),
    (r"GET /apps/example/config-vars", "_config_vars"),
)
