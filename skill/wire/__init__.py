"""The only room with sockets: send a plan, follow its pages, and say plainly what became of it."""

from skill.wire.deliver import Delivery
from skill.wire.send import send

__all__ = ["Delivery", "send"]
