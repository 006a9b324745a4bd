"""Flows over platforms, modes and releases: who grants, who checks, and who would have stopped the upgrade."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.worlds.cluster_objects import CCO
from tests.worlds.flows import (
    ADDED,
    FIRST_LISTED,
    GAINS,
    KEYS,
    NEEDS,
    NO_ANNOTATION,
    NO_ROOT,
    NO_SECRETS,
    REFUSED,
    STEPS,
    UNPROVEN,
    UNPROVEN_INFO,
    Flow,
    World,
    bare_metal,
    extra,
    grants,
    judge,
    request,
    same,
)

if TYPE_CHECKING:
    from pathlib import Path

FLOWS: dict[str, Flow] = {
    # nothing changes
    "keys, no change": (same(), "0 pass upgrade assumed", []),
    "no change, not annotated": (
        same(annotation=None, upgradeable=NO_ANNOTATION),
        "3 blocked annotate assumed",
        [REFUSED],
    ),
    "patch, not annotated": (
        same(versions=("4.16.3", "4.16.9"), annotation=None, upgradeable=NO_ANNOTATION),
        "0 pass upgrade assumed",
        ["cco-not-upgradeable warning open missed"],
    ),
    "same release, not annotated": (
        same(versions=("4.16.3", "4.16.3"), annotation=None, upgradeable=NO_ANNOTATION),
        "0 pass none assumed",
        ["cco-not-upgradeable warning open missed"],
    ),
    # grants
    "patch gains a permission": (grants(versions=("4.16.3", "4.16.9")), "3 blocked remediate assumed", [GAINS]),
    "minor gains a permission": (grants(), "3 blocked remediate assumed", [GAINS]),
    "Azure gains a permission": (grants("Azure"), "3 blocked remediate assumed", [GAINS]),
    "IBM gains a role": (grants("IBMCloud"), "3 blocked remediate assumed", [GAINS, UNPROVEN]),
    "Alibaba gains a permission": (
        grants("AlibabaCloud", versions=("4.13.3", "4.14.0")),
        "3 blocked remediate assumed",
        [GAINS, UNPROVEN],
    ),
    "PowerVS patch gains a role": (
        grants("PowerVS", versions=("4.16.3", "4.16.9")),
        "3 blocked remediate assumed",
        [GAINS],
    ),
    # new components, and who would have stopped them
    "patch adds a component": (extra(versions=("4.16.3", "4.16.9")), "3 blocked remediate assumed", [ADDED]),
    "minor adds a component, not annotated": (
        extra(annotation=None, upgradeable=NO_ANNOTATION),
        "3 blocked remediate assumed",
        [ADDED.replace("missed", "stopped"), REFUSED],
    ),
    "minor adds a component, annotated": (extra(), "3 blocked remediate assumed", [ADDED]),
    "IBM adds a component": (extra("IBMCloud"), "3 blocked remediate assumed", [ADDED, UNPROVEN]),
    "IBM, no change": (same("IBMCloud"), "0 pass upgrade assumed", [UNPROVEN_INFO]),
    "Nutanix adds a component, done": (
        extra("Nutanix"),
        "0 pass upgrade proven",
        [f"request-added@new blocker proven missed {NEEDS}", UNPROVEN_INFO],
    ),
    "Nutanix, a Secret is missing": (
        same("Nutanix", without=frozenset({"openshift-comp/creds"})),
        "3 blocked remediate assumed",
        ["secret-missing@comp blocker open missed needs secret=unmet", UNPROVEN],
    ),
    "vSphere manual, complete": (same("VSphere"), "0 pass upgrade proven", []),
    "OpenStack manual, complete": (same("OpenStack"), "0 pass upgrade proven", []),
    "new component without its namespace": (
        extra(without=frozenset({"openshift-new"})),
        "3 blocked remediate assumed",
        ["request-added@new blocker open missed needs namespace=unmet grants=unknown"],
    ),
    "new component without its Secret": (
        extra(without=frozenset({"openshift-new/creds"})),
        "3 blocked remediate assumed",
        ["request-added@new blocker open missed needs namespace=met secret=unmet grants=unknown"],
    ),
    "new component whose Secrets were not collected": (
        extra(unread=frozenset({"namespaces/openshift-new/core/secrets.yaml"})),
        "3 blocked remediate assumed",
        ["request-added@new blocker open missed needs namespace=met secret=unknown keys=unknown grants=unknown"],
    ),
    "Azure 4.9 checks nothing": (
        extra("Azure", versions=("4.9.3", "4.10.0"), annotation=None),
        "3 blocked remediate assumed",
        [ADDED, UNPROVEN],
    ),
    "Azure 4.10 checks": (
        extra("Azure", versions=("4.10.3", "4.11.0"), annotation=None, upgradeable=NO_ANNOTATION),
        "3 blocked remediate assumed",
        [ADDED.replace("missed", "stopped"), REFUSED],
    ),
    "oVirt 4.9 checks nothing": (
        same("oVirt", versions=("4.9.3", "4.10.0"), annotation=None),
        "0 pass upgrade proven",
        [UNPROVEN_INFO],
    ),
    "oVirt 4.10 checks": (
        extra(
            "oVirt",
            versions=("4.10.3", "4.11.0"),
            annotation=None,
            upgradeable=NO_ANNOTATION,
            without=frozenset({"openshift-new/creds"}),
        ),
        "3 blocked remediate proven",
        ["request-added@new blocker open stopped needs namespace=met secret=unmet", REFUSED],
    ),
    "AWS 4.7 has an empty list": (
        extra(versions=("4.7.3", "4.8.0"), annotation=None),
        "3 blocked remediate assumed",
        [ADDED, UNPROVEN],
    ),
    "GCP 4.7 lists a Secret that is missing": (
        World(
            "GCP",
            versions=("4.7.3", "4.8.0"),
            payloads=((request("GCP", "pd", secret=FIRST_LISTED),),) * 2,
            annotation=None,
            upgradeable=NO_SECRETS,
            without=frozenset({FIRST_LISTED}),
        ),
        "3 blocked remediate assumed",
        ["secret-missing@pd blocker open stopped needs secret=unmet", REFUSED],
    ),
    "GCP 4.7 does not list the Secret that is missing": (
        same("GCP", versions=("4.7.3", "4.8.0"), annotation=None, without=frozenset({"openshift-comp/creds"})),
        "3 blocked remediate assumed",
        ["secret-missing@comp blocker open missed needs secret=unmet", UNPROVEN],
    ),
    "GCP 4.7 patch lists a Secret that is missing": (
        World(
            "GCP",
            versions=("4.7.3", "4.7.9"),
            payloads=((request("GCP", "pd", secret=FIRST_LISTED),),) * 2,
            annotation=None,
            upgradeable=NO_SECRETS,
            without=frozenset({FIRST_LISTED}),
        ),
        "3 blocked remediate assumed",
        ["secret-missing@pd blocker open missed needs secret=unmet", "cco-not-upgradeable warning open missed"],
    ),
    # mint
    "mint gains a permission": (
        grants(mode="Mint", annotation=None),
        "0 pass upgrade assumed",
        ["permission-added@comp info open missed"],
    ),
    "mint adds a component": (
        extra(mode="Mint", annotation=None, secrets={"openshift-comp/creds": KEYS["AWS"]}),
        "0 pass upgrade assumed",
        ["request-added@new info open missed"],
    ),
    "mint, root removed": (
        same(mode="Mint", annotation=None, upgradeable=NO_ROOT, root=False),
        "3 blocked remediate assumed",
        ["root-credential-missing blocker open stopped needs secret=unmet", REFUSED],
    ),
    "mint, root removed, patch": (
        same(versions=("4.16.3", "4.16.9"), mode="Mint", annotation=None, upgradeable=NO_ROOT, root=False),
        "3 blocked remediate assumed",
        [
            "root-credential-missing blocker open missed needs secret=unmet",
            "cco-not-upgradeable warning open missed",
        ],
    ),
    "mint, root removed, hidden by the annotation": (
        same(mode="Mint", root=False),
        "3 blocked remediate assumed",
        ["root-credential-missing blocker open missed needs secret=unmet"],
    ),
    "mint, root not collected": (
        same(mode="Mint", annotation=None, unread=frozenset({"namespaces/kube-system/core/secrets.yaml"})),
        "4 undetermined retry assumed",
        ["fact-unknown unknown open -"],
    ),
    "mint on GCP to 4.15, not annotated": (
        same("GCP", versions=STEPS[:2], mode="Mint", annotation=None, upgradeable=NO_ANNOTATION),
        "3 blocked annotate assumed",
        ["root-credential-insufficient warning open missed needs grants=unknown", REFUSED],
    ),
    "mint on GCP to 4.15": (
        same("GCP", versions=STEPS[:2], mode="Mint"),
        "0 pass upgrade assumed",
        ["root-credential-insufficient warning open missed needs grants=unknown"],
    ),
    "mint on GCP to 4.16": (
        same("GCP", versions=STEPS[1:], mode="Mint", annotation=None),
        "0 pass upgrade assumed",
        [],
    ),
    "manual on GCP to 4.15": (same("GCP", versions=STEPS[:2]), "0 pass upgrade assumed", []),
    "default on GCP to 4.15": (
        same("GCP", versions=STEPS[:2], mode="", root_mode="mint"),
        "0 pass upgrade assumed",
        ["root-credential-insufficient warning open missed needs grants=unknown"],
    ),
    # passthrough
    "passthrough gains a permission": (
        grants(mode="Passthrough", annotation=None),
        "3 blocked remediate assumed",
        [GAINS],
    ),
    "passthrough adds a component": (
        extra(mode="Passthrough", annotation=None, secrets={"openshift-comp/creds": KEYS["AWS"]}),
        "3 blocked remediate assumed",
        ["request-added@new blocker open missed needs grants=unknown"],
    ),
    "passthrough adds a component without permissions": (
        extra("VSphere", mode="Passthrough", annotation=None, secrets={"openshift-comp/creds": KEYS["VSphere"]}),
        "0 pass upgrade proven",
        ["request-added@new info open missed"],
    ),
    "passthrough, root removed": (
        same("OpenStack", mode="Passthrough", annotation=None, upgradeable=NO_ROOT, root=False),
        "3 blocked remediate assumed",
        ["root-credential-missing blocker open stopped needs secret=unmet", REFUSED],
    ),
    # the default mode and the legacy ConfigMap
    "default mode, root annotated passthrough": (
        grants(mode="", root_mode="passthrough", annotation=None),
        "3 blocked remediate assumed",
        [GAINS],
    ),
    "default mode, root annotated mint": (
        grants(mode="", root_mode="mint", annotation=None),
        "0 pass upgrade assumed",
        ["permission-added@comp info open missed"],
    ),
    "default mode on AWS without a word": (
        grants(mode="", annotation=None),
        "0 pass upgrade assumed",
        ["permission-added@comp info open missed"],
    ),
    "default mode on Azure without a word": (
        grants("Azure", mode="", annotation=None),
        "3 blocked remediate assumed",
        [GAINS],
    ),
    "default mode, root removed": (
        same(mode="", annotation=None, upgradeable=NO_ROOT, root=False),
        "3 blocked remediate assumed",
        ["root-credential-missing blocker open stopped needs secret=unmet", REFUSED],
    ),
    "default mode, root annotated insufficient": (
        same(mode="", root_mode="insufficient", annotation=None),
        "4 undetermined retry assumed",
        ["fact-unknown unknown open -", UNPROVEN_INFO],
    ),
    "default mode, switched off by the ConfigMap": (
        grants(mode="", disabled="true"),
        "3 blocked remediate assumed",
        [GAINS],
    ),
    "default mode, ConfigMap says false": (
        grants(mode="", disabled="false", annotation=None),
        "0 pass upgrade assumed",
        ["permission-added@comp info open missed"],
    ),
    "default mode, ConfigMap that CCO cannot read": (
        same(mode="", disabled="yes"),
        "4 undetermined retry assumed",
        ["fact-unknown unknown open -"],
    ),
    "mint, switched off by the ConfigMap": (
        same(mode="Mint", disabled="true"),
        "4 undetermined retry assumed",
        ["fact-unknown unknown open -"],
    ),
    "mint, ConfigMaps not collected": (
        same(mode="Mint", unread=frozenset({f"namespaces/{CCO}/core/configmaps.yaml"})),
        "4 undetermined retry assumed",
        ["fact-unknown unknown open -"],
    ),
    "manual, ConfigMaps not collected": (
        same(unread=frozenset({f"namespaces/{CCO}/core/configmaps.yaml"})),
        "0 pass upgrade assumed",
        [],
    ),
    "manual, whatever the ConfigMap says": (same(disabled="yes"), "0 pass upgrade assumed", []),
    "configuration of CCO not collected": (
        same(unread=frozenset({"cluster-scoped-resources/operator.openshift.io/cloudcredentials/cluster.yaml"})),
        "4 undetermined retry assumed",
        ["fact-unknown unknown open -", UNPROVEN_INFO],
    ),
    "unknown mode is judged as manual": (
        grants(mode="Mint", disabled="true"),
        "3 blocked remediate assumed",
        [GAINS, "fact-unknown unknown open -"],
    ),
    "mint on Azure is none": (
        same("Azure", mode="Mint"),
        "4 undetermined retry assumed",
        ["fact-unknown unknown open -"],
    ),
    # CCO switched off
    "bare metal without CCO": (
        bare_metal(platform="BareMetal", payloads=((request("AWS"),),) * 2),
        "0 pass upgrade proven",
        [],
    ),
    "platform None without CCO": (
        bare_metal(platform="None", payloads=((request("AWS"),),) * 2),
        "0 pass upgrade proven",
        [],
    ),
    "bare metal without CCO, patch": (
        bare_metal(platform="BareMetal", versions=("4.16.3", "4.16.9"), payloads=((request("AWS"),),) * 2),
        "0 pass upgrade proven",
        [],
    ),
    "AWS without CCO gains a permission and a component": (
        bare_metal(
            platform="AWS",
            payloads=(
                (request("AWS"),),
                (request("AWS", "comp", "ec2:DescribeVolumes", "ec2:CreateVolume"), request("AWS", "new")),
            ),
        ),
        "3 blocked remediate assumed",
        [ADDED, GAINS],
    ),
    # other platforms
    "bare metal": (
        World("BareMetal", payloads=((request("AWS"),),) * 2),
        "0 pass upgrade proven",
        [UNPROVEN_INFO],
    ),
    "External": (World("External", payloads=((request("AWS"),),) * 2), "0 pass upgrade proven", [UNPROVEN_INFO]),
    "a platform that nobody knows": (
        World("Mars", payloads=((request("AWS"),),) * 2),
        "4 undetermined retry assumed",
        ["fact-unknown unknown open -", UNPROVEN_INFO],
    ),
    "Infrastructure not collected": (
        same(unread=frozenset({"cluster-scoped-resources/config.openshift.io/infrastructures.yaml"})),
        "4 undetermined retry assumed",
        ["fact-unknown unknown open -", UNPROVEN_INFO],
    ),
}


@pytest.mark.parametrize("name", FLOWS)
def test_flow_of_a_mode(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judge(FLOWS[name], tmp_path, capsys)
