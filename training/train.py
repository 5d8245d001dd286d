"""Train the encoder on the requests of `training/`, from an aligned model to a sentence-transformers folder.

    python training/train.py --model /tmp/aligned --out /tmp/model [--steps 600] [--keep 0.9]

Contrastive (InfoNCE over a batch, sentence-transformers' MultipleNegativesRankingLoss): a request, in any of seven
languages, is to lie nearer to another request, an ask or the document of its own action than to those of the other actions
in the batch. A batch holds each action once and is made of groups of look-alikes, so that most of its negatives are hard
ones; a part of it are tools of other fields, so that the model learns to tell tools apart and not ours alone. Texts of any
field are to keep the vectors that the base gives them. It stops early on held-out requests, and the weights end as a mean of
the trained and the aligned ones (Wortsman et al. 2022, arXiv:2109.01903). Needs the extra `sentence-transformers`.
"""

import argparse
import random
import shutil
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from base import BASE, Teacher, opened, stepper, vectors
from data import ENGLISH, TRAINING, Material, Tool, general, load, others
from export_minilm import as_shipped
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer import losses

GROUP = 8
# of a batch: our actions, and tools of other fields
BATCH, OTHERS = 80, 24
SCALE = 25.0
SEED = 11
# texts of any field beside each batch, and how much it counts that they keep the vectors which the base gives them
GENERAL, KEPT = 56, 6.0
# how often a text is English, one of the catalog's own asks, or written with a slip of the fingers
IN_ENGLISH, OWN_ASKS, SLIPS = 0.5, 0.2, 0.08
# every so many-th batch is of documents: they are long, and do not make the short texts of others wait
DOCUMENTS_EVERY = 4


def neighbours(model: SentenceTransformer, material: Material) -> dict[str, list[str]]:
    """List, for each action, the others from the nearest on, by their documents and asks."""
    texts = [" ".join([material.documents[key][:200], *material.asks[key][ENGLISH][:6]]) for key in material.keys]
    found = model.encode(texts, normalize_embeddings=True, batch_size=32, show_progress_bar=False)
    order = np.argsort(-(found @ found.T), axis=1)
    return {
        key: [material.keys[place] for place in row if material.keys[place] != key]
        for key, row in zip(material.keys, order, strict=True)
    }


def batch_of_keys(near: dict[str, list[str]], rng: random.Random) -> list[str]:
    """Draw a batch of different actions: seeds, and look-alikes of each."""
    chosen: dict[str, None] = {}
    names = list(near)
    while len(chosen) < BATCH:
        seed = rng.choice(names)
        for key in [seed, *rng.sample(near[seed][:20], GROUP - 1)]:
            if len(chosen) < BATCH:
                chosen.setdefault(key, None)
    return list(chosen)


def drawn(material: Material, key: str, rng: random.Random, english: float) -> str:
    """Draw a text of an action: a request or an ask, in English with the given chance, else in one of the other languages."""
    asks, requests = material.asks[key], material.requests[key]
    others = [language for language in requests if language != ENGLISH and requests[language]]
    language = ENGLISH if not others or rng.random() < english else rng.choice(others)
    own = asks[language] and (rng.random() < OWN_ASKS or not requests[language])
    return rng.choice(asks[language] if own else requests[language] or asks[ENGLISH])


def pair(material: Material, key: str, rng: random.Random, documents: bool) -> tuple[str, str]:
    """Draw a request and what it should lie near to: its action's document, or how else people ask for it."""
    asked = slipped(drawn(material, key, rng, IN_ENGLISH), rng)
    if documents:
        return asked, material.documents[key]
    other = drawn(material, key, rng, 0.7)
    while other == asked:
        other = drawn(material, key, rng, 0.7)
    return asked, other


