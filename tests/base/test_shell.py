"""Words of bash: whatever they hold, a shell reads them back as they were."""

import subprocess

import pytest

from upgrade_gate.base.shell import quote, words

HOSTILE = [
    "plain",
    "",
    "two words",
    "it's",
    "$(id)",
    "`id`",
    "a\nb",
    "\x1b[31m",
    'say "no"',
    "back\\slash",
    "ü\x07",
    "-n",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_shell_reads_back_what_was_quoted(text: str) -> None:
    done = subprocess.run(["bash", "-c", f"printf '%s|' {words(text, text)}"], capture_output=True, check=True)
    assert done.stdout.decode() == f"{text}|{text}|"


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_of_it_reaches_a_terminal_as_it_is(text: str) -> None:
    assert quote(text).isprintable()
