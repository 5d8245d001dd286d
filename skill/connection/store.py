"""The connections that the user made, in one file for the user's eyes alone; secrets go to the keychain where one answers."""

import json
import os
import stat
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from itertools import count
from pathlib import Path
from typing import Any

from skill import places
from skill.connection.lock import locked
from skill.faults import BadInput, NotSignedIn, Step

VERSION = 1
Facts = dict[str, Any]


@dataclass(slots=True)
class Entry:
    """One connection as it is kept.

    `kind` says how it was signed in (empty: not yet): token, browser, oauth or scoped. `expires_at` is in seconds since 1970.
    `problem` says why a person must sign in again, `error` why a sign-in failed, `wanted` which unknown service was asked
    for. `pending` holds a sign-in that has begun. Secrets are in `secrets`, or in the keychain where `keychain` is true.
    """

    id: str
    key: str
    name: str
    service: str
    kind: str = ""
    account: str = ""
    scope: list[str] = field(default_factory=list)
    expires_at: float | None = None
    authorization: str = ""
    problem: str = ""
    error: Facts | None = None
    wanted: str = ""
    aliases: list[str] = field(default_factory=list)
    pending: Facts | None = None
    created_at: float = 0.0
    keychain: bool = False
    secrets: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(slots=True)
class Book:
    """All that is kept: the connections in the order they were made, which one each service uses, and its OAuth clients."""

    entries: list[Entry] = field(default_factory=list)
    default: dict[str, str] = field(default_factory=dict)
    clients: dict[str, Entry] = field(default_factory=dict)

    def named(self, name: str) -> Entry | None:
        """Find a connection by its id, an id it had before, its key or its name."""
        for entry in self.entries:
            if name in {entry.id, entry.key, entry.name, *entry.aliases}:
                return entry
        return None

    def of(self, service: str) -> list[Entry]:
        """List the connections of a service."""
        return [entry for entry in self.entries if entry.service == service]

    def chosen(self, service: str) -> Entry | None:
        """Give the connection that a service uses where none is named."""
        return self.named(self.default[service]) if service in self.default else None

    def add(self, service: str, name: str = "", wanted: str = "") -> Entry:
        """Make a connection that is not signed in yet."""
        stem = service or "".join(letter if letter.isalnum() else "-" for letter in wanted).strip("-")
        number = next(number for number in count(1) if self.named(f"{stem}-{number}") is None)
        key = f"{stem}-{number}"
        entry = Entry(str(uuid.uuid4()), key, name or key, service, wanted=wanted, created_at=time.time())
        self.entries.append(entry)
        return entry

    def remove(self, entry: Entry) -> None:
        """Forget a connection, and take the service's next one as its default."""
        self.entries.remove(entry)
        if self.default.get(entry.service) == entry.id:
            del self.default[entry.service]
            left = [one for one in self.of(entry.service) if one.kind]
            if left:
                self.default[entry.service] = left[0].id


class Store:
    """Reads and writes the book; a folder is given by tests alone."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or places.config() / "connections"
        self.path = self.folder / "connections.json"

    def read(self) -> Book:
        """Read the book as it is now; an empty one where there is none.

        Raises:
            NotSignedIn: others may read it, or it was broken and has been set aside.
        """
        try:
            self.check()
            content = self.path.read_bytes()
        except FileNotFoundError:
            return Book()
        except OSError as wrong:
            raise NotSignedIn(
                f"{self.path} cannot be read: {wrong.strerror}", code="store_unreadable", hint=f"mend it: chmod 600 {self.path}"
            ) from None
        try:
            return _book(json.loads(content))
        except (ValueError, TypeError, AttributeError, RecursionError, KeyError):
            raise self._set_aside() from None

    @contextmanager
    def edit(self) -> Iterator[Book]:
        """Hold the book alone, and write what was changed when the block ends well.

        Raises:
            NotSignedIn: it cannot be read or written.
        """
        try:
            with locked(self.folder / "lock"):
                book = self.read()
                yield book
                whole = {"version": VERSION, **asdict(book)}
                places.write_whole(self.path, json.dumps(whole, separators=(",", ":")).encode(), mode=0o600)
        except OSError as wrong:
            raise NotSignedIn(
                f"{self.folder} cannot be written: {wrong.strerror}",
                code="store_unwritable",
                hint="connections are kept there; set HEROKU_API_KEY to do without",
            ) from None

    def check(self) -> None:
        """See that nobody but the user may read what is kept.

        Raises:
            NotSignedIn: somebody may; the hint is the mend.
            OSError: there is no such file.
        """
        for path, mode in ((self.folder, "700"), (self.path, "600")):
            found = os.stat(path)
            theirs = hasattr(os, "getuid") and found.st_uid != os.getuid()
            if os.name == "posix" and (theirs or stat.S_IMODE(found.st_mode) & 0o077):
                raise NotSignedIn(
                    f"{path} {'belongs to another user' if theirs else 'can be read by others'}, so it is not used",
                    code="store_open",
                    hint=f"{'chown it back, then ' if theirs else ''}chmod {mode} {path}",
                )

    def broken(self) -> list[Path]:
        """List the broken files that were set aside."""
        return sorted(self.folder.glob("*.broken-*"))

    def secrets(self, entry: Entry) -> dict[str, str]:
        """Give the secrets of a connection.

        Raises:
            NotSignedIn: the keychain does not give them.
        """
        if not entry.keychain:
            return dict(entry.secrets)
        from skill.connection import keychain

        return keychain.fetch(entry.id)

    @staticmethod
    def hide(entry: Entry, secrets: dict[str, str]) -> None:
        """Keep the secrets of a connection in the keychain, else in the file; belongs inside `edit`."""
        from skill.connection import keychain

        if secrets and keychain.keep(entry.id, secrets):
            entry.keychain, entry.secrets = True, {}
            return
        if entry.keychain:
            keychain.forget(entry.id)
        entry.keychain, entry.secrets = False, secrets

    @staticmethod
    def drop(entry: Entry) -> None:
        """Forget the secrets of a connection; `keychain` stays true where the keychain does not give them up."""
        from skill.connection import keychain

        entry.keychain = entry.keychain and not keychain.forget(entry.id)
        entry.secrets = {}

    def _set_aside(self) -> NotSignedIn:
        aside = self.path.with_name(f"{self.path.name}.broken-{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}")
        os.replace(self.path, aside)
        return NotSignedIn(
            f"the kept connections could not be read; the file was set aside as {aside}",
            code="store_corrupt",
            hint="sign in again; nothing was deleted, so the file can still be looked at",
            next=[Step("login", "sign in again")],
        )


def no_such(name: str) -> BadInput:
    """Say that there is no connection of a name."""
    return BadInput(
        f"there is no connection {name!r}",
        code="no_such_connection",
        hint="leave it out to use what is there",
        next=[Step("connection list", "see the connections that there are")],
    )


def _book(whole: Facts) -> Book:
    if whole["version"] > VERSION:
        raise NotSignedIn(
            "the kept connections were written by a newer version of this program", code="store_newer", hint="update this program"
        )
    entries = [_entry(one) for one in whole["entries"]]
    clients = {str(name): _entry(one) for name, one in whole["clients"].items()}
    return Book(entries, dict(whole["default"]), clients)


def _entry(facts: Facts) -> Entry:
    known = {one.name for one in fields(Entry)}
    return Entry(**{name: value for name, value in facts.items() if name in known})
