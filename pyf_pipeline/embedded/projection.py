"""`include_fields` and `exclude_fields`: which parts of a document are given back."""

from dataclasses import dataclass
from typing import Any

from pyf_pipeline.embedded.errors import UnsupportedError


def split_names(text: str) -> list[str]:
    """Comma-separated names, blanks left out."""
    return [p for piece in text.split(",") if (p := piece.strip())]


@dataclass(frozen=True, slots=True)
class Projection:
    """Which fields to keep: those included (all, where none are named) but for those excluded."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    @classmethod
    def parse(cls, include: str, exclude: str) -> "Projection":
        """From the two request parameters."""
        names = split_names(include)
        if any(n.startswith("$") for n in names):
            raise UnsupportedError("Including fields of another collection")
        return cls(tuple(names), tuple(split_names(exclude)))

    @property
    def is_everything(self) -> bool:
        """Whether documents are given back whole."""
        return not self.include and not self.exclude

    def keeps(self, name: str) -> bool:
        """Whether a field itself is named or meant (its parts apart)."""
        included = not self.include or any(_matches(p, name) for p in self.include)
        return included and not any(_matches(p, name) for p in self.exclude)

    def apply(self, document: dict[str, Any]) -> dict[str, Any]:
        """The document's kept parts."""
        if self.is_everything:
            return document
        if self._is_flat:
            return {name: value for name, value in document.items() if self.keeps(name)}
        return {k: v for k, v in self._inside(document, "").items() if v is not _NOTHING}

    @property
    def _is_flat(self) -> bool:
        """Whether only whole fields are named, none inside of others."""
        return not any("." in name for name in (*self.include, *self.exclude))

    def _inside(self, value: dict[str, Any], path: str) -> dict[str, Any]:
        kept = {}
        for key, inner in value.items():
            found = self._value(inner, f"{path}{key}")
            if found is not _NOTHING:
                kept[key] = found
        return kept

    def _value(self, value: Any, path: str) -> Any:
        if any(_matches(p, path) for p in self.exclude):
            return _NOTHING
        wanted = not self.include or any(_matches(p, path) for p in self.include)
        below = self._names_below(path)
        if not below:
            return value if wanted else _NOTHING
        if isinstance(value, dict):
            inner = self._widened(wanted)._inside(value, path + ".")  # noqa: SLF001 - its own kind
            return inner if inner or wanted else _NOTHING
        if isinstance(value, list) and value and all(isinstance(v, dict) for v in value):
            return [self._widened(wanted)._inside(v, path + ".") for v in value]  # noqa: SLF001 - its own kind
        return value if wanted else _NOTHING

    def _names_below(self, path: str) -> bool:
        return any(p.startswith(path + ".") for p in (*self.include, *self.exclude))

    def _widened(self, wanted: bool) -> "Projection":
        return Projection((), self.exclude) if wanted else self


_NOTHING = object()


def _matches(pattern: str, name: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
