"""A wording: one choice of words for the words of a query, with the documents that have them all.

What a document is worth under a wording follows from the places of the words in it. Without looking at places it is
known which documents there are, and what each is worth at most; what it is worth is found out for those alone of which
it matters.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pyf_pipeline.embedded.arrays import BoolArray, IntArray
from pyf_pipeline.embedded.postings import NO_POSTINGS, Postings, Runs, joined
from pyf_pipeline.embedded.scoring import ALONE, Asked, Rules, field_scores, highest_scores, is_alone, with_cost
from pyf_pipeline.embedded.spelling import SearchField
from pyf_pipeline.embedded.view import View

MAX_WEIGHT = 15
LENGTH_SHIFT = 59

Counts = npt.NDArray[np.uint16]
Row = list[Postings]
"""A word's postings, field by field."""


@dataclass(frozen=True, slots=True)
class Weighing:
    """How the scores of fields make up the score of a document.

    Attributes:
        match_type: Whether the best field decides ("max_score"), the heaviest ("max_weight"), or all ("sum_score").
        count_fields: Whether it counts in how many fields there is anything.
        rules: What counts in a field.
    """

    match_type: str = "max_score"
    count_fields: bool = True
    rules: Rules = field(default_factory=Rules)


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a wording.

    Attributes:
        required: The postings of those that a document must have, in whichever field; a word that is nowhere does not
            count against it.
        optional: Of those that count where they are.
        cost: Of typos and prefixes together.
        repeated: Whether a word is among them twice.
    """

    required: list[Row]
    optional: list[Row]
    cost: int
    repeated: bool


@dataclass(frozen=True, slots=True)
class Wording:
    """One choice of words.

    Attributes:
        asked: What is asked of each field.
        rows: The words' postings; those that every document has, then those that count where they are.
        cost: Of typos and prefixes together.
        documents: The documents, ascending.
        present: Per field how many of the words each has there; None where none has any.
        highest: What each document is worth at most.
        uncertain: Which of them may be worth less.
    """

    asked: list[Asked]
    rows: list[Row]
    cost: int
    documents: IntArray
    present: list[Counts | None]
    highest: IntArray
    uncertain: BoolArray

    def find(self, documents: IntArray) -> tuple[IntArray, BoolArray]:
        """Where documents stand in the wording, and which of them do."""
        at = self.documents.searchsorted(documents)
        at[at == len(self.documents)] = 0
        return at, self.documents[at] == documents


@dataclass(frozen=True, slots=True)
class Lookup:
    """Looks wordings up.

    Attributes:
        connection: Sees the view's version.
        view: The documents.
        fields: The searched ones.
        weighing: How their scores are put together.
        allowed: The documents that may match; None for all.
    """

    connection: sqlite3.Connection
    view: View
    fields: Sequence[SearchField]
    weighing: Weighing
    allowed: BoolArray | None

    def wording(self, words: Words) -> Wording | None:
        """The wording of these words, or None where no document that is allowed has them all."""
        wanted = [row for row in words.required if any(map(len, row))]
        if not wanted:
            return None
        documents, there = _in_all(self.view.size, wanted, self.allowed)
        if not len(documents):
            return None
        also = [row for row in words.optional if any(map(len, row))]
        there += [_presence(self.view.size, row, documents) for row in also]
        asked = [self._asked(each, words) for each in self.fields]
        present = [_counts(row[i] for row in there) for i in range(len(self.fields))]
        scores = [self._highest(i, documents, present[i], asked[i], wanted + also) for i in range(len(self.fields))]
        costly = [None if score is None else with_cost(score, words.cost) for score in scores]
        lengths = np.full(len(documents), len(words.required), dtype=np.int64)
        for row in there[len(wanted) :]:
            lengths += _any(row, len(documents))
        highest = np.minimum(lengths, 15) << LENGTH_SHIFT | self._put_together(costly, len(documents))
        uncertain = self._uncertain(present, len(documents), verbatim=len(there) > 1 and asked[0].verbatim)
        return Wording(asked, wanted + also, words.cost, documents, present, highest, uncertain)

    def _asked(self, each: SearchField, words: Words) -> Asked:
        verbatim = words.cost == 0 and len(words.required) == 1
        is_array = self.view.schema.by_name[each.name].is_array
        return Asked(is_array, verbatim, words.repeated, self.weighing.rules)

    def _highest(
        self, field: int, documents: IntArray, present: Counts | None, asked: Asked, rows: list[Row]
    ) -> IntArray | None:
        """What each document's score in a field is at most; None where there is nothing."""
        if present is None:
            return None
        name = self.fields[field].name
        unknown = np.ones(len(documents), dtype=bool)
        may_be_exact = unknown
        if not asked.is_array:
            lengths = self.view.text_lengths(self.connection, name)[documents]
            unknown = lengths == 0
            may_be_exact = unknown | (lengths == present)
        if len(rows) == 1 and asked.verbatim:
            # A single word: it can be looked up at once whether it is alone.
            some = (unknown & (present > 0)).nonzero()[0]
            if len(some):
                runs = self.view.runs(self.connection, name, rows[0][field], documents[some])
                may_be_exact[some] = is_alone(runs, is_array=asked.is_array)
        return highest_scores(present, may_be_exact, asked, len(rows))

    def _uncertain(self, present: list[Counts | None], size: int, *, verbatim: bool) -> BoolArray:
        """Of which documents the places are to be looked at: those with several words in a field.

        Of those with a single one too, where it matters whether it is alone or how far to the front it is.
        """
        enough = 1 if verbatim or self.weighing.rules.token_position else 2
        uncertain = np.zeros(size, dtype=bool)
        for counts in present:
            if counts is not None:
                uncertain |= counts >= enough
        return uncertain

    def totals(self, parts: list[tuple[Wording, IntArray]]) -> IntArray:
        """What some documents of several wordings are worth, one wording's after the other's."""
        found = np.concatenate([each.highest[which] for each, which in parts])
        uncertain = np.concatenate([each.uncertain[which] for each, which in parts]).nonzero()[0]
        if len(uncertain):
            parts = [(each, which[each.uncertain[which]]) for each, which in parts]
            costs = np.repeat([each.cost for each, _ in parts], [len(which) for _, which in parts])
            scores = [self._scores(i, parts, costs) for i in range(len(self.fields))]
            lengths = found[uncertain] >> LENGTH_SHIFT << LENGTH_SHIFT
            found[uncertain] = lengths | self._put_together(scores, len(uncertain))
        return found

    def _scores(self, field: int, parts: list[tuple[Wording, IntArray]], costs: IntArray) -> IntArray | None:
        """The scores in a field; places are read only of those that have several words there."""
        nothing = np.zeros(len(costs), dtype=np.uint16)
        counts = [(each.present[field], which) for each, which in parts]
        present = np.concatenate([nothing[: len(w)] if held is None else held[w] for held, w in counts])
        if not present.any():
            return None
        scores = np.where(present == 1, ALONE, 0)
        wordings = np.repeat(np.arange(len(parts)), [len(which) for _, which in parts])
        # Wordings of one query differ in what is asked only where words were left out.
        for asked in {each.asked[field] for each, _ in parts}:
            alike = np.array([each.asked[field] == asked for each, _ in parts])
            some = (alike[wordings] & (present > asked.simple)).nonzero()[0]
            if len(some):
                bounds = wordings[some].searchsorted(np.arange(len(parts) + 1))
                which = np.concatenate([which for _, which in parts])[some]
                held = [
                    (each, which[low:high]) for (each, _), low, high in zip(parts, bounds, bounds[1:], strict=False)
                ]
                scores[some] = field_scores(self._runs(field, [h for h in held if len(h[1])]), asked)
        return with_cost(scores, costs)

    def _runs(self, field: int, parts: list[tuple[Wording, IntArray]]) -> list[Runs]:
        """The occurrences of the first words of all wordings, of the second words, and so on."""
        name = self.fields[field].name
        found = []
        for number in range(max(len(each.rows) for each, _ in parts)):
            pieces = []
            for each, which in parts:
                postings = each.rows[number][field] if number < len(each.rows) else NO_POSTINGS
                pieces.append(self.view.runs(self.connection, name, postings, each.documents[which]))
            found.append(joined(pieces))
        return found

    def _put_together(self, scores: list[IntArray | None], size: int) -> IntArray:
        """The score of each document below the number of words, of its scores in the fields; None: 0 in all of them."""
        best = np.zeros(size, dtype=np.int64)
        weight = np.zeros(size, dtype=np.int64)
        total = np.zeros(size, dtype=np.int64)
        counted = np.zeros(size, dtype=np.int64)
        by_weight = self.weighing.match_type == "max_weight"
        for found, each in zip(scores, self.fields, strict=True):
            if found is None:
                continue
            there = found > 0
            better = there & (each.weight > weight) if by_weight else found > best
            best = np.where(better, found, best)
            weight[better] = each.weight
            total += found * each.weight
            counted += there
        counted = np.minimum(counted, 7) if self.weighing.count_fields else np.zeros_like(counted)
        bounded = np.minimum(weight, MAX_WEIGHT)
        if by_weight:
            return bounded << 51 | best << 3 | counted
        if self.weighing.match_type == "sum_score":
            return total << 3 | counted
        return best << 11 | bounded << 3 | counted


