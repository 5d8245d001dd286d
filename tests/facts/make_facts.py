"""Make `heroku.json.gz`, the facts of Heroku's published schema without any of its sentences.

    python tests/facts/make_facts.py schema.json

The schema is what `GET https://api.heroku.com/schema` answers. Kept are names, types, formats, choices, what is required
and the links; left out is everything written for people. `heroku.json.gz` names the SHA-256 of the schema that it is from.
"""

import gzip
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

WORDS = frozenset({"description", "example", "examples"})
LINK = frozenset({"href", "method"})


def strip(node: Any, names: bool = False) -> Any:
    """Drop every sentence of a schema; `names` says that the keys here are names of properties and not schema words."""
    if isinstance(node, list):
        return [strip(item) for item in node]
    if not isinstance(node, dict):
        return node
    link = node.keys() >= LINK
    kept = {}
    for key, value in node.items():
        if not names and (key in WORDS or (key == "title" and not link)):
            continue
        kept[key] = strip(value, names=not names and key in ("properties", "definitions", "patternProperties"))
    return kept


def main(source: Path) -> None:
    """Write the facts beside this script."""
    content = source.read_bytes()
    facts = {"source_sha256": hashlib.sha256(content).hexdigest(), **strip(json.loads(content))}
    target = Path(__file__).with_name("heroku.json.gz")
    text = json.dumps(facts, separators=(",", ":"), sort_keys=True) + "\n"
    target.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
