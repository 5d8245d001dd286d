"""Turn an action and its input, or a raw request, into a Plan. Pure: nothing is read, nothing is sent."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from skill.faults import BadInput, Problem
from skill.paths import CONTROL, check_path, looks_like_id, match_path, path_parameters, segment, segments
from skill.schema import parse
from skill.types import Action, Confirmation, Json, Plan, Risk, Service

MASK = "[masked]"
SHORTEST_SECRET = 6
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# the program signs requests itself, and a header of the caller's must not move the token or the framing
_OWN_HEADERS = frozenset(
    {"authorization", "host", "content-length", "transfer-encoding", "connection", "cookie", "proxy-authorization"}
)
# with these a service takes another method or path than the one that was checked
_TURNING_HEADERS = frozenset({"x-http-method-override", "x-http-method", "x-method-override", "x-original-url", "x-rewrite-url"})


def plan_action(action: Action, given: Mapping[str, Json], service: Service, base: str) -> Plan:
    """Plan the request of an action; `given` has been checked against the action's schema.

    Args:
        base: the origin to send to, which the user's environment may have changed from the service's own.

    Raises:
        BadInput: a path value cannot be one segment of a path.
    """
    values = dict(given)
    names = path_parameters(action.path)
    path, shown = _fill(action, values, names)
    query = {name: values.pop(name) for name in action.query if name in values}
    rest = {name: value for name, value in values.items() if name not in names}
    if action.method in ("GET", "HEAD"):
        # what is not known can only be one more part of the query
        query, rest = {**query, **rest}, {}
    content = _whole_body(action, rest) if action.body else rest or None
    origin = f"https://{action.host}" if action.host else base
    tail = "?" + urlencode(_flat(query)) if query else ""
    headers = {"Accept": action.accept or service.accept, **action.headers}
    if content is not None:
        headers["Content-Type"] = "application/json"
    node = action.input["properties"].get(action.body, {}) if action.body else action.input
    return Plan(
        service=service.name,
        method=action.method,
        url=origin + path + tail,
        shown_url=origin + shown + tail,
        risk=action.risk,
        headers=headers,
        sign_in=action.sign_in or service.sign_in,
        content=content,
        secrets=tuple(secret_pointers(content, node)),
        action=action,
        confirmation=_confirmation(action, given, path, names) if action.risk == "destroy" else None,
    )


def plan_raw(
    service: Service,
    base: str,
    method: str,
    path: str,
    *,
    query: Sequence[tuple[str, str]] = (),
    headers: Sequence[tuple[str, str]] = (),
    content: Json = None,
    raw: bytes | None = None,
    matches: Iterable[Action] = (),
) -> Plan:
    """Plan a raw request; one that is the same request as an action inherits its risk, confirmation and secrets.

    Args:
        path: begins with `/`, or a whole `https://` address of a host that the service owns.
        raw: the body as bytes, sent unchanged; `content` otherwise is sent as JSON.
        matches: actions whose method and path fit; of several, the one whose required body fits, else the riskiest, counts.

    Raises:
        BadInput: a method, path or header that must not be sent.
    """
    if method not in METHODS:
        raise BadInput(f"unknown method {method!r}", hint=f"one of {', '.join(METHODS)}")
    parts = check_path(path)
    url, action = ("" if parts.netloc else base) + path + _more_query(parts.query, query), choose(matches, content)
    plan = Plan(
        service=service.name,
        method=method,
        url=url,
        shown_url=url,
        risk=_raw_risk(method),
        headers=_raw_headers(service, headers, as_json=raw is None and content is not None),
        sign_in=service.sign_in,
        content=content,
        raw=raw,
        action=action,
        confirmation=Confirmation((segments(parts.path) or ["/"])[-1]) if method == "DELETE" else None,
    )
    return _inherit(_sound(plan), action) if action else _sound(plan)


def _more_query(known: str, query: Sequence[tuple[str, str]]) -> str:
    try:
        return f"{'&' if known else '?'}{urlencode(query)}" if query else ""
    except UnicodeEncodeError:
        raise BadInput("a value of --query is not valid text", hint="UTF-8 text") from None


def _raw_headers(service: Service, headers: Sequence[tuple[str, str]], *, as_json: bool) -> dict[str, str]:
    own = {"Accept": service.accept, **({"Content-Type": "application/json"} if as_json else {})}
    for name, value in headers:
        _refuse_header(name, value)
        own = {kept: text for kept, text in own.items() if kept.lower() != name.lower()} | {name: value}
    return own


def _sound(plan: Plan) -> Plan:
    try:
        body_bytes(plan)
    except (UnicodeEncodeError, RecursionError):
        raise BadInput("the body is not valid text", hint="UTF-8 text, without halves of surrogate pairs") from None
    return plan


def consented(plan: Plan, confirm: str | None) -> Plan:
    """Pass a person's confirmation on to the service, where the action has a place for it and the service is who asks."""
    action = plan.action
    takes = action is not None and "confirm" in action.input.get("properties", {}) and plan.confirmation is None
    if confirm is None or not takes or plan.raw is not None or not isinstance(plan.content, dict):
        return plan
    return replace(plan, content={"confirm": confirm, **plan.content})


