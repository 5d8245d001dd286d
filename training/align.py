"""Teach the widened model six languages: what a text means is what its English rendering means to the base.

    python training/align.py --model /tmp/wide --out /tmp/aligned [--steps 550]

Distillation over parallel texts (Reimers and Gurevych 2020, arXiv:2004.09813): the base is the teacher, and reads the
English side; the student is to give the other side the same vector. The parallel texts are the requests with their
renderings and the glossaries. A second term keeps a text nearer to its own rendering than to the others of the batch, a
third keeps what the base makes of English texts of any field. Only what has meaning for the new pieces moves fast; the
layers move little. Needs the extra `sentence-transformers`.
"""

import argparse
import random
import time
from pathlib import Path

import torch
from base import BASE, Teacher, opened, stepper, vectors
from data import general, glossary, load
from sentence_transformers import SentenceTransformer

SEED = 7
BATCH = 80
# of a batch: what is glossary, and what is the English of renderings, that must stay as it was
GLOSSED, ENGLISH = 0.4, 0.1
# texts of any field beside each batch, and how much it counts that they keep the vectors which the base gives them
GENERAL, KEPT = 48, 2.0
SCALE = 20.0


def pairs_of(parallel: list[tuple[str, str]], words: list[tuple[str, str]], rng: random.Random) -> list[tuple[str, str]]:
    """Draw (text, its English) pairs: renderings, words, and English itself."""
    glossed, english = int(BATCH * GLOSSED), int(BATCH * ENGLISH)
    drawn = rng.sample(parallel, BATCH - glossed - english) + rng.sample(words, glossed)
    return drawn + [(one, one) for _, one in rng.sample(parallel, english)]


def agreement(student: SentenceTransformer, teacher: Teacher, pairs: list[tuple[str, str]]) -> tuple[float, float]:
    """Give the mean cosine of texts to their English renderings, and how often it is the nearest of them."""
    student.eval()
    with torch.no_grad():
        ours = vectors(student, [text for text, _ in pairs])
    theirs = teacher([english for _, english in pairs])
    nearest = (ours @ theirs.T).argmax(dim=1) == torch.arange(len(pairs))
    return round(float((ours * theirs).sum(dim=1).mean()), 3), round(float(nearest.float().mean()), 3)


def main() -> None:
    """Align, say how it goes, and write the model's folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--base", default=BASE)
    parser.add_argument("--steps", type=int, default=550)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--check-every", type=int, default=275)
    given = parser.parse_args()
    torch.manual_seed(SEED)
    rng = random.Random(SEED)
    parallel = [(one.text, one.english) for one in load().renderings]
    rng.shuffle(parallel)
    held, parallel = parallel[:600], parallel[600:]
    words = [(word, meaning) for _, word, meaning in glossary()]
    teacher = Teacher(given.base, (english for _, english in (*held, *parallel, *words)))
    anywhere = Teacher(given.base, general(rng, 16_000))
    student = opened(given.model)
    table = student[0].auto_model.embeddings.word_embeddings.weight
    rest = [weight for weight in student.parameters() if weight is not table]
    step_down = stepper(
        [
            {"params": [table], "lr": 10 * given.rate, "weight_decay": 0.0},
            {"params": rest, "lr": given.rate, "weight_decay": 0.01},
        ],
        given.steps,
        warm=60,
    )
    print(f"{len(parallel)} renderings, {len(words)} words, {len(held)} held out; before: {agreement(student, teacher, held)}")
    begun = time.time()
    for step in range(1, given.steps + 1):
        student.train()
        drawn = pairs_of(parallel, words, rng)
        found, target = vectors(student, [text for text, _ in drawn]), teacher([english for _, english in drawn])
        apart = (1 - (found * target).sum(dim=1)).mean()
        own = torch.nn.functional.cross_entropy(SCALE * found @ target.T, torch.arange(len(drawn)))
        forgotten = anywhere.forgotten(student, rng, GENERAL)
        step_down(apart + 0.15 * own + KEPT * forgotten)
        if step % 25 == 0:
            print(
                f"step {step}: apart {apart:.3f}, own {own:.3f}, forgotten {forgotten:.3f}, {time.time() - begun:.0f} s",
                flush=True,
            )
        if step % given.check_every == 0:
            print(f"step {step}: held out {agreement(student, teacher, held)}", flush=True)
    student.max_seq_length = 256
    student.save(str(given.out))
    print(f"written to {given.out} after {time.time() - begun:.0f} s")


if __name__ == "__main__":
    main()
