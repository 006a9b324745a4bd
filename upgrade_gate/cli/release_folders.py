"""The releases in folders of a user, by the versions that they say, and whatever else a plan reads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from upgrade_gate import pipeline
from upgrade_gate.base import versions
from upgrade_gate.base.errors import UpgradeGateError, UsageError
from upgrade_gate.report.decision import listed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from upgrade_gate.payloads.payload import Payload

_NAMED = re.compile(r"(?<![\d.])\d+\.\d+\.\d+(?!\d)(?:-(?:ec|rc|fc)\.\d+)?(?!-0\.)", re.ASCII)
"""A version within the name of a file or folder, before an architecture or an ending; longer ones stand inside."""


class Library:
    """The releases of `--releases`, and whatever else is read: each once."""

    def __init__(self, folders: Sequence[Path], inputs: pipeline.Inputs) -> None:
        """List the folders; raises UsageError for one that holds nothing."""
        self._inputs = inputs
        self._named: dict[str, list[str]] = {}
        self._nameless: list[str] = []
        self._no_release: list[str] = []
        for folder in folders:
            try:
                entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
            except OSError as exc:
                raise UsageError(f"--releases {folder}: {exc.strerror}", hint="name a folder of releases") from exc
            if not entries:
                raise UsageError(f"--releases {folder}: the folder is empty", hint="name a folder of releases")
            for entry in entries:
                found = _NAMED.search(entry.name)
                if found is None:
                    self._nameless.append(str(entry))
                else:
                    self._named.setdefault(found[0], []).append(str(entry))

    def place(self, version: str) -> str | None:
        """Return where a release lies, None where none of the folders has it; raises UsageError for two of one."""
        self._look_inside()
        found = self._named.get(version, ())
        if len(found) > 1:
            raise UsageError(f"--releases: {' and '.join(found)} are both {version}", hint="leave one of them out")
        return found[0] if found else None

    def how_to_give(self) -> str:
        """Return how a release that none of the folders has can be given, with what was no release in them."""
        hint = "give it with --releases"
        return f"{hint}, where this is no release: {listed(self._no_release, 3)}" if self._no_release else hint

    def read(self, references: Sequence[str]) -> Mapping[str, Payload | UpgradeGateError]:
        """Read releases; what fails is an answer too, whatever is wrong with it."""
        distinct = list(dict.fromkeys(references))
        try:
            return dict(pipeline.read_all(distinct, self._inputs))
        except UsageError:  # one of them is named wrongly: the others are read all the same
            return {text: self._one(text) for text in distinct}

    def _one(self, reference: str) -> Payload | UpgradeGateError:
        try:
            return pipeline.read_all([reference], self._inputs)[reference]
        except UsageError as error:
            return error

    def _look_inside(self) -> None:
        """Read what does not say its version by its name; what cannot be read is none of those looked for."""
        for text, result in self.read(self._nameless).items():
            if isinstance(result, UpgradeGateError) or versions.parse(result.version) is None:
                self._no_release.append(text)
            else:
                self._named.setdefault(result.version, []).append(text)
        self._nameless = []
