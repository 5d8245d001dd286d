"""What a sign-in gives."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Grant:
    """A token, and what is known of it; `expires_at` in seconds since 1970, `authorization` the id under which it is revoked."""

    token: str = field(repr=False)
    refresh: str = field(default="", repr=False)
    expires_at: float | None = None
    scope: tuple[str, ...] = ()
    authorization: str = ""
