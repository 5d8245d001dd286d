"""`action show`, `action run`, `log` and `sandbox reset`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from skill import places
from skill.app import Skill
from skill.faces.given import read_input
from skill.faces.order import How, Order, carry_out
from skill.faces.printing import dump, print_action, wants_json, width
from skill.faults import BadInput, Step
from skill.shape import full, mask, table
from skill.types import Action, Json, Schema


def show_action(skill: Skill, key: str) -> None:
    """Print everything that is known of an action."""
    action = skill.show(key)
    if wants_json(skill.options):
        dump(full(action))
    else:
        print_action(action, skill.options)


@dataclass(frozen=True, slots=True)
class ActionMaker:
    """Plans a named action; `base` is the input that every one of many runs has."""

    action: Action
    base: Mapping[str, Json]

    @property
    def word(self) -> str:
        """The action's key."""
        return self.action.key

    @property
    def key(self) -> str:
        """The action's key."""
        return self.action.key

    @property
    def inputs(self) -> Mapping[str, Schema]:
        """The schemas of its inputs."""
        known: Mapping[str, Schema] = self.action.input["properties"]
        return known

    @property
    def output(self) -> Schema | None:
        """The schema of what comes back."""
        return self.action.output

    @property
    def risky(self) -> bool:
        """Whether it destroys something."""
        return self.action.risk == "destroy"

    @property
    def signed(self) -> tuple[str, str | None]:
        """The service, and how it is signed in to."""
        return self.action.service, self.action.sign_in

    @property
    def identity(self) -> str:
        """All that is the same for many inputs."""
        return json.dumps([self.action.key, self.base], sort_keys=True)

    def make(self, skill: Skill, given: Mapping[str, Json], *, rehearse: bool = False) -> Order:
        """Plan it, with one more input."""
        plan, whole = skill.plan(self.action.key, {**self.base, **given}, rehearse=rehearse)
        return Order(plan, whole, skill.command(self.action.key, whole))

    def again(self, skill: Skill) -> str:
        """Write the command without the inputs of its lines."""
        return skill.command(self.action.key, self.base)

    def kept(self, order: Order) -> dict[str, Json]:
        """Give the key and the input; an input that holds a secret must be given again."""
        hidden = order.plan.secrets or mask(order.given, self.action.input) != order.given
        return {"key": self.action.key, "input": None if hidden else order.given}


def run_action(skill: Skill, key: str | None, given: str | None, pairs: list[str], how: How) -> int:
    """Plan an action, and show or run it, once or for many inputs.

    Returns:
        The exit code.

    Raises:
        Fault: the input is wrong, or the run failed.
    """
    if key is None and how.plan is None:
        raise BadInput("which action?", code="usage", next=[Step('action list --intent "what you want to do"', "find it")])
    if given == how.each == "-":
        raise BadInput("--input and --each cannot both be standard input", hint="give one of them as @FILE")
    action = skill.show(key) if key else None
    whole = read_input(given, pairs, action.input if action else {})
    if how.plan is None and action is not None:
        return carry_out(skill, ActionMaker(action, whole), how)
    from skill.faces import planfile

    return planfile.run(skill, how, key=key, given=whole)


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
