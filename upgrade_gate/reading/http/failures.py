"""Why an exchange failed, in words: exceptions of requests, kubernetes, urllib3, ssl and the sockets, understood.

The texts of those exceptions hold whole URLs, queries and proxies' passwords included, so none of them is ever
passed on; only the innermost system error is kept as the cause.
"""

from __future__ import annotations

import errno
from enum import Enum, auto
from functools import cache
from typing import TYPE_CHECKING, NoReturn, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

E = TypeVar("E", bound=BaseException)
_SOCKS = frozenset({"ProxyConnectionError", "SOCKS5AuthError"})
"""What PySocks raises where the proxy itself is not reached, or refuses the login."""


class Kind(Enum):
    """What an exchange failed at."""

    CERTIFICATE = auto()
    TLS = auto()
    """Something that is not TLS came back."""
    CONNECTION = auto()
    """Refused, reset, or closed without an answer."""
    CUT = auto()
    """The answer broke off."""
    NAME = auto()
    TIMEOUT = auto()
    PROXY = auto()
    PLAIN = auto()
    """Plain http to a host that was not named insecure."""
    SIZE = auto()
    PROTOCOL = auto()


class ExchangeError(Exception):
    """One exchange failed; `text` names the host, `hint` the next step, `reason` is what the system says alone."""

    def __init__(
        self, kind: Kind, text: str, hint: str | None = None, *, reason: str = "", may_pass: bool = False
    ) -> None:
        super().__init__(text)
        self.kind = kind
        self.text = text
        self.hint = hint
        self.reason = reason or text
        self.may_pass = may_pass


@cache
def network_errors() -> tuple[type[Exception], ...]:
    """Return the types that a failed exchange raises; requests' own are OSErrors."""
    from http.client import HTTPException

    import urllib3

    return (OSError, HTTPException, UnicodeError, urllib3.exceptions.HTTPError)


def fail(exc: Exception, host: str, proxy: str | None) -> NoReturn:
    """Raise what a library raised as an ExchangeError; `proxy` is the proxy's address where one was used."""
    chain = list(_chain(exc))
    via = f"{host} through proxy {proxy}" if proxy else host
    root = next((e for e in reversed(chain) if isinstance(e, OSError) and e.errno is not None), None)
    raise _understand(chain, via, host, proxy) from root


def _understand(chain: list[BaseException], via: str, host: str, proxy: str | None) -> ExchangeError:
    import socket
    import ssl

    from urllib3 import exceptions as urllib3

    if _first(chain, ssl.SSLError, urllib3.SSLError) is not None:
        return _tls_error(chain, via, host)
    # NewConnectionError is a ConnectTimeoutError for history's sake only.
    if any(
        isinstance(e, TimeoutError | urllib3.TimeoutError) and not isinstance(e, urllib3.NewConnectionError)
        for e in chain
    ):
        hint = "check host, proxy and NO_PROXY; --timeout allows more time"
        return ExchangeError(Kind.TIMEOUT, f"{via} does not answer", hint, reason="it does not answer")
    if unresolved := _first(chain, socket.gaierror):
        return ExchangeError(
            Kind.NAME,
            f"the host name of {proxy or host} cannot be resolved",
            "check the name, HTTPS_PROXY and NO_PROXY, or name a mirror with --idms-file or --mirrors-from-cluster",
            reason=unresolved.strerror or "",
            may_pass=unresolved.errno == socket.EAI_AGAIN,
        )
    if proxy and any(isinstance(e, urllib3.ProxyError) or type(e).__name__ in _SOCKS for e in chain):
        reason = _system_words(chain)
        text = f"{via} cannot be reached: {reason.lower()}"
        return ExchangeError(Kind.PROXY, text, "check HTTPS_PROXY and NO_PROXY", reason=reason)
    if cut := _first(chain, urllib3.IncompleteRead):
        reason = f"broke off after {cut.partial} bytes"
        return ExchangeError(Kind.CUT, f"{host} {reason}", "try again", reason=reason, may_pass=True)
    if isinstance(chain[0], ValueError):
        # InvalidURL, InvalidSchema, InvalidProxyURL, UnicodeError of a host name.
        return ExchangeError(Kind.PROTOCOL, f"no request can be made to {via} ({type(chain[0]).__name__})")
    reason = _system_words(chain)
    text = f"no connection to {via}: {reason.lower()}"
    return ExchangeError(Kind.CONNECTION, text, "check host and port", reason=reason, may_pass=True)


def _tls_error(chain: list[BaseException], via: str, host: str) -> ExchangeError:
    import ssl

    if untrusted := _first(chain, ssl.SSLCertVerificationError):
        reason = untrusted.verify_message or "verification failed"
        return ExchangeError(
            Kind.CERTIFICATE,
            f"the certificate of {host} is not trusted: {reason}",
            f"name its authority with --certificate-authority FILE, or give up the check with --insecure {host}",
            reason=reason,
        )
    error = _first(chain, ssl.SSLError)
    if error is None:
        reason = _system_words(chain)
        return ExchangeError(Kind.TLS, f"no TLS with {via}: {reason.lower()}", reason=reason)
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        reason = "broke off the TLS connection"
        return ExchangeError(Kind.CONNECTION, f"{via} {reason}", reason=reason, may_pass=True)
    reason = (error.reason or "protocol error").replace("_", " ").lower()
    return ExchangeError(
        Kind.TLS,
        f"{via} does not answer in TLS ({reason})",
        f"if it speaks plain http, --insecure {host} allows it for this host",
        reason=reason,
    )


def _system_words(chain: list[BaseException]) -> str:
    for each in reversed(chain):
        if isinstance(each, OSError) and each.errno is not None and each.strerror:
            return "Connection reset" if each.errno in (errno.ECONNRESET, errno.EPIPE) else each.strerror
    for each in reversed(chain):
        # The one message of the standard library that is worth passing on: "Tunnel connection failed: 407 …".
        if isinstance(each, OSError) and str(each).startswith("Tunnel connection failed"):
            return str(each)
    return "it closed the connection without an answer"


def _first(chain: list[BaseException], *kinds: type[E]) -> E | None:
    return next((each for each in chain if isinstance(each, kinds)), None)


def _chain(exc: BaseException) -> Iterator[BaseException]:
    """Yield an exception and all that it wraps, outermost first, however the libraries keep it."""
    seen: set[int] = set()
    queue: list[BaseException] = [exc]
    while queue:
        each = queue.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        inner = [*each.args, getattr(each, "reason", None), each.__cause__, each.__context__]
        queue.extend(e for e in inner if isinstance(e, BaseException))
