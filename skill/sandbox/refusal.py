"""What the stand-in refuses, in the service's own words."""

from typing import Any


class Refusal(Exception):
    """The request is answered with an error; the state stays as it was."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"id": code, "message": message}


def not_found(kind: str) -> Refusal:
    """Refuse because nothing of that kind and name is there."""
    return Refusal(404, "not_found", f"Couldn't find that {kind.replace('-', ' ')}.")


def invalid(message: str) -> Refusal:
    """Refuse because a value will not do."""
    return Refusal(422, "invalid_params", message)
