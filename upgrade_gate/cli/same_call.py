"""The call that writes the bundle of this very run: what the user typed for `check`, as `remediate`."""

from __future__ import annotations

import click

from upgrade_gate.base.text import without_credentials

ARGUMENTS = "upgrade_gate.arguments"
"""Where a context keeps the words after the command's name, as they were typed."""
_WITH_VALUE = ("-o", "--output", "--max-bytes", "--color")
_JOINED = ("-o", "--output=", "--max-bytes=", "--color=")
_ALONE = ("-v", "--verbose", "-q", "--quiet")
_FOLDER = "bundle"


def of_remediate() -> list[str]:
    """Return the command, word by word; what says where and how reports go is left out, passwords in URLs too.

    Empty where nobody typed a call (the demo).
    """
    context = click.get_current_context()
    typed = context.meta.get(ARGUMENTS)
    if typed is None:
        return []
    words, skipped = [], False
    for word in typed:
        if skipped:
            skipped = False
        elif word in _WITH_VALUE:
            skipped = True
        elif word not in _ALONE and not word.startswith(_JOINED):
            words.append(without_credentials(word))
    return [*context.find_root().command_path.split(), "remediate", *words, "-d", _FOLDER]
