"""Read-only calls to a cloud's REST API: one host, one total deadline, pages joined, retries only on what may pass.

The token goes to the API's own host alone, over TLS alone: redirects are not followed, and the link to a next page
must name the same host. No message holds a header or a query.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from upgrade_gate.base.errors import EntitlementError, UsageError

if TYPE_CHECKING:
    import requests

__all__ = ["ForbiddenError", "GoneError", "Rest", "UnusableError", "open_session", "read_settings"]

_logger = logging.getLogger(__name__)

_ATTEMPTS = 4
_FIRST_PAUSE = 0.25
_TIMEOUT = 120.0
"""Seconds for everything that is collected, unless the settings say otherwise."""
_SILENCE = 30.0
"""Seconds that a server may say nothing."""
_LARGEST = 64 * 2**20
_MAX_PAGES = 2_000
_CHUNK = 64 * 2**10
_PASSING = frozenset({408, 429, 500, 502, 503, 504})


class ForbiddenError(EntitlementError):
    """The caller may not make this call; the message names the permission to add."""


class GoneError(EntitlementError):
    """What was asked for does not exist."""


class UnusableError(EntitlementError):
    """The answer came, and is not the list that was asked for."""


def read_settings(settings: Mapping[str, Any], cloud: str, what: str) -> tuple[str, float]:
    """Return the account to read and the seconds for all of it; raises UsageError where the account is missing."""
    account = settings.get("account")
    if not isinstance(account, str) or not account.strip():
        raise UsageError(
            f"--identities live: the {what} of {cloud} is not known",
            hint="name it as `account` under `identities:` of the configuration",
        )
    return account.strip().rstrip("/").rpartition("/")[2], float(settings.get("timeout") or _TIMEOUT)


def open_session(certificate_authority: object) -> requests.Session:
    """Return a session that trusts the user's authority besides those of the environment or the system.

    Proxies are the environment's.
    """
    from upgrade_gate.reading.http import tls
    from upgrade_gate.reading.http.session import new_session

    named = Path(str(certificate_authority)) if certificate_authority else None
    session = new_session(tls.trust(named).context, "upgrade-gate")
    session.trust_env = True
    return session


class Rest:
    """The connection of one collection; `headers` go with every call, beside the token."""

    def __init__(
        self,
        token: Callable[[], str],
        *,
        settings: Mapping[str, Any],
        seconds: float,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._token = token
        self._headers = {**(headers or {}), "Accept": "application/json"}
        self._authority = settings.get("certificate_authority")
        self._until = time.monotonic() + seconds
        self._session: requests.Session | None = None

    def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def get(self, url: str, permission: str) -> Any:
        """Return the parsed answer of a GET; `permission` is what a refusal asks the user to add."""
        return self._call("GET", url, None, permission)

    def post(self, url: str, body: Mapping[str, Any], permission: str) -> Any:
        """Return the parsed answer of a POST that only reads (`:getIamPolicy`)."""
        return self._call("POST", url, body, permission)

    def pages(self, url: str, key: str, permission: str) -> dict[str, Any]:
        """Return a listing with all its pages joined under `key`, followed by `nextLink` or by `nextPageToken`.

        Google leaves out an empty list; Azure always prints its `value`, so without it nothing was listed.
        """
        items: list[Any] = []
        seen: set[str] = set()
        at: str | None = url
        while at is not None:
            if at in seen or len(seen) >= _MAX_PAGES:
                raise EntitlementError(f"GET {_shown(url)}: the pages do not end", hint="use --identities export:PATH")
            seen.add(at)
            page = self.get(at, permission)
            listed = page.get(key, None if key == "value" else []) if isinstance(page, Mapping) else None
            if not isinstance(listed, list) or "error" in page:
                raise UnusableError(f"GET {_shown(at)}: the answer has no list {key!r}")
            items += listed
            at = self._next(url, page)
        return {key: items}

    def _next(self, first: str, page: Mapping[str, Any]) -> str | None:
        link, token = page.get("nextLink"), page.get("nextPageToken")
        if link:
            if urlsplit(str(link))[:2] != urlsplit(first)[:2]:
                raise EntitlementError(
                    f"GET {_shown(first)}: the next page is said to be on another host; not followed"
                )
            return str(link)
        if token:
            return f"{first}{'&' if '?' in first else '?'}pageToken={quote(str(token), safe='')}"
        return None

    def _call(self, method: str, url: str, body: Mapping[str, Any] | None, permission: str) -> Any:
        what = f"{method} {_shown(url)}"
        if urlsplit(url).scheme != "https":
            raise UsageError(f"{what}: a token is sent over https only")
        pause = _FIRST_PAUSE
        why = ""
        for attempt in range(_ATTEMPTS):
            left = self._until - time.monotonic()
            if left <= 0:
                raise EntitlementError(
                    f"{what}: the deadline has passed{why}", hint="raise --timeout, or use an export"
                )
            status, answer, wait = self._exchange(method, url, body, left)
            if status in (401, 403):
                raise ForbiddenError(f"{what}: {status} {_message(answer)}", hint=f"the caller needs {permission}")
            if status == 200:
                try:
                    return json.loads(answer)
                except (ValueError, RecursionError):
                    why = ": the answer is cut off or is no JSON"
            else:
                why = f": {status} {_message(answer)}" if status else f": {answer.decode(errors='replace')}"
                if status == 404:
                    raise GoneError(f"{what}{why}")
                if status and status not in _PASSING:
                    raise EntitlementError(f"{what}{why}")
            if attempt + 1 < _ATTEMPTS:
                pause = 2 * self._pause(what, why, pause if wait is None else wait)
        raise EntitlementError(f"{what}{why}, {_ATTEMPTS} times", hint="retry later, or use --identities export:PATH")

    def _pause(self, what: str, why: str, seconds: float) -> float:
        """Wait before the next attempt, never past the deadline."""
        left = self._until - time.monotonic()
        if seconds > left:
            raise EntitlementError(f"{what}{why}; waiting {seconds:.0f} s would pass the deadline")
        _logger.debug("%s%s: next attempt in %.1f s", what, why, seconds)
        time.sleep(seconds)
        return max(seconds, _FIRST_PAUSE)

    def _exchange(
        self, method: str, url: str, body: Mapping[str, Any] | None, left: float
    ) -> tuple[int, bytes, float | None]:
        """Make one attempt: status (0: no whole answer came), body or reason, and the Retry-After in seconds."""
        import requests

        if self._session is None:
            self._session = open_session(self._authority)
        try:
            with self._session.request(
                method,
                url,
                json=body,
                headers={**self._headers, "Authorization": f"Bearer {self._token()}"},
                auth=_keep_header,
                timeout=(min(left, _SILENCE), min(left, _SILENCE)),
                allow_redirects=False,
                stream=True,
            ) as response:
                return response.status_code, self._body(response), _retry_after(response.headers.get("Retry-After"))
        except requests.exceptions.SSLError as exc:
            if "CERTIFICATE_VERIFY_FAILED" not in str(exc):
                return 0, _reason(exc).encode(), None
            raise EntitlementError(
                f"{method} {_shown(url)}: the server's certificate is not trusted",
                hint="name the authority with --certificate-authority",
            ) from exc
        except requests.RequestException as exc:
            return 0, _reason(exc).encode(), None

    def _body(self, response: requests.Response) -> bytes:
        import requests

        received = bytearray()
        for chunk in response.iter_content(_CHUNK):
            received += chunk
            if len(received) > _LARGEST:
                raise EntitlementError(f"GET {_shown(response.url)}: the answer is larger than {_LARGEST} bytes")
            if time.monotonic() > self._until:
                raise requests.exceptions.Timeout("the deadline has passed")
        return bytes(received)


def _keep_header(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Stand where requests would look for a netrc entry, which would replace the token."""
    return request


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{parts.path}"


def _reason(exc: Exception) -> str:
    import requests

    if isinstance(exc, requests.exceptions.Timeout):
        return "no answer in time"
    if isinstance(exc, requests.exceptions.ChunkedEncodingError):
        return "the answer is cut off"
    return "the connection failed"


def _message(answer: bytes) -> str:
    """Return the API's own code and message, short."""
    try:
        error = json.loads(answer)["error"]
        found = " ".join(str(error[k]) for k in ("code", "status", "message") if error.get(k))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        found = answer.decode(errors="replace")
    return " ".join(found.split())[:300]


def _retry_after(value: str | None) -> float | None:
    """Return the seconds of a Retry-After header, which is a number or a date; None where there is none."""
    if not value:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError):
        return None
