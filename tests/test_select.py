"""Choosing what of a result is shown: fields, a jq expression, a summary, a cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill.faults import BadInput
from skill.select import check_fields, check_query, fit, pick, query, size, summarise
from skill.types import Json

APP = {"type": "object", "properties": {"name": {}, "owner": {"type": "object", "properties": {"email": {}}}}}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda one: st.lists(one) | st.dictionaries(st.text(), one),
    max_leaves=20,
)


def test_a_field_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    """A wrong field is refused before anything is sent, with what was meant and what there is."""
    check_fields(["name", "owner.email"], {"type": "array", "items": APP})
    with pytest.raises(BadInput) as caught:
        check_fields(["nam"], APP)
    assert caught.value.hint == "did you mean name? the fields are name, owner"
    with pytest.raises(BadInput):
        check_fields(["owner.mail"], APP)


def test_fields_keep_their_place() -> None:
    """Dotted fields stay nested, also within lists; what is not there is null."""
    value = [{"a": {"b": 1, "c": 2}, "d": [{"e": 1, "f": 2}]}]
    assert pick(value, ["a.b", "d.e", "x"]) == [{"a": {"b": 1}, "d": [{"e": 1}], "x": None}]


def test_a_query_gives_every_answer() -> None:
    """A jq expression is applied to the output, and a comment at its end does no harm."""
    assert query([{"name": "a"}, {"name": "b"}], ".[].name # all") == ["a", "b"]


@pytest.mark.parametrize(
    "expression", ["env", "$ENV", "env.HEROKU_API_KEY", "1) | env | (.", "def f: env; f", "$ENV.HEROKU_API_KEY"]
)
def test_a_query_sees_no_environment(monkeypatch: pytest.MonkeyPatch, expression: str) -> None:
    """A jq expression cannot print what is in the environment, where a token may be."""
    monkeypatch.setenv("HEROKU_API_KEY", "hunter2")
    assert "hunter2" not in str(query({}, expression))


@pytest.mark.parametrize("expression", [".[", 'include "x"; .', "nope", ")"])
def test_a_query_that_cannot_be_read_is_refused(expression: str) -> None:
    """An expression that is no jq, or that would read a file, is refused on one line."""
    with pytest.raises(BadInput) as caught:
        check_query(expression)
    assert "\n" not in caught.value.message


def test_a_query_that_does_not_fit_is_refused() -> None:
    """An expression that does not fit the output is wrong usage and no bug."""
    with pytest.raises(BadInput):
        query([1], ".name")


def test_only_a_long_list_of_things_is_summarised() -> None:
    """A list of more than twenty objects is summed up in its name and state; nothing else is."""
    rows = [{"id": str(place), "name": f"a{place}", "state": "up", "note": "x" * 99} for place in range(21)]
    told = summarise(rows)
    assert told is not None
    assert (told.fields, told.rows[0]) == (["name", "state"], {"name": "a0", "state": "up"})
    assert summarise(rows[:20]) is None
    assert summarise(list(range(30))) is None


@given(VALUES, st.integers(min_value=10, max_value=300))
def test_a_cut_fits_and_keeps_whole_parts(value: Json, most: int) -> None:
    """A list or an object that is cut has whole parts, the first ones, and at most so many bytes."""
    cut = fit(value, most)
    if isinstance(value, (list, dict)):
        assert size(cut) <= most
        assert list(cut) == list(value)[: len(cut)]
