"""SKILL.md: valid for every installer, small, and true to the program; the manifests agree with it."""

import json
import re
import shlex
import shutil
from pathlib import Path

import click
import pytest
import typer
from skills_ref import validate

from skill import __version__
from skill.faces.cli import app
from skill.faults import EXITS
from tests.conftest import ROOT

TEXT = (ROOT / "SKILL.md").read_text(encoding="utf-8")
_, FRONT, BODY = TEXT.split("---\n", 2)
MANIFESTS = (
    ".claude-plugin/marketplace.json",
    ".codex-plugin/plugin.json",
    ".agents/plugins/marketplace.json",
    "gemini-extension.json",
)
# a reply unlike its schema needs --strict; a bug and an interruption explain themselves
NOT_TAUGHT = {7, 70, 130}


def manifest(name: str) -> dict:
    """Read a manifest of the repository."""
    return json.loads((ROOT / name).read_text(encoding="utf-8"))


def entry(name: str) -> dict:
    """Give what a manifest says of the plugin itself."""
    whole = manifest(name)
    return whole["plugins"][0] if "plugins" in whole else whole


def shown() -> list[str]:
    """List every command that SKILL.md shows, in code blocks and in backticks."""
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", BODY, re.DOTALL)).splitlines()
    inline = re.findall(r"`(skill [^`]+)`", re.sub(r"```.*?```", "", BODY, flags=re.DOTALL))
    parts = [part.strip() for line in (*blocks, *inline) for part in re.split(r"\s\|\s(?=skill )", line)]
    return sorted({part for part in parts if part.startswith("skill ")})


def test_validator_accepts_it(tmp_path: Path) -> None:
    """The official validator finds nothing wrong in a folder named heroku."""
    (tmp_path / "heroku").mkdir()
    shutil.copy(ROOT / "SKILL.md", tmp_path / "heroku")
    assert validate(tmp_path / "heroku") == []


def test_front_matter_is_in_block_style() -> None:
    """No value is in flow style, which strict readers refuse."""
    values = [line.partition(": ")[2].strip() for line in FRONT.splitlines()]
    assert not [value for value in values if value.startswith(("[", "{"))]


def test_it_needs_no_secret_to_load() -> None:
    """HEROKU_API_KEY is declared, as something that one can do without."""
    assert "env:" not in FRONT.split()
    assert re.search(r"- name: HEROKU_API_KEY\n\s+required: false\n", FRONT)


def test_the_pythons_it_wants_are_those_that_are_tried() -> None:
    """The programs of which one must be there are those that the set-up looks for."""
    wanted = re.search(r"anyBins:\n((?:\s+- \S+\n)+)", FRONT)
    tried = re.search(r"for name in (python3 [^;]+);", (ROOT / "scripts/set-up").read_text(encoding="utf-8"))
    assert wanted is not None
    assert tried is not None
    assert re.findall(r"- (\S+)", wanted[1]) == tried[1].split()


def test_its_version_is_the_program_s() -> None:
    """The version of SKILL.md, and of each manifest that has one, is the program's."""
    assert f'\n  version: "{__version__}"\n' in FRONT
    assert {entry(name)["version"] for name in MANIFESTS if name != ".agents/plugins/marketplace.json"} == {__version__}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_names_the_skill(name: str) -> None:
    """Each manifest gives the plugin the skill's own name."""
    assert entry(name)["name"] == "heroku"


def test_claude_takes_the_skill_from_the_root() -> None:
    """The marketplace stands alone: a second manifest of the plugin would be in conflict with it."""
    plugin = entry(".claude-plugin/marketplace.json")
    assert (plugin["source"], plugin["strict"], plugin["skills"]) == ("./", False, ["./"])
    assert not (ROOT / ".claude-plugin/plugin.json").exists()


def test_it_is_short() -> None:
    """It stays under 150 lines and 1,800 tokens, by the larger of two estimates."""
    assert len(TEXT.splitlines()) < 150
    assert max(len(TEXT) / 4, len(TEXT.split()) * 1.35) < 1800


def test_its_exits_are_the_program_s() -> None:
    """The table of exits has each code of the program but those that an agent need not know."""
    listed = [int(code) for code in re.findall(r"^\| (\d+) \|", BODY, re.MULTILINE)]
    assert listed == sorted(set(EXITS) - NOT_TAUGHT)


def test_it_shows_the_main_flow() -> None:
    """What is checked below is not nothing: the four steps are among the commands found."""
    found = shown()
    for words in ("action list --intent", "action show", "action run", "request"):
        assert [command for command in found if command.startswith(f"skill {words}")]


@pytest.mark.parametrize("line", shown())
def test_a_command_that_it_shows_exists(line: str) -> None:
    """Each command is one of the program's, takes each option shown, and has a help text."""
    command, words = typer.main.get_command(app), shlex.split(line, comments=True)[1:]
    while isinstance(command, click.Group) and words and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    if isinstance(command, click.Group):
        assert not [word for word in words if not word.startswith("-")]
    assert command.help
    known = {name for parameter in command.params for name in parameter.opts}
    assert not {word.partition("=")[0] for word in words if re.match(r"--?[A-Za-z]", word)} - known


@pytest.mark.parametrize("option", sorted(set(re.findall(r"`(--[A-Za-z-]+)", BODY))))
def test_an_option_that_it_names_exists(option: str) -> None:
    """Each option named by itself is one of a command that lists, runs or requests."""
    group = typer.main.get_command(app)
    assert isinstance(group, click.Group)
    actions = group.commands["action"]
    assert isinstance(actions, click.Group)
    commands = (actions.commands["run"], actions.commands["list"], group.commands["request"])
    assert option in {name for command in commands for parameter in command.params for name in parameter.opts}
