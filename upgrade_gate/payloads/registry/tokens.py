"""How a registry lets a user in: challenges, basic auth, and bearer tokens with their expiry.

Sources: RFC 7235 for the challenge, distribution's `docs/spec/auth/token.md` and `oauth.md` for the token server.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from upgrade_gate.base.errors import SourceError
from upgrade_gate.reading.http.response import registry_words
from upgrade_gate.reading.http.urls import host_of, is_url, shown_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from upgrade_gate.payloads.registry.credentials import Credential, CredentialStore
    from upgrade_gate.reading.http.client import Transport

_logger = logging.getLogger(__name__)

SHORTEST_LIFE = 60.0
"""Seconds that a token lives where the server does not say; the specification's default."""
MARGIN = 5.0
"""Seconds before its end from which a token is renewed rather than used."""
TOKEN_LIMIT = 2**20
CLIENT_ID = "upgrade-gate"
PARAMETER = re.compile(r'\s*([A-Za-z0-9!#$%&\'*+.^_`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))\s*(?:,|$)')
SCHEME = re.compile(r"[\s,]*([A-Za-z0-9!#$%&'*+.^_`|~-]+)(?:[\s,]+|$)")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge of a WWW-Authenticate header."""

    scheme: str
    """In lower case."""
    parameters: Mapping[str, str]


def parse_challenges(header: str) -> tuple[Challenge, ...]:
    """Split a WWW-Authenticate header, which may hold several challenges; what cannot be read ends it."""
    found: list[Challenge] = []
    position = 0
    while match := SCHEME.match(header, position):
        position = match.end()
        parameters: dict[str, str] = {}
        while parameter := PARAMETER.match(header, position):
            name, quoted, plain = parameter.groups()
            parameters[name.lower()] = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else plain
            position = parameter.end()
        found.append(Challenge(match[1].lower(), parameters))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Grant:
    """An Authorization header and the time from which it is not used any more."""

    header: str = field(repr=False)
    until: float = float("inf")
    """On the monotonic clock."""


class Authorizer:
    """Answers one repository's challenges; keeps the token until it expires."""

    def __init__(self, transport: Transport, credentials: CredentialStore, repository: str) -> None:
        self._transport = transport
        self._credentials = credentials
        self._repository = repository
        self._host, _, self._path = repository.partition("/")
        self._lock = threading.Lock()
        self._grant: _Grant | None = None
        self._challenge: Challenge | None = None

    def header(self) -> str | None:
        """Return the Authorization header to send now, renewing a token that is about to end; None before any 401."""
        with self._lock:
            if self._grant is not None and time.monotonic() >= self._grant.until and self._challenge is not None:
                _logger.debug("%s: the token has ended, asking for a new one", self._repository)
                self._grant = self._answer(self._challenge)
            return self._grant.header if self._grant is not None else None

    def answer(self, challenges: str, sent: str | None) -> str | None:
        """Return the header that answers a 401, None where nothing is left to try.

        `sent` is what the refused request carried: a token that was refused is replaced by a new one (registries
        forget tokens in mid-pull), refused basic credentials are not tried twice.
        """
        with self._lock:
            if self._grant is not None and sent != self._grant.header:
                return self._grant.header  # another thread has renewed it meanwhile
            challenge = _choose(parse_challenges(challenges))
            if challenge is None or (challenge.scheme == "basic" and sent is not None):
                return None
            self._challenge = challenge
            self._grant = self._answer(challenge)
            return self._grant.header if self._grant is not None else None

    def hint(self) -> str:
        """Say which credentials were used or looked for, and what to do; for 401 and 403."""
        found = self._credentials.describe(self._repository)
        return f"{found}; name a file with -a/--registry-config, or give --pull-secret-from-cluster"

    def _answer(self, challenge: Challenge) -> _Grant | None:
        credential = self._credentials.find(self._repository)
        if credential is not None and credential.registry_token:
            return _Grant(f"Bearer {credential.registry_token}")
        if challenge.scheme == "basic":
            usable = credential is not None and (credential.username or credential.password)
            return _Grant(credential.basic) if credential is not None and usable else None
        return self._token(challenge, credential)

    def _token(self, challenge: Challenge, credential: Credential | None) -> _Grant:
        realm = challenge.parameters.get("realm", "")
        if not is_url(realm):
            raise SourceError(f"{self._repository}: {self._host} names a token server whose address is not a URL")
        server = f"token server {host_of(realm)} of {self._host}"
        scope = challenge.parameters.get("scope") or f"repository:{self._path}:pull"
        service = challenge.parameters.get("service", "")
        if credential is not None and credential.identity_token:
            form = {
                "grant_type": "refresh_token",
                "service": service,
                "client_id": CLIENT_ID,
                "scope": scope,
                "refresh_token": credential.identity_token,
            }
            response = self._transport.send("POST", realm, server, form=form, limit=TOKEN_LIMIT)
        else:
            query = [("service", service)] if service else []
            query += [("scope", each) for each in scope.split()]
            parts = urlsplit(realm)
            url = urlunsplit(parts._replace(query=urlencode([*parse_qsl(parts.query), *query])))
            headers = {"Authorization": credential.basic} if credential is not None and credential.username else {}
            response = self._transport.send("GET", url, server, headers=headers, limit=TOKEN_LIMIT)
        if response.status != 200:
            raise SourceError(
                f"{server} refuses a token for {self._repository}: {response.status}{registry_words(response)}",
                hint=self.hint(),
            )
        _logger.info("token for %s from %s", self._repository, shown_url(realm))
        return _grant(response.read(), server)


def _choose(challenges: tuple[Challenge, ...]) -> Challenge | None:
    """Prefer a bearer token over basic credentials, which then go to the token server only."""
    for scheme in ("bearer", "basic"):
        for challenge in challenges:
            if challenge.scheme == scheme:
                return challenge
    return None


def _grant(content: bytes, server: str) -> _Grant:
    try:
        document = json.loads(content)
        token = document.get("token") or document.get("access_token")
        expires_in = document.get("expires_in")
        issued_at = document.get("issued_at")
    except (ValueError, AttributeError, RecursionError):
        raise SourceError(f"{server} did not answer with a token in JSON") from None
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
        raise SourceError(f"{server} answered without a token")
    life = SHORTEST_LIFE
    if isinstance(expires_in, int | float) and not isinstance(expires_in, bool) and expires_in > 0:
        life = float(expires_in)
    life -= _age(issued_at)
    return _Grant(f"Bearer {token}", time.monotonic() + max(life - MARGIN, life / 2))


def _age(issued_at: object) -> float:
    """Return how old a token is by the server's own stamp; 0 where there is none or the clocks disagree."""
    if not isinstance(issued_at, str):
        return 0.0
    try:
        issued = datetime.fromisoformat(issued_at)
        age = time.time() - issued.timestamp()
    except (ValueError, OverflowError):
        return 0.0
    return age if 0 < age < SHORTEST_LIFE else 0.0
