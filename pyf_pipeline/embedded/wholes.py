"""Whole numbers in texts, however many digits they have: Python itself refuses to read those of thousands."""

import re

LARGEST = 2**31 - 1
"""What a number that is larger counts as, where none as large can mean anything."""

_UNSIGNED = re.compile(r"[0-9]+\Z")
_SIGNED = re.compile(r"[+-]?[0-9]+\Z")


def unsigned(text: str, largest: int = LARGEST) -> int | None:
    """The number of a text of digits, at most `largest`; None where it is no such text."""
    if not _UNSIGNED.match(text):
        return None
    digits = text.lstrip("0")
    return largest if len(digits) > len(str(largest)) else min(int(digits or "0"), largest)


def within_bits(text: str, bits: int) -> int | None:
    """The number of a text of digits with or without a sign; None where it is none or needs more bits."""
    if not _SIGNED.match(text):
        return None
    digits = text.lstrip("+-").lstrip("0")
    if len(digits) * 3 > bits + 3:
        return None
    number = -int(digits or "0") if text.startswith("-") else int(digits or "0")
    return number if -(1 << bits - 1) <= number < 1 << bits - 1 else None
