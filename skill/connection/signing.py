"""Sign a connection in: begin in one process, finish in the same or another, and keep what was granted."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from skill.connection import browser, oauth, probe, scoped
from skill.connection.calls import words_of
from skill.connection.grant import Grant
from skill.connection.setting import Setting
from skill.connection.store import Book, Entry, no_such
from skill.faults import BadInput, Fault, NotSignedIn, Refused, TryLater
from skill.types import Credential, Service

LIFETIME_S = {"browser": browser.LIFETIME_S, "client": oauth.LIFETIME_S}
# an answer that was not the right one leaves the sign-in open for the right one
STAYS_OPEN = frozenset({"wrong_state", "bad_input"})
PAUSE_S = 0.3


def begin(
    setting: Setting, service: Service, entry: Entry, scope: Sequence[str] = (), life_s: int | None = None, way: str = ""
) -> Entry:
    """Begin a sign-in, or go on with one that was begun and is still open.

    Args:
        scope: what it may do, empty for everything.
        life_s: how long a narrower token lives in seconds, None for ever.
        way: browser or client; empty takes the user's own client where there is one.

    Raises:
        Fault: it cannot begin.
    """
    if service.name != "heroku":
        raise _no_browser(service)
    client = setting.client(service, setting.store.read()) if way != "browser" else None
    if way == "client" and client is None:
        hint = f"set {oauth.CLIENT_ID} and {oauth.CLIENT_SECRET}, or register one: login --create-client"
        raise BadInput("there is no OAuth client of your own", code="no_client", hint=hint)
    way = "client" if client else "browser"
    wish = {"way": way, "scope": list(scope), "life_s": life_s}
    if is_open(entry) and entry.pending and all(entry.pending.get(name) == value for name, value in wish.items()):
        return entry
    more = {}
    if client:
        pending, secret = oauth.start(service, setting.environ, client, tuple(scope) or ("global",))
        more = {"client_secret": client.secret}
        pending["redirect"] = client.redirect
    else:
        pending, secret = browser.start(service, setting.environ, setting.ask())
    with setting.store.edit() as book:
        kept = book.named(entry.id) or entry
        kept.pending, kept.error = {**pending, **wish}, None
        setting.store.hide(kept, {**_secrets(setting, kept), **more, "pending": secret})
    return kept


def is_open(entry: Entry) -> bool:
    """Tell whether a sign-in was begun and may still be finished."""
    begun = entry.pending
    return bool(begun) and time.time() - begun["began_at"] < LIFETIME_S[begun["way"]] if begun else False


def advance(setting: Setting, service: Service, entry: Entry, until: float, answer: str | None = None) -> bool:
    """Go on with a sign-in: take the answer, or wait for it.

    Args:
        until: the moment to stop waiting, of the monotonic clock.
        answer: what a person pasted, None to wait for the browser.

    Returns:
        Whether it is finished.

    Raises:
        Fault: it was refused; the connection remembers why.
    """
    if not entry.pending:
        return False
    try:
        secrets = setting.store.secrets(entry)
        grant = _grant(setting, service, entry.pending, secrets, until, answer)
        if grant is not None:
            settle(setting, service, entry, grant, secrets)
    except TryLater:
        raise
    except Fault as fault:
        if fault.code not in STAYS_OPEN and not fault.code.startswith(("store_", "keychain_")):
            _fail(setting, entry, fault)
        raise
    return grant is not None


def _grant(
    setting: Setting, service: Service, pending: Mapping[str, Any], secrets: Mapping[str, str], until: float, answer: str | None
) -> Grant | None:
    state = secrets.get("pending", "")
    if pending["way"] == "browser":
        return browser.poll(service, pending, state, setting.ask(), until)
    client = oauth.Client("", secrets.get("client_secret", ""), pending["redirect"])
    if answer is not None:
        code = oauth.code_in(answer, state)
    else:
        brought = _brought(setting, client, state, until)
        if brought is None:
            return None
        code = oauth.code_of(brought, state)
    grant = oauth.exchange(service, setting.environ, client, code, setting.ask())
    return replace(grant, scope=tuple(pending["scope"]) or ("global",))


def _brought(setting: Setting, client: oauth.Client, state: str, until: float) -> Mapping[str, str] | None:
    try:
        listener = setting.listen(client.port, urlsplit(client.redirect).path or "/") if client.port else None
    except OSError:
        listener = None
    if listener is None:
        # taken, or another machine's: the answer may still be pasted in another process
        time.sleep(max(0.0, min(PAUSE_S, until - time.monotonic())))
        return None
    try:
        return listener.wait(state, until)
    finally:
        listener.close()


def settle(setting: Setting, service: Service, entry: Entry, grant: Grant, secrets: Mapping[str, str] | None = None) -> Entry:
    """Keep what a sign-in granted; of a full token that was only a means to a narrower one, nothing is kept.

    Raises:
        Fault: the service does not accept it, or the narrower one cannot be made.
    """
    pending = entry.pending or {}
    kind = {"browser": "browser", "client": "oauth"}.get(str(pending.get("way")), "token")
    if kind == "browser" and pending.get("scope"):
        grant, kind = narrowed(setting, service, grant, pending["scope"], pending["life_s"]), "scoped"
    more = {"client_secret": (secrets or {}).get("client_secret", "")} if grant.refresh else {}
    return keep(setting, service, entry, grant, kind, more)


def narrowed(setting: Setting, service: Service, grant: Grant, scope: Sequence[str], life_s: int | None) -> Grant:
    """Exchange a token that was made for this alone, and end it.

    Raises:
        Fault: the narrower one cannot be made.
    """
    base, ask = setting.base(service), setting.ask()
    made = scoped.create(service, base, grant.token, scope, life_s, ask)
    try:
        scoped.end_session(service, base, grant.token, ask)
    except TryLater:
        # it was never kept, so it is lost, and ends by itself
        return made
    return made


def keep(
    setting: Setting, service: Service, entry: Entry, grant: Grant, kind: str, more: Mapping[str, str] | None = None
) -> Entry:
    """Keep a granted token with its connection, and make that the one its service uses.

    Raises:
        NotSignedIn: the service does not accept the token.
    """
    signed = prove(setting, service, grant.token)
    account = probe.account(service, setting.base(service), signed, setting.ask()).get("email", "")
    with setting.store.edit() as book:
        kept = _merged(book, book.named(entry.id) or _readded(book, entry), account, kind, grant)
        kept.kind, kept.account, kept.scope = kind, account or kept.account, list(grant.scope)
        kept.expires_at, kept.authorization = grant.expires_at, grant.authorization
        kept.problem, kept.error, kept.pending = "", None, None
        if kept.name == kept.key and account and book.named(account) is None:
            kept.name = account
        refresh = {"refresh": grant.refresh} if grant.refresh else {}
        setting.store.hide(kept, {"token": grant.token, **refresh, **(more or {})})
        book.default[service.name] = kept.id
    return kept


def prove(setting: Setting, service: Service, token: str) -> Credential:
    """See that a service accepts a token.

    Raises:
        NotSignedIn: it does not.
    """
    signed = Credential(service.name, "the sign-in", token)
    reply = probe.probe(service, setting.base(service), signed, setting.ask())
    if reply is not None and reply.status == 401:
        raise NotSignedIn(f"{service.title} does not accept the token: {words_of(reply)}", code="unauthorized", http_status=401)
    return signed


def finish(setting: Setting, answer: str | None, named: str | None, wait_s: float) -> Entry:
    """Finish the sign-in that was begun last, or that of a named connection.

    Args:
        answer: the code or address that a person pasted; the browser sign-in needs none.
        wait_s: how long to wait for the browser sign-in, in seconds.

    Raises:
        NotSignedIn: there is none, or it was refused.
        TryLater: nobody has finished it in the browser yet.
    """
    book = setting.store.read()
    if named is not None and book.named(named) is None:
        raise no_such(named)
    begun = [one for one in book.entries if one.pending and (named is None or one is book.named(named))]
    if not begun:
        raise NotSignedIn("no sign-in was begun, or it is finished already", code="no_sign_in", hint="start one: login")
    begun.sort(key=lambda one: (one.pending or {})["began_at"], reverse=True)
    entry = next((one for one in begun if answer and oauth.belongs(answer, _secrets(setting, one).get("pending", ""))), begun[0])
    service = setting.services[entry.service]
    if answer is None and (entry.pending or {})["way"] == "client":
        raise BadInput("the code is missing", hint="login complete CODE, or the whole address that the browser ended at")
    if not advance(setting, service, entry, time.monotonic() + wait_s, answer):
        hint = "finish it in the browser first, then run this again"
        raise TryLater("nobody has finished the sign-in in the browser yet", code="wait_ran_out", hint=hint)
    return setting.entry(entry.id) or entry


def _merged(book: Book, entry: Entry, account: str, kind: str, grant: Grant) -> Entry:
    """Give the connection that the same account has already in the same way; what was new is its other name from then on."""
    if entry.kind or entry.name != entry.key or not account:
        return entry
    for older in book.of(entry.service):
        if older is not entry and (older.account, older.kind, older.scope) == (account, kind, list(grant.scope)):
            older.aliases += [entry.id, entry.key]
            book.entries.remove(entry)
            return older
    return entry


def _readded(book: Book, entry: Entry) -> Entry:
    book.entries.append(entry)
    return entry


def _fail(setting: Setting, entry: Entry, fault: Fault) -> None:
    with setting.store.edit() as book:
        kept = book.named(entry.id)
        if kept is not None:
            kept.pending = None
            # a sign-in that nobody finished in time is simply begun again
            kept.error = None if fault.code == "sign_in_expired" else fault.as_json()


def _secrets(setting: Setting, entry: Entry) -> dict[str, str]:
    try:
        return setting.store.secrets(entry)
    except NotSignedIn:
        return {}


def _no_browser(service: Service) -> Refused:
    variable = service.name.upper().replace("-", "_") + "_API_KEY"
    return Refused(
        f"{service.title} has no sign-in in the browser here",
        code="no_sign_in",
        hint=f"a person sets {variable}, or gives a token: login --service {service.name} --token-stdin",
    )
