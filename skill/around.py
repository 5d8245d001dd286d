"""Put together what a sign-in needs: the network as it asks, the port that it listens on, the index, and the token in hand."""

import os
import sys
from collections.abc import Callable
from functools import partial

from skill.catalog import Catalog
from skill.connection.setting import Listener, Setting
from skill.types import Exchange, Service
from skill.wire.ask import asking

LONGEST_TOKEN = 4096


def setting_of(
    catalog: Catalog, program: str, token: str, exchange: Callable[[], Exchange], note: Callable[[str], None]
) -> Setting:
    """Make the setting of a call; `token` is the one in hand, empty where there is none."""
    made: list[Exchange] = []

    def ask() -> Exchange:
        # one exchange for the whole call keeps its connections
        if not made:
            made.append(asking(exchange()))
        return made[0]

    return Setting(
        services=catalog.services,
        environ=os.environ,
        ask=ask,
        listen=_listen,
        indexed=partial(_indexed, catalog),
        build=partial(_build, catalog, note),
        program=program,
        token=token,
    )


def read_token() -> str:
    """Read a token from standard input, unseen where a person types it."""
    if sys.stdin.isatty():
        from getpass import getpass

        return getpass("Token: ").strip()
    # one line alone, so that an input may follow it
    return sys.stdin.buffer.readline(LONGEST_TOKEN).decode("utf-8", "replace").strip()


def network() -> Exchange:
    """Make the real network, which names the agent that calls."""
    from skill.connection.client import client_name
    from skill.wire.http import Network, user_agent

    return Network(agent=user_agent(client_name()))


def _listen(port: int, path: str) -> Listener:
    from skill.wire.loopback import Loopback

    return Loopback(port, path)


def _indexed(catalog: Catalog, service: Service) -> bool:
    from skill.index.own import indexed

    return indexed(catalog, service)


def _build(catalog: Catalog, note: Callable[[str], None], service: Service) -> None:
    from skill.index.own import build

    build(catalog, service, note)
