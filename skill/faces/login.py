"""`login`, `logout` and `whoami`."""

import sys
import time
from dataclasses import dataclass, field, replace
from typing import Any

from skill.app import Skill
from skill.connection import client, desk, environment, leaving, oauth, opener, probe, scoped, signing, states
from skill.connection.find import VARIABLE
from skill.connection.grant import Grant
from skill.connection.proof import proven
from skill.connection.store import Entry, no_such
from skill.faces.connections import show
from skill.faces.printing import dump, note, wants_json
from skill.faults import BadInput, NotSignedIn
from skill.shape import plain
from skill.types import Service

COMPLETE, START = "complete", "start"
FINISH_S = 30.0


@dataclass(frozen=True, slots=True)
class Wish:
    """How somebody wants to sign in; `expires` is a span of time such as 8h, `way` browser, client or empty."""

    words: list[str]
    service: str = "heroku"
    named: str | None = None
    name: str = ""
    scope: list[str] = field(default_factory=list)
    expires: str | None = None
    way: str = ""
    no_browser: bool = False
    create_client: bool = False
    client_name: str | None = None


def sign_in(skill: Skill, wish: Wish) -> None:
    """Sign in, as far as it can be done now, and print the connection.

    Raises:
        Fault: it was refused, or cannot begin.
    """
    if wish.client_name is not None:
        client.keep(wish.client_name)
    if skill.sandbox:
        show(skill, desk.SANDBOX)
        return
    if wish.named in skill.catalog.services:
        # a service's own name stands for no connection in particular
        wish = replace(wish, named=None, service=wish.named or "")
    known = skill.setting.entry(wish.named) if wish.named else None
    service = _service(skill, known.service if known and known.service else wish.service)
    if wish.words[:1] == [COMPLETE] and len(wish.words) <= 2:
        _complete(skill, wish)
        return
    if wish.words not in ([], [START]):
        raise BadInput(f"login takes no {wish.words[0]!r}", hint="login, or login complete CODE")
    if wish.way not in {"", "browser", "client"}:
        raise BadInput(f"there is no way {wish.way!r} to sign in", hint="--using browser, or --using client")
    if wish.expires is not None and not wish.scope:
        raise BadInput("--expires goes with --scope", hint="login --scope read --expires 8h")
    _check_named(skill, wish)
    if wish.create_client:
        _create_client(skill, service)
    elif skill.options.token_stdin:
        _show(skill, _take_token(skill, service, wish))
    else:
        _sign_in(skill, service, wish)


def sign_out(skill: Skill, named: str | None, every: bool, service_name: str) -> None:
    """Sign out of one connection or all, and print what is left to revoke.

    Raises:
        BadInput: there is no such connection.
    """
    setting, service = skill.setting, _service(skill, service_name)
    book = setting.store.read()
    chosen = book.entries if every else [one for one in [book.named(named) if named else book.chosen(service.name)] if one]
    if named and not chosen:
        desk.delete(setting, named)
    done = [leaving.leave(setting, entry) for entry in list(chosen)]
    clients = leaving.forget_clients(setting) if every else []
    left = None
    try:
        found = setting.credential(service)
        left = {"source": found.source, "how": leaving.elsewhere(found) if not found.connection else "logout again"}
    except NotSignedIn:
        pass
    if wants_json(skill.options):
        dump({"items": done, **({"clients": clients} if clients else {}), **({"left": left} if left else {})})
        return
    for one in done:
        print(f"{one['key']} is forgotten; its credential is {'revoked' if one['revoked'] else 'not revoked'}.")
        if one.get("where"):
            print(f"  Revoke it at {one['where']}")
        if one.get("left"):
            note(f"note: {one['left']}")
    for one in clients:
        print(f"The OAuth client {one['clientId']} is forgotten; it stays registered until you delete it.")
    if not (done or clients):
        print("Nothing is kept here.")
    if left:
        note(f"A credential is still found in {left['source']}: {left['how']}")


