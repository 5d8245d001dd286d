"""Print results: JSON for programs, tables and words for people; stdout has the result and nothing else."""

import json
import shutil
import sys
from collections.abc import Sequence
from typing import Any

from skill.faults import Fault, Step
from skill.shape import plain, plain_lines, show_plan, table
from skill.types import Action, Json, Options, Plan


def wants_json(options: Options) -> bool:
    """Tell whether the output is for a program: asked for, or not a terminal."""
    return options.json or not sys.stdout.isatty()


def note(text: str) -> None:
    """Say something beside the result, on stderr."""
    print(plain_lines(text), file=sys.stderr)


def dump(value: Json) -> None:
    """Print a value as compact JSON on one line."""
    print(compact(value))


def compact(value: Json) -> str:
    """Write a value as compact JSON on one line, which the output can carry."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        # JSON has its own way to write what the output cannot carry, such as half of a surrogate pair
        text = json.dumps(value, separators=(",", ":"))
    return text


def width() -> int:
    """Give the columns of the terminal, 0 where there is none."""
    return shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 0


def print_actions(items: Sequence[dict[str, Any]], options: Options, intent: str | None) -> None:
    """Print a list of actions for people."""
    if intent is None:
        print(table([{"name": item["key"], "type": item["risk"], "title": item["name"]} for item in items], width()))
        note(f'\n{len(items)} actions. Say what you want: {options.program} action list --intent "restart the shop app"')
        return
    for item in items:
        print(f"{item['score']:.2f}  {item['key']}  ({item['risk']})\n      {plain(item['description'])}")
    if items:
        note(f"\nLook closer: {options.program} action show {items[0]['key']}")


def print_action(action: Action, options: Options) -> None:
    """Print everything a person needs to run an action."""
    print(f"{action.title}  ({action.key}, {action.risk})\n{plain(action.about)}")
    if action.instead:
        print(f"Instead: {plain(action.instead)}")
    print(f"\nRequest  {action.method} {'https://' + action.host if action.host else ''}{action.path}")
    required = set(action.input.get("required", ()))
    for name, node in action.input["properties"].items():
        mark = "required" if name in required and "default" not in node else "optional"
        kind = node.get("type", "any")
        kind = " or ".join(kind) if isinstance(kind, list) else kind
        print(f"  {name}  ({kind}, {mark})  {plain(node.get('description', ''))}")
        _print_inner(node)
    example = json.dumps(action.example or {}, ensure_ascii=False, separators=(",", ":"))
    from shlex import quote

    tail = f" --input {quote(example)}" if action.example else ""
    print(f"\nRehearse  {options.program} action run {action.key}{tail} --dry-run")


def _print_inner(node: dict[str, Any]) -> None:
    items = node.get("items")
    inner = node.get("properties") or (items.get("properties") if isinstance(items, dict) else None) or {}
    for name, part in inner.items():
        print(f"    {name}  {plain(part.get('description', ''))}")


def print_plan(plan: Plan, options: Options) -> None:
    """Print a dry run."""
    shown = show_plan(plan, options.reveal)
    if wants_json(options):
        dump({"dryRun": True, "plan": shown, **({"sandbox": True} if options.sandbox else {})})
        return
    print(f"{shown['method']} {plain(shown['url'])}")
    for name, value in shown["headers"].items():
        print(f"{name}: {plain(value)}")
    if "body" in shown:
        print("\n" + plain_lines(json.dumps(shown["body"], ensure_ascii=False, indent=2)))
    note(
        f"\nNothing was sent. Risk: {plan.risk}."
        + (f" The run will want --confirm {shown['confirm']}" if "confirm" in shown else "")
    )


def print_value(value: Json) -> None:
    """Print a value for people."""
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        print(table(value, width()))
    elif isinstance(value, dict) and value:
        size = max(map(len, value))
        for name, part in value.items():
            print(f"{plain(name):{size}}  {'' if part is None else plain(part)}")
    elif isinstance(value, str):
        print(plain_lines(value))
    else:
        print("done" if value in (None, {}) else plain(value))


def print_fault(fault: Fault, options: Options) -> None:
    """Print what went wrong: the envelope on stdout for programs, and always a line on stderr."""
    fault.next = with_program(fault.next, options.program)
    for warning in fault.warnings:
        note(f"warning: {warning}")
    if wants_json(options):
        whole: dict[str, Json] = {"error": fault.as_json()}
        if fault.output is not None:
            whole.update(output=fault.output, page=fault.page)
        dump(whole)
        sys.stdout.flush()
        note(plain(f"error: {fault.message}"))
        return
    if fault.output is not None:
        print_value(fault.output)
    lines = [
        f"error: {fault.message}",
        *(f"  {one.where or '/'}: {one.what}" for one in fault.problems if len(fault.problems) > 1),
    ]
    lines += [f"hint: {fault.hint}"] if fault.hint else []
    lines += [f"next: {step.command}    # {step.why}" for step in fault.next]
    note("\n".join(lines))


def with_program(steps: Sequence[Step], program: str) -> tuple[Step, ...]:
    """Write the program's name before every command, as it was called."""
    return tuple(Step(f"{program} {step.command}", step.why) for step in steps)
