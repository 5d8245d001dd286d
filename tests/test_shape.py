"""Shaping what is shown: secrets masked wherever they stand, schemas short and still valid, terminals safe."""

import json
import random
import statistics
import time

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill.catalog import Catalog
from skill.plan import MASK, plan_action, plan_raw
from skill.shape import (
    brief,
    compact_input,
    compact_output,
    full,
    mask,
    mask_pointers,
    mask_text,
    plain,
    plain_lines,
    show_plan,
    table,
)
from skill.types import Json

SECRET = {"type": "string", "x-secret": True}
TOKEN = "HRKU-" + "aB3_-" * 12
words = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=12)
trees = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("value", "node", "masked"),
    [
        ("x", SECRET, MASK),
        ({"a": "x", "b": "y"}, {"properties": {"a": SECRET}}, {"a": MASK, "b": "y"}),
        ({"a": {"b": ["x", None]}}, {"properties": {"a": {"properties": {"b": {"items": SECRET}}}}}, {"a": {"b": [MASK, None]}}),
        ({"A": "x", "B": None}, {"additionalProperties": SECRET}, {"A": MASK, "B": None}),
        ([{"a": 5}], {"items": {"properties": {"a": SECRET}}}, [{"a": MASK}]),
        ({"a": {"k": "v"}}, {"properties": {"a": {"x-secret": True}}}, {"a": MASK}),
        ({"a": ["k"]}, {"properties": {"a": {"x-secret": True}}}, {"a": MASK}),
        ({"a": False}, {"properties": {"a": {"x-secret": True}}}, {"a": MASK}),
        (None, SECRET, None),
    ],
)
def test_what_the_schema_marks_is_masked(value: Json, node: Json, masked: Json) -> None:
    """A marked secret is masked in objects, lists and maps, whatever its type; null stays null."""
    assert mask(value, node) == masked


@pytest.mark.parametrize("name", ["password", "private_key", "token", "secret", "attach_url", "get_url", "Password"])
def test_a_telling_name_is_masked_without_a_schema(name: str) -> None:
    """A field whose name tells that it is secret is masked in a reply that no schema describes."""
    assert mask({"a": [{name: "x", "id": "1"}]}) == {"a": [{name: MASK, "id": "1"}]}


@given(trees, st.sampled_from([TOKEN, "x " + TOKEN + "\n", "see https://h/?t=" + TOKEN, f'{{"t":"{TOKEN}"}}']))
def test_a_token_is_masked_in_any_value(tree: Json, text: str) -> None:
    """A Heroku token is masked in any text of any reply, wherever it stands."""
    assert TOKEN not in json.dumps(mask([tree, {"deep": [text, {"er": text}]}]))


@pytest.mark.parametrize(
    "text",
    [
        "postgres://user:pass123@host/db",
        "redis://:pass123@host:6379",
        "amqps://a.b:pass123@h/v",
        "x https://u:pass123@h y",
        "postgres://u:pa:pass123@h",
    ],
)
def test_a_password_in_an_address_is_masked(text: str) -> None:
    """A password within an address is masked, and the address is still readable."""
    assert "pass123" not in mask_text(text)
    assert "://" in mask_text(text)


@pytest.mark.parametrize("text", ["HRKU-short", "me@example.com", "10:30 @ noon", "git@heroku.com:shop.git"])
def test_what_is_no_credential_stays(text: str) -> None:
    """Addresses without a password, e-mail addresses and times are left as they are."""
    assert mask_text(text) == text


def test_a_secret_is_revealed_by_name_by_path_or_all() -> None:
    """--reveal shows one name anywhere, one path, or everything."""
    node = {"properties": {"a": {"properties": {"b": SECRET}}, "b": SECRET}}
    value = {"a": {"b": "x"}, "b": "y"}
    assert mask(value, node) == {"a": {"b": MASK}, "b": MASK}
    assert mask(value, node, ["b"]) == value
    assert mask(value, node, ["a.b"]) == {"a": {"b": "x"}, "b": MASK}
    assert mask(value, node, ["all"]) == value
    assert mask(value, node, ["c"]) == {"a": {"b": MASK}, "b": MASK}


@given(trees)
def test_masking_keeps_the_shape(tree: Json) -> None:
    """Masking twice is masking once, and with everything revealed nothing changes."""
    assert mask(mask(tree)) == mask(tree)
    assert mask(tree, {}, ["all"]) == tree


@given(words, words)
def test_pointers_mask_names_with_slashes(name: str, other: str) -> None:
    """A pointer masks exactly its place, also where names hold ~ and /."""
    value = {name: "x", other: {"k": "y"}} if name != other else {name: "x"}
    pointer = "/" + name.replace("~", "~0").replace("/", "~1")
    assert mask_pointers(value, [pointer]) == {**value, name: MASK}


