"""The bundle's commands.sh: every step that needs no person, quoted, and nothing of it before all is as it was judged.

bash 3.2 and newer. All checks come first and change nothing: tools, values, the cluster and the cloud's account.
Documents are filled in as copies in a temporary folder, so the bundle's own files and their checksums stay as they are.
"""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING

from upgrade_gate.base.shell import quote, words
from upgrade_gate.base.steps import Command, CommandLine, Placeholder, ScriptPart, word
from upgrade_gate.base.text import one_line, sentence
from upgrade_gate.remedy.script_lines import Writer, check, held_by, line_of, read, word_of
from upgrade_gate.remedy.whereabouts import moment, told, told_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from upgrade_gate.base.steps import Step
    from upgrade_gate.clouds.contract.remedy import CloudLogin
    from upgrade_gate.remedy.whereabouts import Whereabouts

_SAID = {
    ScriptPart.NEW: "makes only the new identities, whose names and keys the rest needs",
    ScriptPart.GRANT: "does what must be in place before the upgrade",
    ScriptPart.ANNOTATE: "--report FILE tells CCO, once a later run has nothing else open",
    ScriptPart.AFTER: "--no-rollback cleans up, once the upgrade is complete and the cluster will not go back",
}


def script(title: str, steps: Sequence[Step], where: Whereabouts, *, made: str, no_annotation: str) -> bytes:
    """Return commands.sh for numbered steps.

    `made` is when the bundle's own report was made, `no_annotation` why no step annotates where none does.
    """
    scripted = [step for step in steps if step.scripted]
    known = {p.name: p for step in steps for p in step.unknown} | {p.name: p for p in where.unknown}
    to_fill = {file.name: file.marked for step in scripted for file in read(step) if known.keys() & {*file.marked}}
    run = _parts(steps)
    used = {one.name: one for step in scripted for one in held_by(step)} | {p.name: p for p in where.unknown}
    writer = Writer(to_fill, known)
    head = [
        _head(
            title,
            tuple(run),
            where,
            staged=any(waits(s) for s in run[ScriptPart.GRANT]),
            taking=any(s.scripted for s in run[ScriptPart.AFTER]),
        ),
        *([_variables(tuple(used.values()))] if used else []),
        _plan(title, run, where, tuple(used.values())),
    ]
    body = [
        *(_checks(part, [s for s in run[part] if s.scripted], where) for part in run),
        _PROCEED,
        *(_place(part, [s for s in run[part] if s.scripted], where) for part in run),
        _PROCEED,
        _readiness(where, made) if any(step.part is ScriptPart.ANNOTATE for step in scripted) else "",
        _FILLED if to_fill else "",
        *(_part(part, run[part], writer, where, no_annotation) for part in run),
    ]
    text = "\n".join(part for part in body if part)
    return "\n".join([*head, library(text), text]).encode("utf-8", "replace")


_PROCEED = "proceed 'nothing was changed'\n"


def library(text: str) -> str:
    """Return the lines that a script begins with, and of the functions those that it calls."""
    kept: list[str] = []
    for block in reversed(template("commands.sh").strip().split("\n\n")):
        function = re.match(r"(\w+)\(\)", block)
        if function is None or re.search(rf"(^|[^\w]){function.group(1)}\b", "\n".join([*kept, text])):
            kept.insert(0, block)
    return "\n\n".join(kept) + "\n"


def template(name: str) -> str:
    """Return a script of the package as it is."""
    return (resources.files("upgrade_gate.remedy") / "templates" / name).read_text("utf-8")


def _parts(steps: Sequence[Step]) -> Mapping[ScriptPart, Sequence[Step]]:
    """Return the steps of each part of the script; the first ones alone only where there are any."""
    found: dict[ScriptPart, Sequence[Step]] = {}
    first = [s for s in steps if s.first and s.scripted]
    if first:
        found[ScriptPart.NEW] = first
    for part in (ScriptPart.GRANT, ScriptPart.ANNOTATE, ScriptPart.AFTER):
        found[part] = [s for s in steps if s.part is part]
    return found


