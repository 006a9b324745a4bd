"""The bundle's commands.sh: every step that needs no person, quoted, and nothing of it before every value is there.

bash 3.2 and newer. All checks come first and change nothing; documents are filled in as copies in a temporary folder,
so the bundle's own files and their checksums stay as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.base.shell import quote
from upgrade_gate.base.text import one_line
from upgrade_gate.clouds.contract.remedy import FILL, Placeholder, Step, placeholders_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from upgrade_gate.clouds.contract.remedy import Command

__all__ = ["script"]

_HEAD = """\
#!/usr/bin/env bash
# {title}
# Made by upgrade-gate, which runs nothing of this itself. README.md gives the reason of each step.
{first}#   bash commands.sh          what must be in place before the upgrade
#   bash commands.sh after    the clean-up, once the upgrade is complete
# Names stand in single quotes because nothing in them is to be expanded.
# shellcheck disable=SC2016
set -euo pipefail
cd -- "$(dirname -- "${{BASH_SOURCE[0]}}")"

part=${{1:-before}}
case $part in
  {parts}) ;;
  *)
    echo "commands.sh: say {words}, not $part" >&2
    exit 2
    ;;
esac
"""

_CHECKS = """\
stop=0

tool() {
  command -v "$1" >/dev/null 2>&1 || {
    echo "commands.sh: $1 is not installed" >&2
    stop=1
  }
}

value() { # name, value, pattern, meaning
  if [ -z "$2" ]; then
    echo "commands.sh: $1 is not filled in: $4" >&2
    stop=1
  elif ! [[ $2 =~ ^($3)$ ]]; then
    echo "commands.sh: $1 does not look like this: $4" >&2
    stop=1
  fi
}

file() { # name, path, meaning, text that it must hold…
  local name=$1 path=$2 meaning=$3 text
  shift 3
  if [ -z "$path" ]; then
    echo "commands.sh: $name is not filled in: $meaning" >&2
    stop=1
  elif ! [ -f "$path" ]; then
    echo "commands.sh: $name: there is no file $path" >&2
    stop=1
  elif grep -q '<FILL_ME' -- "$path"; then
    echo "commands.sh: $name: $path still holds <FILL_ME: …>: $meaning" >&2
    stop=1
  else
    for text in "$@"; do
      grep -qF -e "$text" -- "$path" || {
        echo "commands.sh: $name: $path does not name $text" >&2
        stop=1
      }
    done
  fi
}
"""

_ONCE = """\
once() { # what a command says where it was done before, the command…
  local known=$1 said
  shift
  if said=$("$@" 2>&1); then
    printf '%s\\n' "$said"
  elif [[ $said =~ $known ]]; then
    echo "commands.sh: that was done before"
  else
    printf '%s\\n' "$said" >&2
    return 1
  fi
}
"""

_STOP = """\
if [ "$stop" -ne 0 ]; then
  echo "commands.sh: nothing was changed" >&2
  exit 2
fi
"""


def script(title: str, steps: Sequence[Step], documents: Mapping[str, bytes]) -> bytes:
    """Return commands.sh for numbered steps; `documents` are the bundle's files, of which some are to be filled in."""
    known = {p.name: p for step in steps for p in (*step.placeholders, *step.asks)}
    to_fill = _to_fill(steps, documents, known)
    run = _parts(steps)
    parts = [_head(title, tuple(run))]
    used = _used(steps, documents)
    if used:
        parts.append(_variables([known[name] for name in used if name in known]))
    if any(step.commands and step.scripted for step in steps):
        parts.append(_CHECKS)
        parts += [c for part in run if (c := _checks(part, [s for _, s in run[part]], documents))]
        parts.append(_STOP)
    if any(command.done for step in steps if step.scripted for command in step.commands):
        parts.append(_ONCE)
    if to_fill:
        parts.append(_FILLED)
    for part, numbered in run.items():
        parts.append(_part(part, numbered, to_fill, known))
    return "\n".join(parts).encode("utf-8", "replace")


