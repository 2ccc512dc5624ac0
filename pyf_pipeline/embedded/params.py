"""Search parameters: read from a request, checked, given their defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pyf_pipeline.embedded.errors import ApiError, UnsupportedError, bad_request
from pyf_pipeline.embedded.facets import FacetOptions
from pyf_pipeline.embedded.highlight import HighlightOptions
from pyf_pipeline.embedded.matching import COMBINATIONS_EXHAUSTIVE, MatchOptions
from pyf_pipeline.embedded.projection import Projection, split_names
from pyf_pipeline.embedded.scoring import Rules
from pyf_pipeline.embedded.wholes import unsigned
from pyf_pipeline.embedded.wordings import Weighing

MAX_PER_PAGE = 250
MAX_GROUP_LIMIT = 99
MAX_QUERY_LENGTH = 4000
MAX_FIELDS = 1000
FEW_DOCUMENTS = 500_000
FILTER_CANDIDATES = 4
"""How many words a prefix in a filter stands for, unless the search says otherwise."""

UNSUPPORTED = (
    "vector_query", "conversation", "conversation_model_id", "voice_query", "nl_query",
    "personalization_model_id", "union", "facet_return_parent",
)  # fmt: skip


class Raw:
    """A request's parameters as texts, whichever way they came."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = {k: text_of(v) for k, v in values.items() if v is not None}

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str, default: str = "") -> str:
        """A parameter's text."""
        return self._values.get(name, default)

    def number(self, name: str, default: int) -> int:
        """A parameter that must be an unsigned integer; raises `ApiError`."""
        text = self._values.get(name)
        if text is None:
            return default
        number = unsigned(text)
        if number is None:
            raise bad_request(f"Parameter `{name}` must be an unsigned integer.")
        return number

    def flag(self, name: str, *, default: bool) -> bool:
        """A parameter that is true or not."""
        text = self._values.get(name)
        return default if text is None else text == "true"

    def names(self, name: str) -> list[str]:
        """A comma-separated parameter."""
        return split_names(self.text(name))


