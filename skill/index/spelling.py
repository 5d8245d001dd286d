"""Mend a word that nobody knows: the known word one edit away, the catalog's own words first."""

import re
from collections.abc import Container, Iterator, Mapping

from skill.index.words import fold, stem

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_WORD = re.compile(r"[A-Za-z]{4,}")
_ANY_WORD = re.compile(r"[A-Za-z]{2,}")
_LETTER_BEYOND = re.compile(r"[^\W\d_A-Za-z]")
# the ids from here on were added to the base's vocabulary, for other languages; a few are terms that English has too
ADDED = 30_522


def repair(text: str, catalog: Mapping[str, int], language: Mapping[str, int]) -> str:
    """Give a text with each unknown word replaced by the known one that is one edit away; what is not English stays as it is.

    Args:
        catalog: stems that the catalog uses.
        language: the encoder's vocabulary, each word with its id.
    """
    if _foreign(text, language):
        return text
    return _WORD.sub(lambda found: _mend(found[0], catalog, language), text)


def _foreign(text: str, language: Mapping[str, int]) -> bool:
    """Tell whether a text is hardly English: it has letters that English has not, or a good part of its words were added."""
    if _LETTER_BEYOND.search(text):
        return True
    words = _ANY_WORD.findall(text)
    added = sum(language.get(fold(word), 0) >= ADDED for word in words)
    return added >= 2 and 4 * added >= len(words)


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
