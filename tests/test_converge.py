"""Runs that are repeated: a create that finds its thing there, a delete that finds it gone, and which of them it was."""

import pytest

from skill import audit
from tests.conftest import Cli
from tests.server import Server, answer

APP = {"id": "01234567-89ab-cdef-0123-456789abcdef", "name": "example-new", "region": {"name": "us"}}
GONE = answer({"id": "not_found", "message": "no"}, 404)
CREATE = ("action", "run", "create-app", "--set", "name=example-new", "--if-missing")
SANDBOX = [
    ("create-app", "name=one-app"),
    ("create-pipeline", "name=one-pipeline"),
    ("create-collaborator", "app=example", "user=someone@example.com"),
    ("create-domain", "app=example", "hostname=www.one.example"),
    ("create-log-drain", "app=example", "url=syslog://drain.example:514"),
    ("create-app-webhook", "app=example", "url=https://hook.example/", "level=notify", 'include=["api:app"]'),
    ("create-team", "name=one-team"),
]


@pytest.mark.parametrize("words", SANDBOX, ids=lambda words: words[0])
def test_a_create_that_is_repeated_makes_one(cli: Cli, words: tuple[str, ...]) -> None:
    """A create with --if-missing that runs three times makes one thing, and says which time it did."""
    call = ("action", "run", words[0], *(part for pair in words[1:] for part in ("--set", pair)), "--if-missing", "--sandbox")
    done = [cli(*call) for _ in range(3)]
    assert [(one.code, one.json["converged"]) for one in done] == [(0, "created"), (0, "existed"), (0, "existed")]
    assert done[1].json["output"]["id"] == done[0].json["output"]["id"]
    assert [entry["outcome"] for entry in audit.read()] == ["tried", "done"]


def test_what_is_there_is_not_made_again(cli: Cli, server: Server) -> None:
    """A thing that is found is not asked for to be made, whatever the service would say to that."""
    server.play(answer(APP))
    assert cli(*CREATE).json["converged"] == "existed"
    assert [one.method for one in server.seen] == ["GET"]


def test_what_appears_meanwhile_is_found(cli: Cli, server: Server) -> None:
    """Where another makes it between the look and the create, the refusal is read as what it is."""
    server.play(GONE, answer({"id": "invalid_params", "message": "taken"}, 422), answer(APP))
    done = cli(*CREATE)
    assert (done.code, done.json["converged"], [one.method for one in server.seen]) == (0, "existed", ["GET", "POST", "GET"])


def test_a_name_that_others_have_is_a_refusal(cli: Cli, server: Server) -> None:
    """A name that is taken by what the caller cannot see is no success."""
    server.play(GONE, answer({"id": "invalid_params", "message": "taken"}, 422), GONE)
    done = cli(*CREATE)
    assert (done.code, done.error["message"]) == (1, "taken")


@pytest.mark.parametrize("part", [answer({"id": "forbidden", "message": "no"}, 403), answer(None, 503)], ids=["403", "503"])
def test_what_cannot_be_told_is_not_made(cli: Cli, server: Server, part: object) -> None:
    """Where it cannot be told whether the thing is there, nothing is made."""
    server.rest = part
    assert cli(*CREATE, "--timeout", "0.3").code in (4, 6)
    assert {one.method for one in server.seen} == {"GET"}


def test_what_is_there_but_differs_is_said(cli: Cli, server: Server) -> None:
    """A thing that is there and differs from what was asked for is told of, and left as it is."""
    server.play(answer(APP))
    done = cli(*CREATE, "--set", "region=eu")
    assert (done.json["converged"], done.json["warnings"]) == ("existed", ["it is there already, and its region is us, not eu"])


def test_a_difference_tells_no_secret(cli: Cli) -> None:
    """Of a secret that differs nothing is said."""
    words = ("action", "run", "create-log-drain", "--set", "app=example", "--if-missing", "--sandbox")
    cli(*words, "--set", "url=https://u:hunter2@drain.example/")
    done = cli(*words, "--set", "url=https://u:hunter2@drain.example/")
    assert done.json["converged"] == "existed"
    assert "hunter2" not in done.out + done.err


@pytest.mark.parametrize(
    "words",
    [
        ("action", "run", "create-app", "--if-missing"),
        ("action", "run", "get-app", "--set", "app=x", "--if-missing"),
        ("action", "run", "create-build", "--input", '{"app":"x","source_blob":{"url":"https://x"}}', "--if-missing"),
        ("action", "run", "get-app", "--set", "app=x", "--missing-ok"),
        ("request", "/apps", "--missing-ok"),
        ("request", "/none", "-X", "POST", "-d", "{}", "--if-missing"),
    ],
    ids=lambda words: " ".join(words[2:]),
)
def test_what_cannot_converge_is_refused(cli: Cli, server: Server, words: tuple[str, ...]) -> None:
    """Where there is nothing to look for, or nothing to delete, the option is a mistake and nothing is sent."""
    assert (cli(*words).code, server.seen) == (2, [])


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("words", [("action", "run", "delete-app", "--set", "app=x"), ("request", "/apps/x", "-X", "DELETE")])
def test_a_delete_that_is_repeated_is_done(cli: Cli, server: Server, status: int, words: tuple[str, ...]) -> None:
    """A delete with --missing-ok says whether it deleted or found nothing to delete, an action and a raw one alike."""
    server.play(answer(APP), answer({"id": "not_found", "message": "no"}, status), answer({"id": "x", "message": "no"}, status))
    done = [cli(*words, "--confirm", "x", *more) for more in (("--missing-ok",), ("--missing-ok",), ())]
    assert [one.code for one in done] == [0, 0, 1]
    assert [one.json["converged"] for one in done[:2]] == ["deleted", "missing"]


def test_a_name_that_nothing_has_is_missing_too(cli: Cli, server: Server) -> None:
    """A delete by a name that is looked up and found nowhere is a thing that is gone."""
    server.play(answer([]))
    done = cli("action", "run", "delete-pipeline", "--set", "pipeline=shop", "--confirm", "shop", "--missing-ok")
    assert (done.code, done.json["converged"]) == (0, "missing")


def test_a_raw_create_converges_as_its_action(cli: Cli, server: Server) -> None:
    """A raw request that is a create finds its thing by the same names."""
    server.play(answer(APP))
    done = cli("request", "/apps", "-d", '{"name":"example-new"}', "--if-missing")
    assert (done.json.get("converged"), [one.method for one in server.seen]) == ("existed", ["GET"])
