"""Acknowledgements: findings that a named person accepted, for a reason, until a day.

A file is a mapping whose key `acknowledgements` is a list (docs/contract.md#acknowledgements):

    required-version: ">=0.4,<1"       optional: checked before any other key
    acknowledgements:
      - fingerprint: 4c1d9f0be2a77c35
        reason: granted by hand in CHG0012345
        owner: platform-team
        expires: 2027-03-31            valid through that day, UTC
        reference: https://…           optional
        to: ">=4.15,<4.17"             optional: only for these targets
        clusters: ["prod-*"]           optional: only for these clusters, by ID or name
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from upgrade_gate.base import versions
from upgrade_gate.base.errors import UsageError
from upgrade_gate.reading.files import read_stdin

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from upgrade_gate.reading.settings_file import Value

EXPIRES_SOON = timedelta(days=14)
STDIN = "-"

REQUIRED = ("fingerprint", "reason", "owner", "expires")
OPTIONAL = ("reference", "to", "clusters")

_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_CLAUSE = re.compile(r"(>=|<=|==|!=|>|<)?\s*(\d+\.\d+(?:\.(?:\d+(?:-[0-9A-Za-z.-]+)?|\*|x))?)", re.ASCII)


class Acknowledgement(Struct, frozen=True):
    """One accepted finding."""

    fingerprint: str
    reason: str
    owner: str
    expires: date
    """Valid through this day, UTC."""
    reference: str | None = None
    to: str | None = None
    """Target versions for which it counts, such as `>=4.15,<4.17`, `4.15` or `4.15.3`; None: all."""
    clusters: tuple[str, ...] = ()
    """Globs of cluster IDs and infrastructure names; empty: all."""
    file: str = ""
    line: int = 0

    def applies(self, *, to_version: str | None, cluster_id: str | None, cluster_name: str | None) -> bool:
        """Return whether it was given for this target and cluster; what is not known matches no restriction."""
        if self.to is not None and (to_version is None or not in_range(to_version, self.to)):
            return False
        names = [name for name in (cluster_id, cluster_name) if name]
        return not self.clusters or any(fnmatchcase(name, glob) for name in names for glob in self.clusters)

    def expired(self, today: date) -> bool:
        """Return whether its last day is over."""
        return today > self.expires

    def expires_soon(self, today: date) -> bool:
        """Return whether it still counts, for 14 days at most."""
        return not self.expired(today) and self.expires - today <= EXPIRES_SOON


class Match(Struct, frozen=True):
    """An acknowledgement that names a finding on this cluster and target."""

    acknowledgement: Acknowledgement
    expired: bool
    """Then the finding is open, and says so."""


def load(paths: Sequence[str | Path], *, clusters_required: bool = False) -> tuple[Acknowledgement, ...]:
    """Read every file, `-` being stdin, in the order given.

    `clusters_required` is for a fleet, where an acknowledgement must say which clusters it is for. Raises UsageError
    where a file cannot be opened, ConfigurationError naming file and line for whatever is not understood.
    """
    from upgrade_gate.reading import settings_file

    found: list[Acknowledgement] = []
    for path in paths:
        if str(path) == STDIN:
            root = settings_file.parse(_stdin(settings_file.MAX_BYTES + 1), "stdin")
        else:
            root = settings_file.read(Path(path))
        if root is None:
            raise UsageError(f"{path}: holds no acknowledgements", hint="an empty list is written acknowledgements: []")
        found += read(root, clusters_required=clusters_required)
    return tuple(found)


def _stdin(most: int) -> bytes:
    try:
        return read_stdin(most)
    except OSError as exc:
        raise UsageError(f"acknowledgements from stdin: {exc.strerror}", hint="name a file") from exc


def read(root: Value, *, clusters_required: bool = False) -> tuple[Acknowledgement, ...]:
    """Return the acknowledgements of one document; raises as `load` does."""
    from upgrade_gate.reading import required_version

    required_version.check(root)
    entries = root.fields(("acknowledgements", required_version.KEY), required=("acknowledgements",))[
        "acknowledgements"
    ]
    return tuple(_entry(item, clusters_required=clusters_required) for item in entries.items())


def match(
    acknowledgements: Iterable[Acknowledgement],
    fingerprint: str,
    *,
    today: date,
    to_version: str | None = None,
    cluster_id: str | None = None,
    cluster_name: str | None = None,
) -> Match | None:
    """Return the acknowledgement that counts for a finding: of several the one that lasts longest, None without any.

    `today` is the day in UTC.
    """
    given = [
        a
        for a in acknowledgements
        if a.fingerprint == fingerprint
        and a.applies(to_version=to_version, cluster_id=cluster_id, cluster_name=cluster_name)
    ]
    if not given:
        return None
    best = max(given, key=lambda a: a.expires)
    return Match(best, expired=best.expired(today))


def in_range(version: str, wanted: str) -> bool:
    """Return whether a version satisfies every clause of a range.

    A clause is an operator (`>=`, `>`, `<=`, `<`, `==`, `!=`) with `4.15` or `4.15.3`; `4.15` and `4.15.*` mean any
    patch. Pre-releases stand before their release, and `<4.16` does not let in 4.16.0-rc.1: whoever wrote it had
    4.15 in mind. A version that cannot be read satisfies nothing. Raises ValueError for a range that is none.
    """
    parsed = versions.parse(version)
    clauses = _clauses(wanted)
    return parsed is not None and all(_satisfies(parsed, operator, bound) for operator, bound in clauses)


def _clauses(wanted: str) -> list[tuple[str, tuple[int, ...] | versions.Version]]:
    return [_clause(text) for text in wanted.split(",")]


def _clause(text: str) -> tuple[str, tuple[int, ...] | versions.Version]:
    found = _CLAUSE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text.strip()!r} is not a version range such as >=4.15,<4.17 or 4.15.3")
    operator, bound = found.groups()
    exact = versions.parse(bound)
    if exact is not None:
        return operator or "==", exact
    return operator or "==", tuple(int(part) for part in bound.split(".")[:2])


def _satisfies(version: versions.Version, operator: str, bound: tuple[int, ...] | versions.Version) -> bool:
    if isinstance(bound, tuple):
        order = (version.release > bound) - (version.release < bound)
        early = False
    else:
        order = (version > bound) - (version < bound)
        early = (version.release, version.patch, bound.pre) == (bound.release, bound.patch, ()) and version.pre != ()
    results = {
        "==": order == 0,
        "!=": order != 0,
        ">=": order >= 0,
        ">": order > 0,
        "<=": order <= 0,
        "<": order < 0 and not early,
    }
    return results[operator]


def _entry(item: Value, *, clusters_required: bool) -> Acknowledgement:
    required = (*REQUIRED, "clusters") if clusters_required else REQUIRED
    fields = item.fields((*REQUIRED, *OPTIONAL), required=required)
    fingerprint = fields["fingerprint"].text().strip()
    if not _FINGERPRINT.fullmatch(fingerprint):
        raise fields["fingerprint"].error(
            f"{fingerprint!r} is not a fingerprint: 16 hex digits, as the report shows them"
        )
    to = fields["to"].text().strip() if "to" in fields else None
    if to is not None:
        try:
            _clauses(to)
        except ValueError as exc:
            raise fields["to"].error(str(exc)) from exc
    clusters = _globs(fields["clusters"]) if "clusters" in fields else ()
    return Acknowledgement(
        fingerprint=fingerprint,
        reason=fields["reason"].text().strip(),
        owner=fields["owner"].text().strip(),
        expires=_day(fields["expires"]),
        reference=fields["reference"].text().strip() if "reference" in fields else None,
        to=to,
        clusters=clusters,
        file=item.file,
        line=item.line,
    )


def _globs(value: Value) -> tuple[str, ...]:
    globs = value.texts() if value.kind == "list" else (value.text(),)
    if not globs:
        raise value.error("names no cluster", "leave the key out to mean every cluster")
    return globs


def _day(value: Value) -> date:
    text = value.text().strip()
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError as exc:
        raise value.error(f"{text!r}: {exc}") from exc
    raise value.error(f"{text!r} is not a date such as 2027-03-31")
