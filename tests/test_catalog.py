"""The catalog: compiled from YAML once, made again when anything changed, and never brought down by one bad file."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from skill import places
from skill.catalog import Catalog, open_catalog
from skill.catalog.source import read_folder
from skill.faults import BadInput, NoSuchAction
from skill.plan import plan_action
from tests.conftest import Cli

Write = Callable[..., Path]
ASKS = "asks: [do the thing now, run the thing please, thing it all up, make a thing happen, start thing]"
THING = f"""actions:
  do-thing:
    title: Do Thing
    about: Does the thing that is meant, and nothing else at all.
    {ASKS}
    request: POST /apps/{{app}}/thing
"""
SERVICE = "name: {name}\ntitle: Thing\nabout: A service of the user's own.\ndomain: thing.example\nbase: {base}\n"


INTERIOR = f"""actions:
  get-thing:
    title: Get Thing
    about: Gives the thing as it stands in a file of its own.
    {ASKS}
    request: GET /things/{{thing}}.json
    input: {{properties: {{thing: {{type: string, description: The thing.}}}}}}
"""


@pytest.fixture
def own(user_actions: Write) -> Path:
    """A folder of a user's own with one action for Heroku."""
    return user_actions({"heroku/thing.yaml": THING})


def again(path: Path, old: str, new: str) -> None:
    """Edit a file, with a time that differs."""
    before = path.stat()
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1_000_000))


def test_the_compiled_catalog_is_the_source(catalog: Catalog) -> None:
    """Every action of the compiled catalog equals the one that the YAML says, and nothing is missing."""
    source = read_folder(places.ACTIONS)
    assert source.problems == []
    # an empty example is left out of the records
    assert list(catalog.actions()) == [replace(one, example=one.example or None) for one in source.actions]
    assert catalog.services == source.services


def test_a_summary_says_what_its_action_says(catalog: Catalog) -> None:
    """What a listing knows of an action is what the action is."""
    for one in catalog.summaries():
        action = catalog.action(one.key)
        assert (one.title, one.about, one.risk, one.method, one.path) == (
            action.title,
            action.about,
            action.risk,
            action.method,
            action.path,
        )


def test_keys_are_in_order_and_known(catalog: Catalog) -> None:
    """Keys are sorted, each is in the catalog, and another word is not."""
    assert catalog.keys() == sorted(catalog.keys())
    assert len(catalog.keys()) == len(catalog)
    assert "list-apps" in catalog
    assert "no-such" not in catalog


def test_an_unknown_key_names_the_nearest(catalog: Catalog) -> None:
    """A key that is not there is told with up to three near ones."""
    with pytest.raises(NoSuchAction) as unknown:
        catalog.action("list-app")
    assert unknown.value.next[0].command == "action show list-apps"
    assert len(unknown.value.next) <= 4


def test_a_users_folder_adds_actions(own: Path) -> None:
    """A folder named for a known service adds to it, with the words for parameters that the service has."""
    catalog = open_catalog([own])
    action = catalog.action("do-thing")
    assert (action.service, action.risk, action.input["required"]) == ("heroku", "write", ["app"])
    assert action.input["properties"]["app"] == catalog.services["heroku"].parameters["app"]
    assert "list-apps" in catalog
    assert not catalog.problems


def test_a_users_action_takes_the_place_of_ours(user_actions: Write) -> None:
    """An action of a key that is there already is the user's."""
    own = user_actions({"heroku/app.yaml": THING.replace("do-thing", "list-apps")})
    assert open_catalog([own]).action("list-apps").title == "Do Thing"
    assert len(open_catalog([own])) == len(open_catalog())


def test_a_users_service_brings_its_actions(user_actions: Write) -> None:
    """A folder with a service.yaml of its own adds a service."""
    own = user_actions(
        {
            "mine/service.yaml": SERVICE.format(name="mine", base="https://thing.example"),
            "mine/t.yaml": THING.replace("{app}", "x"),
        }
    )
    catalog = open_catalog([own])
    assert (catalog.action("do-thing").service, catalog.services["mine"].base) == ("mine", "https://thing.example")


def test_an_edit_is_noticed(own: Path) -> None:
    """An edited file is compiled anew."""
    open_catalog([own])
    again(own / "heroku/thing.yaml", "Do Thing", "Do the Other Thing")
    assert open_catalog([own]).action("do-thing").title == "Do the Other Thing"


def test_an_edit_of_the_same_size_is_noticed(own: Path) -> None:
    """An edit that keeps the size is noticed by the file's time."""
    open_catalog([own])
    again(own / "heroku/thing.yaml", "Do Thing", "Do Thong")
    assert open_catalog([own]).action("do-thing").title == "Do Thong"


def test_a_touched_file_changes_nothing(own: Path) -> None:
    """A file whose time alone changed has the same digest."""
    before = open_catalog([own]).digest
    again(own / "heroku/thing.yaml", "", "")
    assert open_catalog([own]).digest == before


def test_new_and_removed_files_are_noticed(own: Path) -> None:
    """A file that came or went changes the catalog."""
    open_catalog([own])
    (own / "heroku/more.yaml").write_text(THING.replace("do-thing", "do-more"), encoding="utf-8")
    assert "do-more" in open_catalog([own])
    (own / "heroku/more.yaml").unlink()
    assert "do-more" not in open_catalog([own])


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("actions:\n  a: [\n", ":3:1"),
        ("- a\n", ":1:1"),
        ("\tx: y\n", ":1:1"),
        ("actions:\n  do-it:\n    title: 5\n", ":2:3"),
        ("actions: {}\nmore: x\n", ":2:1"),
    ],
)
def test_a_broken_file_is_named_and_the_rest_works(user_actions: Write, text: str, place: str) -> None:
    """A file that is not YAML, or not an action file, is named with line and column; its neighbours still count."""
    own = user_actions({"heroku/bad.yaml": text, "heroku/good.yaml": THING})
    catalog = open_catalog([own])
    assert "do-thing" in catalog
    assert any(str(own / "heroku/bad.yaml") + place.rpartition(":")[0] in problem.where for problem in catalog.problems)


