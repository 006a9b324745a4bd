"""One exchange, whoever makes the connection: a total deadline, attempts at what may pass, an answer received whole.

Three make connections: `client` to registries, graphs and signature stores, `clouds/shared/rest` to a cloud's API,
and the kubernetes client to an API server. What fails is an `ExchangeError`; whoever asks words the end.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from upgrade_gate.reading.http import failures
from upgrade_gate.reading.http.failures import ExchangeError, Kind
from upgrade_gate.reading.http.response import Response, Terms, receive, retry_after

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_logger = logging.getLogger(__name__)

ATTEMPTS = 4
FIRST_PAUSE = 0.25
"""Seconds before the second attempt; doubles with each further one."""
CONNECT_SECONDS = 15.0
INTERRUPT_SECONDS = 0.1
"""How often a waiting thread looks whether the run was interrupted."""

_interrupted = threading.Event()


def interrupt() -> None:
    """End every exchange of the process now: Ctrl-C reaches the main thread only, which waits for the others."""
    _interrupted.set()


@dataclass(frozen=True, slots=True)
class Deadline:
    """When everything that is asked for has to be there."""

    seconds: float
    """All that there is, for messages."""
    at: float
    """On the monotonic clock."""

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Return the deadline that many seconds from now."""
        return cls(seconds, time.monotonic() + seconds)

    def left(self) -> float:
        """Return the seconds that are left; not more than 0 where it has passed."""
        return self.at - time.monotonic()


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What is sent."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    """Posted, URL-encoded."""
    json: Mapping[str, Any] | None = field(default=None, repr=False)
    """Posted as JSON."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is talked to, for messages."""

    host: str
    proxy: str | None
    """Its address without user and password; None for a direct connection."""


@dataclass(frozen=True, slots=True)
class End:
    """How the attempts ended that brought nothing."""

    attempts: int
    wait: float
    """Seconds to wait before the next one."""
    late: bool
    """Whether that wait would have passed the deadline."""

    @property
    def times(self) -> str:
        """` 4 times`, nothing for one attempt."""
        return f" {self.attempts} times" if self.attempts > 1 else ""


class Answered(Protocol):
    """What an attempt brings: whatever the server said."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Case does not matter in the names."""
        ...


T = TypeVar("T", bound=Answered)


def ask(
    once: Callable[[], T],
    what: str,
    deadline: Deadline,
    words: Callable[[T | ExchangeError, End], Exception],
    *,
    attempts: int = ATTEMPTS,
    pause: float = FIRST_PAUSE,
) -> T:
    """Return the first answer that is no passing fault (408, 429, 5xx), asking again after what may pass.

    `once` makes one attempt, returning an answer or raising ExchangeError; `pause` seconds, or those of Retry-After,
    lie between two, never past the deadline. Where it ends without an answer, raises what `words` makes of it.
    """
    attempt = 0
    while True:
        attempt += 1
        outcome = _attempt(once)
        if isinstance(outcome, ExchangeError):
            wait, may_pass, cause = pause, outcome.may_pass, outcome.__cause__
        elif _is_fault(outcome.status):
            wait, may_pass, cause = max(pause, retry_after(outcome.headers)), True, None
        else:
            return outcome
        late = wait >= deadline.left()
        if late or not may_pass or attempt == attempts or _interrupted.is_set():
            raise words(outcome, End(attempt, wait, late)) from cause
        _logger.debug("%s: attempt %d failed, again in %.1f s", what, attempt, wait)
        _interrupted.wait(wait)
        pause *= 2


def _attempt(once: Callable[[], T]) -> T | ExchangeError:
    try:
        return once()
    except ExchangeError as exc:
        return exc


def _is_fault(status: int) -> bool:
    return status in (408, 429) or status >= 500


def exchange(
    opened: Callable[[tuple[float, float]], Any],
    peer: Peer,
    terms: Terms,
    deadline: Deadline,
    *,
    redirected: bool = False,
) -> Response:
    """Make one exchange in a thread of its own and stop waiting for it at the deadline.

    `opened` sends the request and returns urllib3's answer, unread; it is given the seconds for the connection and
    for silence. Those count silence only: a server that drips a byte a second, in its headers or in a handshake with
    a proxy, never meets them, and a name lookup has none. The thread ends at its next byte. Raises ExchangeError.
    """
    done, cancelled = threading.Event(), threading.Event()
    outcome: list[Response | BaseException] = []

    def work() -> None:
        try:
            outcome.append(_exchange(opened, peer, terms, deadline, cancelled, redirected=redirected))
        except BaseException as exc:  # noqa: BLE001 - handed to the caller's thread, which raises it
            outcome.append(exc)
        finally:
            done.set()

    if deadline.left() > 0:
        threading.Thread(target=work, name="upgrade-gate-exchange", daemon=True).start()
    while not done.wait(min(INTERRUPT_SECONDS, max(0.0, deadline.left()))):
        if deadline.left() > 0 and not _interrupted.is_set():
            continue
        cancelled.set()
        raise ExchangeError(
            Kind.TIMEOUT,
            f"{peer.host} did not answer completely within {deadline.seconds:g} s",
            "the deadline is for the whole download; --timeout raises it",
        )
    result = outcome[0]
    if isinstance(result, BaseException):
        raise result
    return result


def _exchange(
    opened: Callable[[tuple[float, float]], Any],
    peer: Peer,
    terms: Terms,
    deadline: Deadline,
    cancelled: threading.Event,
    *,
    redirected: bool,
) -> Response:
    left = max(0.1, deadline.left())
    try:
        answer = opened((min(CONNECT_SECONDS, left), min(terms.silence, left)))
    except failures.network_errors() as exc:
        failures.fail(exc, peer.host, peer.proxy)
    try:
        return receive(terms, answer, peer.host, cancelled, redirected=redirected)
    finally:
        # After a whole body this gives the connection back; otherwise it ends it.
        answer.close()
        answer.release_conn()
