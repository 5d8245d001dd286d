"""The marketplaces' own clients take this repository as a clone has it, each in a home of its own."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from skills_ref import validate

from skill import __version__
from tests.conftest import ROOT
from tests.market.registry import standing

pytestmark = pytest.mark.market

LIMIT_S = 300
# the newest, and the last known to run on Node 20
SKILLS = ("skills@latest", "skills@1.5.18")
# where the packages of a start are already; the tests' own homes have none
CACHE = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
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

    def start(*words: object, **more: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, **more, "npm_config_cache": str(npm_cache), "DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1", "CI": "1"}
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


def works(folder: Path, run: Run) -> bool:
    """Tell whether a copy starts, whatever became of its permissions, and searches by its encoder."""
    words = ("action", "list", "--intent", "restart the shop app", "--limit", "1")
    done = run("sh", folder / "scripts/skill", *words, XDG_CACHE_HOME=CACHE)
    return done.returncode == 0 and "restart" in json.loads(done.stdout)["items"][0]["key"] and "words alone" not in done.stderr


@pytest.mark.parametrize("source", ["clone", "packed"])
def test_npx_skills_add(source: str, request: pytest.FixtureRequest, run: Run) -> None:
    """`npx skills add` installs the skill whole, for Claude Code and for others, and it can be executed."""
    original = request.getfixturevalue(source)
    # other agents than Claude Code get a link where the project has their folder already
    Path(".windsurf").mkdir()
    done = run(*skills(run), "add", original, "-y", "-a", "claude-code", "-a", "codex", "-a", "windsurf")
    assert done.returncode == 0, done.stdout + done.stderr
    for folder in (".agents/skills", ".claude/skills", ".windsurf/skills"):
        assert same(Path(folder, "heroku"), original), folder
        assert os.access(Path(folder, "heroku/scripts/skill"), os.X_OK)
    assert works(Path(".claude/skills/heroku"), run)


def test_the_official_validator(packed: Path, clone: Path, tmp_path: Path) -> None:
    """The validator of the skill format accepts the packed folder, and a clone whose folder has the skill's name."""
    assert validate(packed) == []
    shutil.copytree(clone, tmp_path / "heroku")
    assert validate(tmp_path / "heroku") == []


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
    assert works(cached, run)


def test_codex(clone: Path, run: Run) -> None:
    """Codex installs the plugin from the marketplace, and its model is told of the skill."""
    codex = tool("codex")
    for words in (("plugin", "marketplace", "add", clone), ("plugin", "add", "heroku@heroku-skill")):
        done = run(codex, *words)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "heroku:heroku: Operate Heroku" in run(codex, "debug", "prompt-input", "hello").stdout
    (cached,) = Path.home().glob(f".codex/plugins/cache/heroku-skill/heroku/{__version__}")
    assert same(cached, clone)
    assert works(cached, run)


def test_gemini(clone: Path, run: Run) -> None:
    """Gemini CLI finds no fault with the extension, and installs the folder as a skill."""
    gemini = tool("gemini")
    done = run(gemini, "extensions", "validate", clone)
    assert done.returncode == 0, done.stdout + done.stderr
    done = run(gemini, "skills", "install", "--consent", clone)
    assert done.returncode == 0, done.stdout + done.stderr
    assert same(Path.home() / ".gemini/skills/heroku", clone)
    assert works(Path.home() / ".gemini/skills/heroku", run)


def test_gemini_extension(clone: Path, run: Run) -> None:
    """Gemini CLI installs the folder as an extension too, and gives SKILL.md as its context."""
    gemini = tool("gemini")
    # without this it asks whether the folder of the clone is trusted
    (Path.home() / ".gemini").mkdir()
    (Path.home() / ".gemini/settings.json").write_text('{"security": {"folderTrust": {"enabled": false}}}')
    done = run(gemini, "extensions", "install", "--consent", clone)
    assert done.returncode == 0, done.stdout + done.stderr
    listed = run(gemini, "extensions", "list")
    assert ".gemini/extensions/heroku/SKILL.md" in listed.stdout + listed.stderr


def test_clawhub(packed: Path, run: Run) -> None:
    """ClawHub's client publishes every byte of the packed folder to a stand-in of its registry, and installs it from there."""
    clawhub = tool("clawhub")
    if "--dry-run" not in run(clawhub, "skill", "publish", "--help").stdout:
        pytest.skip("this clawhub publishes text files alone: 0.23 or newer is needed")
    config = Path.home() / "clawhub.json"
    with standing() as registry:
        config.write_text(json.dumps({"registry": registry.url, "token": "clh_stand-in"}))
        env = {"CLAWHUB_CONFIG_PATH": str(config), "CLAWHUB_REGISTRY": registry.url, "CLAWHUB_DISABLE_TELEMETRY": "1"}
        words = ("skill", "publish", packed, "--slug", "heroku", "--version", __version__)
        for command in (words, ("install", "heroku")):
            done = run(clawhub, "--no-input", *command, **env)
            assert done.returncode == 0, done.stdout + done.stderr
    names = {path.relative_to(packed).as_posix() for path in packed.rglob("*") if path.is_file()}
    assert set(registry.files) == names
    assert same(Path("skills/heroku"), packed)
    # the archive keeps no permissions
    assert not os.access(Path("skills/heroku/scripts/skill"), os.X_OK)
    assert works(Path("skills/heroku"), run)


def test_openclaw(packed: Path, run: Run) -> None:
    """OpenClaw reads the requirements in SKILL.md, finds them met on this machine, and shows the skill to its model."""
    openclaw = tool("openclaw")
    shutil.copytree(packed, Path.home() / ".openclaw/skills/heroku")
    listed = run(openclaw, "skills", "list", "--json")
    if listed.returncode:
        pytest.skip(f"openclaw does not run here: {listed.stderr.strip()[-300:]}")
    found = next(one for one in json.loads(listed.stdout)["skills"] if one["name"] == "heroku")
    assert (found["eligible"], found["modelVisible"]) == (True, True), found
    assert not any(found["missing"].values())
    told = run(openclaw, "skills", "info", "heroku").stdout
    assert "sh" in told
    assert "python3.11" in told


def test_scanner_finds_nothing_high(packed: Path, run: Run) -> None:
    """A scanner of skills finds nothing high or critical in the folder."""
    done = run(tool("skill-scanner"), "scan", packed, "--format", "json")
    assert done.returncode in {0, 1}, done.stderr
    findings = json.loads(done.stdout[done.stdout.index("{") :])["findings"]
    assert [one for one in findings if one["severity"].upper() in {"HIGH", "CRITICAL"}] == []
