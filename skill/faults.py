"""What can go wrong, and the one table of exit codes that both the help text and the program use.

Fault                   a bug of ours, exit 70
├── Refused             the service said no, exit 1
├── BadInput            wrong usage or input, exit 2
├── NoSuchAction        no action of that key, exit 3
├── NotSignedIn         no credential, or not allowed, exit 4
├── NeedsConfirmation   a person must confirm, or a policy forbids, exit 5
├── TryLater            network, rate limit or outage, and nothing was changed, exit 6
├── OddReply            a reply unlike its schema, under --strict, exit 7
└── Unknown             a write was sent and its outcome is unknown, exit 8
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

EXITS = {
    0: "done",
    1: "the service said no, or a check found something",
    2: "wrong usage or input; nothing was sent",
    3: "no such action; the nearest are listed",
    4: "not signed in, or not allowed",
    5: "needs confirmation, or a policy forbids it",
    6: "network, rate limit or outage; nothing was changed, try later",
    7: "the reply is unlike its schema (only with --strict)",
    8: "a write was sent and its outcome is unknown; do not repeat it, look first",
    70: "a bug in this program",
    130: "interrupted",
}


class Step(NamedTuple):
    """A command worth running next, and why."""

    command: str
    why: str


class Problem(NamedTuple):
    """One thing wrong with an input: where (a JSON pointer, empty for the whole) and what."""

    where: str
    what: str


class Fault(Exception):
    """Something went wrong: what, with which value, and what to do next."""

    exit = 70
    code = "internal_error"
    retryable = False

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        hint: str = "",
        next: Sequence[Step] = (),
        problems: Sequence[Problem] = (),
        http_status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.hint = hint
        self.next = tuple(next)
        self.problems = tuple(problems)
        self.http_status = http_status
        self.request_id = request_id
        self.output: Any = None
        self.page: Any = None
        self.warnings: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Give the fault as the `error` object of an envelope, empty parts left out."""
        whole: dict[str, Any] = {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "retryable": self.retryable,
            "http_status": self.http_status,
            "request_id": self.request_id,
            "problems": [problem._asdict() for problem in self.problems],
            "next": [step._asdict() for step in self.next],
        }
        return {name: value for name, value in whole.items() if value not in ("", None, [])}


class Refused(Fault):
    """The service answered, and the answer is no."""

    exit = 1
    code = "refused"


class BadInput(Fault):
    """The command or its input is wrong; nothing was sent."""

    exit = 2
    code = "bad_input"


class NoSuchAction(Fault):
    """No action has that key."""

    exit = 3
    code = "no_such_action"


class NotSignedIn(Fault):
    """There is no credential, or the service does not accept it for this."""

    exit = 4
    code = "not_signed_in"


class NeedsConfirmation(Fault):
    """It destroys something, and nobody has confirmed it."""

    exit = 5
    code = "needs_confirmation"


class TryLater(Fault):
    """The service could not be asked, and nothing was changed."""

    exit = 6
    code = "unavailable"
    retryable = True


class OddReply(Fault):
    """The reply is unlike its schema, and the caller wants that to be an error."""

    exit = 7
    code = "odd_reply"


class Unknown(Fault):
    """A write was sent, and nobody knows whether it was done."""

    exit = 8
    code = "outcome_unknown"
