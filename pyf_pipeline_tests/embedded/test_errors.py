"""What is wrong is said in Typesense's words, and beside them where."""

from collections.abc import Callable

import httpx
import pytest
import typesense

from pyf_pipeline_tests.embedded.conftest import definition

Raw = Callable[..., httpx.Response]


@pytest.mark.parametrize(
    ("text", "message", "position"),
    [
        ("stars:>1 && nofield:=1", "Could not find a filter field named `nofield` in the schema.", 12),
        ("stars:>1 && stars:>x", "Error with filter field `stars`: Not an int64.", 12),
        ("yanked:true && (stars:>1", "Could not parse the filter query: unbalanced parentheses.", 15),
        ("yanked:true) || stars:>1", "Could not parse the filter query: unbalanced parentheses.", 11),
        ("(& yanked:true)", "Could not parse the filter filter_query.", 1),
        ("yanked:true && ", "Could not parse the filter query: unbalanced `&&` operands.", 12),
        ("stars", "Could not parse the filter query.", 0),
    ],
)
def test_a_filter_that_cannot_be_read_is_refused_with_the_place_of_its_fault(
    client: typesense.Client, raw: Raw, text: str, message: str, position: int
) -> None:
    client.collections.create(definition("c"))
    answer = raw("GET", "/collections/c/documents/search", params={"q": "*", "filter_by": text})
    assert answer.status_code == 400
    assert answer.json() == {"message": message, "position": position}
    several = raw("POST", "/multi_search", json={"searches": [{"collection": "c", "q": "*", "filter_by": text}]})
    assert several.json()["results"] == [{"code": 400, "error": message, "position": position}]


def test_other_errors_have_no_position(client: typesense.Client, raw: Raw) -> None:
    assert raw("GET", "/collections/none").json().keys() == {"message"}


@pytest.mark.parametrize(
    ("mode", "optional", "kept"),
    [("reject", False, None), ("coerce_or_reject", False, None), ("coerce_or_drop", True, None), ("drop", True, {}),
     ("coerce_or_reject", True, {})],
)  # fmt: skip
def test_a_number_too_large_for_32_bits_is_not_stored(
    client: typesense.Client, mode: str, optional: bool, kept: dict[str, int] | None
) -> None:
    client.collections.create({"name": "c", "fields": [{"name": "n", "type": "int32", "optional": optional}]})
    line = [{"id": "1", "n": 2**31}]
    (answer,) = client.collections["c"].documents.import_(line, {"action": "create", "dirty_values": mode})  # type: ignore[typeddict-item] # one of the four
    if kept is None:
        assert answer["error"] == "Field `n` exceeds maximum value of int32."
    else:
        assert client.collections["c"].documents["1"].retrieve() == {"id": "1", **kept}
