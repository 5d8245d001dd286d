"""What is published: a wheel and a source archive that carry what they need, and a repository small enough to copy."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MEGABYTE = 1 << 20
DEVELOPMENT = {"tests", "training", "evals", ".ci"}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build the source archive, and the wheel from it, as a publisher does."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, cwd=out, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="module")
def wheel(built):
    (path,) = built.glob("heroku_skill-*.whl")
    return path


@pytest.fixture(scope="module")
def names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def tracked():
    """List the size in bytes of each file of the repository."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, text=True, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout: nothing says which files are the repository's")
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return {str(path.relative_to(ROOT)): path.stat().st_size for path in paths if path.is_file()}


def below(folder: str) -> set[str]:
    """List the files below a folder, as a checkout has them."""
    files = (path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(ROOT).as_posix() for path in files}


def test_wheel_carries_the_actions(names):
    """Each file of actions/ is in the wheel, inside the package."""
    assert {f"skill/{name}" for name in below("actions")} <= names


def test_wheel_carries_the_package(names):
    """Each module, each file of data and the marker of typed packages is in the wheel."""
    assert below("skill") <= names
    assert "skill/py.typed" in names


def test_wheel_carries_the_data(names):
    """The encoder, the index and the catalog are in the wheel."""
    assert any(name.startswith("skill/data/") for name in names)


def test_wheel_carries_nothing_else(names):
    """What only developers need is not in the wheel, nor is any second package."""
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"skill"}
    assert not {part for name in names for part in name.split("/")} & DEVELOPMENT


def test_wheel_names_its_commands_and_licences(wheel):
    """Both commands lead to the same function, and the licences travel along."""
    with zipfile.ZipFile(wheel) as archive:
        (commands,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
        words = archive.read(commands).decode()
        licences = {Path(name).name for name in archive.namelist() if "/licenses/" in name}
    assert "skill = skill.faces.cli:main" in words.splitlines()
    assert "heroku-skill = skill.faces.cli:main" in words.splitlines()
    assert licences == {"LICENSE", "NOTICE"}


def test_wheel_and_source_archive_are_small(built):
    """The wheel and the source archive are below 40 MB each."""
    sizes = {path.name: path.stat().st_size for path in built.iterdir()}
    assert len(sizes) == 2
    assert all(size < 40 * MEGABYTE for size in sizes.values()), sizes


def test_source_archive_carries_no_development_data(built):
    """The source archive has the launcher and its lock, and neither tests nor training data."""
    (path,) = built.glob("heroku_skill-*.tar.gz")
    with tarfile.open(path) as archive:
        inside = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert {"scripts/skill", "scripts/set-up", "requirements/run.txt"} <= inside
    assert not {name.split("/")[0] for name in inside} & DEVELOPMENT


def test_every_file_of_the_repository_is_small(tracked):
    """No file is above 8 MB, since marketplaces refuse such."""
    assert not {name: size for name, size in tracked.items() if size > 8 * MEGABYTE}


def test_repository_is_small(tracked):
    """All files together are below 40 MB, since the strictest marketplace that takes a repository as it is refuses 50."""
    assert sum(tracked.values()) < 40 * MEGABYTE


def test_programs_can_be_run(tracked):
    """Each program without an ending in scripts/ may be executed."""
    programs = [name for name in tracked if name.startswith("scripts/") and "." not in name]
    assert [name for name in programs if not os.access(ROOT / name, os.X_OK)] == []
