"""What the service's errors mean: code, exit, whether to try again, and the exact command that comes next."""

import shlex

import pytest

from skill.reading import MEANINGS
from tests.conftest import TOKEN, Cli
from tests.server import Part, Server, answer, text

READ = ("action", "run", "get-app", "--set", "app=example")
WRITE = ("action", "run", "create-addon", "--set", "app=example", "--set", "plan=heroku-postgresql:essential-0")
UNMATCHED = ("request", "/none/example", "-X", "POST", "-d", "{}")
# status, id → exit for a read, exit for a write, whether the same may be tried again, and how the next command begins
KNOWN = {
    (400, "bad_request"): (1, 1, "action show"),
    (401, "unauthorized"): (4, 4, "login"),
    (401, "device_trust_required"): (4, 4, "login"),
    (402, "delinquent"): (1, 1, "action run get-account-delinquency"),
    (403, "forbidden"): (4, 4, "whoami"),
    (403, "suspended"): (4, 4, "whoami"),
    (404, "not_found"): (1, 1, "action run list-"),
    (406, "not_acceptable"): (1, 1, "action show"),
    (410, "gone"): (1, 1, "action run list-"),
    (416, "requested_range_not_satisfiable"): (1, 1, "action run"),
    (422, "invalid_params"): (1, 1, "action show"),
    (422, "verification_needed"): (1, 1, "action run get-account"),
    (422, "multiple_matches"): (1, 1, "action run list-"),
    (422, "unprocessable_entity"): (1, 1, "action show"),
    (422, "bad_request"): (1, 1, "action show"),
    (429, "rate_limit"): (6, 6, "action run get-rate-limit"),
    (500, "internal_server_error"): (6, 8, "action run"),
    (500, "server_error"): (6, 8, "action run"),
    (500, ""): (6, 8, "action run"),
    (502, ""): (6, 8, "action run"),
    (503, "addon_error"): (6, 8, "action run"),
    (503, ""): (6, 8, "action run"),
    (504, ""): (6, 8, "action run"),
}


@pytest.mark.parametrize(("known", "expected"), KNOWN.items(), ids=lambda one: f"{one[0]}-{one[1]}")
@pytest.mark.parametrize(("place", "words"), [(0, READ), (1, WRITE)], ids=["read", "write"])
def test_every_known_error_has_its_meaning(
    cli: Cli, server: Server, known: tuple[int, str], expected: tuple[int, int, str], place: int, words: tuple[str, ...]
) -> None:
    """Every error that Heroku is known to answer has a code, an exit, a hint and a next command that the parser takes."""
    status, name = known
    server.rest = answer({"id": name, "message": "no"} if name else {"message": "no"}, status)
    # only what is tried again needs a limit
    done = cli(*words, *(("--timeout", "1") if status >= 429 else ()))
    error = done.error
    assert done.code == expected[place]
    assert error["code"] == ("outcome_unknown" if done.code == 8 else name or "server_error")
    assert error["retryable"] == (done.code == 6)
    assert error["hint"]
    words = shlex.split(error["next"][0]["command"])
    words = words[next(at for at, word in enumerate(words) if word in ("action", "request", "login", "whoami")) :]
    assert shlex.join(words).startswith(expected[2])
    # with --help nothing is run, and what the parser does not know is still refused
    assert cli(*words, "--help").code == 0


def test_the_table_is_tested() -> None:
    """Every id in the table of errors is tested here, but those that have tests of their own."""
    assert set(MEANINGS) - {name for _, name in KNOWN} == {"two_factor", "conflict"}


def test_a_conflict_is_looked_at(cli: Cli, server: Server) -> None:
    """A write that meets another change is refused with the read that tells how things stand."""
    server.play(answer({"id": "conflict", "message": "no"}, 409))
    done = cli(*WRITE)
    assert (done.code, done.error["code"]) == (1, "conflict")
    assert "action run list-addons" in done.error["next"][0]["command"]


@pytest.mark.parametrize("words", [READ, WRITE, UNMATCHED], ids=["read", "write", "raw"])
def test_a_second_factor_is_asked_for(cli: Cli, server: Server, words: tuple[str, ...]) -> None:
    """A 403 of two_factor is exit 4 and asks for the code by the option that takes it, which is then sent and never shown."""
    server.play(answer({"id": "two_factor", "message": "no"}, 403), answer({}))
    asked = cli(*words)
    assert (asked.code, asked.error["code"]) == (4, "two_factor")
    assert "--two-factor-code" in asked.error["hint"]
    command = asked.error["next"][0]["command"]
    assert command.endswith("--two-factor-code CODE")
    done = cli(*words, "--two-factor-code", "987654", "--verbose")
    assert server.seen[1].headers["heroku-two-factor-code"] == "987654"
    assert "987654" not in done.out + done.err


