"""What a collection's fields are: types, options, and how a definition is read and written."""

import re
from dataclasses import dataclass, field, replace
from typing import Any, Self

from pyf_pipeline.embedded.errors import ApiError, UnsupportedError, bad_request
from pyf_pipeline.embedded.patterns import compiled
from pyf_pipeline.embedded.stemming import has_stems

STRING, STRINGS = "string", "string[]"
NUMBERS = {"int32", "int64", "float", "int32[]", "int64[]", "float[]"}
BOOLS = {"bool", "bool[]"}
OBJECTS = {"object", "object[]"}
DYNAMIC = {"auto", "string*"}
CHARACTERS = ("token_separators", "symbols_to_index")
TYPES = {STRING, STRINGS, *NUMBERS, *BOOLS, *OBJECTS, *DYNAMIC}
UNSUPPORTED_TYPES = {"geopoint", "geopoint[]", "geopolygon", "image"}
UNSUPPORTED_OPTIONS = ("embed", "reference", "num_dim", "async_reference", "vec_dist")
WITHOUT_SPACES = {"ja", "jp", "ko", "km", "lo", "my", "th", "zh"}
"""Locales in which words are not told apart by spaces alone."""

_LOCALE = re.compile(r"[a-z]{2,3}\Z")

# What a value may be as it comes out of JSON.
NOTHING: frozenset[type] = frozenset()
_VALUES: dict[str, frozenset[type]] = {
    "string": frozenset({str}), "int32": frozenset({int}), "int64": frozenset({int}),
    "float": frozenset({int, float}), "bool": frozenset({bool}),
}  # fmt: skip
_ITEMS = {f"{kind}[]": types for kind, types in _VALUES.items()}

FIELDS_FORMAT = (
    "Wrong format for `fields`. It should be an array of objects containing `name`, `type`, "
    "`optional` and `facet` properties."
)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a collection, with its options."""

    name: str
    type: str
    facet: bool = False
    optional: bool = False
    index: bool = True
    sort: bool = False
    infix: bool = False
    store: bool = True
    stem: bool = False
    range_index: bool = False
    locale: str = ""
    stem_dictionary: str = ""
    token_separators: tuple[str, ...] = ()
    symbols_to_index: tuple[str, ...] = ()
    nested: bool = False

    @property
    def is_array(self) -> bool:
        """Whether a document holds a list of values."""
        return self.type.endswith("[]")

    @property
    def is_string(self) -> bool:
        """Whether it holds text that is searched by words."""
        return self.type in {STRING, STRINGS}

    @property
    def is_number(self) -> bool:
        """Whether it holds integers or floats."""
        return self.type in NUMBERS

    @property
    def is_float(self) -> bool:
        """Whether it holds floats."""
        return self.type.startswith("float")

    @property
    def is_bool(self) -> bool:
        """Whether it holds true and false."""
        return self.type in BOOLS

    @property
    def is_object(self) -> bool:
        """Whether it holds objects, of which the inner fields are indexed."""
        return self.type in OBJECTS

    @property
    def is_pattern(self) -> bool:
        """Whether it stands for fields yet to be seen."""
        return "*" in self.name or self.type in DYNAMIC

    def holds(self, value: Any) -> bool:
        """Whether a value can be indexed as it is."""
        if self.type in _ITEMS:
            return type(value) is list and _ITEMS[self.type].issuperset(map(type, value))
        return fits(self.type, value)

    def to_json(self) -> dict[str, Any]:
        """As the API shows it."""
        shown: dict[str, Any] = {
            "facet": self.facet, "index": self.index, "infix": self.infix, "locale": self.locale,
            "name": self.name, "optional": self.optional, "sort": self.sort, "stem": self.stem,
            "stem_dictionary": self.stem_dictionary, "store": self.store, "type": self.type,
        }  # fmt: skip
        if self.range_index:
            shown["range_index"] = True
        for key in CHARACTERS:
            if getattr(self, key):
                shown[key] = list(getattr(self, key))
        return shown

    @classmethod
    def stored(cls, raw: dict[str, Any], *, nested_enabled: bool) -> Self:
        """The field that `to_json` wrote."""
        characters = {key: tuple(raw[key]) for key in CHARACTERS if key in raw}
        return cls(**{**raw, **characters}, nested="." in raw["name"] and nested_enabled)


def fits(kind: str, value: Any) -> bool:
    """Whether a JSON value is of a field's type as it stands."""
    return type(value) in _VALUES.get(kind, NOTHING)


