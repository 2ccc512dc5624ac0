"""The language of `filter_by`: from text to a tree of conditions.

`&&` and `||` have the same precedence and are taken from left to right, as Typesense takes them; parentheses group.
What is wrong with a filter is said in Typesense's words (`ApiError`, 400); no text makes the parser fail otherwise.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from pyf_pipeline.embedded.errors import ApiError, UnsupportedError, bad_request
from pyf_pipeline.embedded.schema import Field, Schema
from pyf_pipeline.embedded.wholes import within_bits

MAX_OPERATIONS = 100
MAX_LENGTH = 100_000

_INTEGER = re.compile(r"[+-]?[0-9]+\Z")
_FLOAT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\Z")

EQUALS, NOT_EQUALS, RANGE = "=", "!=", ".."


@dataclass(frozen=True, slots=True)
class IdCondition:
    """The document's `id` is one of these; with `*` among them, any."""

    ids: tuple[str, ...]
    negated: bool
    position: int


@dataclass(frozen=True, slots=True)
class NumberCondition:
    """A number compares in one of these ways; two `..` in a row are the bounds of a range."""

    field: str
    comparisons: tuple[tuple[str, str], ...]
    negated: bool
    position: int


@dataclass(frozen=True, slots=True)
class BoolCondition:
    """A truth value is one of these."""

    field: str
    values: tuple[bool, ...]
    negated: bool
    position: int


@dataclass(frozen=True, slots=True)
class TextCondition:
    """A text holds all words of one of these values, or (`exact`) is made of them; `*` at the end is a prefix."""

    field: str
    values: tuple[str, ...]
    exact: bool
    negated: bool
    position: int


@dataclass(frozen=True, slots=True)
class ObjectCondition:
    """Some object at `parent` fulfils a condition as a whole, whose fields are named from the top."""

    parent: str
    inner: "Condition"
    negated: bool
    position: int


@dataclass(frozen=True, slots=True)
class Combination:
    """Both conditions hold (`&&`) or one of them does (`||`)."""

    operator: str
    left: "Condition"
    right: "Condition"


Condition = IdCondition | NumberCondition | BoolCondition | TextCondition | ObjectCondition | Combination

_OBJECT = re.compile(r"\s*([^:{}]+?)\.\{(.*)\}\s*\Z", re.DOTALL)


def parse_filter(text: str, schema: Schema, *, within: str = "") -> Condition | None:
    """The tree of a filter, or None where the text is blank; raises `ApiError`.

    Args:
        text: As it came.
        schema: Of the documents.
        within: The objects that it is about, such as `ingredients.`; its fields are named from there.
    """
    if not text.strip(" "):
        return None
    if len(text) > MAX_LENGTH:
        raise bad_request(f"Parameter `filter_by` has too many characters. Maximum allowed: {MAX_LENGTH}.")
    postfix = _postfix(_tokens(text))
    if len(postfix) > MAX_OPERATIONS:
        raise bad_request(
            f"`filter_by` has too many operations. Maximum allowed: {MAX_OPERATIONS}. "
            "Use `--filter-by-max-ops` command line argument to customize this value."
        )
    return _tree(postfix, schema, within)


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    position: int

    @property
    def is_operator(self) -> bool:
        return self.text in {"&&", "||"}


def _tokens(text: str) -> list[_Token]:
    found = []
    i = 0
    while i < len(text):
        character = text[i]
        if character == " ":
            i += 1
        elif character in "()":
            found.append(_Token(character, i))
            i += 1
        elif character in "&|":
            if text[i + 1 : i + 2] != character:
                raise bad_request("Could not parse the filter filter_query.", i)
            found.append(_Token(character * 2, i))
            i += 2
        else:
            end = _expression_end(text, i)
            found.append(_Token(text[i:end].strip(), i))
            i = end
    return [t for t in found if t.text]


def _expression_end(text: str, start: int) -> int:
    """Where the condition that begins here ends: at a parenthesis or operator outside backticks."""
    if text.startswith(("$", "!$"), start):
        raise UnsupportedError("Filtering by a reference to another collection")
    ticked = after_colon = geo = False
    i, character = start, text[start]
    while True:
        after_colon = after_colon or character == ":"
        geo = geo and character != ")"
        if character == "{" and not ticked and not after_colon and text[i - 1 : i] == ".":
            return _object_end(text, start, i)
        i += 1
        character = text[i : i + 1]
        ticked ^= character == "`"
        if after_colon and character == "(":
            geo, after_colon = True, False
        elif after_colon and character != " ":
            after_colon = False
        if i >= len(text):
            return len(text)
        if not ticked and not geo and (character in "()" or text[i : i + 2] in {"&&", "||"}):
            return i


