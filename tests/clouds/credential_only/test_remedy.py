"""Clouds without a permission model: no document, the form of the Secret, ccoctl for Nutanix alone."""

import json

import pytest

from tests.worlds.identity_changes import change, cluster_names
from upgrade_gate.base.steps import Serves
from upgrade_gate.clouds import credential_only
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.credential_only import remedy

KINDS = sorted(credential_only.KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_there_is_no_document(kind: str) -> None:
    draft = remedy.draft(change(kind), cluster_names("x", token=False))
    assert (draft.files, draft.steps, draft.terraform) == ({}, (), ())
    assert remedy.terraform([]) == {}


def test_privileges_are_for_a_person() -> None:
    wanted = [Grant("privilege", "VirtualMachine.Config.AddNewDisk")]
    (step,) = remedy.draft(change("VSphereProviderSpec", wanted), cluster_names("VSphere")).steps
    assert step.serves is Serves.GRANTS
    assert not step.scripted
    assert "VirtualMachine.Config.AddNewDisk" in step.reason


def test_a_nutanix_secret_has_the_form_that_its_readers_parse() -> None:
    text = remedy.secret_value("credentials", change("NutanixProviderSpec"), cluster_names("Nutanix"))
    assert text is not None
    (entry,) = json.loads(text)
    assert entry["type"] == "basic_auth"
    assert set(entry["data"]["prismCentral"]) == {"username", "password"}
    assert remedy.secret_value("clouds.yaml", change("OpenStackProviderSpec"), cluster_names("OpenStack")) is None


@pytest.mark.parametrize(
    ("platform", "release", "there"),
    [("Nutanix", (4, 11), True), ("Nutanix", (4, 10), False), ("VSphere", (4, 14), False)],
    ids=str,
)
def test_only_nutanix_has_ccoctl(platform: str, release: tuple[int, int], there: bool) -> None:
    offer = remedy.ccoctl([change("NutanixProviderSpec")], cluster_names(platform, release=release))
    assert (offer is not None) is there
