"""Running over a real socket: what is sent, how often, and which exit each kind of trouble gets."""

import shlex
import socket
import time
from collections.abc import Callable
from email.utils import formatdate

import pytest

from tests.conftest import TOKEN, Cli
from tests.server import HANG, RESET_READ, RESET_UNREAD, Part, Server, answer, text

APP = {"id": "01234567-89ab-cdef-0123-456789abcdef", "name": "example"}
WRITE = ("action", "run", "create-app", "--input", '{"name":"example-new"}')
READ = ("action", "run", "get-app", "--input", '{"app":"example"}')
HTML = "<html><body>Bad Gateway</body></html>"


def test_a_read_prints_the_body_in_the_envelope(cli: Cli, server: Server) -> None:
    """A read exits 0 with the body under `output` and an id of the run, and nothing on stderr."""
    server.play(answer(APP))
    done = cli(*READ)
    assert (done.code, done.err, done.json["output"], set(done.json)) == (0, "", APP, {"output", "actionRunId"})
    assert [(one.method, one.path, one.body) for one in server.seen] == [("GET", "/apps/example", b"")]


def test_a_request_is_signed_and_says_what_it_accepts(cli: Cli, server: Server) -> None:
    """A request carries the token, one id, a user agent and the media type of its action."""
    server.play(answer(APP))
    cli(*READ)
    headers = server.seen[0].headers
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert headers["accept"] == "application/vnd.heroku+json; version=3.sdk"
    assert len(headers["request-id"]) == 36
    assert headers["user-agent"].startswith("heroku-skill/")


def test_a_write_sends_its_input_as_json(cli: Cli, server: Server) -> None:
    """A write sends what is not in the path as a JSON body."""
    server.play(answer(APP, 201))
    assert cli(*WRITE).code == 0
    assert (server.seen[0].json, server.seen[0].headers["content-type"]) == ({"name": "example-new"}, "application/json")


@pytest.mark.parametrize("part", [RESET_UNREAD, RESET_READ, HANG], ids=lambda part: part.how)
def test_a_write_without_a_reply_is_unknown_and_sent_once(cli: Cli, server: Server, part: Part) -> None:
    """A write that may have arrived is never sent again: exit 8, and `next` is the read that tells."""
    server.play(part)
    done = cli(*WRITE, "--timeout", "0.5")
    assert (done.code, done.error["code"], done.error["retryable"]) == (8, "outcome_unknown", False)
    assert "action run list-apps" in done.error["next"][0]["command"]
    assert server.connections == 1


@pytest.mark.parametrize("part", [RESET_UNREAD, RESET_READ, HANG], ids=lambda part: part.how)
def test_a_read_without_a_reply_may_be_tried_later(cli: Cli, server: Server, part: Part) -> None:
    """A read that got no reply changed nothing: exit 6, retryable."""
    server.rest = part
    done = cli(*READ, "--timeout", "0.5")
    assert (done.code, done.error["code"], done.error["retryable"]) == (6, "network", True)


