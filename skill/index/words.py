"""Words of a text as the keyword half of the search sees them: folded, lightly stemmed, without filler."""

import re
import unicodedata
from collections.abc import Iterator

_RUNS = re.compile(r"[a-z0-9]+|[^\W_a-z0-9]+")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_FILLER = frozenset(
    """
    a an the of to for in on at by with from and or is are be do does did can could would should will i me my we us our
    you your it its this that these those there please want need like just so some any all how what which who when where
    why if as not no have has had get let make up out into about de la el los las un una por para con del que le les des
    du une pour der die das den ein eine und für mit von im zu os uma o e da em
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
# longest first; a light stemmer: it has only to fold the forms that people type of one word
_ENDINGS = ("ations", "ation", "ments", "ment", "ings", "ing", "ies", "ers", "ed", "es", "er", "s")
SHORTEST_STEM = 3


def fold(text: str) -> str:
    """Give a text in lower case and without accents."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.lower())
    return "".join(character for character in plain if unicodedata.category(character) != "Mn")


def words(text: str) -> list[str]:
    """List the stems of a text in order, filler left out; scripts without spaces give pairs of characters."""
    return [stem(word) for run in _RUNS.findall(fold(text)) for word in _split(run) if word not in _FILLER]


def stem(word: str) -> str:
    """Cut a common English ending off, where at least three letters stay."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= SHORTEST_STEM:
            return word[: -len(ending)]
    return word


def _split(run: str) -> Iterator[str]:
    if not _UNSPACED.search(run) or len(run) == 1:
        yield run
    else:
        yield from (run[place : place + 2] for place in range(len(run) - 1))
