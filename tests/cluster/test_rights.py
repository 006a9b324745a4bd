"""What a reader must be allowed, and in which words a refusal says it."""

from __future__ import annotations

from upgrade_gate.base.secret_ref import SecretRef
from upgrade_gate.cluster import rights
from upgrade_gate.cluster.facts_table import CONFIGMAP, FIRST_WAVE, REQUESTS, VERSION, secret_query


def test_one_object_is_allowed_by_its_name_and_a_kind_by_list() -> None:
    assert rights.rules_for([VERSION]) == [
        {
            "apiGroups": ["config.openshift.io"],
            "resources": ["clusterversions"],
            "resourceNames": ["version"],
            "verbs": ["get"],
        }
    ]
    assert rights.rules_for([REQUESTS]) == [
        {"apiGroups": ["cloudcredential.openshift.io"], "resources": ["credentialsrequests"], "verbs": ["list"]}
    ]


def test_names_of_one_kind_share_a_rule_in_whatever_order_they_are_asked() -> None:
    two = [secret_query(SecretRef("a", name)) for name in ("two", "one")]
    (rule,) = rights.rules_for(two)
    assert rule["resourceNames"] == ["one", "two"]
    assert rights.rules_for(reversed(two)) == [rule]
    assert rights.rules_for(reversed(FIRST_WAVE)) == rights.rules_for(FIRST_WAVE)


def test_a_refusal_names_the_read_and_the_rule_that_allows_it() -> None:
    assert rights.read_of(VERSION) == "get clusterversions.config.openshift.io/version"
    assert rights.read_of(REQUESTS) == "list credentialsrequests.cloudcredential.openshift.io"
    place = "in namespace openshift-cloud-credential-operator"
    assert rights.read_of(CONFIGMAP) == f"get configmaps/cloud-credential-operator-config {place}"
    assert rights.remedy_of(CONFIGMAP) == (
        'allow {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["cloud-credential-operator-config"], '
        f'"verbs": ["get"]}} {place}'
    )