def _object_end(text: str, start: int, brace: int) -> int:
    """Where the condition on an object that begins here ends: after the brace that closes it, outside backticks."""
    ticked, depth = False, 0
    for i in range(brace, len(text)):
        ticked ^= text[i] == "`"
        if not ticked:
            depth += (text[i] == "{") - (text[i] == "}")
        if not depth:
            return i + 1
    raise bad_request("Could not parse the filter query: unbalanced braces.", start)


def _postfix(tokens: list[_Token]) -> list[_Token]:
    output: list[_Token] = []
    stack: list[_Token] = []
    for token in tokens:
        if token.is_operator:
            while stack and stack[-1].text != "(":
                output.append(stack.pop())
            stack.append(token)
        elif token.text == "(":
            stack.append(token)
        elif token.text == ")":
            while stack and stack[-1].text != "(":
                output.append(stack.pop())
            if not stack:
                raise _unbalanced(token)
            stack.pop()
        else:
            output.append(token)
    if opened := next((t for t in stack if t.text == "("), None):
        raise _unbalanced(opened)
    return output + stack[::-1]


def _unbalanced(token: _Token) -> ApiError:
    return bad_request("Could not parse the filter query: unbalanced parentheses.", token.position)


def _tree(postfix: list[_Token], schema: Schema, within: str) -> Condition:
    stack: list[Condition] = []
    for token in postfix:
        if not token.is_operator:
            stack.append(_located(token, schema, within))
            continue
        if len(stack) < 2:
            raise bad_request(f"Could not parse the filter query: unbalanced `{token.text}` operands.", token.position)
        right = stack.pop()
        stack.append(Combination(token.text, stack.pop(), right))
    if not stack:
        raise bad_request("Filter query cannot be empty.")
    return stack[-1]


def _located(token: _Token, schema: Schema, within: str) -> Condition:
    if found := _OBJECT.match(token.text):
        return _object_condition(found, token, schema, within)
    try:
        return _condition(token, schema, within)
    except ApiError as error:
        error.position = token.position
        raise


def _object_condition(found: re.Match[str], token: _Token, schema: Schema, within: str) -> ObjectCondition:
    if within:
        raise UnsupportedError("A filter on objects within another such filter")
    parent, begin = found[1].strip(), token.position + found.start(2)
    if not any(name.startswith(f"{parent}.") for name in schema.searchable):
        raise bad_request(f"Could not find a filter field named `{parent}` in the schema.", token.position)
    try:
        inner = parse_filter(found[2], schema, within=f"{parent}.")
    except ApiError as error:
        error.position = begin + (error.position or 0)
        raise
    if inner is None:
        raise bad_request("Filter query cannot be empty.", begin)
    return ObjectCondition(parent, inner, negated=False, position=token.position)


def _condition(token: _Token, schema: Schema, within: str) -> Condition:
    name, colon, value = token.text.partition(":")
    if not colon:
        raise bad_request("Could not parse the filter query.")
    name, value = within + name.strip(), value.strip()
    if name == "id":
        return _id_condition(value, token.position)
    field = schema.searchable.get(name)
    if field is None:
        raise bad_request(f"Could not find a filter field named `{name}` in the schema.")
    if not field.index:
        raise bad_request(f"Cannot filter on non-indexed field `{name}`.")
    for applies, make in _MAKERS:
        if applies(field):
            return make(field, value, token.position)
    raise bad_request(
        f"Error with filter field `{name}`: Unidentified field data type, see docs for supported data types."
    )


def _id_condition(value: str, position: int) -> IdCondition:
    empty = bad_request("Error with filter field `id`: Filter value cannot be empty.")
    negated = value.startswith("!=")
    if negated or value.startswith("="):
        value = value[2 if negated else 1 :].lstrip(" ")
    if not value:
        raise empty
    listed = value.startswith("[") and value.endswith("]")
    ids = split_values(value[1:-1] if listed else value)
    if not ids and not listed:
        raise empty
    return IdCondition(tuple(ids if listed else ids[:1]), negated, position)


