"""What the user lets the program do: rules over keys, risks and apps, which nothing gets round."""

from collections.abc import Callable
from pathlib import Path

import pytest

from skill.catalog import Catalog
from skill.faults import NeedsConfirmation
from skill.plan import plan_action, plan_raw
from skill.policy import Policy, enforce, read_policy
from skill.types import Json, Plan
from tests.conftest import Cli
from tests.server import Server, answer

ID = "01234567-89ab-cdef-0123-456789abcdef"


@pytest.fixture
def policy(tmp_path: Path) -> Callable[[str], Policy]:
    """Read a policy from its text."""

    def read(text: str) -> Policy:
        (tmp_path / "policy.yaml").write_text(text)
        found = read_policy({"SKILL_POLICY": str(tmp_path / "policy.yaml")})
        assert found is not None
        return found

    return read


def allowed(policy: Policy, plan: Plan, given: dict[str, Json] | None = None, name: str | None = None) -> bool:
    """Tell whether a policy lets a plan pass; `name` is the name of whatever app has an id."""
    try:
        enforce(policy, plan, given or {}, lambda _: name)
    except NeedsConfirmation:
        return False
    return True


def raw(catalog: Catalog, method: str, path: str, **more: Json) -> Plan:
    """Plan a raw request that matches no action."""
    service = catalog.services["heroku"]
    return plan_raw(service, service.base, method, path, **more)


def test_read_only_lets_only_reads_pass(catalog: Catalog) -> None:
    """`read-only` forbids every write, also one that no action describes."""
    policy = read_policy({"SKILL_POLICY": "read-only"})
    assert policy is not None
    assert allowed(policy, raw(catalog, "GET", "/x"))
    assert not allowed(policy, raw(catalog, "POST", "/x"))


def test_a_deny_beats_an_allow(catalog: Catalog, policy: Callable[[str], Policy]) -> None:
    """Where a deny rule and an allow rule hold, it is denied; where only an allow rule holds, it is allowed."""
    rules = policy("deny:\n- {key: '*-config-vars'}\nallow:\n- {app: 'staging-*'}\n")
    service = catalog.services["heroku"]
    given = {"app": "staging-a"}
    assert allowed(rules, plan_action(catalog.action("get-app"), given, service, service.base), given)
    assert not allowed(rules, plan_action(catalog.action("get-config-vars"), given, service, service.base), given)
    assert not allowed(rules, raw(catalog, "GET", "/apps/prod"))


PROD = "deny:\n- {app: 'prod-*'}\n"


@pytest.mark.parametrize(
    ("method", "path", "more"),
    [
        ("DELETE", "/apps/prod-a", {}),
        ("DELETE", "/apps/%70rod-a", {}),
        ("DELETE", "/apps/PROD-a", {}),
        ("DELETE", "/apps//prod-a/", {}),
        ("POST", "/x", {"content": {"app": "prod-a"}}),
        ("POST", "/x", {"content": [{"to": {"app": {"name": "prod-a"}}}]}),
        ("POST", "/x", {"raw": b'{"app": "prod-a"}'}),
        ("POST", "/x", {"raw": b"app=prod-a"}),
    ],
)
def test_no_way_of_writing_gets_round_an_app(
    catalog: Catalog, policy: Callable[[str], Policy], method: str, path: str, more: dict[str, Json]
) -> None:
    """An app that is denied is denied wherever and however a request names it."""
    assert not allowed(policy(PROD), raw(catalog, method, path, **more))


def test_an_id_is_looked_up(catalog: Catalog, policy: Callable[[str], Policy]) -> None:
    """A rule about names holds for ids too, and an app whose name cannot be told is denied."""
    plan = raw(catalog, "DELETE", f"/apps/{ID}")
    assert [allowed(policy(PROD), plan, name=name) for name in ("prod-a", "staging-a", None)] == [False, True, False]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a",
        "deny: 3",
        "deny: [{}]",
        "deny: [{ap: x}]",
        "allow: [{risk: destory}]",
        "deny: [{risk: 3}]",
        "default: maybe",
        "denny: []",
        "{",
    ],
)
def test_a_policy_that_cannot_be_read_forbids_all(policy: Callable[[str], Policy], text: str) -> None:
    """A policy that is missing or misspelt is an error, and never no policy."""
    with pytest.raises(NeedsConfirmation) as caught:
        policy(text)
    assert caught.value.code == "bad_policy"
    with pytest.raises(NeedsConfirmation):
        read_policy({"SKILL_POLICY": "/none/policy.yaml"})


def test_without_a_policy_all_is_allowed() -> None:
    """No policy in the environment is no policy."""
    assert read_policy({"SKILL_POLICY": " "}) is None


@pytest.mark.parametrize(
    "words",
    [
        ("action", "run", "get-app", "--set", "app=prod-a"),
        ("action", "run", "update-app", "--set", "app=prod-a", "--set", "maintenance=true"),
        ("action", "run", "delete-addon", "--set", "app=x", "--set", "add_on=prod-a::DATABASE", "--confirm", "x"),
        ("request", "/apps/prod-a"),
        ("request", "/none?app=prod-a"),
        ("request", "/none", "--query", "app=prod-a", "-X", "POST", "-d", "{}"),
        ("request", "/apps/{app}", "--pathParam", "app=prod-a", "-X", "DELETE", "--confirm", "prod-a"),
    ],
    ids=lambda words: " ".join(words[1:5]),
)
def test_a_denied_app_gets_no_request(
    cli: Cli, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """What a policy forbids is exit 5 for actions and raw requests alike, and nothing is sent for it: no look-up either."""
    (tmp_path / "policy.yaml").write_text(PROD)
    monkeypatch.setenv("SKILL_POLICY", str(tmp_path / "policy.yaml"))
    done = cli(*words)
    assert (done.code, done.error["code"], server.connections) == (5, "forbidden_by_policy", 0)


def test_a_policy_holds_for_every_input(cli: Cli, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many inputs those that are forbidden are refused, each in its line, and the others are run."""
    (tmp_path / "policy.yaml").write_text(PROD)
    monkeypatch.setenv("SKILL_POLICY", str(tmp_path / "policy.yaml"))
    server.play(answer({"id": ID}))
    done = cli("request", "/apps/{app}", "--each", "-", "--set-from", "app", stdin=b"prod-a\nstaging-a\n")
    assert [line.get("exit", 0) for line in done.lines] == [5, 0]
    assert [one.path for one in server.seen] == ["/apps/staging-a"]


def test_a_kept_plan_does_not_get_round_a_policy(cli: Cli, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan that was made while it was allowed is refused once it is forbidden."""
    cli("action", "run", "create-app", "--dry-run", "--out", "p")
    monkeypatch.setenv("SKILL_POLICY", "read-only")
    assert (cli("action", "run", "--plan", "p").code, server.connections) == (5, 0)
