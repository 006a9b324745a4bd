"""The bundle's commands.sh: every step that needs no person, quoted, and nothing of it before every value is there.

bash 3.2 and newer. All checks come first and change nothing; documents are filled in as copies in a temporary folder,
so the bundle's own files and their checksums stay as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.base.shell import quote, words
from upgrade_gate.base.steps import BundleFile, Placeholder
from upgrade_gate.base.text import one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from upgrade_gate.base.steps import Command, CommandLine, Step, Word

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


def script(title: str, steps: Sequence[Step]) -> bytes:
    """Return commands.sh for numbered steps."""
    scripted = [step for step in steps if step.scripted]
    known = {p.name: p for step in steps for p in (*step.unknown, *step.asks)}
    to_fill = {file.name: file.marked for step in scripted for file in _read(step) if known.keys() & {*file.marked}}
    run = _parts(steps)
    parts = [_head(title, tuple(run))]
    used = {one.name: one for step in scripted for one in (*_held(step), *step.asks)}
    if used:
        parts.append(_variables(tuple(used.values())))
    if any(step.commands for step in scripted):
        parts.append(_CHECKS)
        parts += [c for part in run if (c := _checks(part, [s for _, s in run[part] if s.scripted]))]
        parts.append(_STOP)
    if any(command.done for step in scripted for command in step.commands):
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


def _read(step: Step) -> Sequence[BundleFile]:
    """Return the documents of a step that a command reads."""
    named = {part.name for part in step.parts if isinstance(part, BundleFile)}
    return [file for file in step.files if file.name in named]


def _held(step: Step) -> Sequence[Placeholder]:
    """Return the values that a step's commands hold, or the documents that they read."""
    held = {part.name for part in step.parts if isinstance(part, Placeholder)}
    held.update(name for file in _read(step) for name in file.marked)
    return [one for one in step.placeholders if one.name in held]


def _variables(placeholders: Sequence[Placeholder]) -> str:
    lines = ["# Fill these in, here or as environment variables. While one is missing, nothing is changed."]
    for one in sorted(placeholders, key=lambda p: p.name):
        lines += [f"# {one_line(one.meaning)}", f"{one.name}=${{{one.name}:-{_default(one)}}}"]
    return "\n".join(lines) + "\n"


def _default(placeholder: Placeholder) -> str:
    return placeholder.default if placeholder.default.isascii() else ""


def _checks(part: str, scripted: Sequence[Step]) -> str:
    """Return the checks of one part: tools, values, and files; a file that need not be made need not be filled in."""
    tools = sorted({str(command.line.words[0]) for step in scripted for command in step.commands})
    checks = [f"tool {quote(name)}" for name in tools]
    conditional: dict[str, list[str]] = {}
    for step in scripted:
        asked = [*_held(step), *step.asks]
        there = step.commands[0].unless if len(step.commands) == 1 else None
        if there and asked and all(p.path for p in asked):
            conditional.setdefault(words(*there.argv), []).extend(map(_check, asked))
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
        *(f'      -e "s|{known[name]}|${{{name}}}|g" \\' for name in names),
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
    needed = sorted({file.name for _, step in steps if step.scripted for file in step.files if file.name in to_fill})
    lines = _filling(needed, to_fill, known)
    for number, step in steps:
        lines += ["", f"  # Step {number}: {one_line(step.title)}"]
        if not step.scripted or not step.commands:
            lines.append(f"  echo {quote(f'step {number} is for a person: {one_line(step.title)}')}")
            continue
        lines.append(f"  echo {quote(f'step {number}: {one_line(step.title)}')}")
        for command in step.commands:
            lines += [f"  {line}" for line in _command(command, to_fill)]
    if not lines:
        lines = ["", f"  echo {quote(f'there is nothing to do {part} the upgrade')}"]
    return "\n".join([f'if [ "$part" = {part} ]; then', *lines[1:], "fi"]) + "\n"


def _command(command: Command, filled: Collection[str]) -> list[str]:
    run = _line(command.line, filled)
    if command.counts:
        lines = [f'if [ "$({_line(command.counts, filled)})" = 0 ]; then', f"  {run}"]
    elif command.unless:
        lines = [f"if ! {_line(command.unless, filled)} >/dev/null 2>&1; then", f"  {run}"]
    elif command.done:
        return [f"once {quote(command.done)} {run}"]
    else:
        return [run]
    if command.otherwise:
        lines += ["else", f"  {_line(command.otherwise, filled)}"]
    return [*lines, "fi"]


def _line(line: CommandLine, filled: Collection[str]) -> str:
    return " ".join(_word(word, filled) for word in line.words)


def _word(word: Word, filled: Collection[str]) -> str:
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
