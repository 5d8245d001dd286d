"""One limit for all that a command sends, over a real socket: pages, look-ups, tries, waits and slow bytes together."""

import time
from collections.abc import Iterator

import pytest

from tests.conftest import Cli
from tests.server import HANG, Server, answer, text

APP = {"id": "01234567-89ab-cdef-0123-456789abcdef", "name": "example"}
LIMIT_S = 1.0
SLACK_S = 0.7


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    """Fail a test that outlasts the limit that it gave."""
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < LIMIT_S + SLACK_S


def test_pages_share_one_limit(cli: Cli, server: Server) -> None:
    """A list whose pages are each quick enough ends at the limit of all of them, and what came is kept."""
    server.play(*(answer([{"id": str(place)}], 206, "dribble", next_range=f"]{place}..") for place in range(2)))
    done = cli("action", "run", "list-apps", "--timeout", str(LIMIT_S))
    assert (done.code, done.json["output"]) == (6, [{"id": "0"}])
    assert len(server.seen) == 2


def test_a_look_up_and_its_run_share_one_limit(cli: Cli, server: Server) -> None:
    """A name that takes long to look up leaves less time for the run itself."""
    server.play(answer([APP], 200, "dribble"))
    server.rest = HANG
    assert cli("action", "run", "get-pipeline-stack", "--set", "pipeline=shop", "--timeout", str(LIMIT_S)).code == 6


def test_tries_and_waits_share_one_limit(cli: Cli, server: Server) -> None:
    """However often a service is busy, the tries and the waits between them end at the limit."""
    server.rest = text("<html>busy</html>", 503)
    assert cli("action", "run", "list-apps", "--timeout", str(LIMIT_S)).code == 6


@pytest.mark.parametrize("how", ["dribble", "dribble head"])
@pytest.mark.parametrize("words", [("get-app", "--set", "app=x"), ("create-app",)], ids=["read", "write"])
def test_one_byte_after_the_other_ends_at_the_limit(cli: Cli, server: Server, how: str, words: tuple[str, ...]) -> None:
    """A reply that never ceases to come is given up at the limit, and a write is sent once."""
    server.rest = answer({"name": "x" * 200}, 200, how)
    cli("action", "run", *words, "--timeout", str(LIMIT_S))
    assert len([one for one in server.seen if one.method == "POST"]) <= 1


def test_every_input_has_a_limit_of_its_own(cli: Cli, server: Server) -> None:
    """Of many inputs one that hangs takes no time from the next."""
    server.play(HANG, answer(APP))
    done = cli("action", "run", "get-app", "--each", "-", "--set-from", "app", "--jobs", "1", "--timeout", "0.5", stdin=b"a\nb\n")
    assert [("error" in one) for one in done.lines] == [True, False]
