"""What is kept of a Secret: key names, and on request what identifies; never what authenticates."""

import json
from typing import Any

import pytest

from tests.worlds.cluster_objects import ROLE_ARN, TOKEN_PATH, encoded
from upgrade_gate.base.facts import Known, Unknown
from upgrade_gate.base.secret_ref import SecretRef
from upgrade_gate.cluster.model import SecretRecord
from upgrade_gate.cluster.readers._secrets import reduce_secret

REF = SecretRef("openshift-x", "creds")
OWN = {"name": REF.name, "namespace": REF.namespace}
KEY_ID = "AKIAIOSFODNN7EXAMPLE"
CLIENT = "01234567-89ab-cdef-0123-456789abcdef"
EMAIL = "c1-storage-x1y2z@proj-1.iam.gserviceaccount.com"
STS = f"[default]\nrole_arn = {ROLE_ARN}\nweb_identity_token_file = {TOKEN_PATH}\n"
FEDERATED = {
    "type": "external_account",
    "service_account_impersonation_url": f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{EMAIL}:generateAccessToken",
    "credential_source": {"file": TOKEN_PATH, "format": {"type": "text"}},
}
GOOGLE_KEY = {"type": "service_account", "client_email": EMAIL, "private_key": "PRIVATE"}


def reduced(values: dict[str, str], *, read_values: bool = True, **rest: Any) -> SecretRecord:
    """Reduce a Secret with these values."""
    body = {
        "kind": "Secret",
        "metadata": {"name": REF.name, "namespace": REF.namespace},
        "data": {key: encoded(text) for key, text in values.items()},
        **rest,
    }
    found = reduce_secret(body, REF, read_values=read_values)
    assert isinstance(found, Known), found
    return found.value


@pytest.mark.parametrize(
    ("values", "identity", "token_path", "form"),
    [
        ({"credentials": STS}, ROLE_ARN, TOKEN_PATH, "token"),
        (
            {"aws_access_key_id": KEY_ID, "aws_secret_access_key": "s3cret"},
            KEY_ID,
            None,
            "keys",
        ),
        (
            {"credentials": f"[default]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = s3cret\n"},
            KEY_ID,
            None,
            "keys",
        ),
        # `credentials` wins over a forgotten key (docs/facts/cco.md#secret-keys)
        (
            {"credentials": STS, "aws_access_key_id": KEY_ID, "aws_secret_access_key": "s"},
            ROLE_ARN,
            TOKEN_PATH,
            "token",
        ),
        ({"azure_client_id": CLIENT, "azure_federated_token_file": TOKEN_PATH}, CLIENT, TOKEN_PATH, "token"),
        ({"azure_client_id": CLIENT, "azure_client_secret": "s3cret"}, CLIENT, None, "keys"),
        ({"service_account.json": json.dumps(FEDERATED)}, EMAIL, TOKEN_PATH, "token"),
        ({"service_account.json": json.dumps(GOOGLE_KEY)}, EMAIL, None, "keys"),
        ({"ibmcloud_api_key": "s3cret"}, None, None, None),
    ],
)
def test_each_clouds_secret_says_whom_it_is_for(
    values: dict[str, str], identity: str | None, token_path: str | None, form: str | None
) -> None:
    found = reduced(values)
    assert (found.identity, found.token_path, found.form) == (identity, token_path, form)
    assert found.keys == frozenset(values)
    assert "s3cret" not in repr(found)
    assert "PRIVATE" not in repr(found)


@pytest.mark.parametrize(
    ("keys", "form"),
    [
        (("azure_client_id", "azure_federated_token_file"), "token"),
        (("azure_client_id", "azure_client_secret"), "keys"),
        (("azure_client_id", "azure_client_secret", "azure_federated_token_file"), None),
        (("aws_access_key_id", "aws_secret_access_key"), "keys"),
        (("aws_access_key_id", "aws_secret_access_key", "credentials"), None),
        (("credentials",), None),
        (("service_account.json",), None),
    ],
)
def test_the_names_of_keys_tell_the_form_only_where_they_tell_it_alone(keys: tuple[str, ...], form: str | None) -> None:
    assert reduced(dict.fromkeys(keys, "24 bytes long"), read_values=False).form == form
    assert reduced(dict.fromkeys(keys, "24 bytes long"), read_values=True).form == form


