"""The sandbox: an embedded stand-in for a service, made from the catalog alone."""

from skill.sandbox.sandbox import Sandbox

__all__ = ["Sandbox"]
