"""What a run prints: the envelope, fields, a query, lines, a table, CSV, and the cut of what is too long."""

import csv
import io
import json
from pathlib import Path

import pytest

from skill.connection.client import keep
from skill.faces.output import AGENTS
from skill.types import Json
from tests.conftest import Cli
from tests.server import Server, answer

APPS = [{"id": str(place), "name": f"a{place}", "owner": {"email": f"p{place}@example.com"}} for place in range(30)]
LIST = ("action", "run", "list-apps")


@pytest.fixture(autouse=True)
def no_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody be an agent but where a test says so."""
    for name in AGENTS:
        monkeypatch.delenv(name, raising=False)


def test_fields_are_checked_before_anything_is_sent(cli: Cli, server: Server) -> None:
    """A wrong field is exit 2, and nothing was sent."""
    done = cli(*LIST, "--fields", "nme")
    assert (done.code, done.error["code"], server.seen) == (2, "no_such_field", [])


def test_fields_are_picked(cli: Cli, server: Server) -> None:
    """Only the named fields are printed, nested as they were."""
    server.play(answer(APPS[:1]))
    assert cli(*LIST, "--fields", "name,owner.email").json["output"] == [{"name": "a0", "owner": {"email": "p0@example.com"}}]


def test_a_query_is_printed_bare(cli: Cli, server: Server) -> None:
    """What a jq expression gives is printed a line each, texts without quotes."""
    server.play(answer(APPS[:2]))
    assert cli(*LIST, "--jq", ".[] | .name").out == "a0\na1\n"


def test_a_query_does_not_undo_the_mask(cli: Cli, server: Server) -> None:
    """A jq expression sees secrets masked."""
    server.play(answer({"KEY": "hunter2"}))
    assert cli("action", "run", "get-config-vars", "--set", "app=x", "--jq", ".KEY").out == "[masked]\n"


def test_lines_come_page_by_page(cli: Cli, server: Server) -> None:
    """As ndjson every item is a line, over all pages."""
    server.play(answer(APPS[:2], 206, next_range="]a1..; max=2"), answer(APPS[2:3]))
    done = cli(*LIST, "--format", "ndjson", "--fields", "name")
    assert [json.loads(line) for line in done.out.splitlines()] == [{"name": f"a{place}"} for place in range(3)]


def test_csv_is_flat_and_harmless(cli: Cli, server: Server) -> None:
    """As CSV nested fields have dotted names, and no cell is a formula."""
    server.play(answer([{"name": "=1+1", "owner": {"email": 'a,"b"\n'}, "locked": True}]))
    rows = list(csv.DictReader(io.StringIO(cli(*LIST, "--format", "csv").out)))
    assert rows == [{"name": "'=1+1", "owner.email": 'a,"b"\n', "locked": "true"}]


def test_a_table_is_a_table(cli: Cli, server: Server) -> None:
    """As a table there is a heading and a line for each, with the fields that were asked for."""
    server.play(answer(APPS[:2]))
    assert cli(*LIST, "--format", "table", "--fields", "name,owner.email").out.splitlines() == [
        "NAME  OWNER.EMAIL",
        "a0    p0@example.com",
        "a1    p1@example.com",
    ]


@pytest.mark.parametrize("value", [APPS, {f"k{place}": "x" * 40 for place in range(50)}])
def test_a_cut_says_so_and_keeps_the_whole(cli: Cli, server: Server, value: Json) -> None:
    """What is longer than --max-bytes is cut to whole parts, says so, and lies whole in a file of the user's alone."""
    server.play(answer(value))
    done = cli("request", "/x", "--max-bytes", "900")
    page = done.json["page"]
    assert len(done.out.encode()) <= 901
    assert (page["truncated"], page["shown"], page["total"]) == (True, len(done.json["output"]), len(value))
    assert json.loads(Path(page["file"]).read_text()) == value
    assert Path(page["file"]).stat().st_mode & 0o077 == 0


