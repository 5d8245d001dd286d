"""The façade that wires the rooms together; every face calls one method of it and prints what it gives."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from skill import places
from skill.catalog import Catalog, open_catalog
from skill.connection import base_of, may_sign
from skill.faults import BadInput, Problem, Step
from skill.lookup import Lookup, resolved, stripped, wanted
from skill.plan import path_parameters, plan_action, plan_raw, segment
from skill.schema import check, with_defaults
from skill.types import Action, Exchange, Json, Options, Pages, Plan, Result, Service

if TYPE_CHECKING:
    from skill.gather import Sink
    from skill.connection.setting import Listener, Setting
    from skill.index import Found
    from skill.run import Runner

SANDBOX = "sandbox"
LONGEST_INTENT = 2000


class Skill:
    """Search, show, plan and run actions, and raw requests; everything is opened when it is first needed."""

    def __init__(self, options: Options, note: Callable[[str], None], exchange: Callable[[], Exchange] | None = None) -> None:
        self.options = options
        self.note = note
        self._exchange = exchange

    @cached_property
    def catalog(self) -> Catalog:
        """The actions of the package, of the user's configuration and of the folders named in the call."""
        named = [Path(part) for part in os.environ.get("SKILL_ACTIONS", "").split(os.pathsep) if part]
        own = places.config() / "actions"
        catalog = open_catalog([*([own] if own.is_dir() else []), *named, *self.options.actions])
        for problem in catalog.problems:
            self.note(f"warning: {problem.where}: {problem.what}")
        return catalog

    @property
    def sandbox(self) -> bool:
        """Whether the embedded stand-in answers instead of the network."""
        return self.options.sandbox or self.connection == SANDBOX

    @property
    def connection(self) -> str | None:
        """The connection that was named in the call, else in the environment where no token was given in hand."""
        given = self.options.connection
        return given if given or self.options.token_stdin else os.environ.get("SKILL_CONNECTION", "").strip() or None

    def service(self) -> Service | None:
        """Give the service of the connection that was named, None where none was.

        Raises:
            BadInput: there is no such connection.
        """
        name = self.connection
        if name is None or name == SANDBOX:
            return None
        if name in self.catalog.services:
            return self.catalog.services[name]
        from skill.connection.store import Store, no_such

        entry = Store().read().named(name)
        if entry is None or entry.service not in self.catalog.services:
            raise no_such(name)
        return self.catalog.services[entry.service]

    def search(self, intent: str, limit: int) -> "Found":
        """Rank the actions by how well they fit an intent.

        Raises:
            BadInput: the intent says nothing.
        """
        from skill.index import search

        if not re.search(r"\w", intent):
            raise BadInput(
                "the intent is empty" if not intent.strip() else "the intent holds no word",
                hint='say what you want to do, for example --intent "restart the shop app"',
                next=[Step("action list", "see every action")],
            )
        if len(intent) > LONGEST_INTENT:
            self.note(f"warning: the intent was cut to its first {LONGEST_INTENT} characters")
            intent = intent[:LONGEST_INTENT]
        service = self.service()
        return search(self.catalog, intent, limit, self.note, service.name if service else None)

    def show(self, key: str) -> Action:
        """Open one action.

        Raises:
            NoSuchAction: no action has that key.
        """
        return self.catalog.action(key)

    def plan(self, key: str, given: Mapping[str, Json], *, rehearse: bool = False) -> tuple[Plan, dict[str, Json]]:
        """Check an input, fill in what is known, look up names where ids are wanted, and plan the request.

        Args:
            rehearse: send nothing: what the run will look up is only named in the plan.

        Returns:
            The plan, and the whole input that it was made from.

        Raises:
            BadInput: the input is not what the action takes; every problem is listed.
        """
        action = self.show(key)
        whole = self.complete(action, with_defaults(dict(given), action.input))
        problems = check(whole, action.input)
        if self.options.allow_unknown:
            problems = [problem for problem in problems if not problem.what.startswith("unknown property")]
        if problems:
            raise self._bad_input(action, problems)
        service = self.catalog.services[action.service]
        base = self.base(service)
        whole = stripped(action, whole, service)
        names = wanted(action, whole, service)
        if names and not rehearse:
            whole = resolved(action, whole, service, partial(self._ask, service), partial(self.command, key))
        plan = plan_action(action, whole, service, base)
        told = tuple(f"{one.method} {one.target} gives the {one.rule['take']} of {one.value!r}" for one in names)
        return (replace(plan, lookups=told) if rehearse else plan), whole

    def _ask(self, service: Service, lookup: Lookup) -> Json:
        query = [(name, str(value)) for name, value in lookup.filled("query").items() if value is not None]
        plan = plan_raw(
            service, self.base(service), lookup.method, lookup.target, query=query, content=lookup.filled("body") or None
        )
        return self.runner.ask(replace(plan, risk="read"))

    def complete(self, action: Action, given: dict[str, Json]) -> dict[str, Json]:
        """Fill in the app from -a, HEROKU_APP or the folder's one Heroku git remote, and say so."""
        from skill.context import known_app

        wants = "app" in action.input.get("required", ()) and "app" not in given
        if not wants:
            return given
        found = known_app(self.options.app, os.environ, Path.cwd())
        if found is None:
            return given
        app, source = found
        if source != "-a":
            self.note(f"note: app {app!r} taken from {source}")
        return {"app": app, **given}

    def run(self, plan: Plan, given: Mapping[str, Json], confirm: str | None, again: str, sink: "Sink | None" = None) -> Result:
        """Run a plan; `again` is the command that did it, for hints, and `sink` takes the items of a list as they come.

        Raises:
            BadInput: the list cannot be sorted so.
        """
        from skill.run import Wish

        options = self.options
        wish = Wish(confirm, again, self._pages(plan), options.if_missing, options.missing_ok)
        return self.runner.run(plan, given, wish, sink)

    def _pages(self, plan: Plan) -> Pages:
        options = self.options
        allowed = ("id", *(plan.action.sort if plan.action else ()))
        if options.sort and plan.action and options.sort not in allowed:
            raise BadInput(f"{plan.action.key} cannot be sorted by {options.sort!r}", hint=f"--sort takes {', '.join(allowed)}")
        sort = options.sort or (allowed[-1] if options.order and plan.action else "")
        return Pages(sort, options.order or "", options.limit or 0)

    def request(
        self,
        method: str,
        path: str,
        query: Sequence[tuple[str, str]] = (),
        headers: Sequence[tuple[str, str]] = (),
        content: Json = None,
        raw: bytes | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> tuple[Plan, dict[str, Json]]:
        """Plan a raw request; one that matches an action inherits its risk, confirmation and secrets.

        Raises:
            BadInput: the path, a header or the host must not be sent.
        """
        from skill.run import actions_like

        service = self.service() or next(iter(self.catalog.services.values()))
        base = self.base(service)
        for name, value in (parameters or {}).items():
            path = path.replace(f"{{{name}}}", segment(name, value))
        if path.startswith("https://") and not may_sign(service, path):
            raise BadInput(
                f"{urlsplit(path).netloc} is not a host of {service.title}",
                code="host_not_allowed",
                hint="give a path that starts with /, or an address of the service's own hosts",
            )
        parts = urlsplit(path)
        host = parts.netloc if path.startswith("https://") and parts.netloc != urlsplit(service.base).netloc else None
        like = actions_like(self.catalog, method, parts.path, host)
        plan = plan_raw(service, base, method, path, query=query, headers=headers, content=content, raw=raw, matches=like)
        return plan, self._given(plan)

    @cached_property
    def runner(self) -> "Runner":
        """Make what runs plans, with the network or the sandbox behind it."""
        from skill.run import Runner

        from skill.connection.signer import Signer

        options = self.options
        signer = Signer(self.setting, self.exchange, self.connection)
        return Runner(
            catalog=self.catalog,
            environ=os.environ,
            exchange=signer.exchange,
            shell=self.command,
            sign=signer.credential,
            sandbox=self.sandbox,
            timeout_s=options.timeout_s,
            reveal=options.reveal,
            strict=options.strict,
            two_factor=options.two_factor,
            say=self.note if options.verbose else _quiet,
        )

    def command(self, key: str, given: Mapping[str, Json]) -> str:
        """Write the command that runs an action, without the program's name, quoted for a shell."""
        import json

        from skill.plan import secret_pointers

        # a secret is not put into a command that is shown: the caller names the file that holds the input
        hidden = secret_pointers(dict(given), self.show(key).input)
        shown = "@FILE" if hidden else quote(json.dumps(given, ensure_ascii=False, separators=(",", ":")))
        tail = f" --input {shown}" if given else ""
        return f"action run {key}{tail}{' --sandbox' if self.sandbox else ''}"

    def base(self, service: Service) -> str:
        """Give the origin that a service's requests go to."""
        return service.base if self.sandbox else base_of(service, os.environ)

    def _given(self, plan: Plan) -> dict[str, Json]:
        from urllib.parse import unquote

        from skill.plan import match_path

        if plan.action is None:
            return {}
        values = match_path(plan.action.path, urlsplit(plan.url).path) or {}
        return {name: unquote(value) for name, value in values.items()}

    def _bad_input(self, action: Action, problems: Sequence[Problem]) -> BadInput:
        from skill.plan import MASK

        nodes = action.input["properties"]
        names = [*path_parameters(action.path), *action.input.get("required", ())]
        example = {
            name: MASK if nodes[name].get("x-secret") else value
            for name, value in (action.example or {}).items()
            if name in names
        }
        count = len(problems)
        return BadInput(
            f"the input of {action.key} has {'a problem' if count == 1 else f'{count} problems'}: "
            + "; ".join(f"{problem.where or '/'} {problem.what}" for problem in problems[:3]),
            problems=problems,
            next=[
                Step(f"action show {action.key}", "see what it takes"),
                Step(f"{self.command(action.key, example)} --dry-run", "rehearse it with the example"),
            ],
        )

    @cached_property
    def setting(self) -> "Setting":
        """What a sign-in needs: the services, the network, and where connections are kept."""
        from skill.connection.setting import Setting
        from skill.index.own import build, indexed
        from skill.wire.ask import asking

        return Setting(
            services=self.catalog.services,
            environ=os.environ,
            ask=lambda: asking(self.exchange()),
            listen=_listen,
            indexed=partial(indexed, self.catalog),
            build=lambda service: build(self.catalog, service, self.note),
            program=self.options.program,
            token=self._token() if self.options.token_stdin else "",
        )

    def exchange(self) -> Exchange:
        """Make what stands where the socket is: the network, or the sandbox."""
        return (self._exchange or (self._stand_in if self.sandbox else self._network))()

    def _token(self) -> str:
        import sys

        if sys.stdin.isatty():
            from getpass import getpass

            return getpass("Token: ").strip()
        # one line alone, so that an input may follow it
        return sys.stdin.buffer.readline(4096).decode("utf-8", "replace").strip()

    def _network(self) -> Exchange:
        from skill.connection.client import client_name
        from skill.wire.http import Network, user_agent

        return Network(agent=user_agent(client_name()))

    def _stand_in(self) -> Exchange:
        from skill.sandbox import Sandbox

        exchange: Exchange = Sandbox(self.catalog, places.state() / "sandbox.json")
        return exchange


def _listen(port: int, path: str) -> "Listener":
    from skill.wire.loopback import Loopback

    return Loopback(port, path)


def _quiet(text: str) -> None:
    """Say nothing."""
