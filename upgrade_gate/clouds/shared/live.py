"""What every live reader does: it leaves out what it may not read, and waits only so long for a token."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from upgrade_gate.clouds.shared.rest import ForbiddenError, GoneError, UnusableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from upgrade_gate.clouds.contract.holdings import Document

_logger = logging.getLogger(__name__)

SILENCE = 30.0
"""Seconds that whoever gives a token may say nothing."""


def maybe(read: Callable[..., Document], *arguments: Any) -> Document | None:
    """Return what may be read; what may not, or is gone, is missing from the documents, and so from every proof."""
    try:
        return read(*arguments)
    except (ForbiddenError, GoneError, UnusableError) as exc:
        _logger.warning("%s", exc)
        return None
