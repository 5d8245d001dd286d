"""The skill folder: what it holds, how it is packed, and how `install` and `uninstall` treat what is already there."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from skills_ref import validate

from skill import __version__
from skill.faces.folder import BESIDE, PROGRAMS, contents
from skill.faces.install import FOLDERS, MARK, _inside
from tests.conftest import ROOT, Cli

MEGABYTE = 1_000_000
PACKAGE = [sys.executable, "-I", str(ROOT / "scripts" / "package")]


def below(folder: Path) -> dict[str, bytes]:
    """Read every file of a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def pack(*words: object) -> subprocess.CompletedProcess[str]:
    """Run the program that packs the folder."""
    return subprocess.run([*PACKAGE, *map(str, words)], text=True, capture_output=True, check=False)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder, packed once."""
    out = tmp_path_factory.mktemp("packed")
    assert pack(out).returncode == 0
    return out / "heroku"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Path]:
    """A folder of three files in place of the whole, so that copies cost nothing."""
    files = {}
    for name in ("SKILL.md", "scripts/skill", "skill/deep/one.py"):
        files[name] = tmp_path / "source" / name
        files[name].parent.mkdir(parents=True, exist_ok=True)
        files[name].write_text(name, encoding="utf-8")
    monkeypatch.setattr("skill.faces.install.contents", lambda: files)
    return files


def test_it_holds_what_the_skill_needs_and_nothing_else(packed: Path) -> None:
    """The folder has the program, its actions, its lock and its words; no tests, training, documents or byte code."""
    names = set(below(packed))
    assert set(BESIDE) <= names
    assert {name.split("/")[0] for name in names} == {
        "LICENSE",
        "NOTICE",
        "SKILL.md",
        "actions",
        "requirements",
        "scripts",
        "skill",
    }
    assert {"actions/schema.json", "skill/faces/cli.py", "skill/data/minilm/meta.json"} <= names
    assert not [name for name in names if "__pycache__" in name or name.endswith((".pyc", "metadata.json"))]
    assert not [name for name in names if any(part.startswith(".") for part in name.split("/"))]


def test_it_is_small(packed: Path) -> None:
    """The folder is below 30 MB, and each file at most 8 MB."""
    sizes = {name: len(data) for name, data in below(packed).items()}
    assert sum(sizes.values()) < 30 * MEGABYTE, f"{sum(sizes.values()) / MEGABYTE:.1f} MB"
    assert max(sizes.values()) <= 8 * MEGABYTE, max(sizes, key=lambda name: sizes[name])


def test_it_is_a_valid_skill(packed: Path) -> None:
    """The official validator accepts the folder."""
    assert validate(packed) == []


def test_its_programs_may_be_executed(packed: Path) -> None:
    """The programs of the folder, and no other file, may be executed."""
    assert {name for name in below(packed) if os.access(packed / name, os.X_OK)} == set(PROGRAMS)


def test_it_runs(packed: Path) -> None:
    """The copied program starts, finds its data, and writes nothing into its folder."""
    before = below(packed)
    code = "import sys; sys.path.insert(0, sys.argv.pop(1)); from skill.faces.cli import main; main()"
    command = [sys.executable, "-I", "-B", "-c", code, str(packed), "action", "show", "get-app"]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    assert (done.returncode, json.loads(done.stdout)["key"]) == (0, "get-app")
    assert below(packed) == before


@pytest.mark.market
def test_it_works_alone(packed: Path, tmp_path: Path) -> None:
    """Copied alone, with an empty home, it sets itself up and does the main job, and its own folder stays as it was."""
    folder, empty = tmp_path / "heroku", tmp_path / "empty"
    shutil.copytree(packed, folder)
    empty.mkdir()
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "HTTPS_PROXY", "PATH"))}
    done = subprocess.run(
        [folder / "scripts/skill", "demo"],
        env={**kept, "HOME": str(empty)},
        cwd=empty,
        text=True,
        capture_output=True,
        check=False,
    )
    if done.returncode == 6:
        pytest.skip(f"the package registry cannot be reached: {done.stderr.strip()[-200:]}")
    assert (done.returncode, "update-formation" in done.stdout) == (0, True), done.stderr
    assert below(folder) == below(packed)
    assert (empty / ".cache" / "heroku-skill").is_dir()
    assert not (empty / ".config").exists()


def test_what_is_too_large_is_refused(tmp_path: Path) -> None:
    """A file above 8 MB, or 30 MB in all, is named and nothing is written: exit 1."""
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("LICENSE", "NOTICE", "SKILL.md", "requirements", "scripts", "actions", "skill"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, copy / name)
    for number, size in ((0, 9), (1, 7)):
        with open(copy / f"skill/data/more-{number}.bin", "wb") as file:
            file.truncate(size * MEGABYTE)
    command = [sys.executable, "-I", str(copy / "scripts/package"), str(tmp_path / "out")]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    assert (done.returncode, (tmp_path / "out").exists()) == (1, False)
    assert "more-0.bin has" in done.stderr
    assert "all files have" in done.stderr


def test_an_archive_is_the_same_each_time(packed: Path, tmp_path: Path) -> None:
    """Two archives are equal to the byte, and hold the folder in the order of its names."""
    for out in ("one", "two"):
        assert pack("--zip", tmp_path / out).returncode == 0
    one, two = ((tmp_path / out / "heroku.zip").read_bytes() for out in ("one", "two"))
    assert one == two
    with zipfile.ZipFile(tmp_path / "one" / "heroku.zip") as archive:
        assert archive.namelist() == [f"heroku/{name}" for name in contents()]
        assert archive.getinfo("heroku/scripts/skill").external_attr >> 16 & 0o777 == 0o755


def test_nothing_is_packed_over(packed: Path) -> None:
    """A folder that is there already is left as it is."""
    done = pack(packed.parent)
    assert done.returncode == 2
    assert "File exists" in done.stderr


@pytest.mark.parametrize("everywhere", [False, True])
def test_install_copies_the_folder(small: dict[str, Path], cli: Cli, home: Path, everywhere: bool) -> None:
    """Both folders get every file, below the working folder or below the home."""
    words = ("--global",) if everywhere else ()
    done = cli("install", *words)
    base = home if everywhere else home / "here"
    assert (done.code, done.json["folders"]) == (0, [str(base / name) for name in FOLDERS])
    for name in FOLDERS:
        found = below(base / name)
        assert json.loads(found.pop(MARK))["version"] == __version__
        assert found == {file: file.encode() for file in small}
        assert os.access(base / name / "scripts/skill", os.X_OK)


def test_install_says_how_other_agents_get_it(small: dict[str, Path], cli: Cli) -> None:
    """The command for other agents names the folder that was written."""
    done = cli("install").json
    assert done["otherAgents"] == f"npx skills add {done['folders'][0]} --agent NAME"


def test_print_writes_nothing(small: dict[str, Path], cli: Cli, home: Path) -> None:
    """With --print the folders are named and none is made."""
    assert cli("install", "--print").json["dryRun"] is True
    assert list((home / "here").iterdir()) == []


def test_install_again_brings_what_is_new(small: dict[str, Path], cli: Cli, home: Path) -> None:
    """A second time replaces what changed and removes what is gone; the user's own file stays."""
    folder = home / "here" / FOLDERS[0]
    cli("install")
    (folder / "mine.txt").write_text("mine")
    small["SKILL.md"].write_text("newer")
    del small["skill/deep/one.py"]
    assert cli("install").code == 0
    found = below(folder)
    assert json.loads(found.pop(MARK))["files"] == sorted(small)
    assert found == {"SKILL.md": b"newer", "mine.txt": b"mine", "scripts/skill": b"scripts/skill"}
    assert not (folder / "skill").exists()


