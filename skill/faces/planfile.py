"""A plan in a file: what a dry run showed, to be run later exactly so, or not at all."""

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import Any

from skill.app import Skill
from skill.faces.order import How, Maker, Order, check_how, finish, rehearsed
from skill.faces.output import check_selection
from skill.faces.printing import print_plan
from skill.faults import BadInput, Step
from skill.places import write_whole
from skill.plan import digest
from skill.shape import show_plan
from skill.types import Json

VERSION = 1


def write(skill: Skill, maker: Maker, order: Order, path: str) -> None:
    """Write a plan with a digest of all that it will send; secrets are not in it, so what holds one must be given again.

    Raises:
        BadInput: the file cannot be written.
    """
    salt = secrets.token_hex(16)
    content = {
        "skillPlan": VERSION,
        **maker.kept(order),
        "plan": show_plan(order.plan),
        "sandbox": skill.sandbox,
        "connection": skill.connection,
        "salt": salt,
        "digest": digest(order.plan, salt),
    }
    text = json.dumps(content, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass") + b"\n"
    try:
        write_whole(Path(path), text, mode=0o600)
    except OSError as wrong:
        raise BadInput(f"--out {path!r}: {wrong.strerror}", hint="name a file that may be written") from None


def run(
    skill: Skill, how: How, *, key: str | None = None, given: Mapping[str, Json] | None = None, raw: Maker | None = None
) -> int:
    """Run a kept plan, or show it once more.

    Args:
        key: the action's key where the caller gave it too.
        given: the input, wanted again where the plan holds a secret.
        raw: the request, wanted again where the plan holds a secret.

    Returns:
        The exit code.

    Raises:
        BadInput: it is no plan, or what would be sent differs from what was shown.
        Fault: the run failed.
    """
    check_how(skill, how)
    if how.out:
        raise BadInput("--out keeps a plan, and --plan has one", hint="leave one of them out")
    maker, order = read(skill, how, key=key, given=given, raw=raw)
    check_selection(skill.options, maker.output)
    if how.dry_run:
        print_plan(order.plan, skill.options)
        return 0
    return finish(skill, maker.make(skill, {}) if order.plan.lookups else order, how)


def read(
    skill: Skill, how: How, *, key: str | None = None, given: Mapping[str, Json] | None = None, raw: Maker | None = None
) -> tuple[Maker, Order]:
    """Read a plan and make it anew, to be rehearsed or run.

    Raises:
        BadInput: it is no plan, or what would be sent differs from what was shown.
    """
    path = how.plan or ""
    try:
        content = json.loads(Path(path).read_bytes())
        salt, wanted, shown = content["salt"], content["digest"], content["plan"]
        maker = _maker(skill, path, content, key, given or {}, raw)
    except (OSError, ValueError, KeyError, TypeError):
        raise BadInput(
            f"--plan {path!r} is no plan", code="bad_plan", hint="action run KEY … --dry-run --out FILE writes one"
        ) from None
    _check_where(skill, content)
    order = rehearsed(skill, maker, how)
    if digest(order.plan, salt) != wanted or show_plan(order.plan) != shown:
        step = Step(f"{order.again} --dry-run --out {quote(path)}", "make the plan anew")
        raise _differs("what would be sent now differs from what was shown; nothing was sent", step)
    return maker, order


def _maker(
    skill: Skill, path: str, content: Mapping[str, Any], key: str | None, given: Mapping[str, Json], raw: Maker | None
) -> Maker:
    from skill.faces.raw import maker_from
    from skill.faces.running import ActionMaker

    if content["skillPlan"] != VERSION:
        raise ValueError
    kept = content.get("key")
    if key is not None and key != kept:
        step = Step(f"action run --plan {quote(path)}", "run that plan")
        raise _differs(f"--plan {path!r} is a plan of {kept or 'a raw request'}", step)
    if raw is not None:
        return raw
    again = content["input"] if kept else content["request"]
    if again is None and not (kept and given):
        what = "--input" if kept else "request"
        hint = f"give the same {what} again, beside --plan"
        raise BadInput("the plan holds a secret, which is not kept in it", code="plan_needs_input", hint=hint)
    if not kept:
        return maker_from(skill, again)
    if again is not None and given and dict(given) != again:
        raise _differs("the input differs from the plan's", Step(f"action run --plan {quote(path)}", "run it as it was shown"))
    return ActionMaker(skill.show(kept), given or again)


def _check_where(skill: Skill, content: Mapping[str, Any]) -> None:
    """Refuse a plan that was made for another place: a rehearsal is not the real thing, nor one account another."""
    sandbox, connection = bool(content.get("sandbox")), content.get("connection")
    if sandbox != skill.sandbox:
        raise _differs(f"the plan was made {'with' if sandbox else 'without'} --sandbox", None)
    if connection != skill.connection:
        made = f"for the connection {connection!r}" if connection else "without a connection"
        raise _differs(f"the plan was made {made}", None)


def _differs(message: str, step: Step | None) -> BadInput:
    hint = "the input, the catalog or the host has changed since: rehearse again, or call it as then"
    return BadInput(message, code="plan_differs", hint=hint, next=[step] if step else [])
