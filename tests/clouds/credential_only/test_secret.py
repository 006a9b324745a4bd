"""Clouds without a permission model: which keys their Secrets need."""

import pytest

from upgrade_gate.clouds.contract.secret import Secret, secret_of
from upgrade_gate.clouds.credential_only import KINDS


def of(kind: str) -> Secret:
    found = secret_of(kind)
    assert found is not None, kind
    return found


@pytest.mark.parametrize(
    ("kind", "keys", "missing"),
    [
        ("NutanixProviderSpec", (), ("credentials",)),
        ("NutanixProviderSpec", ("credentials",), ()),
        ("OpenStackProviderSpec", ("clouds.yaml",), ()),
        ("OpenStackProviderSpec", ("cacert",), ("clouds.yaml",)),
        ("OvirtProviderSpec", ("ovirt_url", "ovirt_username", "ovirt_password"), ("ovirt_insecure", "ovirt_ca_bundle")),
        ("KubevirtProviderSpec", ("kubeconfig",), ()),
        ("Metal3ProviderSpec", (), ()),
        ("VSphereProviderSpec", (), ("<vcenter>.username", "<vcenter>.password")),
        ("VSphereProviderSpec", ("vc.example.com.username", "vc.example.com.password"), ()),
        ("VSphereProviderSpec", ("vc.example.com.username",), ("vc.example.com.password",)),
        (
            "VSphereProviderSpec",
            ("a.username", "a.password", "b.password", "c.username"),
            ("b.username", "c.password"),
        ),
        ("VSphereProviderSpec", ("note",), ("<vcenter>.username", "<vcenter>.password")),
    ],
)
def test_missing_keys(kind: str, keys: tuple[str, ...], missing: tuple[str, ...]) -> None:
    assert of(kind).missing_keys(frozenset(keys), token=False, release=(4, 14)) == missing


def test_the_keys_of_a_secret_made_by_hand() -> None:
    assert of("OpenStackProviderSpec").secret_keys(token=False, release=(4, 14)) == ("clouds.yaml", "cacert")
    assert of("Metal3ProviderSpec").secret_keys(token=False, release=(4, 19)) == ()


def test_any_keys_may_stand_together() -> None:
    for kind in KINDS:
        assert of(kind).conflicting_keys(frozenset({"a"})) == ()
