"""Text to the token ids of an uncased BERT, the same ids as the `tokenizers` library gives for every text."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import cache, cached_property
from itertools import islice
from pathlib import Path

# what sentence-transformers cuts at for this kind of model, [CLS] and [SEP] included
LIMIT = 256
LONGEST_WORD = 100

# The library reads these in a text as the tokens themselves. That steers nothing here: they only move a query's vector.
_SPECIAL = re.compile(r"(\[(?:PAD|UNK|CLS|SEP|MASK)\])")

# The library's tables are of Unicode 8: marks, format characters and punctuation that came later are letters to it.
# Made by comparing its answer for every code point with the categories of Unicode 14 and 18.
_LATER = """
5c8-5c9 61d 7fd 890-891 897-89f 8ca-8e2 9fd-9fe a76 afa-aff b53-b55 c04 c3c c77 c84 d00 d3b-d3c d81 eba ece 180f 1885-1886
1abf-1af0 1b4e-1b4f 1b7d-1b7f 1df6-1dfb 2e43-2e4f 2e52-2e5d 2e60-2e63 a82c a8c5 a8ff a9bd 10d24-10d27 10d69-10d6e 10eab-10ead
10ecb-10ed0 10ef0-10eff 10f46-10f50 10f55-10f59 10f82-10f89 11070 11073-11074 110c2 110cd 111cf 1123e 11241 1133b 113bb-113c0
113ce 113d0 113d2 113d4-113d5 113d7-113d8 113e1-113e2 11438-1143f 11442-11444 11446 1144b-1144f 1145a-1145b 1145d-1145e
11660-1166c 116b9 1182f-11837 11839-1183b 1193b-1193c 1193e 11943-11946 119d4-119d7 119da-119db 119e0 119e2 11a01-11a0a
11a33-11a38 11a3b-11a47 11a51-11a56 11a59-11a5b 11a8a-11a96 11a98-11a9c 11a9e-11aa2 11b00-11b09 11b60 11b62-11b64 11b66 11be1
11c30-11c36 11c38-11c3d 11c3f 11c41-11c45 11c70-11c71 11c92-11ca7 11caa-11cb0 11cb2-11cb3 11cb5-11cb6 11d31-11d36 11d3a
11d3c-11d3d 11d3f-11d45 11d47 11d90-11d91 11d95 11d97 11df0 11ef3-11ef4 11ef7-11ef8 11f00-11f01 11f36-11f3a 11f40 11f42-11f4f
11f5a 11fff 12ff1-12ff2 13430-13440 13447-13455 1611e-16129 1612d-1612f 16d6d-16d6f 16e97-16e9a 16f4f 16fe2 16fe4 1cf00-1cf2d
1cf30-1cf46 1d127-1d128 1d25b-1d25c 1e000-1e006 1e008-1e018 1e01b-1e021 1e023-1e024 1e026-1e02a 1e08f 1e130-1e136 1e2ae
1e2ec-1e2ef 1e4ec-1e4ef 1e5ee-1e5ef 1e5ff 1e6e3 1e6e6 1e6ee-1e6ef 1e6f5 1e944-1e94a 1e95e-1e95f
"""
# and these have changed their category since
_BEFORE = {"\u166d": "Po", "\u1734": "Mn", "\U000111c9": "Po", "\U0001171e": "Mn"}

_IDEOGRAPHS = (
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B920, 0x2CEAF),  # BERT's own slip for 2B820, kept as the library keeps it
    (0x2F800, 0x2FA1F),
)


class Vocabulary(Mapping[str, int]):
    """Every token's id, looked up in the sorted bytes of a file, which is quicker than to read 30,000 tokens for one query.

    A line of the file is a token, a tab and its id; the lines are in the order of the tokens' UTF-8.
    """

    def __init__(self, path: Path) -> None:
        self._lines = path.read_bytes()

    def __getitem__(self, token: str) -> int:
        wanted = token.encode("utf-8", "surrogatepass")
        low, high = 0, len(self._lines)
        while low < high:
            middle = (low + high) // 2
            start = max(self._lines.rfind(b"\n", low, middle) + 1, low)
            end = self._lines.find(b"\n", middle)
            found, _, number = self._lines[start:end].partition(b"\t")
            if found == wanted:
                return int(number)
            low, high = (end + 1, high) if found < wanted else (low, start)
        raise KeyError(token)

    def __iter__(self) -> Iterator[str]:
        return (line.partition("\t")[0] for line in self._lines.decode("utf-8").split("\n")[:-1])

    def __len__(self) -> int:
        return self._lines.count(b"\n")


class WordPiece:
    """Cuts text into the pieces of a vocabulary, read when first needed; a piece inside a word starts with `##`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, list[int]] = {}

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """Give every token's id."""
        return Vocabulary(self._path)

    def encode(self, text: str, limit: int = LIMIT) -> list[int]:
        """Give the ids of a text, between those of [CLS] and [SEP].

        Args:
            limit: the most ids to give, at least 2; the rest of the text is left out.
        """
        vocabulary = self.vocabulary
        return [vocabulary["[CLS]"], *islice(self._ids(text), limit - 2), vocabulary["[SEP]"]]

    def _ids(self, text: str) -> Iterator[int]:
        for place, part in enumerate(_SPECIAL.split(text)):
            if place % 2:
                yield self.vocabulary[part]
            else:
                for word in split(part):
                    yield from self._known.get(word) or self._learn(word)

    def _learn(self, word: str) -> list[int]:
        self._known[word] = ids = self._pieces(word)
        return ids

    def _pieces(self, word: str) -> list[int]:
        ids: list[int] = []
        start = 0
        while start < len(word) <= LONGEST_WORD:
            end, piece = self._longest(word, start)
            if piece is None:
                break
            ids.append(piece)
            start = end
        return ids if start == len(word) else [self.vocabulary["[UNK]"]]

    def _longest(self, word: str, start: int) -> tuple[int, int | None]:
        prefix = "##" if start else ""
        for end in range(len(word), start, -1):
            piece = self.vocabulary.get(prefix + word[start:end])
            if piece is not None:
                return end, piece
        return start, None