_HEAD = """\
#!/usr/bin/env bash
# {title}
# Made by upgrade-gate, which runs nothing of this itself. README.md gives the reason of each step.
{usage}
# Before a part changes anything it proves that it is at the cluster and in the account that were judged. Each part can
# be run again after any stop: what is in place already is left as it is.
# Nothing is asked: a command line that would ask a question gets no answer, and ends.
# Names stand in single quotes because nothing in them is to be expanded.
# shellcheck disable=SC2016
set -euo pipefail

usage() {{
  cat >&2 <<'END'
{told}
END
  exit 2
}}

part=${{1:-}}
case $part in
  plan | {parts}) shift ;;
  *) usage ;;
esac
REPORT=${{REPORT:-}}
{to}while [ $# -gt 0 ]; do
  case $1 in
    --report=*) REPORT=${{1#--report=}} ;;
    --report) if [ $# -ge 2 ]; then REPORT=$2 && shift; else usage; fi ;;
    --no-rollback) [ "$part" = after ] || usage{final} ;;
{option}    *) usage ;;
  esac
  shift
done
{stages}case $REPORT in '' | /*) ;; *) REPORT=$PWD/$REPORT ;; esac
cd -- "$(dirname -- "${{BASH_SOURCE[0]}}")"
exec </dev/null
"""


_STAGES = """\

# The updates of the path are numbered from 0: what is needed before one is done by `grant` up to it.
stage={last}
case $TO in
  '') ;;
{cases}
  *) usage ;;
esac
"""


def _head(title: str, parts: Sequence[ScriptPart], where: Whereabouts, *, staged: bool, taking: bool) -> str:
    told = {"plan": "prints every step and changes nothing", **{part.value: _SAID[part] for part in parts}}
    lines = [f"bash commands.sh {name:<9} {what}" for name, what in told.items()]
    stages = option = ""
    if staged:
        known = sentence(where.path)
        lines.append(f"bash commands.sh grant --to VERSION, one of {known}: only what the updates up to it need")
        cases = "\n".join(f"  {quote(to)}) stage={number} ;;" for number, to in enumerate(where.path))
        stages = _STAGES.format(last=len(where.path) - 1, cases=cases)
        option = '    --to) if [ $# -ge 2 ] && [ "$part" = grant ]; then TO=$2 && shift; else usage; fi ;;\n'
    return _HEAD.format(
        stages=stages,
        option=option,
        to=("TO=\n" if option else "") + ("NO_ROLLBACK=\n" if taking else ""),
        final="; NO_ROLLBACK=yes" if taking else "",
        title=one_line(title),
        usage="\n".join(f"#   {line}" for line in lines),
        told="\n".join(["commands.sh: say which part:", *(f"  {line}" for line in lines)]),
        parts=" | ".join(parts),
    )


def _variables(placeholders: Sequence[Placeholder]) -> str:
    lines = ["# Fill these in, here or as environment variables. While one is missing, nothing is changed."]
    for one in sorted(placeholders, key=lambda p: p.name):
        asked = f" (where it is empty: what {words(*one.printed_by.argv)} prints)" if one.printed_by else ""
        lines += [f"# {one_line(one.meaning)}{asked}", f"{one.name}=${{{one.name}:-{_default(one)}}}"]
    return "\n".join(lines) + "\n"


def _default(placeholder: Placeholder) -> str:
    return placeholder.default if placeholder.default.isascii() else ""


def _plan(
    title: str,
    run: Mapping[ScriptPart, Sequence[Step]],
    where: Whereabouts,
    used: Iterable[Placeholder],
) -> str:
    """Return the part that prints everything and neither asks nor changes anything."""
    lines = [f"# {one_line(title)}", "", "Only here:", *(f"  {one_line(text)}" for text in told(where))]
    named = [f"  {one.name}: {one_line(one.meaning)}" for one in sorted(used, key=lambda p: p.name)]
    lines += ["", "To be filled in:", *named] if named else []
    for part, steps in run.items():
        if part is ScriptPart.NEW:
            continue
        lines += ["", f"bash commands.sh {part}{' --no-rollback' if part is ScriptPart.AFTER else ''}"]
        for step in steps:
            by_hand = not step.scripted or not step.commands
            when = moment(step, where) if len(where.path) > 1 else ""
            said = ", ".join(filter(None, (when, told_of(step, where), "for a person: README.md" if by_hand else "")))
            lines.append(f"  step {step.number}: {one_line(step.title)}{f' ({said})' if said else ''}")
            lines += [] if by_hand else [f"    {line_of(one.line, ())}" for one in step.commands]
        lines += [] if steps else ["  nothing"]
    shown = "\n".join(lines)
    return f"""\
if [ "$part" = plan ]; then
  cat <<'END'
{shown}
END
  exit 0
fi
"""


def _tools(scripted: Iterable[Step]) -> set[str]:
    return {str(line.words[0]) for step in scripted for command in step.commands for line in command.lines if line}


