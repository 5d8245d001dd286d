"""The launcher, run as a user would run it, in copies of the folder with a lock that needs no network."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SH = shutil.which("sh") or "/bin/sh"
TOOLS = ["cat", "dirname", "grep", "id", "mkdir", "mktemp", "mv", "readlink", "rm", "sed", "sh", "sleep", "tail"]
REPLY = """
import json, os, sys

def main():
    program = os.environ.get("SKILL_PROGRAM")
    print(json.dumps({"argv": sys.argv, "path": sys.path, "program": program, "isolated": sys.flags.isolated}))
    sys.exit(0)
"""


def lock(content: str = "# no packages\n") -> str:
    return f"# digest: {hashlib.sha256(content.encode()).hexdigest()[:16]}\n{content}"


def folder(place: Path, content: str = "# no packages\n", cli: str = REPLY) -> Path:
    """Copy what the launcher needs, with a command line that only says how it was started."""
    shutil.copytree(ROOT / "scripts", place / "scripts")
    (place / "requirements").mkdir()
    (place / "requirements" / "run.txt").write_text(lock(content))
    (place / "skill" / "faces").mkdir(parents=True)
    (place / "skill" / "__init__.py").write_text('__version__ = "0.1.0"\n')
    (place / "skill" / "faces" / "__init__.py").touch()
    (place / "skill" / "faces" / "cli.py").write_text(cli)
    return place


def program(place: Path, name: str, text: str) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    (place / name).write_text(f"#!{SH}\n{text}\n")
    (place / name).chmod(0o755)
    return place


def tools(place: Path, python: str | None = f'exec "{Path(sys.executable).resolve()}" "$@"') -> Path:
    """Make a PATH of one folder: the ordinary tools, and a `python3` that runs what is given; no uv, no package manager."""
    place.mkdir(parents=True)
    for name in TOOLS:
        (place / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    return program(place, "python3", python) if python else place


def with_uv(place: Path) -> Path:
    """Add a `uv` that makes an environment without packages: what it takes is quick."""
    python = Path(sys.executable).resolve()
    make = f'for last; do :; done; exec "{python}" -I -m venv --without-pip "$last"'
    return program(place, "uv", f'case "$1" in venv) {make} ;; pip) ;; *) exit 1 ;; esac')


def environment(path: Path | str, cache: Path | str, **more: str) -> dict[str, str]:
    return {"PATH": str(path), "HOME": "/nowhere", "XDG_CACHE_HOME": str(cache), "PIP_CONFIG_FILE": os.devnull, **more}


def start(place: Path | str, env: dict[str, str], *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [SH, f"{place}/scripts/skill", *words]
    return subprocess.run(command, env=env, cwd=cwd, text=True, capture_output=True, timeout=120, check=False)


def told(done: subprocess.CompletedProcess[str]) -> str:
    """Give the one command that a failed start names."""
    assert done.stdout == ""
    (command,) = re.findall(r"^skill: run: (.+)$", done.stderr, re.MULTILINE)
    assert done.stderr.endswith(f"{command}\n")
    return command


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("my skills")


@pytest.fixture(scope="module")
def first(place):
    """The first start of a copy, every folder of it having a space in its name."""
    env = environment(tools(place / "the tools"), place / "the cache")
    return start(folder(place / "the folder"), env, "action", "a b", "", "*")


@pytest.fixture
def env(first, place):
    return environment("/nowhere", place / "the cache")


@pytest.mark.parametrize("name", ["run", "test"])
def test_digest_is_true(name):
    """The first line of each lock is the digest of all the others."""
    content = (ROOT / "requirements" / f"{name}.txt").read_bytes()
    head, _, rest = content.partition(b"\n")
    assert head.decode() == f"# digest: {hashlib.sha256(rest).hexdigest()[:16]}"


@pytest.mark.parametrize("name", ["run", "test"])
def test_lock_is_hashed_and_names_no_host(name):
    """Each package of a lock has a version and hashes, and no place to fetch it from is named."""
    content = (ROOT / "requirements" / f"{name}.txt").read_text()
    assert "://" not in content
    assert "index-url" not in content
    for package in re.findall(r"^\S.*(?:\n .*)*", re.sub(r"^#.*\n", "", content, flags=re.MULTILINE), re.MULTILINE):
        assert re.match(r"[a-z0-9-]+==\S+( ; .+)? \\\n    --hash=sha256:[0-9a-f]{64}", package)


def test_first_start_says_one_line_and_goes_on(first):
    """A first start sets up, says so in one line on stderr, and gives the command's own output."""
    assert (first.returncode, first.stderr.count("\n")) == (0, 1), first.stderr
    assert "setting up once" in first.stderr
    assert json.loads(first.stdout)["argv"][1:] == ["action", "a b", "", "*"]


def test_second_start_needs_no_program_but_python(env, place):
    """A second start is silent and works where PATH has neither pip nor uv nor anything else."""
    done = start(place / "the folder", env, "again")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["isolated"] == 1


def test_program_is_named_as_it_was_called(env, place):
    """The command line learns by which name it was called."""
    done = start(".", env, cwd=place / "the folder")
    assert json.loads(done.stdout)["program"] == "./scripts/skill"


