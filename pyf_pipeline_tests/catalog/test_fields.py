import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyf_pipeline.catalog import fields

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(alphabet=st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=6,
)


@pytest.mark.parametrize("nothing", [None, "", "  ", "UNKNOWN", " UNKNOWN\n", [], {}, True, False, {"text": "MIT"}])
def test_nothing_has_many_forms(nothing: object) -> None:
    assert fields.text(nothing) == ""
    assert fields.line(nothing) == ""
    assert fields.address(nothing) == ""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" Two\n  lines\t ", "Two lines"),
        (["any", None, "linux"], "any, linux"),
        (3.11, "3.11"),
        ("NUL\x00 and \ud800half", "NUL and half"),
        ("UNKNOWN author", "UNKNOWN author"),
        ("\U0001f600", "\U0001f600"),
    ],
)
def test_a_line(value: object, expected: str) -> None:
    assert fields.line(value) == expected


def test_a_text_keeps_its_lines() -> None:
    assert fields.text("  indented\n\ntext ") == "  indented\n\ntext "


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plone, cms ,web", ("plone", "cms", "web")),
        ("plone cms web", ("plone", "cms", "web")),
        ("content management, web", ("content management", "web")),
        ("plone; cms", ("plone", "cms")),
        ("content management\nweb", ("content management", "web")),
        (["plone", "cms, web", "content management"], ("plone", "cms", "web", "content management")),
        ("Plone,plone,PLONE", ("Plone",)),
        ("['plone', 'cms']", ("plone", "cms")),
        (",, ,", ()),
        ("UNKNOWN", ()),
        (None, ()),
        ([None, "", "x"], ("x",)),
        ({"plone": 1}, ()),
    ],
)
def test_keywords(value: object, expected: tuple[str, ...]) -> None:
    assert fields.keywords(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["a", "", None, "b", "a"], ("a", "b")),
        ("a\nb\n\n", ("a", "b")),
        (None, ()),
        ("UNKNOWN", ()),
        (7, ()),
        (["Framework :: Plone "], ("Framework :: Plone",)),
    ],
)
def test_lists(value: object, expected: tuple[str, ...]) -> None:
    assert fields.lines(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Source": "https://github.example/a"}, {"Source": "https://github.example/a"}),
        ({"Source": None, "Docs": "UNKNOWN", "": "https://x.example", "Home": ["https://h.example"]},
         {"Home": "https://h.example"}),
        (["Source, https://github.example/a", "https://plain.example"],
         {"Source": "https://github.example/a", "https://plain.example": "https://plain.example"}),
        ("Source, https://github.example/a", {"Source": "https://github.example/a"}),
        (None, {}),
        ("", {}),
        (7, {}),
        ({"Long": "https://x.example/" + "x" * 3000}, {}),
    ],
)  # fmt: skip
def test_labelled_urls(value: object, expected: dict[str, str]) -> None:
    assert fields.urls(value) == expected


@given(ANYTHING)
def test_every_form_of_anything_is_a_sound_one(value: object) -> None:
    found = [fields.text(value), fields.line(value), fields.address(value), *fields.lines(value)]
    found += [*fields.keywords(value), *fields.urls(value), *fields.urls(value).values()]
    for text in found:
        text.encode()
        assert "\x00" not in text
    assert all([*fields.lines(value), *fields.keywords(value)])


WORDS = st.lists(st.text(alphabet="aBc é-1", min_size=1, max_size=6).map(str.strip).filter(bool), max_size=8)


@given(WORDS, st.sampled_from([", ", ",", " ,  "]))
def test_keywords_are_the_same_as_a_list_and_in_a_text(words: list[str], separator: str) -> None:
    found = fields.keywords(words)
    assert fields.keywords(separator.join(words) + ",") == found
    assert fields.keywords(list(found)) == found
    assert [word.casefold() for word in found] == list(dict.fromkeys(" ".join(w.split()).casefold() for w in words))
    assert fields.keywords(" ".join(word for word in words if " " not in word)) == fields.keywords(
        [word for word in words if " " not in word]
    )


def test_limits() -> None:
    assert len(fields.line("x" * 10_000)) == fields.LINE
    assert len(fields.text("x" * 100_000)) == fields.PARAGRAPHS
    assert len(fields.lines([str(n) for n in range(100_000)])) == fields.ENTRIES
    assert fields.keywords(["y" * 1000]) == ("y" * fields.WORD,)