def path_values(plan: Plan) -> dict[str, Json]:
    """Give the values that the path of a raw request has for the parameters of its action."""
    values = match_path(plan.action.path, urlsplit(plan.url).path) if plan.action else None
    return {name: unquote(value) for name, value in (values or {}).items()}


def choose(matches: Iterable[Action], content: Json) -> Action | None:
    """Pick the action that a raw request is: the one whose required body fits, else the riskiest."""
    found = list(matches)
    sent = set(content) if isinstance(content, dict) else set()

    def fits(action: Action) -> bool:
        needed = set(action.input.get("required", ())) - set(path_parameters(action.path)) - {action.body}
        return bool(needed) and needed <= sent

    fitting = [action for action in found if fits(action)] or found
    return max(fitting, key=lambda action: ("read", "write", "destroy").index(action.risk), default=None)


def secret_pointers(value: Json, node: Json, at: str = "") -> list[str]:
    """List JSON pointers to the parts of `value` that the schema marks secret."""
    if not isinstance(node, dict):
        return []
    if node.get("x-secret"):
        return [at] if value is not None else []
    if isinstance(value, dict):
        named, other = node.get("properties", {}), node.get("additionalProperties")
        inner = ((key, part, named.get(key, other if isinstance(other, dict) else {})) for key, part in value.items())
        return [found for key, part, schema in inner for found in secret_pointers(part, schema, f"{at}/{_escape(key)}")]
    if isinstance(value, list):
        items = node.get("items", {})
        return [found for place, part in enumerate(value) for found in secret_pointers(part, items, f"{at}/{place}")]
    return []


def secret_values(plan: Plan, reveal: Iterable[str] = ()) -> list[str]:
    """List the secrets of a plan's body and path, but those that are revealed, or too short to be told from other words."""
    shown = frozenset(reveal)
    if "all" in shown:
        return []
    content = plan.content if plan.raw is None else _json_or_none(plan.raw)
    names = [[part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]] for pointer in plan.secrets]
    parts = [_at(content, path) for path in names if not shown & set(path[-1:])]
    pairs = zip(urlsplit(plan.url).path.split("/"), urlsplit(plan.shown_url).path.split("/"), strict=False)
    parts += [unquote(given) for given, told in pairs if MASK in unquote(told) and given != told]
    return sorted((text for part in parts for text in _texts(part) if len(text) >= SHORTEST_SECRET), key=len, reverse=True)


def _at(value: Json, path: Sequence[str]) -> Json:
    for name in path:
        value = value[int(name)] if isinstance(value, list) else value[name]
    return value


def _texts(value: Json) -> list[str]:
    if isinstance(value, (dict, list)):
        return [text for part in (value.values() if isinstance(value, dict) else value) for text in _texts(part)]
    return [value] if isinstance(value, str) else []


def body_bytes(plan: Plan) -> bytes | None:
    """Give the bytes of the plan's body: the same for every try, and for what a dry run shows."""
    if plan.raw is not None:
        return plan.raw
    return None if plan.content is None else json.dumps(plan.content, ensure_ascii=False, separators=(",", ":")).encode()


