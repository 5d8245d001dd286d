"""The connections as their users see them: find or make one, look at it, wait for it, forget it."""

import time
from collections.abc import Mapping
from typing import Any

from skill.connection import probe, signing, states
from skill.connection.calls import words_of
from skill.connection.find import VARIABLE, find
from skill.connection.proof import proven
from skill.connection.setting import Setting
from skill.connection.states import ACTION, BUILDING, CONFIGURATION_ERROR, READY, SETUP_FAILED, Standing
from skill.connection.store import Book, Entry, no_such
from skill.connection.stored import NEEDS_SIGN_IN
from skill.connection.target import domain_of, service_of
from skill.faults import BadInput, Fault, NotSignedIn
from skill.types import Credential, Service

SANDBOX: dict[str, Any] = {
    "id": "sandbox",
    "key": "sandbox",
    "name": "Sandbox",
    "service": "heroku",
    "state": READY,
    "sandbox": True,
}
PAUSE_S = 0.5
View = dict[str, Any]


def ensure(setting: Setting, target: str, name: str = "") -> View:
    """Find the connection to a service, or make one.

    Args:
        target: an address, a domain, a service's name, or `sandbox`.
        name: the name that a connection of its own has or gets.

    Raises:
        BadInput: the target is none of them, or the name is another service's.
    """
    domain = domain_of(target)
    if domain == SANDBOX["id"]:
        return dict(SANDBOX)
    service = service_of(domain, setting.services)
    if service is None:
        return _unknown(setting, domain, name)
    if not name:
        there = found(setting, service)
        if there is not None:
            return there
    return _begun(setting, service, own(setting, service, name, domain))


def look(setting: Setting, name: str) -> View:
    """Look at a connection, asking its service.

    Raises:
        BadInput: there is none of that name.
    """
    if name == SANDBOX["id"]:
        return dict(SANDBOX)
    entry = setting.entry(name)
    if entry is None:
        service = setting.services.get(name)
        there = found(setting, service) if service else None
        if there is None:
            raise no_such(name)
        return there
    service = service_of(entry.wanted, setting.services) if entry.wanted and not entry.service else None
    if service is not None:
        entry = own(setting, service, entry.key, entry.wanted)
    return _view(setting, entry, _asked(setting, entry))


def wait(setting: Setting, name: str, timeout_s: float) -> tuple[View, bool]:
    """Look at a connection until its state changes, going on with its sign-in or its index meanwhile.

    Returns:
        The connection, and whether anything is left to wait for.

    Raises:
        BadInput: there is none of that name.
    """
    until = time.monotonic() + timeout_s
    seen = look(setting, name)
    first = seen["state"]
    while seen["state"] == first and first in {ACTION, BUILDING} and time.monotonic() < until:
        if first == BUILDING:
            setting.build(setting.services[seen["service"]])
        else:
            _go_on(setting, name, until)
        seen = look(setting, name)
    return seen, seen["state"] in {ACTION, BUILDING}


def listed(setting: Setting) -> list[View]:
    """List the connections as they are kept, asking nobody; one that was found elsewhere comes first."""
    book = setting.store.read()
    views = []
    for service in setting.services.values():
        try:
            # as it is, for a renewal asks the service
            credential = find(service, setting.environ, token=setting.token)
        except Fault:
            continue
        if not credential.connection:
            views.append(states.view(_facts(service, credential), Standing(READY)))
    for entry in book.entries:
        facts = states.facts_of(entry, default=book.default.get(entry.service) == entry.id)
        standing = states.standing(entry, setting.services)
        views.append(states.view(facts, standing, _action(setting, entry, standing)))
    return views


def choose(setting: Setting, name: str) -> View:
    """Make a connection the one that its service uses where none is named.

    Raises:
        BadInput: there is none of that name, or it has no service yet.
    """
    with setting.store.edit() as book:
        entry = book.named(name)
        if entry is None:
            raise no_such(name)
        if not entry.service:
            raise BadInput(f"the connection {entry.key} has no service yet", code="no_service")
        book.default[entry.service] = entry.id
    return _view(setting, entry, states.standing(entry, setting.services))


def delete(setting: Setting, name: str) -> Entry:
    """Forget a connection; what it was signed in with is revoked by `logout`.

    Returns:
        What was kept of it; its `keychain` is true where a locked keychain still holds its secret.

    Raises:
        BadInput: there is none of that name.
    """
    with setting.store.edit() as book:
        entry = book.named(name)
        if entry is None:
            raise no_such(name)
        setting.store.drop(entry)
        book.remove(entry)
    return entry


def shown(setting: Setting, entry: Entry) -> View:
    """Give a connection as it is printed, by what is kept of it alone."""
    return _view(setting, entry, states.standing(entry, setting.services))


def judge(setting: Setting, service: Service, credential: Credential) -> Standing:
    """Ask the service whether it accepts a credential."""
    try:
        reply, credential = proven(setting, service, credential)
    except Fault as fault:
        return _stopped(fault)
    if reply is not None and reply.status == 401:
        return Standing(ACTION, why=f"the service does not accept the credential from {credential.source} ({words_of(reply)})")
    if reply is not None and not probe.accepted(reply):
        cause = {
            "code": "probe_failed",
            "message": f"the service answered {reply.status}: {words_of(reply)}",
            "http_status": reply.status,
        }
        return Standing(SETUP_FAILED, cause)
    return Standing(READY if setting.indexed(service) else BUILDING)


