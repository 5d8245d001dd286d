"""A plan in a file: what a dry run showed, to be run later exactly so, or not at all."""

import json
import secrets
from collections.abc import Mapping
from pathlib import Path

from skill.app import Skill
from skill.faults import BadInput, Step
from skill.places import write_whole
from skill.plan import digest
from skill.shape import show_plan
from skill.types import Json, Plan

VERSION = 1


def write(plan: Plan, given: Mapping[str, Json], path: str) -> None:
    """Write a plan with a digest of all that it will send; secrets are not in it, so those must be given again.

    Raises:
        BadInput: the file cannot be written, or the plan is of a raw request.
    """
    if plan.action is None or plan.raw is not None:
        raise BadInput("--out keeps the plan of an action", hint="find the action that this request is: action list --intent …")
    salt = secrets.token_hex(16)
    content = {
        "skillPlan": VERSION,
        "key": plan.action.key,
        "input": None if plan.secrets else dict(given),
        "plan": show_plan(plan),
        "salt": salt,
        "digest": digest(plan, salt),
    }
    try:
        write_whole(
            Path(path), json.dumps(content, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass") + b"\n", mode=0o600
        )
    except OSError as wrong:
        raise BadInput(f"--out {path!r}: {wrong.strerror}", hint="name a file that may be written") from None


def read(skill: Skill, path: str, key: str | None, given: Mapping[str, Json]) -> tuple[Plan, dict[str, Json]]:
    """Read a plan and make it anew; what was shown is what is run.

    Args:
        key: the action's key where the caller gave it too.
        given: the input, wanted again where the plan holds a secret.

    Raises:
        BadInput: it is no plan, or what would be sent differs from what was shown.
    """
    try:
        content = json.loads(Path(path).read_bytes())
        version, kept, salt, wanted = content["skillPlan"], content["key"], content["salt"], content["digest"]
    except (OSError, ValueError, KeyError, TypeError):
        raise BadInput(
            f"--plan {path!r} is no plan", code="bad_plan", hint="action run KEY … --dry-run --out FILE writes one"
        ) from None
    if version != VERSION or (key is not None and key != kept):
        raise BadInput(
            f"--plan {path!r} is a plan of {kept}", code="plan_differs", next=[Step(f"action run --plan {path}", "run that plan")]
        )
    if content.get("input") is None and not given:
        raise BadInput(
            "the plan holds a secret, which is not kept in it", code="plan_needs_input", hint="give the same --input again"
        )
    if content.get("input") is not None and given and dict(given) != content["input"]:
        raise BadInput("the input differs from the plan's", code="plan_differs", hint="leave --input out, or make a new plan")
    plan, whole = skill.plan(kept, given or content["input"])
    if digest(plan, salt) != wanted:
        raise BadInput(
            "what would be sent now differs from what was shown; nothing was sent",
            code="plan_differs",
            hint="the input, the catalog or the host has changed since: rehearse again",
            next=[Step(f"action run {kept} --input @FILE --dry-run --out {path}", "make the plan anew")],
        )
    return plan, whole
