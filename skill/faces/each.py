"""`--each`: one action or request for many inputs, side by side over one pool of connections, a result line each."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote
from typing import Any

from skill.app import Skill
from skill.faces.ending import bug_of
from skill.faces.given import LARGEST, typed
from skill.faces.journal import Journal
from skill.faces.order import How, Maker, Order, planned
from skill.faces.output import chosen
from skill.faces.printing import compact, note, with_program
from skill.faces.progress import Progress
from skill.faults import BadInput, Fault, NeedsConfirmation, Step, Unknown
from skill.schema import parse
from skill.shape import show_plan
from skill.types import Json, Result

Line = dict[str, Json]


@dataclass(slots=True)
class Many:
    """What many runs share: how each is planned, what was asked for, and where finished ones are noted."""

    skill: Skill
    maker: Maker
    how: How
    journal: Journal
    failed: int = 0
    done: int = 0

    def given(self, line: str) -> dict[str, Json]:
        """Read the input of a line.

        Raises:
            BadInput: it is none.
        """
        value = _json_or_text(line)
        if isinstance(value, dict):
            _refuse_failure(value)
            return value
        name = self.how.set_from
        if name is None:
            raise BadInput("this line is no JSON object", hint="--set-from NAME puts plain lines into the input NAME")
        return {name: typed(value, self.maker.inputs.get(name, {})) if isinstance(value, str) else value}

    def one(self, index: int, given: dict[str, Json] | Fault, mark: str) -> Line | None:
        """Run one input; give its result line, None where an earlier run has done it."""
        if isinstance(given, Fault):
            return self._told(index, given)
        try:
            if self.journal.over.get(mark) == "done":
                return None
            turn = self.skill.turn()
            if self.how.dry_run:
                order = self.maker.make(turn, given, rehearse=True)
                return {"index": index, "dryRun": True, "plan": show_plan(order.plan, turn.options.reveal)}
            return {"index": index, **chosen(self._run(turn, given, mark), turn.options)}
        except Fault as fault:
            return self._told(index, fault)
        except Exception as bug:  # noqa: BLE001 - a bug that one input meets must not hide what became of the others
            return self._told(index, bug_of(bug, self.skill.options))

    def _told(self, index: int, fault: Fault) -> Line:
        fault.next = with_program(fault.next, self.skill.options.program)
        return {"index": index, "error": fault.as_json(), "exit": fault.exit}

    def _run(self, turn: Skill, given: dict[str, Json], mark: str) -> Result:
        order = planned(turn, self.maker, given)
        if isinstance(order, Result):
            self.journal.add(mark, "done")
            return order
        if order.plan.risk != "read":
            self._begin(turn, order, mark)
        # what destroys many things was confirmed once for all of them
        plan = replace(order.plan, confirmation=None) if self.how.confirm == self.maker.word else order.plan
        try:
            result = turn.run(plan, order.given, None, order.again)
        except Fault as fault:
            self.journal.add(mark, "unknown" if isinstance(fault, Unknown) else "failed")
            raise
        self.journal.add(mark, "done")
        for warning in result.warnings:
            self.skill.once(f"warning: {warning}")
        return result

    def _begin(self, turn: Skill, order: Order, mark: str) -> None:
        if mark in self.journal.over:
            look = turn.runner.ways(order.plan, order.given).look()
            raise Unknown(
                "an earlier run began this one; whether it was done is unknown",
                hint="look, then run it by itself if it was not",
                next=[look] if look else [],
            )
        self.journal.add(mark, "begun")


def run_each(skill: Skill, maker: Maker, how: How) -> int:
    """Run it for every line of a file or of standard input, and print a result line for each as it comes.

    Returns:
        The exit code: 1 where any failed.

    Raises:
        Fault: nothing was begun.
    """
    if maker.risky and how.confirm != maker.word and not how.dry_run:
        command = f"{maker.again(skill)}{_flags(how)} --confirm {maker.word}"
        step = Step(command, "run it, once a person has agreed to all of them")
        hint = "ask the person who owns them"
        raise NeedsConfirmation(f"this destroys many things: it needs --confirm {maker.word}", hint=hint, next=[step])
    source, total = str(how.each), None
    if source != "-":
        total = sum(1 for _ in _lines(source))
    # made before the threads begin, which share them
    skill.runner  # noqa: B018 - the same
    if not how.dry_run:
        skill.sign_in(*maker.signed)
        skill.delivery  # noqa: B018 - the same
    journal = Journal(Path(how.resume) if how.resume and not how.dry_run else None).open()
    many = Many(skill, maker, how, journal)
    with Progress(quiet=sys.stdout.isatty()) as progress:
        try:
            for line in _results(many, _lines(source)):
                progress.inputs(many.done, many.failed, total)
                if line is not None:
                    print(compact(line), flush=True)
        finally:
            journal.close()
    note(f"{many.done} done, {many.failed} failed")
    return 1 if many.failed else 0


def _results(many: Many, lines: Iterable[str]) -> Iterator[Line | None]:
    """Give results as they come; only a few inputs are read ahead, so that memory does not grow with their number."""
    waiting: set[Future[Line | None]] = set()
    jobs = many.how.jobs
    pool = ThreadPoolExecutor(max_workers=jobs)
    try:
        for index, line in enumerate(lines):
            waiting.add(pool.submit(many.one, index, *_read(many, line)))
            if len(waiting) >= 2 * jobs:
                ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from _counted(ready, many)
        while waiting:
            ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            yield from _counted(ready, many)
    except BaseException as why:
        _end(pool, why)
        raise
    pool.shutdown()


def _read(many: Many, line: str) -> tuple[dict[str, Json] | Fault, str]:
    """Read a line here, in order, so that like inputs are told apart the same way each time."""
    try:
        given = many.given(line)
        return given, many.journal.mark(many.maker.identity, given)
    except Fault as fault:
        return fault, ""


def _end(pool: ThreadPoolExecutor, why: BaseException) -> None:
    """Begin nothing more and let what is under way end, so that its outcome is noted; a second interruption ends at once."""
    try:
        pool.shutdown(wait=False, cancel_futures=True)
        if isinstance(why, KeyboardInterrupt):
            note("waiting for what is under way; a second interruption does not")
        pool.shutdown(wait=True)
    except KeyboardInterrupt:
        note("interrupted again: what was under way may have been done, see `log`")
        sys.stdout.flush()
        os._exit(130)


def _counted(ready: Iterable[Future[Line | None]], many: Many) -> Iterator[Line | None]:
    for future in ready:
        line = future.result()
        many.failed += int(line is not None and "error" in line)
        many.done += int(line is None or "error" not in line)
        yield line


def _lines(source: str) -> Iterator[str]:
    if source == "-":
        if sys.stdin is None:
            raise BadInput("--each: standard input is closed", code="no_such_file", hint="give --each @FILE")
        # whatever cannot be read as text is refused where it is used
        for content in sys.stdin.buffer:
            if line := content.decode("utf-8", "surrogateescape").strip():
                yield line
        return
    name = source.removeprefix("@")
    try:
        with open(name, encoding="utf-8") as file:
            yield from (line.strip() for line in file if line.strip())
    except (OSError, ValueError) as wrong:
        reason = wrong.strerror if isinstance(wrong, OSError) else "it is no text"
        raise BadInput(f"--each: cannot read {name!r}: {reason}", code="no_such_file", hint="--each @FILE or --each -") from None


def _json_or_text(line: str) -> Any:
    if not line.startswith(("{", '"', "[")) or len(line) > LARGEST:
        return line
    try:
        return parse(line.encode("utf-8", "surrogatepass"))
    except ValueError:
        return line


def _refuse_failure(value: Mapping[str, Any]) -> None:
    """Refuse what a failed command before this one in a pipe printed: it is no input."""
    error = value.get("error")
    if isinstance(error, dict) and {"code", "message"} <= set(error):
        raise BadInput("this line is the failure of the command before: it is no input", hint="mend that command first")


def _flags(how: How) -> str:
    values = {"--each": how.each, "--set-from": how.set_from, "--resume": how.resume}
    words = [word for name, value in values.items() if value is not None for word in (name, value)]
    return "".join(f" {quote(word)}" for word in words) + ("" if how.jobs == How().jobs else f" --jobs {how.jobs}")
