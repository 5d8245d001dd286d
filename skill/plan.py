"""Turn an action and its input, or a raw request, into a Plan. Pure: nothing is read, nothing is sent."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from skill.faults import BadInput, Problem
from skill.types import Action, Confirmation, Json, Plan, Risk, Schema, Service

MASK = "[masked]"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# the program signs requests itself, and a header of the caller's must not move the token or the framing
_OWN_HEADERS = frozenset(
    {"authorization", "host", "content-length", "transfer-encoding", "connection", "cookie", "proxy-authorization"}
)


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
    content = rest.get(action.body) if action.body else rest or None
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
    url = path if path.startswith("https://") else base + path
    _refuse_path(path)
    own = {"Accept": service.accept}
    if raw is None and content is not None:
        own["Content-Type"] = "application/json"
    for name, value in headers:
        _refuse_header(name, value)
        own = {kept: text for kept, text in own.items() if kept.lower() != name.lower()} | {name: value}
    action = choose(matches, content)
    pairs = list(query)
    whole = url + (("&" if "?" in url else "?") + urlencode(pairs) if pairs else "")
    plan = Plan(
        service=service.name,
        method=method,
        url=whole,
        shown_url=whole,
        risk=_raw_risk(method),
        headers=own,
        sign_in=service.sign_in,
        content=content,
        raw=raw,
        action=action,
        confirmation=Confirmation(_segments(urlsplit(url).path)[-1]) if method == "DELETE" else None,
    )
    return _inherit(plan, action) if action else plan


def choose(matches: Iterable[Action], content: Json) -> Action | None:
    """Pick the action that a raw request is: the one whose required body fits, else the riskiest."""
    found = list(matches)
    sent = set(content) if isinstance(content, dict) else set()

    def fits(action: Action) -> bool:
        needed = set(action.input.get("required", ())) - set(path_parameters(action.path)) - {action.body}
        return bool(needed) and needed <= sent

    fitting = [action for action in found if fits(action)] or found
    return max(fitting, key=lambda action: ("read", "write", "destroy").index(action.risk), default=None)


def path_parameters(path: str) -> list[str]:
    """List the names of the parameters in an action's path, in order."""
    return re.findall(r"\{(\w+)\}", path)


def match_path(template: str, path: str) -> dict[str, str] | None:
    """Give the values that make `template` the path, None where they differ."""
    form = "".join(
        f"(?P<{part[1:-1]}>[^/]+)" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{\w+\})", template)
    )
    found = re.fullmatch(form, path)
    return found.groupdict() if found else None


def segment(name: str, value: Json, slash: bool = False) -> str:
    """Encode a value as one segment of a path, exactly once.

    Raises:
        BadInput: the value is empty, a dot segment, holds a control character or, unless `slash`, a slash.
    """
    text = json.dumps(value) if isinstance(value, bool) else str(value)
    if not text.strip() or text in (".", "..") or _CONTROL.search(text) or ("/" in text and not slash):
        why = "is empty" if not text.strip() else "holds a character that a path must not have"
        raise BadInput(
            f"the value of {name!r} {why}",
            hint="a path value is one name or id, without slashes, dots alone or control characters",
            problems=[Problem(f"/{name}", why)],
        )
    try:
        return quote(text, safe="~")
    except UnicodeEncodeError:
        raise BadInput(f"the value of {name!r} is not valid text", problems=[Problem(f"/{name}", "is not valid text")]) from None


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


def looks_like_id(text: str) -> bool:
    """Tell whether a text is a UUID, which says nothing to the person who must confirm it."""
    return bool(_UUID.fullmatch(text))


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
        return json.loads(raw)
    except ValueError:
        return None


def _raw_risk(method: str) -> Risk:
    if method in ("GET", "HEAD"):
        return "read"
    return "destroy" if method == "DELETE" else "write"


def _refuse_path(path: str) -> None:
    bare = path.removeprefix("https://")
    if not path.startswith(("/", "https://")):
        raise BadInput(f"the path {path!r} must start with / or https://", hint="for example /apps/example")
    if path.startswith("//") or _CONTROL.search(path) or "\\" in path or " " in path or "#" in path or "@" in bare.split("/")[0]:
        raise BadInput(
            "the path holds something that must not be sent",
            hint="encode values with --pathParam name=value and {name} in the path",
        )
    if any(part.lower().replace("%2e", ".") in (".", "..") for part in _segments(urlsplit(path).path)):
        raise BadInput("the path climbs with . or .. segments", hint="write the whole path, for example /apps/example")
    if "{" in path:
        raise BadInput(f"the path {path!r} has a parameter without a value", hint="give --pathParam name=value for each {name}")


def _segments(path: str) -> list[str]:
    return [part for part in path.split("/") if part] or ["/"]


def _refuse_header(name: str, value: str) -> None:
    if not _HEADER_NAME.fullmatch(name) or _CONTROL.search(value.replace("\t", " ")) or not value.isascii():
        raise BadInput("a header holds a character that must not be sent", hint="-H 'Name: value', on one line")
    if name.lower() in _OWN_HEADERS:
        raise BadInput(f"the header {name} is set by this program", hint="sign in with `login`, or set HEROKU_API_KEY")


def _flat(query: Mapping[str, Json]) -> list[tuple[str, Any]]:
    return [(name, json.dumps(value) if isinstance(value, (bool, dict, list)) else value) for name, value in query.items()]


def _escape(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")
