"""Shape what is shown: mask secrets, shorten schemas, lay out tables. Pure."""

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from skill.plan import MASK, body_bytes
from skill.types import Action, Json, Plan, Schema

# what looks like a credential is masked wherever it stands: Heroku tokens, and a password inside an address,
# to the last @ of its word, since people forget to encode that
_TOKEN = re.compile(r"HRKU-[A-Za-z0-9_-]{20,}")
_WORD = re.compile(r"\S+")
_USER = re.compile(r"://[^:/@\s]*:")
# names that hold a secret in any reply, for requests that no action describes
_SECRET_NAMES = frozenset(
    """
    password password_confirmation secret client_secret private_key pre_shared_key attach_url logplex_url put_url
    get_url access_token_secret database_password resource_url api_key cvv card_number nonce token refresh_token
    authorization backup_url public_url from_url to_url output_stream_url setup_stream_url
    """.split()  # noqa: SIM905 - a list of names reads best as names
)
# parts of the names of headers whose values are never shown
SECRET_HEADERS = ("authorization", "two-factor", "password", "cookie", "sso", "secret", "token", "api-key", "apikey")
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
MOST_OUTPUT_NAMES = 8


def mask(value: Json, node: Schema | None = None, reveal: Iterable[str] = ()) -> Json:
    """Give `value` with every secret replaced by `[masked]`; null stays null, and so does its shape.

    Args:
        value: a reply or an input, as plain JSON values.
        node: its schema, where `x-secret: true` marks what is secret.
        reveal: names, or dotted paths, of fields to leave as they are; `all` leaves everything.
    """
    shown = frozenset(reveal)
    return value if "all" in shown else _mask(value, node or {}, shown, "")


def mask_text(text: str) -> str:
    """Give `text` with everything that looks like a credential replaced."""
    text = _TOKEN.sub(MASK, text)
    return _WORD.sub(_without_password, text) if "://" in text and "@" in text else text


def hide(value: Json, secrets: Sequence[str]) -> Json:
    """Give `value` with every one of the secrets that stands in it replaced, wherever it stands: a service may repeat them."""
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK)
        return value
    if isinstance(value, dict):
        return {key: hide(part, secrets) for key, part in value.items()}
    return [hide(part, secrets) for part in value] if isinstance(value, list) else value


def _without_password(word: re.Match[str]) -> str:
    text = word[0]
    user, last = _USER.search(text), text.rfind("@")
    return text if user is None or last <= user.end() else f"{text[: user.end()]}{MASK}{text[last:]}"


def _mask(value: Json, node: Json, reveal: frozenset[str], path: str) -> Json:
    node = node if isinstance(node, dict) else {}
    name = path.rsplit(".", 1)[-1]
    if value is None or (reveal and (name in reveal or path in reveal)):
        return value
    if isinstance(value, dict):
        if node.get("x-secret"):
            return MASK
        named, other = node.get("properties", {}), node.get("additionalProperties")
        inside = f"{path}." if path else ""
        return {key: _mask(part, named.get(key, other), reveal, inside + key) for key, part in value.items()}
    if isinstance(value, list):
        return MASK if node.get("x-secret") else [_mask(part, node.get("items"), reveal, path) for part in value]
    if node.get("x-secret") or (name.lower() in _SECRET_NAMES and isinstance(value, str) and value):
        return MASK
    return mask_text(value) if isinstance(value, str) else value


def show_plan(plan: Plan, reveal: Iterable[str] = ()) -> dict[str, Json]:
    """Give a plan as a dry run shows it: the whole request, secrets masked, and the confirmation that the run will want."""
    shown: dict[str, Json] = {"method": plan.method, "url": mask_text(plan.shown_url), "headers": _mask_headers(plan)}
    if plan.content is not None:
        shown["body"] = mask_pointers(plan.content, plan.secrets, reveal)
    elif plan.raw is not None:
        shown["bodyBytes"] = len(body_bytes(plan) or b"")
    if plan.lookups:
        shown["lookups"] = list(plan.lookups)
    shown["risk"] = plan.risk
    if plan.action:
        shown["action"] = plan.action.key
    if plan.confirmation:
        wanted = plan.confirmation
        shown["confirm"] = f"the name of {wanted.expected}" if wanted.lookup else wanted.expected
    return shown


def mask_pointers(value: Json, pointers: Sequence[str], reveal: Iterable[str] = ()) -> Json:
    """Give `value` with the places that the JSON pointers name masked, and what looks like a credential too."""
    shown = frozenset(reveal)
    if "all" in shown:
        return value
    hidden = {pointer for pointer in pointers if pointer.rsplit("/", 1)[-1] not in shown}

    def walk(part: Json, at: str) -> Json:
        if at in hidden:
            return MASK
        if isinstance(part, dict):
            return {key: walk(inner, f"{at}/{key.replace('~', '~0').replace('/', '~1')}") for key, inner in part.items()}
        if isinstance(part, list):
            return [walk(inner, f"{at}/{place}") for place, inner in enumerate(part)]
        name = at.rsplit("/", 1)[-1]
        if not isinstance(part, str) or name in shown:
            return part
        return MASK if part and name.lower() in _SECRET_NAMES else mask_text(part)

    return walk(value, "")