def test_a_dry_run_shows_no_secret(catalog: Catalog) -> None:
    """A plan as shown masks secret inputs in its body, its address and its headers."""
    service = catalog.services["heroku"]
    plan = plan_action(
        catalog.action("update-config-vars"), {"app": "shop", "vars": {"A": "s3cr3t", "B": None}}, service, service.base
    )
    assert show_plan(plan)["body"] == {"A": MASK, "B": None}
    assert show_plan(plan, ["A"])["body"]["A"] == "s3cr3t"
    raw = plan_raw(service, service.base, "GET", f"/x/{TOKEN}", headers=[("Heroku-Two-Factor-Code", "123456"), ("X-Note", TOKEN)])
    assert not {TOKEN, "123456"} & set(json.dumps(show_plan(raw)).replace("/", '"').split('"'))


def test_every_compact_schema_is_a_schema(catalog: Catalog) -> None:
    """The compact form of every schema is a valid JSON Schema that names only what the whole one names."""
    for action in catalog.actions():
        given, gives = compact_input(action.input), compact_output(action.output)
        assert [jsonschema_rs.meta.is_valid(one) for one in (given, gives)] == [True, True], action.key
        assert set(given.get("properties", {})) == set(action.input["properties"])
        assert len(gives.get("items", gives).get("properties", {})) <= 8


def test_every_example_fits_its_compact_schema(catalog: Catalog) -> None:
    """What the whole input schema allows, the compact one allows too."""
    for action in catalog.actions():
        assert jsonschema_rs.is_valid(compact_input(action.input), action.example or {}), action.key


def test_ten_actions_are_small(catalog: Catalog) -> None:
    """Ten actions as a search shows them take 6,500 characters at most in the median."""
    actions, chance = list(catalog.actions()), random.Random(1)
    sizes = [
        len(json.dumps({"items": [brief(one, 0.5) for one in chance.sample(actions, 10)]}, separators=(",", ":")))
        for _ in range(60)
    ]
    assert statistics.median(sizes) <= 6500


def test_a_full_action_can_be_printed(catalog: Catalog) -> None:
    """Everything that is known of an action is plain JSON, with its whole schemas."""
    shown = json.loads(json.dumps(full(catalog.action("create-app"))))
    assert shown["inputSchema"] == catalog.action("create-app").input
    assert (shown["link"], shown["request"]) == ("app#Create", {"method": "POST", "path": "/apps"})


@given(st.text(alphabet=st.characters() | st.sampled_from("\x1b\x9b\x07\r\n\u202e\u2066\u200f")))
def test_nothing_from_outside_moves_the_terminal(text: str) -> None:
    """A printed value has no escapes, no control or bidirectional characters and no surrogates, and stays on one line."""
    shown = plain(text)
    assert not set(shown) & (
        set(map(chr, [*range(32), *range(127, 160)]))
        | set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    )
    assert shown.encode() is not None


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["id", "name", "other"]), st.none() | st.booleans() | st.text() | st.lists(st.text())),
        max_size=4,
    )
)
def test_a_table_has_one_line_a_row(rows: list[dict[str, Json]]) -> None:
    """A table has a heading and one line for each row, whatever the cells hold."""
    lines = table(rows).split("\n")
    assert len(lines) == (len(rows) + 1 if rows else 1)
    assert "\x1b" not in table(rows)


def test_lines_stay_lines() -> None:
    """A text of several lines keeps them, each made safe."""
    assert plain_lines("a\x1b[2J\nb\u202ec") == "a[2J\nbc"


def test_masking_a_long_word_takes_no_time() -> None:
    """Masking takes time in proportion to the text: a word of 15,000 letters is done at once."""
    before = time.process_time()
    mask_text("a" * 15_000)
    assert time.process_time() - before < 0.5


def test_a_password_with_an_at_sign_is_masked_whole() -> None:
    """A password that holds an unencoded @ is masked to its end."""
    assert mask_text("postgres://user:pass@word@host/db") == "postgres://user:[masked]@host/db"


def test_masking_many_addresses_takes_no_time() -> None:
    """A word made of the beginnings of addresses is masked in time that grows with its length."""
    before = time.process_time()
    mask_text("://a:" * 20_000 + "@")
    assert time.process_time() - before < 0.5


def test_a_dry_run_masks_telling_names(catalog: Catalog) -> None:
    """A dry run of a request that no action describes masks a password in its body."""
    service = catalog.services["heroku"]
    assert "hunter2" not in json.dumps(show_plan(plan_raw(service, service.base, "POST", "/x", content={"password": "hunter2"})))


def test_a_heading_is_safe_too() -> None:
    """A name that a service gives is made safe where it heads a column."""
    assert "\x1b" not in table([{"a\x1b[31m": "x"}])