@pytest.mark.parametrize("status", [400, 423])
def test_a_confirmation_of_the_service_is_our_own_refusal(cli: Cli, server: Server, status: int) -> None:
    """confirmation_required is the refusal that a destroying action gets here, and its next command does what was asked."""
    refusal = answer({"id": "confirmation_required", "message": "costs money"}, status, x_confirmation_required="example")
    server.play(refusal, answer({"id": "1"}, 201))
    asked = cli(*WRITE)
    assert (asked.code, asked.error["code"], asked.error["http_status"]) == (5, "needs_confirmation", status)
    words = shlex.split(asked.error["next"][0]["command"])
    assert words[-2:] == ["--confirm", "example"]
    assert cli(*words[words.index("action") :]).code == 0
    assert server.seen[1].json["confirm"] == "example"


def test_a_confirmation_without_a_name_says_which(cli: Cli, server: Server) -> None:
    """Where the service does not say which name it wants, the hint does."""
    server.play(answer({"id": "confirmation_required", "message": "no"}, 400))
    error = cli(*READ).error
    assert error["next"][0]["command"].endswith("--confirm NAME")
    assert "that of the app" in error["hint"]


@pytest.mark.parametrize(("status", "code"), [(418, 1), (409, 1), (422, 1), (503, 6)])
def test_an_unknown_id_passes_through(cli: Cli, server: Server, status: int, code: int) -> None:
    """An id that is not known is the code as it is, with the meaning of its status."""
    server.rest = answer({"id": "brand_new", "message": "no"}, status)
    done = cli(*READ, "--timeout", "1")
    assert (done.code, done.error["code"]) == (code, "brand_new")


@pytest.mark.parametrize("body", [{"id": 5, "message": ["x"]}, {"id": None}, {"id": {"a": 1}}, [], 3, "x"], ids=str)
def test_an_odd_error_is_read_calmly(cli: Cli, server: Server, body: object) -> None:
    """An error whose parts are not what they should be is still a refusal."""
    server.play(answer(body, 404))
    assert cli(*READ).code == 1


def test_a_long_page_of_html_is_not_shown(cli: Cli, server: Server) -> None:
    """An error that is a page of HTML is told by its status, and nothing of the page is printed."""
    server.play(text("<html>" + "x" * 100_000, 404))
    done = cli(*READ)
    assert "html" not in done.out + done.err
    assert len(done.out) < 1000


@pytest.mark.parametrize("words", [READ, WRITE], ids=["read", "write"])
def test_a_warning_beside_a_refusal_is_said_once(cli: Cli, server: Server, words: tuple[str, ...]) -> None:
    """What the service warns of beside a refusal is on stderr, once."""
    server.play(answer({"id": "not_found", "message": "no"}, 404, x_heroku_warning="old stack"))
    assert cli(*words).err.count("old stack") == 1


def test_a_streamed_list_warns_once(cli: Cli, server: Server) -> None:
    """A warning that comes with every page of a stream is on stderr once."""
    server.play(
        answer([{"id": "1"}], 206, next_range="]1..", x_heroku_warning="old stack"), answer([], x_heroku_warning="old stack")
    )
    assert cli("action", "run", "list-apps", "--format", "ndjson").err.count("old stack") == 1


def test_a_raw_write_that_is_unknown_has_a_read_too(cli: Cli, server: Server) -> None:
    """A write that no action describes suggests the read of the same address."""
    server.play(Part(502))
    done = cli(*UNMATCHED)
    assert (done.code, done.error["next"][0]["command"].endswith("request /none/example")) == (8, True)


def test_what_the_service_repeats_of_a_secret_is_masked(cli: Cli, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret of the input, or the token itself, is masked in the errors, warnings and results that repeat it."""
    monkeypatch.setenv("HEROKU_API_KEY", "01234567-dead-beef-0123-456789abcdef")
    token = "01234567-dead-beef-0123-456789abcdef"
    words = ("action", "run", "update-config-vars", "--input", '{"app":"x","vars":{"KEY":"hunter2"}}', "--verbose")
    server.play(
        answer({"id": "invalid_params", "message": f"KEY hunter2 {token}"}, 422, x_heroku_warning=f"hunter2 {token}"),
        answer({"OTHER": None}, x_heroku_warning=f"hunter2 {token}"),
        answer({"name": f"x {token}"}),
    )
    calls = [cli(*words), cli(*words), cli(*READ)]
    assert not [one for one in calls if "hunter2" in one.out + one.err or token in one.out + one.err]
    assert TOKEN not in "".join(one.out + one.err for one in calls)
