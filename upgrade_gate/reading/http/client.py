"""One HTTP exchange with a registry, a token server, an update graph or a signature store, made safe.

Every exchange has a total deadline, goes on after what may pass (broken connections, 429 with Retry-After, 5xx),
follows redirects without ever carrying Authorization to another host, speaks plain http only to hosts that
`--insecure` names, and hashes what it receives. No message, log line or kept cause holds a header, a query or the
user part of a URL.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from upgrade_gate import __version__
from upgrade_gate.base.errors import SourceError
from upgrade_gate.reading.http import failures, proxies, tls
from upgrade_gate.reading.http.failures import ExchangeError, Kind
from upgrade_gate.reading.http.response import ERROR_BODY, Response, Terms, receive, registry_words, retry_after
from upgrade_gate.reading.http.urls import DEFAULT_PORTS, host_of, is_url, joined, shown_url, without_port

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from upgrade_gate.reading.http.options import HttpOptions
    from upgrade_gate.reading.http.progress import Advance

__all__ = ["Transport", "interrupt"]

_logger = logging.getLogger(__name__)

ATTEMPTS = 4
FIRST_PAUSE = 0.25
"""Seconds before the second attempt; doubles with each further one."""
CONNECT_SECONDS = 15.0
READ_SECONDS = 30.0
"""How long a server may be silent."""
MAX_REDIRECTS = 10
REDIRECTS = frozenset({301, 302, 303, 307, 308})
INTERRUPT_SECONDS = 0.1
"""How often a waiting thread looks whether the run was interrupted."""

_interrupted = threading.Event()


def interrupt() -> None:
    """End every exchange of the process now: Ctrl-C reaches the main thread only, which waits for the others."""
    _interrupted.set()


class Transport:
    """The connections of one fetch; safe to use from several threads."""

    def __init__(self, options: HttpOptions) -> None:
        self._options = options
        self._insecure = frozenset(host.lower() for host in options.insecure)
        self._plain: set[str] = set()
        """Insecure hosts that turned out not to speak TLS."""
        self._sessions: dict[bool, Any] = {}
        self._lock = threading.Lock()
        self._told: set[str] = set()

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
            raise SourceError(f"{what}: its address is no http URL")
        deadline = time.monotonic() + self._options.timeout
        job = _Job(Terms(method, limit, algorithm, advance), url, what, headers or {}, form, plain, deadline)
        pause = FIRST_PAUSE
        for attempt in count(1):
            outcome = self._try(job)
            if isinstance(outcome, Response) and not _is_fault(outcome):
                return outcome
            wait = max(pause, retry_after(outcome) if isinstance(outcome, Response) else 0.0)
            over = attempt == ATTEMPTS or _interrupted.is_set() or time.monotonic() + wait >= deadline
            if over or (isinstance(outcome, ExchangeError) and not outcome.may_pass):
                raise _gave_up(job, outcome, attempt, wait) from getattr(outcome, "__cause__", None)
            _logger.debug("%s: attempt %d failed, again in %.1f s", what, attempt, wait)
            if isinstance(outcome, Response):
                outcome.body.close()
            _interrupted.wait(wait)
            pause *= 2
        raise AssertionError("unreachable")  # pragma: no cover

    def _try(self, job: _Job) -> Response | ExchangeError:
        try:
            return self._follow(job)
        except ExchangeError as exc:
            return exc

    def _follow(self, job: _Job) -> Response:
        start = self._origin(job.url)
        url, strayed = job.url, False
        for _ in range(MAX_REDIRECTS + 1):
            strayed = strayed or self._origin(url) != start
            headers = {k: v for k, v in job.headers.items() if not strayed or k.lower() != "authorization"}
            response = self._once(job, url, headers, redirected=url != job.url)
            location = response.headers.get("location")
            if response.status not in REDIRECTS or not location or job.form is not None:
                return response
            response.body.close()
            target = joined(url, location)
            if not is_url(target):
                raise ExchangeError(Kind.PROTOCOL, f"{host_of(url)} redirects to something that is no http address")
            _logger.info("%s redirects to %s", host_of(url), host_of(target))
            url = target
        raise ExchangeError(
            Kind.PROTOCOL,
            f"{host_of(job.url)} redirects in a loop (more than {MAX_REDIRECTS} times)",
            "the registry or a proxy before it is set up wrongly",
        )

    def _origin(self, url: str) -> tuple[str, str, int]:
        """Return what Authorization is bound to; plain http and TLS of one insecure host and port count as one."""
        parts = urlsplit(url)
        scheme = "any" if self.is_insecure(parts.netloc) and parts.port else parts.scheme
        return scheme, (parts.hostname or ""), parts.port or DEFAULT_PORTS.get(parts.scheme, 0)

    def _once(self, job: _Job, url: str, headers: Mapping[str, str], *, redirected: bool) -> Response:
        parts = urlsplit(url)
        host = host_of(url)
        insecure = self.is_insecure(host)
        if parts.scheme == "http":
            if not insecure and not (job.plain and not redirected):
                raise ExchangeError(
                    Kind.PLAIN,
                    f"{host} would be reached over plain http, which anyone on the way can read and change",
                    f"--insecure {host} allows it for this host",
                )
            return self._bounded(job, url, headers, insecure=insecure, redirected=redirected)
        as_plain = urlunsplit(("http", *parts[1:]))
        if insecure and host in self._plain:
            return self._bounded(job, as_plain, headers, insecure=True, redirected=redirected)
        try:
            return self._bounded(job, url, headers, insecure=insecure, redirected=redirected)
        except ExchangeError as exc:
            if not insecure or exc.kind not in (Kind.TLS, Kind.CONNECTION):
                raise
            try:
                response = self._bounded(job, as_plain, headers, insecure=True, redirected=redirected)
            except ExchangeError as second:
                raise (second if exc.kind is Kind.TLS else exc) from exc
        _logger.info("%s does not speak TLS: plain http, as --insecure allows", host)
        self._plain.add(host)
        return response

    def _bounded(
        self, job: _Job, url: str, headers: Mapping[str, str], *, insecure: bool, redirected: bool
    ) -> Response:
        """Exchange in a thread of its own and stop waiting for it at the deadline.

        Socket timeouts count silence only: a server that drips a byte a second, in its headers or in a handshake
        with a proxy, never meets them, and a name lookup has none. The thread ends at its next byte.
        """
        done, cancelled = threading.Event(), threading.Event()
        outcome: list[Response | ExchangeError | BaseException] = []

        def work() -> None:
            try:
                outcome.append(self._exchange(job, url, headers, cancelled, insecure=insecure, redirected=redirected))
            except BaseException as exc:  # noqa: BLE001 - handed to the caller's thread, which raises it
                outcome.append(exc)
            finally:
                done.set()

        threading.Thread(target=work, name="upgrade-gate-download", daemon=True).start()
        while not done.wait(min(INTERRUPT_SECONDS, max(0.0, job.deadline - time.monotonic()))):
            if time.monotonic() < job.deadline and not _interrupted.is_set():
                continue
            cancelled.set()
            raise ExchangeError(
                Kind.TIMEOUT,
                f"{host_of(url)} had not answered whole within {self._options.timeout:g} s",
                "the deadline is total; --timeout raises it",
            )
        result = outcome[0]
        if isinstance(result, BaseException):
            raise result
        return result

    def _exchange(
        self,
        job: _Job,
        url: str,
        headers: Mapping[str, str],
        cancelled: threading.Event,
        *,
        insecure: bool,
        redirected: bool,
    ) -> Response:
        proxy = proxies.proxy_for(url)
        left = max(0.1, job.deadline - time.monotonic())
        try:
            answer = self._session(insecure=insecure).request(
                job.terms.method,
                url,
                headers=dict(headers),
                data=dict(job.form) if job.form is not None else None,
                timeout=(min(CONNECT_SECONDS, left), min(READ_SECONDS, left)),
                proxies={urlsplit(url).scheme: proxy} if proxy else {},
                allow_redirects=False,
                stream=True,
            )
        except failures.network_errors() as exc:
            raise failures.understand(exc, host_of(url), proxies.shown(proxy) if proxy else None) from None
        self._tell(url, proxy, insecure=insecure)
        try:
            response = receive(job.terms, answer, host_of(url), cancelled, redirected=redirected)
        finally:
            # After a whole body this gives the connection back; otherwise it ends it.
            answer.close()
        _logger.info(
            "%s %s: %d, %d bytes",
            job.terms.method,
            host_of(url) if redirected else shown_url(url),
            response.status,
            response.size,
        )
        return response

    def _session(self, *, insecure: bool) -> Any:
        with self._lock:
            if insecure not in self._sessions:
                self._sessions[insecure] = self._new_session(insecure=insecure)
            return self._sessions[insecure]

    def _new_session(self, *, insecure: bool) -> Any:
        from upgrade_gate.reading.http.session import new_session

        trusted = tls.unverified() if insecure else tls.trust(self._options.certificate_authority)
        return new_session(trusted.context, f"upgrade-gate/{__version__}")

    def _tell(self, url: str, proxy: str | None, *, insecure: bool) -> None:
        host = host_of(url)
        with self._lock:
            if host in self._told:
                return
            self._told.add(host)
        if urlsplit(url).scheme == "http":
            authority = "none (plain http)"
        else:
            authority = (tls.unverified() if insecure else tls.trust(self._options.certificate_authority)).description
        _logger.info("host %s: proxy %s, certificate authorities %s", host, proxies.shown(proxy), authority)


@dataclass(frozen=True, slots=True)
class _Job:
    terms: Terms
    url: str = field(repr=False)
    what: str
    headers: Mapping[str, str] = field(repr=False)
    form: Mapping[str, str] | None = field(repr=False)
    plain: bool
    deadline: float
    """On the monotonic clock, seconds."""


def _is_fault(response: Response) -> bool:
    return response.status == 429 or response.status >= 500


def _gave_up(job: _Job, outcome: Response | ExchangeError, attempts: int, wait: float) -> SourceError:
    """Word the end of the attempts."""
    if isinstance(outcome, ExchangeError):
        times = f" ({attempts} attempts)" if attempts > 1 else ""
        return SourceError(f"{job.what}: {outcome.text}{times}", hint=outcome.hint)
    times = f" {attempts} times" if attempts > 1 else ""
    text = f"{job.what}: {outcome.host} answered {outcome.status}{times}{registry_words(outcome)}"
    if outcome.status == 429:
        return SourceError(text, hint=f"too many requests; it asks to wait {wait:.0f} s, --timeout allows for longer")
    return SourceError(text, hint="the server has a fault; try again later, or name a mirror with --idms-file")