def split(text: str) -> list[str]:
    """Give the words of a text, lower-case and without accents; each punctuation mark and ideograph is a word."""
    return unicodedata.normalize("NFD", text.translate(_CLEAN)).translate(_FOLD).split()


class _Table(dict[int, str]):
    """A table for `str.translate`, filled by a rule as characters come."""

    def __init__(self, rule: Callable[[str], str]) -> None:
        super().__init__()
        self._rule = rule

    def __missing__(self, code: int) -> str:
        self[code] = self._rule(chr(code))
        return self[code]


def _clean(character: str) -> str:
    category = _category(character)
    if character in "\t\n\r" or category[0] == "Z":
        return " "
    if category in ("Cc", "Cf", "Co", "Cs") or character == "\ufffd":
        return ""
    return f" {character} " if any(low <= ord(character) <= high for low, high in _IDEOGRAPHS) else character


def _fold(character: str) -> str:
    category = _category(character)
    if category == "Mn":
        return ""
    return f" {character} " if category[0] == "P" else character.lower()


def _category(character: str) -> str:
    """Give a character's Unicode category as the library sees it, for which every ASCII symbol is punctuation."""
    if character.isascii():
        category = unicodedata.category(character)
        return "Po" if category[0] == "S" else category
    if ord(character) in _later():
        return "Lo"
    return _BEFORE.get(character) or unicodedata.category(character)


@cache
def _later() -> frozenset[int]:
    spans = [[int(end, 16) for end in span.split("-")] for span in _LATER.split()]
    return frozenset(code for span in spans for code in range(span[0], span[-1] + 1))


_CLEAN = _Table(_clean)
_FOLD = _Table(_fold)
