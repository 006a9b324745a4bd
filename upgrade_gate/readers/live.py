"""Read a live cluster through its API: GET only, every read with a deadline, Secrets as metadata only."""

from __future__ import annotations

import base64
import binascii
import json
import logging
import queue
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

import msgspec

from upgrade_gate.cluster import PULL_SECRET, Query, SecretRef, secret_query
from upgrade_gate.errors import ClusterError
from upgrade_gate.facts import Absent, Fact, Known, Unknown
from upgrade_gate.readers._live_login import Login, is_available, log_in
from upgrade_gate.readers._secrets import reduce_secret

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["LiveReader", "is_available", "open_cluster", "rbac_rule"]

_logger = logging.getLogger(__name__)

_PAGE = 250
_MOST_PAGES = 1_000
_MOST_RESTARTS = 3
_MOST_BYTES = 32 * 2**20
_WORKERS = 12
_ATTEMPTS = 5
_BACKOFF = 0.1
_PASSING = frozenset({429, 500, 502, 503, 504})
_METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_JSON = "application/json"


class _FailedError(Exception):
    """A read that gave no answer; `everywhere` when the server as a whole could not be asked."""

    def __init__(self, reason: str, *, remedy: str | None = None, everywhere: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy
        self.everywhere = everywhere


@dataclass(frozen=True, slots=True)
class _Response:
    """One answer of the API server."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def json(self) -> dict[str, Any]:
        """Return the body as a mapping; raises _FailedError where it is none."""
        try:
            value = msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise _FailedError(f"the answer (status {self.status}) is no JSON") from error
        if not isinstance(value, dict):
            raise _FailedError(f"the answer (status {self.status}) is no object")
        return value


@dataclass(slots=True)
class LiveReader:
    """Answers queries from one API server."""

    login: Login
    timeout: float
    read_secrets: bool
    _api: Any = None
    _files: tempfile.TemporaryDirectory[str] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def description(self) -> str:
        """The server's address."""
        return self.login.description

    @property
    def collected(self) -> None:
        """A live cluster is read now."""
        return

    def read(self, queries: Sequence[Query]) -> Mapping[Query, Fact[Any]]:
        """Answer every query at once; what is not answered within the timeout is Unknown.

        Raises ClusterError where no query at all could be asked: no connection, no TLS, no valid login.
        """
        wave = _Wave(queries, time.monotonic() + self.timeout)
        wave.run(self._answer)
        answers: dict[Query, Fact[Any]] = {}
        failures = []
        for query in queries:
            outcome = wave.outcomes.get(query)
            if outcome is None:
                outcome = _FailedError(f"no answer within {self.timeout:g} s", everywhere=True)
            if isinstance(outcome, _FailedError):
                failures.append(outcome)
                answers[query] = Unknown(f"{_verb(query)}: {outcome.reason}", outcome.remedy)
            else:
                answers[query] = outcome
        if queries and len(failures) == len(queries) and all(failure.everywhere for failure in failures):
            worst = failures[0]
            raise ClusterError(f"{self.description}: {worst.reason}", hint=worst.remedy)
        return answers

    def pull_secret(self) -> Fact[bytes]:
        """Return the cluster's own pull secret (docker config JSON): the one Secret whose value is asked for.

        Only called when the user asks for the cluster's registry credentials; never stored, never printed.
        """
        query = secret_query(PULL_SECRET)
        try:
            response = self._get(_path(query), (), _JSON, time.monotonic() + self.timeout)
            if response.status != 200:
                raise _refused(response, query)
            data = response.json().get("data")
            text = data.get(".dockerconfigjson") if isinstance(data, dict) else None
            return Known(base64.b64decode(text, validate=True)) if isinstance(text, str) else Absent()
        except _FailedError as error:
            return Unknown(f"{_verb(query)}: {error.reason}", error.remedy)
        except binascii.Error:
            return Unknown(f"{_verb(query)}: the value is not base64")

    def _answer(self, query: Query, deadline: float) -> Fact[Any]:
        if query.name is None:
            return self._list(query, deadline)
        accept = _METADATA_ONLY if query.kind == "Secret" and not self.read_secrets else _JSON
        response = self._get(_path(query), (), accept, deadline)
        if response.status == 404:
            return self._absent(response, query, deadline)
        if response.status != 200:
            raise _refused(response, query)
        body = response.json()
        wanted = "PartialObjectMetadata" if accept == _METADATA_ONLY else query.kind
        if body.get("kind") != wanted:
            # A server that ignores the Accept header sends the whole Secret: it is dropped here.
            raise _FailedError(f"the server answered with kind {str(body.get('kind'))[:60]!r}, not {wanted}")
        return _named(body, query, self.read_secrets)

    def _absent(self, response: _Response, query: Query, deadline: float) -> Fact[Any]:
        """Return the absence that a 404 proves: a Status of the API, or a kind that the API does not serve."""
        try:
            body = response.json()
        except _FailedError:
            body = {}
        if body.get("kind") == "Status" and body.get("reason") == "NotFound":
            return Absent()
        if not self._serves(query, deadline):
            return Absent()
        raise _FailedError("the server answered 404 without saying what is not there")

    def _serves(self, query: Query, deadline: float) -> bool:
        """Return whether the API serves a kind, by its discovery documents; raises _FailedError where they do not tell."""
        place = f"/apis/{query.group}/{query.version}" if query.group else f"/api/{query.version}"
        response = self._get(place, (), _JSON, deadline)
        if response.status == 200:
            body = response.json()
            resources = body.get("resources")
            if body.get("kind") == "APIResourceList" and isinstance(resources, list):
                return any(isinstance(item, dict) and item.get("name") == query.plural for item in resources)
        if response.status == 404 and query.group:
            groups = self._get("/apis", (), _JSON, deadline)
            body = groups.json() if groups.status == 200 else {}
            listed = body.get("groups")
            if body.get("kind") == "APIGroupList" and isinstance(listed, list):
                return any(isinstance(item, dict) and item.get("name") == query.group for item in listed)
        raise _FailedError("the server answered 404, and its discovery does not tell whether the kind exists")

    def _list(self, query: Query, deadline: float) -> Fact[Any]:
        for _ in range(_MOST_RESTARTS):
            items = self._pages(query, deadline)
            if items is not None:
                return items
            _logger.debug("%s: the continue token expired, starting again", query.plural)
        raise _FailedError("the list kept expiring while it was read")

    def _pages(self, query: Query, deadline: float) -> Fact[Any] | None:
        """Return a whole list, None where its continue token expired on the way."""
        items: list[Any] = []
        token = ""
        for _ in range(_MOST_PAGES):
            selector = (("labelSelector", query.label_selector),) if query.label_selector else ()
            more = (("continue", token),) if token else ()
            response = self._get(_path(query), (("limit", str(_PAGE)), *selector, *more), _JSON, deadline)
            if response.status == 410 and token:
                return None
            if response.status == 404 and not token:
                return self._absent(response, query, deadline)
            if response.status != 200:
                raise _refused(response, query)
            body = response.json()
            if body.get("kind") != f"{query.kind}List" or not isinstance(body.get("items"), list):
                raise _FailedError(
                    f"the server answered with kind {str(body.get('kind'))[:60]!r}, not {query.kind}List"
                )
            items += body["items"]
            metadata = body.get("metadata")
            token = metadata.get("continue") or "" if isinstance(metadata, dict) else ""
            if not isinstance(token, str):
                raise _FailedError("the list's continue token is no text")
            if not token:
                return Known(tuple(_item(item, query) for item in items))
        raise _FailedError(f"the list has more than {_MOST_PAGES} pages")

    def _get(self, path: str, params: Sequence[tuple[str, str]], accept: str, deadline: float) -> _Response:
        """GET with retries on what may pass, never past the deadline."""
        attempt = 0
        while True:
            attempt += 1
            failure: _FailedError | None = None
            wait = _BACKOFF * 2**attempt
            try:
                response = self._once(path, params, accept, deadline)
            except _FailedError as error:
                failure = error
            else:
                if response.status not in _PASSING:
                    return response
                failure = _FailedError(f"{response.status} {_reason(response)}", everywhere=False)
                wait = _retry_after(response.headers) or wait
            if failure.remedy is not None or attempt == _ATTEMPTS or time.monotonic() + wait >= deadline:
                raise failure
            _logger.debug("GET %s: %s, attempt %d", path, failure.reason, attempt)
            time.sleep(wait)

    def _once(self, path: str, params: Sequence[tuple[str, str]], accept: str, deadline: float) -> _Response:
        import urllib3
        from kubernetes.client.exceptions import ApiException

        left = deadline - time.monotonic()
        if left <= 0:
            raise _FailedError(f"no answer within {self.timeout:g} s", everywhere=True)
        headers = {"Accept": accept, "User-Agent": "upgrade-gate"}
        if self.login.impersonate:
            headers["Impersonate-User"] = self.login.impersonate
        api = self._client()
        try:
            request = api.param_serialize(
                "GET", path, query_params=list(params), header_params=headers, auth_settings=["BearerToken"]
            )
            response = api.call_api(*request, _request_timeout=(min(left, 10.0), left)).response
            body = response.read(_MOST_BYTES + 1)
            response.release_conn()
        except ApiException as error:
            raise _unreachable(str(error.reason)) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _unreachable(_innermost(error)) from error
        if len(body) > _MOST_BYTES:
            raise _FailedError(f"the answer is larger than {_MOST_BYTES} bytes")
        return _Response(response.status, response.headers, body)

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
            raise _FailedError(
                f"the proxy of the kubeconfig cannot be used: {error}", remedy="PySocks for socks5"
            ) from error

    def _path_of(self, path: Path | None, data: bytes | None, name: str) -> str | None:
        """Return a file for the TLS library, data given inline in a private folder that goes with this reader."""
        if data is None:
            return None if path is None else str(path)
        if self._files is None:
            self._files = tempfile.TemporaryDirectory(prefix="upgrade-gate-")
        place = Path(self._files.name) / name
        place.touch(mode=0o600)
        place.write_bytes(data)
        return str(place)


class _Wave:
    """Reads that run at once, in threads that a silent server cannot keep the program from leaving behind."""

    def __init__(self, queries: Sequence[Query], deadline: float) -> None:
        self.deadline = deadline
        self.outcomes: dict[Query, Fact[Any] | _FailedError] = {}
        self._pending: queue.SimpleQueue[Query] = queue.SimpleQueue()
        for query in queries:
            self._pending.put(query)
        self._count = len(queries)
        self._done: queue.SimpleQueue[tuple[Query, Fact[Any] | _FailedError]] = queue.SimpleQueue()

    def run(self, answer: Any) -> None:
        """Answer every query; returns at the deadline at the latest."""
        for _ in range(min(self._count, _WORKERS)):
            threading.Thread(target=self._work, args=(answer,), daemon=True).start()
        while len(self.outcomes) < self._count:
            try:
                query, outcome = self._done.get(timeout=max(0.0, self.deadline - time.monotonic()))
            except queue.Empty:
                return
            self.outcomes[query] = outcome

    def _work(self, answer: Any) -> None:
        while True:
            try:
                query = self._pending.get_nowait()
            except queue.Empty:
                return
            try:
                outcome = answer(query, self.deadline)
            except _FailedError as error:
                outcome = error
            except Exception as error:  # a thread's last resort: its fact is Unknown, not lost
                _logger.debug("reading %s failed", query, exc_info=error)
                outcome = _FailedError(f"reading failed: {type(error).__name__}")
            self._done.put((query, outcome))


def open_cluster(
    *,
    kubeconfig: Path | None = None,
    context: str | None = None,
    timeout: float = 30.0,
    read_secrets: bool = False,
) -> LiveReader:
    """Log in to a cluster; nothing is read yet.

    Raises UsageError where the kubeconfig or context does not exist, ClusterError where it gives no login.
    """
    return LiveReader(log_in(kubeconfig, context, timeout=timeout), timeout, read_secrets)


# The name that the other readers have too.
open = open_cluster  # noqa: A001


def rbac_rule(query: Query) -> dict[str, Any]:
    """Return the RBAC rule that allows one query."""
    rule: dict[str, Any] = {"apiGroups": [query.group], "resources": [query.plural]}
    if query.name is not None:
        rule["resourceNames"] = [query.name]
    return {**rule, "verbs": ["get" if query.name is not None else "list"]}


def _path(query: Query) -> str:
    base = f"/apis/{query.group}/{query.version}" if query.group else f"/api/{query.version}"
    parts = [base]
    if query.namespace is not None:
        parts += ["namespaces", quote(query.namespace, safe="")]
    parts.append(query.plural)
    if query.name is not None:
        parts.append(quote(query.name, safe=""))
    return "/".join(parts)


def _verb(query: Query) -> str:
    kind = f"{query.plural}.{query.group}" if query.group else query.plural
    what = f"get {kind}/{query.name}" if query.name is not None else f"list {kind}"
    return f"{what} in namespace {query.namespace}" if query.namespace else what


def _refused(response: _Response, query: Query) -> _FailedError:
    """Return the failure for a status that is no answer."""
    match response.status:
        case 401:
            return _FailedError(
                "401 the login is not valid", remedy="log in again: the token has expired", everywhere=True
            )
        case 403:
            where = f" in namespace {query.namespace}" if query.namespace else ""
            return _FailedError("403 forbidden", remedy=f"allow {json.dumps(rbac_rule(query))}{where}")
        case 406:
            return _FailedError("406 the server cannot give metadata alone", remedy="read it with --read-secrets")
        case status if 300 <= status < 400:
            return _FailedError(f"{status} redirect: it is not followed", remedy="name the API server itself")
        case status:
            return _FailedError(f"{status} {_reason(response)}".strip())


def _reason(response: _Response) -> str:
    """Return the reason word of a Status, never its message: messages can quote anything."""
    try:
        word = response.json().get("reason")
    except _FailedError:
        return "without a Status"
    return word[:60] if isinstance(word, str) and word.isalnum() else "without a reason"


def _retry_after(headers: Mapping[str, str]) -> float | None:
    text = headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def _unreachable(words: str) -> _FailedError:
    if "CERTIFICATE_VERIFY_FAILED" in words or "certificate verify failed" in words or "SSL" in words:
        remedy = "check certificate-authority and tls-server-name of the kubeconfig"
        return _FailedError(f"TLS failed: {_safe(words)}", remedy=remedy, everywhere=True)
    return _FailedError(f"no connection: {_safe(words)}", everywhere=True)


def _innermost(error: BaseException) -> str:
    reason = getattr(error, "reason", None)
    if isinstance(reason, BaseException):
        return _innermost(reason)
    return f"{type(error).__name__}: {error}"


def _safe(words: str) -> str:
    """Return the first line, without what urllib3 prints about the pool and its URL."""
    line = words.splitlines()[0] if words else ""
    return line.rpartition("object at 0x")[2].partition(": ")[2][:200] if "object at 0x" in line else line[:200]


def _named(body: dict[str, Any], query: Query, read_secrets: bool) -> Fact[Any]:
    metadata = body.get("metadata")
    if not isinstance(metadata, dict):
        raise _FailedError("the answer has no metadata")
    if metadata.get("name") != query.name or metadata.get("namespace") != query.namespace:
        raise _FailedError("the answer is another object than the one asked for")
    if query.kind == "Secret":
        return reduce_secret(body, SecretRef(query.namespace or "", query.name or ""), read_values=read_secrets)
    return Known(_without_managed_fields(body))


def _item(item: Any, query: Query) -> Any:
    """Return one entry of a list, with the kind that the API leaves out there."""
    if not isinstance(item, dict):
        raise _FailedError("the list holds an entry that is no object")
    version = f"{query.group}/{query.version}" if query.group else query.version
    return _without_managed_fields({"apiVersion": version, "kind": query.kind, **item})


def _without_managed_fields(body: dict[str, Any]) -> dict[str, Any]:
    metadata = body.get("metadata")
    if not isinstance(metadata, dict):
        return body
    return {**body, "metadata": {key: value for key, value in metadata.items() if key != "managedFields"}}


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
