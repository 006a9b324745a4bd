"""Read-only calls to a cloud's REST API: one host, one total deadline, pages joined, retries only on what may pass.

The token goes to the API's own host alone, over TLS alone: redirects are not followed, and the link to a next page
must name the same host. No message holds a header or a query.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from upgrade_gate.base.errors import EntitlementError, UsageError
from upgrade_gate.reading.http import tls
from upgrade_gate.reading.http.exchange import Deadline, HttpRequest, ask
from upgrade_gate.reading.http.failures import ExchangeError, Kind
from upgrade_gate.reading.http.response import Terms
from upgrade_gate.reading.http.urls import shown_url

if TYPE_CHECKING:
    from upgrade_gate.reading.http.exchange import End
    from upgrade_gate.reading.http.session import Session

_TIMEOUT = 120.0
"""Seconds for everything that is collected, unless the settings say otherwise."""
_LARGEST = 64 * 2**20
_MAX_PAGES = 2_000


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


def authority(settings: Mapping[str, Any]) -> Path | None:
    """Return the certificate authority that the user names."""
    named = settings.get("certificate_authority")
    return Path(str(named)) if named else None


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
        self._authority = authority(settings)
        self._deadline = Deadline.after(seconds)
        self._session: Session | None = None

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
                hint = "use --identities export:PATH"
                raise EntitlementError(f"GET {shown_url(url)}: the pages do not end", hint=hint)
            seen.add(at)
            page = self.get(at, permission)
            listed = page.get(key, None if key == "value" else []) if isinstance(page, Mapping) else None
            if not isinstance(listed, list) or "error" in page:
                raise UnusableError(f"GET {shown_url(at)}: the answer has no list {key!r}")
            items += listed
            at = self._next(url, page)
        return {key: items}

    def _next(self, first: str, page: Mapping[str, Any]) -> str | None:
        link, token = page.get("nextLink"), page.get("nextPageToken")
        if link:
            if urlsplit(str(link))[:2] != urlsplit(first)[:2]:
                raise EntitlementError(
                    f"GET {shown_url(first)}: the next page is said to be on another host; not followed"
                )
            return str(link)
        if token:
            return f"{first}{'&' if '?' in first else '?'}pageToken={quote(str(token), safe='')}"
        return None

    def _call(self, method: str, url: str, body: Mapping[str, Any] | None, permission: str) -> Any:
        what = f"{method} {shown_url(url)}"
        if urlsplit(url).scheme != "https":
            raise UsageError(f"{what}: a token is sent over https only")

        def once() -> _Answer:
            return self._once(method, url, body)

        def gave_up(outcome: _Answer | ExchangeError, end: End) -> EntitlementError:
            return _gave_up(what, outcome, end, self._deadline)

        answer = ask(once, what, self._deadline, gave_up)
        match answer.status:
            case 200:
                return answer.body
            case 401 | 403:
                raise ForbiddenError(f"{what}: {answer.words}", hint=f"the caller needs {permission}")
            case 404:
                raise GoneError(f"{what}: {answer.words}")
            case _:
                raise EntitlementError(f"{what}: {answer.words}")

    def _once(self, method: str, url: str, body: Mapping[str, Any] | None) -> _Answer:
        """Make one attempt; an answer that is no JSON was cut off on the way, and may come whole the next time."""
        from upgrade_gate.reading.http.session import Session

        if self._session is None:
            self._session = Session(tls.trust(self._authority))
        headers = {**self._headers, "Authorization": f"Bearer {self._token()}"}
        request = HttpRequest(method, url, headers, json=body)
        response = self._session.exchange(request, Terms(_LARGEST), self._deadline)
        content = response.read()
        if response.status != 200:
            return _Answer(response.status, response.headers, _message(content))
        try:
            return _Answer(200, response.headers, json.loads(content))
        except (ValueError, RecursionError):
            raise ExchangeError(Kind.PROTOCOL, "the answer is cut off or is not JSON", may_pass=True) from None


@dataclass(frozen=True, slots=True)
class _Answer:
    """One answer of the API."""

    status: int
    headers: Mapping[str, str]
    body: Any = field(repr=False)
    """What was asked for, parsed; of a refusal the API's own words."""

    @property
    def words(self) -> str:
        return f"{self.status} {self.body}"


def _gave_up(what: str, outcome: _Answer | ExchangeError, end: End, deadline: Deadline) -> EntitlementError:
    """Word the end of the attempts."""
    if not isinstance(outcome, ExchangeError):
        why = outcome.words
    elif outcome.kind is Kind.CERTIFICATE:
        hint = "name the authority with --certificate-authority"
        return EntitlementError(f"{what}: the server's certificate is not trusted", hint=hint)
    elif deadline.left() <= 0:
        return EntitlementError(f"{what}: the deadline has passed", hint="raise --timeout, or use an export")
    else:
        why = _reason(outcome)
    if end.late:
        return EntitlementError(f"{what}: {why}; waiting {end.wait:.0f} s would pass the deadline")
    times = f",{end.times}" if end.times else ""
    return EntitlementError(f"{what}: {why}{times}", hint="retry later, or use --identities export:PATH")


def _reason(failure: ExchangeError) -> str:
    match failure.kind:
        case Kind.TIMEOUT:
            return "no answer in time"
        case Kind.CUT:
            return "the answer is cut off"
        case Kind.SIZE:
            return f"the answer is larger than {_LARGEST} bytes"
        case Kind.PROTOCOL:
            return failure.text
        case _:
            return "the connection failed"


def _message(answer: bytes) -> str:
    """Return the API's own code and message, short."""
    try:
        error = json.loads(answer)["error"]
        found = " ".join(str(error[k]) for k in ("code", "status", "message") if error.get(k))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        found = answer.decode(errors="replace")
    return " ".join(found.split())[:300]
