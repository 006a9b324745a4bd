"""Flows over what releases select, what Secrets hold and how requests change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.worlds.cluster_objects import CCO, completed
from tests.worlds.flows import (
    ADDED,
    GAINS,
    KEYS,
    STORAGE,
    UNPROVEN,
    Flow,
    World,
    changed,
    deletion,
    edited,
    extra,
    finalized,
    goes,
    judge,
    known_without,
    request,
    same,
)

if TYPE_CHECKING:
    from pathlib import Path

FLOWS: dict[str, Flow] = {
    # selection
    "the new component is overridden": (
        extra(
            overrides=[
                {
                    "group": "cloudcredential.openshift.io",
                    "kind": "CredentialsRequest",
                    "namespace": CCO,
                    "name": "new",
                    "unmanaged": True,
                }
            ]
        ),
        "3 blocked remediate assumed",
        [ADDED, "request-overridden@new warning open -"],
    ),
    "an override that manages": (
        extra(
            overrides=[
                {
                    "group": "cloudcredential.openshift.io",
                    "kind": "CredentialsRequest",
                    "namespace": CCO,
                    "name": "new",
                    "unmanaged": False,
                }
            ]
        ),
        "3 blocked remediate assumed",
        [ADDED],
    ),
    "the new component is excluded": (
        World(
            payloads=(
                (request("AWS"),),
                (
                    request("AWS"),
                    request("AWS", "new", annotations={"exclude.release.openshift.io/internal": "true"}),
                ),
            ),
            environment={"EXCLUDE_MANIFESTS": "internal"},
        ),
        "0 pass upgrade assumed",
        [],
    ),
    "tech preview only": (
        World(
            payloads=(
                (request("AWS"),),
                (
                    request("AWS"),
                    request("AWS", "new", annotations={"release.openshift.io/feature-set": "TechPreviewNoUpgrade"}),
                ),
            ),
        ),
        "0 pass upgrade assumed",
        [],
    ),
    "tech preview on a tech preview cluster": (
        World(
            feature_set="TechPreviewNoUpgrade",
            payloads=(
                (request("AWS"),),
                (
                    request("AWS"),
                    request("AWS", "new", annotations={"release.openshift.io/feature-set": "TechPreviewNoUpgrade"}),
                ),
            ),
        ),
        "3 blocked remediate assumed",
        [ADDED],
    ),
    "another profile": (
        World(
            environment={"CLUSTER_PROFILE": "single-node-developer"},
            payloads=((request("AWS", annotations={"include.release.openshift.io/single-node-developer": "true"}),),)
            * 1
            + (
                (
                    request("AWS", annotations={"include.release.openshift.io/single-node-developer": "true"}),
                    request("AWS", "new"),
                ),
            ),
        ),
        "0 pass upgrade assumed",
        [],
    ),
    "the new component hangs on a capability that is off": (
        World(
            payloads=((request("AWS"),), (request("AWS"), request("AWS", "new", annotations={STORAGE: "Storage"}))),
            capabilities=known_without("4.16.3", "Storage"),
            baseline={
                "baselineCapabilitySet": "None",
                "additionalEnabledCapabilities": known_without("4.16.3", "Storage")["enabledCapabilities"],
            },
        ),
        "0 pass upgrade assumed",
        [],
    ),
    "the new component hangs on a capability that is on": (
        World(payloads=((request("AWS"),), (request("AWS"), request("AWS", "new", annotations={STORAGE: "Storage"})))),
        "3 blocked remediate assumed",
        [ADDED],
    ),
    "a component moves under a capability that is not enabled": (
        World(
            versions=("4.15.3", "4.16.0"),
            payloads=((request("AWS"),), (request("AWS", annotations={STORAGE: "Ingress"}),)),
            capabilities=known_without("4.15.3"),
            baseline={"baselineCapabilitySet": "v4.15"},
        ),
        "0 pass upgrade assumed",
        ["capability-change info open -"],
    ),
    "a component moves under a capability that the spec enables": (
        World(
            versions=("4.15.3", "4.16.0"),
            payloads=((request("AWS"),), (request("AWS", annotations={STORAGE: "Ingress"}),)),
        ),
        "0 pass upgrade assumed",
        ["capability-change info open -"],
    ),
    # hosted control planes
    "hosted control plane": (
        same(topology="External"),
        "4 undetermined retry assumed",
        ["hosted-control-plane unknown open - needs decision=unmet"],
    ),
    "hosted control plane, profile given and acknowledged": (
        same(
            topology="External",
            environment={"CLUSTER_PROFILE": "ibm-cloud-managed"},
            given=("--profile", "ibm-cloud-managed"),
            acknowledge=("hosted-control-plane",),
        ).but(
            payloads=((request("AWS", annotations={"include.release.openshift.io/ibm-cloud-managed": "true"}),),) * 2
        ),
        "0 pass upgrade assumed",
        ["hosted-control-plane unknown acknowledged - needs decision=met"],
    ),
    # Secrets
    "Secrets of a namespace not collected": (
        same(unread=frozenset({"namespaces/openshift-comp/core/secrets.yaml"})),
        "4 undetermined retry assumed",
        ["fact-unknown unknown open -"],
    ),
    "Secrets of a namespace not collected, acknowledged": (
        same(unread=frozenset({"namespaces/openshift-comp/core/secrets.yaml"}), acknowledge=("fact-unknown",)),
        "0 pass upgrade assumed",
        ["fact-unknown unknown acknowledged -"],
    ),
    "half a key pair": (
        same(secrets={"openshift-comp/creds": ("aws_access_key_id",)}),
        "3 blocked remediate assumed",
        ["secret-incomplete@comp blocker open missed needs keys=unmet"],
    ),
    "Azure Secret with secret and token file": (
        same("Azure", secrets={"openshift-comp/creds": (*KEYS["Azure"], "azure_federated_token_file")}),
        "3 blocked remediate assumed",
        ["secret-incomplete@comp blocker open missed needs keys=unmet"],
    ),
    "IBM Secret without the environment file": (
        same("IBMCloud", secrets={"openshift-comp/creds": ("ibmcloud_api_key",)}),
        "3 blocked remediate assumed",
        ["secret-incomplete@comp blocker open missed needs keys=unmet", UNPROVEN],
    ),
    "two components share a Secret that is missing, one of them new": (
        World(
            payloads=(
                (request("AWS", "zeta", secret="openshift-comp/creds"),),
                (
                    request("AWS", "zeta", secret="openshift-comp/creds"),
                    request("AWS", "alpha", "ec2:X", secret="openshift-comp/creds"),
                ),
            ),
            without=frozenset({"openshift-comp/creds"}),
        ),
        "3 blocked remediate assumed",
        [
            "request-added@alpha blocker open missed needs namespace=met secret=unmet grants=unknown",
            "secret-missing@zeta blocker open missed needs secret=unmet",
        ],
    ),
    # other changes of a request
    "token form adds a service account": (
        changed(world={"token": True}, accounts=("one", "two")),
        "3 blocked remediate assumed",
        ["service-accounts-added@comp blocker open missed needs trust=unknown"],
    ),
    "keys add a service account": (changed(accounts=("one", "two")), "0 pass upgrade assumed", []),
    "GCP 4.9 knows no tokens": (
        changed("GCP", world={"versions": ("4.8.3", "4.9.0"), "issuer": "https://x"}, accounts=("one", "two")),
        "0 pass upgrade assumed",
        [],
    ),
    "vSphere with an issuer of its own": (
        changed("VSphere", world={"issuer": "https://x"}, accounts=("one", "two")),
        "0 pass upgrade proven",
        [],
    ),
    "token form drops a service account": (
        changed(world={"token": True}, accounts=()),
        "0 pass upgrade assumed",
        ["service-accounts-removed@comp info open -"],
    ),
    "token form in passthrough": (
        changed(world={"issuer": "https://x", "mode": "Passthrough", "annotation": None}, accounts=("one", "two")),
        "0 pass upgrade assumed",
        [],
    ),
    "Azure token path": (
        changed("Azure", world={"token": True}, cloudTokenPath="/var/run/secrets/azure/tokens"),
        "3 blocked remediate assumed",
        ["token-path-changed@comp blocker open missed needs token-path=unknown"],
    ),
    "Azure keys, token path": (
        changed("Azure", cloudTokenPath="/var/run/secrets/azure/tokens"),
        "0 pass upgrade assumed",
        [],
    ),
    "the Secret moves, and is not there": (
        changed(world={"without": frozenset({"openshift-comp/new"})}, secret="openshift-comp/new"),
        "3 blocked remediate assumed",
        ["secret-moved@comp blocker open missed needs namespace=met secret=unmet grants=unknown"],
    ),
    "the Secret moves in mint mode": (
        changed(world={"mode": "Mint", "annotation": None}, secret="openshift-comp/new"),
        "0 pass upgrade assumed",
        ["secret-moved@comp info open missed"],
    ),
    "the kind changes and the Secret is missing": (
        changed(world={"without": frozenset({"openshift-comp/creds"})}, kind="FutureProviderSpec").but(
            payloads=((request("AWS", kind="OtherProviderSpec"),), (request("AWS"),))
        ),
        "3 blocked remediate assumed",
        ["provider-kind-changed@comp blocker open missed needs namespace=met secret=unmet", GAINS],
    ),
    "renamed on AWS": (
        World(payloads=((request("AWS", "a", secret="o/s"),), (request("AWS", "b", secret="o/s"),))),
        "0 pass upgrade assumed",
        ["request-renamed@b info open -"],
    ),
    "renamed on GCP": (
        World("GCP", payloads=((request("GCP", "a", secret="o/s"),), (request("GCP", "b", secret="o/s"),))),
        "0 pass upgrade assumed",
        ["request-renamed@b warning open -"],
    ),
    "a manifest vanishes": (
        goes("vanished"),
        "4 undetermined retry assumed",
        ["payload-incomplete unknown open -", "request-removed@old info open -"],
    ),
    "deleted, plain manual": (goes("deleted"), "0 pass upgrade assumed", ["request-removed@old info open -"]),
    "deleted, timed tokens": (
        goes("deleted", token=True),
        "0 pass upgrade assumed",
        ["request-removed@old warning open -"],
    ),
    "deleted, an issuer of another origin": (
        goes("deleted", issuer="https://x"),
        "0 pass upgrade assumed",
        ["request-removed@old warning open -"],
    ),
    "deleted, timed tokens before 4.14": (
        goes("deleted", token=True, versions=("4.12.3", "4.13.0")),
        "0 pass upgrade assumed",
        ["request-removed@old info open -"],
    ),
    "deleted in the second hop, by a CCO with timed tokens": (
        World(
            token=True,
            versions=("4.13.5", "4.14.5", "4.15.5"),
            payloads=(*((request("AWS"), request("AWS", "old")),) * 2, (request("AWS"), deletion("old"))),
        ),
        "0 pass upgrade assumed",
        ["request-removed@old warning open -"],
    ),
    "deleted, GCP tokens before 4.17": (
        goes("deleted", "GCP", token=True),
        "0 pass upgrade assumed",
        ["request-removed@old info open -"],
    ),
    "deleted, an old finalizer": (
        goes("deleted", live=[request("AWS"), finalized("old")]),
        "0 pass upgrade assumed",
        ["request-removed@old warning open -"],
    ),
    "vanished, an old finalizer": (
        goes("vanished", live=[request("AWS"), finalized("old")], acknowledge=("payload-incomplete",)),
        "0 pass upgrade assumed",
        ["payload-incomplete unknown acknowledged -", "request-removed@old info open -"],
    ),
    "edited in the cluster": (
        same(live=[edited(request("AWS"), "ec2:*")]),
        "0 pass upgrade assumed",
        ["live-request-drift@comp warning open -"],
    ),
    "edited in the cluster, warnings block": (
        same(live=[edited(request("AWS"), "ec2:*")], given=("--fail-on", "warning")),
        "3 blocked remediate assumed",
        ["live-request-drift@comp warning open -"],
    ),
    "a request of an operator": (
        same(live=[request("AWS"), request("AWS", "noobaa")]),
        "0 pass upgrade assumed",
        ["live-request-extra@noobaa info open -"],
    ),
    "a request of another cloud in the cluster": (
        World(payloads=((request("AWS"), request("GCP", "gcp")),) * 2),
        "0 pass upgrade assumed",
        [],
    ),
    "definitions contradict each other": (
        World(payloads=((request("AWS"),), (request("AWS"), request("AWS", "comp", "ec2:Other")))),
        "3 blocked remediate assumed",
        ["request-conflict@comp blocker open missed needs decision=unmet"],
    ),
    "defined twice, equally": (
        World(payloads=((request("AWS"),), (request("AWS"), request("AWS")))),
        "0 pass upgrade assumed",
        ["request-duplicate@comp warning open -"],
    ),
    "a payload without any request": (
        World(payloads=((request("AWS"),), ())),
        "4 undetermined retry assumed",
        ["nothing-to-judge unknown open -", "request-removed@comp info open -"],
    ),
    "a field that nobody knows": (
        changed(world={}, audience="x"),
        "3 blocked remediate assumed",
        ["unclassified-change@comp blocker open missed needs decision=unmet"],
    ),
    "a kind that nobody knows": (
        World(payloads=((request("AWS"),), (request("AWS"), request("AWS", "new", kind="MarsProviderSpec")))),
        "3 blocked remediate assumed",
        ["request-added@new blocker open missed needs namespace=met secret=met keys=unknown"],
    ),
    "CCO 4.22 goes by the newest completed update": (
        same(
            versions=("4.22.3", "4.23.0"),
            history=completed("4.22.3", "4.23.1", "4.22.2"),
        ),
        "0 pass upgrade assumed",
        [],
    ),
    "proof is required": (
        same(given=("--require-proof",)),
        "4 undetermined retry assumed",
        [],
    ),
    "proof is required where Secrets are all": (
        same("OpenStack", given=("--require-proof",)),
        "0 pass upgrade proven",
        [],
    ),
}


@pytest.mark.parametrize("name", FLOWS)
def test_flow_of_a_request(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judge(FLOWS[name], tmp_path, capsys)
