"""Open an address in the browser of this machine, where it has one that a person sees."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from skill.children import is_secret


def has_browser(environ: Mapping[str, str]) -> bool:
    """Tell whether a person at this machine would see a browser."""
    if sys.platform in {"darwin", "win32"}:
        return not environ.get("SSH_CONNECTION")
    # without a display the standard library would start a browser of the terminal, in the middle of our output
    return any(environ.get(name) for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"))


def open_browser(url: str) -> bool:
    """Open an address.

    Returns:
        Whether a browser took it.
    """
    import webbrowser

    try:
        with _without_secrets():
            return webbrowser.open(url)
    except (webbrowser.Error, OSError):
        return False


@contextmanager
def _without_secrets() -> Iterator[None]:
    """Start what is started inside without the user's secrets in its environment."""
    taken = {name: os.environ.pop(name) for name in list(os.environ) if is_secret(name)}
    try:
        yield
    finally:
        os.environ.update(taken)
