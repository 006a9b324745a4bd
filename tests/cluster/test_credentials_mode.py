"""In which mode CCO really runs, whether credentials are keys or tokens, and what CCO does with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

from tests.worlds.cluster_objects import CCO, Objects, encoded, observed, sample, with_facts
from upgrade_gate.base.errors import UsageError
from upgrade_gate.base.facts import Absent, Known, Unknown
from upgrade_gate.base.secret_ref import SecretRef
from upgrade_gate.cluster import facts_table, observe
from upgrade_gate.cluster.credentials_mode import Behaviour, Credentials, Mode, behaviour_of, credentials_of, mode_of
from upgrade_gate.cluster.model import SecretForm, SecretRecord

if TYPE_CHECKING:
    from upgrade_gate.base.facts import Fact
    from upgrade_gate.cluster.facts_table import Cluster

ISSUER: Fact[str] = Known("https://oidc.example.com")


def _cluster(
    field: str | None,
    *,
    disabled: str | None = None,
    platform: str = "AWS",
    root: str | None = None,
    root_there: bool = True,
    version: str = "4.14.3",
    topology: str = "HighlyAvailable",
) -> Cluster:
    objects = sample(version)
    if field is None:
        del objects["CloudCredential/cluster"]
    else:
        objects["CloudCredential/cluster"]["spec"]["credentialsMode"] = field
    infrastructure = objects["Infrastructure/cluster"]
    infrastructure["spec"] = {}
    infrastructure["status"] |= {
        "platform": platform,
        "platformStatus": {"type": platform},
        "controlPlaneTopology": topology,
    }
    if disabled is not None:
        objects["ConfigMap/cloud-credential-operator-config"] = {
            "kind": "ConfigMap",
            "metadata": {"name": "cloud-credential-operator-config", "namespace": CCO},
            "data": {"disabled": disabled},
        }
    names = {"AWS": "aws-creds", "Azure": "azure-credentials", "GCP": "gcp-credentials", "VSphere": "vsphere-creds"}
    if root_there and platform in names:
        annotations = {"cloudcredential.openshift.io/mode": root} if root is not None else {}
        objects[f"Secret/{names[platform]}"] = {
            "kind": "Secret",
            "metadata": {"name": names[platform], "namespace": "kube-system", "annotations": annotations},
            "data": {"aws_access_key_id": encoded("AKIAIOSFODNN7EXAMPLE")},
        }
    return observed(objects)


@pytest.mark.parametrize(
    ("arguments", "mode"),
    [
        # docs/facts/cco.md#modes, the first table
        ({"field": "Manual"}, Mode.MANUAL),
        ({"field": "Manual", "disabled": "true"}, Mode.MANUAL),
        ({"field": "Manual", "disabled": "maybe"}, Mode.MANUAL),
        ({"field": "", "disabled": "true"}, Mode.MANUAL),
        ({"field": "", "disabled": "T"}, Mode.MANUAL),
        ({"field": "", "disabled": "false", "root": "mint"}, Mode.MINT),
        ({"field": "Mint"}, Mode.MINT),
        ({"field": "Passthrough"}, Mode.PASSTHROUGH),
        # the default is what the root Secret's annotation says, else what the platform does
        ({"field": "", "root": "passthrough"}, Mode.PASSTHROUGH),
        ({"field": "", "root": None}, Mode.MINT),
        ({"field": "", "platform": "GCP"}, Mode.MINT),
        ({"field": "", "platform": "Azure"}, Mode.PASSTHROUGH),
        ({"field": "", "platform": "VSphere"}, Mode.PASSTHROUGH),
        ({"field": "", "root_there": False}, Mode.MINT),
        # only AWS and GCP mint
        ({"field": "Mint", "platform": "VSphere"}, Mode.PASSTHROUGH),
        # elsewhere credentials are kept by hand, whatever the field says
        ({"field": "", "platform": "IBMCloud"}, Mode.MANUAL),
        ({"field": "Mint", "platform": "Nutanix"}, Mode.MANUAL),
        ({"field": None, "platform": "None"}, Mode.MANUAL),
        ({"field": "", "platform": "Newcloud"}, Mode.MANUAL),
        # CCO cannot mint there, whatever the root Secret's annotation says
        ({"field": "", "platform": "VSphere", "root": "mint"}, Mode.PASSTHROUGH),
        ({"field": "", "platform": "Azure", "root": "mint"}, Mode.PASSTHROUGH),
        ({"field": "", "platform": "Azure", "root": "mint", "version": "4.10.1"}, Mode.PASSTHROUGH),
        ({"field": "", "platform": "Azure", "root": "mint", "version": "4.8.34"}, Mode.PASSTHROUGH),
        ({"field": "", "platform": "Azure", "root": "mint", "version": "4.8.33"}, Mode.MINT),
        ({"field": "", "platform": "Azure", "root": "mint", "version": "4.7.47"}, Mode.PASSTHROUGH),
        ({"field": "", "platform": "Azure", "root": "mint", "version": "4.5.3"}, Mode.MINT),
        ({"field": "", "platform": "GCP", "root": "mint"}, Mode.MINT),
        # from 4.22 on a hosted cluster runs CCO
        ({"field": "Manual", "topology": "External", "version": "4.22.1"}, Mode.MANUAL),
        # before 4.5 there was only the ConfigMap
        ({"field": None, "version": "4.4.3", "root": "mint"}, Mode.MINT),
        ({"field": None, "version": "4.4.3", "disabled": "true"}, Mode.MANUAL),
    ],
)
def test_the_effective_mode(arguments: dict[str, Any], mode: Mode) -> None:
    found = _cluster(**arguments)
    assert found.mode == Known(mode), found.mode_reason
    assert found.mode_reason


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"field": "Mint", "disabled": "true"}, "ConfigMap cloud-credential-operator-config disables CCO"),
        ({"field": "Passthrough", "disabled": "1"}, "ConfigMap cloud-credential-operator-config disables CCO"),
        ({"field": "", "disabled": "maybe"}, "maybe"),
        ({"field": "Mint", "platform": "Azure"}, "rejects"),
        ({"field": "manual"}, "not a mode that exists"),
        ({"field": "Manual "}, "not a mode that exists"),
        ({"field": "", "platform": "Azure", "root": "mint", "version": "4.9.9"}, "mints on Azure"),
        ({"field": "", "root": "insufficient"}, "insufficient"),
        ({"field": "", "root": "other"}, "an unknown mode"),
        ({"field": None}, "does not exist"),
    ],
)
def test_where_cco_would_grant_nothing_the_mode_is_not_known(arguments: dict[str, Any], word: str) -> None:
    found = _cluster(**arguments)
    assert isinstance(found.mode, Unknown)
    assert word in found.mode.reason


def test_a_hosted_cluster_below_4_22_runs_no_cco() -> None:
    assert isinstance(_cluster("Manual", topology="External", version="4.21.9").mode, Absent)


def test_the_default_mode_is_unknown_while_the_root_secret_is_unread() -> None:
    objects = sample()
    objects["CloudCredential/cluster"]["spec"]["credentialsMode"] = ""
    root = facts_table.secret_query(SecretRef("kube-system", "aws-creds"))
    reader = Objects(objects, {root: Unknown("forbidden", "a rule")})
    found = observe.observe_secrets(observe.observe(reader), reader, [], [])
    assert found.mode == Unknown(
        "credentialsMode is not set, and Secret kube-system/aws-creds could not be read: forbidden",
        "a rule",
    )


def test_without_the_capability_cco_is_not_there() -> None:
    objects = sample()
    objects["ClusterVersion/version"]["status"]["capabilities"]["knownCapabilities"].append("CloudCredential")
    found = observed(objects)
    assert found.mode == Absent()
    assert found.root_secret == Absent()


@pytest.mark.parametrize("given", [Mode.MINT, Mode.PASSTHROUGH])
def test_an_option_fills_only_a_gap_and_never_decides_a_contradiction(given: Mode) -> None:
    contradiction = _cluster("Mint", disabled="true")
    assert mode_of(contradiction, "AWS", given) == (Mode.UNKNOWN, contradiction.mode_reason)
    assert mode_of(contradiction, "AWS", Mode.MANUAL) == (Mode.MANUAL, "given by --mode")
    gap = _cluster("", disabled="maybe")
    assert mode_of(gap, "AWS", given) == (given, "given by --mode")
    with pytest.raises(UsageError, match="contradicts the cluster: credentialsMode"):
        mode_of(_cluster("Manual"), "AWS", given)


def test_a_gap_beside_the_mode_is_none_of_the_mode() -> None:
    objects = sample()
    objects["CloudCredential/cluster"]["spec"]["credentialsMode"] = "other"
    objects["Infrastructure/cluster"]["status"]["infrastructureName"] = "xxxxxxxx"
    found = observed(objects)
    assert isinstance(found.name, Unknown)
    assert mode_of(found, "AWS", Mode.MINT) == (Mode.UNKNOWN, found.mode_reason)


# --- the form of the credentials, and what CCO does ---


def _forms(*forms: SecretForm | None) -> list[Fact[SecretRecord]]:
    known: list[Fact[SecretRecord]] = [Known(SecretRecord(SecretRef("a", "b"), form=form)) for form in forms]
    return [*known, Unknown("?"), Absent()]


@pytest.mark.parametrize(
    ("platform", "release", "mode", "issuer", "forms", "expected"),
    [
        ("AWS", (4, 8), Mode.MANUAL, ISSUER, (), Credentials.TOKEN),
        ("AWS", (4, 7), Mode.MANUAL, ISSUER, (), Credentials.KEYS),
        ("AWS", (4, 14), Mode.MANUAL, Absent(), (), Credentials.KEYS),
        ("AWS", (4, 14), Mode.MANUAL, Unknown("?"), (), Credentials.UNKNOWN),
        ("AWS", (4, 14), Mode.ABSENT, ISSUER, (), Credentials.TOKEN),
        ("AWS", (4, 14), Mode.UNKNOWN, ISSUER, (), Credentials.TOKEN),
        ("AWS", (4, 14), Mode.MINT, ISSUER, (), Credentials.KEYS),
        ("Azure", (4, 13), Mode.MANUAL, ISSUER, (), Credentials.KEYS),
        ("Azure", (4, 14), Mode.MANUAL, ISSUER, (), Credentials.TOKEN),
        ("GCP", (4, 9), Mode.MANUAL, ISSUER, (), Credentials.KEYS),
        ("GCP", (4, 10), Mode.MANUAL, ISSUER, (), Credentials.TOKEN),
        ("VSphere", (4, 20), Mode.MANUAL, ISSUER, (), Credentials.KEYS),
        ("IBMCloud", (4, 20), Mode.MANUAL, ISSUER, (), Credentials.KEYS),
        ("None", (4, 20), Mode.MANUAL, Absent(), (), Credentials.NONE),
        ("Newcloud", (4, 20), Mode.MANUAL, ISSUER, (), Credentials.UNKNOWN),
        # the Secrets' own form decides where all of them can be read; one that cannot may be a token
        ("AWS", (4, 14), Mode.MANUAL, ISSUER, ("keys", None), Credentials.TOKEN),
        ("AWS", (4, 14), Mode.MANUAL, Absent(), ("token", "keys"), Credentials.TOKEN),
        ("AWS", (4, 14), Mode.MANUAL, Unknown("?"), ("token",), Credentials.TOKEN),
    ],
)
def test_the_form_of_the_credentials(
    *,
    platform: str,
    release: tuple[int, int],
    mode: Mode,
    issuer: Fact[str],
    forms: tuple[SecretForm | None, ...],
    expected: Credentials,
) -> None:
    secrets = {SecretRef("a", str(number)): fact for number, fact in enumerate(_forms(*forms))}
    cluster = with_facts(structs.replace(observed(sample()), secrets=secrets), issuer=issuer)
    assert credentials_of(cluster, platform, release, mode) is expected


@pytest.mark.parametrize(
    ("platform", "release", "mode", "issuer", "expected"),
    [
        # AWS and Azure from 4.14, GCP from 4.17, elsewhere never (docs/facts/cco.md#modes)
        ("AWS", (4, 13), Mode.MANUAL, ISSUER, Behaviour.PLAIN),
        ("AWS", (4, 14), Mode.MANUAL, ISSUER, Behaviour.TIMED_TOKEN),
        ("Azure", (4, 14), Mode.MANUAL, ISSUER, Behaviour.TIMED_TOKEN),
        ("GCP", (4, 16), Mode.MANUAL, ISSUER, Behaviour.PLAIN),
        ("GCP", (4, 17), Mode.MANUAL, ISSUER, Behaviour.TIMED_TOKEN),
        ("VSphere", (4, 20), Mode.MANUAL, ISSUER, Behaviour.PLAIN),
        ("AWS", (4, 14), Mode.MANUAL, Absent(), Behaviour.PLAIN),
        ("AWS", (4, 14), Mode.MANUAL, Unknown("?"), Behaviour.UNKNOWN),
        ("AWS", (4, 14), Mode.MINT, ISSUER, Behaviour.NON_MANUAL),
        ("VSphere", (4, 14), Mode.PASSTHROUGH, Absent(), Behaviour.NON_MANUAL),
        ("AWS", (4, 14), Mode.UNKNOWN, ISSUER, Behaviour.UNKNOWN),
        ("AWS", (4, 15), Mode.ABSENT, ISSUER, Behaviour.ABSENT),
        ("Nutanix", (4, 14), Mode.MANUAL, ISSUER, Behaviour.NO_OP),
        ("Newcloud", (4, 14), Mode.MANUAL, ISSUER, Behaviour.UNKNOWN),
    ],
)
def test_what_cco_does_here(
    platform: str, release: tuple[int, int], mode: Mode, issuer: Fact[str], expected: Behaviour
) -> None:
    cluster = with_facts(observed(sample()), issuer=issuer)
    assert behaviour_of(cluster, platform, release, mode) is expected


def test_without_a_cluster_the_issuer_is_not_known() -> None:
    assert credentials_of(None, "AWS", (4, 14), Mode.MANUAL) is Credentials.UNKNOWN
    assert behaviour_of(None, "AWS", (4, 14), Mode.MANUAL) is Behaviour.UNKNOWN