def _parts(steps: Sequence[Step]) -> Mapping[str, Sequence[tuple[int, Step]]]:
    """Return the script's parts: the steps that make what later ones need, all before the upgrade, all after it."""
    numbered = list(enumerate(steps, 1))
    before = [(n, s) for n, s in numbered if s.when == "before"]
    first = [(n, s) for n, s in before if s.first and s.scripted]
    after = [(n, s) for n, s in numbered if s.when == "after"]
    return {**({"new": first} if first else {}), "before": before, "after": after}


def _head(title: str, parts: Sequence[str]) -> str:
    new = "#   bash commands.sh new      only the new identities, whose names and keys the rest needs\n"
    return _HEAD.format(
        title=one_line(title),
        first=new if "new" in parts else "",
        parts=" | ".join(parts),
        words=", ".join(parts[:-1]) + f" or {parts[-1]}",
    )


def _texts(step: Step, documents: Mapping[str, bytes]) -> list[str]:
    words = [w for c in step.commands for argv in _lines(c) for w in argv]
    return [
        *words,
        *(documents[f].decode("utf-8", "replace") for f in step.files if f in documents and _named(f, words)),
    ]


def _lines(command: Command) -> tuple[tuple[str, ...], ...]:
    return (command.argv, command.unless, command.counts, command.otherwise)


def _named(file: str, words: Iterable[str]) -> bool:
    """Return whether a command reads this file of the bundle."""
    return any(word == file or word.endswith((f"/{file}", f"@{file}", f"={file}")) for word in words)


def _used(steps: Sequence[Step], documents: Mapping[str, bytes]) -> tuple[str, ...]:
    scripted = [step for step in steps if step.scripted]
    return placeholders_in(
        *(text for step in scripted for text in _texts(step, documents)),
        *(one.token for step in scripted for one in step.asks),
    )


def _to_fill(
    steps: Sequence[Step], documents: Mapping[str, bytes], known: Mapping[str, Placeholder]
) -> Mapping[str, tuple[str, ...]]:
    """Return the documents that commands read and that hold values to fill in, with the names of these."""
    found: dict[str, tuple[str, ...]] = {}
    for step in steps:
        words = [w for c in step.commands for argv in _lines(c) for w in argv]
        for file in step.files if step.scripted else ():
            if file in documents and _named(file, words):
                names = placeholders_in(documents[file].decode("utf-8", "replace"))
                if any(name in known for name in names):
                    found[file] = names
    return found


def _variables(placeholders: Sequence[Placeholder]) -> str:
    lines = ["# Fill these in, here or as environment variables. While one is missing, nothing is changed."]
    for one in sorted(placeholders, key=lambda p: p.name):
        lines += [f"# {one_line(one.meaning)}", f"{one.name}=${{{one.name}:-{_default(one)}}}"]
    return "\n".join(lines) + "\n"


def _default(placeholder: Placeholder) -> str:
    return placeholder.default if placeholder.default.isascii() else ""


def _checks(part: str, steps: Sequence[Step], documents: Mapping[str, bytes]) -> str:
    """Return the checks of one part: tools, values, and files; a file that need not be made need not be filled in."""
    scripted = [step for step in steps if step.scripted]
    checks = [f"tool {quote(name)}" for name in sorted({c.argv[0] for step in scripted for c in step.commands})]
    conditional: dict[str, list[str]] = {}
    for step in scripted:
        wanted = set(placeholders_in(*_texts(step, documents)))
        asked = [*(p for p in step.placeholders if p.name in wanted), *step.asks]
        there = step.commands[0].unless if len(step.commands) == 1 else ()
        if there and asked and all(p.path for p in asked):
            conditional.setdefault(_words(there, {}), []).extend(map(_check, asked))
        else:
            checks += map(_check, asked)
    lines = [f"  {check}" for check in dict.fromkeys(checks)]
    for command, more in conditional.items():
        lines += [f"  if ! {command} >/dev/null 2>&1; then", *(f"    {check}" for check in more), "  fi"]
    return "\n".join([f'if [ "$part" = {part} ]; then', *lines, "fi"]) + "\n" if lines else ""


