"""`connection`: find or make, look, wait, list, choose, forget."""

from collections.abc import Mapping
from typing import Any

from skill.app import Skill
from skill.connection import desk
from skill.connection.leaving import left_behind
from skill.connection.states import ACTION, FAILED
from skill.faces.printing import dump, note, wants_json, width
from skill.shape import plain, table


def ensure(skill: Skill, target: str, name: str) -> int:
    """Print the connection to a service, made if need be.

    Returns:
        The exit code: 1 where it is in an error.
    """
    return show(skill, desk.ensure(skill.setting, target, name))


def get(skill: Skill, name: str, wait_s: float | None) -> int:
    """Print a connection, after waiting up to `wait_s` seconds for its state to change.

    Returns:
        The exit code: 1 where it is in an error, 6 where the wait ran out.
    """
    if wait_s is None:
        return show(skill, desk.look(skill.setting, name))
    view, waiting = desk.wait(skill.setting, name, wait_s)
    code = show(skill, view)
    if waiting:
        note(f"note: still {view['state']} after {wait_s:g} seconds")
    return 6 if waiting else code


def show_all(skill: Skill) -> None:
    """Print all connections."""
    views = desk.listed(skill.setting)
    if wants_json(skill.options):
        dump({"items": views})
    elif views:
        print(
            table(
                [{name: view.get(name, "") for name in ("key", "name", "service", "state", "account")} for view in views], width()
            )
        )
    else:
        note(f"There is no connection yet. Sign in: {skill.options.program} login")


def choose(skill: Skill, name: str) -> None:
    """Make a connection its service's default and print it."""
    show(skill, desk.choose(skill.setting, name))


def delete(skill: Skill, name: str) -> None:
    """Forget a connection and print which."""
    entry = desk.delete(skill.setting, name)
    if wants_json(skill.options):
        dump({"id": entry.id, "deleted": True, **left_behind(entry)})
    else:
        print(f"{entry.key} is forgotten.")
        if entry.keychain:
            note(f"note: {left_behind(entry)['left']}")
        if entry.kind:
            note("Its credential was not revoked: the service's own page of tokens does that.")


def show(skill: Skill, view: Mapping[str, Any]) -> int:
    """Print one connection.

    Returns:
        The exit code: 1 where it is in an error.
    """
    if wants_json(skill.options):
        dump(dict(view))
    else:
        print(f"{plain(view['name'])}  ({view['id']})  {view['state']}")
        for name in ("account", "kind", "source", "scope", "expiresAt"):
            if view.get(name):
                print(f"  {name:10}{plain(view[name])}")
        _act(view)
    return 1 if view["state"] in FAILED else 0


def _act(view: Mapping[str, Any]) -> None:
    if view["state"] == ACTION and "clientAction" in view:
        action = view["clientAction"]
        print(plain(action["description"]))
        if action.get("uiUrl"):
            print(f"Open: {plain(action['uiUrl'])}\nThen: {action['finish']}")
    if "error" in view:
        note(f"error: {plain(view['error'].get('message', ''))}")
        if view["error"].get("hint"):
            note(f"hint: {plain(view['error']['hint'])}")
