"""Careful access to the parts of a parsed document, so that a wrong type never becomes a wrong value.

Two manners. Of an object whose type is known, `Part` raises an error that names the place. Of documents of many shapes
(what cloud CLIs print), the functions answer with nothing where something else stands; for what takes away, where
nothing would be too little, `one_or_more`, `sequence` and `readable_strings` say None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from upgrade_gate.base.facts import Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from typing import TypeVar

    from upgrade_gate.base.facts import Fact

    T = TypeVar("T")


_SLIPS_FROM = 3
"""Letters that two keys must have for a missing, added, wrong or swapped one to be a slip."""


class Malformed(ValueError):  # noqa: N818 - a state of the object, caught where it becomes an Unknown
    """A part of an object has a type that the API does not allow; the text names object and path."""


class Outside(Malformed):
    """A text is none of a closed list: it was read, and cannot be right."""


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

    @property
    def kind(self) -> str:
        """The type of the value, in words."""
        return _words(self.value)

    def wrong(self, wanted: str) -> Malformed:
        """Return the error for a value of another type."""
        return Malformed(f"{self.where} is {self.kind}, not {wanted}")

    def lacking(self, wanted: str) -> Malformed:
        """Return the error for a value that must be there and is not."""
        del wanted
        return Malformed(f"{self.where} is missing")

    @property
    def missing(self) -> bool:
        """Whether there is nothing here."""
        return self.value is None

    def __getitem__(self, key: str) -> Part:
        """Return the part below `key`, a missing one where there is none.

        Raises Malformed where another key is one slip away from it: what somebody wrote must not read as absent. The
        API server prints every key right, and leaves out what it does not know.
        """
        path = f"{self.path}.{key}" if self.path else key
        mapping = self.mapping()
        if key not in mapping and (slip := slip_of(key, mapping)) is not None:
            raise Malformed(f"{self.where} has {slip[:60]!r}, which is not a field of it: {key} is meant?")
        return type(self)(mapping.get(key), self.name, path)

    def mapping(self) -> dict[Any, Any]:
        """Return the mapping itself, empty where it is missing."""
        if self.value is None:
            return {}
        if not isinstance(self.value, dict):
            raise self.wrong("a mapping")
        return self.value

    def required(self, wanted: str = "") -> Part:
        """Return this part, raising where it is missing."""
        if self.value is None:
            raise self.lacking(wanted)
        return self

    def items(self) -> tuple[Part, ...]:
        """Return the entries of a list, none where it is missing."""
        if self.value is None:
            return ()
        if not isinstance(self.value, list):
            raise self.wrong("a list")
        return tuple(type(self)(value, self.name, f"{self.path}[{number}]") for number, value in enumerate(self.value))

    def text(self) -> str:
        """Return the text, empty where it is missing."""
        if self.value is None:
            return ""
        if not isinstance(self.value, str):
            raise self.wrong("a string")
        return self.value

    def one_of(self, names: Collection[str]) -> str:
        """Return the text where it is one of a closed list, letter by letter; raises for any other."""
        text = self.some_text()
        if text not in names:
            raise Outside(f"{self.where} is {text[:60]!r}, which is none of {', '.join(sorted(names))}")
        return text

    def some_text(self) -> str:
        """Return the text, raising where it is missing or empty."""
        text = self.required("a string").text()
        if not text.strip():
            raise Malformed(f"{self.where} is empty")
        return text

    def maybe_text(self) -> str | None:
        """Return the text, None where it is missing, raising where it is empty."""
        return None if self.value is None else self.some_text()

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

    def some_texts(self) -> tuple[str, ...]:
        """Return a list of texts, raising where it is missing or empty."""
        found = self.required("a list").texts()
        if not found:
            raise Malformed(f"{self.where} is empty")
        return found

    def labels(self) -> dict[str, str]:
        """Return a mapping of text to text (labels, annotations), empty where it is missing."""
        return {Part(key, self.name, f"{self.path} (a key)").some_text(): self[key].text() for key in self.mapping()}


def slip_of(key: str, keys: Iterable[object]) -> str | None:
    """Return the key that is `key` but for case, white space or one letter; None where there is none."""
    return next((one for one in keys if isinstance(one, str) and one != key and _alike(one, key)), None)


def _alike(written: str, meant: str) -> bool:
    written, meant = written.strip().casefold(), meant.casefold()
    if written == meant:
        return True
    short, long = sorted((written, meant), key=len)
    if len(short) < _SLIPS_FROM or len(long) - len(short) > 1:
        return False
    same = next((place for place, letter in enumerate(short) if letter != long[place]), len(short))
    rest = short[same:] if len(short) < len(long) else short[same + 1 :]
    return rest == long[same + 1 :] or (
        short[same : same + 2] == long[same : same + 2][::-1] and short[same + 2 :] == long[same + 2 :]
    )


def text(value: object) -> str:
    """Return a string as it is, and anything else as the empty string."""
    return value if isinstance(value, str) else ""


def mapping(value: object) -> Mapping[str, Any]:
    """Return a mapping as it is, and anything else as an empty one."""
    return value if isinstance(value, Mapping) else {}


def sequence(value: object) -> Sequence[Any] | None:
    """Return a list as it is, and None for anything else; a text is no list."""
    return value if isinstance(value, Sequence) and not isinstance(value, str) else None


def one_or_more(value: object) -> Sequence[Any] | None:
    """Return a list as it is, a lone object as a list of one, and None for anything else."""
    return [value] if isinstance(value, Mapping) else sequence(value)


def objects(value: object) -> list[Mapping[str, Any]]:
    """Return the mappings of a list, none where there is no list."""
    return [v for v in sequence(value) or () if isinstance(v, Mapping)]


def strings(value: object) -> tuple[str, ...]:
    """Return the strings of a list; a lone string (PowerShell prints one-element lists so) is a list of one."""
    if isinstance(value, str):
        return (value,)
    return tuple(v for v in value if isinstance(v, str)) if isinstance(value, Sequence) else ()


def readable_strings(value: object) -> tuple[str, ...] | None:
    """Return the strings of a list, empty where there is none, and None where something else stands there.

    For fields that take away: an exception that cannot be read must not read as no exception.
    """
    if value is None:
        return ()
    found = strings(value)
    whole = isinstance(value, str) or (isinstance(value, Sequence) and len(found) == len(value))
    return found if whole else None


class Slip(Struct, frozen=True):
    """Stands for the value of a field whose name is misspelt: no reader takes it for anything."""

    key: str
    """As it is written."""

    def __str__(self) -> str:
        """Return what a sentence calls it."""
        return f"(under {self.key[:60]!r}, which is not a field)"


def limiting(item: Mapping[str, Any], key: str) -> object:
    """Return the value of a field that takes away, a Slip where only a misspelt name of it is there.

    A condition or an exception that nobody finds must not read as none.
    """
    if key in item:
        return item[key]
    slip = slip_of(key, item)
    return None if slip is None else Slip(slip)


def attempt(read: Callable[[], Fact[T]]) -> Fact[T]:
    """Run one extraction; what is malformed is Unknown, with the place named."""
    try:
        return read()
    except Malformed as error:
        return Unknown(str(error), read=isinstance(error, Outside))


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
