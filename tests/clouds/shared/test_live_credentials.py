"""Live reads with the credentials that the clouds' own libraries find, against token servers on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest

from tests.clouds.azure import test_live
from tests.clouds.gcp import test_live as test_gcp_live
from tests.worlds.cloud_api import TOKEN, Answer, CloudApi, serve
from tests.worlds.components import require
from upgrade_gate.base.errors import EntitlementError
from upgrade_gate.clouds.azure import holdings, live
from upgrade_gate.clouds.contract.holdings import Coverage
from upgrade_gate.clouds.gcp import holdings as gcp
from upgrade_gate.clouds.gcp import live as gcp_live

if TYPE_CHECKING:
    from pathlib import Path

    from tests.worlds.certificates import Certificates

pytestmark = pytest.mark.slow

TENANT = "00000000-0000-4000-8000-000000000099"
GIVEN = {"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"}
SCOPE = "https://www.googleapis.com/auth/cloud-platform"


@pytest.fixture(autouse=True)
def _nobody_is_logged_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide whatever login the machine has."""
    for name in list(os.environ):
        if name.startswith(("AZURE_", "IDENTITY_", "MSI_", "GOOGLE_", "CLOUDSDK_", "GCE_", "IMDS_")):
            monkeypatch.delenv(name)
    for name in ("HOME", "CLOUDSDK_CONFIG", "AZURE_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")


def sent(api: CloudApi, path: str) -> dict[str, str]:
    """Return the form that was sent to a path."""
    (body,) = [body for _, called, _, body in api.calls if called == path]
    return {name: values[0] for name, values in parse_qs(body).items()}


def entra(url: str) -> dict[str, list[Answer]]:
    """A login host: what it says of itself, and the token."""
    where = {
        "issuer": f"{url}/{TENANT}/v2.0",
        "token_endpoint": f"{url}/{TENANT}/oauth2/v2.0/token",
        "authorization_endpoint": f"{url}/{TENANT}/oauth2/v2.0/authorize",
    }
    return {
        f"OPEN GET /{TENANT}/v2.0/.well-known/openid-configuration": [Answer(where)],
        f"OPEN POST /{TENANT}/oauth2/v2.0/token": [Answer(GIVEN)],
    }


def read_azure(api: CloudApi, certificates: Certificates) -> None:
    """Collect with no token given, and prove something from it."""
    documents = live.collect(test_live.settings(api, certificates, token=None))
    judgement = holdings.build(documents, "S1").judge(test_live.CLIENT, test_live.READ, ["rg"])
    assert judgement.verdict is Coverage.COVERED, judgement


