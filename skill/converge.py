"""Whether a thing that is to be created is there already, by the names that its input gives it. Pure: the caller asks."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from skill.catalog import Catalog
from skill.faults import BadInput, Fault, Refused
from skill.paths import looks_like_id, path_parameters
from skill.plan import MASK, plan_action
from skill.types import Action, Json, Plan

# by what a thing is known before it has an id, the surest first; only the first that its input has counts
IDENTITIES = ("name", "hostname", "url", "user", "email")
MOST_TOLD = 3
Items = Callable[[Plan], Iterable[Json]]


class Place(NamedTuple):
    """Where a thing would be found: a read of the thing itself, or of the list that it would be in (`in_list`)."""

    plan: Plan
    in_list: bool


def places_of(catalog: Catalog, plan: Plan, given: Mapping[str, Json]) -> list[Place]:
    """Plan the reads that would find a thing that is to be created.

    Raises:
        BadInput: it is no create, its input names nothing, or nothing lists such things.
    """
    action, known = plan.action, _identity(given)
    if action is None or action.method not in ("POST", "PUT") or known is None:
        raise BadInput(
            "--if-missing needs a create with a name to look for",
            hint=f"give one of {', '.join(IDENTITIES)}, or leave --if-missing out",
        )
    service = catalog.services[plan.service]
    base = plan.url.split(action.path.split("{")[0])[0] if action.host is None else service.base
    parents = {name: given[name] for name in path_parameters(action.path)}
    ones, lists = [], []
    for one in catalog.summaries():
        if one.method != "GET" or one.service != plan.service or (one.host or None) != action.host:
            continue
        if one.path == action.path:
            lists.append(Place(plan_action(catalog.action(one.key), parents, service, base), in_list=True))
        elif one.path.endswith("}") and one.path.rsplit("/", 1)[0] == action.path:
            reader, last = catalog.action(one.key), path_parameters(one.path)[-1]
            if known[0] != "url" and _takes_names(reader, last):
                ones.append(Place(plan_action(reader, {**parents, last: known[1]}, service, base), in_list=False))
    if not ones and not lists:
        raise BadInput(f"it cannot be told whether what {action.key} makes is there already", hint="leave --if-missing out")
    return ones or lists


def found(places: Iterable[Place], given: Mapping[str, Json], items: Items) -> tuple[Json, Action | None] | None:
    """Give the thing, and the action whose output it is; None where it is not there.

    Args:
        items: sends a read and gives its items, or its one value.

    Raises:
        Fault: it cannot be told.
    """
    for place in places:
        try:
            for value in items(place.plan):
                if isinstance(value, dict) and (not place.in_list or _is_it(value, given)):
                    return value, place.plan.action
        except Refused as fault:
            if fault.http_status not in (404, 410):
                raise
    return None


def differences(value: Mapping[str, Json], given: Mapping[str, Json]) -> list[str]:
    """Say in what a thing that is there already differs from what was asked for; both are masked, and what is hidden stays so."""
    told = []
    for name, wanted in given.items():
        here = value.get(name)
        forms = [here.get(key) for key in ("name", "id", "email")] if isinstance(here, dict) else [here]
        known = [form for form in forms if isinstance(form, (str, int)) and not isinstance(form, bool)]
        if MASK in (*known, wanted) or not isinstance(wanted, (str, int)):
            continue
        if known and str(wanted) not in map(str, known):
            told.append(f"it is there already, and its {name} is {known[0]}, not {wanted}")
    return told[:MOST_TOLD]


def gone(fault: Fault, plan: Plan | None, method: str = "") -> bool:
    """Tell whether a delete failed for want of what it was to delete."""
    method = plan.method if plan else method
    return method == "DELETE" and isinstance(fault, Refused) and (fault.http_status in (404, 410) or fault.code == "not_found")


def _identity(given: Mapping[str, Json]) -> tuple[str, str] | None:
    return next(((name, given[name]) for name in IDENTITIES if isinstance(given.get(name), str)), None)


def _takes_names(reader: Action, parameter: str) -> bool:
    """Tell whether a thing can be read by its name: where only ids are taken, the list is looked through."""
    node = reader.input["properties"][parameter]
    return "x-lookup" not in node and not any(looks_like_id(str(one)) for one in node.get("examples", ()))


def _is_it(value: Mapping[str, Json], given: Mapping[str, Json]) -> bool:
    known = _identity(given)
    return known is not None and known[1] in _names(value, known[0])


def _names(value: Mapping[str, Json], field: str) -> Iterator[Json]:
    yield value.get(field)
    inner = value.get("user")
    if field in ("user", "email"):
        yield value.get("email")
        yield from [inner.get("email"), inner.get("id")] if isinstance(inner, dict) else []
