"""Every action with its example: the request it makes against the published facts, and what is shipped against the sources."""

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from skill import places
from skill.catalog import Catalog
from skill.catalog.catalog import compile_part, content_digest, open_part
from skill.catalog.lint import lint
from skill.plan import plan_action
from skill.schema import check, with_defaults

ROOT = Path(__file__).resolve().parent.parent
FACTS: dict[str, Any] = json.loads(gzip.decompress((ROOT / "tests" / "facts" / "heroku.json.gz").read_bytes()))
LINKS = {f"{name}#{link['title']}": link for name, body in FACTS["definitions"].items() for link in body.get("links", [])}


def template(href: str) -> re.Pattern[str]:
    """Turn a published address into a pattern, a segment for each parameter."""
    return re.compile(re.sub(r"\\\{\\\(.*?\\\)\\\}|\{\(.*?\)\}", "[^/]+", unquote(href)))


@pytest.fixture(scope="module")
def own() -> Catalog:
    """The catalog of the package alone."""
    return Catalog([open_part(places.ACTIONS, shipped=places.DATA / "catalog")])


@pytest.mark.parametrize("name", LINKS)
def test_an_example_makes_the_published_request(own: Catalog, name: str) -> None:
    """The example of an official operation passes its own check and makes a request that the published facts describe."""
    link = LINKS[name]
    action = next(one for one in own.actions() if name in one.link)
    given = with_defaults(dict(action.example or {}), action.input)
    assert check(given, action.input) == []
    plan = plan_action(action, given, own.services["heroku"], "https://api.heroku.com")
    parts = urlsplit(plan.url)
    assert plan.method == link["method"]
    assert template(link["href"]).fullmatch(unquote(parts.path))
    known = link.get("schema", {}).get("properties", {})
    if known and isinstance(plan.content, dict):
        assert set(link["schema"].get("required", [])) <= set(plan.content)
        beyond = {one for one, node in action.input["properties"].items() if node.get("x-beyond")}
        assert set(plan.content) <= set(known) | beyond


def test_what_is_beyond_the_schema_says_so(own: Catalog) -> None:
    """An action without an official operation is marked undocumented, and none with one is."""
    assert {action.key for action in own.actions() if not action.link} == {
        action.key for action in own.actions() if action.stability == "undocumented"
    }


def test_the_action_files_are_clean() -> None:
    """Our own action files pass the lint with no problem."""
    assert lint(places.ACTIONS) == []


def test_the_shipped_catalog_is_of_these_files(tmp_path: Path) -> None:
    """The shipped catalog is what compiling the action files gives."""
    from skill.catalog.catalog import _files, _load

    digest = content_digest(_files(places.ACTIONS))
    made = Catalog([compile_part(places.ACTIONS, digest, tmp_path)])
    shipped = _load(places.DATA / "catalog", digest, places.ACTIONS)
    assert shipped is not None
    assert list(Catalog([shipped]).actions()) == list(made.actions())


def test_the_shipped_index_is_of_these_files(own: Catalog) -> None:
    """The shipped index was built from these actions by the shipped encoder."""
    from skill.index.encoders import open_encoder
    from skill.index.store import load

    assert load(places.DATA / "index", own.parts[0].digest, open_encoder().digest) is not None


def test_the_reference_is_fresh() -> None:
    """The pages of docs/actions are what the catalog gives."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "docs"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_seeds_actions_keep_their_names(own: Catalog) -> None:
    """The keys and titles that other skills made known are here, exact."""
    titles = {
        "list-apps": "List Apps",
        "list-releases": "List Releases",
        "list-dynos": "List Dynos",
        "list-addons": "List Add-ons",
        "list-domains": "List Domains",
        "list-builds": "List Builds",
        "list-collaborators": "List Collaborators",
        "list-pipelines": "List Pipelines",
        "list-pipeline-couplings": "List Pipeline Couplings",
        "list-formation": "List Formation",
        "get-app": "Get App",
        "get-release": "Get Release",
        "get-dyno": "Get Dyno",
        "get-addon": "Get Add-on",
        "get-domain": "Get Domain",
        "get-build": "Get Build",
        "get-pipeline": "Get Pipeline",
        "get-config-vars": "Get Config Vars",
        "create-app": "Create App",
        "update-app": "Update App",
    }
    assert {key: own.action(key).title for key in titles} == titles
