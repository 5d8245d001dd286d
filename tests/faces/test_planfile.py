"""A plan in a file: run exactly as it was shown, or not at all."""

import json
from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.server import Server, answer

APP = {"id": "01234567-89ab-cdef-0123-456789abcdef", "name": "example"}
ACTION = ("action", "run", "update-app", "--input", '{"app":"example","maintenance":true}')
RAW = ("request", "/apps/{app}", "-X", "PATCH", "--pathParam", "app=example", "-d", '{"maintenance":true}', "-H", "X-A: b")
LOOKED_UP = ("action", "run", "get-pipeline-stack", "--set", "pipeline=shop")
SECRET = ("action", "run", "update-config-vars", "--input", '{"app":"example","vars":{"KEY":"hunter2"}}')
RAW_SECRET = ("request", "/apps/example/config-vars", "-X", "PATCH", "-d", '{"KEY":"hunter2"}')


@pytest.mark.parametrize("words", [ACTION, RAW], ids=["action", "raw"])
@pytest.mark.parametrize("runner", [("action", "run"), ("request",)], ids=" ".join)
def test_what_was_shown_is_what_is_sent(cli: Cli, server: Server, words: tuple[str, ...], runner: tuple[str, ...]) -> None:
    """A kept plan sends what its dry run showed, whichever command runs it, and keeps its file to the user."""
    shown = cli(*words, "--dry-run", "--out", "p").json["plan"]
    assert (server.seen, Path("p").stat().st_mode & 0o077) == ([], 0)
    server.play(answer(APP))
    assert cli(*runner, "--plan", "p").code == 0
    sent = server.seen[0]
    assert (sent.method, server.url + sent.path, sent.json) == (shown["method"], shown["url"], shown["body"])
    assert {name.lower(): text for name, text in shown["headers"].items()}.items() <= sent.headers.items()


@pytest.mark.parametrize("words", [ACTION, RAW], ids=["action", "raw"])
@pytest.mark.parametrize(
    "change",
    [
        lambda plan: plan["plan"].update(url="https://api.heroku.com/apps/other"),
        lambda plan: plan["plan"].update(body={"maintenance": False}),
        lambda plan: plan.update(digest="0" * 64),
        lambda plan: plan.update(salt="0"),
        lambda plan: plan.update(sandbox=True),
        lambda plan: plan.update(connection="work"),
        lambda plan: (plan.get("input") or plan["request"]["content"]).update(maintenance=False),
    ],
)
def test_a_plan_that_differs_in_anything_is_refused(cli: Cli, server: Server, words: tuple[str, ...], change: object) -> None:
    """Where the input, the request, what was shown, the place or the account differs, nothing is sent."""
    cli(*words, "--dry-run", "--out", "p")
    plan = json.loads(Path("p").read_text())
    assert callable(change)
    change(plan)
    Path("p").write_text(json.dumps(plan))
    done = cli("action", "run", "--plan", "p")
    assert (done.code, done.error["code"], server.seen) == (2, "plan_differs", [])