def _check(placeholder: Placeholder) -> str:
    name, meaning = placeholder.name, quote(one_line(placeholder.meaning))
    if placeholder.path:
        held = "".join(f" {quote(text)}" for text in placeholder.mentions)
        return f'file {name} "${name}" {meaning}{held}'
    return f'value {name} "${name}" {quote(placeholder.pattern)} {meaning}'


_FILLED = """\
filled=$(mktemp -d)
trap 'rm -rf -- "$filled"' EXIT
"""


def _filling(
    files: Sequence[str], to_fill: Mapping[str, tuple[str, ...]], known: Mapping[str, Placeholder]
) -> list[str]:
    """Return the lines that copy documents with their values; every value was checked to hold nothing of sed's."""
    if not files:
        return []
    names = sorted({name for file in files for name in to_fill[file] if name in known})
    return [
        "",
        "  fill() { # a file of the bundle",
        '    mkdir -p -- "$filled/$(dirname -- "$1")"',
        "    sed \\",
        *(f'      -e "s|{known[name].token}|${{{name}}}|g" \\' for name in names),
        '      -- "$1" >"$filled/$1"',
        "  }",
        *(f"  fill {quote(file)}" for file in files),
    ]


def _part(
    part: str,
    steps: Sequence[tuple[int, Step]],
    to_fill: Mapping[str, tuple[str, ...]],
    known: Mapping[str, Placeholder],
) -> str:
    filled = set(to_fill)
    needed = sorted({file for _, step in steps if step.scripted for file in step.files if file in filled})
    lines = _filling(needed, to_fill, known)
    for number, step in steps:
        lines += ["", f"  # Step {number}: {one_line(step.title)}"]
        if not step.scripted or not step.commands:
            lines.append(f"  echo {quote(f'step {number} is for a person: {one_line(step.title)}')}")
            continue
        lines.append(f"  echo {quote(f'step {number}: {one_line(step.title)}')}")
        for command in step.commands:
            lines += [f"  {line}" for line in _command(command, filled, known)]
    if not lines:
        lines = ["", f"  echo {quote(f'there is nothing to do {part} the upgrade')}"]
    return "\n".join([f'if [ "$part" = {part} ]; then', *lines[1:], "fi"]) + "\n"


def _command(command: Command, filled: set[str], known: Mapping[str, Placeholder]) -> list[str]:
    def words(argv: Sequence[str]) -> str:
        return _words(argv, known, filled)

    if command.counts:
        lines = [f'if [ "$({words(command.counts)})" = 0 ]; then', f"  {words(command.argv)}"]
    elif command.unless:
        lines = [f"if ! {words(command.unless)} >/dev/null 2>&1; then", f"  {words(command.argv)}"]
    elif command.done:
        return [f"once {quote(command.done)} {words(command.argv)}"]
    else:
        return [words(command.argv)]
    if command.otherwise:
        lines += ["else", f"  {words(command.otherwise)}"]
    return [*lines, "fi"]


def _words(argv: Sequence[str], known: Mapping[str, Placeholder], filled: Iterable[str] = ()) -> str:
    return " ".join(_word(word, known, filled) for word in argv)


def _word(word: str, known: Mapping[str, Placeholder], filled: Iterable[str]) -> str:
    """Return one word; a placeholder becomes its variable, a file that is filled in its copy."""
    for file in filled:
        if _named(file, [word]):
            head = word.removesuffix(file)
            return f'{quote(head) if head else ""}"$filled"{quote(f"/{file}")}'
    pieces: list[str] = []
    last = 0
    for found in FILL.finditer(word):
        if found.group(1) not in known:
            continue
        if found.start() > last:
            pieces.append(quote(word[last : found.start()]))
        pieces.append(f'"${{{found.group(1)}}}"')
        last = found.end()
    if last < len(word) or not word:
        pieces.append(quote(word[last:]))
    return "".join(pieces)
