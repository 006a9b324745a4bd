"""WWW-Authenticate headers as servers write them, and token answers that are none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.worlds.registry_server import Handler, serve
from upgrade_gate.base.errors import SourceError
from upgrade_gate.payloads.reference import Settings
from upgrade_gate.payloads.registry.credentials import CredentialStore
from upgrade_gate.payloads.registry.tokens import Authorizer, Challenge, parse_challenges
from upgrade_gate.reading.http.client import Transport


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", []),
        ('Basic realm="r"', [("basic", {"realm": "r"})]),
        ("Basic", [("basic", {})]),
        (
            'Bearer realm="https://auth.corp/token",service="registry",scope="repository:a/b:pull,push"',
            [
                (
                    "bearer",
                    {"realm": "https://auth.corp/token", "service": "registry", "scope": "repository:a/b:pull,push"},
                )
            ],
        ),
        ('bearer REALM = "x" , service=plain', [("bearer", {"realm": "x", "service": "plain"})]),
        (r'Bearer realm="with \"quotes\" and \\"', [("bearer", {"realm": 'with "quotes" and \\'})]),
        ('Negotiate, Basic realm="r"', [("negotiate", {}), ("basic", {"realm": "r"})]),
        ('Basic realm="a", Bearer realm="b"', [("basic", {"realm": "a"}), ("bearer", {"realm": "b"})]),
        ('Bearer realm="unfinished', [("bearer", {})]),
        ("\x00\x01", []),
    ],
)
def test_challenges(header: str, expected: list[tuple[str, dict[str, str]]]) -> None:
    assert parse_challenges(header) == tuple(Challenge(scheme, parameters) for scheme, parameters in expected)


def test_challenge_of_any_length_is_read_in_no_time() -> None:
    parse_challenges("a " * 20_000)
    parse_challenges('Bearer a="' + "\\" * 20_000)
    parse_challenges("Bearer " + "a=b," * 10_000)


class Answering(Handler):
    """Answers every token request with what the state holds."""

    def do_GET(self) -> None:  # noqa: N802
        """Answer."""
        status, body = self.server.state  # type: ignore[attr-defined]
        self.answer(status, body if isinstance(body, bytes) else json.dumps(body).encode())


def authorize(state: tuple[int, Any], challenge: str | None = None) -> str | None:
    with serve(Answering, state) as host:
        settings = Settings(insecure=(host,), timeout=10)
        with Transport(settings) as transport:
            authorizer = Authorizer(transport, CredentialStore(settings), f"{host}/ocp/release")
            return authorizer.answer(challenge or f'Bearer realm="https://{host}/token",service="s"', None)


def test_token_becomes_a_header() -> None:
    assert authorize((200, {"token": "abc"})) == "Bearer abc"
    assert (
        authorize((200, {"access_token": "abc", "expires_in": 300, "issued_at": "2024-01-01T00:00:00Z"}))
        == "Bearer abc"
    )
    assert authorize((200, {"token": "abc", "expires_in": "soon", "issued_at": "yesterday"})) == "Bearer abc"


@pytest.mark.parametrize(
    "state",
    [
        (200, b"<html>"),
        (200, []),
        (200, {}),
        (200, {"token": 7}),
        (200, {"token": "with\r\nX-Header: injected"}),
        (403, {"errors": [{"code": "DENIED"}]}),
    ],
)
def test_answer_that_holds_no_token_is_an_error_that_names_the_server(state: tuple[int, Any]) -> None:
    with pytest.raises(SourceError, match=r"token server 127\.0\.0\.1"):
        authorize(state)


def test_challenge_that_nobody_understands_has_no_answer() -> None:
    assert authorize((200, {"token": "abc"}), "Negotiate") is None


def test_basic_challenge_without_credentials_has_no_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_CONFIG"):
        monkeypatch.delenv(name, raising=False)

    assert authorize((200, {"token": "abc"}), 'Basic realm="r"') is None


def test_registry_token_of_the_credential_file_is_used_as_it_is(tmp_path: Any) -> None:
    file = tmp_path / "auth.json"
    file.write_text(json.dumps({"auths": {"quay.io": {"registrytoken": "given"}}}))
    settings = Settings(registry_config=file)
    with Transport(settings) as transport:
        authorizer = Authorizer(transport, CredentialStore(settings), "quay.io/ocp/release")

        assert authorizer.answer('Bearer realm="https://quay.io/v2/auth"', None) == "Bearer given"
