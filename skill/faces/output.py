"""Print the result of a run as the caller wants it: the envelope, fields, a query, lines, a table, CSV; cut if too long."""

import csv
import io
import json
import os
import sys
from typing import Any

from skill import places
from skill.faces.printing import dump, note, print_value, wants_json
from skill.select import fit, pick, query, size, summarise
from skill.shape import plain, plain_lines, table
from skill.types import Json, Options, Plan, Result

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


def check_selection(options: Options, plan: Plan) -> None:
    """Refuse a selection that cannot be, before anything is sent.

    Raises:
        BadInput: a field that there is not, or a query that cannot be read.
    """
    from skill.select import check_fields, check_query

    if options.fields:
        check_fields(options.fields, plan.action.output if plan.action else None)
    if options.jq:
        check_query(options.jq)


def print_result(result: Result, options: Options) -> None:
    """Print what a run gave.

    Raises:
        BadInput: the query does not fit the output.
    """
    for warning in result.warnings:
        note(f"warning: {warning}")
    output = pick(result.output, options.fields) if options.fields else result.output
    result = result._replace(output=output)
    if options.jq:
        _print_answers(query(output, options.jq))
    elif options.format in _FORMATS:
        _FORMATS[options.format](result, options)
    elif options.format == "json" or wants_json(options):
        dump(_cut(result, options))
    else:
        print_value(output)
        if result.sandbox:
            note("(sandbox: nothing real was changed)")


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


def _cut(result: Result, options: Options) -> dict[str, Json]:
    """Cut an envelope that is too long, say so in `page`, and keep the whole in a private file."""
    whole = envelope(result, options.program)
    asked = options.fields or options.format or options.limit is not None
    agent = not asked and any(os.environ.get(name) for name in AGENTS)
    most = options.max_bytes or (AGENT_BYTES if agent else 0)
    if agent and (summary := summarise(result.output)) is not None:
        page = {"truncated": True, "shown": len(summary.rows), "total": len(summary.rows), **(whole.get("page") or {})}
        whole = {
            **whole,
            "output": summary.rows,
            "page": {**page, "fields": summary.fields, "more": "--format json gives every field"},
        }
    if not most or size(whole) <= most:
        return whole
    path = _keep(result)
    kept = fit(whole["output"], most - size({**whole, "output": None}) - len(path) - 100)
    count, of = (len(kept), len(whole["output"])) if isinstance(kept, (list, dict, str)) else (1, 1)
    page = {**(whole.get("page") or {}), "truncated": True, "shown": count, "total": of, "file": path}
    return {**whole, "output": kept, "page": page}


def _keep(result: Result) -> str:
    path = places.state() / "results" / f"{result.run_id or 'result'}.json"
    places.write_whole(path, json.dumps(result.output, ensure_ascii=False).encode("utf-8", "surrogatepass"), mode=0o600)
    return str(path)


def _print_answers(answers: list[Json]) -> None:
    for answer in answers:
        if isinstance(answer, str):
            print(answer if not sys.stdout.isatty() else plain(answer))
        else:
            dump(answer)


def _lines(result: Result, options: Options) -> None:
    for item in result.output if isinstance(result.output, list) else [result.output]:
        dump(item)


def _table(result: Result, options: Options) -> None:
    rows = result.output if isinstance(result.output, list) else [result.output]
    if all(isinstance(row, dict) for row in rows):
        print(table(rows, fields=options.fields))
    else:
        print_value(result.output)


def _csv(result: Result, options: Options) -> None:
    rows = [_flat(row) for row in (result.output if isinstance(result.output, list) else [result.output])]
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _harmless(value) for name, value in row.items()} for row in rows)
    print(plain_lines(text.getvalue()) if sys.stdout.isatty() else text.getvalue().removesuffix("\n"))


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
