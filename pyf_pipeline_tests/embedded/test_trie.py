"""Words near a word: against distances computed one by one."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from pyf_pipeline.embedded.nearby import Vocabulary, near_ranges
from pyf_pipeline.embedded.trie import Selection, near

EVERYTHING = Selection(allowed=lambda _: True, exists=lambda _: True)
LETTERS = st.text("abc", min_size=1, max_size=7)


def distance(a: str, b: str) -> int:
    """The optimal string alignment distance: edits and swaps of neighbours."""
    rows = [list(range(len(b) + 1))]
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            best = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                best = min(best, rows[-2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]


def found(terms: set[str], word: str, cost: int, *, prefix: bool, taken: set[bytes] | None = None) -> list[str]:
    known, asked = Vocabulary(sorted(t.encode() for t in terms)), word.encode()
    (ranges,) = near_ranges([known], asked, cost, prefix=prefix)
    taken = set() if taken is None else taken
    terms_found = near(known.terms, ranges, asked, 1000, EVERYTHING, taken=taken, itself=cost == 0)
    return [t.decode() for t in terms_found]


@settings(max_examples=200, deadline=None)
@given(terms=st.sets(LETTERS, max_size=40), word=LETTERS)
def test_without_typos_the_word_itself_and_what_begins_so_is_found(terms: set[str], word: str) -> None:
    assert found(terms, word, 0, prefix=False) == ([word] if word in terms else [])
    begun = found(terms, word, 0, prefix=True)
    assert set(begun) == {t for t in terms if t.startswith(word)}
    assert begun[:1] == ([word] if word in terms else begun[:1])


@settings(max_examples=200, deadline=None)
@given(terms=st.sets(LETTERS, max_size=40), word=LETTERS)
def test_one_typo_finds_nothing_further_away(terms: set[str], word: str) -> None:
    near_ones = found(terms, word, 1, prefix=False)
    assert len(near_ones) == len(set(near_ones))
    assert all(distance(t, word) == 1 for t in near_ones)


@settings(max_examples=200, deadline=None)
@given(terms=st.sets(LETTERS, max_size=40), word=LETTERS, cost=st.integers(0, 2))
def test_ranges_are_apart_and_the_last_comes_first(terms: set[str], word: str, cost: int) -> None:
    known = Vocabulary(sorted(t.encode() for t in terms))
    (ranges,) = near_ranges([known], word.encode(), cost, prefix=True)
    assert all(0 <= low < high <= len(terms) for low, high in ranges)
    assert all(later[0] >= earlier[1] for later, earlier in itertools.pairwise(ranges))
    begun = [known.terms[i].decode() for low, high in ranges for i in range(low, high)]
    assert all(min(distance(t[:n], word) for n in range(len(t) + 1)) <= cost for t in begun)


def test_a_word_longer_than_what_is_kept_of_terms_is_found() -> None:
    long = "abcdefghij" * 4
    assert found({long, long[:-1] + "z"}, long[:-2] + long[-1], 1, prefix=False) == [long]


def test_typical_slips_are_found() -> None:
    terms = {"workflow", "workflows", "form", "calendar", "listing", "strawberry"}
    assert found(terms, "workflw", 1, prefix=False) == ["workflow"]
    assert found(terms, "wrokflow", 1, prefix=False) == ["workflow"]
    assert found(terms, "calxndar", 1, prefix=False) == ["calendar"]
    assert found(terms, "lstin", 2, prefix=False) == ["listing"]
    assert found(terms, "strawberries", 3, prefix=False) == ["strawberry"]


def test_terms_already_taken_are_left_out() -> None:
    taken = {b"format"}
    assert found({"form", "format", "former"}, "form", 0, prefix=True, taken=taken) == ["form", "former"]
    assert taken == {b"form", b"format", b"former"}


@given(terms=st.sets(LETTERS, max_size=40), prefix=LETTERS)
def test_the_terms_with_a_prefix_are_a_range(terms: set[str], prefix: str) -> None:
    ordered = sorted(t.encode() for t in terms)
    low, high = Vocabulary(ordered).with_prefix(prefix.encode())
    assert ordered[low:high] == [t for t in ordered if t.startswith(prefix.encode())]


@settings(max_examples=100, deadline=None)
@given(
    lists=st.lists(st.sets(LETTERS, max_size=20), min_size=1, max_size=4), word=LETTERS, cost=st.integers(0, 2),
    prefix=st.booleans(),
)  # fmt: skip
def test_several_lists_at_once_and_one_by_one_are_the_same(
    lists: list[set[str]], word: str, cost: int, prefix: bool
) -> None:
    known = [Vocabulary(sorted(t.encode() for t in terms)) for terms in lists]
    together = near_ranges(known, word.encode(), cost, prefix=prefix)
    assert together == [near_ranges([each], word.encode(), cost, prefix=prefix)[0] for each in known]
