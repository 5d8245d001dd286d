"""Checking an input: every problem at once, in words that name the mend, and never the value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill.schema import DEEPEST, check, closest, parse, with_defaults
from skill.types import Json, Schema

SCHEMA: Schema = {
    "type": "object",
    "properties": {
        "app": {"type": "string", "description": "Name of the app.", "examples": ["shop"]},
        "quantity": {"type": "integer"},
        "stage": {"type": ["string", "null"], "enum": ["staging", "production", None]},
        "name": {"type": "string", "pattern": "^[a-z]+$"},
        "vars": {"type": "object", "propertyNames": {"pattern": "^[A-Z]+$"}, "additionalProperties": {"type": "string"}},
        "updates": {
            "type": "array",
            "items": {"type": "object", "required": ["type"], "properties": {"type": {"type": "string"}}},
        },
    },
    "required": ["app"],
    "additionalProperties": False,
}
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def told(value: Json, schema: Schema = SCHEMA) -> dict[str, str]:
    """Check a value and give what was said of each place."""
    return {problem.where: problem.what for problem in check(value, schema)}


def test_a_right_input_has_no_problem() -> None:
    """An input that fits its schema has no problem."""
    assert not check({"app": "shop", "stage": None, "vars": {"A": "x"}, "updates": [{"type": "web"}]}, SCHEMA)


def test_all_problems_come_at_once() -> None:
    """Every problem of an input is told, not only the first."""
    assert set(told({"aap": 1, "quantity": "x", "stage": "stagin", "name": "A"})) == {
        "/app",
        "/aap",
        "/quantity",
        "/stage",
        "/name",
    }


def test_an_unknown_property_is_told_with_the_nearest() -> None:
    """An unknown property names the one that was meant, or all that there are."""
    assert "did you mean 'quantity'?" in told({"app": "x", "quantiti": 1})["/quantiti"]
    assert "it takes app, quantity" in told({"app": "x", "zzz": 1})["/zzz"]


def test_a_missing_property_is_told_with_what_it_is() -> None:
    """A missing property says what it would be."""
    assert told({})["/app"] == "required, but missing: Name of the app."


def test_a_wrong_type_is_told_with_both_types() -> None:
    """A wrong type says which is wanted, which is there, and gives an example."""
    assert told({"app": 5})["/app"] == 'must be string, but is integer, for example "shop"'
    assert told({"app": True})["/app"].startswith("must be string, but is boolean")


def test_a_wrong_choice_is_told_with_the_choices() -> None:
    """A wrong choice lists the choices and the one that was meant."""
    assert told({"app": "x", "stage": "stagin"})["/stage"] == "must be one of staging, production; did you mean 'staging'?"


def test_places_within_lists_and_names_are_pointers() -> None:
    """A problem deep inside is located by a JSON pointer, with ~ and / escaped."""
    assert "/updates/1/type" in told({"app": "x", "updates": [{"type": "web"}, {}]})
    assert "/vars/a~1b" in told({"app": "x", "vars": {"a/b": "x"}}) or "/vars/a/b" in told({"app": "x", "vars": {"a/b": "x"}})


def test_a_wrong_name_is_told_with_its_form() -> None:
    """A name that a free-form object must not have is told with the form of names."""
    assert told({"app": "x", "vars": {"a b": "x"}}) == {"/vars/a b": "a name here must match ^[A-Z]+$"}


@given(st.text(alphabet="xyzw0123456789", min_size=12))
def test_a_value_is_never_quoted(secret: str) -> None:
    """What is told of a wrong value never holds the value."""
    wrong = {"app": [secret], "name": secret, "vars": {"A": [secret]}, "quantity": secret}
    assert not [one for one in told(wrong).values() if secret in one]


@given(values)
def test_any_json_can_be_checked(value: Json) -> None:
    """Any JSON value is either allowed or has located problems; none makes the check fail."""
    assert all(problem.what for problem in check(value, SCHEMA))


@given(st.dictionaries(st.text(), values), st.dictionaries(st.text(), values))
def test_defaults_fill_only_what_is_missing(value: dict[str, Json], defaults: dict[str, Json]) -> None:
    """A default is filled in where nothing was given, and never over what was."""
    schema = {"properties": {name: {"default": default} for name, default in defaults.items()}}
    assert with_defaults(value, schema) == {**defaults, **value}


def test_the_closest_words_come_best_first() -> None:
    """The closest words come best first, and nothing where none is near."""
    assert closest("list-app", ["get-app", "list-apps", "update-app"], 2)[0] == "list-apps"
    assert closest("zzz", ["list-apps"]) == []


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "1e999", "[" * 200 + "]" * 200, "[" * 100_000, "{", "", "9" * 5000])
def test_what_cannot_be_written_again_is_no_json(text: str) -> None:
    """Only what can be written as JSON again is read as JSON."""
    with pytest.raises(ValueError):  # noqa: PT011 - the library's own words differ
        parse(text)


def test_deep_and_broken_values_are_problems() -> None:
    """A value nested too deep, or a text that is no Unicode, is a problem of the input and no bug."""
    deep: Json = []
    for _ in range(DEEPEST):
        deep = [deep]
    assert [problem.what for problem in check(deep, {})] == ["nests deeper than 128 levels"]
    assert [problem.where for problem in check({"a": ["\ud800"]}, {})] == ["/a/0"]
