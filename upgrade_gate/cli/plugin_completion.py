"""Completion below `kubectl upgrade-gate` and `oc upgrade-gate`: the program that kubectl asks beside a plugin.

kubectl 1.26 and newer run `kubectl_complete-upgrade_gate` with the words so far, the unfinished one last, and read
candidates from stdout, one a line with a tab before its help, and `:DIRECTIVE` at the end (cobra's protocol).
"""

from __future__ import annotations

import sys
from enum import IntFlag
from typing import TYPE_CHECKING

from upgrade_gate.cli import COMPLETE_VARIABLE, cli, stdout

if TYPE_CHECKING:
    from collections.abc import Sequence


class Directive(IntFlag):
    """What the shell does with the candidates (cobra's ShellCompDirective)."""

    FILES = 0
    NO_SPACE = 2
    NO_FILES = 4
    FOLDERS = 16


def console() -> int:
    """Answer kubectl, which shows nothing of stderr."""
    stdout.write(answer(sys.argv[1:]))
    return 0


def answer(words: Sequence[str]) -> str:
    """Return the candidates for the last of the words, as cobra prints them."""
    from click.shell_completion import ShellComplete

    *before, unfinished = words or [""]
    items = ShellComplete(cli, {}, "upgrade-gate", COMPLETE_VARIABLE).get_completions(list(before), unfinished)
    plain = [item for item in items if item.type == "plain"]
    if not plain:
        kinds = {item.type for item in items}
        directive = Directive.FOLDERS if kinds == {"dir"} else Directive.FILES if kinds else Directive.NO_FILES
    else:
        directive = Directive.NO_FILES
        if all(item.value.endswith(":") for item in plain):
            directive |= Directive.NO_SPACE
    lines = [f"{item.value}\t{' '.join(item.help.split())}" if item.help else str(item.value) for item in plain]
    return "".join(f"{line}\n" for line in [*lines, f":{int(directive)}"])
