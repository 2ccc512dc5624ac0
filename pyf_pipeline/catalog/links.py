"""What a project's links lead to."""

import re
from urllib.parse import urlsplit

from pyf_pipeline.catalog.model import Package

# PyPI's well-known labels, in the form that it compares them in
# (https://packaging.python.org/en/latest/specifications/well-known-project-urls/).
_DOCUMENTATION_LABELS = frozenset(("documentation", "docs", "doc", "documentations", "apidocs", "userdocs"))
_GITHUB = re.compile(r"https?://(?:www\.)?github\.com/", re.IGNORECASE)
_IGNORED_IN_LABELS = re.compile(r"[\W_]")
_DOCUMENTATION_HOST = re.compile(
    r"(?:docs?|documentation)\..+|.+\.(?:readthedocs\.(?:io|org)|rtfd\.(?:io|org)|gitbook\.io)", re.IGNORECASE
)
_DOCUMENTATION_PATH = re.compile(r"/(?:docs?|documentation)(?:/|$|\.html?$)", re.IGNORECASE)


def leads_to_a_page(url: str) -> bool:
    """Whether a page may link to it: anything else, such as `javascript:`, is not for a browser."""
    return url.lower().startswith(("https://", "http://"))


def leads_to_github(package: Package) -> bool:
    """Whether one of a project's links leads to GitHub, be it to a repository or not."""
    return any(_GITHUB.match(url) for url in (*package.project_urls.values(), package.home_page))


def documentation_label(package: Package) -> str:
    """The label of a project link that is called documentation and leads to a page; "" where there is none."""
    return next((label for label, url in package.project_urls.items() if _is_called_documentation(label, url)), "")


def documentation_address(package: Package) -> str:
    """Where a project's documentation is; "" where no link tells.

    That is what PyPI has as `docs_url`, or a link that is called documentation, or else one to a documentation site.
    """
    if leads_to_a_page(package.docs_url):
        return package.docs_url
    label = documentation_label(package)
    if label:
        return package.project_urls[label]
    return next(filter(_is_documentation_site, (*package.project_urls.values(), package.home_page)), "")


def _is_called_documentation(label: str, url: str) -> bool:
    return _IGNORED_IN_LABELS.sub("", label).lower() in _DOCUMENTATION_LABELS and leads_to_a_page(url)


def _is_documentation_site(url: str) -> bool:
    if not leads_to_a_page(url):
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(_DOCUMENTATION_HOST.fullmatch(host) or _DOCUMENTATION_PATH.search(parts.path))