def sorts_by_default(kind: str) -> bool:
    """Whether fields of a type can be sorted by unless said otherwise."""
    return kind in {"int32", "int64", "float", "bool"}


def parse_field(raw: Any, *, nested_enabled: bool, prefix: str = "") -> Field:
    """A field from its JSON; raises `ApiError` with what is wrong with it."""
    if not isinstance(raw, dict) or not isinstance(raw.get("name"), str) or not isinstance(raw.get("type"), str):
        raise bad_request(FIELDS_FORMAT)
    name, kind = raw["name"], raw["type"]
    _check_type(name, kind, nested_enabled=nested_enabled)
    _check_options(name, raw)
    dynamic = "*" in name or kind in DYNAMIC
    flags = {
        key: _flag(raw, key) for key in ("facet", "optional", "index", "sort", "infix", "store", "stem", "range_index")
    }
    found = Field(
        name=prefix + name,
        type=kind,
        facet=bool(flags["facet"]),
        optional=bool(flags["optional"]) or dynamic or not (flags["index"] is None or flags["index"]),
        index=flags["index"] is not False,
        sort=sorts_by_default(kind) if flags["sort"] is None else flags["sort"],
        infix=bool(flags["infix"]),
        store=flags["store"] is not False,
        stem=bool(flags["stem"]) or bool(raw.get("stem_dictionary")),
        range_index=bool(flags["range_index"]),
        locale=_locale(raw),
        stem_dictionary=raw.get("stem_dictionary") or "",
        token_separators=_characters(raw, "token_separators"),
        symbols_to_index=_characters(raw, "symbols_to_index"),
        nested="." in name and nested_enabled,
    )
    if flags["index"] is False and flags["optional"] is False:
        raise bad_request(f"Field `{name}` must be optional since it is marked as non-indexable.")
    return found


def _check_type(name: str, kind: str, *, nested_enabled: bool) -> None:
    if kind in UNSUPPORTED_TYPES:
        raise UnsupportedError(f"Field `{name}`: type `{kind}`")
    if kind not in TYPES:
        raise bad_request(f"Field `{name}` has an invalid data type `{kind}`, see docs for supported data types.")
    if kind in OBJECTS and not nested_enabled:
        raise bad_request(
            "Type `object` or `object[]` can be used only when nested fields are enabled by setting"
            "` enable_nested_fields` to true."
        )


def _check_options(name: str, raw: dict[str, Any]) -> None:
    for option in UNSUPPORTED_OPTIONS:
        if raw.get(option):
            raise UnsupportedError(f"Field `{name}`: option `{option}`")
    if not isinstance(raw.get("stem_dictionary", ""), str):
        raise bad_request(f"The `stem_dictionary` property of the field `{name}` should be a string.")
    if not raw.get("stem") and not raw.get("stem_dictionary"):
        return
    if raw["type"] in NUMBERS | BOOLS:
        raise bad_request("The `stem` property is only allowed for string and string[] fields.")
    if not raw.get("stem_dictionary") and not has_stems(_locale(raw)):
        raise UnsupportedError(f"Field `{name}`: stemming in locale `{raw['locale']}`")


def _flag(raw: dict[str, Any], key: str) -> bool | None:
    value = raw.get(key)
    if value is not None and not isinstance(value, bool):
        raise bad_request(f"The `{key}` property of the field `{raw['name']}` should be a boolean.")
    return value


def _locale(raw: dict[str, Any]) -> str:
    locale = raw.get("locale", "")
    if not isinstance(locale, str):
        raise bad_request(f"The `locale` property of the field `{raw['name']}` should be a string.")
    if locale and (locale in WITHOUT_SPACES or not _LOCALE.match(locale)):
        raise UnsupportedError(f"Field `{raw['name']}`: locale `{locale}`")
    return locale


