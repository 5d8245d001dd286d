"""The options that every command takes, before or after its name, kept once for the whole call."""

import os
import sys
from pathlib import Path
from typing import Any

import click
import typer
from typer.core import TyperCommand, TyperGroup

from skill import __version__
from skill.types import Options

EXIT_HELP = "Exit codes"


def options_of(context: click.Context) -> Options:
    """Give the options of the call that a context belongs to."""
    root = context.find_root()
    if not isinstance(root.obj, Options):
        root.obj = Options(program=program_name())
    return root.obj


def program_name() -> str:
    """Give the program's name as it was called, so that the commands it suggests can be typed as they stand."""
    called = os.environ.get("SKILL_PROGRAM")
    if called:
        return called
    name = os.path.basename(sys.argv[0] or "skill")
    return "python -m skill" if name == "__main__.py" else name


def _keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    # --limit 0 is said, and not left out
    if value is None or value is False or value == ():
        return
    kept, name = options_of(context), str(parameter.name)
    if isinstance(value, tuple):
        getattr(kept, name).extend(part for one in value for part in (str(one).split(",") if name == "fields" else [one]))
    else:
        setattr(kept, name, value)


def _version(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        from skill.faces.version import version_text

        typer.echo(version_text())
        context.exit()


class Seconds(click.FloatRange):
    """A span in seconds within a range; NaN, which no comparison keeps out, is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read a number and refuse what is not in the range."""
        seconds = super().convert(value, param, ctx)
        return seconds if seconds == seconds else self.fail(f"{value!r} is no number of seconds.", param, ctx)  # noqa: PLR0124


def shared() -> list[click.Parameter]:
    """Make the options that stand on every command."""
    flag: dict[str, Any] = {"is_flag": True, "expose_value": False, "callback": _keep}
    given: dict[str, Any] = {"expose_value": False, "callback": _keep}
    return [
        click.Option(["--json", "json"], help="Print JSON, also on a terminal.", **flag),
        click.Option(["--sandbox"], help="Answer from the embedded stand-in: no account, no network.", **flag),
        click.Option(
            ["--actions"],
            multiple=True,
            type=click.Path(path_type=Path),
            metavar="DIR",
            help="A folder of your own actions.",
            **given,
        ),
        click.Option(
            ["--timeout", "timeout_s"],
            type=Seconds(0.1, 3600),
            metavar="SECONDS",
            help="Limit of all that the command sends (60).",
            **given,
        ),
        click.Option(["--token-stdin", "token_stdin"], hidden=True, help="For people: read a token from standard input.", **flag),
        *_shaping(),
        click.Option(["--allow-unknown", "allow_unknown"], help="Send properties that are not known.", **flag),
        click.Option(["--strict"], help="A reply unlike its schema is an error.", **flag),
        click.Option(["--verbose"], help="Say on stderr what is sent.", **flag),
        click.Option(["--debug"], help="Show where a bug of this program is.", **flag),
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_version,
            help=f"Say {__version__} and what it carries.",
        ),
    ]


def _shaping() -> list[click.Parameter]:
    """Make the options that say what of a result is shown, and how."""
    given: dict[str, Any] = {"expose_value": False, "callback": _keep}
    return [
        click.Option(["--reveal"], multiple=True, metavar="FIELD", help="Show a secret field, or all.", **given),
        click.Option(["--fields"], multiple=True, metavar="A,B.C", help="Only these fields of the output.", **given),
        click.Option(["--jq"], metavar="EXPR", help="A jq expression, applied to the output.", **given),
        click.Option(
            ["--format"], type=click.Choice(["json", "ndjson", "table", "csv"]), help="How the output is written.", **given
        ),
        click.Option(
            ["--max-bytes", "max_bytes"],
            type=click.IntRange(200),
            metavar="N",
            help="Cut a longer output; the whole goes to a file.",
            **given,
        ),
    ]


def running() -> list[click.Parameter]:
    """Make the options that stand on every command that sends a request."""
    flag: dict[str, Any] = {"is_flag": True, "expose_value": False, "callback": _keep}
    given: dict[str, Any] = {"expose_value": False, "callback": _keep}
    return [
        click.Option(["--limit"], type=click.IntRange(0), metavar="N", help="At most so many items of a list (0: all).", **given),
        click.Option(["--sort"], metavar="FIELD", help="Sort a list by a field, where it can be.", **given),
        click.Option(["--order"], type=click.Choice(["asc", "desc"]), help="Which way to sort.", **given),
        click.Option(["--if-missing", "if_missing"], help="A create that finds its thing there already is done.", **flag),
        click.Option(["--missing-ok", "missing_ok"], help="A delete that finds its thing gone already is done.", **flag),
        click.Option(
            ["--two-factor-code", "two_factor"], metavar="CODE", help="The code that the account's second factor shows.", **given
        ),
    ]


class Stopped(Exception):
    """The user interrupted a command: nothing, or what is unknown now and the command that tells."""


class ReaderGone(Exception):
    """Whoever read the output has gone."""


class Command(TyperCommand):
    """A command with the shared options at its end."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an interruption keeps its words, and a reader's leaving its meaning, which typer would drop."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stop:
            raise Stopped(*stop.args) from None
        except BrokenPipeError:
            raise ReaderGone from None

    def __init__(self, *args: Any, params: list[click.Parameter] | None = None, **more: Any) -> None:
        super().__init__(*args, params=[*(params or []), *_without_twins(params)], **more)


class Group(TyperGroup):
    """A group of commands with the shared options at its end."""

    def __init__(self, *args: Any, params: list[click.Parameter] | None = None, **more: Any) -> None:
        super().__init__(*args, params=[*(params or []), *_without_twins(params)], **more)


def _without_twins(params: list[click.Parameter] | None) -> list[click.Parameter]:
    taken = {name for parameter in params or [] for name in parameter.opts}
    return [parameter for parameter in shared() if not taken & set(parameter.opts)]


class RunCommand(Command):
    """A command that sends a request, with the options for that."""

    def __init__(self, *args: Any, params: list[click.Parameter] | None = None, **more: Any) -> None:
        super().__init__(*args, params=[*(params or []), *running()], **more)
