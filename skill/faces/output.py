"""Print the result of a run as the caller wants it: the envelope, fields, a query, lines, a table, CSV; cut if too long."""

import csv
import io
import json
import os
import sys
from typing import Any

from skill import places
from skill.faces.printing import compact, dump, note, print_value, wants_json
from skill.plan import MASK
from skill.select import fit, pick, query, size, summarise
from skill.shape import SECRET_HEADERS, mask_text, plain, plain_lines, table
from skill.types import Json, Options, Result, Schema

# set by the harnesses of agents for the commands that they run
AGENTS = (
    "AI_AGENT",
    "CLAUDECODE",
    "CLAUDE_CODE",
    "CODEX_SANDBOX",
    "CODEX_THREAD_ID",
    "CURSOR_AGENT",
    "GEMINI_CLI",
    "OPENCODE",
    "OPENCLAW_SHELL",
)
AGENT_BYTES = 24_000


def streams(options: Options) -> bool:
    """Tell whether items are printed as they come: memory does not grow with the list then."""
    return options.format == "ndjson" and not options.jq and not options.max_bytes


def print_item(items: list[Any], options: Options) -> None:
    """Print items of a stream, a line each."""
    for item in pick(items, options.fields) if options.fields else items:
        dump(item)


def check_selection(options: Options, schema: Schema | None) -> None:
    """Refuse a selection that cannot be, before anything is sent.

    Raises:
        BadInput: a field that there is not, or a query that cannot be read.
    """
    from skill.select import check_fields, check_query

    if options.fields:
        check_fields(options.fields, schema)
    if options.jq:
        check_query(options.jq)


def print_result(result: Result, options: Options, *, streamed: bool = False) -> None:
    """Print what a run gave.

    Args:
        streamed: its items have been printed as they came.

    Raises:
        BadInput: the query does not fit the output.
    """
    for warning in result.warnings:
        note(f"warning: {warning}")
    if options.fields:
        result = result._replace(output=pick(result.output, options.fields))
    if streamed or options.jq or options.format in _FORMATS:
        text = "" if streamed else _answers(result, options) if options.jq else _FORMATS[str(options.format)](result, options)
        _print_text(text, result, options)
        _tell_part(result, options)
    elif options.format == "json" or wants_json(options):
        dump(_cut(result, options))
    else:
        print_value(result.output)
        _tell_part(result, options)
        if result.sandbox:
            note("(sandbox: nothing real was changed)")


def chosen(result: Result, options: Options) -> dict[str, Json]:
    """Give the envelope of one of many runs, with what was chosen of its output.

    Raises:
        BadInput: the query does not fit the output.
    """
    output = pick(result.output, options.fields) if options.fields else result.output
    if options.jq:
        answers = query(output, options.jq)
        output = answers[0] if len(answers) == 1 else answers
    return _cut(result._replace(output=output), options, many=True)


def envelope(result: Result, program: str) -> dict[str, Json]:
    """Give a result in the envelope that programs read."""
    whole: dict[str, Json] = {"output": result.output}
    if result.page:
        whole["page"] = {**result.page, "next": f"{program} {result.page['next']}" if result.page.get("next") else None}
    if result.warnings:
        whole["warnings"] = list(result.warnings)
    if result.sandbox:
        whole["sandbox"] = True
    if result.converged:
        whole["converged"] = result.converged
    return {**whole, "actionRunId": result.run_id}


def print_included(result: Result, options: Options) -> None:
    """Print what a run gave with the head of the reply, secrets masked."""
    assert result.reply is not None  # noqa: S101 - the caller has looked
    reply = result.reply
    headers = {
        name: MASK if any(word in name for word in SECRET_HEADERS) else mask_text(value) for name, value in reply.headers.items()
    }
    for warning in result.warnings:
        note(f"warning: {warning}")
    if wants_json(options):
        output = pick(result.output, options.fields) if options.fields else result.output
        dump({**_cut(result._replace(output=output), options), "status": reply.status, "headers": headers})
        return
    print(f"HTTP {reply.status}")
    for name, value in headers.items():
        print(f"{name}: {plain(value)}")
    print()
    text = result.output if isinstance(result.output, str) else json.dumps(result.output, ensure_ascii=False, indent=2)
    print(plain_lines(text))


