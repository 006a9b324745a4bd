"""GET over TLS through the kubernetes client, with retries and a deadline, and many of them at once.

The client's low-level interface is used: its typed models would build objects from whatever a server sends, and its
own retries know no deadline.
"""

from __future__ import annotations

import logging
import queue
import shutil
import ssl
import tempfile
import threading
import time
import weakref
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from upgrade_gate.base.facts import Fact
    from upgrade_gate.cluster.observe import Query
    from upgrade_gate.cluster.readers._live_login import Login

__all__ = ["FailedError", "Response", "Transport", "answer_all", "reason_of"]

_logger = logging.getLogger(__name__)

_MOST_BYTES = 32 * 2**20
_WORKERS = 12
_ATTEMPTS = 5
_BACKOFF = 0.1
_CONNECT_SECONDS = 10.0
_PASSING = frozenset({429, 500, 502, 503, 504})


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
class Response:
    """One answer of the API server."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def json(self) -> dict[str, Any]:
        """Return the body as a mapping; raises FailedError where it is none."""
        try:
            value = msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise FailedError(f"the answer (status {self.status}) is no JSON") from error
        if not isinstance(value, dict):
            raise FailedError(f"the answer (status {self.status}) is no object")
        return value


@dataclass(slots=True, weakref_slot=True)
class Transport:
    """Connections to one API server; safe to use from several threads."""

    login: Login
    _api: Any = None
    _folder: Path | None = None
    """Private, for certificates given inline; it goes when this object goes."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, path: str, params: Sequence[tuple[str, str]], accept: str, deadline: float) -> Response:
        """GET with retries on what may pass, never past the deadline."""
        attempt = 0
        while True:
            attempt += 1
            failure: FailedError | None = None
            wait = _BACKOFF * 2 ** (attempt - 1)
            try:
                response = self._once(path, params, accept, deadline)
            except FailedError as error:
                failure = error
            else:
                if response.status not in _PASSING:
                    return response
                failure = FailedError(f"{response.status} {reason_of(response)}", everywhere=False)
                wait = _retry_after(response.headers) or wait
            if failure.remedy is not None or attempt == _ATTEMPTS or time.monotonic() + wait >= deadline:
                raise failure
            _logger.debug("GET %s: %s, attempt %d", path, failure.reason, attempt)
            time.sleep(wait)

    def _once(self, path: str, params: Sequence[tuple[str, str]], accept: str, deadline: float) -> Response:
        import urllib3
        from kubernetes.client.exceptions import ApiException

        left = deadline - time.monotonic()
        if left <= 0:
            raise FailedError("no answer within the deadline", everywhere=True)
        headers = {"Accept": accept, "User-Agent": "upgrade-gate"}
        if self.login.impersonate:
            headers["Impersonate-User"] = self.login.impersonate
        api = self._client()
        try:
            request = api.param_serialize(
                "GET", path, query_params=list(params), header_params=headers, auth_settings=["BearerToken"]
            )
            response = api.call_api(*request, _request_timeout=(min(left, _CONNECT_SECONDS), left)).response
            body = response.read(_MOST_BYTES + 1)
            response.release_conn()
        except ApiException as error:
            raise _unreachable(str(error.reason)) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _unreachable(_innermost(error, _shown(api.configuration.proxy))) from error
        if len(body) > _MOST_BYTES:
            raise FailedError(f"the answer is larger than {_MOST_BYTES} bytes")
        return Response(response.status, response.headers, body)

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
        configuration.ssl_ca_cert = self._path_of(login.ca_file, login.ca_data, "ca.crt")
        configuration.cert_file = self._path_of(login.certificate_file, login.certificate_data, "client.crt")
        configuration.key_file = self._path_of(login.key_file, login.key_data, "client.key")
        configuration.connection_pool_maxsize = _WORKERS
        # No redirect is followed: it could lead elsewhere. Retries are made here, within the deadline.
        configuration.retries = Retry(0, redirect=0, raise_on_redirect=False)
        if login.authorization:
            configuration.api_key = {"BearerToken": login.authorization}
        if login.proxy:
            configuration.proxy, configuration.no_proxy = login.proxy, ""
        _set_proxy_login(configuration)
        if not login.verify:
            import urllib3

            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
            _logger.warning("%s: TLS is not verified, as the kubeconfig says", login.description)
        _logger.info("%s: proxy %s, CA %s", login.description, _shown(configuration.proxy), _ca(login))
        try:
            return client.ApiClient(configuration)
        except (ValueError, ImportError) as error:
            raise FailedError(
                f"the proxy of the kubeconfig cannot be used: {error}", remedy="PySocks for socks5"
            ) from error

    def _path_of(self, path: Path | None, data: bytes | None, name: str) -> str | None:
        """Return a file for the TLS library, data given inline in a private folder that goes with this reader."""
        if data is None:
            return None if path is None else str(path)
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="upgrade-gate-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        place = self._folder / name
        place.touch(mode=0o600)
        place.write_bytes(data)
        return str(place)


