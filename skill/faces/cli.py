"""The command line: parse, call one method of Skill, print. Bodies import what they need when they run."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import click
import typer

from skill.faces import account, ending
from skill.faces.options import Command, Group, ReaderGone, RunCommand, Stopped, options_of, program_name
from skill.faults import EXITS, BadInput, Fault
from skill.types import Options

if TYPE_CHECKING:
    from skill.app import Skill

_SET: dict[str, Any] = {"no_args_is_help": True, "rich_markup_mode": None, "cls": Group, "add_completion": False}
_EXITS = "Exit codes: " + "; ".join(f"{code} {words}" for code, words in EXITS.items()) + "."
app = typer.Typer(help="Find and run Heroku operations in your own words.", epilog=_EXITS, pretty_exceptions_enable=False, **_SET)
action = typer.Typer(help="Find, look at and run actions.", **_SET)
index = typer.Typer(help="The search index.", **_SET)
sandbox = typer.Typer(help="The embedded stand-in.", **_SET)
app.add_typer(action, name="action")
app.add_typer(index, name="index")
app.add_typer(sandbox, name="sandbox")
app.add_typer(account.commands)
app.add_typer(account.connection, name="connection")

Connection = Annotated[
    str | None, typer.Option("--connectionId", "--connection-id", metavar="ID", help="A connection; left out, what is there.")
]
App = Annotated[str | None, typer.Option("-a", "--app", metavar="NAME", help="The app, where the input does not say.")]
Confirm = Annotated[str | None, typer.Option("--confirm", metavar="NAME", help="The name of what will be destroyed.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the request and stop.")]
Out = Annotated[str | None, typer.Option("--out", metavar="FILE", help="Keep the dry run's plan in a file.")]
KeptPlan = Annotated[str | None, typer.Option("--plan", metavar="FILE", help="Run a plan exactly as it was shown.")]
Each = Annotated[
    str | None, typer.Option("--each", metavar="@FILE|-", help="Run it for every line: JSON objects or, with --set-from, texts.")
]
SetFrom = Annotated[str | None, typer.Option("--set-from", metavar="NAME", help="The input that a plain line of --each is.")]
Jobs = Annotated[int, typer.Option("--jobs", min=1, max=64, help="How many of --each run side by side.")]
Resume = Annotated[
    str | None, typer.Option("--resume", metavar="FILE", help="Journal of --each; what is done in it is not done again.")
]


def _skill(context: click.Context, connection: str | None = None, app_name: str | None = None) -> "Skill":
    from skill.app import Skill
    from skill.faces.printing import note

    options = options_of(context)
    options.connection = connection or options.connection
    options.app = app_name
    return Skill(options, note)


@action.command("list", cls=Command)
def action_list(
    context: typer.Context,
    intent: Annotated[
        list[str] | None,
        typer.Option("--intent", metavar="TEXT", help="What you want to do, in your own words; may stand more than once."),
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=0, help="How many (10 with an intent; 0: all).")] = None,
    connection: Connection = None,
    full: Annotated[bool, typer.Option("--full", help="Everything that is known of each.")] = False,
) -> None:
    """Rank the actions by an intent, or list them all."""
    from skill.faces.listing import list_actions

    list_actions(_skill(context, connection), intent or [], limit, full)


@action.command("show", cls=Command)
@action.command("get", cls=Command, hidden=True)
def action_show(context: typer.Context, key: str, connection: Connection = None) -> None:
    """Show what an action does, takes and gives, and the request it makes."""
    from skill.faces.running import show_action

    show_action(_skill(context, connection), key)


@action.command("run", cls=RunCommand)
def action_run(
    context: typer.Context,
    key: Annotated[str | None, typer.Argument(metavar="KEY", help="The action; with --plan it may be left out.")] = None,
    input: Annotated[str | None, typer.Option("--input", metavar="JSON|@FILE|-", help="The input, a JSON object.")] = None,
    pairs: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="One input; may stand more than once.")
    ] = None,
    app_name: App = None,
    connection: Connection = None,
    dry_run: DryRun = False,
    confirm: Confirm = None,
    out: Out = None,
    plan: KeptPlan = None,
    each: Each = None,
    set_from: SetFrom = None,
    jobs: Jobs = 8,
    resume: Resume = None,
) -> None:
    """Check the input against the action's schema and run it."""
    from skill.faces.order import How
    from skill.faces.running import run_action

    how = How(dry_run, confirm, out, plan, each, set_from, jobs, resume)
    raise typer.Exit(run_action(_skill(context, connection, app_name), key, input, pairs or [], how))


@action.command("lint", cls=Command)
def action_lint(
    context: typer.Context,
    folder: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="A folder of action files; left out, ours.")] = None,
) -> None:
    """Check action files; every problem with file, line and mend."""
    from skill.faces.upkeep import lint

    raise typer.Exit(lint(_skill(context), folder))


@action.command("drift", cls=Command)
def action_drift(
    context: typer.Context,
    schema: Annotated[str | None, typer.Option("--schema", metavar="FILE|URL", help="Left out, the live one.")] = None,
) -> None:
    """Compare the catalog with Heroku's published schema."""
    from skill.faces.upkeep import drift

    raise typer.Exit(drift(_skill(context), schema))


