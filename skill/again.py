"""The command again: written in one place, so that what decides where and what is sent is never left out of it."""

import json
from collections.abc import Mapping, Sequence
from shlex import quote

from skill.faults import BadInput, Problem, Step
from skill.paths import path_parameters
from skill.plan import MASK, secret_pointers
from skill.types import Action, Json, Options

SANDBOX = "sandbox"


def where(options: Options) -> str:
    """Write the options that every command of this call needs: which actions there are, and what answers."""
    words = [word for folder in options.actions for word in ("--actions", str(folder))]
    return "".join(f" {quote(word)}" for word in [*words, *(["--sandbox"] if in_sandbox(options) else [])])


def connection(options: Options) -> str:
    """Write the option that names the connection."""
    named = options.connection
    return f" --connectionId {quote(named)}" if named and named != SANDBOX else ""


def manner(options: Options) -> str:
    """Write the options that change what the same command sends, or when it counts as done."""
    flags = {
        "--allow-unknown": options.allow_unknown,
        "--if-missing": options.if_missing,
        "--missing-ok": options.missing_ok,
        "--token-stdin": options.token_stdin,
    }
    values = {"--sort": options.sort, "--order": options.order}
    words = [name for name, given in flags.items() if given]
    words += [word for name, value in values.items() if value for word in (name, value)]
    return "".join(f" {quote(word)}" for word in words)


def in_sandbox(options: Options) -> bool:
    """Tell whether this call itself says that the embedded stand-in answers."""
    return options.sandbox or options.connection == SANDBOX


def run_command(action: Action, given: Mapping[str, Json], options: Options) -> str:
    """Write the command that runs an action, without the program's name, quoted for a shell."""
    # a secret is not put into a command that is shown: the caller names the file that holds the input
    hidden = secret_pointers(dict(given), action.input)
    shown = "@FILE" if hidden else quote(json.dumps(given, ensure_ascii=False, separators=(",", ":")))
    tail = f" --input {shown}" if given else ""
    return f"action run {action.key}{tail}{connection(options)}{where(options)}"


def bad_input(action: Action, problems: Sequence[Problem], options: Options) -> BadInput:
    """Say what is wrong with an input, and how to see what the action takes."""
    nodes = action.input["properties"]
    names = [*path_parameters(action.path), *action.input.get("required", ())]
    example = {
        name: MASK if nodes[name].get("x-secret") else value for name, value in (action.example or {}).items() if name in names
    }
    count = len(problems)
    return BadInput(
        f"the input of {action.key} has {'a problem' if count == 1 else f'{count} problems'}: "
        + "; ".join(f"{problem.where or '/'} {problem.what}" for problem in problems[:3]),
        problems=problems,
        next=[
            Step(f"action show {action.key}{where(options)}", "see what it takes"),
            Step(f"{run_command(action, example, options)} --dry-run", "rehearse it with the example"),
        ],
    )
