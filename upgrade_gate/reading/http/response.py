"""One HTTP answer, received whole: hashed while it streams, bounded, and the words of a registry's error."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO

from upgrade_gate.base.text import one_line
from upgrade_gate.reading.files import temporary_room
from upgrade_gate.reading.http import failures
from upgrade_gate.reading.http.failures import ExchangeError, Kind
from upgrade_gate.reading.http.urls import is_number

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Mapping

    from upgrade_gate.reading.http.progress import Advance

CHUNK = 64 * 2**10
IN_MEMORY = 4 * 2**20
"""What is larger goes to a temporary file while it is received."""
ERROR_BODY = 64 * 2**10


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


@dataclass(frozen=True, slots=True)
class Terms:
    """What may be received."""

    limit: int
    """Bytes of a good body; an error's is cut."""
    algorithm: str = "sha256"
    """Of the digest."""
    advance: Advance | None = None
    silence: float = 30.0
    """Seconds that a server may say nothing."""


def receive(terms: Terms, answer: Any, host: str, cancelled: threading.Event, *, redirected: bool) -> Response:
    """Read an answer of urllib3 whole; raises ExchangeError where it breaks off or holds more than it may."""
    import hashlib
    import tempfile

    good = answer.status < 300
    limit = terms.limit if good else ERROR_BODY
    announced = answer.headers.get("content-length", "")
    if good and is_number(announced) and int(announced) > limit:
        raise ExchangeError(Kind.SIZE, f"{host} announces {announced} bytes, more than the {limit} allowed here")
    # The caller closes it.
    body: Any = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) if good else BytesIO()  # noqa: SIM115
    hasher = hashlib.new(terms.algorithm)
    size = 0
    try:
        for chunk in _chunks(answer, host):
            size += len(chunk)
            if size > limit and not good:
                break  # enough to name the error
            _go_on(size, limit, host, cancelled)
            hasher.update(chunk)
            _write(body, chunk)
            if terms.advance is not None and good:
                terms.advance(size)
        body.seek(0)
    except BaseException:
        body.close()
        raise
    return Response(
        answer.status, answer.headers, body, size, f"{terms.algorithm}:{hasher.hexdigest()}", host, redirected
    )


def _go_on(size: int, limit: int, host: str, cancelled: threading.Event) -> None:
    if size > limit:
        raise ExchangeError(Kind.SIZE, f"{host} sends more than the {limit} bytes allowed here")
    if cancelled.is_set():
        raise ExchangeError(Kind.TIMEOUT, "the deadline has passed")


def _chunks(answer: Any, host: str) -> Iterator[bytes]:
    """Yield what has arrived as it arrives: `read` would wait for a whole chunk however slowly it drips."""
    read = answer.read1
    while True:
        try:
            chunk = read(CHUNK, decode_content=False)
        except failures.network_errors() as exc:
            failures.fail(exc, host, None)
        if not chunk:
            return
        yield chunk


def _write(body: BinaryIO, chunk: bytes) -> None:
    with temporary_room("a download"):
        body.write(chunk)


def retry_after(headers: Mapping[str, str]) -> float:
    """Return Retry-After in seconds, 0 where there is none: a number, or a date."""
    value = headers.get("retry-after", "").strip()
    if is_number(value):
        return float(value)
    from email.utils import parsedate_to_datetime

    with suppress(ValueError, TypeError, OverflowError, IndexError):
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    return 0.0


def registry_words(response: Response) -> str:
    """Return the registry's own code and message out of an error body, ` (CODE: message)`, or nothing."""
    try:
        document = json.loads(response.read()[:ERROR_BODY])
        first = document["errors"][0]
        words = [str(first[key]) for key in ("code", "message") if first.get(key)]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        return ""
    text = one_line(": ".join(words))[:200]
    return f" ({text})" if text else ""
