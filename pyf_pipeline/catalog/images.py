"""Whether a README shows what the package looks like, and not only badges."""

import html as html_module
import re

SMALLEST_SIDE = 100

# These match what the sanitiser writes: attributes quoted, quotes in them escaped.
_IMAGE = re.compile(r"<img\b([^>]*)>")
_ATTRIBUTE = re.compile(r'([a-z]+)="([^"]*)"')
_PIXELS = re.compile(r"\s*(\d{1,5})(?:\.\d+)?\s*(?:px)?\s*", re.ASCII)

# Hosts and paths that serve badges, whatever their text.
_BADGE = re.compile(
    r"badge|shields?\.io|badgen\.net|travis-ci|coveralls\.io|codecov\.io|appveyor\.com|circleci\.com|cirrus-ci|"
    r"/workflows?/|pepy\.tech|landscape\.(io|sh)|requires\.io|pyup\.io|codacy\.com|codeclimate\.com|snyk\.io|"
    r"deepsource|sonarcloud\.io|lgtm\.com|pypip\.in|crate\.io|gitter\.im|zenodo\.org|opencollective|ko-fi\.com|"
    r"buymeacoffee|saythanks|scan\.coverity|drone\.io|readthedocs\.\w+/projects|contrib\.rocks|star-history|"
    r"dependabot|gemnasium|waffle\.io|bettercodehub|mybinder\.org|colab|ga-beacon|google-analytics",
    re.IGNORECASE,
)
_ORNAMENT = re.compile(
    r"logo|icon|banner|avatar|sponsor|build[ _-]?status|coverage|licen[cs]e|gravatar|emoji", re.IGNORECASE
)
_TELLING = re.compile(r"screen[ _-]?(shot|cast|grab)|demo|preview|walkthrough", re.IGNORECASE)
_FOREIGN = re.compile(r"\.svgz?(?:[?#]|$)", re.IGNORECASE)


def shows_screenshot(html: str) -> bool:
    """Whether one of the images is neither badge nor logo nor tiny, so that it shows something of the package.

    Args:
        html: A README as `readme.render` gives it. Drawings (SVG) count where they say what they show.
    """
    return any(_is_screenshot(dict(_ATTRIBUTE.findall(image[1]))) for image in _IMAGE.finditer(html))


def _is_screenshot(attributes: dict[str, str]) -> bool:
    source = html_module.unescape(attributes.get("src", ""))
    shown = f"{source} {attributes.get('alt', '')}"
    if not source.lower().startswith(("http://", "https://")) or _BADGE.search(source) or _is_small(attributes):
        return False
    if _TELLING.search(shown):
        return True
    return not _ORNAMENT.search(shown) and not _FOREIGN.search(source)


def _is_small(attributes: dict[str, str]) -> bool:
    sides = (_PIXELS.fullmatch(attributes.get(name, "")) for name in ("width", "height"))
    return any(int(side[1]) < SMALLEST_SIDE for side in sides if side)
