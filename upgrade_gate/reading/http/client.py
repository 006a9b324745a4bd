"""One HTTP exchange with a registry, a token server, an update graph or a signature store, made safe.

Every exchange has a total deadline, goes on after what may pass (broken connections, 429 with Retry-After, 5xx),
follows redirects without ever carrying Authorization to another host, speaks plain http only to hosts that
`--insecure` names, and hashes what it receives. No message, log line or kept cause holds a header, a query or the
user part of a URL.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from upgrade_gate.base.errors import SourceError
from upgrade_gate.reading.http import tls
from upgrade_gate.reading.http.exchange import Deadline, HttpRequest, ask
from upgrade_gate.reading.http.failures import ExchangeError, Kind
from upgrade_gate.reading.http.response import ERROR_BODY, Response, Terms, registry_words
from upgrade_gate.reading.http.urls import DEFAULT_PORTS, host_of, is_url, joined, without_port

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from upgrade_gate.reading.http.exchange import End
    from upgrade_gate.reading.http.options import HttpOptions
    from upgrade_gate.reading.http.progress import Advance
    from upgrade_gate.reading.http.session import Session

_logger = logging.getLogger(__name__)

MAX_REDIRECTS = 10
REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Transport:
    """The connections of one fetch; safe to use from several threads."""

    def __init__(self, options: HttpOptions) -> None:
        self._options = options
        self._insecure = frozenset(host.lower() for host in options.insecure)
        self._plain: set[str] = set()
        """Insecure hosts that turned out not to speak TLS."""
        self._sessions: dict[bool, Session] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Transport:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            for session in self._sessions.values():
                session.close()
            self._sessions.clear()

    def is_insecure(self, host: str) -> bool:
        """Return whether `--insecure` names this `host[:port]`; a host given without a port stands for every port."""
        host = host.lower()
        return host in self._insecure or without_port(host) in self._insecure

    def send(
        self,
        method: str,
        url: str,
        what: str,
        *,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        limit: int = ERROR_BODY,
        algorithm: str = "sha256",
        plain: bool = False,
        advance: Advance | None = None,
    ) -> Response:
        """Exchange one request for its answer, whatever its status below 500 other than 429.

        `what` names the object in errors, `limit` is the most that a good body may hold (bytes), `algorithm` that of
        its digest; `plain` allows http where the URL itself says so. A form is posted and never follows a redirect,
        since it holds a secret.
        Raises SourceError where no answer came within the deadline and the retries.
        """
        if not is_url(url):
            raise SourceError(f"{what}: its address is not an http URL")
        deadline = Deadline.after(self._options.timeout)
        request = HttpRequest(method, url, headers or {}, form)
        job = _Job(request, Terms(limit, algorithm, advance), plain, deadline)

        def gave_up(outcome: Response | ExchangeError, end: End) -> SourceError:
            return _gave_up(what, outcome, end)

        return ask(partial(self._follow, job), what, deadline, gave_up)

    def _follow(self, job: _Job) -> Response:
        request = job.request
        origin = self._origin(request.url)
        for _ in range(MAX_REDIRECTS + 1):
            response = self._once(job, request)
            location = response.headers.get("location")
            if response.status not in REDIRECTS or not location or request.form is not None:
                return response
            response.body.close()
            host, target = host_of(request.url), joined(request.url, location)
            if not is_url(target):
                raise ExchangeError(Kind.PROTOCOL, f"{host} redirects to something that is not an http address")
            _logger.info("%s redirects to %s", host, host_of(target))
            request = replace(request, url=target)
            if self._origin(target) != origin:
                request = replace(
                    request, headers={k: v for k, v in request.headers.items() if k.lower() != "authorization"}
                )
        raise ExchangeError(
            Kind.PROTOCOL,
            f"{host_of(job.request.url)} redirects in a loop (more than {MAX_REDIRECTS} times)",
            "the registry or a proxy before it is set up wrongly",
        )

    def _origin(self, url: str) -> tuple[str, str, int]:
        """Return what Authorization is bound to; plain http and TLS of one insecure host and port count as one."""
        parts = urlsplit(url)
        scheme = "any" if self.is_insecure(parts.netloc) and parts.port else parts.scheme
        return scheme, (parts.hostname or ""), parts.port or DEFAULT_PORTS.get(parts.scheme, 0)

    def _once(self, job: _Job, request: HttpRequest) -> Response:
        parts = urlsplit(request.url)
        host = host_of(request.url)
        insecure = self.is_insecure(host)
        redirected = request.url != job.request.url
        session = self._session(insecure=insecure)

        def exchange(to: HttpRequest) -> Response:
            return session.exchange(to, job.terms, job.deadline, redirected=redirected)

        if parts.scheme == "http":
            if not insecure and not (job.plain and not redirected):
                raise ExchangeError(
                    Kind.PLAIN,
                    f"{host} would be reached over plain http, which anyone on the way can read and change",
                    f"--insecure {host} allows it for this host",
                )
            return exchange(request)
        as_plain = replace(request, url=urlunsplit(("http", *parts[1:])))
        if insecure and host in self._plain:
            return exchange(as_plain)
        try:
            return exchange(request)
        except ExchangeError as exc:
            if not insecure or exc.kind not in (Kind.TLS, Kind.CONNECTION):
                raise
            try:
                response = exchange(as_plain)
            except ExchangeError as second:
                raise (second if exc.kind is Kind.TLS else exc) from exc
        _logger.info("%s does not speak TLS: plain http, as --insecure allows", host)
        self._plain.add(host)
        return response

    def _session(self, *, insecure: bool) -> Session:
        with self._lock:
            if insecure not in self._sessions:
                self._sessions[insecure] = self._new_session(insecure=insecure)
            return self._sessions[insecure]

    def _new_session(self, *, insecure: bool) -> Session:
        from upgrade_gate.reading.http.session import Session

        return Session(tls.unverified() if insecure else tls.trust(self._options.certificate_authority))


@dataclass(frozen=True, slots=True)
class _Job:
    """One request, from the first address to the last."""

    request: HttpRequest
    terms: Terms
    plain: bool
    deadline: Deadline


def _gave_up(what: str, outcome: Response | ExchangeError, end: End) -> SourceError:
    """Word the end of the attempts."""
    if isinstance(outcome, ExchangeError):
        times = f" ({end.attempts} attempts)" if end.attempts > 1 else ""
        return SourceError(f"{what}: {outcome.text}{times}", hint=outcome.hint)
    text = f"{what}: {outcome.host} answered {outcome.status}{end.times}{registry_words(outcome)}"
    if outcome.status == 429:
        hint = f"too many requests; it asks to wait {end.wait:.0f} s, --timeout allows for longer"
        return SourceError(text, hint=hint)
    return SourceError(text, hint="the server has a fault; try again later, or name a mirror with --idms-file")