def found(setting: Setting, service: Service) -> View | None:
    """Give the connection that is there without asking; None where a sign-in is needed first."""
    if service.sign_in == "none":
        return states.view(_facts(service, None), Standing(READY if setting.indexed(service) else BUILDING))
    try:
        credential = setting.credential(service)
    except Fault as fault:
        if fault.code in {"not_signed_in", NEEDS_SIGN_IN}:
            return None
        return states.view(_facts(service, None), _stopped(fault))
    standing = judge(setting, service, credential)
    entry = setting.entry(credential.connection) if credential.connection else None
    # what the environment names comes before any sign-in, so a sign-in would not mend it
    if standing.state == ACTION and credential.kind != "environment":
        return None
    if entry is not None:
        return _view(setting, entry, standing)
    action = None
    if standing.state == ACTION:
        words = f"Unset {credential.source} or set it anew: {standing.why}."
        action = {"type": "connect", "description": words, "agentInstructions": f"Ask the person to do it. {words}"}
    return states.view(_facts(service, credential), standing, action)


def own(setting: Setting, service: Service, name: str, domain: str = "", *, known: bool = False) -> Entry:
    """Take the kept connection that waits for a sign-in, or the named one, or make a new one.

    Args:
        known: whether the named one must be there already.

    Raises:
        BadInput: it must and is not, or it is another service's.
    """
    with setting.store.edit() as book:
        named = book.named(name) if name else None
        if named is None and known:
            raise no_such(name)
        if named is not None and named.service not in {"", service.name}:
            raise BadInput(f"the connection {named.key} is one of {named.service}", code="wrong_service")
        entry = named or (None if name else _waiting(setting, service, book)) or book.add(service.name, name)
        if not entry.service:
            entry.service = service.name
        entry.wanted = domain if entry.wanted else ""
        entry.error = None
    return entry


def _waiting(setting: Setting, service: Service, book: Book) -> Entry | None:
    """Find the connection that a sign-in mends: the one in use first, then the oldest."""
    in_use = [book.named(setting.environ.get(VARIABLE, "").strip()), book.chosen(service.name)]
    unfinished = {ACTION, SETUP_FAILED}
    mine = [one for one in [*in_use, *book.of(service.name)] if one is not None and one.service == service.name]
    return next((one for one in mine if states.standing(one, setting.services).state in unfinished), None)


def _begun(setting: Setting, service: Service, entry: Entry) -> View:
    """Begin the sign-in of a connection, unless it needs none."""
    standing = _asked(setting, entry)
    if standing.state == ACTION:
        try:
            entry = signing.begin(setting, service, entry)
        except BadInput as wrong:
            standing = Standing(CONFIGURATION_ERROR, wrong)
        except Fault as fault:
            standing = standing if fault.code == "no_sign_in" else Standing(SETUP_FAILED, fault)
    return _view(setting, entry, standing)


def _asked(setting: Setting, entry: Entry) -> Standing:
    """Tell how a connection stands, asking its service where a credential is kept."""
    standing = states.standing(entry, setting.services)
    if standing.state != READY:
        return standing
    service = setting.services[entry.service]
    try:
        return judge(setting, service, setting.credential(service, entry.id))
    except Fault as fault:
        return _stopped(fault)


def _stopped(fault: Fault) -> Standing:
    """Tell how a connection stands whose service could not be asked."""
    if fault.code == NEEDS_SIGN_IN:
        return Standing(ACTION, why=fault.message)
    return Standing(CONFIGURATION_ERROR if isinstance(fault, (BadInput, NotSignedIn)) else SETUP_FAILED, fault)


def _unknown(setting: Setting, domain: str, name: str) -> View:
    with setting.store.edit() as book:
        same = [one for one in book.entries if one.wanted == domain and not one.service]
        entry = same[0] if same else book.add("", name, domain)
    return _view(setting, entry, states.standing(entry, setting.services))


def _go_on(setting: Setting, name: str, until: float) -> None:
    entry = setting.entry(name)
    if entry is None or not entry.pending or entry.service not in setting.services:
        time.sleep(max(0.0, min(PAUSE_S, until - time.monotonic())))
        return
    try:
        signing.advance(setting, setting.services[entry.service], entry, until)
    except Fault:
        # the connection itself says what went wrong
        time.sleep(max(0.0, min(PAUSE_S, until - time.monotonic())))


def _view(setting: Setting, entry: Entry, standing: Standing) -> View:
    chosen = setting.store.read().default.get(entry.service) == entry.id
    return states.view(states.facts_of(entry, default=chosen), standing, _action(setting, entry, standing))


def _action(setting: Setting, entry: Entry, standing: Standing) -> Mapping[str, Any] | None:
    if standing.state != ACTION:
        return None
    if not entry.service:
        return states.provide_input(entry, setting.services.values(), setting.program)
    if not signing.is_open(entry):
        entry.pending = None
    return states.connect(setting.services[entry.service], entry, standing.why, setting.program)


def _facts(service: Service, credential: Credential | None) -> dict[str, Any]:
    """Give what is known of a credential that was found and is not kept here; the service's name stands for it."""
    facts: dict[str, Any] = {"id": service.name, "key": service.name, "name": service.title, "service": service.name}
    if credential is not None:
        more = {"account": credential.account, "kind": credential.kind, "source": credential.source}
        facts.update({name: value for name, value in more.items() if value})
    return facts
