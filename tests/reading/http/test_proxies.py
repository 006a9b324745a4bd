"""NO_PROXY and the proxy variables, as Go's httpproxy reads them."""

from __future__ import annotations

import pytest

from upgrade_gate.base.errors import UsageError
from upgrade_gate.reading.http.proxies import bypassed, proxy_for, shown


@pytest.mark.parametrize(
    ("host", "port", "no_proxy", "expected"),
    [
        ("registry.corp", 443, "*", True),
        ("registry.corp", 443, "corp", True),
        ("registry.corp", 443, "registry.corp", True),
        ("registry.corp", 443, ".corp", True),
        ("registry.corp", 443, "*.corp", True),
        ("corp", 443, ".corp", False),
        ("corp", 443, "corp", True),
        ("notcorp", 443, "corp", False),
        ("registry.corp", 443, "gistry.corp", False),
        ("registry.corp", 5000, "registry.corp:5000", True),
        ("registry.corp", 443, "registry.corp:5000", False),
        ("REGISTRY.Corp", 443, "other, registry.CORP", True),
        ("10.1.2.3", 443, "10.0.0.0/8", True),
        ("11.1.2.3", 443, "10.0.0.0/8", False),
        ("10.1.2.3", 443, "10.1.2.3", True),
        ("10.1.2.3", 5000, "10.1.2.3:5000", True),
        ("10.1.2.3", 443, "10.1.2.3:5000", False),
        ("10.1.2.3", 443, "3", False),
        ("fd00::12", 443, "fd00::/8", True),
        ("fd00::12", 443, "[fd00::12]:443", True),
        ("registry.corp", 443, "10.0.0.0/8", False),
        ("registry.corp", 443, "not/a/network", False),
        ("registry.corp", 443, f"registry.corp:{'9' * 5000}", False),
        ("fd00::12", 443, f"[fd00::12]:{'9' * 5000}", False),
        ("fd00::12", 443, "[fd00::12]", True),
        ("registry.corp", 443, "", False),
        ("registry.corp", 443, ",,", False),
    ],
)
def test_no_proxy(host: str, port: int, no_proxy: str, expected: bool) -> None:
    assert bypassed(host, port, no_proxy) is expected


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "http_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_scheme_chooses_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://secure.corp:3128")
    monkeypatch.setenv("http_proxy", "plain.corp:3128")

    assert proxy_for("https://quay.io/v2/") == "http://secure.corp:3128"
    assert proxy_for("http://quay.io/v2/") == "http://plain.corp:3128"


def test_no_proxy_with_cidr_goes_direct(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.corp:3128")
    monkeypatch.setenv("NO_PROXY", "10.0.0.0/8,.corp")

    assert proxy_for("https://10.2.3.4:5000/v2/") is None
    assert proxy_for("https://mirror.corp/v2/") is None
    assert proxy_for("https://quay.io/v2/") == "http://proxy.corp:3128"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "[::1]"])
def test_loopback_is_proxied_only_where_it_is_asked_for(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.corp:3128")

    assert proxy_for(f"https://{host}:5000/v2/") is None
    assert proxy_for(f"https://{host}:6443", spare_loopback=False) == "http://proxy.corp:3128"


def test_variable_that_is_no_proxy_is_a_usage_error_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "ftp://user:hunter2@proxy.corp")

    with pytest.raises(UsageError, match="HTTPS_PROXY") as caught:
        proxy_for("https://quay.io/")

    assert "hunter2" not in str(caught.value)


def test_shown_proxy_has_no_password() -> None:
    assert shown("http://user:hunter2@proxy.corp:3128") == "http://proxy.corp:3128"
    assert shown(None) == "none"
