"""`demo`: the main job on the sandbox, each step shown as the command that a person would type."""

import contextlib
import io
import json
import os
import tempfile
from collections.abc import Callable
from shlex import quote
from typing import Any

from skill.app import Skill
from skill.shape import plain

INTENT = "give the example site two more web processes"


def show(skill: Skill) -> None:
    """Say it, find it, check it, rehearse it, run it, read it back; the user's own sandbox is left alone."""
    from skill.faces import cli

    program = skill.options.program

    def step(what: str, *words: str) -> dict[str, Any]:
        print(f"\n# {what}\n$ {program} {' '.join(map(quote, words))}")
        heard = io.StringIO()
        with contextlib.redirect_stdout(heard):
            code = cli.run([*words, "--json"])
        answer: dict[str, Any] = json.loads(heard.getvalue() or "{}")
        if code:
            raise SystemExit(code)
        return answer

    with tempfile.TemporaryDirectory(prefix="heroku-skill-demo-") as folder:
        before = os.environ.get("XDG_STATE_HOME")
        os.environ["XDG_STATE_HOME"] = folder
        try:
            _walk(step)
        finally:
            os.environ.pop("XDG_STATE_HOME")
            if before is not None:
                os.environ["XDG_STATE_HOME"] = before
    print(f'\nNothing real was touched. Now yours: {program} action list --intent "what you want to do"')


def _walk(step: Callable[..., dict[str, Any]]) -> None:
    found = step(
        "Say what you want; the actions that fit come back, best first", "action", "list", "--intent", INTENT, "--limit", "3"
    )
    for item in found["items"]:
        print(f"  {item['score']:.2f}  {item['key']:28} {item['risk']:8} {plain(item['name'])}")
    key = found["items"][0]["key"]
    shown = step("Look at what the first one takes", "action", "show", key)
    for name, node in shown["inputSchema"]["properties"].items():
        mark = "*" if name in shown["inputSchema"].get("required", ()) else " "
        print(f"  {mark} {name:12} {plain(node.get('description', ''))}")
    now = step(
        "How things stand", "action", "run", "get-formation", "--input", '{"app":"example","formation":"web"}', "--sandbox"
    )
    quantity = now["output"]["quantity"]
    print(f"  web runs {quantity} process(es)")
    given = json.dumps({"app": "example", "formation": "web", "quantity": quantity + 2}, separators=(",", ":"))
    plan = step("Rehearse it: the request, and nothing sent", "action", "run", key, "--input", given, "--dry-run")["plan"]
    print(f"  {plan['method']} {plan['url']}\n  {json.dumps(plan['body'])}")
    done = step("Run it, on the embedded sandbox", "action", "run", key, "--input", given, "--sandbox")
    print(f"  {json.dumps({name: done['output'].get(name) for name in ('type', 'quantity', 'size')})}")
    after = step("Read it back", "action", "run", "get-formation", "--input", '{"app":"example","formation":"web"}', "--sandbox")
    print(f"  web runs {after['output']['quantity']} process(es)")
