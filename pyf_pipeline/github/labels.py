"""How much a `Project-URL` label promises that its link is the project's own repository."""

import re
from enum import IntEnum


class LabelRank(IntEnum):
    """What a label says its link is; the lower, the likelier it is the repository itself."""

    SOURCE = 0
    HOMEPAGE = 1
    ISSUES = 2
    CHANGELOG = 3
    DOCUMENTATION = 4
    OTHER = 5


# PEP 753's well-known labels and their aliases, and what projects wrote before there were any.
# The first rank that knows a word decides: "code of conduct" is no source.
_WORDS = {
    LabelRank.ISSUES: {"issue", "issues", "bug", "bugs", "tracker", "tracking", "tickets", "discussions", "support"},
    LabelRank.CHANGELOG: {"changelog", "changelogs", "changes", "history", "news", "release", "releases", "download"},
    LabelRank.DOCUMENTATION: {"documentation", "doc", "docs", "readme", "wiki", "manual", "tutorial", "examples"},
    LabelRank.OTHER: {"ci", "actions", "build", "coverage", "conduct", "style", "sponsor", "sponsors", "upstream"},
    LabelRank.SOURCE: {"source", "sources", "code", "repository", "repo", "github", "git", "scm", "vcs"},
    LabelRank.HOMEPAGE: {"homepage", "home", "website"},
}
# The same without anything between the words, as PEP 753 normalises labels.
_JOINED = {
    LabelRank.ISSUES: {"issuetracker", "bugtracker", "bugreports", "bugreport", "issuestracker"},
    LabelRank.CHANGELOG: {"whatsnew", "releasenotes"},
    LabelRank.SOURCE: {"sourcecode", "sourcerepository", "githubrepository", "githubrepo", "gitrepository"},
}


def rank_of(label: str) -> LabelRank:
    """What a label says its link is, in whatever case and punctuation it is written.

    A label of several words counts as what its most telling word says: "GitHub: issues" is a tracker, "Source on
    GitHub" is the source. The well-known labels are those of PEP 753.
    """
    words = re.findall(r"[^\W_]+", label.lower())
    joined = "".join(words)
    for rank, known in _JOINED.items():
        if joined in known:
            return rank
    for rank, known in _WORDS.items():
        if known.intersection(words):
            return rank
    return LabelRank.OTHER
