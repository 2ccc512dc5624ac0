"""Project names, in the one form by which everything is joined."""

from packaging.utils import canonicalize_name


def normalise(name: str) -> str:
    """A project's name in the form that PEP 503 defines: lower case, runs of `-`, `_` and `.` as one `-`."""
    return canonicalize_name(name)
