"""`request`: a request of the caller's own, by the same way as an action."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from shlex import quote
from typing import Any

from skill.again import SANDBOX, manner, where
from skill.app import Skill
from skill.faces.given import read_json, read_text
from skill.faces.order import How, Order, carry_out
from skill.faults import BadInput, Problem
from skill.plan import MASK
from skill.shape import SECRET_HEADERS, mask, mask_text
from skill.types import Action, Json, Options, Plan, Schema

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class RawMaker:
    """Plans a raw request.

    `{name}` in `path` is filled from `parameters`; `data` is the body as the caller named it, and `content` or `raw` what it
    is; `like` are the actions that it may be. One more input fills what the path names; what is left of it goes where an
    action's would: into the query of a read, into the JSON body of everything else.
    """

    path: str
    method: str
    headers: Pairs = ()
    query: Pairs = ()
    parameters: Pairs = ()
    data: str | None = None
    content: Json = None
    raw: bytes | None = None
    like: tuple[Action, ...] = ()

    @property
    def word(self) -> str:
        """The method: nothing else names what a raw request does to many things."""
        return self.method

    @property
    def key(self) -> None:
        """None: it is no named action."""

    @property
    def inputs(self) -> Mapping[str, Schema]:
        """None is known: any may be a text."""
        return {}

    @property
    def output(self) -> Schema | None:
        """The schema of what comes back, where it is one action alone."""
        return self.like[0].output if len(self.like) == 1 else None

    @property
    def risky(self) -> bool:
        """Whether it may destroy something."""
        return any(one.risk == "destroy" for one in self.like) if self.like else self.method == "DELETE"

    @property
    def signed(self) -> tuple[None, str | None]:
        """How it is signed in to, where it is one action alone."""
        return None, self.like[0].sign_in if len(self.like) == 1 else None

    @property
    def identity(self) -> str:
        """All that is the same for many inputs."""
        parts = (self.path, self.method, self.headers, self.query, self.parameters, self.content, (self.raw or b"").hex())
        return json.dumps(parts, sort_keys=True)

    def make(self, skill: Skill, given: Mapping[str, Json], *, rehearse: bool = False) -> Order:  # noqa: ARG002 - nothing is looked up
        """Plan it, with one more input."""
        filled = self._with(given) if given else self
        plan, named = skill.request(
            filled.method, filled.path, filled.query, filled.headers, filled.content, filled.raw, dict(filled.parameters)
        )
        return Order(plan, named, filled.command(plan, skill.options))

    def again(self, skill: Skill) -> str:
        """Write the command without the inputs of its lines."""
        return self.command(None, skill.options)

    def kept(self, order: Order) -> dict[str, Json]:
        """Give the request; one that holds a secret, or bytes, must be given again."""
        whole = {
            "path": self.path,
            "method": self.method,
            "headers": [list(one) for one in self.headers],
            "query": [list(one) for one in self.query],
            "parameters": [list(one) for one in self.parameters],
            "content": self.content,
        }
        plan = order.plan
        named = [name.lower() for name, _ in self.headers]
        hidden = plan.secrets or plan.shown_url != plan.url or any(word in one for word in SECRET_HEADERS for one in named)
        return {"request": None if hidden or self.raw is not None or mask(whole) != whole else whole}

    def _with(self, given: Mapping[str, Json]) -> "RawMaker":
        inside = {name: value for name, value in given.items() if f"{{{name}}}" in self.path}
        rest = {name: value for name, value in given.items() if name not in inside}
        odd = [name for name, value in inside.items() if not isinstance(value, (str, int, float))]
        if odd:
            raise BadInput(f"{odd[0]!r} cannot stand in a path", problems=[Problem(f"/{odd[0]}", "must be a text or a number")])
        filled = replace(self, parameters=(*self.parameters, *((name, _text(value)) for name, value in inside.items())))
        if not rest:
            return filled
        if self.method in ("GET", "HEAD"):
            return replace(filled, query=(*self.query, *((name, _text(value)) for name, value in rest.items())))
        if self.raw is not None or not isinstance(self.content, (dict, type(None))):
            raise BadInput(
                f"there is no place for {next(iter(rest))!r}", hint="a JSON object as -d, or {name} in the path, has one"
            )
        return replace(filled, content={**(self.content or {}), **rest}, data=self.data or "@FILE")

    def command(self, plan: Plan | None, options: Options) -> str:
        """Write the command again, without what is secret in it."""
        named = [options.connection] if options.connection and options.connection != SANDBOX else []
        hidden = plan is not None and plan.shown_url != plan.url
        words = ["request", *named, "-X", self.method, plan.shown_url if plan and hidden else self.path]
        words += [word for name, value in self.headers for word in ("-H", f"{name}: {_shown(name, value)}")]
        if not hidden:
            words += [word for name, value in self.query for word in ("--query", f"{name}={value}")]
            words += [word for name, value in self.parameters for word in ("--pathParam", f"{name}={value}")]
        # the body may hold a secret: a file or standard input can be named again, other data cannot be shown
        data = self.data
        words += ["-d", data if data == "-" or data.startswith("@") else "@FILE"] if data is not None else []
        words += ["--rawData"] if self.raw is not None else []
        return " ".join(quote(mask_text(word)) for word in words) + where(options) + manner(options)


def maker_of(
    skill: Skill,
    path: str,
    method: str | None,
    header: Sequence[str],
    data: str | None,
    raw_data: bool,
    query: Sequence[str],
    parameter: Sequence[str],
) -> RawMaker:
    """Read what a caller gives to `request`; the method is GET, or POST with a body, where none is named.

    Raises:
        BadInput: a part of it is not what it should be.
    """
    content, raw = _body(data, raw_data)
    verb = (method or ("POST" if data is not None else "GET")).upper()
    return RawMaker(
        path,
        verb,
        tuple(_pair(one, ":", "-H") for one in header),
        tuple(_pair(one, "=", "--query") for one in query),
        tuple(_pair(one, "=", "--pathParam") for one in parameter),
        data,
        content,
        raw,
        tuple(skill.like(verb, path)),
    )


def maker_from(skill: Skill, kept: Mapping[str, Any]) -> RawMaker:
    """Make the maker of a plan that was kept in a file.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    pairs = [tuple((str(name), str(value)) for name, value in kept[part]) for part in ("headers", "query", "parameters")]
    data = None if kept["content"] is None else "@FILE"
    path, method = str(kept["path"]), str(kept["method"])
    return RawMaker(path, method, pairs[0], pairs[1], pairs[2], data, kept["content"], None, tuple(skill.like(method, path)))


def send_raw(skill: Skill, maker: RawMaker | None, how: How) -> int:
    """Plan a request, and show or send it, once or for many inputs; or run a plan that was kept.

    Returns:
        The exit code.

    Raises:
        Fault: a part of it is not what it should be, or the run failed.
    """
    if maker is not None and maker.data == how.each == "-":
        raise BadInput("-d and --each cannot both be standard input", hint="give one of them as @FILE")
    if how.plan is None and maker is not None:
        return carry_out(skill, maker, how)
    from skill.faces import planfile

    return planfile.run(skill, how, raw=maker)


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _shown(name: str, value: str) -> str:
    return MASK if any(word in name.lower() for word in SECRET_HEADERS) else value


def _body(data: str | None, raw_data: bool) -> tuple[Json, bytes | None]:
    if data is None:
        return None, None
    if raw_data:
        return None, read_text(data, "--data")
    return read_json(data, "--data"), None


def _pair(text: str, mark: str, what: str) -> tuple[str, str]:
    name, found, value = text.partition(mark)
    if not found or not name.strip():
        raise BadInput(f"{what} wants NAME{mark}VALUE", hint=f"for example {what} name{mark}value")
    return name.strip(), value.strip() if mark == ":" else value