def split_values(text: str) -> list[str]:
    """A list's values: separated by commas, except within backticks, which are taken off."""
    values: list[str] = []
    buffer = ""
    inside = False
    for i, character in enumerate(text):
        if character == "`" and not (i and text[i - 1] == "\\"):
            inside = not (inside and buffer)
        elif character == "," and not inside:
            values.append(buffer.strip())
            buffer = ""
        else:
            buffer += character
    return [*values, buffer.strip()] if buffer else values


def _number_condition(field: Field, value: str, position: int) -> NumberCondition:
    value = value[1:].lstrip(" ") if value.startswith("=") else value
    negated = value.startswith("!") and not value.startswith("!=")
    value = value[1:].lstrip(" ") if negated else value
    if value.startswith("[") and value.endswith("]"):
        return NumberCondition(field.name, _comparison_list(field, value), negated, position)
    comparator, operand = _comparator(field, value)
    if comparator == NOT_EQUALS and operand.startswith("[") and operand.endswith("]"):
        return NumberCondition(field.name, _comparison_list(field, operand), negated=True, position=position)
    return NumberCondition(field.name, _comparisons(field, comparator, operand), negated, position)


def _comparison_list(field: Field, value: str) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for item in _pieces(value[1:-1], ","):
        found += _comparisons(field, *_comparator(field, item))
    return tuple(found)


def _pieces(text: str, separator: str) -> list[str]:
    return [p for piece in text.split(separator) if (p := piece.strip())]


def _comparator(field: Field, value: str) -> tuple[str, str]:
    if _INTEGER.match(value) or _FLOAT.match(value):
        return EQUALS, value
    for sign in ("<=", ">=", "!=", "<", ">"):
        if value.startswith(sign):
            return sign, value[len(sign) :].strip()
    if ".." in value:
        return RANGE, value
    raise bad_request(f"Error with filter field `{field.name}`: Numerical field has an invalid comparator.")


def _comparisons(field: Field, comparator: str, operand: str) -> tuple[tuple[str, str], ...]:
    operands = _pieces(operand, "..") if comparator == RANGE else [operand]
    for each in operands:
        _check_number(field, each)
    return tuple((comparator, each) for each in operands)


def _check_number(field: Field, text: str) -> None:
    problem = None
    if field.is_float:
        problem = None if _FLOAT.match(text) else "Not a float."
    elif not _INTEGER.match(text):
        problem = "Not an int32." if field.type.startswith("int32") else "Not an int64."
    elif field.type.startswith("int32") and within_bits(text, 32) is None:
        problem = f"`{text}` exceeds the range of an int32."
    elif within_bits(text, 64) is None:
        problem = "Not an int64."
    if problem:
        raise bad_request(f"Error with filter field `{field.name}`: {problem}")


def _bool_condition(field: Field, value: str, position: int) -> BoolCondition:
    value = value[1:].lstrip(" ") if value.startswith("=") else value
    negated = value.startswith("!")
    if negated or value.startswith("="):
        value = value[2 if value.startswith("!=") else 1 :].lstrip(" ")
    if not value:
        raise bad_request(f"Error with filter field `{field.name}`: Filter value cannot be empty.")
    if value.startswith("[") and value.endswith("]"):
        values = _pieces(value[1:-1], ",")
        if not set(values) <= {"true", "false"}:
            raise bad_request(f"Values of filter field `{field.name}`: must be `true` or `false`.")
    elif value not in {"true", "false"}:
        raise bad_request(f"Value of filter field `{field.name}` must be `true` or `false`.")
    else:
        values = [value]
    return BoolCondition(field.name, tuple(v == "true" for v in values), negated, position)


def _text_condition(field: Field, value: str, position: int) -> TextCondition:
    exact = value.startswith(("=", "!="))
    negated = value.startswith("!") and len(value) >= 2
    skipped = 2 if value.startswith("!=") else 1 if exact or negated else 0
    rest = value[skipped:].lstrip(" ") if skipped else value
    if not rest:
        raise bad_request(f"Error with filter field `{field.name}`: Filter value cannot be empty.")
    listed = rest.startswith("[") and rest.endswith("]")
    values = split_values(rest[1:-1]) if listed else [rest]
    return TextCondition(field.name, tuple(values), exact, negated, position)


_MAKERS: list[tuple[Callable[[Field], bool], Callable[[Field, str, int], Condition]]] = [
    (lambda f: f.is_number, _number_condition),
    (lambda f: f.is_bool, _bool_condition),
    (lambda f: f.is_string, _text_condition),
]
