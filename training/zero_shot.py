"""Measure what a model knows of catalogs that it never saw: MetaTool's 20,614 requests for 199 tools.

    git clone https://github.com/HowieHwong/MetaTool /tmp/metatool
    python training/zero_shot.py /tmp/metatool/dataset MODEL…

MODEL is a sentence-transformers folder, or `base` for all-MiniLM-L6-v2. A tool stands for its name and description
(`plugin_des.json`); a request (`data/all_clean_data.csv`) is answered by one tool. Meaning alone: no words, no asks.
The set is Huang et al. 2023, arXiv:2310.03128; none of it is used for training, and none of it is kept here.
"""

import argparse
import csv
import json
import re
from pathlib import Path

import numpy as np
from base import BASE, base_folder
from sentence_transformers import SentenceTransformer


def read(folder: Path) -> tuple[list[str], list[str], list[tuple[str, str]]]:
    """Give the tools' names and texts, and (request, tool) rows."""
    described = json.loads((folder / "plugin_des.json").read_text(encoding="utf-8"))
    spaced = {name: re.sub(r"([a-z])([A-Z])", r"\1 \2", name).replace("_", " ") for name in described}
    with (folder / "data" / "all_clean_data.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["Query"], row["Tool"]) for row in csv.DictReader(file)]
    return list(described), [f"{spaced[name]}: {text}" for name, text in described.items()], rows


def measure(model: SentenceTransformer, folder: Path) -> dict[str, float]:
    """Give R@1, R@5 and nDCG@10 in per cent."""
    names, texts, rows = read(folder)
    known = model.encode(texts, normalize_embeddings=True, batch_size=64, show_progress_bar=False)
    asked = model.encode([request for request, _ in rows], normalize_embeddings=True, batch_size=64, show_progress_bar=False)
    scores = asked @ known.T
    right = np.array([names.index(tool) for _, tool in rows])
    place = (scores > scores[np.arange(len(rows)), right][:, None]).sum(axis=1)
    gain = np.where(place < 10, 1 / np.log2(place + 2), 0.0)
    return {
        "R@1": round(100 * float((place == 0).mean()), 1),
        "R@5": round(100 * float((place < 5).mean()), 1),
        "nDCG@10": round(100 * float(gain.mean()), 1),
    }


def main() -> None:
    """Print a line of figures a model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("models", nargs="+")
    given = parser.parse_args()
    for name in given.models:
        model = SentenceTransformer(base_folder(BASE) if name == "base" else name, device="cpu")
        model.max_seq_length = 96
        print(name, measure(model, given.dataset))


if __name__ == "__main__":
    main()
