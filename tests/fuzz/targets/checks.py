"""Whole runs of `check` on a world that is blocked, one input of which is hostile: the exit code is never 0, nor 1.

The world is an AWS cluster in manual mode whose target asks for one grant more, which nobody has shown to be held, and
for one component whose Secret is not there. Nothing that the inputs of a run may say takes both away.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
from functools import cache, partial
from pathlib import Path

from tests.fuzz import harness
from tests.fuzz.harness import Target
from tests.fuzz.mutation import of_bytes, of_tree, with_words
from tests.worlds import aws_exports as aws
from tests.worlds.cluster_objects import CCO
from tests.worlds.flows import PLATFORM_KINDS, World, request, write
from upgrade_gate.cli import main

FORMATS = ("json", "text", "html", "markdown", "sarif", "junit", "codequality", "github")
BLOCKED, UNDETERMINED, USAGE = 3, 4, 2
OLD = (request("AWS"),)
NEW = (request("AWS", "comp", "ec2:DescribeVolumes", "ec2:CreateVolume"), request("AWS", "new"))
WORLD = World(
    payloads=(OLD, NEW), secrets={"openshift-comp/creds": ("aws_access_key_id", "aws_secret_access_key", "credentials")}
)


@cache
def _arguments() -> list[str]:
    """Write the world; return the arguments of its check, the cluster's being the last two."""
    return write(WORLD, harness.folder() / "world")


def _run(*more: str, cluster: str | None = None, to: str | None = None, data: bytes = b"") -> None:
    arguments = list(_arguments())
    if cluster is not None:
        arguments[-1] = cluster
    if to is not None:
        arguments[arguments.index("--to") + 1] = to
    before = Path.cwd()
    os.chdir(harness.folder() / "here" if "--here" in more else _arguments()[-1].partition(":")[2])
    try:
        given = [argument for argument in more if argument != "--here"]
        _execute([*arguments, *given], (BLOCKED, UNDETERMINED, USAGE), data)
    finally:
        os.chdir(before)


def _execute(arguments: list[str], right: tuple[int, ...], data: bytes) -> None:
    """Run a command, its report in a format that the input chooses; the exit code must be a right one."""
    form = FORMATS[len(data) % len(FORMATS)]
    errors = harness.file("stderr", b"").open("r+", errors="replace")  # a file: some ask for its descriptor
    output = io.TextIOWrapper(io.BytesIO(), write_through=True)
    with errors, contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        code = main([*arguments, "--no-cache", "-o", form])
    told = [line for line in (harness.folder() / "stderr").read_text().splitlines() if line.startswith("error: ")]
    assert code in right, f"exit code {code}: {' '.join(told)[-200:]}"


def check_dump(data: bytes) -> None:
    """The cluster's dump: JSON of objects by `Kind/name`, each written where `oc adm inspect` puts it."""
    root = Path(_arguments()[-1].partition(":")[2])
    try:
        changed = json.loads(data)
    except (ValueError, RecursionError):
        return
    if not isinstance(changed, dict):
        return
    copy = harness.folder() / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(root, copy)
    for name, body in changed.items():
        place = PLACES.get(name)
        if place is not None:
            (copy / place).write_text(json.dumps(body))
    _run(cluster=f"must-gather:{copy}", data=data)


PLACES = {
    "ClusterVersion": "cluster-scoped-resources/config.openshift.io/clusterversions/version.yaml",
    "ClusterOperator": "cluster-scoped-resources/config.openshift.io/clusteroperators/cloud-credential.yaml",
    "Infrastructure": "cluster-scoped-resources/config.openshift.io/infrastructures.yaml",
    "Authentication": "cluster-scoped-resources/config.openshift.io/authentications.yaml",
    "FeatureGate": "cluster-scoped-resources/config.openshift.io/featuregates.yaml",
    "CloudCredential": "cluster-scoped-resources/operator.openshift.io/cloudcredentials/cluster.yaml",
    "Secret": "namespaces/openshift-comp/core/secrets.yaml",
    "CredentialsRequest": f"namespaces/{CCO}/cloudcredential.openshift.io/credentialsrequests/comp.yaml",
    "Deployment": "namespaces/openshift-cluster-version/apps/deployments.yaml",
}


