"""Under load: long lists, many processes, many inputs; nothing lost, nothing torn, memory bounded."""

import json
import os
import resource
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytestmark = pytest.mark.load
ROOT = Path(__file__).resolve().parent.parent.parent
ITEMS, PAGE = 10_000, 1000


class Stand(BaseHTTPRequestHandler):
    """Answers /apps, and /big with more in each, with ten thousand apps in pages, anything else with one app."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):  # noqa: D102 - named by the library
        start = int(self.headers.get("Range", "0").strip("]").split(".")[0] or 0) if self.path in {"/apps", "/big"} else None
        fill = "x" * 2000 if self.path == "/big" else ""
        apps = [{"id": f"{place:08d}", "name": f"app-{place}{fill}"} for place in range(start or 0, (start or 0) + PAGE)]
        body = json.dumps(apps if start is not None else {"name": "example"}).encode()
        more = start is not None and start + PAGE < ITEMS
        self.send_response(206 if more else 200)
        if more:
            self.send_header("Next-Range", f"]{start + PAGE}..")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Stay quiet."""


@pytest.fixture(scope="module")
def port():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stand)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture
def skill(port, tmp_path):
    def run(*words, text=None):
        named = {
            "HOME": str(tmp_path),
            "HEROKU_HOST": f"http://127.0.0.1:{port}",
            "HEROKU_API_KEY": "load",
            "PYTHONPATH": str(ROOT),
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("HEROKU_", "SKILL_", "XDG_"))}
        command = [sys.executable, "-m", "skill", *words]
        return subprocess.run(command, env=kept | named, input=text, capture_output=True, text=True, check=False, cwd=tmp_path)

    return run


def test_a_list_of_ten_thousand_comes_whole(skill):
    """Ten pages of a thousand come in order, each item once, as lines."""
    done = skill("action", "run", "list-apps", "--format", "ndjson")
    assert done.returncode == 0
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [f"{place:08d}" for place in range(ITEMS)]


def test_memory_does_not_grow_with_the_list(port, tmp_path):
    """Written as lines, ten pages of two megabytes each take no more memory than two do, and a few more."""
    measured = "import resource, sys; from skill.faces.cli import run; run(sys.argv[1:]); "
    measured += "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)"
    named = {"HOME": str(tmp_path), "HEROKU_HOST": f"http://127.0.0.1:{port}", "HEROKU_API_KEY": "load", "PYTHONPATH": str(ROOT)}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HEROKU_", "SKILL_", "XDG_"))}

    def peak(*words):
        done = subprocess.run(
            [sys.executable, "-c", measured, "request", "/big", "--format", "ndjson", *words],
            env=kept | named,
            capture_output=True,
            text=True,
            check=True,
        )
        return len(done.stdout.splitlines()), int(done.stderr.splitlines()[-1])

    (few, small), (all_of_them, large) = peak("--limit", "2000"), peak()
    assert (few, all_of_them) == (2000, ITEMS)
    assert large - small < 15


def test_two_hundred_processes_lose_nothing(skill, tmp_path):
    """A hundred writes and a hundred searches side by side: every write is in the state and in the log, on whole lines."""

    def one(place):
        if place % 2:
            return skill("action", "list", "--intent", f"restart app number {place}", "--limit", "1")
        return skill("action", "run", "create-app", "--set", f"name=app-{place}", "--sandbox")

    skill("action", "run", "list-apps", "--sandbox")
    with ThreadPoolExecutor(20) as pool:
        done = list(pool.map(one, range(200)))
    assert [(place, one.stderr) for place, one in enumerate(done) if one.returncode] == []
    lines = (tmp_path / ".local/state/heroku-skill/audit.jsonl").read_text(encoding="utf-8").splitlines()
    outcomes = [json.loads(line)["outcome"] for line in lines]
    assert (outcomes.count("tried"), outcomes.count("done")) == (100, 100)
    apps = json.loads(skill("action", "run", "list-apps", "--sandbox", "--format", "json").stdout)["output"]
    assert {app["name"] for app in apps} >= {f"app-{place}" for place in range(0, 200, 2)}


def test_many_inputs_cost_a_twentieth(skill):
    """Five hundred reads in one process take at most a twentieth, each, of the time of a process for each."""
    skill("action", "run", "get-app", "--set", "app=one")
    begun = time.perf_counter()
    for _ in range(5):
        skill("action", "run", "get-app", "--set", "app=one")
    single = (time.perf_counter() - begun) / 5
    begun = time.perf_counter()
    done = skill(
        "action", "run", "get-app", "--each", "-", "--set-from", "app", text="\n".join(f"app-{place}" for place in range(500))
    )
    assert len(done.stdout.splitlines()) == 500
    assert (time.perf_counter() - begun) / 500 <= single / 20


def test_memory_does_not_grow_with_the_inputs(skill):
    """Five thousand inputs take no more than 150 MiB."""
    done = skill(
        "action", "run", "get-app", "--each", "-", "--set-from", "app", text="\n".join(f"app-{place}" for place in range(5000))
    )
    assert len(done.stdout.splitlines()) == 5000
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024 < 150
