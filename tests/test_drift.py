"""The catalog against the facts of the published schema, and what drift says of a schema that moved on."""

import copy
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from skill.catalog import Catalog
from skill.catalog.drift import differences

FACTS = Path(__file__).parent / "facts" / "heroku.json.gz"


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(gzip.decompress(FACTS.read_bytes()))
    return whole


def kinds(catalog: Catalog, published: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(one.kind, one.link, one.what) for one in differences(list(catalog.actions()), published)]


def test_the_catalog_is_true_to_the_published_schema(catalog: Catalog, facts: dict[str, Any]) -> None:
    """Every published operation is there once, with its method, path, inputs and choices."""
    assert kinds(catalog, facts) == []
    links = [link for action in catalog.actions() for link in action.link]
    assert len(links) == len(set(links)) == sum(len(body.get("links", [])) for body in facts["definitions"].values()) == 305


def test_a_new_operation_is_told(catalog: Catalog, facts: dict[str, Any]) -> None:
    """An operation that the catalog lacks is listed as new, with its request."""
    moved = copy.deepcopy(facts)
    moved["definitions"]["app"]["links"].append(
        {"title": "Archive", "method": "POST", "href": "/apps/{(x)}/archive", "rel": "create"}
    )
    assert kinds(catalog, moved) == [("new", "app#Archive", "POST /apps/{}/archive")]


def test_a_gone_operation_is_told(catalog: Catalog, facts: dict[str, Any]) -> None:
    """An operation that the schema has no longer is listed as gone."""
    moved = copy.deepcopy(facts)
    moved["definitions"]["region"]["links"] = moved["definitions"]["region"]["links"][:1]
    assert kinds(catalog, moved) == [("gone", "region#List", "GET /regions")]


def test_a_changed_operation_is_told(catalog: Catalog, facts: dict[str, Any]) -> None:
    """A new input, a new requirement and a new method are each named."""
    moved = copy.deepcopy(facts)
    create = next(link for link in moved["definitions"]["app"]["links"] if link["title"] == "Create")
    create["method"] = "PUT"
    create["schema"]["properties"]["colour"] = {"type": ["string"]}
    create["schema"]["required"] = ["name"]
    assert {what for _, _, what in kinds(catalog, moved)} == {
        "the request is now PUT /apps",
        "takes colour now",
        "requires name now",
    }
