"""The keychain of this machine, where one answers. The home of keyring, which is slow to import and imported late."""

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from skill.faults import NotSignedIn

SERVICE = "heroku-skill"
# a keychain may show a person a dialog; an agent must not wait for that for ever
ANSWER_S = 30.0

Found = TypeVar("Found")


def keep(name: str, secrets: dict[str, str]) -> bool:
    """Put secrets into the keychain.

    Returns:
        Whether they are there; false where no keychain answers.
    """
    import keyring
    from keyring.backends import fail

    content = json.dumps(secrets, separators=(",", ":"))

    def put() -> bool:
        if isinstance(keyring.get_keyring(), fail.Keyring):
            return False
        keyring.set_password(SERVICE, name, content)
        # some keychains take what they do not keep
        return keyring.get_password(SERVICE, name) == content

    try:
        return _in_time(put)
    except Exception:  # noqa: BLE001 - a keychain fails in ways of its own, each a different library's
        return False


def fetch(name: str) -> dict[str, str]:
    """Take secrets out of the keychain.

    Raises:
        NotSignedIn: it does not answer, is locked, or holds nothing of that name.
    """
    import keyring

    try:
        content = _in_time(lambda: keyring.get_password(SERVICE, name))
    except Exception as closed:  # noqa: BLE001 - the same
        raise _closed(type(closed).__name__) from None
    try:
        secrets = json.loads(content or "")
    except ValueError:
        secrets = None
    if not isinstance(secrets, dict):
        raise NotSignedIn(
            "the keychain of this machine no longer holds the credential of this connection",
            code="keychain_empty",
            hint="sign in again: login",
        )
    return {str(key): str(value) for key, value in secrets.items()}


def forget(name: str) -> bool:
    """Take secrets out of the keychain for good.

    Returns:
        Whether they are gone; false where the keychain is locked or does not answer.
    """
    import keyring
    from keyring.errors import PasswordDeleteError

    def take_out() -> bool:
        # some keychains raise this for a name that they do not hold, some for one that they keep
        with suppress(PasswordDeleteError):
            keyring.delete_password(SERVICE, name)
        return keyring.get_password(SERVICE, name) is None

    try:
        return _in_time(take_out)
    except Exception:  # noqa: BLE001 - a keychain fails in ways of its own, each a different library's
        return False


def backend() -> str:
    """Name the keychain that answers, empty where none does."""
    import keyring
    from keyring.backends import fail

    found = keyring.get_keyring()
    return "" if isinstance(found, fail.Keyring) else str(found.name)


def _closed(why: str) -> NotSignedIn:
    return NotSignedIn(
        f"the keychain of this machine is locked or does not answer ({why})",
        code="keychain_locked",
        hint="unlock it (sign in to the desktop, or unlock the keyring) and try again, or set HEROKU_API_KEY for this run",
    )


def _in_time(ask: Callable[[], Found]) -> Found:
    """Ask on a thread of its own, which is left behind when it does not answer within `ANSWER_S` seconds."""
    answers: list[Found] = []
    wrong: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(ask())
        except BaseException as failed:  # noqa: BLE001 - it is raised again where it was asked
            wrong.append(failed)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(ANSWER_S)
    if wrong:
        raise wrong[0]
    if not answers:
        raise TimeoutError
    return answers[0]
