"""Where the credential of a service comes from, and where it may go."""

from skill.connection.find import find
from skill.connection.hosts import base_of, may_sign

__all__ = ["base_of", "find", "may_sign"]