def test_bare_name_gets_a_folder(env, place):
    """A launcher called without any folder names itself so that no other `skill` on PATH is meant."""
    command = [SH, "skill"]
    done = subprocess.run(command, env=env, cwd=place / "the folder/scripts", text=True, capture_output=True, check=True)
    assert json.loads(done.stdout)["program"] == "./skill"


def test_link_leads_to_the_folder(env, place, tmp_path):
    """A symbolic link to the launcher works from anywhere, also when it is a link to a link."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "near").symlink_to(os.path.relpath(place / "the folder/scripts/skill", tmp_path))
    (tmp_path / "scripts" / "skill").symlink_to("../near")
    done = start(tmp_path, {**env, "PATH": str(place / "the tools")})
    assert json.loads(done.stdout)["path"][0] == str(place / "the folder")


def test_nothing_is_written_into_the_folder(env, tmp_path):
    """A read-only copy works, for nothing is written into it; the byte code is kept in the cache."""
    copy = folder(tmp_path / "copy")
    before = sorted(copy.rglob("*"))
    for one in [copy, *before]:
        one.chmod(one.stat().st_mode & ~0o222)
    done = start(copy, env)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(copy.rglob("*")) == before
    assert any(copy.name in str(kept) for kept in Path(env["XDG_CACHE_HOME"]).rglob("pyc-0.1.0/**/cli.*.pyc"))


def test_working_directory_is_not_imported(env, place, tmp_path):
    """Modules that lie in the working directory or on PYTHONPATH are never imported."""
    for name in ("skill", "typer", "json", "os"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported from the working directory')\n")
    done = start(place / "the folder", {**env, "PYTHONPATH": str(tmp_path)}, cwd=tmp_path)
    assert done.returncode == 0
    assert str(tmp_path) not in json.loads(done.stdout)["path"]


def test_two_starts_at_once_end_well(tmp_path):
    """Of two first starts at once one sets up, the other waits for it, and both give their output."""
    copy, env = folder(tmp_path / "copy"), environment(with_uv(tools(tmp_path / "bin")), tmp_path / "cache")
    command = [SH, str(copy / "scripts/skill"), "x"]
    both = [subprocess.Popen(command, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    words = [one.communicate(timeout=120) for one in both]
    assert [one.returncode for one in both] == [0, 0], words
    assert [json.loads(out)["argv"][1:] for out, _ in words] == [["x"], ["x"]]
    assert sum("setting up once" in err for _, err in words) == 1
    assert len(list((tmp_path / "cache/heroku-skill").iterdir())) == 1


def test_no_secret_reaches_what_sets_up(tmp_path):
    """The programs that fetch and build packages find no secret of the user's in their environment; the program itself does."""
    path, seen = tools(tmp_path / "bin"), tmp_path / "seen"
    python = Path(sys.executable).resolve()
    make = f'for last; do :; done; exec "{python}" -I -m venv --without-pip "$last"'
    program(path, "uv", f'export -p >>"{seen}"; case "$1" in venv) {make} ;; pip) ;; *) exit 1 ;; esac')
    secrets = dict.fromkeys(("HEROKU_API_KEY", "HEROKU_API_TOKEN", "SKILL_OAUTH_CLIENT_SECRET"), "s3cret")
    cli = 'import os\n\ndef main():\n    print(os.environ["HEROKU_API_KEY"])\n'
    done = start(folder(tmp_path / "copy", cli=cli), environment(path, tmp_path / "cache", **secrets))
    assert (done.returncode, done.stdout) == (0, "s3cret\n"), done.stderr
    assert "HOME" in seen.read_text()
    assert "s3cret" not in seen.read_text()


def test_lock_of_a_dead_set_up_is_taken_over(tmp_path):
    """A set-up that was killed leaves a lock and half an environment, and neither is in the way of the next."""
    copy, cache = folder(tmp_path / "copy"), tmp_path / "cache"
    gone = subprocess.Popen([SH, "-c", ":"])
    gone.wait()
    made = cache / "heroku-skill" / lock().split()[2]
    (made.parent / f"{made.name}.{gone.pid}").mkdir(parents=True)
    made.with_name(f"{made.name}.lock").mkdir()
    made.with_name(f"{made.name}.lock").joinpath("pid").write_text(f"{gone.pid}\n")
    done = start(copy, environment(with_uv(tools(tmp_path / "bin")), cache))
    assert done.returncode == 0, done.stderr
    assert list(made.parent.iterdir()) == [made]


def test_environment_whose_python_is_gone_is_made_again(tmp_path):
    """An environment that lost its Python, by an upgrade for instance, is made again without a word from the user."""
    made = tmp_path / "cache/heroku-skill" / lock().split()[2]
    (made / "bin").mkdir(parents=True)
    (made / "bin/python").symlink_to("/nowhere/python3")
    done = start(folder(tmp_path / "copy"), environment(with_uv(tools(tmp_path / "bin")), tmp_path / "cache"))
    assert done.returncode == 0, done.stderr