def _when(part: ScriptPart, lines: Sequence[str]) -> str:
    return "\n".join([f'if [ "$part" = {part} ]; then', *lines, "fi"]) + "\n" if lines else ""


def _checks(part: ScriptPart, scripted: Sequence[Step], where: Whereabouts) -> str:
    """Return the checks of one part: tools, values, and files; a file that need not be made need not be filled in."""
    later = {step.hop: [one for one in scripted if one.hop == step.hop] for step in scripted if waits(step)}
    if part is ScriptPart.GRANT and later:
        now = _checks(part, [step for step in scripted if not waits(step)], where)
        waiting = (
            _when(part, [f'  if [ "$stage" -ge {hop} ]; then', *(f"    {one}" for one in lines), "  fi"])
            for hop, steps in later.items()
            if (lines := _check_lines(part, steps, where))
        )
        return "\n".join(filter(None, (now, *waiting)))
    return _when(part, [f"  {line}" for line in _check_lines(part, scripted, where)])


def _check_lines(part: ScriptPart, scripted: Sequence[Step], where: Whereabouts) -> Sequence[str]:
    checks = [f"tool {quote(name)}" for name in sorted(_tools(scripted))]
    if part is ScriptPart.ANNOTATE and scripted:
        checks.append("report")
    if part is ScriptPart.AFTER and scripted:
        checks.append("final")
    checks += [check(one) for one in _to_prove(scripted, where)]
    conditional: dict[str, list[str]] = {}
    for step in scripted:
        asked = held_by(step)
        there = _existence(step)
        if there and asked and all(p.path for p in asked):
            conditional.setdefault(words(*there.argv), []).extend(map(check, asked))
        else:
            checks += [f'[ -z "${one.name}" ] || {check(one)}' if one.printed_by else check(one) for one in asked]
    lines = list(dict.fromkeys(checks))
    for command, more in conditional.items():
        lines += [f"if ! {command} >/dev/null 2>&1; then", *(f"  {check}" for check in more), "fi"]
    return lines


def _existence(step: Step) -> CommandLine:
    """Return what tells that a step has nothing to do whatever is filled in; empty where that takes more."""
    (first, *more) = step.commands or (Command(CommandLine()),)
    alone = not more and not first.shows and not any(isinstance(part, Placeholder) for part in first.unless.parts)
    return first.unless if alone else CommandLine()


def _here(scripted: Sequence[Step], where: Whereabouts) -> Sequence[CloudLogin]:
    """Return the logins that a part's steps use."""
    tools, named = _tools(scripted), {step.login for step in scripted}
    used = [login for login in where.logins if login.line.argv[0] in tools]
    return [one for one in used if str(one.judged) in named or len(_beside(one, used)) == 1]


def _beside(login: CloudLogin, logins: Iterable[CloudLogin]) -> Sequence[CloudLogin]:
    """Return the logins of the same command line, which can be at one of them at a time."""
    return [one for one in logins if one.line.argv[0] == login.line.argv[0]]


def _to_prove(scripted: Sequence[Step], where: Whereabouts) -> Sequence[Placeholder]:
    """Return the values that stand for what was not judged, as far as a part uses it."""
    found = ([] if where.infrastructure else [where.cluster_id], [one.judged for one in _here(scripted, where)])
    return [one for several in found for one in several if isinstance(one, Placeholder)]


def _place(part: ScriptPart, scripted: Sequence[Step], where: Whereabouts) -> str:
    """Return what proves that a part runs at the cluster, and in the account, that were judged."""
    get = '"$kube" get --request-timeout=30s'
    lines = []
    if where.infrastructure:
        path = "jsonpath={.status.infrastructureName}"
        lines.append(f"here cluster {quote(where.infrastructure)} {get} infrastructure cluster -o {quote(path)}")
    if isinstance(where.cluster_id, str) or not where.infrastructure:
        path = "jsonpath={.spec.clusterID}"
        judged = word_of(word(where.cluster_id), ())
        lines.append(f"here {quote('cluster ID')} {judged} {get} clusterversion version -o {quote(path)}")
    if part is ScriptPart.AFTER and scripted:
        reached, paths = (
            ("upgraded", where.version) if not any(map(waits, scripted)) else ("reached", ";".join(where.path))
        )
        lines.append(f"{reached} {quote(paths)} {get} clusterversion version -o {quote(_NEWEST)}")
    logins = _here(scripted, where)
    for login in logins:
        several = _beside(login, logins)
        if len(several) == 1:
            lines.append(f"here {quote(login.what)} {word_of(word(login.judged), ())} {line_of(login.line, ())}")
        elif login is several[0]:
            anywhere = " || ".join(
                f"logged_in_to {word_of(word(one.judged), ())} {line_of(one.line, ())}" for one in several
            )
            judged = ", ".join(str(one.judged) for one in several)
            none = f"commands.sh: wrong place: this is none of {login.what} {judged}, which were judged"
            lines += [f"{anywhere} || {{", f"  {_said(none)} >&2", "  stop=1", "}"]
    return _when(part, [f"  {line}" for line in lines])


