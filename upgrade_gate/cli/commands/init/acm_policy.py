"""`acm-policy`: policies of Advanced Cluster Management that run the gate in each managed cluster, and tell who passes.

The first policy brings the account, its roles and a CronJob, which leaves its verdict as a PolicyReport. The second is
compliant where that report passes for the target's digest. A report is gone with the Job that made it, so that an old
one says nothing (docs/using/fleets.md#in-each-managed-cluster).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from upgrade_gate import __version__
from upgrade_gate.base import plugins
from upgrade_gate.base.errors import ExitCode, UsageError
from upgrade_gate.cli import run
from upgrade_gate.cli.commands.init import _pins, _pods, _roles
from upgrade_gate.cli.commands.init._roles import OWN_ACCOUNT
from upgrade_gate.cli.help_pages import ExplainedCommand
from upgrade_gate.cli.option_types import Duration
from upgrade_gate.cli.options import (
    cluster_options,
    configuration_option,
    registry_options,
    release_options,
)
from upgrade_gate.cli.ready_file import deliver, write_options
from upgrade_gate.cli.single_options import selector_option
from upgrade_gate.fleet import selector as selectors

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from upgrade_gate.cli.configuration import Configuration
    from upgrade_gate.cli.option_types import Span
    from upgrade_gate.cli.options import ClusterOptions, RegistryOptions, ReleaseOptions
    from upgrade_gate.fleet.selector import Term
    from upgrade_gate.payloads.payload import Payload

_POLICY_API = "policy.open-cluster-management.io"
_CLUSTER_API = "cluster.open-cluster-management.io"
_PLATFORM_CLAIM = "platform.open-cluster-management.io"
_PLATFORM_CLAIMS = {
    "AWS": "AWS",
    "Azure": "Azure",
    "GCP": "GCP",
    "IBMCloud": "IBM",
    "PowerVS": "IBMPowerPlatform",
    "VSphere": "VSphere",
    "OpenStack": "OpenStack",
}
"""What a managed cluster claims of its platform (docs/facts/hubs.md#claims)."""

_REPORT = "upgrade-gate"
_LONGEST_POLICY = 62
"""Characters of namespace and name of a policy together (docs/facts/hubs.md#policies)."""

_HEADER = """\
# The upgrade gate in each managed cluster on {platform}: does it hold what {version} needs?
# Made by `upgrade-gate init acm-policy`, version {tool}, for `oc apply -f` on the hub.
#
# Policy {name} brings the service account, the roles of `init rbac`, and a CronJob that leaves its verdict
# as PolicyReport {own}/{report}. The API of PolicyReports must be there already (Kyverno and Policy
# Reporter bring it: CustomResourceDefinition policyreports.wgpolicyk8s.io); the policy says where it is not.
# Policy {name}-verdict is compliant in a cluster whose report passes for exactly this target:
#   {digest}
# No report, one about another digest, blocked and cannot tell are not compliant. A report is deleted {age} after its
# run, and at once where a run ends without a verdict.
{pull_secret}#
# Configuration, identities, acknowledgements and more options of `check` come from the ConfigMap {own} in the
# namespace {own} of each cluster, where there is one: UPGRADE_GATE_CONFIG, _IDENTITIES, _ACKNOWLEDGEMENTS and
# _ARGUMENTS. Who may change it, or PolicyReports there, has a say in the verdict.
"""
_SUPPLIED = """\
# Each cluster needs the pull secret as Secret {name}-pull-secret in the namespace {name}, of the type
# kubernetes.io/dockerconfigjson; --pull-secret-from-cluster takes the cluster's own instead.
"""
_SCRIPT = """\
file=/tmp/policy-report.yaml
withdraw() {
  cluster_api withdraw "$REPORTS" "$REPORT" || echo "error: an earlier PolicyReport may still be there" >&2
}
code=0
upgrade-gate check "$@" --label "pod=$POD_NAME" -o text -o "policyreport=$file" || code=$?
case "$code" in
  0 | 3 | 4)
    # what ends well without a report (--help does) has judged nothing
    if ! [ -s "$file" ]; then
      withdraw
      exit 1
    fi
    ;;
  *)
    withdraw
    exit "$code"
    ;;
esac
if ! cluster_api keep "$file" "$REPORTS" "$REPORT"; then
  withdraw
  stop "the PolicyReport was not written"
fi
exit "$code"
"""


@click.command(
    cls=ExplainedCommand,
    beforehand=True,
    examples=(
        "--to 4.19.2 | oc apply -f -",
        "--no-cluster --platform AWS --from 4.18.7 --to 4.19.2 --pull-secret-from-cluster --write policy.yaml",
        "--to 4.19.2 --selector env=prod --schedule @hourly --report-max-age 3h",
    ),
)
@release_options
@cluster_options
@configuration_option
@registry_options
@click.option(
    "--pullspec",
    type=_pins.BY_DIGEST,
    metavar="IMAGE@DIGEST",
    help="What the clusters pull for the target.  [default: what --to names, where it lies in a registry]",
)
@_pins.own_image_option
@click.option("--schedule", default="30 5 * * *", show_default=True, metavar="CRON", help="When each cluster runs it.")
@click.option(
    "--report-max-age",
    type=Duration(),
    default="36h",
    show_default=True,
    metavar="DURATION",
    help="For how long a verdict counts: longer than from one run to the next.",
)
@click.option(
    "--namespace",
    type=_roles.NamespaceName(),
    default=f"{_pods.NAME}-policies",
    show_default=True,
    help="Of the policies, on the hub.",
)
@click.option("--cluster-set", default="global", show_default=True, metavar="NAME", help="Clusters of this set only.")
@selector_option
@click.option("--no-pull-secret", is_flag=True, help="The registry of the releases wants no credentials.")
@write_options
def command(
    *,
    release: ReleaseOptions,
    cluster: ClusterOptions,
    configuration: Configuration,
    registry: RegistryOptions,
    pullspec: str | None,
    image: str | None,
    schedule: str,
    report_max_age: Span,
    namespace: str,
    cluster_set: str,
    selector: tuple[str, ...],
    no_pull_secret: bool,
    write: Path | None,
    force: bool,
) -> ExitCode:
    """Print policies that run the gate in each managed cluster, and tell which pass for this target.

    Releases and a cluster are read as for `init rbac`, since the roles are the same. Give it the options that `check`
    will have there. A file is for the clusters of one platform.
    """
    del configuration
    reader = run.open_target(cluster, registry)
    survey = run.survey_target(release, cluster, registry, reader)
    target = survey.hops[-1].new
    what = _pullspec(target, pullspec)
    pull_secret = not (no_pull_secret or registry.pull_secret_from_cluster)
    options = ["--to", what, "--cluster", "live", "--verify", str(registry.settings.verify)]
    options += ["--read-secrets"] if cluster.read_secrets else []
    options += ["--mirrors-from-cluster"] if registry.mirrors_from_cluster else []
    options += ["--pull-secret-from-cluster"] if registry.pull_secret_from_cluster else []
    options += _pods.registry_arguments(pull_secret=pull_secret)
    platform = survey.context.platform
    name = f"{_pods.NAME}-{re.sub(r'[^a-z0-9]+', '-', platform.lower())}"
    longest = _LONGEST_POLICY - len(f"{name}-verdict")
    if len(namespace) > longest:
        raise UsageError(f"--namespace {namespace} is too long for a policy", hint=f"{longest} characters at most")
    digest = what.rpartition("@")[2]
    run_it = [
        *_roles.account_manifests(OWN_ACCOUNT),
        *_roles.role_manifests(_roles.read_queries(survey, registry), _roles.subject_of(OWN_ACCOUNT)),
        *_roles.own_role(OWN_ACCOUNT, f"{_REPORT}-report", *_report_rules()),
        _cron_job(options, image, schedule, int(report_max_age.length.total_seconds()), pull_secret=pull_secret),
    ]
    documents = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": _pods.labels()}},
        {
            "apiVersion": f"{_CLUSTER_API}/v1beta2",
            "kind": "ManagedClusterSetBinding",
            "metadata": _pods.metadata(cluster_set, namespace),
            "spec": {"clusterSet": cluster_set},
        },
        _placement(name, namespace, cluster_set, platform, selectors.terms(selector)),
        *_policy(name, namespace, name, [_there(f"{name}-api"), _brought(name, run_it)]),
        *_policy(f"{name}-verdict", namespace, name, [_verdict(f"{name}-verdict", digest)]),
    ]
    header = _HEADER.format(
        tool=__version__,
        platform=platform,
        version=target.version,
        name=name,
        report=_REPORT,
        own=OWN_ACCOUNT.namespace,
        digest=digest,
        age=report_max_age.text,
        pull_secret=_SUPPLIED.format(name=OWN_ACCOUNT.namespace) if pull_secret else "",
    )
    deliver(header + _pods.dump(documents), write, force=force)
    return ExitCode.PASS


