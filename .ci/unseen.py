"""Fail where a held-out intent stands, as a whole phrase, in what the model or the catalog is made from.

Usage: unseen.py INTENTS.jsonl FOLDER…
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# an operation is called what the service calls it, whoever else says those words
NAMES = {"title", "link", "keys"}


def normal(phrase: str) -> str:
    """Reduce a phrase to lower-case letters and digits with one space between words."""
    return re.sub(r"[\W_]+", " ", phrase.lower()).strip()


def strings(value: Any) -> Iterator[str]:
    """Yield every string of a nested value; an object's keys and an operation's official names are no phrases."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            if key not in NAMES:
                yield from strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)


def phrases(path: Path) -> Iterator[str]:
    """Yield every phrase of a file; a file of no known kind has one a line, or a cell."""
    text = path.read_text(encoding="utf-8")
    if path.suffix in {".yaml", ".yml"}:
        for document in yaml.load_all(text, Loader=LOADER):
            yield from strings(document)
    elif path.suffix == ".json":
        yield from strings(json.loads(text))
    elif path.suffix == ".jsonl":
        for line in filter(str.strip, text.splitlines()):
            yield from strings(json.loads(line))
    elif path.suffix == ".tsv":
        # the first column is a key, as the keys of an object are
        for line in text.splitlines():
            yield from line.split("\t")[1:]
    else:
        for line in text.splitlines():
            yield line
            yield from re.findall(r"[\"']([^\"']+)[\"']", line)
            yield from re.split(r"[\t,;]", line)


def main(intents: str, *folders: str) -> int:
    """Print each place where a held-out intent was found.

    Returns:
        1 where there is one, else 0.
    """
    held_out = {
        normal(json.loads(line)["query"]) for line in Path(intents).read_text(encoding="utf-8").splitlines() if line.strip()
    }
    files = sorted(
        path for folder in folders for path in Path(folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )
    found = 0
    for path in files:
        try:
            seen = {phrase for phrase in phrases(path) if normal(phrase) in held_out}
        except UnicodeDecodeError:
            continue  # binary: no phrases to read
        for phrase in sorted(seen):
            print(f"{path}: {phrase!r} is a held-out intent")
            found += 1
    print(f"{len(held_out)} held-out intents, {len(files)} files, {found} found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
