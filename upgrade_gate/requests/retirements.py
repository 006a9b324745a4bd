"""Requests that a release dropped without a manifest that deletes them: a dated table (`data/retirements.json`).

Made from the history of the repositories whose manifests carry requests; `tests/generators/retirements.py`.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from msgspec import Struct

from upgrade_gate.base import versions
from upgrade_gate.reading import decoding

if TYPE_CHECKING:
    from collections.abc import Mapping


class _Table(Struct, frozen=True):
    date: str
    source: str
    retired: dict[str, dict[str, list[str]]]
    """By providerSpec kind and `namespace/name`: the first releases without it, patch releases included."""


@cache
def _table() -> Mapping[str, Mapping[str, list[str]]]:
    content = resources.files("upgrade_gate.data").joinpath("retirements.json").read_bytes()
    return decoding.from_json(content, _Table).retired


def retired(kind: str, request: str, old: str, new: str) -> bool:
    """Return whether a request is known to have gone between two versions.

    A release `X.Y.0` of the table stands for every later minor too. A patch release stands for its own minor: the
    change was made on that branch alone.
    """
    before, after = versions.parse(old), versions.parse(new)
    if before is None or after is None:
        return False
    for text in _table().get(kind, {}).get(request, ()):
        first = versions.of(text)
        if text.endswith(".0") and before.release < first.release <= after.release:
            return True
        if first.release == after.release and before < first and not after < first:
            return True
    return False
