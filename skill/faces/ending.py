"""The ways out of the command line: interruptions, wrong usage, bugs, output that cannot be written; a line and an exit each."""

import errno
import io
import os
import sys
from typing import Any

import click

from skill.faults import BadInput, Fault, Step
from skill.types import Options

# a full disk or a broken device; every other trouble with a file has its own words where it is opened
FULL = (errno.ENOSPC, errno.EIO, errno.EBADF, errno.EFBIG)


def can_speak() -> bool:
    """Make the outputs safe to write to; without any nothing is begun, since nobody would learn what became of it."""
    if sys.stderr is None:
        # print would write to stdout in its place
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - it stays as long as the program
    if sys.stdout is None:
        print("error: standard output is closed; nothing was done", file=sys.stderr)
    elif isinstance(sys.stdout, io.TextIOWrapper):
        # a character that the output cannot carry must not hide what was done
        sys.stdout.reconfigure(errors="backslashreplace")
    return sys.stdout is not None


def finish(code: Any) -> int:
    """Give the exit code that a command returned."""
    if code == 130:
        # typer makes this of an interruption that came before the command had begun
        raise KeyboardInterrupt
    return code if isinstance(code, int) else 0


def stopped(stop: BaseException, program: str) -> int:
    """Say that the user interrupted, and what is unknown now."""
    words, command = stop.args if len(stop.args) == 2 else ("", "")
    look = f"; look first: {program} {command}" if command else ""
    print(f"interrupted{': ' + words if words else ''}{look}", file=sys.stderr)
    return 130


def report(fault: Fault, options: Options) -> int:
    """Print a fault and give its exit code."""
    from skill.faces.printing import print_fault
    from skill.shape import plain

    try:
        print_fault(fault, options)
    except BrokenPipeError:
        closed()
    except OSError:
        closed()
        print(f"error: {plain(fault.message)}; and the output could not be written", file=sys.stderr)
    return fault.exit


def usage(wrong: click.ClickException, program: str) -> BadInput:
    """Make a fault of words that the parser did not understand."""
    context = getattr(wrong, "ctx", None)
    # the program's own name may be of several words
    words = context.command_path.removeprefix(program).strip() if context else ""
    path = f"{words} " if words else ""
    if isinstance(wrong, click.exceptions.NoArgsIsHelpError):
        return BadInput(
            "a command is missing",
            code="usage",
            hint=f"{path}--help lists them",
            next=[Step(f"{path}--help", "see the commands")],
        )
    return BadInput(wrong.format_message(), code="usage", next=[Step(f"{path}--help", "see what it takes")])


def bug_of(bug: Exception, options: Options) -> Fault:
    """Make a fault of an exception that nobody expected."""
    if options.debug:
        print(_traceback(bug), file=sys.stderr)
    return Fault(f"a bug in this program: {type(bug).__name__}", hint="run it again with --debug and report what it shows")


def _traceback(bug: Exception) -> str:
    """Write where a bug is: whatever its words quote may be a secret, and is not shown."""
    import re
    import traceback

    from skill.shape import hide, mask_text

    tokens = [value for name, value in os.environ.items() if name.endswith(("_KEY", "_TOKEN", "_SECRET", "_PASSWORD")) and value]
    quoted = re.compile(r"""(['"]).*\1""", re.DOTALL)
    parts = [
        part if part.startswith(("Traceback", "  File", "\n")) else quoted.sub(r"\1[masked]\1", part)
        for part in traceback.format_exception(bug)
    ]
    return str(hide(mask_text("".join(parts)), tokens))


def closed() -> int:
    """Let what is still to be written go nowhere."""
    # the reader has gone; Python must not complain about it once more when it flushes at the end
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return 0


def flush(code: int) -> int:
    """Write what is still to be written."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return closed()
    except OSError as wrong:
        return code or unwritten(wrong)
    return code


def unwritten(wrong: OSError) -> int:
    """Say that the output could not be written."""
    print(f"error: the output could not be written: {wrong.strerror}", file=sys.stderr)
    closed()
    return 1
