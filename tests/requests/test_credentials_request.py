"""A request as its document says it; what identifies the requirement is never guessed."""

from typing import Any

import pytest

from upgrade_gate.base.errors import ManifestError
from upgrade_gate.base.secret_ref import SecretRef
from upgrade_gate.payloads.payload import Location, Manifest
from upgrade_gate.requests.credentials_request import CredentialsRequest, is_credentials_request, parse

GROUP = "cloudcredential.openshift.io"
SECRET = {"name": "s", "namespace": "n"}
SPEC = {"secretRef": SECRET, "providerSpec": {"kind": "OpenStackProviderSpec"}}


def manifest(
    spec: Any = None, *, namespace: str = "ns", group: str = GROUP, kind: str = "CredentialsRequest"
) -> Manifest:
    body = {"spec": {**SPEC, **spec} if isinstance(spec, dict) else spec}
    return Manifest(group, "v1", kind, namespace, "a", None, Location("a.yaml", 0, 3), body)


def parsed(**spec: Any) -> CredentialsRequest:
    return parse(manifest(spec))


def test_what_a_request_says() -> None:
    request = parsed(
        providerSpec={"kind": "AWSProviderSpec", "statementEntries": []},
        serviceAccountNames=["b", "a", "b"],
        cloudTokenPath="/token",
    )
    assert (request.id, request.provider_kind, request.secret) == ("ns/a", "AWSProviderSpec", SecretRef("n", "s"))
    assert (request.service_accounts, request.token_path) == (("a", "b"), "/token")


@pytest.mark.parametrize("absent", [{}, {"serviceAccountNames": None, "cloudTokenPath": None}])
def test_what_is_absent_or_null_asks_for_nothing(absent: dict[str, Any]) -> None:
    request = parsed(**absent)
    assert (request.service_accounts, request.token_path) == ((), None)
    assert request.grants == ()


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"secretRef": None}, "spec.secretRef"),
        ({"secretRef": "n/s"}, "spec.secretRef"),
        ({"secretRef": {"name": "s"}}, "spec.secretRef"),
        ({"secretRef": {"namespace": "n"}}, "spec.secretRef"),
        ({"secretRef": {"namespace": "", "name": "s"}}, "spec.secretRef"),
        ({"secretRef": {"namespace": "n", "name": 7}}, "spec.secretRef.name is int"),
        ({"secretRef": {"namespace": 7, "name": "s"}}, "spec.secretRef.namespace is int"),
        ({"providerSpec": []}, "spec.providerSpec"),
        ({"providerSpec": None}, "spec.providerSpec.kind is NoneType"),
        ({"providerSpec": {"kind": ""}}, "spec.providerSpec.kind is '', which names no cloud"),
        ({"providerSpec": {"kind": " "}}, "spec.providerSpec.kind is ' ', which names no cloud"),
        ({"providerSpec": {"kind": "AwsProviderSpec"}}, "spec.providerSpec.kind is 'AwsProviderSpec', almost"),
        ({"providerSpec": {"kind": 7}}, "spec.providerSpec.kind is int"),
        ({"serviceAccountNames": "a"}, "spec.serviceAccountNames"),
        ({"serviceAccountNames": {}}, "spec.serviceAccountNames"),
        ({"serviceAccountNames": ["a", 7]}, "spec.serviceAccountNames"),
        ({"serviceAccountNames": ["a", ""]}, "spec.serviceAccountNames"),
        ({"serviceAccountNames": [None]}, "spec.serviceAccountNames"),
        ({"cloudTokenPath": False}, "spec.cloudTokenPath is bool"),
        ({"cloudTokenPath": 0}, "spec.cloudTokenPath is int"),
        ([], "spec of a"),
        ("", "spec of a"),
    ],
    ids=str,
)
def test_a_field_of_another_type_is_refused_with_its_place(spec: Any, field: str) -> None:
    with pytest.raises(ManifestError) as refused:
        parse(manifest(spec))
    assert refused.value.message.startswith(f"a.yaml:3: {field}")


def test_a_request_without_a_namespace_or_a_body_is_refused() -> None:
    with pytest.raises(ManifestError, match="names no namespace"):
        parse(manifest({}, namespace=""))
    with pytest.raises(ManifestError, match="providerSpec"):
        parse(Manifest(GROUP, "v1", "CredentialsRequest", "ns", "a", None, Location("a.yaml")))


def test_group_and_kind_make_a_request() -> None:
    assert is_credentials_request(manifest())
    assert not is_credentials_request(manifest(group="other.io"))
    assert not is_credentials_request(manifest(kind="CredentialsRequestList"))


@pytest.mark.parametrize("name", ["", "A", "a b", "a\n", " a", "-a", "a_b", "x" * 254, "a/b", "$(id)", "é", "a..b"])
@pytest.mark.parametrize("place", ["secretRef.name", "secretRef.namespace", "serviceAccountNames"])
def test_a_name_that_no_object_can_have_is_no_requirement(place: str, name: str) -> None:
    """CCO can make no such Secret, and no identity can trust such an account (kubernetes.io, object names)."""
    spec: dict[str, Any] = {"secretRef": dict(SECRET), "serviceAccountNames": ["one"]}
    if place == "serviceAccountNames":
        spec[place] = ["one", name]
    else:
        spec["secretRef"][place.rpartition(".")[2]] = name
    with pytest.raises(ManifestError):
        parsed(**spec)


@pytest.mark.parametrize("name", ["a", "a-1", "0", "a.b-c.d", "x" * 253])
def test_a_legal_name_is_taken_as_it_is(name: str) -> None:
    request = parsed(secretRef={"namespace": "n", "name": name}, serviceAccountNames=[name])
    assert (str(request.secret), request.service_accounts) == (f"n/{name}", (name,))
