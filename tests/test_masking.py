"""Secrets everywhere: planted wherever Heroku keeps one, and found in no output, error, log, dry run, traceback or file."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skill.catalog import Catalog
from skill.faces.ending import bug_of
from skill.plan import MASK
from skill.shape import mask
from skill.types import Action, Json, Options
from tests.conftest import Cli, Outcome
from tests.server import RESET_READ, Part, Server, answer, text

SECRET = "s3cr3t-Value_77"
TOKEN = "01234567-dead-beef-0123-456789abcdef"
# where Heroku's replies hold secrets, by hand from what it documents and its own tools hide: action → places in its output
PLACES = {
    "get-config-vars": [".*"],
    "get-release-config-vars": [".*"],
    "get-pipeline-config-vars": [".*"],
    "list-addon-config": ["[].value"],
    "get-oauth-authorization": [".access_token.token", ".refresh_token.token", ".grant.code"],
    "create-oauth-token": [".access_token.token", ".refresh_token.token", ".client.secret", ".grant.code"],
    "get-oauth-client": [".secret"],
    "get-log-drain": [".token", ".url"],
    "get-telemetry-drain": [".exporter.headers.*", ".exporter.endpoint"],
    "create-log-session": [".logplex_url"],
    "create-source": [".source_blob.put_url", ".source_blob.get_url"],
    "get-slug": [".blob.url"],
    "get-build": [".source_blob.url", ".output_stream_url"],
    "get-release": [".output_stream_url"],
    "get-test-run": [".source_blob_url"],
    "list-test-nodes": ["[].output_stream_url", "[].setup_stream_url", "[].dyno.attach_url"],
    "get-dyno": [".attach_url"],
    "get-addon-attachment": [".log_input_url", ".web_url"],
    "get-addon": [".web_url"],
    "get-addon-sso": [".params"],
    "get-archive": [".url"],
    "get-vpn-connection": [".tunnels[].pre_shared_key"],
    "get-postgres-credential": [".credentials[].password"],
    "get-postgres-backup": [".from_url", ".to_url"],
    "create-postgres-backup-url": [".url"],
    "get-postgres-bastion": [".private_key"],
    "get-postgres-info": [".resource_url", ".database_password"],
    "get-redis-info": [".resource_url"],
    "get-github-account": [".github.token"],
    "get-github-archive-url": [".archive_link"],
}
# and where requests do
INPUTS = {
    "update-config-vars": [".vars.*"],
    "update-pipeline-config-vars": [".vars.*"],
    "create-app-setup": [".overrides.env.*"],
    "create-dyno": [".env.*"],
    "create-app-webhook": [".authorization", ".secret"],
    "create-sni-endpoint": [".private_key"],
    "complete-password-reset": [".password", ".password_confirmation", ".reset_token"],
    "create-team": [".card_number", ".cvv", ".nonce"],
    "accept-team-invitation": [".team_invitation"],
    "create-review-app": [".environment.*"],
    "create-log-drain": [".url"],
    "create-build": [".source_blob.url"],
}
FORMS = ["", "--json", "--verbose", "--strict", "--max-bytes 300", "--jq .", "--format ndjson", "--format csv", "--format table"]
FAILURES = [
    answer({"id": "invalid_params", "message": f"{SECRET} {TOKEN}"}, 422, x_heroku_warning=f"{SECRET} {TOKEN}"),
    answer({"id": "server_error", "message": f"{SECRET} {TOKEN}"}, 500),
    text(f"<html>{SECRET} {TOKEN}</html>", 502),
    RESET_READ,
]


def marked(node: Json, at: str = "") -> Iterator[str]:
    """List the places that a schema marks secret."""
    if not isinstance(node, dict):
        return
    if node.get("x-secret"):
        yield at
    for name, inner in node.get("properties", {}).items():
        yield from marked(inner, f"{at}.{name}")
    yield from marked(node.get("additionalProperties"), f"{at}.*")
    yield from marked(node.get("items"), f"{at}[]")


def planted(node: Json) -> Json:
    """Make a value that fits a schema, with the secret in every place that is marked."""
    if not isinstance(node, dict):
        return "x"
    if node.get("x-secret"):
        return SECRET
    kinds = node.get("type", "string")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    if kind == "object":
        value = {name: planted(inner) for name, inner in node.get("properties", {}).items()}
        other = node.get("additionalProperties")
        return {**value, **({"KEY": planted(other)} if isinstance(other, dict) else {})}
    if kind == "array":
        return [planted(node.get("items"))]
    return {"integer": 1, "number": 1, "boolean": True, "null": None}.get(kind, node.get("enum", ["x"])[0])


def replaced(value: Json, node: Json) -> Json:
    """Put the secret into an example wherever the schema marks one."""
    node = node if isinstance(node, dict) else {}
    if node.get("x-secret"):
        return SECRET
    if isinstance(value, dict):
        named, other = node.get("properties", {}), node.get("additionalProperties")
        return {name: replaced(part, named.get(name, other)) for name, part in value.items()}
    return [replaced(part, node.get("items")) for part in value] if isinstance(value, list) else value


@pytest.mark.parametrize("key", PLACES)
def test_every_secret_of_a_reply_is_marked(catalog: Catalog, key: str) -> None:
    """Every place in which Heroku is known to answer a secret is marked so."""
    assert set(PLACES[key]) <= set(marked(catalog.action(key).output))


@pytest.mark.parametrize("key", INPUTS)
def test_every_secret_of_a_request_is_marked(catalog: Catalog, key: str) -> None:
    """Every place in which Heroku is known to take a secret is marked so."""
    assert set(INPUTS[key]) <= set(marked(catalog.action(key).input))


def test_whatever_is_marked_is_masked(catalog: Catalog) -> None:
    """No action of any host shows what is marked in its output."""
    for action in catalog.actions():
        shown = json.dumps(mask(planted(action.output), action.output))
        assert SECRET not in shown, action.key


@pytest.fixture
def clean(cli: Cli, server: Server, home: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """Run a command whose input goes by standard input, and check that no secret is in what it says or leaves behind."""
    monkeypatch.setenv("HEROKU_API_KEY", TOKEN)

    def run(*words: str, given: Json = None, reply: Part | None = None) -> Outcome:
        server.rest = reply or answer({})
        done = cli(*words, "--timeout", "0.3", stdin=json.dumps(given).encode())
        said = done.out + done.err
        assert SECRET not in said
        assert TOKEN not in said
        kept = [path for path in home.rglob("*") if path.is_file() and home / "cache" not in path.parents]
        for path in kept:
            content = path.read_bytes()
            assert SECRET.encode() not in content, path
            assert TOKEN.encode() not in content, path
            path.unlink()
        return done

    return run


PATIENT = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@PATIENT
@given(data=st.data(), form=st.sampled_from(FORMS))
def test_no_reply_shows_a_secret(catalog: Catalog, clean: Cli, data: st.DataObject, form: str) -> None:
    """Whatever action is run and however its output is written, no secret of its reply is in an output or a file."""
    secretive = [one for one in catalog.actions() if one.host is None and any(marked(one.output))]
    action = data.draw(st.sampled_from(secretive), label="action")
    reply = answer(planted(action.output), 200, x_heroku_warning=TOKEN)
    words = ("action", "run", action.key, "--input", "-", *shlex.split(form), *_confirmed(action))
    done = clean(*words, given=action.example or {}, reply=reply)
    assert MASK in done.out or done.code or form not in ("", "--json")


@PATIENT
@given(data=st.data())
def test_no_request_shows_a_secret(catalog: Catalog, clean: Cli, data: st.DataObject) -> None:
    """Rehearsed, kept in a file, sent, refused or lost: no secret of an input is in an output, an error or a file."""
    secretive = [one for one in catalog.actions() if one.host is None and _takes_secrets(one)]
    action = data.draw(st.sampled_from(secretive), label="action")
    whole = replaced(action.example, action.input)
    run = ("action", "run", action.key, "--input", "-", "--verbose", *_confirmed(action))
    clean(*run, "--dry-run", "--out", "p", given=whole)
    clean(*run, given=whole, reply=data.draw(st.sampled_from([answer(whole), *FAILURES]), label="reply"))
    clean("action", "run", action.key, "--each", "-", "--resume", "j", given=whole, reply=answer(whole))
    broken = data.draw(st.sampled_from([[SECRET], {"a": SECRET}, SECRET]), label="broken")
    clean(*run, given={**whole, data.draw(st.sampled_from(sorted(whole))): broken, "odd": SECRET})


def _takes_secrets(action: Action) -> bool:
    # a look-up is sent before the secret is, so no reply to it can hold one
    looks_up = "x-lookup" in json.dumps(action.input)
    return not looks_up and SECRET in json.dumps(replaced(action.example or {}, action.input))


def _confirmed(action: Action) -> tuple[str, ...]:
    names = [str(value) for value in (action.example or {}).values() if isinstance(value, str)]
    return ("--confirm", names[-1]) if action.risk == "destroy" and names else ()


@pytest.mark.parametrize("form", ["-i", "--json -i", "--verbose", "--max-bytes 200 -i"])
def test_a_raw_request_shows_no_secret(clean: Cli, form: str) -> None:
    """A raw request that is no action masks telling names, and the heads of its reply."""
    reply = answer({"password": SECRET, "inner": [{"private_key": SECRET}]}, heroku_webhook_secret=SECRET, x_sso=TOKEN)
    words = ("request", "/none", "-X", "POST", "-d", "-", "-H", f"X-Api-Key: {SECRET}", *shlex.split(form))
    clean(*words, given={"password": SECRET}, reply=reply)
    clean(*words[:-1], "--dry-run", "--out", "p", given={"password": SECRET})


def test_a_traceback_shows_no_secret(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Under --debug a bug shows where it is; whatever its words quote is masked, the token wherever it stands."""
    monkeypatch.setenv("HEROKU_API_KEY", TOKEN)

    def broken() -> None:
        try:
            int(SECRET)
        except ValueError:
            raise KeyError({"KEY": SECRET}, f"at {TOKEN} postgres://u:{SECRET}@h/") from None

    try:
        broken()
    except KeyError as bug:
        fault = bug_of(bug, Options(debug=True))
    said = capsys.readouterr().err
    assert (fault.exit, "in broken" in said, "KeyError" in said) == (70, True, True)
    assert SECRET not in said + fault.message + fault.hint
    assert TOKEN not in said
