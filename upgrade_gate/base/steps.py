"""A step that a person takes, and its command lines: words of text, files of the bundle and values to fill in.

Words keep their parts until they are rendered: as argv for the report, as lines of bash for the README and the script.
Nothing here or anywhere runs a step.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

When: TypeAlias = Literal["before", "after"]

_MARK = re.compile(r"<FILL_ME: ([A-Z][A-Z0-9_]*)>")
"""A value that only the reader knows, in a document; the name is also the script's variable."""


class Serves(StrEnum):
    """What a step is good for."""

    NAMESPACE = "namespace"
    GRANTS = "grants"
    TRUST = "trust"
    SECRET = "secret"  # noqa: S105
    ANNOTATION = "annotation"
    SIGHT = "sight"
    """Shows what could not be judged: nothing is granted."""
    CLEAN_UP = "clean-up"


class ScriptPart(StrEnum):
    """The parts of commands.sh that run steps, in their order."""

    NEW = "new"
    """The steps of GRANT that make what others need filled in, alone."""
    GRANT = "grant"
    ANNOTATE = "annotate"
    AFTER = "after"


class Placeholder(Struct, frozen=True):
    """A value that nothing known to the tool gives."""

    name: str
    meaning: str
    pattern: str = "[A-Za-z0-9][A-Za-z0-9._:@/+=,-]*"
    """What a filled-in value must look like as a whole (extended regular expression)."""
    path: bool = False
    """Whether it names a file that must exist and hold no unfilled value."""
    default: str = ""
    mentions: tuple[str, ...] = ()
    """Text that the file must hold: the subjects that a merged trust policy must name."""
    printed_by: CommandLine | None = None
    """What prints the value, once earlier steps are done: the script asks it where nobody filled the value in."""

    def __str__(self) -> str:
        """Return the mark by which it stands in a document, and in an argv that is shown."""
        return f"<FILL_ME: {self.name}>"


class BundleFile(Struct, frozen=True):
    """A document of the bundle, which a step is about or a command reads."""

    name: str
    """Relative path."""
    content: bytes

    def __str__(self) -> str:
        return self.name

    @property
    def marked(self) -> tuple[str, ...]:
        """The names of the values that are to be filled in, each once, in order."""
        return tuple(dict.fromkeys(_MARK.findall(self.content.decode("utf-8", "replace"))))


Part: TypeAlias = "str | BundleFile | Placeholder"


class Word(Struct, frozen=True):
    """One word of a command line."""

    parts: tuple[Part, ...]

    def __str__(self) -> str:
        return "".join(map(str, self.parts))


def word(*pieces: Part | Word) -> Word:
    """Return pieces as one word."""
    return Word(tuple(part for piece in pieces for part in (piece.parts if isinstance(piece, Word) else (piece,))))


class CommandLine(Struct, frozen=True):
    """One command line; it is true where it has a word."""

    words: tuple[Word, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.words)

    @property
    def argv(self) -> tuple[str, ...]:
        """The words as they are shown."""
        return tuple(map(str, self.words))

    @property
    def parts(self) -> Iterator[Part]:
        """Every part of every word."""
        return (part for one in self.words for part in one.parts)


def line(command: str, *words: Part | Word, **options: Part | Word | bool | None) -> CommandLine:
    """Return `command` with further words and `--long-options`; True is a bare flag, None and False are left out."""
    found: list[Part | Word] = [*command.split(), *words]
    for name, value in options.items():
        if value is None or value is False:
            continue
        found.append(f"--{name.replace('_', '-')}")
        if value is not True:
            found.append(value)
    return CommandLine(tuple(map(word, found)))


class Shows(StrEnum):
    """How a script compares what a command prints with what it must print; each is a function of commands.sh."""

    TEXT = "shows"
    """It is the text as a whole."""
    DOCUMENT = "same"
    """It is the document, white space aside."""
    ALL = "holds_all"
    """Every entry of a list that is parted by `;` is one of its entries."""
    NAME = "has_value"
    """It is JSON, one of whose values is the text."""
    ROLES = "grants_roles"
    """It is a list of IBM Cloud's access policies, which together give the roles of one for the same attributes."""


