"""The commands of sign-in and connections: parse, call, print. Their bodies import what they need when they run."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from skill.faces.options import Command, Group, options_of

if TYPE_CHECKING:
    from skill.app import Skill

SIGN_IN = """Sign in, with a session of the Heroku CLI, in the browser, or with an OAuth client of your own.

The browser sign-in is the one that Heroku's own command line uses; Heroku supports it for nothing else (unofficial).
Without a terminal nothing is asked: the address to open is printed, and `login complete` finishes it."""
_SET: dict[str, Any] = {"no_args_is_help": True, "rich_markup_mode": None, "cls": Group, "add_completion": False}
commands = typer.Typer(**_SET)
connection = typer.Typer(help="Connections: a service and a sign-in.", **_SET)
Named = Annotated[
    str | None, typer.Option("--connectionId", "--connection-id", metavar="ID", help="A connection of that id, key or name.")
]
Name = Annotated[str | None, typer.Option("--name", metavar="NAME", help="A name of your own for it.")]
Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[complete [CODE]]", help="Finish a sign-in: with the code, the address where the browser ended, or nothing."
    ),
]
ClientName = Annotated[
    str | None, typer.Option("--clientName", "--client-name", metavar="TYPE", help="The agent that calls: claude, codex, …")
]
Tenant = Annotated[bool, typer.Option("--tenant", help="Accepted; there is one tenant, this machine.")]
Scope = Annotated[
    list[str] | None,
    typer.Option(
        "--scope",
        metavar="SCOPE",
        help="Keep only a token that may do this much: read, write, read-protected, write-protected.",
    ),
]
Expires = Annotated[str | None, typer.Option("--expires", metavar="8h", help="How long such a token lives (30d; or never).")]
Using = Annotated[str | None, typer.Option("--using", metavar="WAY", help="browser, or client (an OAuth client of your own).")]
NoBrowser = Annotated[bool, typer.Option("--no-browser", help="Open no browser: print the address and keep the sign-in open.")]
TokenStdin = Annotated[bool, typer.Option("--token-stdin", help="For people: read a token in hand from standard input.")]
CreateClient = Annotated[bool, typer.Option("--create-client", help="Register an OAuth client of your own first.")]
Service = Annotated[str, typer.Option("--service", metavar="NAME", help="The service; left out, Heroku.")]


def _skill(context: typer.Context, named: str | None = None) -> "Skill":
    from skill.app import Skill
    from skill.faces.printing import note

    options = options_of(context)
    options.connection = named or options.connection
    return Skill(options, note)


@commands.command("login", cls=Command, help=SIGN_IN)
def login(
    context: typer.Context,
    words: Words = None,
    client_name: ClientName = None,
    tenant: Tenant = False,
    scope: Scope = None,
    expires: Expires = None,
    using: Using = None,
    no_browser: NoBrowser = False,
    token_stdin: TokenStdin = False,
    create_client: CreateClient = False,
    service: Service = "heroku",
    name: Name = None,
    named: Named = None,
) -> None:
    """Sign in."""
    from skill.faces.login import Wish, sign_in

    options_of(context).token_stdin |= token_stdin
    skill = _skill(context)
    way = "" if using is None else using
    sign_in(
        skill, Wish(words or [], service, named, name or "", scope or [], expires, way, no_browser, create_client, client_name)
    )


@commands.command("logout", cls=Command)
def logout(
    context: typer.Context,
    named: Named = None,
    every: Annotated[bool, typer.Option("--all", help="All connections.")] = False,
    service: Service = "heroku",
) -> None:
    """Sign out: revoke what may revoke itself, and forget it."""
    from skill.faces.login import sign_out

    sign_out(_skill(context), named, every, service)


@commands.command("whoami", cls=Command)
def whoami(context: typer.Context, named: Named = None, service: Service = "heroku") -> None:
    """Say who is signed in, from which source, with which scope and until when."""
    from skill.faces.login import say_who

    say_who(_skill(context, named), service)


@commands.command("doctor", cls=Command)
def doctor(
    context: typer.Context,
    named: Named = None,
    offline: Annotated[bool, typer.Option("--offline", help="Ask nobody over the network.")] = False,
) -> None:
    """Check this installation and sign-in; each finding comes with its mend."""
    from skill.faces.doctor import examine

    raise typer.Exit(examine(_skill(context, named), offline))


@connection.command("ensure", cls=Command)
def connection_ensure(
    context: typer.Context,
    target: Annotated[
        str, typer.Argument(metavar="URL-OR-DOMAIN", help="Such as https://www.heroku.com/, heroku.com, or sandbox.")
    ],
    name: Name = None,
) -> None:
    """Find the connection to a service, or make one."""
    from skill.faces.connections import ensure

    raise typer.Exit(ensure(_skill(context), target, name or ""))


@connection.command("get", cls=Command)
def connection_get(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="ID", help="Its id, key or name.")],
    wait: Annotated[bool, typer.Option("--wait", help="Wait until its state changes.")] = False,
    timeout: Annotated[float, typer.Option("--timeout", min=0.1, max=3600, metavar="SECONDS", help="How long to wait.")] = 30.0,
) -> None:
    """Look at a connection, and wait for its sign-in to be finished."""
    from skill.faces.connections import get

    raise typer.Exit(get(_skill(context), name, timeout if wait else None))


@connection.command("list", cls=Command)
def connection_list(context: typer.Context) -> None:
    """List the connections, as they are kept."""
    from skill.faces.connections import show_all

    show_all(_skill(context))


@connection.command("default", cls=Command)
def connection_default(context: typer.Context, name: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Make a connection the one that its service uses where none is named."""
    from skill.faces.connections import choose

    choose(_skill(context), name)


@connection.command("delete", cls=Command)
def connection_delete(context: typer.Context, name: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Forget a connection; `logout` also revokes its credential."""
    from skill.faces.connections import delete

    delete(_skill(context), name)