@pytest.mark.parametrize("words", [READ, WRITE], ids=["read", "write"])
def test_a_refused_connection_changed_nothing(cli: Cli, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    """A connection that was never made is exit 6 for a read and for a write alike."""
    monkeypatch.setenv("HEROKU_HOST", f"http://127.0.0.1:{_free_port()}")
    monkeypatch.setenv("HEROKU_API_KEY", TOKEN)
    done = cli(*words, "--timeout", "0.3")
    assert (done.code, done.error["code"], done.error["retryable"]) == (6, "network", True)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


REFUSALS = [
    (400, {"id": "bad_request", "message": "no"}, 1, "bad_request"),
    (401, {"id": "unauthorized", "message": "no"}, 4, "unauthorized"),
    (402, {"id": "delinquent", "message": "no"}, 1, "delinquent"),
    (403, {"id": "forbidden", "message": "no"}, 4, "forbidden"),
    (403, {"id": "two_factor", "message": "no"}, 4, "two_factor"),
    (404, {"id": "not_found", "message": "no"}, 1, "not_found"),
    (409, {"id": "conflict", "message": "no"}, 1, "conflict"),
    (422, {"id": "invalid_params", "message": "no"}, 1, "invalid_params"),
    (429, {"id": "rate_limit", "message": "no"}, 6, "rate_limit"),
]


@pytest.mark.parametrize(("status", "body", "code", "name"), REFUSALS, ids=[f"{one[0]}-{one[3]}" for one in REFUSALS])
@pytest.mark.parametrize("words", [READ, WRITE], ids=["read", "write"])
def test_a_refusal_has_its_exit_and_code(
    cli: Cli, server: Server, words: tuple[str, ...], status: int, body: object, code: int, name: str
) -> None:
    """A refusal keeps the service's own code, words, status and request id, sent again only where it was refused for the rate."""
    server.rest = answer(body, status, request_id="r-1")
    done = cli(*words, "--timeout", "0.3")
    error = done.error
    assert (done.code, error["code"], error["message"], error["http_status"], error["request_id"]) == (
        code,
        name,
        "no",
        status,
        "r-1",
    )
    assert len(server.seen) == 1 or status == 429


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize(
    "part", [answer({"id": "server_error", "message": "no"}), text(HTML), Part()], ids=["json", "html", "empty"]
)
def test_an_outage_is_unknown_for_a_write_and_later_for_a_read(cli: Cli, server: Server, status: int, part: Part) -> None:
    """A 5xx, whatever its body, is exit 8 with the read to look with for a write, and exit 6 for a read."""
    failed = Part(status, part.body, part.headers)
    server.rest = failed
    wrote, read = cli(*WRITE, "--timeout", "0.3"), cli(*READ, "--timeout", "0.3")
    assert (wrote.code, wrote.error["http_status"], wrote.error["retryable"], bool(wrote.error["next"])) == (
        8,
        status,
        False,
        True,
    )
    assert (read.code, read.error["http_status"], read.error["retryable"]) == (6, status, True)
    assert [one.method for one in server.seen].count("POST") == 1
    assert "<html>" not in wrote.out + read.out


@pytest.mark.parametrize("part", [text(HTML, 404), Part(404), text("{", 404, "application/json"), answer([1], 404)])
def test_a_refusal_without_a_readable_body_still_has_its_code(cli: Cli, server: Server, part: Part) -> None:
    """A 404 with HTML, nothing, broken JSON or a list in its body is still `not_found`."""
    server.play(part)
    done = cli(*READ)
    assert (done.code, done.error["code"], done.error["http_status"]) == (1, "not_found", 404)


BROKEN = {
    "broken": text('{"id": ', kind="application/json"),
    "cut": answer(APP, 201, "cut"),
    "bytes": text("\x00\x01", kind="application/octet-stream"),
    "nested": text("[" * 100_000, kind="application/json"),
}


@pytest.mark.parametrize("part", BROKEN.values(), ids=BROKEN)
def test_a_write_that_was_done_never_fails_over_its_body(cli: Cli, server: Server, part: Part) -> None:
    """A 2xx to a write with a body that cannot be read is exit 0, null, and a warning."""
    server.play(part)
    done = cli(*WRITE)
    assert (done.code, done.json["output"], len(done.json["warnings"])) == (0, None, 1)


@pytest.mark.parametrize("part", BROKEN.values(), ids=BROKEN)
def test_a_read_whose_body_is_broken_never_looks_empty(cli: Cli, server: Server, part: Part) -> None:
    """A 2xx to a read with a body that cannot be read is exit 6."""
    server.rest = part
    done = cli(*READ, "--timeout", "0.3")
    assert (done.code, done.error["retryable"]) == (6, True)


@pytest.mark.parametrize("body", [b"", b"  \n"])
def test_an_empty_body_is_null(cli: Cli, server: Server, body: bytes) -> None:
    """A reply without a body is null and no warning."""
    server.play(Part(202, body))
    done = cli(*WRITE)
    assert (done.code, done.json["output"], "warnings" in done.json) == (0, None, False)


def test_a_slow_reply_ends_at_the_limit(cli: Cli, server: Server) -> None:
    """A body that comes byte by byte is given up at --timeout, and a read says so."""
    server.rest = answer(APP, 200, "dribble")
    assert cli(*READ, "--timeout", "0.5").code == 6


def test_pages_are_joined_in_order(cli: Cli, server: Server) -> None:
    """A list of several pages comes whole and in order, each page asked for once by the range before it."""
    pages = [[{"id": str(10 * page + item)} for item in range(3)] for page in range(3)]
    server.play(
        answer(pages[0], 206, next_range="]2..; max=3"), answer(pages[1], 206, next_range="]12..; max=3"), answer(pages[2])
    )
    done = cli("action", "run", "list-apps")
    assert done.json["output"] == [item for page in pages for item in page]
    assert done.json["page"] == {"truncated": False, "shown": 9, "total": 9, "next": None}
    assert [one.headers.get("range") for one in server.seen] == [None, "]2..; max=3", "]12..; max=3"]


def test_a_range_that_comes_again_ends_the_list(cli: Cli, server: Server) -> None:
    """A service that names the same next range again is not followed for ever, and what came is not called the whole."""
    server.play(answer([{"id": "1"}], 206, next_range="]1.."), answer([{"id": "2"}], 206, next_range="]1.."))
    done = cli("action", "run", "list-apps")
    assert (done.code, [one["id"] for one in done.json["output"]]) == (6, ["1", "2"])


def test_pages_that_came_before_a_failure_are_kept(cli: Cli, server: Server) -> None:
    """A list that breaks off prints what came beside the error, and says that it is not whole."""
    server.play(answer([{"id": "1"}], 206, next_range="]1.."))
    server.rest = RESET_READ
    done = cli("action", "run", "list-apps", "--timeout", "0.3")
    assert (done.code, done.json["output"], done.json["page"]["truncated"]) == (6, [{"id": "1"}], True)


def test_warnings_of_the_service_are_passed_on(cli: Cli, server: Server) -> None:
    """Warning headers come under `warnings` and on stderr, without the word Warning."""
    server.play(answer(APP, x_heroku_warning="Warning: old stack", warning_message="twice"))
    done = cli(*READ)
    assert done.json["warnings"][:2] == ["old stack", "twice"]
    assert "warning: old stack" in done.err


def test_a_reply_unlike_its_schema_is_printed_with_a_warning(cli: Cli, server: Server) -> None:
    """A reply that differs from its schema is exit 0 with a warning, and exit 7 under --strict."""
    server.play(answer({"id": 5}), answer({"id": 5}))
    done, strict = cli(*READ), cli(*READ, "--strict")
    assert (done.code, done.json["output"], len(done.json["warnings"])) == (0, {"id": 5}, 1)
    assert (strict.code, strict.error["code"]) == (7, "odd_reply")


def test_secrets_in_a_reply_are_masked(cli: Cli, server: Server) -> None:
    """Config var values are masked, null stays null, and --reveal names the ones to show."""
    secrets = {"A": "one", "B": "two", "C": None}
    server.play(answer(secrets), answer(secrets), answer(secrets))
    words = ("action", "run", "get-config-vars", "--set", "app=example")
    assert cli(*words).json["output"] == {"A": "[masked]", "B": "[masked]", "C": None}
    assert cli(*words, "--reveal", "A").json["output"] == {"A": "one", "B": "[masked]", "C": None}
    assert cli(*words, "--reveal", "all").json["output"] == secrets


def test_destroying_needs_the_name(cli: Cli, server: Server) -> None:
    """A destroying action is refused with the whole command to confirm it, which then runs."""
    server.play(answer(APP))
    asked = cli("action", "run", "delete-app", "--input", '{"app":"example"}')
    assert (asked.code, asked.error["code"], server.seen) == (5, "needs_confirmation", [])
    words = shlex.split(asked.error["next"][0]["command"])
    done = cli(*words[words.index("action") :])
    assert (done.code, server.seen[0].method, words[-2:]) == (0, "DELETE", ["--confirm", "example"])


def test_an_id_is_confirmed_by_the_name_behind_it(cli: Cli, server: Server) -> None:
    """Where an id was given, the name is looked up and must be typed; the id itself does not confirm."""
    words = ("action", "run", "delete-app", "--set", f"app={APP['id']}", "--confirm")
    server.play(answer(APP), answer(APP), answer(APP))
    assert cli(*words, APP["id"]).code == 5
    assert cli(*words, "example").code == 0
    assert [one.method for one in server.seen] == ["GET", "GET", "DELETE"]


def test_a_wrong_confirmation_sends_nothing(cli: Cli, server: Server) -> None:
    """A confirmation of another name is exit 5, and nothing is sent."""
    done = cli("action", "run", "delete-app", "--set", "app=example", "--confirm", "other")
    assert (done.code, server.seen) == (5, [])
    assert "'other' is not 'example'" in done.error["message"]


def test_a_raw_request_takes_the_same_way(cli: Cli, server: Server) -> None:
    """A raw request that is an action masks its secrets and asks for its confirmation."""
    server.play(answer({"A": "one"}))
    assert cli("request", "/apps/example/config-vars").json["output"] == {"A": "[masked]"}
    assert cli("request", "-X", "DELETE", "/apps/example").code == 5


def test_a_failed_look_up_destroys_nothing(cli: Cli, server: Server) -> None:
    """Where the name behind an id cannot be looked up, the destroying request is not sent."""
    server.play(answer({"id": "not_found", "message": "no"}, 404))
    done = cli("action", "run", "delete-app", "--set", f"app={APP['id']}", "--confirm", "example")
    assert (done.code, [one.method for one in server.seen]) == (5, ["GET"])


def test_the_token_appears_nowhere(cli: Cli, server: Server) -> None:
    """A token that the service echoes in bodies, headers and errors is masked everywhere."""
    server.play(
        answer({"name": f"x {TOKEN}"}, x_heroku_warning=TOKEN),
        answer({"id": "bad_request", "message": TOKEN}, 400),
        answer({"name": "x"}, x_echo=TOKEN),
    )
    calls = [cli(*READ, "--verbose"), cli(*READ), cli("request", "/apps/example", "-i")]
    assert not [one for one in calls if TOKEN in one.out + one.err]


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_write_that_is_answered_elsewhere_is_unknown(cli: Cli, server: Server, status: int) -> None:
    """A write that is answered with another place was probably done: exit 8, and never followed."""
    server.play(answer(None, status, location="/apps/example"))
    assert cli(*WRITE).code == 8
    assert len(server.seen) == 1


def test_a_temporary_redirect_to_elsewhere_changed_nothing(cli: Cli, server: Server) -> None:
    """A 307 to another host asks to send the write there, which is not done: exit 1."""
    server.play(answer(None, 307, location="https://elsewhere.example/apps"))
    assert cli(*WRITE).code == 1


def test_a_write_answered_with_a_page_was_done(cli: Cli, server: Server) -> None:
    """A write that is answered 200 with a page of HTML is exit 0, with no output and a warning."""
    server.play(text(HTML))
    done = cli(*WRITE)
    assert (done.code, done.json["output"], len(done.json["warnings"])) == (0, None, 1)


@pytest.mark.parametrize(
    "form",
    [lambda: "1", lambda: formatdate(time.time() + 2, usegmt=True), lambda: str(time.time() + 1)],
    ids=["span", "date", "epoch"],
)
@pytest.mark.parametrize("words", [READ, WRITE], ids=["read", "write"])
def test_a_refusal_for_the_rate_is_waited_out(cli: Cli, server: Server, words: tuple[str, ...], form: Callable[[], str]) -> None:
    """A 429 is waited out as long as Retry-After asks, in each of its three forms, and then sent again: a write too."""
    server.play(answer({"id": "rate_limit"}, 429, retry_after=form()), answer(APP))
    begun = time.monotonic()
    assert (cli(*words).code, len(server.seen)) == (0, 2)
    assert 0.8 < time.monotonic() - begun < 4


def test_calls_slow_down_before_they_are_refused(cli: Cli, server: Server) -> None:
    """With few calls left in the hour the next page is asked for after a pause, which --verbose tells of."""
    server.play(answer([{"id": "1"}], 206, next_range="]1..", ratelimit_remaining="49"), answer([{"id": "2"}]))
    begun = time.monotonic()
    assert "slowing down" in cli("action", "run", "list-apps", "--verbose").err
    assert time.monotonic() - begun > 0.8


def test_a_write_is_redirected_within_its_host_alone(cli: Cli, server: Server) -> None:
    """A 307 or 308 to the same host sends the write there with its method, body and token."""
    server.play(answer(None, 308, location="/other"), answer(APP, 201))
    assert cli(*WRITE).code == 0
    first, second = server.seen
    assert (second.method, second.path, second.json) == ("POST", "/other", first.json)
    assert second.headers["authorization"] == first.headers["authorization"]