_NEWEST = "jsonpath={.status.history[0].version} {.status.history[0].state}"


def _readiness(where: Whereabouts, made: str) -> str:
    judged = word_of(word(where.cluster_id), ())
    call = f"  ready {quote(where.version)} {quote(where.digest or '')} {judged} {quote(made)}"
    return f"{template('annotate.sh')}\n" + _when(ScriptPart.ANNOTATE, [call, "  proceed 'nothing was changed'"])


_FILLED = """\
filled=$(mktemp -d)
trap 'rm -rf -- "$filled"' EXIT

fill() { # a file of the bundle, the names of its values; every value was checked to hold nothing of sed's
  local file=$1 name
  local edits=()
  shift
  for name in "$@"; do
    edits+=(-e "s|<FILL_ME: $name>|${!name}|g")
  done
  mkdir -p -- "$filled/$(dirname -- "$file")"
  sed "${edits[@]}" -- "$file" >"$filled/$file"
}
"""


def _part(part: ScriptPart, steps: Sequence[Step], writer: Writer, where: Whereabouts, no_annotation: str) -> str:
    lines: list[str] = []
    logins = _here([step for step in steps if step.scripted], where)
    several = {str(one.judged): one for one in logins if len(_beside(one, logins)) > 1}
    for step in steps:
        lines += ["", f"  # Step {step.number}: {one_line(step.title)}"]
        if not step.scripted or not step.commands:
            when = f", {moment(step, where)}" if len(where.path) > 1 else ""
            lines.append(f"  {_said(f'step {step.number} is for a person{when}: {one_line(step.title)}')}")
            continue
        run = [_said(f"step {step.number}: {one_line(step.title)}")]
        run += _at(several.get(step.login), step, list(writer.step(step)))
        lines += [f"  {line}" for line in _in_time(step, where, run)]
    if several:
        lines += ["", *(f"  {line}" for line in _ELSEWHERE)]
    if part is ScriptPart.GRANT and steps:
        by_hand = [str(step.number) for step in steps if not step.scripted or not step.commands]
        left = f" except {sentence(by_hand)}, which a person does" if by_hand else ""
        lines += ["", f"  {_said(f'all of this part is in place{left}')}"]
    if not lines:
        why = f": {one_line(no_annotation)}" if part is ScriptPart.ANNOTATE else ""
        lines = ["", f"  {_said(f'there is nothing to do in this part{why}')}"]
    return _when(part, lines[1:])


def _said(text: str) -> str:
    """Return the command that prints a line as it is: `echo` may read what stands behind a backslash."""
    return f"printf '%s\\n' {quote(text)}"


def _in_time(step: Step, where: Whereabouts, lines: Sequence[str]) -> Sequence[str]:
    """Return the lines of a step of a path, run only where its update is near enough."""
    if not waits(step):
        return lines
    told = f"step {step.number}: not now, but {moment(step, where)}"
    return [
        f'if [ "$stage" -ge {step.hop} ]; then',
        *(f"  {one}" for one in lines),
        "else",
        f"  {_said(told)}",
        "fi",
    ]


def waits(step: Step) -> bool:
    """Return whether the script can leave a step for a later update of the path."""
    return step.hop > 0 and step.part is not ScriptPart.ANNOTATE and step.scripted and bool(step.commands)


def _at(login: CloudLogin | None, step: Step, lines: Sequence[str]) -> Sequence[str]:
    """Return the lines of a step, run only where the command line is logged in to its account."""
    if login is None:
        return lines
    proof = f"logged_in_to {word_of(word(login.judged), ())} {line_of(login.line, ())}"
    told = f"  not done here: it changes {login.what} {login.judged}"
    left = f'elsewhere="${{elsewhere:-}} {step.number}"'
    return [f"if {proof}; then", *(f"  {one}" for one in lines), "else", f"  {_said(told)}", f"  {left}", "fi"]


_ELSEWHERE = (
    'if [ -n "${elsewhere:-}" ]; then',
    '  echo "commands.sh: left for another login:$elsewhere; log in there and run this part again" >&2',
    "  exit 2",
    "fi",
)
