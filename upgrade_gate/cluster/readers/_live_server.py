"""GET at an API server, through the kubernetes client's connections, many of them at once.

The client's low-level interface is used: its typed models would build objects from whatever a server sends, and its
own retries know no deadline. Deadline, attempts, bounds and failures are those of every exchange (`reading/http`).
"""

from __future__ import annotations

import logging
import threading
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import msgspec

from upgrade_gate.base.errors import ClusterError
from upgrade_gate.reading.files import temporary_room
from upgrade_gate.reading.http import failures, proxies
from upgrade_gate.reading.http.exchange import Peer, ask, exchange, interrupt
from upgrade_gate.reading.http.failures import ExchangeError, Kind
from upgrade_gate.reading.http.response import Terms
from upgrade_gate.reading.http.urls import USER_AGENT, host_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from upgrade_gate.base.facts import Fact
    from upgrade_gate.cluster.model import Query
    from upgrade_gate.cluster.readers._live_login import Login, Remedies
    from upgrade_gate.reading.http.exchange import Deadline

_logger = logging.getLogger(__name__)

_MOST_BYTES = 32 * 2**20
_WORKERS = 12
_ATTEMPTS = 5
_FIRST_PAUSE = 0.1


class FailedError(Exception):
    """A read that gave no answer.

    `everywhere` when the server as a whole could not be asked, `forbidden` when it refused this one read.
    """

    def __init__(
        self, reason: str, *, remedy: str | None = None, everywhere: bool = False, forbidden: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy
        self.everywhere = everywhere
        self.forbidden = forbidden


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """One answer of the API server."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def json(self) -> dict[str, Any]:
        """Return the body as a mapping; raises FailedError where it is none."""
        try:
            value = msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise FailedError(f"the answer (status {self.status}) is not JSON") from error
        if not isinstance(value, dict):
            raise FailedError(f"the answer (status {self.status}) is not an object")
        return value


@dataclass(slots=True, weakref_slot=True)
class ApiServer:
    """Connections to one API server; safe to use from several threads."""

    login: Login
    _api: Any = None
    _folder: Path | None = None
    """Private, for certificates given inline; it goes when this object goes."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, path: str, params: Sequence[tuple[str, str]], accept: str, deadline: Deadline) -> ApiAnswer:
        """GET with retries on what may pass, never past the deadline; raises FailedError."""
        api = self._client()
        proxy: str | None = api.configuration.proxy
        peer = Peer(host_of(self.login.server), proxies.shown(proxy) if proxy else None)
        headers = {"Accept": accept} | ({"Impersonate-User": self.login.impersonate} if self.login.impersonate else {})
        request = api.param_serialize(
            "GET", path, query_params=list(params), header_params=headers, auth_settings=["BearerToken"]
        )
        terms = Terms(_MOST_BYTES, silence=deadline.seconds)

        def once() -> ApiAnswer:
            response = exchange(lambda timeout: _opened(api, request, timeout, peer), peer, terms, deadline)
            return ApiAnswer(response.status, response.headers, response.read())

        return ask(
            once,
            f"GET {path}",
            deadline,
            lambda outcome, _: _failed(outcome, deadline, peer, self.login.remedies),
            attempts=_ATTEMPTS,
            pause=_FIRST_PAUSE,
        )

    def _client(self) -> Any:
        """Return the kubernetes client, made once; it keeps the connections."""
        with self._lock:
            if self._api is None:
                self._api = self._connect()
            return self._api

    def _connect(self) -> Any:
        from kubernetes import client
        from urllib3 import Retry

        login = self.login
        configuration = client.Configuration()
        configuration.host = login.server
        configuration.verify_ssl = login.verify
        configuration.tls_server_name = login.server_name
        configuration.ssl_ca_cert = self._path_of(login.authority, "ca.crt")
        configuration.cert_file = self._path_of(login.credential.certificate, "client.crt")
        configuration.key_file = self._path_of(login.credential.key, "client.key")
        configuration.connection_pool_maxsize = _WORKERS
        # No redirect is followed: it could lead elsewhere. Retries are made here, within the deadline.
        configuration.retries = Retry(0, redirect=0, raise_on_redirect=False)
        if login.credential.authorization:
            configuration.api_key = {"BearerToken": login.credential.authorization}
        configuration.proxy = login.proxy or proxies.proxy_for(login.server, spare_loopback=False)
        configuration.no_proxy = ""
        _set_proxy_login(configuration)
        if not login.verify:
            import urllib3

            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
            _logger.warning("%s: TLS is not verified, as the kubeconfig says", login.description)
        _logger.info("%s: proxy %s, CA %s", login.description, proxies.shown(configuration.proxy), _authority(login))
        try:
            api = client.ApiClient(configuration)
        except (ValueError, ImportError) as error:
            raise FailedError(
                f"the proxy of the kubeconfig cannot be used: {error}", remedy="use an http, https or socks5 proxy"
            ) from error
        if login.trust is not None:
            api.rest_client.pool_manager.connection_pool_kw["ssl_context"] = login.trust
        api.user_agent = USER_AGENT
        return api

    def _path_of(self, given: Path | bytes | None, name: str) -> str | None:
        """Return a file for the TLS library, data given inline in a private folder that goes with this reader."""
        if not isinstance(given, bytes):
            return None if given is None else str(given)
        if self._folder is None:
            import shutil
            import tempfile

            with temporary_room("the kubeconfig's certificates", ClusterError):
                self._folder = Path(tempfile.mkdtemp(prefix="upgrade-gate-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        place = self._folder / name
        with temporary_room("the kubeconfig's certificates", ClusterError):
            place.touch(mode=0o600)
            place.write_bytes(given)
        return str(place)


def answer_all(
    queries: Sequence[Query], answer: Callable[[Query, Deadline], Fact[Any]], deadline: Deadline
) -> dict[Query, Fact[Any] | FailedError]:
    """Answer every query at once; all end by the deadline, since every exchange does."""
    from concurrent.futures import ThreadPoolExecutor

    def outcome(query: Query) -> Fact[Any] | FailedError:
        try:
            return answer(query, deadline)
        except FailedError as error:
            return error

    with ThreadPoolExecutor(_WORKERS) as pool:
        try:
            return dict(zip(queries, pool.map(outcome, queries), strict=True))
        except KeyboardInterrupt:
            interrupt()  # else the pool would wait for the deadline
            raise


def reason_of(answer: ApiAnswer) -> str:
    """Return the reason word of a Status, never its message: messages can quote anything."""
    try:
        word = answer.json().get("reason")
    except FailedError:
        return "without a Status"
    return word[:60] if isinstance(word, str) and word.isalnum() else "without a reason"


def _opened(api: Any, request: Any, timeout: tuple[float, float], peer: Peer) -> Any:
    """Send one request; return the answer of urllib3 below, unread."""
    from kubernetes.client.exceptions import ApiException

    try:
        return api.call_api(*request, _request_timeout=timeout).response
    except ApiException as error:  # around urllib3's
        failures.fail(error, peer.host, peer.proxy)


def _failed(outcome: ApiAnswer | ExchangeError, deadline: Deadline, peer: Peer, remedies: Remedies) -> FailedError:
    """Word the end of the attempts."""
    if not isinstance(outcome, ExchangeError):
        return FailedError(f"{outcome.status} {reason_of(outcome)}", remedy=remedies.other)
    match outcome.kind:
        case Kind.CERTIFICATE | Kind.TLS:
            return FailedError(f"TLS failed: {outcome.reason}", remedy=remedies.trust, everywhere=True)
        case Kind.SIZE:
            return FailedError(f"the answer is larger than {_MOST_BYTES} bytes")
        case Kind.PROXY | Kind.NAME if peer.proxy:
            why = f"the proxy {peer.proxy} cannot be reached: {outcome.reason}"
        case Kind.TIMEOUT if deadline.left() <= 0:
            return FailedError(f"no answer within {deadline.seconds:g} s", everywhere=True)
        case _:
            why = outcome.reason
    return FailedError(f"no connection: {why}", everywhere=True)


def _set_proxy_login(configuration: Any) -> None:
    """Hand a user and password of the proxy's URL over as the header that urllib3 wants."""
    place = urlsplit(configuration.proxy or "")
    if place.username is not None and place.scheme in {"http", "https"}:
        from urllib3.util import make_headers

        pair = f"{unquote(place.username)}:{unquote(place.password or '')}"
        configuration.proxy_headers = make_headers(proxy_basic_auth=pair)


def _authority(login: Login) -> str:
    if not login.verify:
        return "not verified"
    if login.trust is not None:
        return "of the hub, the command line and the system"
    if isinstance(login.authority, bytes):
        return "of the kubeconfig"
    return "of the system" if login.authority is None else str(login.authority)
