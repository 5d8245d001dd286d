"""The kind of agent that calls, as `login --clientName` named it: every request says it, and results suit its harness."""

import re
from pathlib import Path

from skill import places
from skill.faults import BadInput

# harnesses that hand what is printed to a model, so that long lists are shortened for them
HARNESSES = frozenset({
    "aider", "amp", "antigravity", "claude", "claude-code", "cline", "codex", "continue", "copilot",
    "crush", "cursor", "devin", "droid", "gemini", "gemini-cli", "github-copilot", "goose", "hermes",
    "junie", "kilo", "kiro", "openclaw", "opencode", "openhands", "qwen", "roo", "trae",
    "warp", "windsurf", "zed",
})  # fmt: skip
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


def keep(name: str) -> None:
    """Keep the name for all later calls.

    Raises:
        BadInput: it would not fit into a header.
    """
    if not _NAME.fullmatch(name):
        hint = "letters, digits, dots and dashes, such as claude or codex"
        raise BadInput(f"--clientName {name[:60]!r} is no name of a client", hint=hint)
    places.write_whole(_path(), name.encode())


def client_name() -> str:
    """Give the kept name, empty where there is none."""
    try:
        name = _path().read_text(encoding="ascii").strip()
    except (OSError, UnicodeError):
        return ""
    return name if _NAME.fullmatch(name) else ""


def harness() -> str:
    """Give the kept name where it is a harness of an agent, else nothing."""
    name = client_name()
    return name if name.lower() in HARNESSES else ""


def _path() -> Path:
    return places.config() / "client-name"
