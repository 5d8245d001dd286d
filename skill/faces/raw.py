"""`request`: a request of the caller's own, by the same way as an action."""

import json
from collections.abc import Sequence
from shlex import quote
from typing import NamedTuple

from skill.again import SANDBOX, manner, where
from skill.app import Skill
from skill.faces.given import read_json, read_text
from skill.faces.output import check_selection, envelope, print_result
from skill.faces.printing import dump, note, print_plan, wants_json
from skill.faces.running import finish
from skill.faults import BadInput
from skill.plan import MASK
from skill.shape import SECRET_HEADERS, mask_text, plain, plain_lines
from skill.types import Json, Options, Plan, Result


class Wanted(NamedTuple):
    """What a caller asks of `request`."""

    path: str
    method: str | None
    header: Sequence[str]
    data: str | None
    raw_data: bool
    query: Sequence[str]
    parameter: Sequence[str]
    include: bool
    dry_run: bool
    confirm: str | None

    @property
    def verb(self) -> str:
        """The method: as given, else what the body suggests."""
        return (self.method or ("POST" if self.data is not None else "GET")).upper()


def send_raw(skill: Skill, wanted: Wanted) -> None:
    """Plan the request, and show or send it.

    Raises:
        BadInput: a part of it is not what it should be.
    """
    content, raw = _body(wanted.data, wanted.raw_data)
    headers = [_pair(one, ":", "-H") for one in wanted.header]
    pairs = [_pair(one, "=", "--query") for one in wanted.query]
    parameters = dict(_pair(one, "=", "--pathParam") for one in wanted.parameter)
    plan, given = skill.request(wanted.verb, wanted.path, pairs, headers, content, raw, parameters)
    if wanted.dry_run:
        print_plan(plan, skill.options)
        return
    again = _again(wanted, plan, skill.options)
    if not wanted.include:
        finish(skill, plan, given, wanted.confirm, again)
        return
    check_selection(skill.options, plan)
    _include(skill, skill.run(plan, given, wanted.confirm, again))


def _again(wanted: Wanted, plan: Plan, options: Options) -> str:
    """Write the command again, without what is secret in it."""
    named = [options.connection] if options.connection and options.connection != SANDBOX else []
    hidden = plan.shown_url != plan.url
    words = ["request", *named, "-X", wanted.verb, plan.shown_url if hidden else wanted.path]
    words += [word for one in wanted.header for word in ("-H", _shown_header(one))]
    words += [word for one in wanted.query if not hidden for word in ("--query", one)]
    words += [word for one in wanted.parameter if not hidden for word in ("--pathParam", one)]
    # the body may hold a secret: a file or standard input can be named again, other data cannot be shown
    data = wanted.data
    words += ["-d", data if data == "-" or data.startswith("@") else "@FILE"] if data is not None else []
    words += ["--rawData"] if wanted.raw_data else []
    return " ".join(quote(mask_text(word)) for word in words) + where(options) + manner(options)


def _shown_header(header: str) -> str:
    name, _, value = header.partition(":")
    return f"{name}: {MASK}" if any(word in name.lower() for word in SECRET_HEADERS) else f"{name}:{value}"


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
        name: MASK if any(word in name for word in SECRET_HEADERS) else mask_text(value) for name, value in reply.headers.items()
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
    text = result.output if isinstance(result.output, str) else json.dumps(result.output, ensure_ascii=False, indent=2)
    print(plain_lines(text))