def text_of(value: Any) -> str:
    """A parameter's value as it would stand in an address."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(text_of(v) for v in value)
    return str(value)


@dataclass(frozen=True, slots=True)
class FieldSettings:
    """What is set for each field of `query_by`."""

    weights: list[int] = field(default_factory=list)
    num_typos: list[int] = field(default_factory=list)
    prefix: list[bool] = field(default_factory=list)
    infix: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SearchParams:
    """One search."""

    query: str
    query_by: list[str]
    settings: FieldSettings
    filter_by: str
    sort_by: str
    facet_by: str
    facet_query: str
    group_by: list[str]
    group_limit: int
    group_missing_values: bool
    page: int
    per_page: int
    offset: int
    limit_hits: int
    projection: Projection
    match: MatchOptions
    highlight: HighlightOptions
    facets: FacetOptions
    highlight_fields: list[str]
    highlight_full_fields: list[str]
    highlight_v1: bool
    pinned_hits: str
    hidden_hits: list[str]
    filter_curated_hits: bool
    max_extra: tuple[int, int]
    stopwords: str
    pre_segmented: bool
    filter_candidates: int


def parse_params(values: Mapping[str, Any], num_documents: int) -> SearchParams:
    """The parameters of a search over a collection of that size; raises `ApiError`."""
    raw = Raw(values)
    _refuse_unsupported(raw)
    query = raw.text("q")
    if len(query) > MAX_QUERY_LENGTH:
        raise bad_request(
            f"Query string exceeds max allowed length of {MAX_QUERY_LENGTH}. "
            "Use the /multi_search end-point for larger payloads."
        )
    page = raw.number("page", 0)
    per_page = raw.number("per_page", raw.number("limit", 0 if raw.text("facet_query") else 10))
    parsed = SearchParams(
        query=query, query_by=raw.names("query_by"), settings=_settings(raw), filter_by=raw.text("filter_by"),
        sort_by=raw.text("sort_by"), facet_by=raw.text("facet_by"), facet_query=raw.text("facet_query"),
        group_by=raw.names("group_by"), group_limit=raw.number("group_limit", 3),
        group_missing_values=raw.flag("group_missing_values", default=True), page=page, per_page=per_page,
        offset=raw.number("offset", 0), limit_hits=raw.number("limit_hits", 2**31 - 1),
        projection=Projection.parse(raw.text("include_fields"), raw.text("exclude_fields")),
        match=_match_options(raw, num_documents), highlight=_highlight_options(raw), facets=_facet_options(raw),
        highlight_fields=raw.names("highlight_fields"), highlight_full_fields=raw.names("highlight_full_fields"),
        highlight_v1=raw.flag("enable_highlight_v1", default=True), pinned_hits=raw.text("pinned_hits"),
        hidden_hits=raw.names("hidden_hits"), filter_curated_hits=raw.flag("filter_curated_hits", default=False),
        max_extra=(raw.number("max_extra_prefix", 2**15), raw.number("max_extra_suffix", 2**15)),
        stopwords=raw.text("stopwords"), pre_segmented=raw.flag("pre_segmented_query", default=False),
        filter_candidates=min(raw.number("max_filter_by_candidates", FILTER_CANDIDATES), COMBINATIONS_EXHAUSTIVE),
    )  # fmt: skip
    _check(parsed)
    return parsed


def _refuse_unsupported(raw: Raw) -> None:
    for name in UNSUPPORTED:
        if raw.text(name) not in {"", "false"}:
            raise UnsupportedError(f"Parameter `{name}`")
    if not raw.flag("validate_field_names", default=True):
        raise UnsupportedError("Parameter `validate_field_names` as false")


def _settings(raw: Raw) -> FieldSettings:
    def numbers(name: str) -> list[int]:
        values = [unsigned(v) for v in raw.names(name)]
        if None in values:
            raise bad_request(f"Parameter `{name}` must be a list of unsigned integers.")
        return [v for v in values if v is not None]

    infix = raw.names("infix") or ["off"]
    if not set(infix) <= {"off", "always", "fallback"}:
        raise bad_request("Parameter `infix` must be one of: off, always, fallback.")
    return FieldSettings(
        weights=numbers("query_by_weights"), num_typos=numbers("num_typos") or [2],
        prefix=[p == "true" for p in raw.names("prefix")] or [True], infix=infix,
    )  # fmt: skip


def _match_options(raw: Raw, num_documents: int) -> MatchOptions:
    exhaustive = raw.flag("exhaustive_search", default=False)
    candidates = raw.number("max_candidates", 0)
    if not candidates:
        candidates = COMBINATIONS_EXHAUSTIVE if exhaustive else 10 if num_documents < FEW_DOCUMENTS else 4
    mode, limit = _drop_mode(raw.text("drop_tokens_mode", "right_to_left"))
    return MatchOptions(
        typo_tokens_threshold=raw.number("typo_tokens_threshold", 1),
        drop_tokens_threshold=raw.number("drop_tokens_threshold", 1),
        max_candidates=min(candidates, COMBINATIONS_EXHAUSTIVE),
        min_len_1typo=raw.number("min_len_1typo", 4), min_len_2typo=raw.number("min_len_2typo", 7),
        exhaustive=exhaustive, split_join=_one_of(raw, "split_join_tokens", ("fallback", "always", "off")),
        typos_in_numbers=raw.flag("enable_typos_for_numerical_tokens", default=True),
        typos_in_mixed=raw.flag("enable_typos_for_alpha_numerical_tokens", default=True), drop_mode=mode,
        drop_both_limit=limit,
        weighing=_weighing(raw),
    )  # fmt: skip


def _weighing(raw: Raw) -> Weighing:
    return Weighing(
        match_type=_one_of(raw, "text_match_type", ("max_score", "max_weight", "sum_score")),
        count_fields=raw.flag("prioritize_num_matching_fields", default=True),
        rules=Rules(
            exact_match=raw.flag("prioritize_exact_match", default=True),
            token_position=raw.flag("prioritize_token_position", default=False),
        ),
    )


def _drop_mode(text: str) -> tuple[str, int]:
    mode, colon, limit = text.partition(":")
    number = unsigned(limit) if colon else 1000
    if mode not in {"right_to_left", "left_to_right", "both_sides"} or number is None:
        raise bad_request("Invalid format for drop tokens mode.")
    return mode, number


def _one_of(raw: Raw, name: str, allowed: tuple[str, ...]) -> str:
    value = raw.text(name, allowed[0])
    value = {"true": "always", "false": "off"}.get(value, value) if name == "split_join_tokens" else value
    if value not in allowed:
        raise bad_request(f"Parameter `{name}` must be one of {', '.join(allowed)}.")
    return value


def _highlight_options(raw: Raw) -> HighlightOptions:
    return HighlightOptions(
        start_tag=raw.text("highlight_start_tag", "<mark>"), end_tag=raw.text("highlight_end_tag", "</mark>"),
        affix_tokens=raw.number("highlight_affix_num_tokens", 4),
        snippet_threshold=raw.number("snippet_threshold", 30),
    )  # fmt: skip


def _facet_options(raw: Raw) -> FacetOptions:
    return FacetOptions(
        max_values=raw.number("max_facet_values", 10),
        query_typos=raw.number("facet_query_num_typos", 2),
        strategy=_one_of(raw, "facet_strategy", ("automatic", "exhaustive", "top_values")),
        start_tag=raw.text("highlight_start_tag", "<mark>"), end_tag=raw.text("highlight_end_tag", "</mark>"),
    )  # fmt: skip


def _check(parsed: SearchParams) -> None:
    if parsed.query != "*" and not parsed.query_by:
        raise bad_request("No search fields specified for the query.")
    fields = len(parsed.query_by)
    if fields > MAX_FIELDS:
        raise bad_request(f"Parameter `query_by` has too many fields. Maximum allowed: {MAX_FIELDS}.")
    if fields and parsed.settings.weights and len(parsed.settings.weights) != fields:
        raise bad_request("Number of weights in `query_by_weights` does not match number of `query_by` fields.")
    if parsed.group_by and not 1 <= parsed.group_limit <= MAX_GROUP_LIMIT:
        raise bad_request(f"Value of `group_limit` must be between 1 and {MAX_GROUP_LIMIT}.")
    settings = parsed.settings
    lengths = {"num_typos": len(settings.num_typos), "prefix": len(settings.prefix), "infix": len(settings.infix)}
    for name, given in lengths.items():
        if fields and given not in {1, fields}:
            what = "values in `num_typos`" if name == "num_typos" else f"{name} values in `{name}`"
            raise bad_request(f"Number of {what} does not match number of `query_by` fields.")


def check_paging(parsed: SearchParams) -> None:
    """Raises 422 where more is asked for than is given at once."""
    if parsed.per_page > MAX_PER_PAGE:
        raise ApiError(422, f"Only upto {MAX_PER_PAGE} hits can be fetched per page.")
    if first_hit(parsed) + parsed.per_page > parsed.limit_hits:
        raise ApiError(
            422,
            f"Only upto {parsed.limit_hits} hits can be fetched. "
            "Ensure that `page` and `per_page` parameters are within this range.",
        )


def first_hit(parsed: SearchParams) -> int:
    """How many hits come before those asked for."""
    if not parsed.page and parsed.offset:
        return parsed.offset
    return parsed.per_page * (max(parsed.page, 1) - 1)
