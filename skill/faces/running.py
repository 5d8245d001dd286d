"""`action show`, `action run` and `sandbox reset`."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

from skill import places
from skill.app import Skill
from skill.faces.given import read_input
from skill.faces.output import check_selection, print_item, print_result, streams
from skill.faces.printing import dump, note, print_action, print_plan, wants_json, width
from skill.faults import BadInput, Step
from skill.shape import full, show_plan, table
from skill.types import Json, Plan


def show_action(skill: Skill, key: str) -> None:
    """Print everything that is known of an action."""
    action = skill.show(key)
    if wants_json(skill.options):
        dump(full(action))
    else:
        print_action(action, skill.options)


class Asked(NamedTuple):
    """What a caller asks of `action run`."""

    key: str | None
    given: str | None
    pairs: Sequence[str]
    dry_run: bool
    confirm: str | None
    out: str | None
    plan: str | None
    each: str | None
    set_from: str | None
    jobs: int
    resume: str | None


def run_action(skill: Skill, asked: Asked) -> int:
    """Plan an action, and show or run it, once or for many inputs.

    Returns:
        The exit code.

    Raises:
        Fault: the input is wrong, or the run failed.
    """
    if asked.key is None and asked.plan is None:
        raise BadInput("which action?", code="usage", next=[Step('action list --intent "what you want to do"', "find it")])
    schema = skill.show(asked.key).input if asked.key else {}
    given = read_input(asked.given, asked.pairs, schema)
    if asked.each is not None and asked.key:
        from skill.faces.each import run_each

        return run_each(skill, skill.show(asked.key), asked.each, given, asked.set_from, asked.confirm, asked.jobs, asked.resume)
    if asked.plan is not None:
        from skill.faces import planfile

        plan, whole = planfile.read(skill, asked.plan, asked.key, given)
    else:
        plan, whole = skill.plan(asked.key or "", given, rehearse=asked.dry_run)
    if asked.dry_run or asked.out:
        return _rehearse(skill, plan, whole, asked.out)
    if skill.options.verbose:
        shown = show_plan(plan)
        note(f"{shown['method']} {shown['url']}")
    key = plan.action.key if plan.action else ""
    finish(skill, plan, whole, asked.confirm, skill.command(key, whole))
    return 0


def _rehearse(skill: Skill, plan: Plan, given: Mapping[str, Json], out: str | None) -> int:
    print_plan(plan, skill.options)
    if out:
        from skill.faces import planfile

        planfile.write(plan, given, out)
        note(f"Run exactly this: {skill.options.program} action run --plan {out}")
    return 0


def finish(skill: Skill, plan: Plan, given: Mapping[str, Json], confirm: str | None, again: str) -> None:
    """Run a plan and print its result, streamed where that was asked for.

    Raises:
        Fault: the run failed.
    """
    options = skill.options
    check_selection(options, plan)
    if not streams(options):
        print_result(skill.run(plan, given, confirm, again), options)
        return
    result = skill.run(plan, given, confirm, again, partial(print_item, options=options))
    if result.output is not None:
        print_result(result, options)
    for warning in result.warnings:
        note(f"warning: {warning}")


def reset_sandbox(skill: Skill) -> None:
    """Put the sandbox back to how it starts."""
    from skill.sandbox import Sandbox

    Sandbox(skill.catalog, places.state() / "sandbox.json").reset()
    if wants_json(skill.options):
        dump({"reset": True})
    else:
        print("The sandbox is as new.")


def show_log(skill: Skill, limit: int) -> None:
    """Print the last writes, one a run: what was tried, and what became of it."""
    from skill.audit import read

    runs: dict[str, dict[str, Json]] = {}
    for entry in read():
        runs[entry.get("actionRunId", "")] = entry
    items = list(runs.values())[-limit or None :]
    if wants_json(skill.options):
        dump({"items": items})
        return
    rows = [{"name": one.get("time"), "state": one.get("outcome"), "type": one.get("key") or one.get("request")} for one in items]
    print(table(rows, width()))
