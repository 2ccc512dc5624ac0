"""What can go wrong between us and GitHub. No text ever holds the token."""

from datetime import UTC, datetime


class GitHubError(RuntimeError):
    """GitHub could not be asked, or did not answer usefully; the text says why and what to do."""


class BadTokenError(GitHubError):
    """GitHub refuses the token: asking again with it is in vain."""


class GitHubUnavailableError(GitHubError):
    """GitHub does not answer, or not as its API documents."""


class GitHubDownError(GitHubUnavailableError):
    """GitHub gives no useful answer to anything: a later run may find it well again."""


class RateLimitedError(GitHubError):
    """A limit is used up, and waiting for it would take longer than a run should sleep.

    Attributes:
        reset_at: When GitHub may be asked again, in epoch seconds.
    """

    def __init__(self, reset_at: float, *, has_token: bool) -> None:
        when = datetime.fromtimestamp(reset_at, UTC)
        more = "" if has_token else ", or set GITHUB_TOKEN for a far larger limit"
        super().__init__(
            f"GitHub's limit is used up and resets at {when:%Y-%m-%d %H:%M:%S} UTC: run again then, "
            f"or with wait_for_limit{more}"
        )
        self.reset_at = reset_at


class TroubledError(Exception):
    """One call failed in a way that a smaller or a later one may not; the text says how."""