def test_a_bad_action_leaves_its_neighbours(user_actions: Write) -> None:
    """One bad action of a file is named and left out, and the others of the file still count."""
    own = user_actions({"heroku/two.yaml": THING + "  bad-thing:\n    title: Bad\n"})
    catalog = open_catalog([own])
    assert "do-thing" in catalog
    assert "bad-thing" not in catalog
    assert all("two.yaml:7:" in problem.where for problem in catalog.problems)
    assert catalog.problems


def test_problems_are_told_every_time(user_actions: Write) -> None:
    """A problem is kept with the compiled catalog, and told at every start."""
    own = user_actions({"heroku/bad.yaml": "x: ["})
    assert open_catalog([own]).problems == open_catalog([own]).problems != []


@pytest.mark.parametrize("name", ["actions.bin", "catalog.json"])
@pytest.mark.parametrize("content", [b"", b"{", None])
def test_a_damaged_cache_is_made_again(own: Path, name: str, content: bytes | None) -> None:
    """A compiled catalog that was cut short, emptied or removed is made again."""
    part = open_catalog([own]).parts[1]
    if content is None:
        (part.home / name).unlink()
    else:
        (part.home / name).write_bytes(content)
    assert open_catalog([own]).action("do-thing").title == "Do Thing"


def test_a_cache_that_cannot_be_written_is_done_without(own: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a cache folder that cannot be made, the catalog works all the same."""
    (home / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "file"))
    assert open_catalog([own]).action("do-thing").title == "Do Thing"


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A folder that does not exist is named."""
    with pytest.raises(BadInput, match="nowhere"):
        open_catalog([tmp_path / "nowhere"])


def test_other_languages_add_asks(user_actions: Write) -> None:
    """Phrases of another language are added to an action's own."""
    own = user_actions({"heroku/thing.yaml": THING, "heroku/asks/de.yaml": "do-thing: [mach das Ding]\n"})
    assert "mach das Ding" in open_catalog([own]).action("do-thing").other_asks


def test_the_working_folder_is_not_trusted(cli: Cli, home: Path) -> None:
    """An actions folder in the working directory is not picked up."""
    (home / "here/actions/heroku").mkdir(parents=True)
    (home / "here/actions/heroku/thing.yaml").write_text(THING, encoding="utf-8")
    assert "do-thing" not in cli("action", "list").out


def test_a_users_service_cannot_take_the_token(cli: Cli, user_actions: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service.yaml that moves heroku to a host that is not Heroku's, or to this machine, is not heeded, and that is said."""
    monkeypatch.setenv("HEROKU_API_KEY", "t")
    for base in ("https://evil.example", "http://127.0.0.1:8000", "http://api.heroku.com", "https://evilheroku.com"):
        own = user_actions({"heroku/service.yaml": SERVICE.format(name="heroku", base=base)})
        done = cli("action", "run", "list-apps", "--actions", str(own), "--dry-run")
        assert done.json["plan"]["url"] == "https://api.heroku.com/apps"
        assert "heroku stays at https://api.heroku.com" in done.err


@pytest.mark.parametrize("name", ["Heroku", "my_thing", "1st", "a b", "HEROKU", '"\\u212Aube"'])
def test_a_service_has_a_plain_name(user_actions: Write, name: str) -> None:
    """A service whose name could be taken for another's, in an environment variable, is named and left out."""
    catalog = open_catalog([user_actions({"mine/service.yaml": SERVICE.format(name=name, base="https://thing.example")})])
    assert list(catalog.services) == ["heroku"]
    assert "the name must match" in catalog.problems[0].what


def test_a_name_within_a_segment_is_a_parameter(user_actions: Write) -> None:
    """A parameter may be a part of a segment, and is described and filled in like any other."""
    files = {"mine/service.yaml": SERVICE.format(name="mine", base="https://thing.example"), "mine/thing.yaml": INTERIOR}
    catalog = open_catalog([user_actions(files)])
    plan = plan_action(catalog.action("get-thing"), {"thing": "x y"}, catalog.services["mine"], "https://thing.example")
    assert plan.url == "https://thing.example/things/x%20y.json"


BROKEN = {
    "a name that is no text": {"heroku/bad.yaml": "1: x\n", "heroku/thing.yaml": THING},
    "on, which is true": {"heroku/thing.yaml": THING + "    input: {properties: {on: {type: string}}}\n"},
    "phrases that are no list": {"heroku/thing.yaml": THING, "heroku/asks/de.yaml": "do-thing: 3\n"},
}


@pytest.mark.parametrize("files", BROKEN.values(), ids=BROKEN)
def test_no_file_brings_the_catalog_down(user_actions: Write, files: dict[str, str]) -> None:
    """YAML that is no JSON, and phrases in another form, are named, and the rest works."""
    catalog = open_catalog([user_actions(files)])
    assert "list-apps" in catalog
    assert catalog.problems


def test_a_dangling_link_is_passed_over(own: Path) -> None:
    """A link that leads nowhere does not keep the rest from working."""
    (own / "heroku/.#thing.yaml").symlink_to("me@host.1234")
    assert "do-thing" in open_catalog([own])


def test_a_folder_without_actions_is_refused(tmp_path: Path) -> None:
    """A folder that holds no action file is named: a slip of the pen must not look like no actions."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput):
        open_catalog([tmp_path / "empty"])
