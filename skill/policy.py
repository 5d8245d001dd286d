"""What the user lets this program do at all: `SKILL_POLICY`, the word `read-only` or a small YAML file.

    default: allow                # or deny; left out: deny where there are allow rules, else allow
    deny:
    - {risk: destroy}
    - {key: "*-config-vars", app: "prod-*"}
    allow:
    - {risk: [read, write], app: "staging-*"}

A rule holds where all it says holds: `key` and `app` are patterns with * and ?, `risk` is one or several. A deny beats an
allow. A request that no action describes has no key, so no rule about keys holds for it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from skill.faults import NeedsConfirmation, Problem
from skill.paths import looks_like_id
from skill.schema import parse
from skill.types import Json, Plan

READ_ONLY = "read-only"
_RISKS = ("read", "write", "destroy")
_WORDS = frozenset({"key", "risk", "app"})


class Policy(NamedTuple):
    """Rules that deny, rules that allow, and what holds where none does."""

    deny: Sequence[Mapping[str, Any]]
    allow: Sequence[Mapping[str, Any]]
    default: str

    @property
    def speaks_of_apps(self) -> bool:
        """Whether any rule depends on the app's name."""
        return any("app" in rule for rule in (*self.deny, *self.allow))


def read_policy(environ: Mapping[str, str]) -> Policy | None:
    """Read the policy that the environment names, None where it names none.

    Raises:
        NeedsConfirmation: it cannot be read; nothing may be run then.
    """
    named = environ.get("SKILL_POLICY", "").strip()
    if not named:
        return None
    if named == READ_ONLY:
        return Policy((), ({"risk": "read"},), "deny")
    from skill.catalog.yaml_file import read_yaml

    problems: list[Problem] = []
    file = read_yaml(Path(named), problems)
    rules = _rules(file.value, problems) if file.value is not None else None
    if problems or rules is None:
        raise NeedsConfirmation(
            f"the policy of SKILL_POLICY cannot be read: {problems[0].where}: {problems[0].what}",
            code="bad_policy",
            hint=f"a file with deny and allow rules of key, risk and app, or the word {READ_ONLY}",
            problems=problems,
        )
    return rules


def enforce(policy: Policy, plan: Plan, given: Mapping[str, Json], name_of: Callable[[str], str | None]) -> None:
    """Let a plan pass, or refuse it.

    Args:
        name_of: gives the name of the app that has an id, None where it cannot be told.

    Raises:
        NeedsConfirmation: the policy forbids it.
    """
    apps: list[str | None] = list(dict.fromkeys(apps_of(plan, given)))
    if policy.speaks_of_apps:
        if plan.raw and plan.risk != "read" and _read(plan.raw) is None:
            raise _forbidden(plan, "its body cannot be read, so it cannot be told which app it is about")
        # an id must not get round a rule about names
        apps = [name_of(app) if app is not None and looks_like_id(app) else app for app in apps]
        if None in apps:
            raise _forbidden(plan, "it is about an app whose name cannot be told")
    key = plan.action.key if plan.action else None
    for app in apps or [None]:
        if any(_holds(rule, key, plan.risk, app) for rule in policy.deny):
            raise _forbidden(plan, "a deny rule holds")
        if policy.default == "deny" and not any(_holds(rule, key, plan.risk, app) for rule in policy.allow):
            raise _forbidden(plan, "no allow rule holds")


def apps_of(plan: Plan, given: Mapping[str, Json]) -> Iterator[str]:
    """List every app that a request names: in its path, its query, and anywhere in its body."""
    parts = [unquote(part) for part in urlsplit(plan.url).path.split("/") if part]
    for place, part in enumerate(parts[:-1]):
        if part == "apps" and parts[place + 1] not in ("", "~"):
            yield parts[place + 1]
    yield from (value for name, value in parse_qsl(urlsplit(plan.url).query) if name == "app")
    yield from _apps_in(plan.content if plan.raw is None else _read(plan.raw))
    app = given.get("app")
    if isinstance(app, str):
        yield app
    for value in given.values():
        # an attachment is named with its app: shop::DATABASE
        head, mark, _ = value.rpartition("::") if isinstance(value, str) else ("", "", "")
        if mark and head:
            yield head


def _read(raw: bytes) -> Json:
    try:
        return parse(raw)
    except ValueError:
        return None


def _apps_in(value: Json) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _apps_in(item)
    elif isinstance(value, dict):
        for name, part in value.items():
            if name == "app" and isinstance(part, dict):
                found = part.get("name") or part.get("id")
                yield from [found] if isinstance(found, str) else []
            elif name == "app" and isinstance(part, str):
                yield part
            else:
                yield from _apps_in(part)


def _holds(rule: Mapping[str, Any], key: str | None, risk: str, app: str | None) -> bool:
    risks = rule.get("risk", risk)
    return (
        risk in ([risks] if isinstance(risks, str) else risks)
        and ("key" not in rule or (key is not None and fnmatchcase(key, str(rule["key"]))))
        and ("app" not in rule or (app is not None and fnmatchcase(app.lower(), str(rule["app"]).lower())))
    )


def _rules(value: Mapping[str, Any], problems: list[Problem]) -> Policy:
    odd = [name for name in value if name not in ("deny", "allow", "default")]
    problems += [Problem(str(name), "is no word of a policy: deny, allow, default") for name in odd]
    lists = {name: value.get(name) or [] for name in ("deny", "allow")}
    for name, rules in lists.items():
        if not isinstance(rules, list) or not all(isinstance(rule, dict) and rule and set(rule) <= _WORDS for rule in rules):
            problems.append(Problem(name, "must be a list of rules, each with key, risk or app"))
        elif any(not _are_risks(rule.get("risk", [])) for rule in rules):
            problems.append(Problem(name, f"risk is one or several of {', '.join(_RISKS)}"))
    default = value.get("default", "deny" if lists["allow"] else "allow")
    if default not in ("allow", "deny"):
        problems.append(Problem("default", "must be allow or deny"))
    return Policy(lists["deny"], lists["allow"], default)


def _are_risks(said: Json) -> bool:
    words = [said] if isinstance(said, str) else said
    return isinstance(words, list) and all(word in _RISKS for word in words)


def _forbidden(plan: Plan, why: str) -> NeedsConfirmation:
    what = plan.action.key if plan.action else f"{plan.method} {plan.shown_url}"
    return NeedsConfirmation(
        f"SKILL_POLICY forbids {what}: {why}", code="forbidden_by_policy", hint="only the user may change the policy"
    )