def test_another_host_is_another_plan(cli: Cli, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan that was made for one host is not run against another."""
    cli(*ACTION, "--dry-run", "--out", "p")
    monkeypatch.setenv("HEROKU_HOST", "heroku.com")
    assert cli("action", "run", "--plan", "p").error["code"] == "plan_differs"


@pytest.mark.parametrize(
    "words", [("action", "run", "get-app", "--plan", "p"), ("action", "run", "--set", "app=other", "--plan", "p")], ids=" ".join
)
def test_another_call_is_another_plan(cli: Cli, server: Server, words: tuple[str, ...]) -> None:
    """A plan beside another key or another input is refused."""
    cli(*ACTION, "--dry-run", "--out", "p")
    assert (cli(*words).error["code"], server.seen) == ("plan_differs", [])


def test_a_plan_with_a_name_is_looked_up_when_it_runs(cli: Cli, server: Server) -> None:
    """A plan that names a thing asks for its id when it is run, as it said that it would."""
    cli(*LOOKED_UP, "--dry-run", "--out", "p")
    server.play(answer([APP]), answer({"stack": None}))
    assert cli("action", "run", "--plan", "p").code == 0
    assert server.seen[1].path == f"/pipelines/{APP['id']}/pipeline-stack"


@pytest.mark.parametrize("words", [ACTION, RAW, LOOKED_UP], ids=["action", "raw", "looked up"])
@pytest.mark.parametrize("more", [("--dry-run",), ("--out", "q"), ("--each", "-"), ("--jq", ".[")], ids=" ".join)
def test_a_kept_plan_is_not_run_by_the_way(cli: Cli, server: Server, words: tuple[str, ...], more: tuple[str, ...]) -> None:
    """A kept plan that is only shown, or stands beside what cannot be, sends nothing."""
    shown = cli(*words, "--dry-run", "--out", "p")
    done = cli("action", "run", "--plan", "p", *more)
    assert (done.code, server.seen) == (0 if more == ("--dry-run",) else 2, [])
    assert done.code or done.out == shown.out


@pytest.mark.parametrize("words", [SECRET, RAW_SECRET], ids=["action", "raw"])
def test_a_secret_is_not_kept(cli: Cli, server: Server, words: tuple[str, ...]) -> None:
    """A plan that holds a secret keeps none of it, wants the same again, and refuses another."""
    cli(*words, "--dry-run", "--out", "p")
    assert "hunter2" not in Path("p").read_text()
    again = (*(words[:2] if words is SECRET else ()), *words[-2:]) if words is SECRET else words
    assert cli("action", "run", "--plan", "p").error["code"] == "plan_needs_input"
    assert cli(*[word.replace("hunter2", "hunter3") for word in again], "--plan", "p").error["code"] == "plan_differs"
    server.play(answer({}))
    assert cli(*again, "--plan", "p").code == 0


@pytest.mark.parametrize("header", ["X-Api-Key: k", "X-Note: postgres://u:hunter2@h/"])
def test_a_secret_header_is_not_kept(cli: Cli, header: str) -> None:
    """A header that holds a secret is not in the file either."""
    cli("request", "/apps", "-H", header, "--dry-run", "--out", "p")
    assert json.loads(Path("p").read_text())["request"] is None
    assert "hunter2" not in Path("p").read_text()


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", '{"skillPlan":9}', '{"skillPlan":1,"key":"get-app"}'])
def test_what_is_no_plan_is_refused(cli: Cli, content: str) -> None:
    """A file that is no plan is refused, and so is one that is not there."""
    Path("p").write_text(content)
    assert cli("action", "run", "--plan", "p").error["code"] == "bad_plan"
    assert cli("request", "--plan", "none").error["code"] == "bad_plan"


def test_a_dry_run_shows_the_order_that_is_asked_for(cli: Cli, server: Server) -> None:
    """--sort and --order are part of the plan: shown, kept, and a difference where they are missing."""
    words = ("action", "run", "list-apps", "--sort", "name", "--order", "desc")
    assert cli(*words, "--dry-run", "--out", "p").json["plan"]["headers"]["Range"] == "name ..; order=desc"
    assert cli("action", "run", "--plan", "p").error["code"] == "plan_differs"
    server.play(answer([]))
    assert cli(*words, "--plan", "p").code == 0
    assert server.seen[0].headers["range"] == "name ..; order=desc"


def test_a_confirmation_for_the_service_is_part_of_the_plan(cli: Cli, server: Server) -> None:
    """Where --confirm goes to the service itself, it is shown, kept, and a difference where it is missing."""
    words = ("action", "run", "create-addon", "--set", "app=x", "--set", "plan=a:b", "--confirm", "x")
    assert cli(*words, "--dry-run", "--out", "p").json["plan"]["body"]["confirm"] == "x"
    assert cli("action", "run", "--plan", "p").error["code"] == "plan_differs"
    server.play(answer({}))
    assert cli("action", "run", "--plan", "p", "--confirm", "x").code == 0
    assert server.seen[0].json["confirm"] == "x"
