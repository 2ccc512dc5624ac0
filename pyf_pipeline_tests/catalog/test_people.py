import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyf_pipeline.catalog.people import LONGEST_NAME, MOST_NAMES, authors


@pytest.mark.parametrize(
    ("author", "author_email", "expected"),
    [
        ("Jane Doe", "jane@x.example", ["Jane Doe"]),
        ("", "Jane Doe <jane@x.example>", ["Jane Doe"]),
        ("", "Jane Doe <jane@x.example>, John Roe <john@x.example>", ["Jane Doe", "John Roe"]),
        ("", '"Doe, Jane" <jane@x.example>', ["Jane Doe"]),
        ("", '"Example, Inc." <us@x.example>', ["Example, Inc."]),
        ("", "jane@x.example", []),
        ("Jane Doe, John Roe", "", ["Jane Doe", "John Roe"]),
        ("Jane Doe and John Roe", "", ["Jane Doe", "John Roe"]),
        ("Jane Doe & John Roe; Max Moe", "", ["Jane Doe", "John Roe", "Max Moe"]),
        ("Jane Doe and contributors", "", ["Jane Doe"]),
        ("Jane Doe <jane@x.example>", "jane@x.example", ["Jane Doe"]),
        ("Jane Doe (jane@x.example)", "", ["Jane Doe"]),
        ("Jane Doe jane@x.example", "", ["Jane Doe"]),
        ("jane [at] x.example", "", []),
        ("Jane Doe", "JANE DOE <jane@x.example>", ["Jane Doe"]),
        ("Example, Inc.", "", ["Example, Inc."]),
        ("Example GmbH, Other Ltd", "", ["Example GmbH", "Other Ltd"]),
        ("Plone Foundation", "", ["Plone Foundation"]),
        ("['Jane Doe', 'John Roe']", "", ["Jane Doe", "John Roe"]),
        ("https://jane.example Jane", "", ["Jane"]),
        ("Ünï Cødé", "", ["Ünï Cødé"]),
        ("Андрей Иванов", "", ["Андрей Иванов"]),
        ("Sandy Anderson", "", ["Sandy Anderson"]),
        ("UNKNOWN", "None", []),
        ("Your Name", "you@example.com", []),
        ("", "", []),
        ("42", "", []),
        (",,;", "<>", []),
    ],
)
def test_authors(author: str, author_email: str, expected: list[str]) -> None:
    assert authors(author, author_email) == expected


def test_maintainers_stand_in_where_no_author_is_named() -> None:
    assert authors("", "jane@x.example", "", "John Roe <john@x.example>") == ["John Roe"]
    assert authors("Jane Doe", "", "John Roe", "") == ["Jane Doe"]


@given(st.text(), st.text(), st.text())
def test_whatever_stands_there_a_name_is_short_and_comes_once(author: str, email: str, maintainer: str) -> None:
    found = authors(author, email, maintainer, f"{author} <{email}>, {maintainer}")
    assert len(found) <= MOST_NAMES
    assert len({name.casefold() for name in found}) == len(found)
    for name in found:
        assert 0 < len(name) <= LONGEST_NAME
        assert name == name.strip()
        assert any(map(str.isalpha, name))


@given(st.lists(st.sampled_from(["Jane Doe", "John Roe", "Max Moe", "Ann Poe"]), unique=True))
def test_one_form_says_what_another_does(names: list[str]) -> None:
    addresses = ", ".join(f"{name} <{name[0].lower()}@x.example>" for name in names)
    assert authors(", ".join(names), "") == authors("", addresses) == names