def check_snapshot(data: bytes) -> None:
    """The cluster's snapshot."""
    _run(cluster=f"snapshot:{harness.file('check-snapshot.json', data)}", data=data)


def check_payload(data: bytes) -> None:
    """One more manifest of the target: it may add, and takes away nothing that the others ask for."""
    place = Path(_arguments()[_arguments().index("--to") + 1].partition(":")[2])
    copy = harness.folder() / "target"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(place, copy)
    (copy / "0000_60_input.yaml").write_bytes(data)
    _run(to=f"dir:{copy}", data=data)


def diff_requests(data: bytes) -> None:
    """A request of any cloud, beside none: what is asked for is listed on every platform, or said to be malformed."""
    kind = next((name for name, each in PLATFORM_KINDS.items() if each.encode() in data), "AWS")
    for number, documents in enumerate((b"{}", data)):
        metadata = {"kind": "cincinnati-metadata-v0", "version": f"4.{16 + number}.0"}
        harness.file(f"diff/{number}/release-metadata", json.dumps(metadata).encode())
        harness.file(f"diff/{number}/image-references", b"{}")
        harness.file(f"diff/{number}/0000_50_input.yaml", documents)
    old, new = (f"dir:{harness.folder() / 'diff' / str(number)}" for number in (0, 1))
    _execute(["diff", old, new, "--no-cluster", "--platform", kind], (0, UNDETERMINED, USAGE), data)


def check_exports(data: bytes) -> None:
    """What the identities hold: the Secret that is missing stays missing."""
    path = harness.file("check-export.json", data)
    mapped = {"identities": {"default": aws.ROLE, "account": aws.ACCOUNT}}
    config = harness.file("check-identities.yaml", json.dumps(mapped).encode())
    _run("--identities", f"export:{path}", "--config", str(config), data=data)


def check_configuration(data: bytes) -> None:
    """A configuration that lies in the working folder: it may only tighten."""
    harness.file("here/upgrade-gate.yaml", data)
    _run("--here", data=data)


def check_acknowledgements(data: bytes) -> None:
    """Acknowledgements of other findings: no fingerprint of this world is among the seeds."""
    _run("--acknowledgements", str(harness.file("check-acks.yaml", data)), data=data)


_WORDS = (
    "AWS", "Azure", "aws", "AWS ", "Manual", "Mint", "Passthrough", "", "manual", "True", "False", "Completed",
    "4.16.3", "4.17.0", "4.17", "SingleReplica", "self-managed-high-availability", "CLUSTER_PROFILE", "unmanaged",
    "Terminating", "TechPreviewNoUpgrade",
)  # fmt: skip
_REQUEST_WORDS = (
    "providerSpec", "statementEntries", "effect", "Deny", "policyCondition", "permissions", "dataPermissions",
    "roleBindings", "predefinedRoles", "policies", "attributes", "serviceAccountNames", "cloudTokenPath", "secretRef",
    "skipServiceCheck", "include.release.openshift.io/self-managed-high-availability", "release.openshift.io/delete",
    "true", "False", "capability.openshift.io/name", "Storage+CSISnapshot", "release.openshift.io/feature-set",
    "Default,CustomNoUpgrade", "release.openshift.io/feature-gate", "-Gate", "release.openshift.io/major-version",
    "cloudcredential.openshift.io/v1",
)  # fmt: skip
TARGETS = (
    Target("requests", diff_requests, with_words(*_REQUEST_WORDS), memory=128 * 2**20),
    Target("check-dump", check_dump, with_words(*_WORDS), memory=128 * 2**20, weight=2),
    Target("check-snapshot", check_snapshot, with_words(*_WORDS), memory=128 * 2**20),
    Target("check-payload", check_payload, of_bytes, memory=128 * 2**20),
    Target(
        "check-exports",
        check_exports,
        partial(of_tree, words=("Allow", "*", aws.ROLE, "ec2:CreateVolume")),
        memory=128 * 2**20,
    ),
    Target("check-configuration", check_configuration, of_bytes, memory=128 * 2**20),
    Target("check-acknowledgements", check_acknowledgements, of_bytes, memory=128 * 2**20),
)