def _mask_headers(plan: Plan) -> dict[str, str]:
    return {
        name: MASK if any(word in name.lower() for word in SECRET_HEADERS) else mask_text(value)
        for name, value in plan.headers.items()
    }


def compact_input(node: Schema) -> Schema:
    """Shorten an input schema to names, types, choices and what is required: still a valid JSON Schema."""
    kept: Schema = {word: node[word] for word in ("type", "enum") if word in node}
    if "properties" in node:
        kept["properties"] = {name: compact_input(inner) for name, inner in node["properties"].items()}
    if isinstance(node.get("items"), dict):
        kept["items"] = compact_input(node["items"])
    if isinstance(node.get("additionalProperties"), dict):
        kept["additionalProperties"] = compact_input(node["additionalProperties"])
    if node.get("required"):
        kept["required"] = node["required"]
    return kept


def compact_output(node: Schema | None) -> Schema:
    """Shorten an output schema to its kind and at most eight top-level names: still a valid JSON Schema."""
    if not node:
        return {}
    if isinstance(node.get("items"), dict) and "properties" not in node:
        return {"type": "array", "items": compact_output(node["items"])}
    kept: Schema = {"type": node["type"]} if "type" in node else {}
    if "properties" in node:
        kept["properties"] = dict.fromkeys(_telling(node["properties"]), True)
    return kept


def _telling(names: Iterable[str]) -> list[str]:
    first = (
        "id",
        "name",
        "state",
        "status",
        "version",
        "type",
        "hostname",
        "quantity",
        "size",
        "url",
        "web_url",
        "email",
        "role",
        "created_at",
    )
    rest = list(names)
    ordered = [name for name in first if name in rest] + [name for name in rest if name not in first]
    return ordered[:MOST_OUTPUT_NAMES]


def brief(action: Action, score: float | None = None) -> dict[str, Json]:
    """Give an action as a search shows it."""
    shown: dict[str, Json] = {"id": action.key, "key": action.key, "name": action.title, "description": action.about}
    if score is not None:
        shown["score"] = round(score, 3)
    shown["risk"] = action.risk
    shown["inputSchema"] = compact_input(action.input)
    shown["outputSchema"] = compact_output(action.output)
    return shown


def full(action: Action, score: float | None = None) -> dict[str, Json]:
    """Give everything that is known of an action."""
    request = {"method": action.method, "path": action.path, **({"host": action.host} if action.host else {})}
    more: dict[str, Json] = {
        "inputSchema": action.input,
        "outputSchema": action.output if action.output is not None else {},
        "service": action.service,
        "resource": action.resource,
        "link": list(action.link) if len(action.link) != 1 else action.link[0],
        "request": request,
        "asks": list(action.asks),
        "example": action.example or {},
        "instead": action.instead,
        "accept": action.accept,
        "headers": dict(action.headers),
        "ends": list(action.ends),
        "sort": list(action.sort),
        "stability": action.stability,
        "deprecated": action.deprecated,
    }
    optional = {"instead", "accept", "headers", "ends", "sort", "stability", "deprecated", "link"}
    return {**brief(action, score), **{name: value for name, value in more.items() if value or name not in optional}}


def plain(text: Any) -> str:
    """Make a value safe to print in a terminal: no escapes, no control or bidirectional characters, on one line."""
    shown = text if isinstance(text, str) else json.dumps(text, ensure_ascii=False, separators=(",", ":"))
    return "".join(" " if one in "\t\n\r" else one for one in shown if one in "\t\n\r" or _printable(one))


def plain_lines(text: str) -> str:
    """Make a text of several lines safe to print in a terminal."""
    return "\n".join(plain(line) for line in text.splitlines())


def _printable(character: str) -> bool:
    return character not in _BIDI and unicodedata.category(character) not in ("Cc", "Cs")


def table(rows: Sequence[dict[str, Json]], width: int = 0, fields: Sequence[str] = ()) -> str:
    """Lay out objects as a table of their simple fields, the most telling first, within `width` columns (0: no limit).

    Args:
        fields: the fields to show, dotted ones too; left out, the most telling.
    """
    if not rows:
        return "(none)"
    names = list(fields) or [
        name for name in _telling(dict.fromkeys(key for row in rows for key in row)) if any(_cell(row.get(name)) for row in rows)
    ]
    if not fields and any("name" in row for row in rows) and "id" in names:
        names.remove("id")
        names.append("id")
    cells = [[plain(name.upper()) for name in names], *([_cell(_at(row, name)) for name in names] for row in rows)]
    sizes = [min(60, max(map(len, column))) for column in zip(*cells, strict=True)]
    while width and len(sizes) > 1 and sum(sizes) + 2 * (len(sizes) - 1) > width:
        sizes.pop()
    lines = ("  ".join(f"{cell[:size]:{size}}" for cell, size in zip(line, sizes, strict=False)).rstrip() for line in cells)
    return "\n".join(lines)


def _at(row: Json, path: str) -> Json:
    for part in path.split("."):
        row = row.get(part) if isinstance(row, dict) else None
    return row


def _cell(value: Json) -> str:
    if isinstance(value, dict):
        value = value.get("name") or value.get("email") or value.get("id") or ""
    if isinstance(value, list):
        return f"{len(value)}" if value else ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else plain(value)