def _pullspec(target: Payload, given: str | None) -> str:
    """Return the target by its digest, as the clusters pull it; raises UsageError where that is not this release."""
    found = given or target.pullspec
    if found is None or "@" not in found:
        raise UsageError(
            f"{target.reference} does not say what the clusters pull", hint="give --pullspec IMAGE@sha256:DIGEST"
        )
    if target.digest is not None and target.digest != found.rpartition("@")[2]:
        raise UsageError(f"--pullspec {found} is not the release of --to: the digest of that is {target.digest}")
    return found


def _report_rules() -> list[dict[str, Any]]:
    """Return the right to write the one PolicyReport, and to name its owner (docs/facts/hubs.md#policies).

    What is created cannot be limited by name.
    """
    group = _report_api().partition("/")[0]
    reports = {"apiGroups": [group], "resources": ["policyreports"]}
    return [
        {**reports, "verbs": ["create"]},
        {**reports, "resourceNames": [_REPORT], "verbs": ["get", "patch", "delete"]},
    ]


def _report_api() -> str:
    version: str = plugins.load("report.formats", "policyreport").API_VERSION
    return version


def _cron_job(
    options: Iterable[str], image: str | None, schedule: str, kept: int, *, pull_secret: bool
) -> dict[str, Any]:
    """Return the CronJob of a managed cluster; `kept` is for how many seconds a verdict counts."""
    namespace = OWN_ACCOUNT.namespace
    mounts = [_pods.account_mount(), _pods.tmp_mount(), *_pods.settings_mounts(None, pull_secret=pull_secret)]
    container = _pods.container(
        f"{_pods.STOP}{_pods.cluster_api()}\n{_pods.given(None)}{_SCRIPT}",
        list(options),
        image,
        env=[
            _pods.field("POD_NAME", "metadata.name"),
            _pods.field("JOB", "metadata.labels['job-name']"),
            _pods.field("JOB_UID", "metadata.labels['controller-uid']"),
            _pods.value("ACCOUNT", _pods.ACCOUNT),
            _pods.value("REPORTS", f"/apis/{_report_api()}/namespaces/{namespace}/policyreports"),
            _pods.value("REPORT", _REPORT),
            *_pods.variables(),
        ],
        mounts=mounts,
    )
    spec = _pods.job_spec(_pods.pod(container, OWN_ACCOUNT.name, mounts), seconds=1200, kept=kept)
    return _pods.cron_job(schedule, namespace, spec)


