"""Lists of several pages over a real socket: in order, each item once, and never a part that looks like the whole."""

import json
import os
import pty
import subprocess
import sys

import pytest

from tests.conftest import Cli, command, environment, shown_on
from tests.server import RESET_READ, Server, answer, text

LIST = ("action", "run", "list-apps")


def page(*names: str, after: str = "", status: int = 206) -> object:
    """Make a page of items; `after` is the range of the next one."""
    items = [{"id": name, "name": name} for name in names]
    return answer(items, status, next_range=f"]{after}..") if after else answer(items, status)


@pytest.mark.parametrize("words", [LIST, ("request", "/apps"), ("request", "/none")], ids=["action", "raw", "unmatched"])
def test_a_moved_item_comes_once(cli: Cli, server: Server, words: tuple[str, ...]) -> None:
    """An item that moved onto the next page while the list was read is not given twice."""
    server.play(page("a", "b", after="b"), page("b", "c", status=200))
    done = cli(*words)
    assert [one["id"] for one in done.json["output"]] == ["a", "b", "c"]
    assert done.json["page"]["total"] == 3


def test_a_repeated_page_ends_the_list(cli: Cli, server: Server) -> None:
    """A service that gives the same page under ever new ranges is not followed for ever: exit 6, and what came is kept."""
    server.play(page("a", "b", after="b"), page("a", "b", after="c"))
    done = cli(*LIST)
    assert (done.code, [one["id"] for one in done.json["output"]], done.json["page"]["truncated"]) == (6, ["a", "b"], True)


@pytest.mark.parametrize("form", [(), ("--format", "ndjson")], ids=["envelope", "lines"])
def test_a_part_without_a_next_range_is_no_whole(cli: Cli, server: Server, form: tuple[str, ...]) -> None:
    """206 without Next-Range is a part of a list, and is said to be."""
    server.play(page("a"))
    done = cli(*LIST, *form)
    assert (done.code, done.err.count("part of the list")) == (0, 1)
    if not form:
        assert done.json["page"] == {"truncated": True, "shown": 1, "total": None, "next": done.json["page"]["next"]}


@pytest.mark.parametrize(
    "broken", [RESET_READ, answer([{"id": "b"}], 200, "cut"), text("<html>", 502), text('[{"id":', 200, "application/json")]
)
def test_a_page_that_fails_is_asked_for_again_alone(cli: Cli, server: Server, broken: object) -> None:
    """A page that fails in the middle is asked for again by its own range, and the pages before it are not."""
    server.play(page("a", after="a"), broken, page("b", status=200))
    assert [one["id"] for one in cli(*LIST).json["output"]] == ["a", "b"]
    assert [one.headers.get("range") for one in server.seen] == [None, "]a..", "]a.."]


def test_a_stream_that_breaks_off_says_so(cli: Cli, server: Server) -> None:
    """Lines that were printed before a failure stay, and the exit and the error say that they are not all."""
    server.play(page("a", after="a"))
    server.rest = text("no", 404)
    done = cli(*LIST, "--format", "ndjson")
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert (done.code, lines[0]["id"], lines[1]["error"]["code"]) == (1, "a", "not_found")


def test_a_limit_asks_for_no_page_more(cli: Cli, server: Server) -> None:
    """--limit stops at the page that fills it, and `page` says that there is more and by which command."""
    server.play(page("a", "b", after="b"), page("c", "d", after="d"))
    done = cli(*LIST, "--limit", "3")
    assert [one["id"] for one in done.json["output"]] == ["a", "b", "c"]
    told = done.json["page"]
    assert (told["truncated"], told["shown"], told["total"]) == (True, 3, None)
    assert told["next"].endswith("action run list-apps --limit 0")


@pytest.mark.parametrize("form", ["ndjson", "csv", "table"])
def test_a_limit_is_said_without_an_envelope_too(cli: Cli, server: Server, form: str) -> None:
    """Where there is no envelope, stderr says that the list goes on, and the command for all of it."""
    server.play(page("a", "b", after="b"))
    assert "1 items, and there are more; all: " in cli(*LIST, "--limit", "1", "--format", form).err


@pytest.mark.parametrize(
    "words",
    [("get-app", "--set", "app=x", "--sort", "id"), ("list-apps", "--sort", "nme"), ("create-app", "--order", "desc")],
    ids=lambda words: words[0],
)
def test_what_has_no_order_is_not_sorted(cli: Cli, server: Server, words: tuple[str, ...]) -> None:
    """--sort and --order where there is no list, or no such order, are refused."""
    assert (cli("action", "run", *words).code, server.seen) == (2, [])


@pytest.mark.parametrize("value", [{"id": "a"}, False, "x", None])
def test_what_is_no_list_has_no_pages(cli: Cli, server: Server, value: object) -> None:
    """A reply that is no list is given as it is, also where it names a next range."""
    server.play(answer(value, 200, next_range="]a.."))
    assert cli("request", "/none").json["output"] == value


@pytest.mark.skipif(sys.platform == "win32", reason="needs the terminals of POSIX")
@pytest.mark.parametrize(("pages", "shown"), [(3, True), (1, False)])
def test_a_long_list_says_how_far_it_is(server: Server, pages: int, shown: bool) -> None:
    """On a terminal a list of several pages has a line on stderr that counts, and is taken away at the end."""
    for place in range(pages):
        server.play(page(f"a{place}", after=f"a{place}" if place + 1 < pages else "", status=206 if place + 1 < pages else 200))
    ours, theirs = pty.openpty()
    with subprocess.Popen(command(LIST), stdout=subprocess.PIPE, stderr=theirs, env=environment()) as running:
        os.close(theirs)
        out, _ = running.communicate(timeout=60)
    said = shown_on(ours)
    assert ("2 items…" in said) == shown
    assert said.endswith("\r\x1b[K" if shown else "")
    assert len(json.loads(out)["output"]) == pages


def test_a_pipe_hears_of_no_progress(process: Cli, server: Server) -> None:
    """Where stderr is no terminal, a long list says nothing beside its result."""
    server.play(page("a", after="a"), page("b", status=200))
    assert process(*LIST).err == ""
