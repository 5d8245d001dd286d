"""`doctor`: what may be wrong with an installation, and the mend of each finding."""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from skill.app import Skill
from skill.connection import find, states
from skill.connection.probe import accepted
from skill.connection.proof import proven
from skill.faces.printing import dump, wants_json
from skill.faults import Fault, TryLater
from skill.shape import plain
from skill.types import Credential, Reply, Request, Service

OLDEST_PYTHON = (3, 11)
# a clock further off than this makes tokens look expired, or certificates not yet good
MOST_SKEW_S = 300.0
PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
Status = Literal["ok", "note", "wrong"]


class Finding(NamedTuple):
    """One thing that was looked at: how it stands, what was found, and the mend where something is wrong."""

    check: str
    status: Status
    found: str
    mend: str = ""


def examine(skill: Skill, offline: bool) -> int:
    """Print every finding.

    Returns:
        The exit code: 1 where something is wrong.
    """
    findings = list(_findings(skill, offline or skill.sandbox))
    wrong = sum(one.status == "wrong" for one in findings)
    if wants_json(skill.options):
        shown = [{name: value for name, value in one._asdict().items() if value} for one in findings]
        dump({"ok": not wrong, "checks": shown})
    else:
        for one in findings:
            print(f"{one.status:6}{one.check:12}{plain(one.found)}")
            if one.mend:
                print(f"{'':18}mend: {plain(one.mend)}")
        print(f"{wrong} of {len(findings)} checks found something wrong." if wrong else "Everything is in order.")
    return 1 if wrong else 0


def _findings(skill: Skill, offline: bool) -> Iterator[Finding]:
    yield _python()
    for check in (_catalog, _index, _host):
        yield _guarded(check, skill)
    yield _proxy()
    yield from _files(skill)
    yield _keychain()
    yield _path(skill)
    if offline:
        yield Finding("network", "note", "not asked")
        if not skill.sandbox:
            yield _found(skill)
        return
    yield from _online(skill)


def _guarded(check: Callable[[Skill], Finding], skill: Skill) -> Finding:
    try:
        return check(skill)
    except Fault as fault:
        return Finding(check.__name__.strip("_"), "wrong", fault.message, fault.hint)


def _python() -> Finding:
    found = f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro} at {sys.executable}"
    if sys.version_info[:2] < OLDEST_PYTHON:
        return Finding("python", "wrong", found, f"use Python {'.'.join(map(str, OLDEST_PYTHON))} or newer")
    return Finding("python", "ok", found)


def _catalog(skill: Skill) -> Finding:
    problems = skill.catalog.problems
    if problems:
        return Finding(
            "catalog", "wrong", f"{problems[0].where}: {problems[0].what}", f"{skill.options.program} action lint DIR shows all"
        )
    return Finding("catalog", "ok", f"{len(skill.catalog)} actions of {', '.join(skill.catalog.services)}")


def _index(skill: Skill) -> Finding:
    from skill.index.encoders import open_encoder
    from skill.index.minilm import EncoderUnavailable
    from skill.index.open import chosen_model, stale

    rebuild = f"{skill.options.program} index build"
    try:
        encoder = open_encoder(chosen_model())
    except EncoderUnavailable as missing:
        return Finding("index", "wrong", f"searching by words alone: {missing}", f"install it again, or {rebuild} --model NAME")
    old = stale(skill.catalog.parts, encoder)
    if old:
        return Finding("index", "note", f"out of date for {old[0].source}; the next search builds it", rebuild)
    return Finding("index", "ok", f"built with {encoder.name}")


def _host(skill: Skill) -> Finding:
    services = skill.catalog.services.values()
    return Finding("host", "ok", ", ".join(f"{one.name}: {skill.base(one)}" for one in services))


def _proxy() -> Finding:
    for name in PROXIES:
        value = os.environ.get(name, "")
        if not value:
            continue
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https", "socks5", "socks5h"} or not parts.hostname:
            return Finding("proxy", "wrong", f"{name} is no address of a proxy", f"set {name}=http://HOST:PORT, or unset it")
        # a proxy's address may hold a password
        return Finding("proxy", "ok", f"{name}: {parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}")
    return Finding("proxy", "ok", "none")