@pytest.mark.parametrize("name", FOLDERS)
@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_what_is_not_ours_is_never_overwritten(small: dict[str, Path], cli: Cli, home: Path, name: str, kind: str) -> None:
    """Anything else of that name stops the installation before a file is written, and the hint is the command that helps."""
    theirs = home / "here" / name
    theirs.parent.mkdir(parents=True)
    if kind == "folder":
        theirs.mkdir()
        (theirs / "SKILL.md").write_text("theirs")
    elif kind == "file":
        theirs.write_text("theirs")
    else:
        theirs.symlink_to(home)
    done = cli("install")
    assert (done.code, done.error["code"]) == (2, "not_ours")
    subprocess.run(done.error["hint"].partition("install again: ")[2], shell=True, check=True)
    assert cli("install").code == 0
    assert os.path.lexists(theirs.parent.parent / "heroku.before")


def test_uninstall_leaves_no_trace(small: dict[str, Path], cli: Cli, home: Path) -> None:
    """What was installed is gone, with the folders made for it; a second time finds nothing."""
    (home / "here" / ".claude").mkdir()
    cli("install")
    assert len(cli("uninstall").json["removed"]) == 2
    assert [path.name for path in (home / "here").rglob("*")] == [".claude"]
    assert cli("uninstall").json == {"removed": [], "left": []}


