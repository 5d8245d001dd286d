"""What the model learns from: requests by action, the actions' own asks and documents, and requests that no action serves."""

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from skill.catalog import Catalog  # noqa: E402
from skill.catalog.catalog import open_part  # noqa: E402
from skill.index.build import document  # noqa: E402
from skill.places import ACTIONS  # noqa: E402
from skill.types import Action  # noqa: E402, TC001

REQUESTS = ROOT / "training" / "requests"


class Material(NamedTuple):
    """By action key: what people might ask, held-out requests, and the catalog's own texts."""

    keys: list[str]
    requests: dict[str, list[str]]
    held_out: list[tuple[str, str]]
    asks: dict[str, list[str]]
    documents: dict[str, str]


def load(hold_out_every: int = 20) -> Material:
    """Read everything; every so many-th request is held out for stopping early."""
    actions: list[Action] = list(Catalog([open_part(ACTIONS)]).actions())
    requests: dict[str, list[str]] = {action.key: [] for action in actions}
    held_out: list[tuple[str, str]] = []
    for path in sorted(REQUESTS.glob("*.yaml")):
        for key, texts in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            if key not in requests:
                raise SystemExit(f"{path.name}: no action {key!r}")
            for text in map(str, texts):
                place = len(requests[key]) + sum(one == key for one, _ in held_out)
                if place % hold_out_every == hold_out_every - 1:
                    held_out.append((key, text))
                else:
                    requests[key].append(text)
    asks = {action.key: [*action.asks, *action.other_asks] for action in actions}
    documents = {action.key: document(action) for action in actions}
    return Material(list(requests), requests, held_out, asks, documents)


def plain(text: str) -> str:
    """Fold a text to its letters and digits, so that copies that differ in dress are found."""
    return " ".join(re.findall(r"\w+", text.lower()))


def shared(one: Iterable[str], other: Iterable[str]) -> set[str]:
    """Give the folded texts that stand in both."""
    return set(map(plain, one)) & set(map(plain, other))
