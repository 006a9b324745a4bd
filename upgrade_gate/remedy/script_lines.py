"""Commands of a step as lines of bash: quoted, their conditions around them, and the checks of what they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from upgrade_gate.base.shell import quote
from upgrade_gate.base.steps import BundleFile, CommandLine, Placeholder, Shows, word
from upgrade_gate.base.text import one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from upgrade_gate.base.steps import Command, Step, Word


class Writer:
    """Writes commands as lines of bash; knows which documents are filled in, and with what."""

    def __init__(self, to_fill: Mapping[str, Sequence[str]], known: Mapping[str, Placeholder]) -> None:
        self._to_fill = to_fill
        self._known = known

    def step(self, step: Step) -> Iterable[str]:
        """Yield the lines of a step: values that can be asked for by now, documents, commands."""
        files = [file.name for file in read(step) if file.name in self._to_fill]
        asked = {name for file in files for name in self._to_fill[file]}
        yield from self._ask(one for one in held_by(step) if one.name in asked)
        for file in files:
            names = sorted(name for name in self._to_fill[file] if name in self._known)
            yield f"fill {quote(file)} {' '.join(names)}"
        for command in step.commands:
            yield from self._command(command, held_by(step))

    def _ask(self, placeholders: Iterable[Placeholder]) -> Iterable[str]:
        for one in placeholders:
            if one.printed_by is None:
                continue
            yield f'[ -n "${one.name}" ] || {one.name}=$({self._line(one.printed_by)})'
            yield check(one)
            yield "proceed 'stopped here: fill it in, and run this part again'"

    def _command(self, command: Command, held: Sequence[Placeholder]) -> Iterable[str]:
        """Yield the lines of a command, its conditions around it; a value is asked for where it is first used."""
        if command.where:
            yield from self._ask(_in(held, (command.where,)))
            yield f"if shows {word_of(word(command.prints), ())} {self._line(command.where)}; then"
            yield from (f"  {line}" for line in self._command(replace(command, where=CommandLine()), held))
            yield "fi"
            return
        conditions = (command.unless, command.counts)
        first = _in(held, conditions)
        yield from self._ask(first)
        later = [one for one in held if one not in first]
        run = [
            *self._ask(_in(later, (command.line, command.seen, command.replaces))),
            *self._careful(command),
            *self._run(command),
        ]
        if command.counts:
            count = f"count=$({self._line(command.counts)})"
            yield from (count, 'if [ "$count" = 0 ]; then', *(f"  {line}" for line in run))
        elif command.unless:
            yield from (f"if ! {self._is_there(command)}; then", *(f"  {line}" for line in run))
        else:
            yield from run
            return
        yield from ("else", "  echo '  in place already'", "fi")

    def _careful(self, command: Command) -> Iterable[str]:
        """Yield the line that stops the script where something would be lost that nobody here knows of."""
        if command.keeps:
            written = " ".join(word_of(word(one), self._to_fill) for one in command.keeps)
            yield f"loses_nothing {written} -- {self._printing(command, command.replaces or command.unless)}"

    def _run(self, command: Command) -> Iterable[str]:
        text = self._line(command.line)
        if command.done or command.passing:
            text = f"attempt {quote(command.done)} {quote(command.passing)} {command.patience} {text}"
        yield text
        if command.seen:
            yield f"wait_for {command.patience} {self._line(command.seen)}"

    def _is_there(self, command: Command) -> str:
        """Return the test whether what a command makes is there."""
        line = self._printing(command, command.unless)
        if command.shows == "":
            return f"{line} >/dev/null 2>&1"
        how = command.how or (Shows.DOCUMENT if isinstance(command.shows, (BundleFile, Placeholder)) else Shows.TEXT)
        return f"{how} {word_of(word(command.shows), self._to_fill)} {line}"

    def _printing(self, command: Command, line: CommandLine) -> str:
        return f"inner_text {quote(command.inner)} {self._line(line)}" if command.inner else self._line(line)

    def _line(self, line: CommandLine) -> str:
        return line_of(line, self._to_fill)


def _in(held: Iterable[Placeholder], lines: Iterable[CommandLine]) -> Sequence[Placeholder]:
    """Return the values that command lines hold."""
    names = {part.name for line in lines for part in line.parts if isinstance(part, Placeholder)}
    return [one for one in held if one.name in names]


def line_of(line: CommandLine, filled: Collection[str]) -> str:
    """Return a command line, quoted; `filled` names the documents of which a filled-in copy is read."""
    return " ".join(word_of(one, filled) for one in line.words)


def word_of(word: Word, filled: Collection[str]) -> str:
    """Return one word; a placeholder becomes its variable, a file that is filled in its copy."""
    pieces: list[str] = []
    text = ""
    for part in word.parts:
        match part:
            case Placeholder():
                pieces += [quote(text)] if text else []
                pieces.append(f'"${{{part.name}}}"')
                text = ""
            case BundleFile() if part.name in filled:
                pieces += [quote(text)] if text else []
                pieces.append('"$filled"')
                text = f"/{part.name}"
            case _:
                text += str(part)
    if text or not pieces:
        pieces.append(quote(text))
    return "".join(pieces)


def read(step: Step) -> Sequence[BundleFile]:
    """Return the documents of a step that a command reads."""
    named = {part.name for part in step.parts if isinstance(part, BundleFile)}
    return [file for file in step.files if file.name in named]


def held_by(step: Step) -> Sequence[Placeholder]:
    """Return the values that a step's commands hold, or the documents that they read."""
    held = {part.name for part in step.parts if isinstance(part, Placeholder)}
    held.update(name for file in read(step) for name in file.marked)
    return [one for one in step.placeholders if one.name in held]


def check(placeholder: Placeholder) -> str:
    """Return the line that tells whether a value is filled in, and looks like one."""
    name, meaning = placeholder.name, quote(one_line(placeholder.meaning))
    if placeholder.path:
        held = "".join(f" {quote(text)}" for text in placeholder.mentions)
        return f'file {name} "${name}" {meaning}{held}'
    return f'value {name} "${name}" {quote(placeholder.pattern)} {meaning}'
