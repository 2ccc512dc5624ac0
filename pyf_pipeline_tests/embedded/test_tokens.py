"""Words as Typesense counts them."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyf_pipeline.embedded.tokens import Tokenizer, sort_form


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Plone app", ["plone", "app"]),
        ("don't", ["dont"]),
        ("a-b.c", ["ab", "c"]),
        ("Café Müller", ["cafe", "muller"]),
        ("Łódź Straße Ångström", ["lodz", "strasse", "angstrom"]),
        ("日本語", ["日本語"]),
        ("привет Мир", ["привет", "Мир"]),
        ("a\nb\tc", ["a", "bc"]),
        ("  ::  ", []),
        ("“quoted”", ["quoted"]),
        ("x" * 150, ["x" * 100]),
        ("", []),
    ],
)
def test_a_text_is_split_and_folded(text: str, words: list[str]) -> None:
    assert Tokenizer(separators=(".",)).words(text) == words


def test_symbols_become_letters_and_win_over_separators() -> None:
    assert Tokenizer(symbols=("+", "."), separators=(".",)).words("c++ a.b") == ["c++", "a.b"]


@given(st.text(max_size=60))
def test_the_places_of_words_agree_with_the_words(text: str) -> None:
    tokenizer = Tokenizer(separators=("-", "."))
    spans = list(tokenizer.spans(text))
    assert [word for word, _, _ in spans] == tokenizer.words(text)
    assert all(end < start for (_, _, end), (_, start, _) in itertools.pairwise(spans))
    assert all(0 <= start <= end < len(text) for _, start, end in spans)


@given(st.text(max_size=60))
def test_words_are_made_of_their_own_words(text: str) -> None:
    tokenizer = Tokenizer()
    for word in tokenizer.words(text):
        assert tokenizer.words(word) == [word]
        assert len(word.encode()) <= 100


def test_texts_are_sorted_by_letters_and_spaces_alone() -> None:
    assert sort_form("Products.Über-form A") == "productsuberform a"
    assert sort_form("\nfirst\nsecond") == "first"
