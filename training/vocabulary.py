"""Widen the base model's vocabulary by the words of six more languages, to a sentence-transformers folder.

    python training/vocabulary.py --out /tmp/wide [--base NAME-OR-FOLDER]

The base was made for English: it cuts a German or Japanese word into single letters, which mean nothing to it. For each
language a WordPiece vocabulary is made from its requests, its glossary and the frequencies of `wordfreq`; what the base lacks
is added at the end. A new piece begins as the mean of what its English meanings are to the base, where a glossary knows
it, else of the pieces that the base made of it. Needs the extra `sentence-transformers`, and `wordfreq`.
"""

import argparse
import json
import shutil
import tempfile
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import torch
from base import BASE, base_folder
from data import glossary, load
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from wordfreq import get_frequency_dict

# how many pieces a language's own vocabulary has; those that the base has too are not added again
PIECES = {"de": 3700, "es": 3100, "fr": 3100, "pt": 3100, "ja": 3900, "zh": 3800}
OWN, GLOSSED = 6, 4
# a word that stands once in a million words counts this much
FREQUENT = 2.0
PREFIX = "##"


def texts_by_language() -> dict[str, list[str]]:
    """Give every request and ask by language."""
    material = load()
    texts: dict[str, list[str]] = defaultdict(list)
    for by_language in (*material.requests.values(), *material.asks.values()):
        for language, some in by_language.items():
            texts[language].extend(some)
    return texts


def words(tokenizer: Tokenizer, text: str) -> list[str]:
    """Cut a text into the words that a vocabulary is made of: lower case, no accents, each ideograph one word."""
    return [word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(text))]


def counts(language: str, texts: list[str], glossed: list[str], tokenizer: Tokenizer) -> Counter[str]:
    """Count a language's words: in our texts, in its glossary, and as often as people use them."""
    found: Counter[str] = Counter()
    for text in texts:
        for word in words(tokenizer, text):
            found[word] += OWN
    for text in glossed:
        for word in words(tokenizer, text):
            found[word] += GLOSSED
    for text, share in get_frequency_dict(language).items():
        often = round(share * 1e6 * FREQUENT)
        if often:
            for word in words(tokenizer, text):
                found[word] += min(often, 2000)
    return found


def pieces(counted: Counter[str], size: int) -> list[str]:
    """Make a WordPiece vocabulary of words with their counts."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.WordPieceTrainer(vocab_size=size, min_frequency=8, limit_alphabet=3200, show_progress=False)
    repeated = (" ".join([word] * times) for word, times in sorted(counted.items()))
    tokenizer.train_from_iterator(repeated, trainer)
    vocabulary = tokenizer.get_vocab()
    return sorted(vocabulary, key=vocabulary.__getitem__)


def added(base: Tokenizer) -> list[str]:
    """List the pieces that the base lacks, in a fixed order."""
    known = set(base.get_vocab())
    texts = texts_by_language()
    glossed = defaultdict(list)
    for language, word, _ in glossary():
        glossed[language].append(word)
    new: dict[str, None] = {}
    for language, size in PIECES.items():
        found = pieces(counts(language, texts[language], glossed[language], base), size)
        fresh = [piece for piece in found if piece not in known and not piece.removeprefix(PREFIX).isascii()] + [
            piece for piece in found if piece not in known and len(piece.removeprefix(PREFIX)) > 2 and piece.isascii()
        ]
        print(f"{language}: {len(found)} pieces, {len(fresh)} not in the base")
        new.update(dict.fromkeys(fresh))
    return list(new)


def meanings(base: Tokenizer) -> dict[str, list[str]]:
    """Give the English meanings of each word that is one word to the tokenizer, and of each ideograph."""
    found: dict[str, list[str]] = defaultdict(list)
    characters: dict[str, list[str]] = defaultdict(list)
    for _, word, meaning in glossary():
        cut = words(base, word)
        if len(cut) == 1:
            found[cut[0]].append(meaning)
        for one in cut if len(cut) > 1 else ():
            if len(one) == 1 and unicodedata.category(one) == "Lo":
                characters[one].append(meaning)
    return {**characters, **found}


def widen(base: str, out: Path) -> None:
    """Write the base with the wider vocabulary."""
    old = Tokenizer.from_file(str(Path(base) / "tokenizer.json"))
    old.no_padding()
    old.no_truncation()
    new = added(old)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "wide"
        shutil.copytree(base, folder)
        described = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
        vocabulary: dict[str, int] = described["model"]["vocab"]
        first = len(vocabulary)
        vocabulary.update({piece: first + place for place, piece in enumerate(new)})
        (folder / "tokenizer.json").write_text(json.dumps(described, ensure_ascii=False), encoding="utf-8")
        ordered = sorted(vocabulary, key=vocabulary.__getitem__)
        (folder / "vocab.txt").write_text("\n".join(ordered) + "\n", encoding="utf-8")
        weights = SentenceTransformer(base, device="cpu")[0].auto_model.embeddings.word_embeddings.weight.data
        model = SentenceTransformer(str(folder), device="cpu")
        model[0].auto_model.resize_token_embeddings(first + len(new), mean_resizing=False)
        model[0].auto_model.embeddings.word_embeddings.weight.data[first:] = begun(new, old, weights)
        model.save(str(out))
    print(f"{len(new)} pieces added to {first}, written to {out}")


def begun(new: list[str], old: Tokenizer, weights: Any) -> Any:
    """Give the new pieces' vectors, (pieces, d) float32."""
    known = meanings(old)
    rows = []
    for piece in new:
        if piece in known:
            rows.append(torch.stack([_mean(meaning, old, weights) for meaning in known[piece]]).mean(dim=0))
        else:
            rows.append(_mean(piece.removeprefix(PREFIX), old, weights))
    print(f"{sum(piece in known for piece in new)} of {len(new)} new pieces begin at their English meaning")
    return torch.stack(rows)


def _mean(text: str, old: Tokenizer, weights: Any) -> Any:
    ids = old.encode(text, add_special_tokens=False).ids
    return weights[ids].mean(dim=0) if ids else weights.mean(dim=0)


def main() -> None:
    """Read the command line and widen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--base", default=BASE)
    given = parser.parse_args()
    widen(base_folder(given.base), given.out)


if __name__ == "__main__":
    main()