@app.command("request", cls=RunCommand)
def request(
    context: typer.Context,
    where: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CONNECTION] PATH", help="A path such as /apps/example; with --plan it may be left out."),
    ] = None,
    method: Annotated[str | None, typer.Option("-X", "--method", metavar="METHOD", help="GET, or POST with -d.")] = None,
    header: Annotated[list[str] | None, typer.Option("-H", "--header", metavar="NAME:VALUE", help="One more header.")] = None,
    data: Annotated[str | None, typer.Option("-d", "--data", metavar="DATA|@FILE|-", help="The body.")] = None,
    raw_data: Annotated[
        bool, typer.Option("--rawData", "--raw-data", help="Send the body unchanged, with no content type.")
    ] = False,
    query: Annotated[
        list[str] | None, typer.Option("--query", metavar="NAME=VALUE", help="One part of the query string.")
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option("--pathParam", "--path-param", metavar="NAME=VALUE", help="A value for {NAME} in the path."),
    ] = None,
    include: Annotated[bool, typer.Option("-i", "--include", help="Show the status and the headers too.")] = False,
    dry_run: DryRun = False,
    confirm: Confirm = None,
    out: Out = None,
    plan: KeptPlan = None,
    each: Each = None,
    set_from: SetFrom = None,
    jobs: Jobs = 8,
    resume: Resume = None,
) -> None:
    """Send a request of your own, with the same care as an action."""
    from skill.faces.order import How
    from skill.faces.raw import maker_of, send_raw

    words = where or []
    if len(words) > 2 or (not words and plan is None):
        raise BadInput(
            f"one path is wanted, with a connection before it at most; got {len(words)} words", hint="request /apps/example"
        )
    skill = _skill(context, words[0] if len(words) == 2 else None)
    maker = maker_of(skill, words[-1], method, header or [], data, raw_data, query or [], parameter or []) if words else None
    raise typer.Exit(send_raw(skill, maker, How(dry_run, confirm, out, plan, each, set_from, jobs, resume, include)))


@index.command("build", cls=Command)
def index_build(
    context: typer.Context,
    model: Annotated[
        str | None, typer.Option("--model", metavar="NAME|FOLDER", help="A sentence-transformers model (needs the extra).")
    ] = None,
    out: Annotated[str | None, typer.Option("--out", metavar="DIR", help="Where to write; left out, the user's cache.")] = None,
) -> None:
    """Build the search index anew."""
    from skill.faces.index import build

    build(_skill(context), model, out)


@index.command("status", cls=Command)
def index_status(context: typer.Context) -> None:
    """Say what the index was made from, and whether it is stale."""
    from skill.faces.index import status

    status(_skill(context))


@app.command("log", cls=Command)
def log(
    context: typer.Context,
    limit: Annotated[int, typer.Option("--limit", min=0, help="The last so many (0: all).")] = 20,
) -> None:
    """Show what was written, and what became of it."""
    from skill.faces.running import show_log

    show_log(_skill(context), limit)


@app.command("eval", cls=Command)
def evaluate(
    context: typer.Context,
    files: Annotated[list[Path] | None, typer.Argument(metavar="[FILE]…", help="Labelled intents; left out, ours.")] = None,
) -> None:
    """Measure the search on labelled intents."""
    from skill.faces.evaluate import evaluate as measure

    measure(_skill(context), files or [])


@sandbox.command("reset", cls=Command)
def sandbox_reset(context: typer.Context) -> None:
    """Put the sandbox back to how it starts."""
    from skill.faces.running import reset_sandbox

    reset_sandbox(_skill(context))


@app.command("demo", cls=Command)
def demo(context: typer.Context) -> None:
    """Do the main job on the sandbox, step by step: say it, find it, check it, run it."""
    from skill.faces.demo import show

    show(_skill(context))


Everywhere = Annotated[bool, typer.Option("--global", help="In your home folder, for every project.")]


@app.command("install", cls=Command)
def install(
    context: typer.Context,
    everywhere: Everywhere = False,
    only_print: Annotated[bool, typer.Option("--print", help="Say what would be written, and write nothing.")] = False,
) -> None:
    """Copy this program to where agents look for skills: .agents/skills and .claude/skills."""
    from skill.faces.install import install as copy

    copy(options_of(context), everywhere, only_print)


@app.command("uninstall", cls=Command)
def uninstall(context: typer.Context, everywhere: Everywhere = False) -> None:
    """Remove what `install` wrote, and nothing else."""
    from skill.faces.install import uninstall as remove

    remove(options_of(context), everywhere)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with a code of the table."""
    sys.exit(run(sys.argv[1:] if arguments is None else list(arguments)))


def run(arguments: list[str]) -> int:
    """Run the command line; every way out passes here.

    Returns:
        The exit code.
    """
    options = Options(program=program_name(), json="--json" in arguments)
    os.environ.pop("SKILL_PROGRAM", None)
    if not ending.can_speak():
        return 2
    try:
        code = ending.finish(app(arguments, prog_name=options.program, standalone_mode=False, obj=options))
    except Fault as fault:
        code = ending.report(fault, options)
    except click.exceptions.Exit as left:
        code = left.exit_code
    except click.ClickException as wrong:
        code = ending.report(ending.usage(wrong, options.program), options)
    except (Stopped, KeyboardInterrupt, click.Abort) as stop:
        code = ending.stopped(stop, options.program)
    except (ReaderGone, BrokenPipeError):
        code = ending.closed()
    except OSError as wrong:
        code = ending.unwritten(wrong) if wrong.errno in ending.FULL else ending.report(ending.bug_of(wrong, options), options)
    except Exception as bug:  # noqa: BLE001 - the last net: a bug gets an envelope and an exit code too
        code = ending.report(ending.bug_of(bug, options), options)
    return ending.flush(code)
