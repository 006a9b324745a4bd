"""Careful access to parts of an API object: a wrong type is an error that names the place, never a wrong value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from upgrade_gate.base.facts import Unknown

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from upgrade_gate.base.facts import Fact

    T = TypeVar("T")

__all__ = ["Malformed", "Part", "attempt"]


class Malformed(Exception):  # noqa: N818 - a state of the object, caught where it becomes an Unknown
    """A part of an object has a type that the API does not allow; the text names object and path."""


class Part(Struct, frozen=True):
    """A value somewhere in an object, with the words that say where.

    Null and absence are the same, as in the Go types of the API.
    """

    value: Any
    name: str
    """The object, in words: `ClusterVersion version`."""
    path: str = ""

    @property
    def where(self) -> str:
        """The object and the place in it, in words."""
        return f"{self.path[:200]} of {self.name}" if self.path else self.name

    def wrong(self, wanted: str) -> Malformed:
        """Return the error for a value of another type."""
        return Malformed(f"{self.where} is {_words(self.value)}, not {wanted}")

    @property
    def missing(self) -> bool:
        """Whether there is nothing here."""
        return self.value is None

    def __getitem__(self, key: str) -> Part:
        """Return the part below `key`, a missing one where there is none."""
        path = f"{self.path}.{key}" if self.path else key
        return Part(self.mapping().get(key), self.name, path)

    def mapping(self) -> dict[Any, Any]:
        """Return the mapping itself, empty where it is missing."""
        if self.value is None:
            return {}
        if not isinstance(self.value, dict):
            raise self.wrong("a mapping")
        return self.value

    def required(self) -> Part:
        """Return this part, raising where it is missing."""
        if self.value is None:
            raise Malformed(f"{self.where} is missing")
        return self

    def items(self) -> tuple[Part, ...]:
        """Return the entries of a list, none where it is missing."""
        if self.value is None:
            return ()
        if not isinstance(self.value, list):
            raise self.wrong("a list")
        return tuple(Part(value, self.name, f"{self.path}[{number}]") for number, value in enumerate(self.value))

    def text(self) -> str:
        """Return the text, empty where it is missing."""
        if self.value is None:
            return ""
        if not isinstance(self.value, str):
            raise self.wrong("a string")
        return self.value

    def some_text(self) -> str:
        """Return the text, raising where it is missing or empty."""
        text = self.required().text()
        if not text:
            raise Malformed(f"{self.where} is empty")
        return text

    def flag(self) -> bool | None:
        """Return the boolean, None where it is missing."""
        if self.value is None or isinstance(self.value, bool):
            return self.value
        raise self.wrong("true or false")

    def number(self) -> int | None:
        """Return the whole number, None where it is missing."""
        if self.value is None or (isinstance(self.value, int) and not isinstance(self.value, bool)):
            return self.value
        raise self.wrong("a whole number")

    def texts(self) -> tuple[str, ...]:
        """Return a list of texts, empty where it is missing."""
        return tuple(item.some_text() for item in self.items())

    def labels(self) -> dict[str, str]:
        """Return a mapping of text to text (labels, annotations), empty where it is missing."""
        return {Part(key, self.name, f"{self.path} (a key)").some_text(): self[key].text() for key in self.mapping()}


def attempt(read: Callable[[], Fact[T]]) -> Fact[T]:
    """Run one extraction; what is malformed is Unknown, with the place named."""
    try:
        return read()
    except Malformed as error:
        return Unknown(str(error))


def _words(value: object) -> str:
    match value:
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case _:
            return f"a {type(value).__name__}"
