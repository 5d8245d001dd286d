"""Mend a word that nobody knows: the known word one edit away, the catalog's own words first."""

import re
from collections.abc import Container, Iterator, Mapping

from skill.index.words import fold, stem

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_WORD = re.compile(r"[A-Za-z]{4,}")


def repair(text: str, catalog: Mapping[str, int], language: Container[str]) -> str:
    """Give a text with each unknown word replaced by the known one that is one edit away.

    Args:
        catalog: stems that the catalog uses.
        language: words of the encoder's vocabulary.
    """
    return _WORD.sub(lambda found: _mend(found[0], catalog, language), text)


def _mend(word: str, catalog: Mapping[str, int], language: Container[str]) -> str:
    low = fold(word)
    if low in language or stem(low) in catalog:
        return word
    near = list(dict.fromkeys(_edits(low)))
    own = next((other for other in near if stem(other) in catalog and other in language), None)
    return own or next((other for other in near if other in language), word)


def _edits(word: str) -> Iterator[str]:
    """List what is one edit away, the commonest slips first: swapped, doubled or left-out letters, then wrong ones."""
    cuts = [(word[:place], word[place:]) for place in range(len(word) + 1)]
    yield from (left + right[1] + right[0] + right[2:] for left, right in cuts if len(right) > 1)
    yield from (left + right[1:] for left, right in cuts if right)
    yield from (left + letter + right for left, right in cuts for letter in _LETTERS)
    yield from (left + letter + right[1:] for left, right in cuts if right for letter in _LETTERS)
