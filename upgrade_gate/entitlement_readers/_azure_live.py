"""x."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from upgrade_gate.entitlements import Document


def collect(settings: Mapping[str, Any]) -> tuple[Document, ...]:
    """X."""
    raise NotImplementedError
