"""Learn where the requests of each action lie, and where those lie that no action serves: skill/data/learned.npz.

    python training/learn.py /tmp/model         # the folder that was exported to skill/data/minilm

A softmax over the cosines to one vector an action and to a few vectors for everything off-topic, fitted to all requests in all
languages with the encoder as it is: the classifier head of the search. An action begins at the mean of its asks. Needs the
extra `sentence-transformers`.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from data import load, none
from sentence_transformers import SentenceTransformer
from sklearn.cluster import KMeans

from skill.index.encoders import open_encoder
from skill.index.learned import Learned, write_learned
from skill.places import DATA

ASIDE = 64
SCALE, RATE, STEPS, BATCH = 20.0, 2e-3, 400, 2048
# of a batch: what no action serves
OFF_TOPIC = 0.15
SEED = 5


def encoded(model: SentenceTransformer, texts: list[str]) -> torch.Tensor:
    """Encode texts: (n, d) float32, unit rows."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = model.encode(texts, normalize_embeddings=True, batch_size=128, show_progress_bar=False)
    return torch.from_numpy(np.asarray(found, dtype=np.float32))


def fit(begun: torch.Tensor, asked: torch.Tensor, whose: torch.Tensor, off: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Fit the vectors of the actions, (n, d), and of what is off-topic, (k, d), to requests, (m, d), and whose they are, (m,)."""
    torch.manual_seed(SEED)
    clusters = KMeans(ASIDE, n_init=2, random_state=SEED).fit(off.numpy()).cluster_centers_
    centres, aside = begun.clone().requires_grad_(), torch.from_numpy(clusters.astype(np.float32)).requires_grad_()
    optimizer = torch.optim.Adam([centres, aside], lr=RATE)
    unit = torch.nn.functional.normalize
    for step in range(1, STEPS + 1):
        some, strange = torch.randint(len(asked), (BATCH,)), torch.randint(len(off), (int(BATCH * OFF_TOPIC),))
        vectors = torch.cat([asked[some], off[strange]])
        right = torch.cat([whose[some], torch.full((len(strange),), len(begun))])
        nothing = torch.logsumexp(SCALE * vectors @ unit(aside, dim=1).T, dim=1, keepdim=True)
        loss = torch.nn.functional.cross_entropy(torch.cat([SCALE * vectors @ unit(centres, dim=1).T, nothing], dim=1), right)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 100 == 0:
            print(f"step {step}: loss {loss.item():.3f}")
    return unit(centres, dim=1).detach(), unit(aside, dim=1).detach()


def main() -> None:
    """Learn and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    given = parser.parse_args()
    material, model = load(), SentenceTransformer(str(given.model), device="cpu")
    rows = [
        (place, text) for place, key in enumerate(material.keys) for texts in material.requests[key].values() for text in texts
    ]
    asked, whose = encoded(model, [text for _, text in rows]), torch.tensor([place for place, _ in rows])
    asks = [[text for texts in material.asks[key].values() for text in texts] for key in material.keys]
    begun = torch.stack([encoded(model, some).mean(dim=0) for some in asks])
    centres, aside = fit(torch.nn.functional.normalize(begun, dim=1), asked, whose, encoded(model, none("off-topic")))
    write_learned(DATA, open_encoder(), Learned(material.keys, centres.numpy(), aside.numpy()))
    print(f"{len(rows)} requests; {(DATA / 'learned.npz').stat().st_size:,} bytes written")


if __name__ == "__main__":
    main()
