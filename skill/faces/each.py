"""`action run KEY --each`: one action for many inputs, side by side over one pool of connections, a result line each."""

import json
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, TextIO

from skill.app import Skill
from skill.faces.given import typed
from skill.faces.output import envelope
from skill.faces.printing import note
from skill.faults import BadInput, Fault, NeedsConfirmation, Step, Unknown
from skill.select import pick, query
from skill.types import Action, Json

DEFAULT_JOBS = 8
# an input that was begun and not ended may have been done: it is never begun again
_OVER = frozenset({"done", "unknown", "begun"})


@dataclass(slots=True)
class Many:
    """What many runs share: the action, what every input has, and where finished ones are noted."""

    skill: Skill
    action: Action
    base: Mapping[str, Json]
    set_from: str | None
    confirmed: bool
    journal: "Journal"
    failed: int = 0
    done: int = 0

    def one(self, index: int, line: str) -> dict[str, Json] | None:
        """Run one input; give its result line, None where an earlier run has done it."""
        try:
            given = self._input(line)
            mark = _mark(index, self.action.key, given)
            begun = self.journal.over.get(mark)
            if begun == "done":
                return None
            if begun is not None and self.action.risk != "read":
                raise Unknown("an earlier run began this one; whether it was done is unknown", hint="look, then run it by itself")
            return self._run(index, given, mark)
        except Fault as fault:
            return {"index": index, "error": fault.as_json(), "exit": fault.exit}

    def _run(self, index: int, given: dict[str, Json], mark: str) -> dict[str, Json]:
        plan, whole = self.skill.plan(self.action.key, given)
        plan = replace(plan, confirmation=None) if self.confirmed else plan
        if self.action.risk != "read":
            self.journal.add(mark, "begun")
        try:
            result = self.skill.run(plan, whole, None, self.skill.command(self.action.key, whole))
        except Fault as fault:
            self.journal.add(mark, "unknown" if isinstance(fault, Unknown) else "failed")
            raise
        self.journal.add(mark, "done")
        options = self.skill.options
        output = pick(result.output, options.fields) if options.fields else result.output
        if options.jq:
            answers = query(output, options.jq)
            output = answers[0] if len(answers) == 1 else answers
        return {"index": index, **envelope(result._replace(output=output), options.program)}

    def _input(self, line: str) -> dict[str, Json]:
        value = _json_or_text(line)
        if isinstance(value, dict):
            return {**self.base, **value}
        if self.set_from is None:
            raise BadInput("this line is no JSON object", hint="--set-from NAME puts plain lines into the input NAME")
        node = self.action.input["properties"].get(self.set_from, {})
        return {**self.base, self.set_from: typed(value, node) if isinstance(value, str) else value}


@dataclass(slots=True)
class Journal:
    """Notes which inputs are begun and done, so that an interrupted run can go on; without a path it notes nothing."""

    path: Path | None
    over: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _file: TextIO | None = None

    def open(self) -> "Journal":
        """Read what is there, and open it for more.

        Raises:
            BadInput: it cannot be read or written.
        """
        if self.path is None:
            return self
        try:
            if self.path.is_file():
                self._read(self.path.read_text(encoding="utf-8", errors="replace"))
            self._file = open(self.path, "a", encoding="utf-8")  # noqa: SIM115 - it stays open as long as the run
        except OSError as wrong:
            raise BadInput(f"--resume {str(self.path)!r}: {wrong.strerror}", hint="name a file that may be written") from None
        return self

    def add(self, mark: str, outcome: str) -> None:
        """Note an outcome at once: a crash after this line does not lose it."""
        with self._lock:
            if self._file is not None:
                self._file.write(json.dumps({"mark": mark, "outcome": outcome}) + "\n")
                self._file.flush()

    def _read(self, text: str) -> None:
        for line in text.splitlines():
            try:
                entry = json.loads(line)
                self.over[entry["mark"]] = entry["outcome"]
            except (ValueError, KeyError, TypeError):
                continue
        self.over = {mark: outcome for mark, outcome in self.over.items() if outcome in _OVER}
        if text and not text.endswith("\n") and self.path is not None:
            self.path.write_text(text + "\n", encoding="utf-8")


def run_each(
    skill: Skill,
    action: Action,
    source: str,
    base: Mapping[str, Json],
    set_from: str | None,
    confirm: str | None,
    jobs: int,
    resume: str | None,
) -> int:
    """Run an action for every line of a file or of standard input, and print a result line for each as it comes.

    Returns:
        The exit code: 1 where any failed.

    Raises:
        Fault: nothing was begun.
    """
    if action.risk == "destroy" and confirm != action.key:
        step = Step(
            f"action run {action.key} --each {source} --confirm {action.key}", "run it, once a person has agreed to all of them"
        )
        raise NeedsConfirmation(
            f"this destroys many things: it needs --confirm {action.key}", hint="ask the person who owns them", next=[step]
        )
    many = Many(skill, action, base, set_from, action.risk == "destroy", Journal(Path(resume) if resume else None).open())
    skill.runner  # noqa: B018 - made before the threads begin, which share it
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        try:
            for line in _results(pool, many, _lines(source), jobs):
                print(json.dumps(line, ensure_ascii=False, separators=(",", ":")), flush=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    if sys.stderr.isatty():
        print(file=sys.stderr)
    note(f"{many.done} done, {many.failed} failed")
    return 1 if many.failed else 0


def _results(pool: ThreadPoolExecutor, many: Many, lines: Iterable[str], jobs: int) -> Iterator[dict[str, Json]]:
    """Give results as they come; only a few inputs are read ahead, so that memory does not grow with their number."""
    waiting: set[Future[dict[str, Json] | None]] = set()
    for index, line in enumerate(lines):
        waiting.add(pool.submit(many.one, index, line))
        if len(waiting) >= 2 * jobs:
            ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            yield from _told(ready, many)
    while waiting:
        ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        yield from _told(ready, many)


def _told(ready: Iterable[Future[dict[str, Json] | None]], many: Many) -> Iterator[dict[str, Json]]:
    for future in ready:
        line = future.result()
        many.failed += int(line is not None and "error" in line)
        many.done += int(line is None or "error" not in line)
        if sys.stderr.isatty():
            print(f"\r{many.done} done, {many.failed} failed", end="", file=sys.stderr, flush=True)
        if line is not None:
            yield line


def _lines(source: str) -> Iterator[str]:
    if source == "-":
        yield from (line.strip() for line in sys.stdin if line.strip())
        return
    name = source.removeprefix("@")
    try:
        with open(name, encoding="utf-8") as file:
            yield from (line.strip() for line in file if line.strip())
    except (OSError, ValueError) as wrong:
        reason = wrong.strerror if isinstance(wrong, OSError) else "it is no text"
        raise BadInput(f"--each: cannot read {name!r}: {reason}", code="no_such_file", hint="--each @FILE or --each -") from None


def _json_or_text(line: str) -> Any:
    if not line.startswith(("{", '"', "[")):
        return line
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return line


def _mark(index: int, key: str, given: Mapping[str, Json]) -> str:
    return sha256(json.dumps([index, key, given], sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()[:32]