def _called_by_agent() -> bool:
    from skill.connection.client import harness

    return any(os.environ.get(name) for name in AGENTS) or bool(harness())


def _cut(result: Result, options: Options, *, many: bool = False) -> dict[str, Json]:
    """Cut an envelope that is too long, say so in `page`, and keep the whole in a private file."""
    whole = envelope(result, options.program)
    asked = many or options.fields or options.format or options.limit is not None
    agent = not asked and not options.max_bytes and _called_by_agent()
    most = options.max_bytes or (AGENT_BYTES if agent else 0)
    if agent and (summary := summarise(result.output)) is not None:
        page = {"truncated": True, "shown": len(summary.rows), "total": len(summary.rows), **(whole.get("page") or {})}
        more = {"fields": summary.fields, "more": "--format json gives every field"}
        whole = {**whole, "output": summary.rows, "page": {**page, "truncated": True, **more}}
    if not most or size(whole) <= most:
        return whole
    path = _keep(result, json.dumps(result.output, ensure_ascii=False))
    kept = fit(whole["output"], most - size({**whole, "output": None}) - len(path) - 100)
    count, of = (len(kept), len(whole["output"])) if isinstance(kept, (list, dict, str)) else (1, 1)
    page = {**(whole.get("page") or {}), "truncated": True, "shown": count, "total": of, "file": path}
    return {**whole, "output": kept, "page": page}


def _keep(result: Result, text: str) -> str:
    path = places.state() / "results" / f"{result.run_id or 'result'}.json"
    places.write_whole(path, text.encode("utf-8", "surrogatepass"), mode=0o600)
    return str(path)


def _print_text(text: str, result: Result, options: Options) -> None:
    """Print lines; of too many bytes only whole lines that fit, with all of them in a private file."""
    most = options.max_bytes or 0
    if most and len(text.encode("utf-8", "surrogatepass")) > most:
        path, lines = _keep(result, text), text.split("\n")
        kept = fit(text, most).split("\n")[:-1]
        text = "\n".join(kept)
        note(f"cut: {len(kept)} of {len(lines)} lines; all of them are in {path}")
    if text:
        print(text)


def _tell_part(result: Result, options: Options) -> None:
    """Say on stderr what the envelope says in `page`, where there is no envelope."""
    page = result.page or {}
    if page.get("truncated"):
        more = f"; all: {options.program} {page['next']}" if page.get("next") else ""
        note(f"{page['shown']} items, and there are more{more}")
    if result.converged:
        note(result.converged)


def _answers(result: Result, options: Options) -> str:
    answers = query(result.output, options.jq or "")
    shown = plain if sys.stdout.isatty() else str
    return "\n".join(shown(answer) if isinstance(answer, str) else compact(answer) for answer in answers)


def _lines(result: Result, options: Options) -> str:
    return "\n".join(compact(item) for item in (result.output if isinstance(result.output, list) else [result.output]))


def _table(result: Result, options: Options) -> str:
    rows = result.output if isinstance(result.output, list) else [result.output]
    if not all(isinstance(row, dict) for row in rows):
        rows = [{"value": row} for row in rows]
    return table(rows, fields=options.fields)


def _csv(result: Result, options: Options) -> str:
    rows = [_flat(row) for row in (result.output if isinstance(result.output, list) else [result.output])]
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _harmless(value) for name, value in row.items()} for row in rows)
    return plain_lines(text.getvalue()) if sys.stdout.isatty() else text.getvalue().removesuffix("\n")


def _flat(value: Json, before: str = "") -> dict[str, Json]:
    if not isinstance(value, dict):
        return {before or "value": value}
    flat: dict[str, Json] = {}
    for name, part in value.items():
        path = f"{before}.{name}" if before else name
        flat.update(_flat(part, path) if isinstance(part, dict) and part else {path: part})
    return flat


def _harmless(value: Json) -> Json:
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict, bool)) else value
    # a spreadsheet runs a cell that begins like a formula
    return f"'{text}" if isinstance(text, str) and text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


_FORMATS = {"ndjson": _lines, "table": _table, "csv": _csv}
