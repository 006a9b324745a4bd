"""The frame of an export script: where files go, what stops it, and functions that keep a command's output.

bash 3.2 and newer, and nothing beside the cloud's own command line. Whatever is kept is written to a folder of its own
first; the named one appears when everything is there. `index.json` in it says what was asked, when, and what came of
it (read by `proof/export_index.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.base.shell import quote
from upgrade_gate.base.text import one_line
from upgrade_gate.clouds.contract.export import INDEX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from upgrade_gate.clouds.contract.export import Fill, Served, Steps, Wanted

_HEAD = """\
#!/usr/bin/env bash
# {title}
# Made by upgrade-gate, which runs nothing of this itself. Every command of it only reads.
#   bash {program} [FOLDER]    then: upgrade-gate check … --identities export:FOLDER
{served}
set -euo pipefail
set -f
umask 077

directory=${{1:-}}
[ -n "$directory" ] || directory={directory}
"""

_FRAME = r"""stop() {
  echo "export: $1" >&2
  exit 2
}

command -v %(tool)s >/dev/null 2>&1 || stop '%(tool)s is not installed'
if [ -e "$directory" ] && [ -n "$(ls -A -- "$directory")" ]; then
  stop "$directory is not empty: an export of another time would stand beside this one"
fi
mkdir -p -- "$(dirname -- "$directory")"
part=$(mktemp -d "$directory.XXXXXX")
trap 'rm -rf -- "$part"; echo "export: nothing was written to $directory" >&2' EXIT
number=0
comma=

now() {
  date -u +%%Y-%%m-%%dT%%H:%%M:%%SZ
}

printf '{"index": "%(index)s", "collected": "%%s", "calls": [' "$(now)" >"$part/index.json"

file() { # name: the next file, in order
  number=$((number + 1))
  printf -v path '%%s/%%04d-%%s.json' "$part" "$number" "${1//[!A-Za-z0-9._@-]/_}"
}

items() { # file: how many elements the outermost lists in it have together
  LC_ALL=C awk '{
    gsub(/\\./, ""); gsub(/"[^"]*"/, "v"); gsub(/[ \t\r:]+/, ""); gsub(/[^][{},v]+/, "v")
    for (at = 1; at <= length($0); at++) {
      sign = substr($0, at, 1)
      if (sign == ",") { filled[depth] = 0; continue }
      if (sign == "]" || sign == "}") { lists -= kind[depth] == "["; depth--; continue }
      if (kind[depth] == "[" && !filled[depth]) { count += lists == 1; filled[depth] = 1 }
      if (sign != "v") { depth++; kind[depth] = sign; filled[depth] = 0; lists += sign == "[" }
    }
  } END { print count + 0 }' "$1"
}

note() { # exit status, command: what was asked, and what came of it
  local counted=0 size=0 command=$2
  [ "$1" = 0 ] || [ -z "${another:-}" ] || return 0
  if [ "$1" = 0 ]; then
    counted=$(items "$path")
    size=$(($(wc -c <"$path")))
  fi
  command=${command//\\/\\\\}
  command=${command//\"/\\\"}
  printf '%%s\n {"command": "%%s", "file": "%%s", "status": %%d, "items": %%d, "bytes": %%d, "time": "%%s"}' "$comma" \
    "${command//[[:cntrl:]]/ }" "${path##*/}" "$1" "$counted" "$size" "$(now)" >>"$part/index.json"
  comma=,
}

save() { # name, command…: keep what it prints; where it fails, nothing is exported
  local status=0
  file "$1"
  shift
  echo "$*" >&2
  "$@" >"$path" || status=$?
  note "$status" "$*"
  return "$status"
}

wrap() { # name, first members, command…: keep {first members, "…": what it prints}
  local members=$2 status=0
  file "$1"
  shift 2
  echo "$*" >&2
  { printf '{%%s ' "$members" && "$@" && printf '}\n'; } >"$path" || status=$?
  note "$status" "$*"
  return "$status"
}

attempt() { # save or wrap…: keep what it prints; where it fails, another command follows that says as much
  local another=yes
  if "$@"; then return 0; fi
  rm -f -- "$path"
  return 1
}

may() { # save or wrap…: keep what may be read; what may not stays unknown, and check says so
  if "$@"; then return 0; fi
  echo "export: not exported, and so unknown: ${path##*/}" >&2
  rm -f -- "$path"
  return 1
}
"""

_TAIL = """\
printf '\\n]}\\n' >>"$part/index.json"
if [ -d "$directory" ]; then rmdir -- "$directory"; fi
mv -- "$part" "$directory"
trap - EXIT
echo "export: $directory is complete" >&2
"""


def script(wanted: Wanted, steps: Steps, directory: str, program: str) -> str:
    """Return the whole script for a cloud; `program` is what the usage line calls it."""
    of = f" of {wanted.cluster}" if wanted.cluster else ""
    title = f"Exports what identities{of} on {wanted.platform} hold, for the update to {wanted.version}"
    head = _HEAD.format(
        title=one_line(title),
        program=one_line(program),
        directory=_always_quoted(directory),
        served="\n".join(f"# {one_line(line)}" for line in _served(wanted.served)) or "# No Secret is needed.",
    )
    parts = [
        head,
        _fills(steps.fills),
        _FRAME % {"tool": steps.tool, "index": INDEX},
        "\n".join(steps.lines) + "\n",
        _TAIL,
    ]
    return "\n".join(part for part in parts if part)


def _always_quoted(text: str) -> str:
    """Return a word in quotes even where it needs none: shellcheck takes `a-b` behind `=` for arithmetic."""
    quoted = quote(text)
    return f"'{text}'" if quoted == text else quoted


def _served(served: Sequence[Served]) -> list[str]:
    lines = []
    for one in sorted(served, key=lambda s: s.secret):
        match one.source:
            case None:
                how = "of an identity that nobody names"
            case "ccoctl-name":
                how = f"{one.identity}, as ccoctl would name it"
            case source:
                how = f"{one.identity}, by the {source}"
        lines.append(f"  {one.secret}: {how}")
    if any(one.source is None for one in served):
        lines.append("Every identity is exported, for the Secrets above that nobody names one for. --read-secrets,")
        lines.append("--ccoctl-name or identities: in the configuration would name them.")
    return lines


def _fills(fills: Sequence[Fill]) -> str:
    lines = []
    for one in fills:
        meaning = one_line(one.meaning)
        lines += [
            f"# {meaning}",
            f"{one.name}=${{{one.name}:-{one.value if _plain(one.value) else ''}}}",
            f'if [ -z "${one.name}" ]; then',
            f"  echo {quote(f'export: {one.name} is not filled in: {meaning}')} >&2",
            "  exit 2",
            "fi",
        ]
    return "\n".join(lines) + "\n" if lines else ""


def _plain(value: str) -> bool:
    return value.isascii() and all(c.isalnum() or c in "-_.:" for c in value)
