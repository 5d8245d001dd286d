"""Paths and addresses: values into segments and back, which template a path is, and what must not be sent. Pure."""

import json
import re
from urllib.parse import SplitResult, quote, unquote, urlsplit

from skill.faults import BadInput, Problem
from skill.types import Json

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PARAMETER = re.compile(r"\{(\w+)\}")


def path_parameters(path: str) -> list[str]:
    """List the names of the parameters in an action's path, in order."""
    return _PARAMETER.findall(path)


def match_path(template: str, path: str) -> dict[str, str] | None:
    """Give the values that make `template` the path, still encoded, None where they differ.

    Segments are compared decoded once, as a service reads them; empty ones, of doubled or trailing slashes, do not count.
    """
    wanted, given = segments(template), segments(path)
    if len(wanted) != len(given):
        return None
    values: dict[str, str] = {}
    for form, part in zip(wanted, given, strict=True):
        found = _match_segment(form, part)
        if found is None:
            return None
        values |= found
    return values


def _match_segment(form: str, part: str) -> dict[str, str] | None:
    if "{" not in form:
        return {} if unquote(form) == unquote(part) else None
    if _PARAMETER.fullmatch(form):
        return {form[1:-1]: part}
    inner = "".join(
        f"(?P<{piece[1:-1]}>.+)" if piece.startswith("{") else re.escape(piece) for piece in re.split(r"(\{\w+\})", form)
    )
    found = re.fullmatch(inner, part) or re.fullmatch(inner, unquote(part))
    return found.groupdict() if found else None


def segment(name: str, value: Json, slash: bool = False) -> str:
    """Encode a value as one segment of a path, exactly once.

    Raises:
        BadInput: the value is empty, a dot segment, holds a control character or, unless `slash`, a slash.
    """
    text = json.dumps(value) if isinstance(value, bool) else str(value)
    if not text.strip() or text in (".", "..") or CONTROL.search(text) or ("/" in text and not slash):
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


def looks_like_id(text: str) -> bool:
    """Tell whether a text is a UUID, which says nothing to the person who must confirm it."""
    return bool(_UUID.fullmatch(text))


def segments(path: str) -> list[str]:
    """List the segments of a path that are not empty."""
    return [part for part in path.split("/") if part]


def origin_of(url: str) -> str:
    """Give scheme, host and port of an address in one form: lower case, without the port that goes without saying."""
    parts = urlsplit(url)
    host, standard = parts.netloc.lower(), {"https": ":443", "http": ":80"}.get(parts.scheme.lower(), ":")
    return f"{parts.scheme.lower()}://{host.removesuffix(standard).removesuffix(':')}"


def check_path(path: str) -> SplitResult:
    """Refuse a path or an address that must not be sent as it stands.

    Returns:
        Its parts.

    Raises:
        BadInput: it is no path, climbs, or holds what would be read as something else.
    """
    bare = path.removeprefix("https://")
    if not path.startswith(("/", "https://")):
        raise BadInput(f"the path {path!r} must start with / or https://", hint="for example /apps/example")
    odd = path.startswith("//") or CONTROL.search(path) or any(one in path for one in "\\ #") or "@" in bare.split("/")[0]
    parts = None if odd else _split(path)
    if parts is None:
        raise BadInput(
            "the path holds something that must not be sent",
            hint="encode values with --pathParam name=value and {name} in the path",
        )
    if any(part.lower().replace("%2e", ".") in (".", "..") for part in segments(parts.path)):
        raise BadInput("the path climbs with . or .. segments", hint="write the whole path, for example /apps/example")
    if "{" in path:
        raise BadInput(f"the path {path!r} has a parameter without a value", hint="give --pathParam name=value for each {name}")
    return parts


def _split(path: str) -> SplitResult | None:
    """Take an address apart; None where it is none, or is no text that can be sent."""
    try:
        path.encode()
        parts = urlsplit(path)
        _ = parts.port
    except ValueError:
        return None
    return parts
