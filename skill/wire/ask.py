"""Ask over the network where a lost reply is simply a reason to try later: sign-in, checks."""

from skill.faults import TryLater
from skill.shape import mask_text
from skill.types import Exchange, Reply, Request
from skill.wire.exchange import ExchangeFailed


def asking(exchange: Exchange) -> Exchange:
    """Make an exchange whose failures are faults."""

    def ask(request: Request) -> Reply:
        try:
            return exchange(request)
        except ExchangeFailed as failed:
            hint = "check the network, or HTTPS_PROXY if there is a proxy"
            raise TryLater(mask_text(failed.message), code="network", hint=hint) from None

    return ask
