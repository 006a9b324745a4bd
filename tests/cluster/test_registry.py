"""Which bucket the image registry of a cluster on AWS works with: cluster-image-registry-operator `pkg/storage/s3`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.worlds.cluster_objects import Objects, condition, sample
from upgrade_gate.base.facts import Absent, Known, Unknown
from upgrade_gate.clouds.contract.context import Bucket
from upgrade_gate.cluster import facts_table, observe, scopes
from upgrade_gate.cluster.readers._dump_flat import FlatLayout
from upgrade_gate.cluster.rows import rows_of

if TYPE_CHECKING:
    from upgrade_gate.base.facts import Fact
    from upgrade_gate.cluster.facts_table import Cluster

NAME = "c1-x7k2p-image-registry-eu-west-1-qwertz"


def registry(state: str = "Managed", found: str | None = NAME, exists: str = "True", **s3: Any) -> dict[str, Any]:
    """Return the registry's Config; a value of None takes a field of `s3` away."""
    bucket = {k: v for k, v in {"bucket": NAME, "region": "eu-west-1", "encrypt": True, **s3}.items() if v is not None}
    return {
        "metadata": {"name": "cluster"},
        "spec": {"managementState": state, "storage": {"managementState": "Managed", "s3": bucket}},
        "status": {
            "storage": {"s3": {"bucket": found}} if found else {},
            "conditions": [condition("StorageExists", exists)],
        },
    }


def stored(**storage: Any) -> dict[str, Any]:
    """Return a Config with another storage."""
    return {"metadata": {"name": "cluster"}, "spec": {"managementState": "Managed", "storage": storage}}


def observed(config: dict[str, Any] | None, *, proof: bool = True) -> Cluster:
    objects = sample() | ({"Config/cluster": config} if config else {})
    reader = Objects(objects)
    return observe.observe_secrets(observe.observe(reader), reader, [], [], proof=proof)


@pytest.mark.parametrize(
    ("config", "fact"),
    [
        (registry(), Known(Bucket(NAME))),
        (registry(region=None), Known(Bucket(NAME))),
        (registry(region="eu-central-1"), Known(Bucket(NAME, "eu-central-1"))),
        (stored(pvc={"claim": ""}), Absent()),
        (stored(emptyDir={}), Absent()),
        (registry(state="Removed"), Absent()),
        (None, Absent()),
    ],
)
def test_a_bucket_that_the_operator_has_found_is_the_one(config: dict[str, Any] | None, fact: Fact[Bucket]) -> None:
    assert observed(config).registry_bucket == fact


def test_a_bucket_that_somebody_brought_may_be_of_another_account() -> None:
    config = registry()
    config["spec"]["storage"]["managementState"] = "Unmanaged"
    assert observed(config).registry_bucket == Known(Bucket(NAME, own=False))


@pytest.mark.parametrize(
    "config",
    [
        registry(found=None),  # named by somebody, and not there yet
        registry(bucket=None),  # the operator has not chosen a name yet
        registry(found="c1-old"),  # a change is under way
        registry(exists="False"),
        registry(exists="Unknown"),
        registry(state="Unmanaged"),
        registry(state="Force"),
        registry(regionEndpoint="https://minio.example.com"),
        registry(bucket="ap-x-s3alias", found="ap-x-s3alias"),
        registry(bucket="c1*", found="c1*"),
        registry(bucket="arn:aws:s3:::c1", found="arn:aws:s3:::c1"),
        registry(bucket=7),
        stored(),
        stored(s3={"bucket": NAME}, pvc={"claim": "x"}),
        {"metadata": {"name": "cluster"}},
    ],
)
def test_what_is_not_sure_is_not_known(config: dict[str, Any]) -> None:
    fact = observed(config).registry_bucket
    assert isinstance(fact, Unknown)
    assert fact.reason


def test_it_is_read_for_proof_on_aws_and_counts_for_the_registrys_request_alone() -> None:
    found, title = observed(registry()), "Config.imageregistry.operator.openshift.io cluster"
    assert {row.name: row.value for row in rows_of(found)}[title] == {"bucket": NAME}
    assert title not in {row.name for row in rows_of(observed(registry(), proof=False))}
    assert scopes.request_bucket(found, "AWSProviderSpec", "openshift-image-registry") == Known(Bucket(NAME))
    assert scopes.request_bucket(found, "AWSProviderSpec", "cloud-credential-operator-s3") == Absent()
    assert scopes.request_bucket(found, "GCPProviderSpec", "openshift-image-registry-gcs") == Absent()
    assert scopes.request_scopes(found, "AWSProviderSpec", "openshift-image-registry") == Known(())


def test_in_a_flat_folder_the_config_of_another_operator_is_not_taken_for_it() -> None:
    layout = FlatLayout("dump")
    head = "kind: Config\nmetadata: {name: cluster}\napiVersion: "
    layout.add(f"{head}samples.operator.openshift.io/v1\nspec: {{}}\n".encode(), "samples.yaml")
    assert layout.answer(facts_table.REGISTRY) is None
    layout.add(f"{head}imageregistry.operator.openshift.io/v1\nspec: {{a: 1}}\n".encode(), "registry.yaml")
    found = layout.answer(facts_table.REGISTRY)
    assert isinstance(found, Known)
    assert found.value["spec"] == {"a": 1}
