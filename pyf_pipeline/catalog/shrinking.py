"""The guard against publishing a result that lost much of the one before it."""

SHRUNK_SHARE = 0.8
SHRINK_ALLOWED = 20


class ShrunkError(RuntimeError):
    """A result is so much smaller than the previous one that a person should look first."""


def guard(before: int, now: int, *, what: str, allow: bool) -> None:
    """Stop where a result has under 80% of the rows of the previous one, and over 20 fewer.

    Args:
        before: Rows of the previous result.
        now: Rows of this one.
        what: What the rows are, for the message.
        allow: Whether a person has looked and lets it through.

    Raises:
        ShrunkError: It shrank, and nobody has let it through.
    """
    if allow or now >= SHRUNK_SHARE * before or before - now <= SHRINK_ALLOWED:
        return
    raise ShrunkError(
        f"{what} fell from {before} to {now}, which is more than usually happens, so nothing is stored or published. "
        "If that is right, run again with allow_shrink"
    )
