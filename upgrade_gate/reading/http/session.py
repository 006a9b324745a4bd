"""A `requests` session that takes nothing from the environment: no proxies, no netrc, no CA bundle, no cookies."""

from __future__ import annotations

import logging
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from upgrade_gate.reading.http import proxies, tls
from upgrade_gate.reading.http.exchange import Peer, exchange
from upgrade_gate.reading.http.urls import USER_AGENT, host_of, shown_url

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

    from upgrade_gate.reading.http.exchange import Deadline, HttpRequest
    from upgrade_gate.reading.http.response import Response, Terms
    from upgrade_gate.reading.http.tls import Trust

_logger = logging.getLogger(__name__)

CONNECTIONS = 4


class Session:
    """Connections that verify with one trust, and go through the proxy that the environment names for each host."""

    def __init__(self, trust: Trust) -> None:
        self._requests = _new_session(trust.context)
        self._trust = trust
        self._told: set[str] = set()

    def close(self) -> None:
        """Close every connection."""
        self._requests.close()

    def exchange(self, request: HttpRequest, terms: Terms, deadline: Deadline, *, redirected: bool = False) -> Response:
        """Make one exchange, following no redirect; `redirected` keeps its path out of the log."""
        url = request.url
        proxy = proxies.proxy_for(url)
        peer = Peer(host_of(url), proxies.shown(proxy) if proxy else None)

        def opened(timeout: tuple[float, float]) -> Any:
            answer = self._requests.request(
                request.method,
                url,
                headers=dict(request.headers),
                data=dict(request.form) if request.form is not None else None,
                json=request.json,
                timeout=timeout,
                proxies={urlsplit(url).scheme: proxy} if proxy else {},
                allow_redirects=False,
                stream=True,
            )
            self._tell(peer, plain=urlsplit(url).scheme == "http")
            return answer.raw

        response = exchange(opened, peer, terms, deadline, redirected=redirected)
        shown = peer.host if redirected else shown_url(url)
        _logger.info("%s %s: %d, %d bytes", request.method, shown, response.status, response.size)
        return response

    def _tell(self, peer: Peer, *, plain: bool) -> None:
        if peer.host not in self._told:
            self._told.add(peer.host)
            authority = "none (plain http)" if plain else self._trust.description
            _logger.info("host %s: proxy %s, certificate authorities %s", peer.host, peer.proxy or "none", authority)


def library_session(certificate_authority: Path | None) -> requests.Session:
    """Return a session for a cloud's own library, which asks for tokens by itself.

    It trusts the user's authority besides those of the environment or the system; proxies are the environment's.
    """
    session = _new_session(tls.trust(certificate_authority).context)
    session.trust_env = True
    return session


class _Adapter(HTTPAdapter):
    """Connections that verify with one given context, whatever `requests` makes of `verify` and the environment."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(pool_connections=CONNECTIONS, pool_maxsize=CONNECTIONS)

    def build_connection_pool_key_attributes(
        self,
        request: requests.PreparedRequest,
        verify: Any,
        cert: Any = None,
    ) -> Any:
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {"ssl_context": self._context}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave the connection as it is: its context decides."""

    def proxy_manager_for(self, proxy: Any, **proxy_kwargs: Any) -> Any:
        if str(proxy).lower().startswith("https"):
            proxy_kwargs["proxy_ssl_context"] = self._context
        return super().proxy_manager_for(proxy, **proxy_kwargs)


class _Requests(requests.Session):
    """A session that leaves redirects to the caller entirely."""

    def get_redirect_target(self, resp: Any) -> None:
        """Say that there is none: requests would read the body whole, however large, and parse the address."""


def _new_session(context: ssl.SSLContext) -> requests.Session:
    """Return a session whose TLS connections use `context`, for plain http as well."""
    if not context.check_hostname:
        # Said by the user for this host; the warning would come with every connection.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    session = _Requests()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.clear()
    session.headers.update({"User-Agent": USER_AGENT, "Accept-Encoding": "identity", "Accept": "*/*"})
    session.mount("https://", _Adapter(context))
    session.mount("http://", _Adapter(context))
    return session
