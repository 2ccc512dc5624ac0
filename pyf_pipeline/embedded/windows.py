"""How near the words of a query are to each other in a text, one text at a time; `sliding` does many at once.

A window begins with an occurrence of any of the words and reaches ten places on. Of each word the first occurrence from
there on counts. The best window has the most words and, of those, is the narrowest; among equals the first one is.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

WINDOW = 10
NOWHERE = 0xFFFF


@dataclass(frozen=True, slots=True)
class TokenPlaces:
    """Where one token is in a text, ascending; `is_last`: it is the text's last word."""

    places: list[int]
    is_last: bool


@dataclass(slots=True)
class Match:
    """The best window.

    Attributes:
        words: How many tokens are in it.
        distance: How far they are apart, added up.
        exact: Whether the text is made of these tokens alone.
        furthest: The place of the last token in it, at most 255.
        places: Per token its place in the window; `NOWHERE` where it is outside.
    """

    words: int = 1
    distance: int = 0
    exact: bool = False
    furthest: int = 0
    places: list[int] = field(default_factory=list)


def best_window(tokens: list[TokenPlaces]) -> Match:
    """The best window of tokens that are all in the text; only the first ten can be in it."""
    considered = tokens[:WINDOW]
    best = Match(places=[t.places[0] for t in considered])
    if len(considered) == 1:
        best.exact = _is_whole_text(tokens, 0)
        return best
    merit = (0, 0)
    for start, following in _windows(considered):
        inside = {token: place for token, place in following.items() if place - start <= WINDOW}
        width = max(inside.values()) - start
        if (len(inside), -width) > merit:
            merit = len(inside), -width
            places = [inside.get(token, NOWHERE) for token in range(len(considered))]
            best = Match(len(inside), width, furthest=min(255, max(following.values())), places=places)
        # Side by side: of a word that was asked for twice a narrower window may come, but is not looked for any more.
        if merit == (len(considered), 1 - len(considered)):
            break
    best.exact = _is_whole_text(tokens, best.distance)
    return best


def _windows(tokens: list[TokenPlaces]) -> Iterator[tuple[int, dict[int, int]]]:
    """Where each window begins, and the next place of every token that still comes, while two of them do."""
    starts = sorted((place, token) for token, each in enumerate(tokens) for place in each.places)
    ahead = [iter(t.places) for t in tokens]
    following = {token: next(places) for token, places in enumerate(ahead)}
    for start, token in starts:
        if len(following) < 2:
            return
        yield start, following
        place = next(ahead[token], None)
        if place is None:
            del following[token]
        else:
            following[token] = place


def _is_whole_text(tokens: list[TokenPlaces], distance: int) -> bool:
    """Whether a text ends where it would if it were the tokens alone, and they are as close as they would be then.

    Closer still are words that were asked for twice; how often they are in the text is of no account then.
    """
    gaps = len(tokens) - 1
    ends_there = any(t.is_last and t.places[-1] == gaps for t in tokens)
    occurrences = sum(len(t.places) for t in tokens)
    return ends_there and (distance < gaps or (distance == gaps and occurrences == len(tokens)))