def _policy(name: str, namespace: str, placement: str, templates: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a Policy and what binds it to its clusters; each template says itself what it may do."""
    policy = {
        "apiVersion": f"{_POLICY_API}/v1",
        "kind": "Policy",
        "metadata": _pods.metadata(name, namespace),
        "spec": {"disabled": False, "policy-templates": [{"objectDefinition": one} for one in templates]},
    }
    binding = {
        "apiVersion": f"{_POLICY_API}/v1",
        "kind": "PlacementBinding",
        "metadata": _pods.metadata(name, namespace),
        "placementRef": {"apiGroup": _CLUSTER_API, "kind": "Placement", "name": placement},
        "subjects": [{"apiGroup": _POLICY_API, "kind": "Policy", "name": name}],
    }
    return [policy, binding]


def _placement(name: str, namespace: str, cluster_set: str, platform: str, wanted: Sequence[Term]) -> dict[str, Any]:
    claimed = [_PLATFORM_CLAIMS[platform]] if platform in _PLATFORM_CLAIMS else sorted({platform, "Other"})
    claim = _expression(_PLATFORM_CLAIM, "In", claimed)
    selector: dict[str, Any] = {"claimSelector": {"matchExpressions": [claim]}}
    if wanted:
        selector["labelSelector"] = {
            "matchExpressions": [_expression(term.key, term.operator, term.values) for term in wanted]
        }
    # a cluster that is out of reach for a while keeps its policies
    taints = ("unreachable", "unavailable")
    return {
        "apiVersion": f"{_CLUSTER_API}/v1beta1",
        "kind": "Placement",
        "metadata": _pods.metadata(name, namespace),
        "spec": {
            "clusterSets": [cluster_set],
            "predicates": [{"requiredClusterSelector": selector}],
            "tolerations": [{"key": f"{_CLUSTER_API}/{taint}", "operator": "Exists"} for taint in taints],
        },
    }


def _expression(key: str, operator: str, values: Sequence[str]) -> dict[str, Any]:
    return {"key": key, "operator": operator, **({"values": list(values)} if values else {})}


def _configuration(name: str, action: str, severity: str, objects: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {
        "apiVersion": f"{_POLICY_API}/v1",
        "kind": "ConfigurationPolicy",
        "metadata": {"name": name},
        "spec": {"remediationAction": action, "severity": severity, "object-templates": list(objects)},
    }


def _there(name: str) -> dict[str, Any]:
    """Return what tells whether there is an API of PolicyReports."""
    group = _report_api().partition("/")[0]
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"policyreports.{group}"},
        "spec": {"group": group},
    }
    return _configuration(name, "inform", "high", [{"complianceType": "musthave", "objectDefinition": definition}])


def _brought(name: str, objects: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return what brings these objects.

    Lists are replaced, not merged: a rule or an argument of an earlier file must not stay (`mustonlyhave`,
    docs/facts/hubs.md#policies). A namespace and an account hold what others add to them.
    """
    shared = {"Namespace", "ServiceAccount"}
    templates = [
        {
            "complianceType": "musthave" if one["kind"] in shared else "mustonlyhave",
            "metadataComplianceType": "musthave",
            "objectDefinition": one,
        }
        for one in objects
    ]
    return _configuration(name, "enforce", "medium", templates)


def _verdict(name: str, digest: str) -> dict[str, Any]:
    """Return what is compliant where the gate passes for this digest."""
    formats = plugins.load("report.formats", "policyreport")
    report = {
        "apiVersion": _report_api(),
        "kind": "PolicyReport",
        "metadata": {
            "name": _REPORT,
            "namespace": OWN_ACCOUNT.namespace,
            "annotations": {formats.DIGEST: digest, formats.VERDICT: "pass"},
        },
        "summary": {"fail": 0, "error": 0},
    }
    return _configuration(name, "inform", "high", [{"complianceType": "musthave", "objectDefinition": report}])