class Command(Struct, frozen=True):
    """What is run, and when it is."""

    line: CommandLine
    unless: CommandLine = CommandLine()
    """Not run where this command succeeds: the object is there already."""
    shows: Part | Word = ""
    """What `unless` must print besides: a text as a whole, or a document, white space aside."""
    how: Shows | None = None
    """How that is compared, where it is otherwise."""
    inner: str = ""
    """The name of the value in that JSON whose text is the document, where it stands in there as text."""
    keeps: tuple[Part | Word, ...] = ()
    """What the command writes over what `unless` or `replaces` prints, and what may go: where a text stands there that
    is in none of these, somebody added it, and the script stops."""
    replaces: CommandLine = CommandLine()
    """Prints what is written over, where `unless` prints something else."""
    counts: CommandLine = CommandLine()
    """Run only where this command prints 0; where it fails, the script stops."""
    where: CommandLine = CommandLine()
    """Run only where this command prints `prints`; where it fails, it does not."""
    prints: str | Word = ""
    in_case: str = ""
    """In words, when it is run, where its conditions do not say it plainly."""
    done: str = ""
    """What the command says, as an extended regular expression, where it was done before: then that is no failure."""
    passing: str = ""
    """What it says, as an extended regular expression, while the cloud does not know yet what was just made: it is
    tried again."""
    seen: CommandLine = CommandLine()
    """Asked after it until it succeeds and prints something else than nothing, 0 or an empty list: what was made is
    known everywhere."""
    patience: int = 300
    """How many seconds are waited in total for `passing` to end, and for `seen`."""

    @property
    def lines(self) -> tuple[CommandLine, ...]:
        """Every command line of it."""
        return (self.line, self.unless, self.counts, self.where, self.replaces, self.seen)

    @property
    def condition(self) -> str:
        """When it is run, in words; empty where nothing need be said."""
        made = (self.unless and not self.shows) or self.counts
        return self.in_case or ("it does not exist yet" if made else "")


class Step(Struct, frozen=True):
    """One step of the remedy; a finding's own has nothing but a title, a time and perhaps a command."""

    title: str
    when: When
    reason: str = ""
    serves: Serves | None = None
    """None: a finding's own step, which is no part of a bundle."""
    secrets: frozenset[str] = frozenset()
    """`namespace/name` of the Secrets whose components need it."""
    commands: tuple[Command, ...] = ()
    files: tuple[BundleFile, ...] = ()
    notes: tuple[str, ...] = ()
    unknown: tuple[Placeholder, ...] = ()
    """Every value that its commands and documents may hold; `placeholders` are those that they do hold."""
    scripted: bool = True
    """False: it needs a person, so commands.sh only names it."""
    first: bool = False
    """Whether it makes what later steps need filled in, so that it can be run alone: `commands.sh new`."""
    login: str = ""
    """The account of the cloud that its commands change, as it is shown; empty where no command line of a cloud is."""
    hop: int = 0
    """Index of the update of the path before which it must be done, or after which it may be."""
    number: int | None = None
    """Its number in README.md, commands.sh and every report; None: it is a finding's own."""

    @property
    def part(self) -> ScriptPart:
        """The part of commands.sh that runs it."""
        if self.when == "after":
            return ScriptPart.AFTER
        return ScriptPart.ANNOTATE if self.serves is Serves.ANNOTATION else ScriptPart.GRANT

    @property
    def placeholders(self) -> tuple[Placeholder, ...]:
        """The values that are to be filled in in its commands and documents, in the order of `unknown`."""
        held = {part.name for part in self.parts if isinstance(part, Placeholder)}
        held.update(name for file in self.files for name in file.marked)
        return tuple(one for one in self.unknown if one.name in held)

    @property
    def parts(self) -> Iterator[Part]:
        """Every part of every command line, and the documents that are compared."""
        for command in self.commands:
            yield from (part for one in command.lines for part in one.parts)
            yield from word(command.shows, command.prints, *command.keeps).parts
