"""Whole numbers in texts: as Python reads them, where it reads them."""

from hypothesis import given
from hypothesis import strategies as st

from pyf_pipeline.embedded.wholes import LARGEST, unsigned, within_bits

DIGITS = st.from_regex(r"[0-9]{1,40}", fullmatch=True)


@given(DIGITS)
def test_digits_are_a_number_up_to_the_largest(text: str) -> None:
    assert unsigned(text) == min(int(text), LARGEST)
    assert unsigned(text, largest=99) == min(int(text), 99)


@given(st.sampled_from(["", "-", "+"]), DIGITS, st.sampled_from([32, 64]))
def test_a_number_is_read_if_its_bits_hold_it(sign: str, text: str, bits: int) -> None:
    number = int(sign + text)
    assert within_bits(sign + text, bits) == (number if -(2 ** (bits - 1)) <= number < 2 ** (bits - 1) else None)


@given(st.text(max_size=5))
def test_what_is_no_number_is_none(text: str) -> None:
    is_digits = bool(text) and set(text) <= set("0123456789")
    assert (unsigned(text) is not None) == is_digits
    assert (within_bits(text, 64) is not None) == (
        is_digits or (text[:1] in {"+", "-"} and text[1:].isdecimal() and text[1:].isascii())
    )


def test_thousands_of_digits_are_no_trouble() -> None:
    assert unsigned("9" * 10_000) == LARGEST
    assert unsigned("0" * 10_000) == 0
    assert within_bits("-" + "9" * 10_000, 64) is None
    assert within_bits("0" * 10_000 + "7", 32) == 7
