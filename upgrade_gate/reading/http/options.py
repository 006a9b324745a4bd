"""What a caller says about its exchanges."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct


class HttpOptions(Struct, frozen=True):
    """Trust and time for the hosts of one task."""

    certificate_authority: Path | None = None
    """PEM file or folder, trusted besides the authorities of the environment or the system."""
    insecure: tuple[str, ...] = ()
    """Hosts, `host[:port]`, whose TLS is not verified and that may speak plain http."""
    timeout: float = 120.0
    """Total deadline of one exchange, seconds."""
    progress: bool = False
    """Whether a person sees downloads on a terminal."""
