"""Read a live cluster through its API: GET only, every read with a deadline, Secrets as metadata only."""

from __future__ import annotations

import base64
import itertools
import logging
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from upgrade_gate.base.errors import ClusterError
from upgrade_gate.base.facts import Absent, Fact, Known, Unknown
from upgrade_gate.cluster.facts_table import PULL_SECRET, secret_query
from upgrade_gate.cluster.model import Query
from upgrade_gate.cluster.readers._kept import kept, without_managed_fields
from upgrade_gate.cluster.readers._live_login import Remedies, context_names, is_available, log_in, through_proxy
from upgrade_gate.cluster.readers._live_server import ApiAnswer, ApiServer, FailedError, answer_all, reason_of
from upgrade_gate.cluster.rights import FORBIDDEN, read_of, remedy_of
from upgrade_gate.reading.http import progress as watched
from upgrade_gate.reading.http.exchange import Deadline

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from upgrade_gate.cluster.hub import ClusterProxy

__all__ = ["LiveReader", "context_names", "is_available", "open_cluster", "open_managed"]

_logger = logging.getLogger(__name__)

_PAGE = 250
_MOST_PAGES = 1_000
_MOST_RESTARTS = 3
_METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_JSON = "application/json"


@dataclass(slots=True)
class ReadingTime:
    """What all reads of a run may take together; what passes between them does not count."""

    left: float
    """Seconds."""

    @contextmanager
    def deadline(self) -> Iterator[Deadline]:
        """Give the deadline of the next reads, and count what they take: at most two thirds of what is left.

        So one read that hangs leaves some time to those that come after.
        """
        began = time.monotonic()
        try:
            yield Deadline.after(round(self.left * 2 / 3, 2))
        finally:
            self.left -= time.monotonic() - began


