"""The commands that may follow a run: the read that tells what became of it, the same again, who is asked for more."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from shlex import quote
from urllib.parse import urlsplit

from skill.catalog import Catalog
from skill.faults import Step
from skill.paths import path_parameters
from skill.shape import mask_text
from skill.types import Json, Plan

Shell = Callable[[str, Mapping[str, Json]], str]


@dataclass(frozen=True, slots=True)
class Ways:
    """What may be run after one plan.

    `shell` writes the command for a key and an input, `again` is the command that was run, `tail` the options that every
    command of the call needs.
    """

    catalog: Catalog
    shell: Shell
    plan: Plan
    given: Mapping[str, Json]
    again: str = ""
    tail: str = ""

    def step(self, way: str) -> Step | None:
        """Give the step of a name that the table of errors uses, None where there is none."""
        made: Step | None = getattr(self, way)() if way else None
        return made

    def look(self) -> Step | None:
        """The read that tells what became of a write: the thing itself, else what it would be in."""
        return None if self.plan.risk == "read" else self._read(self._paths()) or self._owner() or self._bare()

    def around(self) -> Step | None:
        """The list that a thing which was not found would be in."""
        action = self.plan.action
        if action is None:
            return Step(f"action list{self.tail}", "see every action")
        above = [path for path in self._paths() if path != action.path or self.plan.risk != "read"]
        return self._read(above) or self.shown()

    def shown(self) -> Step | None:
        """What the action takes; for a request that none describes, what was sent."""
        action = self.plan.action
        if action is not None:
            return Step(f"action show {action.key}{self.tail}", "see what it takes")
        return Step(f"{self.again} --dry-run", "see what is sent") if self.again else None

    def repeated(self) -> Step | None:
        """The same again; only what changes nothing is ever suggested so."""
        return Step(self.again, "try again in a while") if self.again and self.plan.risk == "read" else None

    def unsorted(self) -> Step | None:
        """The same in the service's own order."""
        action = self.plan.action
        return Step(self.shell(action.key, self.given), "the same in the service's own order") if action else self.shown()

    def second_factor(self) -> Step | None:
        """The same with the code of the second factor."""
        return Step(f"{self.again} --two-factor-code CODE", "run it with the code that a person reads from their device")

    def login(self) -> Step:
        """Sign in."""
        return Step("login", "a person signs in")

    def whoami(self) -> Step:
        """Who is signed in, and what they may do."""
        return Step("whoami", "see who is signed in, and what the credential may do")

    def calls_left(self) -> Step | None:
        """How many calls are left, which costs none."""
        return self._known("get-rate-limit", "see how many calls are left; this costs none") or self.repeated()

    def debts(self) -> Step | None:
        """What the account owes."""
        return self._known("get-account-delinquency", "see since when") or self.whoami()

    def account(self) -> Step | None:
        """Whether the account is verified."""
        return self._known("get-account", "see whether the account is verified") or self.whoami()

    def _known(self, key: str, why: str) -> Step | None:
        known = any(one.key == key and one.service == self.plan.service for one in self.catalog.summaries())
        return Step(self.shell(key, {}), why) if known else None

    def _paths(self) -> Iterator[str]:
        """Give the path of the action, and every shorter one, the longest first."""
        path = self.plan.action.path if self.plan.action else ""
        while path:
            yield path
            path = path.rsplit("/", 1)[0]

    def _read(self, paths: Iterator[str] | list[str]) -> Step | None:
        host = self.plan.action.host if self.plan.action else None
        reads = {
            one.path: one.key
            for one in reversed(list(self.catalog.summaries()))
            if one.method == "GET" and one.service == self.plan.service and (one.host or None) == host
        }
        for path in paths:
            names = path_parameters(path)
            if path in reads and all(name in self.given for name in names):
                return Step(self.shell(reads[path], {name: self.given[name] for name in names}), "see how things stand")
        return None

    def _owner(self) -> Step | None:
        """The read of what the input names as that which the thing belongs to."""
        if self.plan.action is None:
            return None
        for one in self.catalog.summaries():
            names = path_parameters(one.path)
            plain = one.method == "GET" and one.service == self.plan.service and len(names) == 1 and one.path.count("/") == 2
            if plain and one.path.endswith("}") and isinstance(self.given.get(names[0]), str):
                return Step(self.shell(one.key, {names[0]: self.given[names[0]]}), "see how things stand")
        return None

    def _bare(self) -> Step:
        """A raw read of the same address, or of what a new thing would be in."""
        shown = urlsplit(self.plan.shown_url)
        host = f"{shown.scheme}://{shown.netloc}" if self.plan.action and self.plan.action.host else ""
        return Step(f"request {quote(mask_text(host + shown.path))}{self.tail}", "see how things stand")
