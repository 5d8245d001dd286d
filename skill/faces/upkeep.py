"""`action lint` and `action drift`: what keeps a catalog sound and true."""

import json
from pathlib import Path
from typing import Any

from skill import places
from skill.app import Skill
from skill.faces.printing import dump, note, wants_json
from skill.faults import BadInput, Refused

SCHEMA_PATH = "/schema"


def lint(skill: Skill, folder: Path | None) -> int:
    """Print what is wrong with a folder of actions.

    Returns:
        The exit code: 1 where something is wrong.

    Raises:
        BadInput: there is no such folder.
    """
    from skill.catalog.lint import lint as check_folder

    where = folder or places.ACTIONS
    if not where.is_dir():
        raise BadInput(f"the folder {str(where)!r} does not exist", hint="name a folder of action files (YAML)")
    known = None if where == places.ACTIONS else skill.catalog.services
    problems = check_folder(where, known)
    if wants_json(skill.options):
        dump({"folder": str(where), "problems": [problem._asdict() for problem in problems]})
    else:
        for problem in problems:
            print(f"{problem.where}: {problem.what}")
        note(f"{len(problems)} problems" if problems else "no problems")
    return 1 if problems else 0


def drift(skill: Skill, schema: str | None) -> int:
    """Print how the service's published schema differs from the catalog.

    Returns:
        The exit code: 1 where something differs.

    Raises:
        Fault: the schema cannot be had, or is none.
    """
    from skill.catalog.drift import differences

    published = _published(skill, schema)
    if not isinstance(published, dict) or not isinstance(published.get("definitions"), dict):
        raise BadInput("that is no published schema", hint="a JSON hyper-schema with `definitions`, as GET /schema gives")
    found = differences([action for action in skill.catalog.actions() if action.link], published)
    if wants_json(skill.options):
        dump({"differences": [one._asdict() for one in found], "same": not found})
    else:
        for one in found:
            print(f"{one.kind:8} {one.link}{f' ({one.key})' if one.key else ''}: {one.what}")
        note(f"{len(found)} differences" if found else "the catalog is true to the published schema")
    return 1 if found else 0


def _published(skill: Skill, schema: str | None) -> Any:
    if schema is not None and not schema.startswith(("https://", "http://")):
        from skill.faces.given import read_json

        return read_json(f"@{schema}", "--schema")
    from skill.types import Request
    from skill.wire.exchange import ExchangeFailed
    from skill.wire.http import Network

    service = skill.service() or next(iter(skill.catalog.services.values()))
    url = schema or skill.base(service) + SCHEMA_PATH
    try:
        # no account is needed, so no credential goes along
        reply = Network()(Request("GET", url, {"Accept": service.accept}, timeout_s=skill.options.timeout_s))
    except ExchangeFailed as failed:
        from skill.faults import TryLater

        raise TryLater(failed.message, code="network", hint="or name a file: --schema schema.json") from None
    if reply.status != 200:
        raise Refused(f"{url} answered {reply.status}", http_status=reply.status, hint="or name a file: --schema schema.json")
    try:
        return json.loads(reply.body)
    except ValueError:
        return None
