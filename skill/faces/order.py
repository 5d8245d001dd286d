"""One way for `action run` and `request`: show a plan, keep it, run it once or for many inputs, run one that was kept."""

import sys
from collections.abc import Mapping
from functools import partial
from shlex import quote
from typing import NamedTuple, Protocol

from skill.again import connection, where
from skill.app import Skill
from skill.faces.output import check_selection, print_included, print_item, print_result, streams
from skill.faces.printing import note, print_plan
from skill.faces.progress import Progress
from skill.faults import BadInput, Refused
from skill.plan import consented
from skill.shape import show_plan
from skill.types import Json, Plan, Result, Schema


class How(NamedTuple):
    """What a caller wants to happen; `include` shows the head of the reply too."""

    dry_run: bool = False
    confirm: str | None = None
    out: str | None = None
    plan: str | None = None
    each: str | None = None
    set_from: str | None = None
    jobs: int = 8
    resume: str | None = None
    include: bool = False


class Order(NamedTuple):
    """A plan, the input that it was made from, and the command that makes it again."""

    plan: Plan
    given: dict[str, Json]
    again: str


class Maker(Protocol):
    """Makes the plan of a call, and plans it anew for each of many inputs."""

    @property
    def word(self) -> str:
        """What the call is named by, and what confirms to destroy many things: an action's key, else the method."""
        ...

    @property
    def key(self) -> str | None:
        """The key of a named action."""
        ...

    @property
    def identity(self) -> str:
        """All that is the same for many inputs, as a text that is never shown."""
        ...

    @property
    def inputs(self) -> Mapping[str, Schema]:
        """The schemas of the inputs that are known."""
        ...

    @property
    def output(self) -> Schema | None:
        """The schema of what comes back."""
        ...

    @property
    def risky(self) -> bool:
        """Whether it destroys something."""
        ...

    @property
    def signed(self) -> tuple[str | None, str | None]:
        """The service, and how it is signed in to, where they are known."""
        ...

    def make(self, skill: Skill, given: Mapping[str, Json], *, rehearse: bool = False) -> Order:
        """Plan it, with one more input."""
        ...

    def again(self, skill: Skill) -> str:
        """Write the command without the inputs of its lines."""
        ...

    def kept(self, order: Order) -> dict[str, Json]:
        """Give what a plan file keeps to make the plan again; nothing that is secret."""
        ...


def carry_out(skill: Skill, maker: Maker, how: How) -> int:
    """Show, keep or run what a maker plans.

    Returns:
        The exit code.

    Raises:
        Fault: the input is wrong, or the run failed.
    """
    check_how(skill, how)
    check_selection(skill.options, maker.output)
    if how.each is not None:
        from skill.faces.each import run_each

        return run_each(skill, maker, how)
    if how.dry_run or how.out:
        return _rehearse(skill, maker, how)
    order = planned(skill, maker, {})
    if isinstance(order, Result):
        print_result(order, skill.options)
        return 0
    return finish(skill, order, how)


def check_how(skill: Skill, how: How) -> None:
    """Refuse options that cannot stand beside one another.

    Raises:
        BadInput: they cannot.
    """
    if how.include and (skill.options.jq or skill.options.format not in (None, "json")):
        raise BadInput("-i shows the head beside the envelope", hint="leave -i out, or --jq and --format")
    if how.each is None:
        for name, given in (("--set-from", how.set_from), ("--resume", how.resume)):
            if given is not None:
                raise BadInput(f"{name} is for --each", hint="give --each @FILE or --each -, or leave it out")
        return
    for name, asked in (("--out", how.out), ("--plan", how.plan), ("-i", how.include)):
        if asked:
            raise BadInput(f"{name} is for one run, and --each is for many", hint=f"leave {name} out")
    if skill.options.format in ("table", "csv"):
        raise BadInput("--each prints a JSON line for every input", hint="leave --format out; --jq or --fields choose")


def planned(skill: Skill, maker: Maker, given: Mapping[str, Json]) -> Order | Result:
    """Plan a run; where what it deletes was not found while names were looked up, that is its result."""
    try:
        return maker.make(skill, given)
    except Refused as fault:
        result = skill.gone(maker.key, fault) if maker.key else None
        if result is None:
            raise
        return result


def finish(skill: Skill, order: Order, how: How) -> int:
    """Run a plan and print its result, streamed where that was asked for.

    Raises:
        Fault: the run failed.
    """
    options, plan = skill.options, consented(order.plan, how.confirm)
    if options.verbose:
        shown = show_plan(plan)
        note(f"{shown['method']} {shown['url']}")
    sink = partial(print_item, options=options) if streams(options) and not how.include else None
    with Progress(quiet=sink is not None and sys.stdout.isatty()) as progress:
        skill.told = progress.items
        result = skill.run(plan, order.given, how.confirm, order.again, sink)
    if how.include and result.reply is not None:
        print_included(result, options)
    else:
        print_result(result, options, streamed=sink is not None and result.output is None)
    return 0


def rehearsed(skill: Skill, maker: Maker, how: How) -> Order:
    """Plan a run without sending anything, as it would be sent."""
    order = maker.make(skill, {}, rehearse=True)
    return order._replace(plan=consented(order.plan, how.confirm))


def _rehearse(skill: Skill, maker: Maker, how: How) -> int:
    order, out = rehearsed(skill, maker, how), how.out
    if out:
        from skill.faces import planfile

        planfile.write(skill, maker, order, out)
    print_plan(order.plan, skill.options)
    if out:
        options = skill.options
        note(f"Run exactly this: {options.program} action run --plan {quote(out)}{connection(options)}{where(options)}")
    return 0