def digest(plan: Plan, salt: str = "") -> str:
    """Name what a plan will send: the same for the same request, different where anything differs (SHA-256, hexadecimal)."""
    from hashlib import sha256

    parts = [salt, plan.method, plan.url, json.dumps(sorted(plan.headers.items())), plan.risk, plan.sign_in]
    return sha256("\n".join(parts).encode("utf-8", "surrogatepass") + b"\n" + (body_bytes(plan) or b"")).hexdigest()


def _whole_body(action: Action, rest: Mapping[str, Json]) -> Json:
    """Give the one input that is the whole body; beside it nothing has a place.

    Raises:
        BadInput: there is something beside it.
    """
    beside = [name for name in rest if name != action.body]
    if beside:
        raise BadInput(
            f"{action.key} has no place for {', '.join(map(repr, beside))}: its body is {action.body!r}",
            hint=f"put it into {action.body!r}",
            problems=[Problem(f"/{name}", "has no place in the request") for name in beside],
        )
    return rest.get(action.body or "")


def _fill(action: Action, values: Mapping[str, Json], names: Sequence[str]) -> tuple[str, str]:
    path = shown = action.path
    for name in names:
        node = action.input["properties"][name]
        encoded = segment(name, values[name], bool(node.get("x-slash")))
        path = path.replace(f"{{{name}}}", encoded)
        shown = shown.replace(f"{{{name}}}", MASK if node.get("x-secret") else encoded)
    return path, shown


def _confirmation(action: Action, given: Mapping[str, Json], path: str, names: Sequence[str]) -> Confirmation:
    nodes = action.input["properties"]
    open_names = [name for name in names if not nodes[name].get("x-secret")]
    name = action.confirm or (open_names[-1] if open_names else None)
    if name is None:
        last = [part for part in action.path.split("/") if part and "{" not in part]
        return Confirmation(last[-1] if last else action.key)
    text = str(given.get(name, ""))
    ends_in_it = bool(names) and names[-1] == name and action.path.endswith(f"{{{name}}}")
    return Confirmation(text, path if ends_in_it and looks_like_id(text) else None)


def _inherit(plan: Plan, action: Action) -> Plan:
    path = urlsplit(plan.url).path
    given = match_path(action.path, path) or {}
    node = action.input["properties"].get(action.body, {}) if action.body else action.input
    content = plan.content if plan.raw is None else _json_or_none(plan.raw)
    confirmation = None
    if action.risk == "destroy":
        values = {name: unquote(value) for name, value in given.items()}
        confirmation = _confirmation(
            action, {**(content if isinstance(content, dict) else {}), **values}, path, path_parameters(action.path)
        )
    shown = plan.url
    for name, value in given.items():
        if action.input["properties"][name].get("x-secret"):
            shown = shown.replace(value, MASK)
    return replace(
        plan,
        risk=action.risk,
        sign_in=action.sign_in or plan.sign_in,
        secrets=tuple(secret_pointers(content, node)),
        shown_url=shown,
        confirmation=confirmation,
    )


def _json_or_none(raw: bytes) -> Json:
    try:
        return parse(raw)
    except ValueError:
        return None


def _raw_risk(method: str) -> Risk:
    if method in ("GET", "HEAD"):
        return "read"
    return "destroy" if method == "DELETE" else "write"


def _refuse_header(name: str, value: str) -> None:
    if not _HEADER_NAME.fullmatch(name) or CONTROL.search(value.replace("\t", " ")) or not value.isascii():
        raise BadInput("a header holds a character that must not be sent", hint="-H 'Name: value', on one line")
    # many servers read an underscore as a hyphen
    known = name.lower().replace("_", "-")
    if known in _OWN_HEADERS:
        raise BadInput(f"the header {name} is set by this program", hint="sign in with `login`, or set HEROKU_API_KEY")
    if known in _TURNING_HEADERS:
        raise BadInput(f"the header {name} would make another request of it", hint="-X names the method, the path the path")


def _flat(query: Mapping[str, Json]) -> list[tuple[str, Any]]:
    return [(name, json.dumps(value) if isinstance(value, (bool, dict, list)) else value) for name, value in query.items()]


def _escape(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")
