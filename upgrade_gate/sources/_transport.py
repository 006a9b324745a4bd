"""One HTTP exchange with a registry, a token server, an update graph or a signature store, made safe.

Every exchange has a total deadline, goes on after what may pass (broken connections, 429 with Retry-After, 5xx),
follows redirects without ever carrying Authorization to another host, speaks plain http only to hosts that
`--insecure` names, and hashes what it receives. No message, log line or kept cause holds a header, a query or the
user part of a URL.
"""

from __future__ import annotations

import hashlib
import json
import logging
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import urljoin, urlsplit, urlunsplit

from upgrade_gate import __version__
from upgrade_gate.errors import SourceError
from upgrade_gate.sources import _failures, _proxies, _tls
from upgrade_gate.sources._failures import ExchangeError, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

    from upgrade_gate.source import Settings
    from upgrade_gate.sources._progress import Advance

__all__ = ["Response", "Transport", "host_of", "is_url", "registry_words", "shown_url"]

_logger = logging.getLogger(__name__)

ATTEMPTS = 4
FIRST_PAUSE = 0.25
"""Seconds before the second attempt; doubles with each further one."""
CONNECT_SECONDS = 15.0
READ_SECONDS = 30.0
"""How long a server may be silent."""
MAX_REDIRECTS = 10
REDIRECTS = frozenset({301, 302, 303, 307, 308})
CHUNK = 64 * 2**10
IN_MEMORY = 4 * 2**20
"""What is larger goes to a temporary file while it is received."""
ERROR_BODY = 64 * 2**10
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(slots=True)
class Response:
    """An answer, read whole."""

    status: int
    headers: Mapping[str, str]
    """Case does not matter in the names."""
    body: BinaryIO = field(repr=False)
    """At its start; the caller closes it."""
    size: int
    digest: str
    """Of the body, by the algorithm that was asked for."""
    host: str
    """Who gave the answer in the end, after redirects."""
    redirected: bool

    def read(self) -> bytes:
        """Return the whole body and close it."""
        with self.body as body:
            return body.read()


class Transport:
    """The connections of one fetch; safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._insecure = frozenset(host.lower() for host in settings.insecure)
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
        return host in self._insecure or _without_port(host) in self._insecure

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
        deadline = time.monotonic() + self._settings.timeout
        job = _Job(method, url, what, headers or {}, form, limit, algorithm, plain, advance, deadline)
        pause = FIRST_PAUSE
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS
            response, failure = None, None
            try:
                response = self._follow(job)
            except ExchangeError as exc:
                if last or not exc.may_pass:
                    raise self._give_up(job, exc, attempt) from exc.__cause__
                failure = exc
            wait = pause
            if response is not None:
                if response.status != 429 and response.status < 500:
                    return response
                wait = max(pause, _retry_after(response))
                if last or time.monotonic() + wait >= deadline:
                    raise _refused(job, response, attempt, wait)
                _logger.debug("%s: %s answered %d, again in %.1f s", what, response.host, response.status, wait)
                response.body.close()
            elif failure is not None:
                if time.monotonic() + wait >= deadline:
                    raise self._give_up(job, failure, attempt) from failure.__cause__
                _logger.debug("%s: %s, again in %.1f s", what, failure.text, wait)
            time.sleep(wait)
            pause *= 2
        raise AssertionError("unreachable")  # pragma: no cover

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
            target = _joined(url, location)
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
        if not done.wait(max(0.0, job.deadline - time.monotonic())):
            cancelled.set()
            raise ExchangeError(
                Kind.TIMEOUT,
                f"{host_of(url)} had not answered whole within {self._settings.timeout:g} s",
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
        proxy = _proxies.proxy_for(url)
        left = max(0.1, job.deadline - time.monotonic())
        try:
            answer = self._session(insecure=insecure).request(
                job.method,
                url,
                headers=dict(headers),
                data=dict(job.form) if job.form is not None else None,
                timeout=(min(CONNECT_SECONDS, left), min(READ_SECONDS, left)),
                proxies={urlsplit(url).scheme: proxy} if proxy else {},
                allow_redirects=False,
                stream=True,
            )
        except _failures.network_errors() as exc:
            raise _failures.understand(exc, host_of(url), _proxies.shown(proxy) if proxy else None) from None
        self._tell(url, proxy, insecure=insecure)
        try:
            response = _receive(job, answer, host_of(url), cancelled, redirected=redirected)
        finally:
            # After a whole body this gives the connection back; otherwise it ends it.
            answer.close()
        _logger.info(
            "%s %s: %d, %d bytes",
            job.method,
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
        from upgrade_gate.sources._session import new_session

        trusted = _tls.unverified() if insecure else _tls.trust(self._settings.certificate_authority)
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
            authority = (
                _tls.unverified() if insecure else _tls.trust(self._settings.certificate_authority)
            ).description
        _logger.info("host %s: proxy %s, certificate authorities %s", host, _proxies.shown(proxy), authority)

    def _give_up(self, job: _Job, failure: ExchangeError, attempts: int) -> SourceError:
        times = f" ({attempts} attempts)" if attempts > 1 else ""
        return SourceError(f"{job.what}: {failure.text}{times}", hint=failure.hint)


@dataclass(frozen=True, slots=True)
class _Job:
    method: str
    url: str = field(repr=False)
    what: str
    headers: Mapping[str, str] = field(repr=False)
    form: Mapping[str, str] | None = field(repr=False)
    limit: int
    algorithm: str
    plain: bool
    advance: Advance | None
    deadline: float
    """On the monotonic clock, seconds."""


def host_of(url: str) -> str:
    """Return `host[:port]` of a URL, without user and password."""
    return urlsplit(url).netloc.rpartition("@")[2]


def shown_url(url: str) -> str:
    """Return a URL for messages: without query, fragment, user and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{host_of(url)}{parts.path}"


