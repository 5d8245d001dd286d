"""The façade that wires the rooms together; every face calls one method of it and prints what it gives."""

import copy
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from skill.again import bad_input, connection, where
from skill.connection import may_sign
from skill.connection.hosts import LOCAL
from skill.faults import BadInput, Fault, NoSuchAction, Step
from skill.lookup import Lookup, resolved, stripped, wanted
from skill.paths import check_path, origin_of, segment
from skill.plan import path_values, plan_action, plan_raw
from skill.schema import check, with_defaults
from skill.sorting import ordered
from skill.types import Action, Json, Plan, Result, Service
from skill.wiring import Wiring

if TYPE_CHECKING:
    from skill.gather import Sink
    from skill.index import Found

LONGEST_INTENT = 2000


class Skill(Wiring):
    """Search, show, plan and run actions, and raw requests; everything is opened when it is first needed."""

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
        service = self._chosen
        return search(self.catalog, intent, limit, self.note, service.name if service else None)

    def show(self, key: str) -> Action:
        """Open one action.

        Raises:
            NoSuchAction: no action has that key, or the connection that was named is to another service.
            BadInput: there is no such connection.
        """
        service = self._chosen
        try:
            action = self.catalog.action(key)
        except NoSuchAction as fault:
            fault.next = tuple(Step(step.command + where(self.options), step.why) for step in fault.next)
            raise
        if service is not None and action.service != service.name:
            raise NoSuchAction(
                f"{key} is an action of {action.service}, and the connection {self.connection!r} is to {service.title}",
                hint="name another connection, or none",
                next=[Step(f"action list{connection(self.options)}{where(self.options)}", "see what the connection can do")],
            )
        return action

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
            raise bad_input(action, problems, self.options)
        service = self.catalog.services[action.service]
        base = self.base(service)
        whole = stripped(action, whole, service)
        names = wanted(action, whole, service)
        if names and not rehearse:
            # what is forbidden looks nothing up either
            self.runner.permit(plan_action(action, whole, service, base), whole)
            whole = resolved(action, whole, service, partial(self._ask, service), partial(self.command, key))
        plan = ordered(plan_action(action, whole, service, base), self.options)
        told = tuple(f"{one.method} {one.target} gives the {one.rule['take']} of {one.value!r}" for one in names)
        return (replace(plan, lookups=told) if rehearse else plan), whole

    def _ask(self, service: Service, lookup: Lookup) -> Json:
        query = [(name, str(value)) for name, value in lookup.filled("query").items() if value is not None]
        plan = plan_raw(
            service, self.base(service), lookup.method, lookup.target, query=query, content=lookup.filled("body") or None
        )
        return self.runner.ask(replace(plan, risk="read"))

    def complete(self, action: Action, given: dict[str, Json]) -> dict[str, Json]:
        """Fill in the app from -a, HEROKU_APP or the folder's one Heroku git remote, and say so once."""
        wants = "app" in action.input.get("required", ()) and "app" not in given
        return {"app": self._app, **given} if wants and self._app else given

    @cached_property
    def _app(self) -> str | None:
        from skill.context import known_app

        app, source = known_app(self.options.app, os.environ, Path.cwd()) or (None, "-a")
        if source != "-a":
            self.note(f"note: app {app!r} taken from {source}")
        return app

    def run(self, plan: Plan, given: Mapping[str, Json], confirm: str | None, again: str, sink: "Sink | None" = None) -> Result:
        """Run a plan; `again` is the command that did it, for hints, and `sink` takes the items of a list as they come.

        Raises:
            BadInput: --missing-ok stands beside what deletes nothing.
            Fault: the run failed.
        """
        from skill.run import Wish

        options = self.options
        self._check_missing_ok(plan.method)
        wish = Wish(confirm, again, options.limit or 0, options.if_missing, options.missing_ok)
        return self.runner.run(plan, given, wish, sink)

    def gone(self, key: str, fault: Fault) -> Result | None:
        """Give the result of a delete whose thing was not found before anything was sent; None where that is the failure."""
        import uuid

        from skill.converge import gone

        method = self.catalog.action(key).method
        if not self.options.missing_ok or not gone(fault, None, method):
            return None
        return Result(None, sandbox=self.sandbox, run_id=str(uuid.uuid4()), converged="missing")

    def like(self, method: str, path: str) -> list[Action]:
        """List the actions that a raw request may be, `{name}` standing for any value in its path."""
        from skill.run import actions_like

        service = self._chosen or next(iter(self.catalog.services.values()))
        try:
            parts = urlsplit(path)
        except ValueError:
            # what is no address is refused where it is planned
            return []
        here = not parts.netloc or origin_of(path) in {origin_of(service.base), origin_of(self.base(service))}
        return actions_like(self.catalog, method, parts.path, None if here else parts.netloc.lower())

    def _check_missing_ok(self, method: str) -> None:
        if self.options.missing_ok and method != "DELETE":
            raise BadInput("--missing-ok is for what deletes", hint="leave it out; a create has --if-missing")

    def turn(self) -> "Skill":
        """Give the same for one of many inputs: with the same connections, and a time limit of its own."""
        turn = copy.copy(self)
        turn.runner = replace(self.runner, until=self._until(), told=lambda _: None)
        return turn

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

        service = self._chosen or next(iter(self.catalog.services.values()))
        base = self.base(service)
        for name, value in (parameters or {}).items():
            path = path.replace(f"{{{name}}}", segment(name, value))
        parts = check_path(path)
        own = {origin_of(service.base), origin_of(base)}
        elsewhere = path.startswith("https://") and origin_of(path) not in own
        # a service that is moved to this machine is so by its own variable alone
        if elsewhere and (not may_sign(service, path) or parts.hostname in LOCAL):
            raise BadInput(
                f"{parts.netloc} is not a host of {service.title}",
                code="host_not_allowed",
                hint="give a path that starts with /, or an address of the service's own hosts",
            )
        like = actions_like(self.catalog, method, parts.path, urlsplit(origin_of(path)).netloc if elsewhere else None)
        plan = plan_raw(service, base, method, path, query=query, headers=headers, content=content, raw=raw, matches=like)
        return ordered(plan, self.options), path_values(plan)