def say_who(skill: Skill, service_name: str) -> None:
    """Print who is signed in, asking the service.

    Raises:
        NotSignedIn: nobody is.
    """
    service = skill.service() or _service(skill, service_name)
    facts: dict[str, Any] = {"service": service.name, "host": skill.base(service)}
    if skill.sandbox:
        facts.update(account="sandbox@example.com", source="sandbox", sandbox=True)
    else:
        credential = skill.setting.credential(service, skill.connection)
        reply, credential = proven(skill.setting, service, credential)
        if reply is not None and reply.status == 401:
            raise NotSignedIn(
                f"{service.title} does not accept the credential from {credential.source}",
                code="unauthorized",
                http_status=401,
                hint="sign in again with `login`, or set it anew",
            )
        whose = probe.account(service, skill.base(service), credential, skill.setting.ask())
        facts.update(
            account=whose.get("email") or credential.account or None,
            accountId=whose.get("id"),
            source=credential.source,
            kind=credential.kind,
            scope=list(credential.scope) or None,
            expiresAt=states.moment(credential.expires_at),
            connection=credential.connection or None,
        )
    if wants_json(skill.options):
        dump(facts)
        return
    for name, value in facts.items():
        words = ", ".join(value) if isinstance(value, list) else value
        print(f"{name:12}{plain(words) if words is not None else 'not known'}")


def _complete(skill: Skill, wish: Wish) -> None:
    answer = wish.words[1] if len(wish.words) > 1 else None
    _show(skill, signing.finish(skill.setting, answer, wish.named, FINISH_S))


def _sign_in(skill: Skill, service: Service, wish: Wish) -> None:
    setting = skill.setting
    scope = scoped.scopes_of(wish.scope) if wish.scope else ()
    life_s = scoped.seconds_of(wish.expires or scoped.DEFAULT_LIFE) if scope else None
    if scope and wish.way != "client":
        entry = _narrow_what_is_there(skill, service, wish, scope, life_s)
        if entry is not None:
            _show(skill, entry)
            return
    if wish.expires and wish.way != "browser" and setting.client(service, setting.store.read()) is not None:
        hint = "add --using browser, or leave --expires out"
        raise BadInput("what an OAuth client of your own gets is renewed for ever, so that it cannot end by itself", hint=hint)
    if not (scope or wish.name or wish.named or wish.way):
        found = desk.found(setting, service)
        if found is not None and found["state"] == states.READY and _agreed(skill, found):
            show(skill, found)
            return
    entry = _own(skill, service, wish)
    entry = signing.begin(setting, service, entry, scope, life_s, wish.way)
    if entry.pending and entry.pending["way"] == "browser":
        note(f"note: {states.UNOFFICIAL}")
    if not _interactive(skill) or wish.no_browser:
        _show(skill, entry)
        return
    _walk(skill, service, entry)


def _walk(skill: Skill, service: Service, entry: Entry) -> None:
    """Take a person at a terminal through the browser."""
    pending = entry.pending or {}
    url = plain(pending["url"])
    if opener.has_browser(skill.setting.environ) and opener.open_browser(pending["url"]):
        print(f"Your browser was opened. If it was not, open:\n  {url}")
    else:
        print(f"Open this address in a browser, here or on another machine:\n  {url}")
        if pending["way"] == "client":
            _paste(skill, entry)
            return
    until = time.monotonic() + signing.LIFETIME_S[pending["way"]]
    while time.monotonic() < until:
        fresh = skill.setting.entry(entry.id)
        if fresh is None or not fresh.pending or signing.advance(skill.setting, service, fresh, until):
            _show(skill, skill.setting.entry(entry.id) or entry)
            return
        if pending["way"] == "client":
            _paste(skill, entry)
            return
    raise NotSignedIn("nobody finished the sign-in in time", code="sign_in_expired", hint="start again: login")


def _paste(skill: Skill, entry: Entry) -> None:
    answer = input("When the browser has ended, paste its address (or the code) here: ")
    _show(skill, signing.finish(skill.setting, answer, entry.id, FINISH_S))


