"""The session of Heroku's own command line: in the keychain since its version 11, in the netrc file before."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from skill.children import cleaned
from skill.connection import netrc
from skill.faults import NotSignedIn, Step
from skill.types import Credential, Service

KEYCHAIN_SERVICE = "heroku-cli"
ANSWER_S = 30.0


def read(service: Service, environ: Mapping[str, str]) -> Credential | None:
    """Give the token of the command line's session, None where there is none.

    Raises:
        NotSignedIn: its netrc file is there but cannot be read, or its keychain does not give what it has.
    """
    if service.name != "heroku":
        return netrc.read(service, environ)
    account = "" if environ.get("HEROKU_NETRC_WRITE", "").lower() == "true" else _account(environ)
    token = _ask(_command(account), environ) if account else ""
    if token:
        return Credential(service.name, "the Heroku CLI's session (keychain)", token, kind="heroku-cli", account=account)
    found = netrc.read(service, environ)
    if found is None and account:
        raise _withheld(service, account, _command(account)[0])
    return found


def _withheld(service: Service, account: str, program: str) -> NotSignedIn:
    return NotSignedIn(
        f"no credential for {service.title} was found; the Heroku CLI is signed in as {account}, "
        f"but the keychain does not give its session ({'locked, or gone' if shutil.which(program) else f'{program} is missing'})",
        hint="unlock the keychain and try again, or sign in with `login`",
        next=[Step("login", "sign in")],
    )


def _account(environ: Mapping[str, str]) -> str:
    """Read which account is signed in; the file is there only where a keychain holds the token."""
    home = environ.get("HOME") or os.path.expanduser("~")
    base = environ.get("XDG_DATA_HOME") or f"{home}/.local/share"
    folder = environ.get("HEROKU_DATA_DIR") or f"{base}/heroku"
    try:
        account = json.loads((Path(folder) / "login.json").read_bytes())["account"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    # it becomes one word of a command
    return account if isinstance(account, str) and account.isprintable() and not account.startswith("-") else ""


def _command(account: str) -> list[str]:
    # asked by the very programs that stored it, a keychain answers without a question to the user
    if sys.platform == "darwin":
        return ["security", "find-generic-password", "-a", account, "-s", KEYCHAIN_SERVICE, "-w"]
    return ["secret-tool", "lookup", "service", KEYCHAIN_SERVICE, "account", account]


def _ask(command: list[str], environ: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program; the account is one word of it
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=ANSWER_S, env=cleaned(environ), check=False
        )
    except (OSError, subprocess.SubprocessError, UnicodeError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