def test_damaged_packages_are_made_again_once(tmp_path):
    """A package that cannot be imported has the environment made again, and only once."""
    copy = folder(tmp_path / "copy", cli="import nowhere_to_be_found")
    env = environment(with_uv(tools(tmp_path / "bin")), tmp_path / "cache")
    done = start(copy, env)
    assert done.returncode == 1
    assert done.stderr.count("setting up once") == 2
    assert "No module named 'nowhere_to_be_found'" in done.stderr


def test_pip_serves_where_uv_fails(tmp_path):
    """A uv that cannot install, for it does not know pip's settings, leaves the work to pip."""
    path = program(tools(tmp_path / "bin"), "uv", "exit 1")
    done = start(folder(tmp_path / "copy"), environment(path, tmp_path / "cache"))
    assert (done.returncode, done.stderr.count("\n")) == (0, 1), done.stderr


def test_too_old_python_gets_one_command(tmp_path):
    """Where the only Python is too old, its version and one command are shown, and the exit is 2."""
    path = program(tools(tmp_path / "bin", "echo 3.9"), "brew", "exit 1")
    done = start(folder(tmp_path / "copy"), environment(path, tmp_path / "cache"))
    assert done.returncode == 2
    assert "Python 3.9 is too old" in done.stderr
    assert told(done) == "brew install python@3.13"


def test_missing_python_gets_one_command(tmp_path):
    """Where there is no Python at all, one command for this system's package manager is shown, and the exit is 2."""
    path = program(tools(tmp_path / "bin", None), "id", "echo 1000")
    for name, text in {"apt-get": "exit 1", "apt-cache": '[ "$2" = python3.12 ]'}.items():
        program(path, name, text)
    done = start(folder(tmp_path / "copy"), environment(path, tmp_path / "cache"))
    assert done.returncode == 2
    assert told(done) == "sudo apt-get install -y python3.12 python3.12-venv"


def test_newer_python_beside_an_old_one_is_found(tmp_path):
    """A `python3` that is too old does not hide a newer one with a longer name."""
    path = tools(tmp_path / "bin")
    (path / "python3").rename(path / "python3.12")
    program(with_uv(path), "python3", "echo 3.9")
    assert start(folder(tmp_path / "copy"), environment(path, tmp_path / "cache")).returncode == 0


def test_named_python_must_fit(tmp_path):
    """A SKILL_PYTHON that does not fit is named, and never silently replaced."""
    env = environment(tools(tmp_path / "bin"), tmp_path / "cache", SKILL_PYTHON="/nowhere/python3")
    done = start(folder(tmp_path / "copy"), env)
    assert done.returncode == 2
    assert "/nowhere/python3" in done.stderr
    assert told(done).startswith("SKILL_PYTHON= ")


def test_missing_ensurepip_gets_one_command(tmp_path):
    """A Debian Python without its venv package gets the command that installs the package of the same version."""
    text = 'case "$*" in *"-m venv"*) echo "ensurepip is not available"; exit 1 ;; *) echo 3.11 ;; esac'
    path = program(tools(tmp_path / "bin", text), "apt-get", "exit 1")
    done = start(folder(tmp_path / "copy"), environment(path, tmp_path / "cache"))
    assert done.returncode == 2
    assert "ensurepip is not available" in done.stderr
    assert told(done).endswith("apt-get install -y python3.11-venv")


def test_no_network_is_exit_6(tmp_path):
    """Where the packages cannot be fetched, pip's last line and one command are shown, and nothing is left half made."""
    copy = folder(tmp_path / "my copy", f"certifi==2026.10.18 --hash=sha256:{'0' * 64}\n")
    unreachable = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1", "PIP_TIMEOUT": "1", "PIP_NO_CACHE_DIR": "1"}
    done = start(copy, environment(tools(tmp_path / "bin"), tmp_path / "cache", **unreachable))
    assert done.returncode == 6
    assert "No matching distribution found for certifi" in done.stderr
    assert told(done) == f"'{copy}/scripts/skill' doctor"
    assert [one.suffix for one in (tmp_path / "cache/heroku-skill").iterdir()] == [".log"]


def test_cache_that_cannot_be_written_gets_one_command(tmp_path):
    """Where the cache cannot be made, a command with a fresh cache folder is shown, and that command's folder is there."""
    (tmp_path / "file").touch()
    env = environment(tools(tmp_path / "bin"), tmp_path / "file/cache", TMPDIR=str(tmp_path))
    done = start(folder(tmp_path / "copy"), env)
    assert done.returncode == 2
    fresh, rest = told(done).removeprefix("XDG_CACHE_HOME=").split(" ", 1)
    assert rest == f"{tmp_path}/copy/scripts/skill doctor"
    assert Path(fresh).is_dir()


def test_lock_without_digest_is_refused(env, tmp_path):
    """A lock that does not begin with its digest is never taken for an environment's name."""
    copy = folder(tmp_path / "copy")
    (copy / "requirements/run.txt").write_text("numpy==2.4.6\n")
    done = start(copy, env)
    assert done.returncode == 2
    assert told(done)