def answer_all(
    queries: Sequence[Query], answer: Callable[[Query, float], Fact[Any]], deadline: float
) -> dict[Query, Fact[Any] | FailedError]:
    """Answer every query at once, and return at the deadline at the latest; what is missing then is left out.

    The threads are daemons: a server that drips one byte a second must not keep the program from ending.
    """
    pending: queue.SimpleQueue[tuple[Query, Future[Fact[Any]]]] = queue.SimpleQueue()
    futures: dict[Query, Future[Fact[Any]]] = {query: Future() for query in queries}
    for entry in futures.items():
        pending.put(entry)

    def work() -> None:
        while True:
            try:
                query, future = pending.get_nowait()
            except queue.Empty:
                return
            try:
                future.set_result(answer(query, deadline))
            except BaseException as error:  # noqa: BLE001 - handed to the caller's own thread, which raises it
                future.set_exception(error)

    for _ in range(min(len(futures), _WORKERS)):
        threading.Thread(target=work, daemon=True).start()
    wait(futures.values(), timeout=max(0.0, deadline - time.monotonic()))
    outcomes: dict[Query, Fact[Any] | FailedError] = {}
    for query, future in futures.items():
        if future.done():
            error = future.exception()
            if error is not None and not isinstance(error, FailedError):
                raise error
            outcomes[query] = error if error is not None else future.result()
    return outcomes


def reason_of(response: Response) -> str:
    """Return the reason word of a Status, never its message: messages can quote anything."""
    try:
        word = response.json().get("reason")
    except FailedError:
        return "without a Status"
    return word[:60] if isinstance(word, str) and word.isalnum() else "without a reason"


def _retry_after(headers: Mapping[str, str]) -> float | None:
    text = headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def _unreachable(words: str) -> FailedError:
    if "CERTIFICATE_VERIFY_FAILED" in words or "certificate verify failed" in words or "SSL" in words:
        remedy = "check certificate-authority and tls-server-name of the kubeconfig"
        return FailedError(f"TLS failed: {_safe(words)}", remedy=remedy, everywhere=True)
    return FailedError(f"no connection: {_safe(words)}", everywhere=True)


def _innermost(error: BaseException, proxy: str) -> str:
    """Return what the system says, and whether it says so of the proxy; where it says nothing, what the client says."""
    import urllib3

    chain = list(_causes(error))
    system = next((each for each in chain if isinstance(each, OSError) and each.strerror), None)
    if system is None or isinstance(system, ssl.SSLError):
        return f"{type(chain[-1]).__name__}: {chain[-1]}" if system is None else f"SSLError: {system}"
    proxied = any(isinstance(each, urllib3.exceptions.ProxyError) for each in chain)
    return f"the proxy {proxy} cannot be reached: {system.strerror}" if proxied else str(system.strerror)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it wraps, by urllib3's `reason`, its arguments, or Python's own chain."""
    at: BaseException | None = error
    for _ in range(10):
        if at is None:
            return
        yield at
        inner = (getattr(at, "reason", None), *at.args, at.__cause__)
        at = next((each for each in inner if isinstance(each, BaseException)), None)


def _safe(words: str) -> str:
    """Return the first line, without what urllib3 prints about the pool and its URL."""
    line = words.splitlines()[0] if words else ""
    return line.rpartition("object at 0x")[2].partition(": ")[2][:200] if "object at 0x" in line else line[:200]


def _set_proxy_login(configuration: Any) -> None:
    """Hand a user and password of the proxy's URL over as the header that urllib3 wants."""
    place = urlsplit(configuration.proxy or "")
    if place.username is not None and place.scheme in {"http", "https"}:
        from urllib3.util import make_headers

        pair = f"{unquote(place.username)}:{unquote(place.password or '')}"
        configuration.proxy_headers = make_headers(proxy_basic_auth=pair)


def _shown(proxy: str | None) -> str:
    if not proxy:
        return "none"
    place = urlsplit(proxy)
    return f"{place.scheme}://{place.netloc.rpartition('@')[2]}"


def _ca(login: Login) -> str:
    if not login.verify:
        return "not verified"
    return str(login.ca_file) if login.ca_file else ("of the kubeconfig" if login.ca_data else "of the system")