@dataclass(frozen=True, slots=True)
class Schema:
    """A collection's definition; `fields` in the order in which they were declared or detected."""

    name: str
    fields: tuple[Field, ...]
    default_sorting_field: str = ""
    enable_nested_fields: bool = False
    token_separators: tuple[str, ...] = ()
    symbols_to_index: tuple[str, ...] = ()
    by_name: dict[str, Field] = field(default_factory=dict, compare=False)
    searchable: dict[str, Field] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        """Indexes the fields by name: all, and those that filters, sorts and searches can name, which no pattern is."""
        self.by_name.update({f.name: f for f in self.fields})
        self.searchable.update({f.name: f for f in self.fields if not f.is_pattern})

    @property
    def patterns(self) -> list[Field]:
        """The fields that stand for fields yet to be seen."""
        return [f for f in self.fields if f.is_pattern]

    def with_fields(self, fields: tuple[Field, ...]) -> Self:
        """The same collection with other fields."""
        return replace(self, fields=fields, by_name={}, searchable={})

    def to_json(self) -> dict[str, Any]:
        """The definition as the API shows it and as it is stored."""
        return {
            "default_sorting_field": self.default_sorting_field,
            "enable_nested_fields": self.enable_nested_fields,
            "fields": [f.to_json() for f in self.fields],
            "name": self.name,
            "symbols_to_index": list(self.symbols_to_index),
            "token_separators": list(self.token_separators),
        }

    @classmethod
    def stored(cls, raw: dict[str, Any]) -> Self:
        """The definition that `to_json` wrote."""
        nested = bool(raw["enable_nested_fields"])
        fields = tuple(Field.stored(f, nested_enabled=nested) for f in raw["fields"])
        return cls(
            name=raw["name"], fields=fields, default_sorting_field=raw["default_sorting_field"],
            enable_nested_fields=nested, token_separators=tuple(raw["token_separators"]),
            symbols_to_index=tuple(raw["symbols_to_index"]),
        )  # fmt: skip


def parse_schema(raw: Any) -> Schema:
    """A collection's definition from the body of its creation; raises `ApiError`."""
    name = parse_name(raw)
    nested = raw.get("enable_nested_fields", False)
    if not isinstance(nested, bool):
        raise bad_request("Parameter `enable_nested_fields` must be a boolean.")
    if not isinstance(raw.get("fields"), list):
        raise bad_request("Parameter `fields` is required." if "fields" not in raw else FIELDS_FORMAT)
    if not raw["fields"]:
        raise bad_request(
            "The `fields` value should be an array of objects containing "
            "`name`, `type`, `optional` and `facet` properties."
        )
    if raw.get("voice_query_model"):
        raise UnsupportedError("`voice_query_model`")
    fields = tuple(parse_field(f, nested_enabled=nested) for f in raw["fields"] if not _is_id(f))
    schema = Schema(
        name=name, fields=fields, default_sorting_field=_default_sort(raw, fields), enable_nested_fields=nested,
        token_separators=_characters(raw, "token_separators"), symbols_to_index=_characters(raw, "symbols_to_index"),
    )  # fmt: skip
    _check_fields(fields)
    return schema


def _is_id(raw: Any) -> bool:
    return isinstance(raw, dict) and raw.get("name") == "id"


def parse_name(raw: Any) -> str:
    """A collection's name from the body of its creation; raises `ApiError`."""
    if not isinstance(raw, dict):
        raise bad_request("Bad JSON.")
    if "name" not in raw:
        raise bad_request("Parameter `name` is required.")
    if not isinstance(raw["name"], str) or not raw["name"]:
        raise bad_request("Parameter `name` must be a non-empty string.")
    name: str = raw["name"]
    return name


def _characters(raw: dict[str, Any], key: str) -> tuple[str, ...]:
    values = raw.get(key, [])
    if not isinstance(values, list) or not all(map(_is_symbol, values)):
        raise bad_request(f"Parameter `{key}` must be an array of character symbols.")
    return tuple(values)


def _is_symbol(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 1 and value.isascii() and value != "\0"


def _default_sort(raw: dict[str, Any], fields: tuple[Field, ...]) -> str:
    name = raw.get("default_sorting_field", "")
    if not isinstance(name, str):
        raise bad_request("`default_sorting_field` should be a string. It should be the name of an int32/float field.")
    if not name:
        return ""
    found = next((f for f in fields if f.name == name), None)
    if found is None:
        raise bad_request(f"Default sorting field is defined as `{name}` but is not found in the schema.")
    if not found.sort or found.is_array:
        raise bad_request(f"Default sorting field `{name}` is not a sortable type.")
    if found.optional:
        raise bad_request(f"Default sorting field `{name}` cannot be an optional field.")
    return name


def _check_fields(fields: tuple[Field, ...]) -> None:
    seen: set[str] = set()
    for each in fields:
        if each.name in seen:
            raise bad_request(f"There are duplicate field names in the schema: `{each.name}`.")
        seen.add(each.name)
        if each.is_pattern and each.name != ".*":
            _check_pattern(each.name)


def _check_pattern(name: str) -> None:
    try:
        compiled(name)
    except re.error as error:
        raise ApiError(400, f"Invalid field name pattern `{name}`: {error}.") from error
