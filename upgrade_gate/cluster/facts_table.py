"""What is asked of every cluster, and what each answer is called in a report."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from upgrade_gate.base.secret_ref import SecretRef
from upgrade_gate.cluster.model import Query

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "AUTHENTICATION",
    "CONFIGMAP",
    "CREDENTIAL",
    "DEPLOYMENT",
    "DNS",
    "FEATURE_GATE",
    "FIELD_ROWS",
    "FIRST_WAVE",
    "INFRASTRUCTURE",
    "MIRROR_POLICIES",
    "OPERATOR",
    "PULL_SECRET",
    "REQUESTS",
    "ROW_NAMES",
    "SIGNATURE_CONFIGMAPS",
    "VERIFICATION_CONFIGMAP",
    "VERSION",
    "first_wave",
    "namespace_query",
    "secret_query",
]

_CONFIG = "config.openshift.io"
_CCO_NAMESPACE = "openshift-cloud-credential-operator"
VERSION = Query(_CONFIG, "v1", "clusterversions", "ClusterVersion", name="version")
OPERATOR = Query(_CONFIG, "v1", "clusteroperators", "ClusterOperator", name="cloud-credential")
INFRASTRUCTURE = Query(_CONFIG, "v1", "infrastructures", "Infrastructure", name="cluster")
AUTHENTICATION = Query(_CONFIG, "v1", "authentications", "Authentication", name="cluster")
FEATURE_GATE = Query(_CONFIG, "v1", "featuregates", "FeatureGate", name="cluster")
DNS = Query(_CONFIG, "v1", "dnses", "DNS", name="cluster")
CREDENTIAL = Query("operator.openshift.io", "v1", "cloudcredentials", "CloudCredential", name="cluster")
CONFIGMAP = Query("", "v1", "configmaps", "ConfigMap", _CCO_NAMESPACE, "cloud-credential-operator-config")
DEPLOYMENT = Query("apps", "v1", "deployments", "Deployment", "openshift-cluster-version", "cluster-version-operator")
REQUESTS = Query("cloudcredential.openshift.io", "v1", "credentialsrequests", "CredentialsRequest")
FIRST_WAVE = (
    VERSION,
    OPERATOR,
    INFRASTRUCTURE,
    AUTHENTICATION,
    FEATURE_GATE,
    DNS,
    CREDENTIAL,
    CONFIGMAP,
    DEPLOYMENT,
    REQUESTS,
)

MIRROR_POLICIES = (
    Query(_CONFIG, "v1", "imagedigestmirrorsets", "ImageDigestMirrorSet"),
    Query(_CONFIG, "v1", "imagetagmirrorsets", "ImageTagMirrorSet"),
    Query("operator.openshift.io", "v1alpha1", "imagecontentsourcepolicies", "ImageContentSourcePolicy"),
)
"""Read only when the cluster's mirrors are asked for."""
_MANAGED = "openshift-config-managed"
SIGNATURE_CONFIGMAPS = Query(
    "", "v1", "configmaps", "ConfigMap", _MANAGED, label_selector="release.openshift.io/verification-signatures"
)
VERIFICATION_CONFIGMAP = Query("", "v1", "configmaps", "ConfigMap", _MANAGED, "release-verification")
"""Signatures and keyrings that the cluster itself trusts (releases.md 2, signatures)."""
PULL_SECRET = SecretRef("openshift-config", "pull-secret")

ROW_NAMES: Mapping[Query, str] = MappingProxyType(
    {
        VERSION: "ClusterVersion version",
        OPERATOR: "ClusterOperator cloud-credential",
        INFRASTRUCTURE: "Infrastructure cluster",
        AUTHENTICATION: "Authentication cluster",
        FEATURE_GATE: "FeatureGate cluster",
        DNS: "DNS cluster",
        CREDENTIAL: "CloudCredential cluster",
        CONFIGMAP: "ConfigMap cloud-credential-operator-config",
        DEPLOYMENT: "Deployment cluster-version-operator",
        REQUESTS: "CredentialsRequests",
    }
)

FIELD_ROWS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(
            (
                "id",
                "version",
                "newest_completed",
                "image",
                "history",
                "updating_to",
                "channel",
                "upstream",
                "architecture",
                "offers",
                "version_conditions",
                "overrides",
                "capabilities",
            ),
            ROW_NAMES[VERSION],
        ),
        "operator": ROW_NAMES[OPERATOR],
        **dict.fromkeys(
            ("name", "api_url", "platform", "region", "scopes", "network_scopes", "topology"), ROW_NAMES[INFRASTRUCTURE]
        ),
        "issuer": ROW_NAMES[AUTHENTICATION],
        **dict.fromkeys(("feature_set", "feature_gates", "custom_gates"), ROW_NAMES[FEATURE_GATE]),
        **dict.fromkeys(("base_domain", "zone_scopes"), ROW_NAMES[DNS]),
        **dict.fromkeys(("mode", "annotation"), ROW_NAMES[CREDENTIAL]),
        **dict.fromkeys(("profile", "excluded"), ROW_NAMES[DEPLOYMENT]),
        "requests": ROW_NAMES[REQUESTS],
    }
)
"""Which row of the report a field of `Cluster` comes from: the name of a `fact-unknown` about it."""


def first_wave() -> tuple[Query, ...]:
    """Return what is read of every cluster, whatever the releases are (design section 3.2)."""
    return FIRST_WAVE


def secret_query(ref: SecretRef) -> Query:
    """Return the query for one Secret; readers answer it with a `SecretRecord`."""
    return Query("", "v1", "secrets", "Secret", ref.namespace, ref.name)


def namespace_query(name: str) -> Query:
    """Return the query for one Namespace."""
    return Query("", "v1", "namespaces", "Namespace", name=name)
