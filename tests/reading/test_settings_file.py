"""What a plain scalar of a settings file is taken for: what every other YAML file of ours takes it for."""

from __future__ import annotations

from typing import Any

import pytest

from upgrade_gate.reading import settings_file, yaml

KINDS = {
    "12:30": "text",
    "2026-01-01": "text",
    "4.10": "number",
    "0o17": "number",
    "017": "number",
    "1e3": "number",
    ".inf": "text",
    "off": "true or false",
    "~": "nothing",
    "'off'": "text",
    "!!str off": "text",
}
TYPES: dict[str, Any] = {"text": str, "number": (int, float), "true or false": bool, "nothing": type(None)}


@pytest.mark.parametrize("written", KINDS)
def test_a_plain_scalar_means_the_same_in_every_file(written: str) -> None:
    root = settings_file.parse(f"key: {written}\n".encode(), "settings.yaml")
    assert root is not None
    assert root.mapping()["key"].kind == KINDS[written]
    if written != ".inf":  # no JSON holds it, so no manifest may have it
        assert isinstance(yaml.parse_one(f"key: {written}\n".encode(), "x").body["key"], TYPES[KINDS[written]])
