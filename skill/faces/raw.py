"""`request`: a request of the caller's own, by the same way as an action."""

import json
from collections.abc import Sequence
from shlex import quote

from skill.app import Skill
from skill.faces.given import read_json, read_text
from skill.faces.output import check_selection, envelope, print_result
from skill.faces.printing import dump, note, print_plan, wants_json
from skill.faces.running import finish
from skill.faults import BadInput
from skill.shape import mask_text, plain
from skill.types import Json, Result

_SHOWN_MASKED = ("secret", "authorization", "cookie", "token")


def send_raw(
    skill: Skill,
    path: str,
    method: str | None,
    header: Sequence[str],
    data: str | None,
    raw_data: bool,
    query: Sequence[str],
    parameter: Sequence[str],
    include: bool,
    dry_run: bool,
    confirm: str | None,
) -> None:
    """Plan the request, and show or send it.

    Raises:
        BadInput: a part of it is not what it should be.
    """
    chosen = (method or ("POST" if data is not None else "GET")).upper()
    content, raw = _body(data, raw_data)
    headers = [_pair(one, ":", "-H") for one in header]
    pairs = [_pair(one, "=", "--query") for one in query]
    plan, given = skill.request(
        chosen, path, pairs, headers, content, raw, dict(_pair(one, "=", "--pathParam") for one in parameter)
    )
    if dry_run:
        print_plan(plan, skill.options)
        return
    words = [
        "request",
        "-X",
        chosen,
        quote(path),
        *(f"--query {quote(one)}" for one in query),
        *(f"--pathParam {quote(one)}" for one in parameter),
    ]
    # the body may hold a secret: a file or standard input can be named again, other data cannot be shown
    tail = [f"-d {quote(data) if data.startswith('@') or data == '-' else '@FILE'}"] if data is not None else []
    again = " ".join([*words, *tail])
    if not include:
        finish(skill, plan, given, confirm, again)
        return
    check_selection(skill.options, plan)
    _include(skill, skill.run(plan, given, confirm, again))


def _body(data: str | None, raw_data: bool) -> tuple[Json, bytes | None]:
    if data is None:
        return None, None
    if raw_data:
        return None, read_text(data, "--data")
    return read_json(data, "--data"), None


def _pair(text: str, mark: str, what: str) -> tuple[str, str]:
    name, found, value = text.partition(mark)
    if not found or not name.strip():
        raise BadInput(f"{what} wants NAME{mark}VALUE", hint=f"for example {what} name{mark}value")
    return name.strip(), value.strip() if mark == ":" else value


def _include(skill: Skill, result: Result) -> None:
    reply = result.reply
    if reply is None:
        print_result(result, skill.options)
        return
    headers = {
        name: "[masked]" if any(word in name for word in _SHOWN_MASKED) else mask_text(value)
        for name, value in reply.headers.items()
    }
    if wants_json(skill.options):
        dump({**envelope(result, skill.options.program), "status": reply.status, "headers": headers})
        return
    print(f"HTTP {reply.status}")
    for name, value in headers.items():
        print(f"{name}: {plain(value)}")
    print()
    for warning in result.warnings:
        note(f"warning: {warning}")
    print(plain(result.output) if isinstance(result.output, str) else json.dumps(result.output, ensure_ascii=False, indent=2))
