"""A `requests` session that takes nothing from the environment: no proxies, no netrc, no CA bundle, no cookies."""

from __future__ import annotations

from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    import ssl

__all__ = ["new_session"]

CONNECTIONS = 4


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


class _Session(requests.Session):
    """A session that leaves redirects to the caller entirely."""

    def get_redirect_target(self, resp: Any) -> None:
        """Say that there is none: requests would read the body whole, however large, and parse the address."""


def new_session(context: ssl.SSLContext, user_agent: str) -> requests.Session:
    """Return a session whose TLS connections use `context`, for plain http as well."""
    if not context.check_hostname:
        # Said by the user for this host; the warning would come with every connection.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    session = _Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.clear()
    session.headers.update({"User-Agent": user_agent, "Accept-Encoding": "identity", "Accept": "*/*"})
    session.mount("https://", _Adapter(context))
    session.mount("http://", _Adapter(context))
    return session
