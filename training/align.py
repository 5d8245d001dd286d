"""Teach the widened model six languages: what a text means is what its English rendering means to the base.

    python training/align.py --model /tmp/wide --out /tmp/aligned [--steps 550]

Distillation over parallel texts (Reimers and Gurevych 2020, arXiv:2004.09813): the base is the teacher, and reads the
English side; the student is to give the other side, and the English itself, the same vector. The parallel texts are the
requests with their renderings and the glossaries. A second term keeps a text nearer to its own rendering than to the others
of the batch. Only what has meaning for the new pieces moves fast; the layers move little. Needs the extra
`sentence-transformers`.
"""

import argparse
import random
import time
from pathlib import Path

import torch
from base import BASE, base_folder, vectors
from data import glossary, load
from sentence_transformers import SentenceTransformer

SEED = 7
BATCH = 96
LONGEST = 48
# of a batch: what is glossary, and what is English that must stay as it was
GLOSSED, ENGLISH = 0.35, 0.2
SCALE = 20.0


def pairs_of(
    batch: int, parallel: list[tuple[str, str]], words: list[tuple[str, str]], rng: random.Random
) -> list[tuple[str, str]]:
    """Draw (text, its English) pairs: renderings, words, and English itself."""
    glossed = int(batch * GLOSSED) if words else 0
    english = int(batch * ENGLISH)
    drawn = rng.sample(parallel, batch - glossed - english) + (rng.sample(words, glossed) if glossed else [])
    return drawn + [(one, one) for _, one in rng.sample(parallel, english)]


def agreement(student: SentenceTransformer, teacher: SentenceTransformer, pairs: list[tuple[str, str]]) -> tuple[float, float]:
    """Give the mean cosine of texts to their English renderings, and how often it is the nearest of them."""
    student.eval()
    with torch.no_grad():
        ours = student.encode([text for text, _ in pairs], normalize_embeddings=True, batch_size=64, show_progress_bar=False)
        theirs = teacher.encode([text for _, text in pairs], normalize_embeddings=True, batch_size=64, show_progress_bar=False)
    nearest = (ours @ theirs.T).argmax(axis=1)
    return float((ours * theirs).sum(axis=1).mean()), float((nearest == range(len(pairs))).mean())


def main() -> None:
    """Align, say how it goes, and write the model's folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--base", default=BASE)
    parser.add_argument("--steps", type=int, default=550)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--check-every", type=int, default=150)
    given = parser.parse_args()
    torch.manual_seed(SEED)
    rng = random.Random(SEED)
    teacher = SentenceTransformer(base_folder(given.base), device="cpu").eval()
    student = SentenceTransformer(given.model, device="cpu")
    student.max_seq_length = LONGEST
    material = load()
    parallel = [(one.text, one.english) for one in material.renderings]
    rng.shuffle(parallel)
    held, parallel = parallel[:600], parallel[600:]
    words = [(word, meaning) for _, word, meaning in glossary()]
    table = student[0].auto_model.embeddings.word_embeddings.weight
    rest = [weight for weight in student.parameters() if weight is not table]
    optimizer = torch.optim.AdamW(
        [
            {"params": [table], "lr": 10 * given.rate, "weight_decay": 0.0},
            {"params": rest, "lr": given.rate, "weight_decay": 0.01},
        ],
        fused=True,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min((step + 1) / 60, max(0.02, 1 - step / given.steps)))
    print(f"{len(parallel)} renderings, {len(words)} words, {len(held)} held out; before: {agreement(student, teacher, held)}")
    begun = time.time()
    for step in range(1, given.steps + 1):
        student.train()
        drawn = pairs_of(BATCH, parallel, words, rng)
        with torch.no_grad():
            target = vectors(teacher, [english for _, english in drawn])
        found = vectors(student, [text for text, _ in drawn])
        apart = (1 - (found * target).sum(dim=1)).mean()
        own = torch.nn.functional.cross_entropy(SCALE * found @ target.T, torch.arange(len(drawn)))
        loss = apart + 0.15 * own
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 25 == 0:
            print(f"step {step}: apart {apart.item():.3f}, own {own.item():.3f}, {time.time() - begun:.0f} s", flush=True)
        if step % given.check_every == 0:
            print(f"step {step}: held out {agreement(student, teacher, held)}", flush=True)
    student.max_seq_length = 256
    student.save(str(given.out))
    print(f"written to {given.out} after {time.time() - begun:.0f} s")


if __name__ == "__main__":
    main()
