"""The compiled catalog: one header that is read whole, and one compressed record an action, read when it is asked for.

Compiled catalogs lie in folders named for what they were made from, so that many processes may write the same one at
once. Ours is shipped with the package; the catalog of any other folder, or of ours after an edit, goes to the cache.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple
from zlib import compress, crc32, decompress

from skill import places
from skill.faults import BadInput, NoSuchAction, Problem, Step
from skill.types import Action, Service

VERSION = 4
HEADER, RECORDS = "catalog.json", "actions.bin"


class Summary(NamedTuple):
    """What a listing needs of an action without opening it; `offset` and `length` in bytes of the records file."""

    key: str
    title: str
    about: str
    risk: str
    service: str
    method: str
    path: str
    host: str
    offset: int
    length: int


class Part(NamedTuple):
    """The compiled catalog of one actions folder; `digest` names its content, `home` is where it lies."""

    digest: str
    home: Path
    services: dict[str, Service]
    summaries: list[Summary]
    problems: list[Problem]
    source: Path


class Catalog:
    """All actions of one or more folders; where two have a key in common, the later folder's counts."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = tuple(parts)
        self.services = {name: service for part in parts for name, service in part.services.items()}
        self.problems = [problem for part in parts for problem in part.problems]
        self._where = {summary.key: (part, summary) for part in parts for summary in part.summaries}
        self._opened: dict[str, Action] = {}

    def __len__(self) -> int:
        return len(self._where)

    def __contains__(self, key: object) -> bool:
        return key in self._where

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that name the content of the whole catalog."""
        import hashlib

        return hashlib.sha256("".join(part.digest for part in self.parts).encode()).hexdigest()[:16]

    def keys(self) -> list[str]:
        """List every key, in order."""
        return sorted(self._where)

    def summaries(self) -> list[Summary]:
        """List what is known of every action without opening it, in key order."""
        return [self._where[key][1] for key in self.keys()]

    def action(self, key: str) -> Action:
        """Open one action.

        Raises:
            NoSuchAction: no action has that key; the fault lists the nearest.
        """
        if key not in self._opened:
            if key not in self._where:
                raise self._unknown(key)
            part, summary = self._where[key]
            with open(part.home / RECORDS, "rb") as file:
                file.seek(summary.offset)
                self._opened[key] = _action(json.loads(decompress(file.read(summary.length))))
        return self._opened[key]

    def actions(self) -> Iterator[Action]:
        """Open every action, in key order."""
        for part in self.parts:
            lines = (part.home / RECORDS).read_bytes()
            for one in part.summaries:
                self._opened.setdefault(one.key, _action(json.loads(decompress(lines[one.offset : one.offset + one.length]))))
        return (self._opened[key] for key in self.keys())

    def _unknown(self, key: str) -> NoSuchAction:
        from skill.schema import closest

        near = closest(key, self._where, most=3) or closest(key.rsplit("-", maxsplit=1)[-1], self._where, most=3)
        return NoSuchAction(
            f"there is no action {key!r}",
            hint=f"the nearest are {', '.join(near)}" if near else "search by what you want to do",
            next=[
                *(Step(f"action show {name}", self._where[name][1].title) for name in near),
                Step('action list --intent "what you want to do"', "find the action by what it does"),
            ],
        )


def open_catalog(folders: Iterable[Path] = ()) -> Catalog:
    """Open the catalog of the package's own actions and of more folders, compiling whatever changed.

    Raises:
        BadInput: a folder named by the caller does not exist or holds no actions.
    """
    parts = [open_part(places.ACTIONS, shipped=places.DATA / "catalog")]
    for folder in folders:
        if not folder.is_dir():
            raise BadInput(f"the actions folder {str(folder)!r} does not exist", hint="name a folder of action files (YAML)")
        part = open_part(folder, base=parts[0])
        if not (part.summaries or part.services or part.problems):
            raise BadInput(
                f"the actions folder {str(folder)!r} holds no actions",
                hint="a folder of service folders, each with YAML files; or one service folder",
            )
        parts.append(part)
    return Catalog(parts)


def open_part(folder: Path, shipped: Path | None = None, base: Part | None = None) -> Part:
    """Open the compiled catalog of one folder; compile it anew when a file's size, time or content changed.

    Args:
        folder: the folder of action files.
        shipped: where its compiled catalog may lie already.
        base: the catalog whose services the folder may add to.
    """
    files = _files(folder)
    salt = base.digest if base else ""
    seen = [str(folder.resolve()), f"{VERSION} {salt}", *(f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat, _ in files)]
    fingerprint = "\n".join(seen)
    stamp = places.cache() / "stamps" / f"{crc32(seen[0].encode()):08x}"
    digest = _stamped(stamp, fingerprint)
    fresh = digest is None
    if digest is None:
        digest = content_digest(files, salt)
    homes = [places.cache() / "catalogs" / digest]
    if shipped is not None:
        homes.insert(0, shipped)
    part = next((part for home in homes if (part := _load(home, digest, folder)) is not None), None)
    if part is None:
        part = compile_part(folder, digest, homes[-1], base.services if base else None)
    if fresh:
        _best_effort(stamp, f"{digest}\n{fingerprint}".encode())
    return part


def compile_part(folder: Path, digest: str, home: Path, known: Mapping[str, Service] | None = None) -> Part:
    """Read the YAML of a folder and write its compiled catalog to `home`, or beside it in a temporary folder."""
    from skill.catalog.source import read_folder, record

    source = read_folder(folder, known)
    lines, summaries, offset = [], [], 0
    for action in source.actions:
        line = compress(json.dumps(record(action), ensure_ascii=False, separators=(",", ":")).encode(), 9)
        about = (
            action.key,
            action.title,
            action.about,
            action.risk,
            action.service,
            action.method,
            action.path,
            action.host or "",
        )
        summaries.append(Summary(*about, offset, len(line)))
        lines.append(line)
        offset += len(line)
    header = {
        "version": VERSION,
        "digest": digest,
        "size": offset,
        "services": [asdict(service) for service in source.services.values()],
        "problems": source.problems,
        "actions": summaries,
    }
    return _write(home, folder, header, b"".join(lines))


def content_digest(files: Iterable[tuple[str, os.stat_result, Path]], salt: str = "") -> str:
    """Name the content of action files: sixteen hexadecimal digits, the same on every machine."""
    import hashlib

    whole = hashlib.sha256(f"{VERSION}{salt}".encode())
    for name, _, path in files:
        try:
            content = path.read_bytes().replace(b"\r\n", b"\n")
        except OSError:
            content = b""  # reading it as YAML says why
        whole.update(f"{name}\0{len(content)}\0".encode() + content)
    return whole.hexdigest()[:16]


def _files(folder: Path) -> list[tuple[str, os.stat_result, Path]]:
    found = []
    for top, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(top, name)
            # an editor leaves hidden files beside an open one, among them links that lead nowhere
            if name.endswith(".yaml") and not name.startswith(".") and os.path.exists(path):
                found.append((os.path.relpath(path, folder).replace(os.sep, "/"), os.stat(path), Path(path)))
    return found


def _write(home: Path, folder: Path, header: dict[str, Any], records: bytes) -> Part:
    content = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    try:
        places.write_whole(home / RECORDS, records)
        places.write_whole(home / HEADER, content)
    except OSError:
        import atexit
        import shutil
        import tempfile

        home = Path(tempfile.mkdtemp(prefix="heroku-skill-"))
        atexit.register(shutil.rmtree, home, ignore_errors=True)
        places.write_whole(home / RECORDS, records)
    return _part(json.loads(content), home, folder)


def _load(home: Path, digest: str, folder: Path) -> Part | None:
    try:
        header = json.loads((home / HEADER).read_bytes())
        whole = header["version"] == VERSION and header["digest"] == digest
        # a records file that was cut short is made again, never half read
        if not whole or os.stat(home / RECORDS).st_size != header["size"]:
            return None
        return _part(header, home, folder)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _part(header: dict[str, Any], home: Path, folder: Path) -> Part:
    services = {one["name"]: Service(**one) for one in header["services"]}
    problems = [Problem(*one) for one in header["problems"]]
    return Part(header["digest"], home, services, [Summary(*one) for one in header["actions"]], problems, folder)


def _action(record: dict[str, Any]) -> Action:
    for name in ("link", "asks", "other_asks", "query", "ends", "sort"):
        if name in record:
            record[name] = tuple(record[name])
    return Action(**record)


def _stamped(stamp: Path, fingerprint: str) -> str | None:
    try:
        digest, _, seen = stamp.read_text(encoding="utf-8").partition("\n")
    except (OSError, ValueError):
        return None
    return digest if seen == fingerprint and len(digest) == 16 else None


def _best_effort(path: Path, content: bytes) -> None:
    try:
        places.write_whole(path, content)
    except OSError:
        return  # a cache that cannot be written costs time, nothing else