def test_azure_client_secret_of_the_environment(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    require("python:azure.identity")
    with serve(certificates, test_live.answers()) as api:
        api.answers |= entra(api.url)
        monkeypatch.setenv("AZURE_AUTHORITY_HOST", api.url)
        monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
        monkeypatch.setenv("AZURE_CLIENT_ID", "c")
        monkeypatch.setenv("AZURE_CLIENT_SECRET", "s")
        read_azure(api, certificates)
        form = sent(api, f"/{TENANT}/oauth2/v2.0/token")
    assert form["scope"] == f"{api.url}/.default"
    assert form["grant_type"] == "client_credentials"


@pytest.mark.parametrize(("seconds", "tokens"), [(3600, 1), (60, 8)])
def test_azure_tokens_are_kept_until_shortly_before_their_end(
    seconds: int, tokens: int, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight calls are made; some credentials start a program for each token."""
    require("python:azure.identity")
    given = GIVEN | {"expires_in": seconds, "expires_on": str(int(time.time()) + seconds), "resource": "r"}
    with serve(certificates, test_live.answers() | {"OPEN GET /identity": [Answer(given)]}) as api:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{api.url}/identity")
        monkeypatch.setenv("IDENTITY_HEADER", "secret-of-the-host")
        read_azure(api, certificates)
        assert api.count("/identity") == tokens


def test_azure_without_any_credential_is_an_error_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    require("python:azure.identity")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    with pytest.raises(EntitlementError, match="az login"):
        live.collect({"account": "S1", "endpoint": "https://127.0.0.1:1", "timeout": 5})


def test_gcp_without_any_credential_is_an_error_with_the_way_out() -> None:
    require("python:google.auth")
    with pytest.raises(EntitlementError, match="use an export"):
        gcp_live.collect({"account": "p1", "timeout": 5})


def test_azure_workload_identity(certificates: Certificates, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    require("python:azure.identity")
    (tmp_path / "token").write_text("token-of-the-pod")
    with serve(certificates, test_live.answers()) as api:
        api.answers |= entra(api.url)
        monkeypatch.setenv("AZURE_AUTHORITY_HOST", api.url)
        monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
        monkeypatch.setenv("AZURE_CLIENT_ID", "c")
        monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(tmp_path / "token"))
        read_azure(api, certificates)
        form = sent(api, f"/{TENANT}/oauth2/v2.0/token")
    assert form["client_assertion"] == "token-of-the-pod"


def test_azure_managed_identity(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    require("python:azure.identity")
    given = GIVEN | {"expires_on": "4102444800", "resource": "r"}
    with serve(certificates, test_live.answers() | {"OPEN GET /identity": [Answer(given)]}) as api:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{api.url}/identity")
        monkeypatch.setenv("IDENTITY_HEADER", "secret-of-the-host")
        read_azure(api, certificates)
        (asked,) = [query for _, path, query, _ in api.calls if path == "/identity"]
    assert asked["resource"] == api.url


def test_azure_cli_that_is_logged_in(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    require("python:azure.identity")
    told = {"accessToken": TOKEN, "expires_on": 4102444800, "subscription": "S1", "tenant": TENANT}
    program = tmp_path / "bin" / "az"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho \"$@\" > '{tmp_path}/asked'\ncat <<'END'\n{json.dumps(told)}\nEND\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "AzureCliCredential")
    with serve(certificates, test_live.answers()) as api:
        read_azure(api, certificates)
        assert f"--resource {api.url}" in (tmp_path / "asked").read_text()


def test_azure_login_that_is_refused_is_an_error(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    require("python:azure.identity")
    refused = Answer({"error": "invalid_client", "error_description": "AADSTS7000215: bad secret"}, 401)
    with serve(certificates, test_live.answers()) as api:
        api.answers |= entra(api.url) | {f"OPEN POST /{TENANT}/oauth2/v2.0/token": [refused]}
        monkeypatch.setenv("AZURE_AUTHORITY_HOST", api.url)
        monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
        monkeypatch.setenv("AZURE_CLIENT_ID", "c")
        monkeypatch.setenv("AZURE_CLIENT_SECRET", "a-secret-value")
        with pytest.raises(EntitlementError, match=r"gives a token \(AADSTS7000215\)") as caught:
            live.collect(test_live.settings(api, certificates, token=None))
    assert "a-secret-value" not in str(caught.value)


@pytest.mark.parametrize(
    ("login", "resource_manager"),
    [
        ("https://login.microsoftonline.us", "management.usgovcloudapi.net"),
        ("login.partner.microsoftonline.cn/", "management.chinacloudapi.cn"),
        ("", "management.azure.com"),
    ],
)
def test_azure_clouds_have_their_own_resource_manager(
    login: str, resource_manager: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", login)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    with pytest.raises(EntitlementError, match=rf"GET https://{resource_manager}/subscriptions/S1/"):
        live.collect({"account": "S1", "token": TOKEN, "timeout": 0.2})


def private_key(folder: Path) -> str:
    """Make the key of a service account."""
    path = folder / "account.key"
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", str(path)],
        check=True,
        capture_output=True,
    )
    return path.read_text()


def read_gcp(api: CloudApi, certificates: Certificates, found: dict[str, Any], folder: Path) -> None:
    """Collect with a credential file, and prove something from it."""
    (folder / "credential.json").write_text(json.dumps(found))
    os.environ["GOOGLE_APPLICATION_CREDENTIALS"] = str(folder / "credential.json")
    documents = gcp_live.collect(test_gcp_live.settings(api, certificates, token=None))
    judgement = gcp.build(documents, "p1").judge(test_gcp_live.SA, test_gcp_live.GET, ())
    assert judgement.verdict is Coverage.COVERED, judgement


def account_key(url: str, folder: Path, **more: str) -> dict[str, Any]:
    """A service account's key file."""
    return {
        "type": "service_account",
        "project_id": "p1",
        "private_key_id": "k1",
        "private_key": private_key(folder),
        "client_email": "reader@p1.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": f"{url}/token",
    } | more


def test_gcp_service_account_key(certificates: Certificates, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    require("python:google.auth")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
    with serve(certificates, test_gcp_live.answers() | {"OPEN POST /token": [Answer(GIVEN)]}) as api:
        read_gcp(api, certificates, account_key(api.url, tmp_path), tmp_path)
        assert "jwt-bearer" in sent(api, "/token")["grant_type"]
        assert not any("x-goog-user-project" in headers for headers in api.headers)


def test_gcp_calls_are_counted_for_the_project_that_the_user_names(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    require("python:google.auth")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
    monkeypatch.setenv("GOOGLE_CLOUD_QUOTA_PROJECT", "payer")
    with serve(certificates, test_gcp_live.answers() | {"OPEN POST /token": [Answer(GIVEN)]}) as api:
        read_gcp(api, certificates, account_key(api.url, tmp_path), tmp_path)
        assert {h.get("x-goog-user-project") for h in api.headers if "authorization" in h} == {"payer"}


def test_gcp_workload_identity(certificates: Certificates, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The file that ccoctl writes into Secrets: the pod's token, exchanged, and then an account's."""
    require("python:google.auth")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
    (tmp_path / "token").write_text("token-of-the-pod")
    impersonate = "/v1/projects/-/serviceAccounts/reader@p1.iam.gserviceaccount.com:generateAccessToken"
    exchanged = GIVEN | {
        "access_token": "federated",
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
    }
    served = {
        "OPEN POST /sts": [Answer(exchanged)],
        f"OPEN POST {impersonate}": [Answer({"accessToken": TOKEN, "expireTime": "2100-01-01T00:00:00Z"})],
    }
    with serve(certificates, test_gcp_live.answers() | served) as api:
        found = {
            "type": "external_account",
            "audience": "//iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/c1/providers/c1",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": f"{api.url}/sts",
            "service_account_impersonation_url": f"{api.url}{impersonate}",
            "credential_source": {"file": str(tmp_path / "token"), "format": {"type": "text"}},
        }
        read_gcp(api, certificates, found, tmp_path)
        assert sent(api, "/sts")["subject_token"] == "token-of-the-pod"
        (body,) = [body for _, path, _, body in api.calls if path == impersonate]
    assert json.loads(body)["scope"] == [SCOPE], "the IAM API takes no narrower scope"


@pytest.mark.parametrize("found", [{}, {"type": "service_account"}, {"type": "nobody"}, None])
def test_gcp_credential_files_that_are_none_are_an_error(
    found: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    require("python:google.auth")
    path = tmp_path / "credential.json"
    path.write_text(json.dumps(found) if found is not None else "{")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    with pytest.raises(EntitlementError, match="no Google credential was found"):
        gcp_live.collect({"account": "p1", "timeout": 5})


def test_gcp_login_that_is_refused_is_an_error(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    require("python:google.auth")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
    refused = Answer({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, 400)
    with (
        serve(certificates, test_gcp_live.answers() | {"OPEN POST /token": [refused]}) as api,
        pytest.raises(EntitlementError, match="gives no token"),
    ):
        read_gcp(api, certificates, account_key(api.url, tmp_path), tmp_path)
