"""`action show`, `action run` and `sandbox reset`."""

from collections.abc import Mapping, Sequence
from functools import partial

from skill import places
from skill.app import Skill
from skill.faces.given import read_input
from skill.faces.output import check_selection, print_item, print_result, streams
from skill.faces.printing import dump, note, print_action, print_plan, wants_json
from skill.shape import full, show_plan
from skill.types import Json, Plan


def show_action(skill: Skill, key: str) -> None:
    """Print everything that is known of an action."""
    action = skill.show(key)
    if wants_json(skill.options):
        dump(full(action))
    else:
        print_action(action, skill.options)


def run_action(skill: Skill, key: str, given: str | None, pairs: Sequence[str], dry_run: bool, confirm: str | None) -> None:
    """Plan an action, and show or run it.

    Raises:
        Fault: the input is wrong, or the run failed.
    """
    plan, whole = skill.plan(key, read_input(given, pairs, skill.show(key).input), rehearse=dry_run)
    if dry_run:
        print_plan(plan, skill.options)
        return
    if skill.options.verbose:
        shown = show_plan(plan)
        note(f"{shown['method']} {shown['url']}")
    finish(skill, plan, whole, confirm, skill.command(key, whole))


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
