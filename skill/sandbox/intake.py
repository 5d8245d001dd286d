"""Read a request: its body, whether it fits the action, and the refusals of one that does not."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from skill.paths import path_parameters
from skill.plan import choose
from skill.sandbox.match import Match
from skill.sandbox.plain import types_of
from skill.sandbox.refusal import Refusal, invalid, not_found
from skill.schema import check
from skill.types import Action, Json, Request, Service


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that has been read: the action, the values in its path, its input, its query and its Range."""

    action: Action
    values: Mapping[str, str]
    given: Mapping[str, Json]
    query: Mapping[str, str]
    span: str


def read(request: Request, matches: Mapping[Match, Action] | Iterable[tuple[Match, Action]], service: Service) -> Asked:
    """Read a request and check it as the service would.

    Args:
        matches: the actions that it may be; its body decides between several.

    Raises:
        Refusal: 406, 400, 404 or 422.
    """
    headers = {name.lower(): value for name, value in request.headers.items()}
    pairs = list(matches.items() if isinstance(matches, Mapping) else matches)
    content = _content(request.body)
    action = choose([action for _, action in pairs], content) or pairs[0][1]
    _refuse_accept(action, service, headers.get("accept", ""))
    values = next(match.values for match, one in pairs if one is action)
    query = dict(parse_qsl(urlsplit(request.url).query, keep_blank_values=True))
    _refuse_input(action, content, values, query)
    return Asked(action, values, content, query, headers.get("range", ""))


def _content(body: bytes | None) -> dict[str, Any]:
    if not body or not body.strip():
        return {}
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise Refusal(400, "bad_request", "The body is not valid JSON.") from None
    if not isinstance(content, dict):
        raise Refusal(400, "bad_request", "The body must be a JSON object.")
    return content


def _refuse_accept(action: Action, service: Service, accept: str) -> None:
    version = service.accept.partition(";")[2].strip()
    if action.host is None and version and version not in accept:
        raise Refusal(406, "not_acceptable", f"The Accept header must ask for {version}.")


def _refuse_input(action: Action, content: dict[str, Any], values: Mapping[str, str], query: Mapping[str, str]) -> None:
    nodes = action.input["properties"]
    texts = {name: _typed(text, nodes[name]) for name, text in {**query, **values}.items() if name in nodes}
    whole = {**({action.body: content} if action.body else content), **texts}
    # the service takes more than is known of it
    problems = [problem for problem in check(whole, action.input) if not problem.what.startswith("unknown property")]
    for problem in problems:
        first = problem.where.split("/")[1] if problem.where else ""
        if first in path_parameters(action.path):
            raise not_found(first.replace("_", "-"))
    if problems:
        raise invalid("; ".join(f"{problem.where.strip('/').replace('/', '.')} {problem.what}" for problem in problems))


def _typed(text: str, node: Mapping[str, Any]) -> Json:
    types = types_of(dict(node))
    if "string" not in types and "integer" in types and text.lstrip("-").isdigit():
        return int(text)
    return text == "true" if types == {"boolean"} and text in ("true", "false") else text
