"""How near the words of a query are to each other in a text: the best window of ten words.

Works on one document at a time; `scoring` has the fast way for the common case of two words.
"""

from dataclasses import dataclass, field

WINDOW = 10
NOWHERE = 0xFFFF


@dataclass(frozen=True, slots=True)
class TokenPlaces:
    """Where one token is in a text; `is_last`: it is the text's last word."""

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
    """The window with the most tokens and, of those, the narrowest."""
    considered = tokens[:WINDOW]
    window = [(t.places[0], i, 0) for i, t in enumerate(considered)]
    match = Match(places=[place for place, _, _ in window])
    best = None
    before = -1
    while len(window) > 1:
        window.sort(key=lambda e: -e[0])
        lowest = window[-1][0]
        if lowest < before:
            break
        before = lowest
        inside = [e for e in window if e[0] - lowest <= WINDOW]
        spread = inside[0][0] - lowest
        if len(inside) > match.words or (len(inside) == match.words and (best is None or spread < best)):
            best = spread
            match.words = len(inside)
            match.furthest = min(255, window[0][0])
            match.places = _placed(inside, len(considered))
        if match.words == len(considered) and best == len(window) - 1:
            break
        _, token, index = window.pop()
        if index + 1 < len(considered[token].places):
            window.append((considered[token].places[index + 1], token, index + 1))
    match.distance = best or 0
    match.exact = _is_exact(tokens, match.distance)
    return match


def _placed(inside: list[tuple[int, int, int]], count: int) -> list[int]:
    places = [NOWHERE] * count
    for place, token, _ in inside:
        places[token] = place
    return places


def _is_exact(tokens: list[TokenPlaces], distance: int) -> bool:
    count = len(tokens)
    if distance > count - 1:
        return False
    last = -1
    total = 0
    for token in tokens:
        if token.is_last:
            last = token.places[-1]
        total += len(token.places)
        if total > count and distance == count - 1:
            return False
    if last != count - 1:
        return False
    return total == count if distance == count - 1 else True
