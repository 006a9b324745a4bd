"""Which versions of this tool may read a settings file: its key `required-version`, looked at before every other key.

An older tool then says that it is too old, and not that it does not know a key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate import __version__
from upgrade_gate.reading.settings_file import Value

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

KEY = "required-version"


def check(root: Value, version: str = __version__) -> None:
    """Raise ConfigurationError, naming file and line, where a file wants another version than the one that runs.

    The value is a PEP 440 specifier such as `>=0.4,<1`. The version that runs counts as it is: a prerelease stands
    before its release, and needs no leave to match. Nothing else of the file is looked at.
    """
    entries = [node for node in root.node.value if str(node[0].value) == KEY] if root.kind == "mapping" else []
    if not entries:
        return
    if len(entries) > 1:
        first = Value(entries[0][0], root.file).line
        raise Value(entries[1][0], root.file).error(f"{KEY} appears twice; first in line {first}")
    from packaging.version import Version

    value = Value(entries[0][1], root.file, KEY)
    wanted, running = _specifier(value), Version(version)
    if not wanted.contains(running, prereleases=True):
        which = "too old" if _is_too_old(running, wanted) else "another one"
        raise value.error(
            f"{value.text().strip()} is wanted, and this is upgrade-gate {version}, which is {which}",
            f"pip install 'upgrade-gate{wanted}'",
        )


def _specifier(value: Value) -> SpecifierSet:
    from packaging.specifiers import SpecifierSet

    text = value.text().strip()
    try:
        wanted = SpecifierSet(text)
        wanted.contains("0")  # only this reads the versions in it: thousands of digits are refused here
    except ValueError:
        wanted = SpecifierSet()
    if not len(wanted):  # a lone comma reads as a set that allows everything
        raise value.error(f"{text!r} is not a version specifier such as '>=0.4,<1' (PEP 440)")
    return wanted


def _is_too_old(running: Version, wanted: SpecifierSet) -> bool:
    """Return whether a lower bound is what the version that runs does not reach."""
    from packaging.version import Version

    missed = (clause for clause in wanted if not clause.contains(running, prereleases=True))
    return any(c.operator[0] == ">" or (c.operator == "~=" and running < Version(c.version)) for c in missed)