def _in_all(size: int, rows: list[Row], allowed: BoolArray | None) -> tuple[IntArray, list[list[BoolArray | None]]]:
    """The documents that have all words, and, word by word, which of them have it in each field."""
    rarest_first = sorted(range(len(rows)), key=lambda i: sum(map(len, rows[i])))
    mask = np.zeros(size, dtype=bool)
    for postings in rows[rarest_first[0]]:
        mask[postings.documents] = True
    if allowed is not None:
        mask &= allowed
    documents = mask.nonzero()[0]
    found: dict[int, list[BoolArray | None]] = {}
    for number in rarest_first:
        found[number] = _presence(size, rows[number], documents)
        keep = _any(found[number], len(documents))
        if keep.all():
            continue
        documents = documents[keep]
        if not len(documents):
            return documents, []
        found = {n: [None if held is None else held[keep] for held in row] for n, row in found.items()}
    return documents, [found[number] for number in range(len(rows))]


def _presence(size: int, row: Row, documents: IntArray) -> list[BoolArray | None]:
    """Which of some documents have a word in each field; None for a field where none has it."""
    return [_having(size, postings, documents) if len(postings) else None for postings in row]


def _having(size: int, postings: Postings, documents: IntArray) -> BoolArray:
    if len(documents) * 8 < len(postings):
        return postings.find(documents)[1]
    everywhere = np.zeros(size, dtype=bool)
    everywhere[postings.documents] = True
    return everywhere[documents]


def _any(row: list[BoolArray | None], size: int) -> BoolArray:
    there = np.zeros(size, dtype=bool)
    for held in row:
        if held is not None:
            there |= held
    return there


def _counts(found: Iterable[BoolArray | None]) -> Counts | None:
    """How many of several words each document has; None where none has any."""
    held = [each for each in found if each is not None]
    if not held:
        return None
    counts = held[0].astype(np.uint16)
    for each in held[1:]:
        counts += each
    return counts
