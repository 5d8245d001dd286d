"""The marketplaces' own clients take this repository as a clone has it, each in a home of its own."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from skill import __version__
from tests.conftest import ROOT

pytestmark = pytest.mark.market

LIMIT_S = 300
# the newest, and the last known to run on Node 20
SKILLS = ("skills@latest", "skills@1.5.18")
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository's own files, without what a working folder gathers."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout: nothing says which files are the repository's")
    out = tmp_path_factory.mktemp("clone") / "heroku-skill"
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, out / name)
    return out


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a marketplace carries."""
    out = tmp_path_factory.mktemp("packed")
    subprocess.run([sys.executable, "-I", str(ROOT / "scripts" / "package"), str(out)], check=True)
    return out / "heroku"


@pytest.fixture(scope="module")
def npm_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What npx downloads, once for all tests."""
    return tmp_path_factory.mktemp("npm")


@pytest.fixture
def run(npm_cache: Path) -> Run:
    """Run a client in the working folder of the test."""

    def start(*words: object) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "npm_config_cache": str(npm_cache), "DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1", "CI": "1"}
        return subprocess.run(
            [*map(str, words)], text=True, capture_output=True, env=env, stdin=subprocess.DEVNULL, timeout=LIMIT_S, check=False
        )

    return start


def tool(name: str) -> str:
    """Find a client, or skip the test."""
    found = shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not installed here")
    return found


def skills(run: Run) -> list[str]:
    """Find a release of `skills` that runs on this Node, or skip the test."""
    npx, said = tool("npx"), ""
    for release in SKILLS:
        done = run(npx, "-y", release, "--version")
        if done.returncode == 0:
            return [npx, "-y", release]
        said = done.stderr.strip()[-300:]
    pytest.skip(f"npx cannot run skills: {said}")


def same(folder: Path, original: Path) -> bool:
    """Tell whether a copy has the parts that the skill runs by."""
    names = (
        "SKILL.md",
        "scripts/skill",
        "scripts/set-up",
        "requirements/run.txt",
        "skill/data/minilm/shard-0.bin",
        "actions/schema.json",
    )
    return all((folder / name).read_bytes() == (original / name).read_bytes() for name in names)


@pytest.mark.parametrize("source", ["clone", "packed"])
def test_npx_skills_add(source: str, request: pytest.FixtureRequest, run: Run) -> None:
    """`npx skills add` installs the skill whole, for Claude Code and for others, and it can be executed."""
    original = request.getfixturevalue(source)
    done = run(*skills(run), "add", original, "-y", "-a", "claude-code", "-a", "codex", "-a", "windsurf")
    assert done.returncode == 0, done.stdout + done.stderr
    for folder in (".agents/skills", ".claude/skills", ".windsurf/skills"):
        assert same(Path(folder, "heroku"), original), folder
        assert os.access(Path(folder, "heroku/scripts/skill"), os.X_OK)


def test_claude_code(clone: Path, run: Run) -> None:
    """Claude Code finds no fault with the marketplace, installs the plugin and sees one skill in it."""
    claude = tool("claude")
    for words in (
        ("validate", "--strict", clone),
        ("marketplace", "add", clone),
        ("install", "heroku@heroku-skill"),
    ):
        done = run(claude, "plugin", *words)
        assert done.returncode == 0, done.stdout + done.stderr
    details = run(claude, "plugin", "details", "heroku@heroku-skill").stdout
    assert "Skills (1)" in details
    (cached,) = Path.home().glob(f".claude/plugins/cache/heroku-skill/heroku/{__version__}")
    assert same(cached, clone)


def test_codex(clone: Path, run: Run) -> None:
    """Codex installs the plugin from the marketplace, and its model is told of the skill."""
    codex = tool("codex")
    for words in (("plugin", "marketplace", "add", clone), ("plugin", "add", "heroku@heroku-skill")):
        done = run(codex, *words)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "heroku:heroku: Operate Heroku" in run(codex, "debug", "prompt-input", "hello").stdout
    (cached,) = Path.home().glob(f".codex/plugins/cache/heroku-skill/heroku/{__version__}")
    assert same(cached, clone)


def test_gemini(clone: Path, run: Run) -> None:
    """Gemini CLI finds no fault with the extension, and installs the folder as a skill."""
    gemini = tool("gemini")
    done = run(gemini, "extensions", "validate", clone)
    assert done.returncode == 0, done.stdout + done.stderr
    done = run(gemini, "skills", "install", "--consent", clone)
    assert done.returncode == 0, done.stdout + done.stderr
    assert same(Path.home() / ".gemini/skills/heroku", clone)


def test_scanner_finds_nothing_high(packed: Path, run: Run) -> None:
    """A scanner of skills finds nothing high or critical in the folder."""
    done = run(tool("skill-scanner"), "scan", packed, "--format", "json")
    assert done.returncode in {0, 1}, done.stderr
    findings = json.loads(done.stdout[done.stdout.index("{") :])["findings"]
    assert [one for one in findings if one["severity"].upper() in {"HIGH", "CRITICAL"}] == []