@dataclass(frozen=True, slots=True)
class LiveReader:
    """Answers queries from one API server."""

    description: str
    """The server's address."""
    time: ReadingTime
    read_secrets: bool
    server: ApiServer
    progress: bool = False
    """Whether a person watches: then stderr shows how many answers are there."""

    @property
    def collected(self) -> None:
        """A live cluster is read now."""
        return

    def read(self, queries: Sequence[Query]) -> Mapping[Query, Fact[Any]]:
        """Answer every query at once; what is not answered in time is Unknown.

        Raises ClusterError where no query at all could be asked: no connection, no TLS, no valid login.
        """
        shown = watched.reads(f"Reading {self.description}", len(queries), wanted=self.progress)
        with self.time.deadline() as deadline, shown as advance:
            answered = itertools.count(1)

            def answer(query: Query, deadline: Deadline) -> Fact[Any]:
                try:
                    return self._answer(query, deadline)
                finally:
                    if advance:
                        advance(next(answered))

            outcomes = _settled(answer_all(queries, answer, deadline))
        answers: dict[Query, Fact[Any]] = {}
        failures = []
        for query, outcome in outcomes.items():
            if isinstance(outcome, FailedError):
                failures.append(outcome)
                answers[query] = Unknown(f"{read_of(query)}: {outcome.reason}", outcome.remedy)
            else:
                answers[query] = outcome
        if outcomes and len(failures) == len(outcomes) and all(failure.everywhere for failure in failures):
            hint = failures[0].remedy or self.server.login.remedies.reach
            raise ClusterError(f"{self.description}: {failures[0].reason}", hint=hint)
        return answers

    def pull_secret(self) -> Fact[bytes]:
        """Return the cluster's own pull secret (docker config JSON): the one Secret whose value is asked for.

        Only called when the user asks for the cluster's registry credentials; never stored, never printed.
        """
        query = secret_query(PULL_SECRET)
        try:
            with self.time.deadline() as deadline:
                body = self._object(query, _JSON, deadline)
            if isinstance(body, Absent):
                return body
            data = body.get("data")
            text = data.get(".dockerconfigjson") if isinstance(data, dict) else None
            return Known(base64.b64decode(text, validate=True)) if isinstance(text, str) else Absent()
        except FailedError as error:
            return Unknown(f"{read_of(query)}: {error.reason}", error.remedy)
        except ValueError:  # of base64, and of letters that are no ASCII
            return Unknown(f"{read_of(query)}: the value is not base64")

    def _answer(self, query: Query, deadline: Deadline) -> Fact[Any]:
        if query.name is None:
            return self._list(query, deadline)
        accept = _METADATA_ONLY if query.kind == "Secret" and not self.read_secrets else _JSON
        body = self._object(query, accept, deadline)
        if isinstance(body, Absent):
            return body
        wanted = "PartialObjectMetadata" if accept == _METADATA_ONLY else query.kind
        if body.get("kind") != wanted:
            # A server that ignores the Accept header sends the whole Secret: it is dropped here.
            raise FailedError(f"the server answered with kind {str(body.get('kind'))[:60]!r}, not {wanted}")
        return _named(body, query, self.read_secrets)

    def _object(self, query: Query, accept: str, deadline: Deadline) -> dict[str, Any] | Absent:
        response = self.server.get(_path(query), (), accept, deadline)
        if response.status == 404:
            return self._absent(response, query, deadline)
        if response.status != 200:
            raise _refused(response, query, self.server.login.remedies)
        return response.json()

    def _absent(self, response: ApiAnswer, query: Query, deadline: Deadline) -> Absent:
        """Return the absence that a 404 proves: a Status of the API, or a kind that the API does not serve."""
        try:
            body = response.json()
        except FailedError:
            body = {}
        if body.get("kind") == "Status" and body.get("reason") == "NotFound":
            return Absent()
        if not self._serves(query, deadline):
            return Absent()
        raise FailedError("the server answered 404 without saying what is not there")

    def _serves(self, query: Query, deadline: Deadline) -> bool:
        """Return whether the API serves a kind, by its discovery; raises where that does not tell."""
        response = self.server.get(_api(query), (), _JSON, deadline)
        if response.status == 200:
            body = response.json()
            resources = body.get("resources")
            if body.get("kind") == "APIResourceList" and isinstance(resources, list):
                return any(isinstance(item, dict) and item.get("name") == query.plural for item in resources)
        if response.status == 404 and query.group:
            groups = self.server.get("/apis", (), _JSON, deadline)
            body = groups.json() if groups.status == 200 else {}
            listed = body.get("groups")
            if body.get("kind") == "APIGroupList" and isinstance(listed, list):
                return any(_offers(item, query) for item in listed)
        raise FailedError("the server answered 404, and its discovery does not tell whether the kind exists")

    def _list(self, query: Query, deadline: Deadline) -> Fact[Any]:
        for _ in range(_MOST_RESTARTS):
            items = self._pages(query, deadline)
            if items is not None:
                return items
            _logger.debug("%s: the continue token expired, starting again", query.plural)
        raise FailedError("the list expired again and again while it was read")

    def _pages(self, query: Query, deadline: Deadline) -> Fact[Any] | None:
        """Return a whole list, None where its continue token expired on the way."""
        items: list[Any] = []
        token = ""
        for _ in range(_MOST_PAGES):
            selector = (("labelSelector", query.label_selector),) if query.label_selector else ()
            more = (("continue", token),) if token else ()
            response = self.server.get(_path(query), (("limit", str(_PAGE)), *selector, *more), _JSON, deadline)
            if response.status == 410 and token:
                return None
            if response.status == 404 and not token:
                return self._absent(response, query, deadline)
            if response.status != 200:
                raise _refused(response, query, self.server.login.remedies)
            body = response.json()
            if body.get("kind") != f"{query.kind}List" or not isinstance(body.get("items"), list):
                raise FailedError(f"the server answered with kind {str(body.get('kind'))[:60]!r}, not {query.kind}List")
            items += body["items"]
            metadata = body.get("metadata")
            more_of_it = metadata.get("continue") if isinstance(metadata, dict) else None
            token = "" if more_of_it is None else more_of_it
            if not isinstance(token, str):
                raise FailedError("the list's continue token is not text")
            if not token:
                return Known(tuple(_item(item, query) for item in items))
        raise FailedError(f"the list has more than {_MOST_PAGES} pages")


def open_cluster(
    *,
    kubeconfig: Path | None = None,
    context: str | None = None,
    timeout: float = 30.0,
    read_secrets: bool = False,
    progress: bool = False,
) -> LiveReader:
    """Log in to a cluster; nothing is read yet. `timeout`: seconds that all its reads may take together.

    Raises UsageError where the kubeconfig or context does not exist, ClusterError where it gives no login.
    """
    login = log_in(kubeconfig, context, timeout=timeout)
    return LiveReader(login.description, ReadingTime(timeout), read_secrets, ApiServer(login), progress)


