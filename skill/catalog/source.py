"""Read a folder of action files: YAML in, services and actions out, with every problem named by file, line and column.

A folder holds one folder a service, or is one itself. A service is a `service.yaml` and one file a resource; a folder
without `service.yaml` adds resources to the service of its name that is known already.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from skill.catalog.yaml_file import Marked, read_yaml
from skill.faults import Problem
from skill.places import ACTIONS
from skill.types import Action, Json, Risk, Schema, Service

SERVICE_FILE = "service.yaml"
READING = frozenset({"GET", "HEAD"})
# it becomes the name of an environment variable, where capitals and odd characters would meet another service's
_NAME = re.compile(r"[a-z][a-z0-9-]*")
_SERVICE_TABLES = frozenset({"parameters", "lookups"})
_SERVICE_KEYS = frozenset({"name", "title", "about", "domain", "base", "sign_in", "accept", "probe", "parameters", "lookups"})


@dataclass(slots=True)
class Source:
    """What a folder of action files says; `problems` are located `file:line:column`."""

    services: dict[str, Service] = field(default_factory=dict)
    actions: list[Action] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def service_folders(folder: Path) -> list[Path]:
    """List the service folders in `folder`, which may be one itself."""
    if yaml_files(folder):
        return [folder]
    return sorted(inner for inner in folder.iterdir() if inner.is_dir() and yaml_files(inner))


def yaml_files(folder: Path) -> list[Path]:
    """List the YAML files of a folder in order; hidden ones, as an editor leaves them, are passed over."""
    return sorted(path for path in folder.glob("*.yaml") if not path.name.startswith("."))


def action_files(folder: Path) -> list[Path]:
    """List every YAML file of a folder that says something about actions, in a fixed order."""
    inner = [path for service in service_folders(folder) for path in yaml_files(service)]
    asks = [path for service in service_folders(folder) for path in yaml_files(service / "asks")]
    return sorted(inner + asks)


def read_folder(folder: Path, known: Mapping[str, Service] | None = None) -> Source:
    """Read all services and actions of a folder; what is broken is reported and left out, the rest still counts.

    Args:
        folder: a folder of service folders, or one service folder.
        known: services that a folder without a `service.yaml` may add to.
    """
    source = Source()
    for service_folder in service_folders(folder):
        _read_service(service_folder, dict(known or {}), source)
    _refuse_twins(source)
    return source


def _read_service(folder: Path, known: Mapping[str, Service], source: Source) -> None:
    service = known.get(folder.name)
    if (folder / SERVICE_FILE).is_file():
        head = read_yaml(folder / SERVICE_FILE, source.problems)
        service = _service(head, known, source.problems)
    if service is None:
        source.problems.append(Problem(str(folder), f"has no usable {SERVICE_FILE} and names no service that is known"))
        return
    source.services[service.name] = service
    files = {path.stem: read_yaml(path, source.problems) for path in yaml_files(folder) if path.name != SERVICE_FILE}
    sound = {name: file for name, file in files.items() if file.value is not None and _well_formed(file, source)}
    objects = {name: file.value["object"] for name, file in sound.items() if "object" in file.value}
    more = _other_languages(folder, source)
    for name, file in sound.items():
        reader = _Reader(service, name, file, {**service.parameters, **file.value.get("parameters", {})}, objects, more)
        source.actions.extend(reader.actions(source.problems))


def _service(head: Marked, known: Mapping[str, Service], problems: list[Problem]) -> Service | None:
    value = head.value
    if not isinstance(value, dict) or not {"name", "title", "domain", "base"} <= set(value):
        if value is not None:
            problems.append(Problem(head.at(), "a service needs name, title, domain and base"))
        return None
    problems += [Problem(head.at("/" + key), f"unknown word {key!r}") for key in value if key not in _SERVICE_KEYS]
    facts = {"about": "", **{key: value[key] for key in _SERVICE_KEYS & set(value)}}
    wrong = [key for key, part in facts.items() if not isinstance(part, dict if key in _SERVICE_TABLES else str)]
    problems += [Problem(head.at("/" + key), f"{key} must be a {_form_of(key)}") for key in wrong]
    if not wrong and not _NAME.fullmatch(facts["name"]):
        problems.append(Problem(head.at("/name"), f"the name must match {_NAME.pattern}"))
        return None
    return None if wrong else _kept_home(Service(**facts), known, head, problems)


def _form_of(key: str) -> str:
    return "mapping" if key in _SERVICE_TABLES else "text"


def _kept_home(service: Service, known: Mapping[str, Service], head: Marked, problems: list[Problem]) -> Service:
    """Keep a service that is known already where it is: what a user writes must not move its requests to other hosts."""
    first = known.get(service.name)
    if first is None:
        return service
    parts = urlsplit(service.base)
    host = parts.hostname or ""
    if parts.scheme != "https" or (host != first.domain and not host.endswith(f".{first.domain}")):
        why = f"{service.name} stays at {first.base}: {service.base} is no host of {first.domain}"
        problems.append(Problem(head.at("/base"), why))
        service = replace(service, base=first.base)
    return replace(service, domain=first.domain)


_FORM: list[Schema] = []


def _well_formed(file: Marked, source: Source) -> bool:
    from skill.schema import check

    if not _FORM:
        _FORM.append(json.loads((ACTIONS / "schema.json").read_bytes()))
    wrong = check(file.value, _FORM[0])
    source.problems += [Problem(file.at(problem.where), f"{problem.where}: {problem.what}") for problem in wrong]
    # one bad action does not take its neighbours down
    for problem in wrong:
        parts = problem.where.split("/")
        if len(parts) < 3 or parts[1] != "actions":
            return False
        file.value["actions"].pop(parts[2], None)
    return True


def _other_languages(folder: Path, source: Source) -> dict[str, list[str]]:
    """Gather the phrases of `asks/<language>.yaml`, a mapping from key to phrases."""
    asks: dict[str, list[str]] = {}
    for path in yaml_files(folder / "asks"):
        file = read_yaml(path, source.problems)
        for key, phrases in (file.value or {}).items():
            if isinstance(phrases, list):
                asks.setdefault(key, []).extend(map(str, phrases))
            elif phrases is not None:
                source.problems.append(Problem(file.at(f"/{key}"), f"{key} must be a list of phrases"))
    return asks


def _refuse_twins(source: Source) -> None:
    seen: set[str] = set()
    for action in source.actions:
        if action.key in seen:
            source.problems.append(Problem(action.resource, f"the key {action.key} stands twice; the first counts"))
        seen.add(action.key)
    first = {action.key: action for action in reversed(source.actions)}
    source.actions = sorted(first.values(), key=lambda action: action.key)


@dataclass(slots=True)
class _Reader:
    """Turns the blocks of one resource file into actions."""

    service: Service
    resource: str
    file: Marked
    words: Mapping[str, Schema]
    objects: Mapping[str, Schema]
    more_asks: Mapping[str, list[str]]

    def actions(self, problems: list[Problem]) -> Iterator[Action]:
        for key, block in self.file.value["actions"].items():
            try:
                yield self.action(key, block)
            except (ValueError, KeyError, TypeError, AttributeError) as wrong:
                problems.append(Problem(self.file.at(f"/actions/{key}"), f"{key}: {wrong}"))

    def action(self, key: str, block: dict[str, Any]) -> Action:
        method, _, target = block["request"].partition(" ")
        host, path = _split(target)
        schema = self.input(path, block.get("input", {}))
        inputs = [name for name in schema["properties"] if f"{{{name}}}" not in path]
        link = block.get("link", ())
        return Action(
            key=key,
            title=block["title"],
            about=block["about"].strip(),
            service=self.service.name,
            resource=self.resource,
            method=method,
            path=path,
            host=host,
            risk=block.get("risk") or _risk(method),
            input=schema,
            output=self.output(block.get("output", {})),
            link=(link,) if isinstance(link, str) else tuple(link),
            asks=tuple(block["asks"]),
            other_asks=tuple(self.more_asks.get(key, ())),
            example=self.example(schema, block.get("example")),
            query=tuple(block.get("query", inputs if method in READING else ())),
            thing=self.file.value.get("about", ""),
            **{name: block[name] for name in _SAME if name in block},
            ends=tuple(block.get("ends", ())),
            sort=tuple(block.get("sort", ())),
        )

    def input(self, path: str, given: dict[str, Any]) -> Schema:
        """Make the input schema: path parameters come by themselves, shared words fill in what a node leaves out."""
        own = given.get("properties", {})
        names = _parameters(path)
        nodes = {name: self.node(name, own.get(name)) for name in (*names, *own)}
        required = [*names, *(name for name in given.get("required", []) if name not in names)]
        for name in required:
            if name not in nodes:
                raise ValueError(f"requires {name!r}, which is no property of its input")
        schema: Schema = {"type": "object", "properties": nodes, "required": required, "additionalProperties": False}
        return schema if required else {name: part for name, part in schema.items() if name != "required"}

    def node(self, name: str, own: Schema | None) -> Schema:
        shared = self.words.get(name, {})
        if own is None or (not own and shared):
            if not shared:
                raise ValueError(f"nothing describes the parameter {name!r}: add it to the input or to the service's parameters")
            return dict(shared)
        if "type" in own or "enum" in own:
            return own if "description" in own or "description" not in shared else {**own, "description": shared["description"]}
        return {**shared, **own}

    def output(self, said: Json) -> Schema | None:
        if isinstance(said, list):
            return {"type": "array", "items": self.output(said[0]) or {}}
        if isinstance(said, str):
            name = self.resource if said == "object" else said
            if name not in self.objects:
                raise ValueError(f"output names {said!r}, but no such object is described")
            return self.objects[name]
        if isinstance(said.get("items"), str):
            # what the service publishes as items without saying that it is a list
            return {"items": self.output(said["items"]) or {}}
        return said or None

    def example(self, schema: Schema, own: Json) -> Json:
        nodes = schema["properties"]
        shared = {name: nodes[name]["examples"][0] for name in schema.get("required", ()) if nodes[name].get("examples")}
        whole = {**shared, **(own or {})}
        return {name: whole[name] for name in nodes if name in whole}


_SAME = ("instead", "body", "confirm", "accept", "sign_in", "headers", "stability", "deprecated")


def _split(target: str) -> tuple[str | None, str]:
    if not target.startswith("https://"):
        return None, target
    host, slash, path = target.removeprefix("https://").partition("/")
    return host, slash + path


def _parameters(path: str) -> list[str]:
    return re.findall(r"\{(\w+)\}", path)


def _risk(method: str) -> Risk:
    if method in READING:
        return "read"
    return "destroy" if method == "DELETE" else "write"


def record(action: Action) -> dict[str, Any]:
    """Give an action as plain JSON values, empty parts left out; `Action(**record)` is the way back."""
    return {name: value for name, value in asdict(action).items() if value not in (None, "", (), {}, False)}
