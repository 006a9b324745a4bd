"""Which proxy a host is reached through: HTTPS_PROXY, HTTP_PROXY and NO_PROXY as Go, and so `oc`, reads them."""

from __future__ import annotations

import ipaddress
import os
from urllib.parse import urlsplit

from upgrade_gate.base.errors import UsageError
from upgrade_gate.reading.http.urls import DEFAULT_PORTS, is_loopback, is_number

SCHEMES = frozenset({"http", "https", "socks5", "socks5h"})


def proxy_for(url: str, *, spare_loopback: bool = True) -> str | None:
    """Return the proxy's URL for a request, None for a direct connection; loopback is not proxied (as in Go)."""
    parts = urlsplit(url)
    proxy = _variable(f"{parts.scheme}_proxy")
    host = parts.hostname or ""
    if not proxy or (spare_loopback and is_loopback(host)):
        return None
    if bypassed(host, parts.port or DEFAULT_PORTS.get(parts.scheme, 0), _variable("no_proxy")):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    if urlsplit(proxy).scheme not in SCHEMES or not urlsplit(proxy).hostname:
        raise UsageError(
            f"{parts.scheme.upper()}_PROXY is not the URL of a proxy",
            hint="write http://HOST:PORT or socks5://HOST:PORT",
        )
    return proxy


def bypassed(host: str, port: int, no_proxy: str) -> bool:
    """Return whether NO_PROXY names the host: `*`, a domain with its subdomains, `.domain`, an address, a CIDR.

    An entry with a port is for that port only; `.domain` is for subdomains only (golang.org/x/net/http/httpproxy).
    """
    host = host.lower().strip("[]").rstrip(".")
    address = _address(host)
    for raw in no_proxy.split(","):
        entry = raw.strip().lower()
        if entry == "*":
            return True
        if "/" in entry:
            if address is not None and _contains(entry, address):
                return True
            continue
        entry, entry_port = _split_port(entry)
        if not entry or (entry_port is not None and entry_port != port):
            continue
        if address is not None:
            if _address(entry) == address:
                return True
            continue
        entry = entry.removeprefix("*")
        if (not entry.startswith(".") and entry == host) or host.endswith("." + entry.lstrip(".")):
            return True
    return False


def shown(proxy: str | None) -> str:
    """Return a proxy for messages: without user and password."""
    if proxy is None:
        return "none"
    parts = urlsplit(proxy)
    return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")


def _variable(name: str) -> str:
    return os.environ.get(name) or os.environ.get(name.upper()) or ""


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None


def _contains(network: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return address in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _split_port(entry: str) -> tuple[str, int | None]:
    """Take `:port` off a host, an IPv4 address or a bracketed IPv6 address."""
    if entry.startswith("["):
        host, _, rest = entry[1:].partition("]")
        if not rest:
            return host, None
        return (host, int(rest[1:])) if is_number(rest[1:]) else (entry, None)
    host, colon, port = entry.rpartition(":")
    if colon and is_number(port) and ":" not in host:
        return host, int(port)
    return entry, None