def test_uninstall_leaves_what_it_did_not_write(small: dict[str, Path], cli: Cli, home: Path) -> None:
    """A user's file inside the folder stays, and so does a folder that came in another way."""
    ours, theirs = (home / "here" / name for name in FOLDERS)
    cli("install")
    (ours / "mine.txt").write_text("mine")
    (theirs / MARK).unlink()
    done = cli("uninstall").json
    assert done == {"removed": [str(ours)], "left": [str(ours), str(theirs)]}
    assert below(ours) == {"mine.txt": b"mine"}
    assert below(theirs) == {file: file.encode() for file in small}


def test_uninstall_of_one_place_leaves_the_other(small: dict[str, Path], cli: Cli, home: Path) -> None:
    """--global removes nothing from the project."""
    cli("install")
    assert cli("uninstall", "--global").json["removed"] == []
    assert (home / "here" / FOLDERS[0] / "SKILL.md").exists()


def test_a_mark_cannot_name_files_outside(small: dict[str, Path], cli: Cli, home: Path) -> None:
    """A mark that came with somebody's project removes nothing beyond its folder, not through a link either."""
    outside = home / "here" / "precious.txt"
    outside.write_text("precious")
    folder = home / "here" / FOLDERS[0]
    folder.mkdir(parents=True)
    (folder / "way").symlink_to(home / "here")
    files = ["../../../precious.txt", str(outside), "way/precious.txt", "", "."]
    (folder / MARK).write_text(json.dumps({"files": files, "made": 9}))
    assert cli("uninstall").code == 0
    assert outside.read_text() == "precious"


def test_nothing_is_written_through_a_link(small: dict[str, Path], cli: Cli, home: Path) -> None:
    """A link inside a folder that bears our mark does not lead the copy astray."""
    folder = home / "here" / FOLDERS[0]
    folder.mkdir(parents=True)
    (home / "elsewhere").mkdir()
    (folder / "scripts").symlink_to(home / "elsewhere")
    (folder / MARK).write_text(json.dumps({"files": [], "made": 0}))
    done = cli("install")
    assert (done.code, done.error["code"]) == (2, "not_ours")
    assert list((home / "elsewhere").iterdir()) == []


@given(st.lists(st.sampled_from(["..", ".", "", "a", "b.py", "\0", "~", "/"]), max_size=5).map("/".join))
def test_a_name_stays_inside(name: str) -> None:
    """Whatever a mark names, the file is inside the folder, or there is none."""
    folder = ROOT / "not-there"
    path = _inside(folder, name)
    assert path is None or folder in Path(os.path.normpath(path)).parents


def test_linked_folders_are_written_once(small: dict[str, Path], cli: Cli, home: Path) -> None:
    """Where .claude/skills is a link to .agents/skills there is one copy."""
    (home / "here/.agents/skills").mkdir(parents=True)
    (home / "here/.claude").mkdir()
    (home / "here/.claude/skills").symlink_to("../.agents/skills")
    assert cli("install").json["folders"] == [str(home / "here" / FOLDERS[0])]
    assert cli("uninstall").json["removed"] == [str(home / "here" / FOLDERS[0])]