def test_without_permission_no_value_is_looked_at() -> None:
    found = reduced({"credentials": STS}, read_values=False)
    assert (found.identity, found.token_path) == (None, None)
    body = {"kind": "Secret", "metadata": OWN, "data": {"credentials": object()}}
    assert isinstance(reduce_secret(body, REF, read_values=False), Known)


@pytest.mark.parametrize(
    "values",
    [
        {"credentials": "[default]\nrole_arn = my-password\nweb_identity_token_file = not a path\n"},
        {"credentials": "no ini at all"},
        {"credentials": "[other]\nrole_arn = x\n"},
        {"credentials": "24 bytes long"},
        {"aws_access_key_id": "my-password"},
        {"azure_client_id": "my-password"},
        {"service_account.json": "[1, 2]"},
        {"service_account.json": "my-password"},
        {"service_account.json": '{"type": "external_account", "credential_source": 7}'},
        {"service_account.json": '{"type": "service_account", "client_email": "my-password"}'},
        {"service_account.json": '{"type": "service_account", "client_email": 7}'},
        {"service_account.json": "[" * 100_000},
    ],
)
def test_what_does_not_look_like_an_identity_is_not_kept(values: dict[str, str]) -> None:
    found = reduced(values)
    assert found.identity is None
    assert found.token_path is None
    assert "password" not in repr(found)


@pytest.mark.parametrize("value", [7, None, [], "%%%", "/w=="])
def test_a_value_that_is_no_text_is_no_identity(value: Any) -> None:
    assert reduced({}, data={"aws_access_key_id": value}).identity is None


@pytest.mark.parametrize("plain", [{"azure_client_id": CLIENT}, {}, 0])
def test_a_manifest_that_somebody_means_to_apply_is_no_secret_of_the_cluster(plain: Any) -> None:
    """ccoctl writes such files; the API server takes `stringData` and never prints it."""
    body = {"kind": "Secret", "metadata": OWN, "data": {"a": encoded("x")}, "stringData": plain}
    found = reduce_secret(body, REF, read_values=False)
    assert isinstance(found, Unknown)
    assert "manifest" in found.reason


def test_metadata_alone_tells_no_keys() -> None:
    body = {"kind": "PartialObjectMetadata", "metadata": OWN}
    found = reduce_secret(body, REF, read_values=True)
    assert found == Known(SecretRecord(REF))


def test_a_secret_without_data_has_no_keys() -> None:
    found = reduce_secret({"kind": "Secret", "metadata": OWN}, REF, read_values=False)
    assert isinstance(found, Known)
    assert found.value.keys == frozenset()


def test_only_the_operators_own_marks_are_kept() -> None:
    marks = {
        "cloudcredential.openshift.io/mode": "mint",
        "kubectl.kubernetes.io/last-applied-configuration": '{"data": {"password": "x"}}',
    }
    metadata = {
        **OWN,
        "annotations": marks,
        "labels": {"owner": "x", "cloudcredential.openshift.io/credentials-request": "true"},
    }
    found = reduced({}, metadata=metadata)
    assert found.annotations == {"cloudcredential.openshift.io/mode": "mint"}
    assert found.labels == {"cloudcredential.openshift.io/credentials-request": "true"}


@pytest.mark.parametrize(
    "body", [7, None, [], {}, {"metadata": 7}, {"metadata": {}, "data": []}, {"metadata": {}, "data": {7: ""}}]
)
def test_what_is_no_secret_is_unknown_and_named(body: Any) -> None:
    found = reduce_secret(body, REF, read_values=True)
    assert isinstance(found, Unknown)
    assert "openshift-x/creds" in found.reason


@pytest.mark.parametrize("value", ["", None, "0 bytes long", encoded("0 bytes long"), " ", 7])
def test_a_key_without_a_value_is_missing(value: Any) -> None:
    assert reduced({}, read_values=False, data={"a": value, "b": encoded("x")}).keys == frozenset({"b"})


@pytest.mark.parametrize(
    "metadata",
    [{**OWN, "namespace": "other"}, {**OWN, "name": "other"}, {"name": REF.name}, {**OWN, "deletionTimestamp": "x"}],
)
def test_a_secret_of_another_place_or_on_its_way_out_is_not_there(metadata: dict[str, Any]) -> None:
    body = {"kind": "Secret", "metadata": metadata, "data": {"a": encoded("x")}}
    assert isinstance(reduce_secret(body, REF, read_values=False), Unknown)