def _narrow_what_is_there(skill: Skill, service: Service, wish: Wish, scope: tuple[str, ...], life_s: int | None) -> Entry | None:
    """Make a narrower token with a full credential that is there already; None where there is none."""
    setting = skill.setting
    try:
        full = setting.credential(service, None if wish.named is None else wish.named)
    except NotSignedIn:
        return None
    if full.scope and "global" not in full.scope:
        return None
    grant = scoped.create(service, setting.base(service), full.token, scope, life_s, setting.ask())
    kept = setting.entry(full.connection) if full.connection else None
    entry = kept if kept and not wish.name else desk.own(setting, service, wish.name)
    entry = signing.keep(setting, service, entry, grant, "scoped")
    if kept is not None:
        done = leaving.give_up(setting, service, kept, full, forget=kept.id != entry.id)
        how = "was revoked" if done else f"is forgotten; revoke it at {leaving.DASHBOARD}"
        note(f"note: only the narrower credential is kept; the full one of {kept.key} {how}")
    elif full.kind == "environment":
        note(f"note: {full.source} is set and comes first; unset it so that the narrower credential is used")
    return entry


def _take_token(skill: Skill, service: Service, wish: Wish) -> Entry:
    setting = skill.setting
    token = setting.token
    if not token:
        raise BadInput("no token came on standard input", hint="for example: login --token-stdin < FILE")
    full = setting.credential(service)
    grant, kind = Grant(full.token), "token"
    if wish.scope:
        life_s = scoped.seconds_of(wish.expires or scoped.DEFAULT_LIFE)
        scope = scoped.scopes_of(wish.scope)
        grant, kind = scoped.create(service, setting.base(service), full.token, scope, life_s, setting.ask()), "scoped"
    else:
        signing.prove(setting, service, full.token)
    return signing.keep(setting, service, _own(skill, service, wish), grant, kind)


def _own(skill: Skill, service: Service, wish: Wish) -> Entry:
    """Give the connection that is signed in, and say what would hide it."""
    if environment.read(service, skill.setting.environ):
        note(f"note: {environment.variable(service)} is set and comes before every kept sign-in; unset it to use this one")
    return desk.own(skill.setting, service, wish.named or wish.name, known=wish.named is not None)


def _check_named(skill: Skill, wish: Wish) -> None:
    """See that the connection that is named is there, before anything is made; it may be made under that very name."""
    chosen = wish.named or skill.setting.environ.get(VARIABLE, "").strip()
    if chosen and chosen not in {*skill.catalog.services, wish.name} and skill.setting.entry(chosen) is None:
        raise no_such(chosen)


def _create_client(skill: Skill, service: Service) -> None:
    setting = skill.setting
    redirect = setting.environ.get(oauth.REDIRECT, "").strip() or oauth.DEFAULT_REDIRECT
    token = setting.credential(service, skill.connection).token
    made = oauth.register(service, setting.base(service), token, redirect, setting.ask())
    leaving.keep_client(setting, service, made)
    if wants_json(skill.options):
        dump({"clientId": made.id, "redirectUri": made.redirect, "created": True})
    else:
        print(f"The OAuth client {made.id} is registered, with {made.redirect}. From now on `login` uses it.")


def _agreed(skill: Skill, found: dict[str, Any]) -> bool:
    """Offer what is there; without a terminal it is simply taken."""
    if not _interactive(skill) or found.get("kind") not in {"heroku-cli", "netrc"}:
        return True
    account = f" ({plain(found['account'])})" if found.get("account") else ""
    return input(f"Use {plain(found['source'])}{account}? [Y/n] ").strip().lower() in {"", "y", "yes"}


def _interactive(skill: Skill) -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty() and not skill.options.json


def _service(skill: Skill, name: str) -> Service:
    if name not in skill.catalog.services:
        raise BadInput(f"there is no service {name!r}", hint=f"known: {', '.join(skill.catalog.services)}")
    return skill.catalog.services[name]


def _show(skill: Skill, entry: Entry) -> None:
    show(skill, desk.shown(skill.setting, entry))
