import orjson
import pytest

from pyf_pipeline.pypi.http import UnusableAnswerError
from pyf_pipeline.pypi.index import Index, parse_index


def index_of(*projects: object) -> bytes:
    return orjson.dumps({"meta": {"api-version": "1.3", "_last-serial": 9}, "projects": list(projects)})


def test_names_are_normalised() -> None:
    body = index_of({"name": "Zope.Interface", "_last-serial": 3}, {"name": "a-b", "_last-serial": 4})
    assert parse_index(body) == {"zope-interface": 3, "a-b": 4}


def test_what_moved() -> None:
    index = Index({"a": 3, "b": 9, "c": 5})
    assert index.serial == 9
    assert index.moved_since(3) == ["b", "c"]
    assert index.moved_since(9) == []
    assert Index({}).serial == 0


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE html><html></html>",
        b"",
        b"[]",
        b"null",
        b"{}",
        index_of({"name": "a"}),
        index_of("a"),
        index_of({"name": "a", "_last-serial": 3})[:-4],
    ],
)
def test_what_is_not_an_index_is_refused(body: bytes) -> None:
    with pytest.raises(UnusableAnswerError, match="index"):
        parse_index(body)