def is_url(url: str) -> bool:
    """Return whether a URL has an http scheme, a host and, if any, a port that exists; never raises."""
    try:
        parts = urlsplit(url)
        return parts.scheme in DEFAULT_PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _joined(base: str, location: str) -> str:
    try:
        return urljoin(base, location)
    except ValueError:
        return ""


def _without_port(host: str) -> str:
    name, _, port = host.rpartition(":")
    return name if name and _is_number(port) and (":" not in name or name.endswith("]")) else host


def _receive(
    job: _Job,
    answer: Any,
    host: str,
    cancelled: threading.Event,
    *,
    redirected: bool,
) -> Response:
    good = answer.status_code < 300
    limit = job.limit if good else ERROR_BODY
    announced = answer.headers.get("content-length", "")
    if good and job.method != "HEAD" and _is_number(announced) and int(announced) > limit:
        raise ExchangeError(Kind.SIZE, f"{host} announces {announced} bytes, more than the {limit} allowed here")
    body = cast("BinaryIO", tempfile.SpooledTemporaryFile(max_size=IN_MEMORY))  # noqa: SIM115 - the caller closes it
    hasher = hashlib.new(job.algorithm)
    size = 0
    try:
        for chunk in _chunks(answer, host):
            size += len(chunk)
            if size > limit and not good:
                break  # enough to name the error
            _go_on(size, limit, host, cancelled)
            hasher.update(chunk)
            _write(body, chunk)
            if job.advance is not None and good:
                job.advance(size)
        body.seek(0)
    except BaseException:
        body.close()
        raise
    return Response(
        answer.status_code, answer.headers, body, size, f"{job.algorithm}:{hasher.hexdigest()}", host, redirected
    )


def _go_on(size: int, limit: int, host: str, cancelled: threading.Event) -> None:
    if size > limit:
        raise ExchangeError(Kind.SIZE, f"{host} sends more than the {limit} bytes allowed here")
    if cancelled.is_set():
        raise ExchangeError(Kind.TIMEOUT, "the deadline has passed")


def _chunks(answer: Any, host: str) -> Iterator[bytes]:
    """Yield what has arrived as it arrives: `read` would wait for a whole chunk however slowly it drips."""
    read = answer.raw.read1
    while True:
        try:
            chunk = read(CHUNK, decode_content=False)
        except _failures.network_errors() as exc:
            raise _failures.understand(exc, host, None) from None
        if not chunk:
            return
        yield chunk


def _write(body: BinaryIO, chunk: bytes) -> None:
    try:
        body.write(chunk)
    except OSError as exc:
        raise SourceError(
            f"the temporary folder {tempfile.gettempdir()} cannot take a download: {exc.strerror or exc}",
            hint="make room there, or set TMPDIR to a folder with room",
        ) from exc


def _is_number(text: str) -> bool:
    """Return whether a text is a plain number; `isdigit` alone takes `²`, which a header may well hold."""
    return text.isascii() and text.isdigit()


def _retry_after(response: Response) -> float:
    """Return Retry-After in seconds, 0 where there is none: a number, or a date."""
    value = response.headers.get("retry-after", "").strip()
    if _is_number(value):
        return float(value)
    with suppress(ValueError, TypeError, OverflowError, IndexError):
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    return 0.0


def _refused(job: _Job, response: Response, attempts: int, wait: float) -> SourceError:
    times = f" {attempts} times" if attempts > 1 else ""
    text = f"{job.what}: {response.host} answered {response.status}{times}{registry_words(response)}"
    if response.status == 429:
        return SourceError(text, hint=f"too many requests; it asks to wait {wait:.0f} s, --timeout allows for longer")
    return SourceError(text, hint="the server has a fault; try again later, or name a mirror with --idms-file")


def registry_words(response: Response) -> str:
    """Return the registry's own code and message out of an error body, ` (CODE: message)`, or nothing."""
    try:
        document = json.loads(response.read()[:ERROR_BODY])
        first = document["errors"][0]
        words = [str(first[key]) for key in ("code", "message") if first.get(key)]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        return ""
    text = "".join(c for c in ": ".join(words) if c.isprintable())[:200]
    return f" ({text})" if text else ""