def pairs_elsewhere(fields: dict[str, list[Tool]], rng: random.Random) -> list[tuple[str, str]]:
    """Draw requests of tools of a few other fields, each with what its tool is described as, or how else people ask for it."""
    pairs = []
    for field in rng.sample(sorted(fields), OTHERS // GROUP):
        for tool in rng.sample(fields[field], GROUP):
            asked, other = rng.sample(tool.requests, 2)
            described = rng.choice([tool.about, f"{tool.title}: {tool.about}"])
            pairs.append((slipped(asked, rng), other if rng.random() < 0.25 else described))
    return pairs


def slipped(text: str, rng: random.Random) -> str:
    """Give the text, now and then with two neighbouring letters swapped or one left out."""
    if rng.random() >= SLIPS or len(text) < 8 or not text.isascii():
        return text
    place = rng.randrange(1, len(text) - 2)
    if rng.random() < 0.5:
        return text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    return text[:place] + text[place + 1 :]


def first_right(model: SentenceTransformer, material: Material, rows: list[tuple[str, str, str]]) -> dict[str, float]:
    """Give the share of requests, by language, whose own action comes first by the best of its asks and its document."""
    keys, texts = [], []
    for key in material.keys:
        for text in (material.documents[key], *(ask for asks in material.asks[key].values() for ask in asks)):
            keys.append(key)
            texts.append(text)
    model.eval()
    with torch.no_grad():
        known = model.encode(texts, normalize_embeddings=True, batch_size=128, show_progress_bar=False)
        asked = model.encode([text for _, _, text in rows], normalize_embeddings=True, batch_size=128, show_progress_bar=False)
    best = (asked @ known.T).argmax(axis=1)
    right = defaultdict(list)
    for place, (key, language, _) in zip(best, rows, strict=True):
        right[language].append(keys[place] == key)
        right["all"].append(keys[place] == key)
    return {language: round(float(np.mean(some)), 3) for language, some in sorted(right.items())}


def first_elsewhere(model: SentenceTransformer, fields: dict[str, list[Tool]]) -> float:
    """Give the share of requests whose own tool comes first among those of all the fields, by its title and description."""
    tools = [tool for some in fields.values() for tool in some]
    model.eval()
    with torch.no_grad():
        known = vectors(model, [f"{tool.title}: {tool.about}" for tool in tools])
        asked = vectors(model, [request for tool in tools for request in tool.requests])
    right = torch.tensor([place for place, tool in enumerate(tools) for _ in tool.requests])
    return round(float(((asked @ known.T).argmax(dim=1) == right).float().mean()), 3)


def mix(model: SentenceTransformer, base: dict[str, torch.Tensor], keep: float) -> None:
    """Set the weights to `keep` parts of the trained ones and the rest of the base's."""
    state = model.state_dict()
    mixed = {
        name: keep * value + (1 - keep) * base[name] if value.is_floating_point() else value for name, value in state.items()
    }
    model.load_state_dict(mixed)


def read_command() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--rate", type=float, default=8e-5)
    parser.add_argument("--keep", type=float, default=0.9)
    parser.add_argument("--base", default=BASE)
    parser.add_argument("--check-every", type=int, default=200)
    return parser.parse_args()


def main() -> None:
    """Train, say how it goes, and write the model's folder."""
    given = read_command()
    torch.manual_seed(SEED)
    rng = random.Random(SEED)
    material = load()
    model = opened(given.model)
    base = {name: value.clone() for name, value in model.state_dict().items()}
    near = neighbours(model, material)
    learned, unseen = others(), others(held_out=True)
    nearer = losses.MultipleNegativesRankingLoss(model, scale=SCALE)
    step_down = stepper([{"params": list(model.parameters()), "lr": given.rate, "weight_decay": 0.01}], given.steps, warm=50)
    count = sum(len(texts) for by_language in material.requests.values() for texts in by_language.values())
    anywhere = Teacher(given.base, general(rng, 16_000))
    print(f"{count} requests, {len(material.held_out)} held out, {len(material.keys)} actions")
    rows = rng.sample(material.held_out, min(1400, len(material.held_out)))

    def check(when: str) -> float:
        right = first_right(model, material, rows)
        print(f"{when}: held-out requests first: {right}; of unseen fields: {first_elsewhere(model, unseen)}", flush=True)
        return right["all"]

    best, best_state, begun = check("before"), base, time.time()
    for step in range(1, given.steps + 1):
        model.train()
        pairs = [pair(material, key, rng, step % DOCUMENTS_EVERY == 0) for key in batch_of_keys(near, rng)]
        pairs += pairs_elsewhere(learned, rng)
        asked, known = vectors(model, [one for one, _ in pairs]), vectors(model, [other for _, other in pairs])
        apart = nearer.compute_loss_from_embeddings([asked, known], torch.arange(len(pairs)))
        forgotten = anywhere.forgotten(model, rng, GENERAL)
        step_down(apart + KEPT * forgotten)
        if step % 25 == 0:
            print(f"step {step}: apart {apart:.3f}, forgotten {forgotten:.3f}, {time.time() - begun:.0f} s", flush=True)
        if step % given.check_every == 0 or step == given.steps:
            right = check(f"step {step}")
            if right < best - 0.01:
                break
            if right > best:
                best, best_state = right, {name: tensor.clone() for name, tensor in model.state_dict().items()}
    model.load_state_dict(best_state)
    mix(model, base, given.keep)
    table = model[0].auto_model.embeddings.word_embeddings.weight.data
    table[:] = torch.from_numpy(as_shipped(table.numpy()))
    check("mixed")
    model.max_seq_length = 256
    model.save(str(given.out), create_model_card=False)
    shutil.copy(TRAINING / "model-card.md", given.out / "README.md")
    print(f"written to {given.out} after {time.time() - begun:.0f} s")


if __name__ == "__main__":
    main()
