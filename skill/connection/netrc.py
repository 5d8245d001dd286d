"""The credential in the user's netrc file, where the Heroku CLI and curl keep theirs."""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from skill.faults import NotSignedIn
from skill.types import Credential, Service


def read(service: Service, environ: Mapping[str, str]) -> Credential | None:
    """Give the password of the service's host in the netrc file, None where there is no such file or entry.

    Raises:
        NotSignedIn: the file is there but cannot be read.
    """
    home = Path(environ.get("HOME") or os.path.expanduser("~"))
    for path in (home / ".netrc", home / "_netrc"):
        if path.is_file():
            account, token = _entry(path, urlsplit(service.base).hostname or "")
            return Credential(service.name, str(path), token, kind="netrc", account=account) if token else None
    return None


def _entry(path: Path, host: str) -> tuple[str, str]:
    from netrc import NetrcParseError, netrc

    try:
        found = netrc(str(path)).hosts.get(host)
    except (NetrcParseError, OSError, UnicodeDecodeError) as wrong:
        line = getattr(wrong, "lineno", None)
        where = f"{path}, line {line}" if line else str(path)
        # the library's own message quotes the file, which holds passwords
        message, hint = f"the credentials file cannot be read: {where}", "mend the file, or chmod 600 it"
        raise NotSignedIn(message, code="bad_credential", hint=hint) from None
    return (found[0] or "", (found[2] or "").strip()) if found else ("", "")
