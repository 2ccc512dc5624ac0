import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyf_pipeline.catalog.names import normalise


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Plone", "plone"),
        ("plone.api", "plone-api"),
        ("collective.z3cform__datagridfield", "collective-z3cform-datagridfield"),
        ("zope.-_interface", "zope-interface"),
        ("Products.CMFPlone", "products-cmfplone"),
    ],
)
def test_one_form(name: str, expected: str) -> None:
    assert normalise(name) == expected


@given(st.text())
def test_normalising_twice_changes_nothing(name: str) -> None:
    assert normalise(normalise(name)) == normalise(name)
