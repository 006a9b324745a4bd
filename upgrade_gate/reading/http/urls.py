"""URLs: what may be told of them, and what is one at all."""

from __future__ import annotations

import ipaddress
from urllib.parse import urljoin, urlsplit

from upgrade_gate import __version__

USER_AGENT = f"upgrade-gate/{__version__}"
DEFAULT_PORTS = {"http": 80, "https": 443}


def host_of(url: str) -> str:
    """Return `host[:port]` of a URL, without user and password."""
    return urlsplit(url).netloc.rpartition("@")[2]


def shown_url(url: str) -> str:
    """Return a URL for messages: without query, fragment, user and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{host_of(url)}{parts.path}"


def is_url(url: str) -> bool:
    """Return whether a URL has an http scheme, a host and, if any, a port that exists; never raises."""
    try:
        parts = urlsplit(url)
        return parts.scheme in DEFAULT_PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def joined(base: str, location: str) -> str:
    """Return an absolute URL, empty where the two make none."""
    try:
        return urljoin(base, location)
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Return whether a host, without its port, is this machine by its name or address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def without_port(host: str) -> str:
    """Return a host without its port; IPv6 addresses keep their brackets."""
    name, _, port = host.rpartition(":")
    return name if name and is_number(port) and (":" not in name or name.endswith("]")) else host


def is_number(text: str) -> bool:
    """Return whether a text of a header is a plain number; `isdigit` takes `²`, and `int` refuses 5,000 digits."""
    return text.isascii() and text.isdigit() and len(text) < 19
