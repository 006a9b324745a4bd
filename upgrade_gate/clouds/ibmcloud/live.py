"""IBM Cloud live: nothing is read; who asks is told what to export instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upgrade_gate.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from upgrade_gate.clouds.contract.holdings import Document


def collect(settings: Mapping[str, Any]) -> tuple[Document, ...]:
    """Refuse: IBM Cloud has no live reader."""
    del settings
    raise UsageError(
        "identities of IBM Cloud and Power VS cannot be read live",
        hint="use --identities export:PATH, with what `ibmcloud iam … --output json` prints",
    )