def _files(skill: Skill) -> Iterator[Finding]:
    store = skill.setting.store
    try:
        store.check()
        book = store.read()
        yield Finding("files", "ok", f"{store.path}: {len(book.entries)} connections, for your eyes alone")
    except FileNotFoundError:
        yield Finding("files", "ok", "no connection is kept yet")
    except Fault as fault:
        yield Finding("files", "wrong", fault.message, fault.hint)
    for aside in store.broken():
        yield Finding("files", "wrong", f"{aside} was broken and set aside", "look at it, then delete it")
    netrc = Path.home() / ".netrc"
    if os.name == "posix" and netrc.is_file() and netrc.stat().st_mode & 0o077:
        yield Finding("files", "wrong", f"{netrc} can be read by others", f"chmod 600 {netrc}")


def _keychain() -> Finding:
    from skill.connection import keychain

    name = keychain.backend()
    return Finding("keychain", "ok", name or "none answers: secrets are kept in the file, for your eyes alone")


def _path(skill: Skill) -> Finding:
    found = shutil.which("skill")
    if found is None or _is_ours(Path(found)):
        return Finding("path", "ok", found or "no `skill` on PATH; call it as you did now")
    danger = " (procps: it sends signals to processes)" if found in {"/usr/bin/skill", "/bin/skill"} else ""
    program = skill.options.program
    ours = shutil.which("heroku-skill")
    called = program if os.sep in program else "heroku-skill" if ours else "scripts/skill"
    # whoever called this program by another name is in no danger
    status: Status = "wrong" if program == "skill" else "note"
    return Finding("path", status, f"`skill` is another program: {found}{danger}", f"call this one as {called}")


def _is_ours(file: Path) -> bool:
    try:
        head = file.resolve().read_bytes()[:4096]
    except OSError:
        return False
    return b"skill.faces.cli" in head


def _online(skill: Skill) -> Iterator[Finding]:
    service = skill.service() or next(iter(skill.catalog.services.values()))
    try:
        base = skill.base(service)
        reply = skill.setting.ask()(
            Request("GET", base + "/", {"Accept": service.accept}, timeout_s=min(skill.options.timeout_s, 15))
        )
        yield Finding("network", "ok", f"{urlsplit(base).netloc} answers")
        yield _clock(reply)
    except Fault as fault:
        yield Finding("network", "wrong", fault.message, fault.hint)
    yield _credential(skill, service)


def _found(skill: Skill) -> Finding:
    """Say where a credential lies, asking nobody."""
    service = skill.service() or next(iter(skill.catalog.services.values()))
    try:
        credential = find(service, skill.setting.environ, skill.connection, skill.setting.token)
    except Fault as fault:
        status: Status = "note" if fault.code == "not_signed_in" else "wrong"
        return Finding("credential", status, fault.message, fault.hint or f"{skill.options.program} login")
    return Finding("credential", "ok", f"there is one from {credential.source}; whether it is accepted was not asked")


def _credential(skill: Skill, service: Service) -> Finding:
    program = skill.options.program
    try:
        reply, credential = proven(skill.setting, service, skill.setting.credential(service, skill.connection))
    except TryLater as unknown:
        return Finding("credential", "note", f"not judged: {unknown.message}", unknown.hint or "try again later")
    except Fault as fault:
        return Finding("credential", "wrong", fault.message, fault.hint or f"{program} login")
    return _accepted(credential, reply, program)


def _accepted(credential: Credential, reply: Reply | None, program: str) -> Finding:
    if reply is None:
        return Finding("credential", "note", f"the one from {credential.source} cannot be proved without a service's own call")
    if reply.status == 401:
        found = f"the one from {credential.source} is not accepted"
        return Finding("credential", "wrong", found, f"{program} login, or set it anew")
    if not accepted(reply):
        found = f"the one from {credential.source} was not judged: the service answered {reply.status}"
        return Finding("credential", "note", found, "try again later")
    until = states.moment(credential.expires_at)
    return Finding("credential", "ok", f"the one from {credential.source} is accepted{f', until {until}' if until else ''}")


def _clock(reply: Reply) -> Finding:
    try:
        skew = time.time() - parsedate_to_datetime(reply.headers.get("date", "")).timestamp()
    except (ValueError, TypeError):
        return Finding("clock", "note", "the service did not say what time it is")
    if abs(skew) > MOST_SKEW_S:
        way = "ahead" if skew > 0 else "behind"
        return Finding(
            "clock", "wrong", f"this machine's clock is {abs(skew):.0f} seconds {way}", "set the clock by the network (NTP)"
        )
    return Finding("clock", "ok", f"within {abs(skew):.0f} seconds of the service's")
