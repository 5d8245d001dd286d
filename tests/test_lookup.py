"""Names where ids are wanted: looked up as the service's own file says, or refused with what they may mean."""

from typing import Any

import pytest

from skill.catalog import Catalog
from skill.faults import BadInput, Refused
from skill.lookup import Lookup, resolved, stripped, wanted
from skill.types import Json
from tests.conftest import Cli
from tests.server import Server, answer

ID = "01234567-89ab-cdef-0123-456789abcdef"
OTHER = "11234567-89ab-cdef-0123-456789abcdef"


def command(given: dict[str, Json]) -> str:
    """Write a command for an input."""
    return f"run {given}"


@pytest.fixture
def pipeline(catalog: Catalog) -> Any:
    """Look up the pipeline `shop` among candidates."""
    action, service = catalog.action("get-pipeline-stack"), catalog.services["heroku"]
    return lambda candidates: resolved(action, {"pipeline": "shop"}, service, lambda _: candidates, command)


def test_an_id_needs_no_look_up(catalog: Catalog) -> None:
    """A value that is an id is sent as it is."""
    action, service = catalog.action("get-pipeline-stack"), catalog.services["heroku"]
    assert wanted(action, {"pipeline": ID}, service) == []
    assert [one.target for one in wanted(action, {"pipeline": "shop"}, service)] == ["/pipelines"]


def test_one_candidate_is_taken(pipeline: Any) -> None:
    """A name that is one thing's is replaced by its id, whether it comes alone or in a list."""
    assert pipeline([{"id": ID}]) == pipeline({"id": ID}) == {"pipeline": ID}


def test_several_candidates_are_named(pipeline: Any) -> None:
    """A name of two things is refused, with the command for each."""
    with pytest.raises(Refused) as caught:
        pipeline([{"id": ID, "name": "shop"}, {"id": OTHER, "name": "shop"}])
    assert caught.value.code == "ambiguous"
    assert [ID in step.command for step in caught.value.next] == [True, False]


@pytest.mark.parametrize("candidates", [[], None, [{}], ["x"], "x"])
def test_no_candidate_is_not_found(pipeline: Any, candidates: Json) -> None:
    """A name that nothing has is refused, and so is an answer that holds no id."""
    with pytest.raises(Refused) as caught:
        pipeline(candidates)
    assert caught.value.code == "not_found"


def test_a_prefix_is_taken_off(catalog: Catalog) -> None:
    """The v of a release's number is taken off without asking anybody."""
    action, service = catalog.action("get-release"), catalog.services["heroku"]
    assert stripped(action, {"app": "x", "release": "v12"}, service)["release"] == "12"
    assert stripped(action, {"app": "x", "release": ID}, service)["release"] == ID


def test_a_name_cannot_climb_in_a_look_up(catalog: Catalog) -> None:
    """What is filled into the path of a look-up is one segment of it, whatever it holds."""
    rule = catalog.services["heroku"].lookups["release_id"]
    assert Lookup(("release",), "v7", rule, "a b{value}").target == "/apps/a%20b%7Bvalue%7D/releases/7"
    with pytest.raises(BadInput):
        _ = Lookup(("release",), "v7", rule, "../account").target


def test_a_rehearsal_asks_nobody(cli: Cli, server: Server) -> None:
    """A dry run only names what the run would look up."""
    done = cli("action", "run", "get-pipeline-stack", "--set", "pipeline=shop", "--dry-run")
    assert done.json["plan"]["lookups"] == ["GET /pipelines gives the id of 'shop'"]
    assert server.seen == []


def test_a_run_looks_up_and_goes_on(cli: Cli, server: Server) -> None:
    """A run asks for the name first, and then for the thing by its id."""
    server.play(answer([{"id": ID, "name": "shop"}]), answer({"id": ID, "name": "shop"}))
    assert cli("action", "run", "get-pipeline-stack", "--set", "pipeline=shop").code == 0
    assert [one.path for one in server.seen] == ["/pipelines?eq%5Bname%5D=shop", f"/pipelines/{ID}/pipeline-stack"]
