"""Text becomes the ids that the reference tokenizer gives."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill import places
from skill.index.wordpiece import LIMIT, WordPiece, split

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "minilm.json"
WORDS = WordPiece(places.DATA / "minilm" / "vocab.txt")
PAD, UNKNOWN, START, END = 0, 100, 101, 102
# BERT's own and those of six more languages
SIZE = 30_522 + 11_189


def _tokens(text: str) -> list[str]:
    """Give the pieces of a text, without those around it."""
    names = {number: token for token, number in WORDS.vocabulary.items()}
    return [names[one] for one in WORDS.encode(text)[1:-1]]


def test_ids_are_those_of_the_reference() -> None:
    """For two hundred golden texts of every kind the ids are exactly the reference's."""
    facts = json.loads(GOLDEN.read_bytes())
    wrong = [facts["texts"][int(place)] for place, ids in facts["ids"].items() if WORDS.encode(facts["texts"][int(place)]) != ids]
    assert len(facts["ids"]) == 200
    assert not wrong


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Roll BACK my-app!", ["roll", "back", "my", "-", "app", "!"]),
        ("naïve Café", ["naive", "cafe"]),
        ("cafe\u0301", ["cafe"]),
        ("ΟΔΟΣ", ["οδοσ"]),
        ("İstanbul", ["istanbul"]),
        ("a\u00adb\u200bc\x07d\0e\ufffdf", ["abcdef"]),
        ("tab\tnew\nline\u00a0wide\u3000end\u2028", ["tab", "new", "line", "wide", "end"]),
        ("重启app", ["重", "启", "app"]),
        ("f(x)=$2+`y`", ["f", "(", "x", ")", "=", "$", "2", "+", "`", "y", "`"]),
        ("“a”…b", ["“", "a", "”", "…", "b"]),
        ("\ud800x", ["x"]),
        (" \t\n", []),
    ],
)
def test_texts_are_split_as_bert_splits(text: str, words: list[str]) -> None:
    """Case, accents, controls, white space, punctuation and ideographs are treated as BERT's basic tokenizer treats them."""
    assert split(text) == words


def test_unknown_words_are_cut_into_the_longest_pieces() -> None:
    """A word that is no token is cut greedily from the left."""
    assert _tokens("unaffable") == ["una", "##ffa", "##ble"]


def test_special_tokens_in_a_text_are_themselves() -> None:
    """The literal text of a special token is that token, as the reference has it; in other letters it is plain text."""
    assert WORDS.encode("a [SEP][PAD] b")[2:4] == [END, PAD]
    assert _tokens("[sep]") == ["[", "sep", "]"]


def test_what_no_piece_fits_is_unknown() -> None:
    """A word with a character outside the vocabulary, or of more than a hundred characters, is one unknown token."""
    assert WORDS.encode("ab🙂cd") == [START, UNKNOWN, END]
    assert UNKNOWN not in WORDS.encode("a" * 100)
    assert WORDS.encode("a" * 101) == [START, UNKNOWN, END]


def test_a_long_text_is_cut_at_the_limit() -> None:
    """A text of too many tokens keeps the first of them, and still ends as every text ends."""
    ids = WORDS.encode("dyno " * 1000)
    assert (len(ids), ids[0], ids[-1]) == (LIMIT, START, END)
    assert WORDS.encode("one two three four", limit=4) == WORDS.encode("one two")


def test_every_token_is_found() -> None:
    """The sorted file gives each of its 41,711 tokens its own id, and says no to what lies between them."""
    assert len(WORDS.vocabulary) == SIZE
    assert sorted(WORDS.vocabulary.values()) == list(range(SIZE))
    assert all(token + "\x01" not in WORDS.vocabulary for token in WORDS.vocabulary)


@pytest.mark.parametrize("token", ["", "\t", "\n", "dynq", "the\t1996", "\ud800", "\U0010ffff", "!\n", "the "])
def test_odd_questions_to_the_vocabulary_are_answered(token: str) -> None:
    """What is no token is not in the vocabulary, even where the file's own separators are asked for."""
    assert token not in WORDS.vocabulary
    assert WORDS.vocabulary.get(token) is None


@given(st.text(st.characters(), max_size=60), st.integers(2, 40))
def test_any_text_has_ids(text: str, limit: int) -> None:
    """Any text, lone surrogates included, gives ids of the vocabulary, no more than asked for, the right ones at both ends."""
    ids = WORDS.encode(text, limit)
    assert 2 <= len(ids) <= limit
    assert (ids[0], ids[-1]) == (START, END)
    assert all(0 <= one < SIZE for one in ids)


@given(st.text(max_size=60), st.integers(2, 20))
def test_a_limit_only_cuts(text: str, limit: int) -> None:
    """With a smaller limit the ids are the first of those with a larger one."""
    assert WORDS.encode(text, limit)[:-1] == WORDS.encode(text, 1000)[:-1][: limit - 1]


@given(st.text(st.characters(max_codepoint=0x7F), max_size=40))
def test_case_does_not_matter(text: str) -> None:
    """ASCII text in capitals splits into the same words as in small letters."""
    assert split(text.upper()) == split(text.lower())
