"""Pages of a list, as the Range header asks for them."""

import json

import pytest

from skill.sandbox.pages import page
from skill.sandbox.refusal import Refusal

FIELDS = ["id", "version", "seq"]
ITEMS = [{"id": f"{number:03d}", "version": number} for number in range(1, 451)]


def every_page(header):
    shown = []
    while header is not None:
        status, items, headers = page(ITEMS, FIELDS, header)
        shown.append([item["version"] for item in items])
        assert (status == 206) == ("next-range" in headers)
        header = headers.get("next-range")
    return shown


@pytest.mark.parametrize(
    ("header", "sizes", "first"),
    [
        ("", [200, 200, 50], 1),
        ("id ..; max=1000", [450], 1),
        ("id ..; max=300;", [300, 150], 1),
        ("version ..; order=desc,max=400", [400, 50], 450),
        ("version ..; max=400, order=desc", [400, 50], 450),
        ("version 100..199", [100], 100),
        ("version ]100..199; max=60", [60, 39], 101),
        ("version 199..100; order=desc", [100], 199),
        ("seq ..; max=300", [300, 150], 1),
    ],
)
def test_pages(header, sizes, first):
    """Following the next range gives every item once, in order, in pages of the size asked for."""
    pages = every_page(header)
    assert [len(one) for one in pages] == sizes
    assert pages[0][0] == first
    whole = [version for one in pages for version in one]
    assert len(set(whole)) == len(whole)
    assert whole in (sorted(whole), sorted(whole, reverse=True))


@pytest.mark.parametrize(
    "header", ["nonsense", "name ..", "id ..; max=0", "id ..; max=1001", "id ..; order=up", "id ..; other=1"]
)
def test_bad_range(header):
    """A range that cannot be understood or met is 416."""
    with pytest.raises(Refusal) as refused:
        page(ITEMS, FIELDS, header)
    assert refused.value.status == 416


def test_what_the_page_is():
    """A page says which part of the list it is, what comes next and what lists can be sorted by."""
    status, items, headers = page(ITEMS, FIELDS, "id ..; max=2")
    assert (status, len(items)) == (206, 2)
    assert headers == {"accept-ranges": "id, version, seq", "content-range": "id 001..002", "next-range": "id ]002..; max=2"}


def test_list_without_a_field_to_sort_by():
    """A list whose objects have nothing to sort by comes whole."""
    assert page([{"a": 1}] * 300, [], "")[:2] == (200, [{"a": 1}] * 300)


def test_pages_of_the_sandbox(ask):
    """A list of the sandbox is cut into pages too, and only reads are."""
    for number in range(3):
        ask("POST", "/apps", {"name": f"shop-{number}"}, 201)
    reply = ask.send("GET", "/apps", Range="name ..; max=3")
    assert (reply.status, [one["name"] for one in json.loads(reply.body)]) == (206, ["example", "shop-0", "shop-1"])
    reply = ask.send("GET", "/apps", Range=reply.headers["next-range"])
    assert (reply.status, [one["name"] for one in json.loads(reply.body)]) == (200, ["shop-2"])
    assert ask.send("GET", "/apps", Range="colour ..").status == 416


def test_what_an_action_tells_to_sort_by(ask):
    """A field that the action names is sorted by, whether its objects show it or not."""
    assert ask.send("GET", "/apps/example/webhook-deliveries", Range="seq ..; max=1,order=desc").status == 200
    reply = ask.send("GET", "/apps/example/releases", Range="version ..; max=1, order=desc")
    assert (reply.status, json.loads(reply.body)[0]["version"]) == (206, 11)