def test_a_long_list_is_summed_up_for_an_agent(cli: Cli, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent that asked for nothing in particular gets a long list in few fields, and hears how to get all."""
    monkeypatch.setenv("CLAUDECODE", "1")
    server.play(answer(APPS), answer(APPS))
    short, whole = cli(*LIST).json, cli(*LIST, "--format", "json").json
    assert short["output"][0] == {"name": "a0"}
    assert (short["page"]["truncated"], short["page"]["more"]) == (True, "--format json gives every field")
    assert whole["output"] == APPS


def test_a_limit_ends_the_list_and_says_how_to_go_on(cli: Cli, server: Server) -> None:
    """With --limit as many items come, and `page` names the command for all, with all that it needs."""
    server.play(answer(APPS[:2], 206, next_range="]a1.."))
    done = cli(*LIST, "--limit", "2", "--sort", "name", "--order", "desc")
    assert [one["name"] for one in done.json["output"]] == ["a0", "a1"]
    assert done.json["page"]["next"].endswith("action run list-apps --sort name --order desc --limit 0")
    assert server.seen[0].headers["range"] == "name ..; order=desc,max=2"


def whole_app(place: int) -> dict[str, Json]:
    """Make an app as Heroku answers it, with all that it tells of one."""
    thing = {"id": f"01234567-89ab-cdef-0123-{place:012}", "name": "heroku-24"}
    times = dict.fromkeys(("archived_at", "created_at", "released_at", "updated_at"), "2024-01-01T12:00:00Z")
    named = {"name": f"production-service-{place}", "web_url": f"https://production-service-{place}.example.com/"}
    return {
        **thing,
        **times,
        **named,
        "region": thing,
        "stack": thing,
        "build_stack": thing,
        "owner": thing,
        "maintenance": False,
    }


def test_fifty_apps_fit_into_a_context(cli: Cli, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty whole apps are at most 1,500 tokens for an agent, reckoned at four characters each."""
    monkeypatch.setenv("CLAUDECODE", "1")
    server.play(answer([whole_app(place) for place in range(50)]))
    done = cli(*LIST)
    assert len(done.json["output"]) == 50
    assert len(done.out) < 6000


@pytest.mark.parametrize(
    "more", ["--jq .", "--fields id,name,owner", "--format json", "--format ndjson", "--limit 0", "--each - --set-from app"]
)
@pytest.mark.parametrize("big", [False, True], ids=["long", "big"])
def test_what_was_asked_for_is_never_cut(cli: Cli, server: Server, monkeypatch: pytest.MonkeyPatch, more: str, big: bool) -> None:
    """An agent that says what it wants to see gets all of that."""
    monkeypatch.setenv("CLAUDECODE", "1")
    apps = [{**app, "name": "x" * 2000} for app in APPS] if big else APPS
    server.play(answer(apps))
    words = ("action", "run", "list-domains") if "each" in more else LIST
    done = cli(*words, *more.split(), stdin=b"a\n")
    printed = done.lines if "ndjson" in more else done.json if "jq" in more else done.json["output"]
    assert printed == apps


def test_an_agent_is_known_by_its_sign_in_too(cli: Cli, server: Server) -> None:
    """Whoever signed in with --clientName is an agent without any variable saying so."""
    keep("claude")
    server.play(answer(APPS))
    assert cli(*LIST).json["page"]["fields"] == ["name"]


@pytest.mark.parametrize(
    ("form", "lines"), [("--jq .[].owner.email", 10), ("--format ndjson", 2), ("--format csv", 6), ("--format table", 6)]
)
def test_lines_are_cut_whole(cli: Cli, server: Server, form: str, lines: int) -> None:
    """Lines of more than --max-bytes are cut after a whole one; stderr says so and names the private file that has all."""
    server.play(answer(APPS), answer(APPS))
    short, whole = cli(*LIST, *form.split(), "--max-bytes", "200"), cli(*LIST, *form.split())
    assert len(short.out.encode()) <= 201
    assert lines <= len(short.out.splitlines())
    assert whole.out.startswith(short.out)
    file = Path(short.err.strip().rpartition(" ")[2])
    assert file.read_text() == whole.out.removesuffix("\n")
    assert file.stat().st_mode & 0o077 == 0
