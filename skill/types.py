"""The values that travel through the program; frozen, and free of any import of ours."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

Json: TypeAlias = Any
Schema: TypeAlias = dict[str, Any]
Risk: TypeAlias = Literal["read", "write", "destroy"]


@dataclass(frozen=True, slots=True)
class Service:
    """A web service: where it is and how it is spoken to.

    `base` is an origin without a trailing slash; `probe` is `METHOD /path` of a harmless call that proves a credential;
    `parameters` are the words for inputs that many of its actions share, `lookups` say how names become ids.
    """

    name: str
    title: str
    about: str
    domain: str
    base: str
    sign_in: str = "bearer"
    accept: str = "application/json"
    probe: str = ""
    parameters: Mapping[str, Schema] = field(default_factory=dict)
    lookups: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Action:
    """One operation: what people call it, what it takes, the request it makes and what comes back.

    `asks` are English, `other_asks` how people ask in other languages. `path` holds `{name}` for each path parameter.
    `query` names the inputs sent in the query string, `body` the one input that is the whole body; every other input that
    is not in the path is a property of the JSON body. `ends` are the states in which what it began is over, `sort` the
    fields that its list may be sorted by.
    """

    key: str
    title: str
    about: str
    service: str
    resource: str
    method: str
    path: str
    risk: Risk
    input: Schema
    output: Schema | None = None
    host: str | None = None
    link: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    other_asks: tuple[str, ...] = ()
    example: Json = None
    query: tuple[str, ...] = ()
    body: str | None = None
    confirm: str | None = None
    accept: str | None = None
    sign_in: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    instead: str = ""
    thing: str = ""
    stability: str = ""
    deprecated: bool = False
    ends: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()


class Hit(NamedTuple):
    """An action and how well it fits an intent; `score` lies between 0 and 1."""

    action: Action
    score: float


class Confirmation(NamedTuple):
    """What a person must type before a destroying plan runs.

    `expected` is the text itself; `lookup` is the path of the object whose name must be typed instead, when an id was given.
    """

    expected: str
    lookup: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """One request, ready to send but for the credential, which it never holds.

    `sign_in` is how the credential will be sent: bearer, basic or none. `secrets` are JSON pointers into `content` whose
    values are masked wherever the plan is shown, and `shown_url` is the address with its secret segments masked.
    `lookups` says what a run will look up first.
    """

    service: str
    method: str
    url: str
    risk: Risk
    headers: Mapping[str, str]
    sign_in: str = "bearer"
    content: Json = None
    raw: bytes | None = None
    secrets: tuple[str, ...] = ()
    shown_url: str = ""
    action: Action | None = None
    confirmation: Confirmation | None = None
    lookups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Credential:
    """A secret that signs requests to one service, and where it was found; the secret is kept out of `repr`.

    `kind` says how it came: environment, heroku-cli, netrc, token, browser, oauth or scoped. `expires_at` is in seconds since
    1970, None where that is not known; an empty `scope` is not known either. `connection` is the id of a kept connection.
    """

    service: str
    source: str
    token: str = field(repr=False)
    kind: str = ""
    account: str = ""
    scope: tuple[str, ...] = ()
    expires_at: float | None = None
    renewable: bool = False
    connection: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """What goes over the wire once; `timeout_s` in seconds."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False, default=None)
    timeout_s: float = 60.0


class Reply(NamedTuple):
    """What came back: `headers` with lower-case names, repeated ones joined by a line feed.

    `whole` is false where the connection ended before the body did.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str = ""
    whole: bool = True


Exchange: TypeAlias = Callable[[Request], Reply]
"""One request in, one reply out: the real network, or the sandbox in its place."""


class Result(NamedTuple):
    """What a run gives: the body, which part of a longer list it is, and what the service warned of.

    `converged` says how a repeated run found things: created or existed, deleted or missing.
    """

    output: Json
    page: Json = None
    warnings: tuple[str, ...] = ()
    reply: Reply | None = None
    sandbox: bool = False
    run_id: str = ""
    converged: str = ""


@dataclass(slots=True)
class Options:
    """What holds for a whole call; `timeout_s` is the limit of all that it sends, in seconds; of many inputs, of each."""

    json: bool = False
    sandbox: bool = False
    actions: list[Path] = field(default_factory=list)
    timeout_s: float = 60.0
    reveal: list[str] = field(default_factory=list)
    allow_unknown: bool = False
    strict: bool = False
    verbose: bool = False
    debug: bool = False
    connection: str | None = None
    token_stdin: bool = False
    app: str | None = None
    limit: int | None = None
    sort: str | None = None
    order: str | None = None
    fields: list[str] = field(default_factory=list)
    jq: str | None = None
    format: str | None = None
    max_bytes: int | None = None
    if_missing: bool = False
    missing_ok: bool = False
    two_factor: str | None = None
    program: str = "skill"