def open_managed(
    hub: LiveReader, name: str, proxy: ClusterProxy, trust: ssl.SSLContext, *, timeout: float, read_secrets: bool
) -> LiveReader:
    """Log in to a cluster through its hub's cluster-proxy; nothing is read yet.

    Raises ClusterError where the login at the hub is none that cluster-proxy takes.
    """
    unread = f"; the hub's own certificates were not read: {proxy.unread}" if proxy.unread else ""
    remedies = Remedies(
        trust=f"give the certificate authority of the hub's routes with --certificate-authority{unread}",
        reach="check cluster-proxy on the hub, proxy-url of the kubeconfig, HTTPS_PROXY, NO_PROXY, --cluster-timeout",
        login="log in to the hub again; its cluster-proxy must know the hub's users (docs/using/fleets.md#hub)",
        other=f"see whether the add-on runs there: oc -n {name} get managedclusteraddon cluster-proxy",
    )
    login = through_proxy(hub.server.login, proxy.url, name, trust, remedies)
    return LiveReader(login.description, ReadingTime(timeout), read_secrets, ApiServer(login))


def _settled(outcomes: Mapping[Query, Fact[Any] | FailedError]) -> Mapping[Query, Fact[Any] | FailedError]:
    """Return the outcomes, where nothing is in a namespace that the same wave found absent.

    RBAC refuses before anything is looked up, and a Role in a namespace that does not exist cannot be made: whoever
    may read only what is named would never learn that a new component's Secret is not there yet.
    """
    nowhere = {q.name for q, outcome in outcomes.items() if q.plural == "namespaces" and isinstance(outcome, Absent)}
    return {
        query: Absent()
        if isinstance(outcome, FailedError) and outcome.forbidden and query.namespace in nowhere
        else outcome
        for query, outcome in outcomes.items()
    }


def _offers(group: Any, query: Query) -> bool:
    """Return whether an entry of the API's list of groups is the query's group in its version."""
    if not isinstance(group, dict) or group.get("name") != query.group:
        return False
    versions = group.get("versions")
    if not isinstance(versions, list):
        raise FailedError("the server's list of API groups has no versions")
    return any(isinstance(version, dict) and version.get("version") == query.version for version in versions)


def _api(query: Query) -> str:
    return f"/apis/{query.api_version}" if query.group else f"/api/{query.api_version}"


def _path(query: Query) -> str:
    parts = [_api(query)]
    if query.namespace is not None:
        parts += ["namespaces", quote(query.namespace, safe="")]
    parts.append(query.plural)
    if query.name is not None:
        parts.append(quote(query.name, safe=""))
    return "/".join(parts)


def _refused(response: ApiAnswer, query: Query, remedies: Remedies) -> FailedError:
    """Return the failure for a status that is no answer."""
    match response.status:
        case 401:
            return FailedError("401 the login is not valid", remedy=remedies.login, everywhere=True)
        case 403:
            return FailedError(FORBIDDEN, remedy=remedy_of(query), forbidden=True)
        case 406:
            return FailedError("406 the server cannot give metadata alone", remedy="read it with --read-secrets")
        case status if 300 <= status < 400:
            return FailedError(f"{status} redirect: it is not followed", remedy="name the API server itself")
        case status:
            return FailedError(f"{status} {reason_of(response)}".strip(), remedy=remedies.other)


def _named(body: dict[str, Any], query: Query, read_secrets: bool) -> Fact[Any]:
    metadata = body.get("metadata")
    if not isinstance(metadata, dict):
        raise FailedError("the answer has no metadata")
    if metadata.get("name") != query.name or metadata.get("namespace") != query.namespace:
        raise FailedError("the answer is another object than the one asked for")
    return kept(body, query, read_secrets=read_secrets)


def _item(item: Any, query: Query) -> Any:
    """Return one entry of a list, with the kind that the API leaves out there."""
    if not isinstance(item, dict):
        raise FailedError("the list holds an entry that is not an object")
    return without_managed_fields({"apiVersion": query.api_version, "kind": query.kind, **item})
