"""Flows over hops, updates under way and what CCO's own operator says."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.worlds.cluster_objects import CCO, completed, condition
from tests.worlds.flows import (
    GAINS,
    NO_ANNOTATION,
    REFUSED,
    STEPS,
    UNPROVEN,
    UNPROVEN_INFO,
    UPDATING,
    Flow,
    World,
    bare_metal,
    extra,
    grants,
    judge,
    other_operator,
    request,
    run,
    same,
    write,
)
from upgrade_gate.cli import main

if TYPE_CHECKING:
    from pathlib import Path

FLOWS: dict[str, Flow] = {
    # the ClusterOperator
    "operator absent": (
        same(without=frozenset({"ClusterOperator/cloud-credential"}), edit=other_operator),
        "3 blocked remediate assumed",
        ["cco-unhealthy blocker open missed"],
    ),
    "operator not available": (
        same(conditions=(condition("Available", "False"), condition("Degraded", "False"))),
        "3 blocked remediate assumed",
        ["cco-unhealthy blocker open missed"],
    ),
    "operator degraded": (
        same(conditions=(condition("Available", "True"), condition("Degraded", "True", "ModeMismatch"))),
        "0 pass upgrade assumed",
        ["cco-unhealthy warning open missed"],
    ),
    "operator not available, patch": (
        same(versions=("4.16.3", "4.16.9"), conditions=(condition("Available", "Unknown"),)),
        "3 blocked remediate assumed",
        ["cco-unhealthy blocker open missed"],
    ),
    "no condition Upgradeable": (same(upgradeable=None), "0 pass upgrade assumed", [UNPROVEN_INFO]),
    "no condition Upgradeable, patch": (
        same(versions=("4.16.3", "4.16.9"), upgradeable=None),
        "0 pass upgrade assumed",
        [],
    ),
    "Upgradeable is Unknown": (same(upgradeable=("Unknown", "NoData")), "0 pass upgrade assumed", [UNPROVEN_INFO]),
    "CCO could not determine": (
        same(upgradeable=("False", "ErrorDeterminingUpgradeable")),
        "3 blocked remediate assumed",
        [REFUSED],
    ),
    "CCO says True, and nobody annotated": (same(annotation=None), "0 pass upgrade assumed", [UNPROVEN_INFO]),
    "blanket annotation, no change": (same(annotation="4.99"), "0 pass upgrade assumed", [UNPROVEN_INFO]),
    "blanket annotation, gains a permission": (
        grants(annotation="v4.99"),
        "3 blocked remediate assumed",
        [GAINS, UNPROVEN],
    ),
    "annotation with patch and v": (same(annotation="v4.17.3"), "0 pass upgrade assumed", []),
    "annotation that CCO cannot read": (
        same(annotation="4.17-rc.1", upgradeable=NO_ANNOTATION),
        "3 blocked annotate assumed",
        [REFUSED],
    ),
    # hops
    "downgrade": (
        same(versions=("4.16.3", "4.15.9"), annotation=None, upgradeable=NO_ANNOTATION),
        "3 blocked remediate assumed",
        ["hop-unsupported blocker open - needs decision=unmet", "cco-not-upgradeable warning open missed"],
    ),
    "patch downgrade": (
        same(versions=("4.16.3", "4.16.1")),
        "3 blocked remediate assumed",
        ["hop-unsupported blocker open - needs decision=unmet"],
    ),
    "skip, not annotated": (
        same(versions=("4.14.5", "4.16.5"), annotation=None, upgradeable=NO_ANNOTATION),
        "3 blocked remediate assumed",
        ["hop-unsupported blocker open - needs decision=unmet", REFUSED],
    ),
    "skip, annotated": (
        same(versions=("4.14.5", "4.16.5")),
        "3 blocked remediate assumed",
        ["hop-unsupported blocker open - needs decision=unmet"],
    ),
    "major, the target names it": (
        same(versions=("4.22.3", "5.0.0"), previous={"5.0.0": ["4.22.3"]}, offers=()),
        "0 pass upgrade assumed",
        ["target-not-offered warning open -"],
    ),
    "major, offered": (same(versions=("4.22.3", "5.0.0")), "0 pass upgrade assumed", []),
    "major, offered with risks": (
        same(versions=("4.22.3", "5.0.0"), offers=(), conditional=("5.0.0",)),
        "0 pass upgrade assumed",
        [],
    ),
    "major, nothing names it": (
        same(versions=("4.22.3", "5.0.0"), offers=()),
        "3 blocked remediate assumed",
        ["hop-unsupported blocker open - needs decision=unmet", "target-not-offered warning open -"],
    ),
    "major, annotated 5": (same(versions=("4.22.3", "5.0.0"), annotation="5"), "0 pass upgrade assumed", []),
    "major, not annotated": (
        same(versions=("4.22.3", "5.0.0"), annotation=None, upgradeable=NO_ANNOTATION),
        "3 blocked annotate assumed",
        [REFUSED],
    ),
    "path, both hops gain": (
        World(
            versions=STEPS,
            payloads=(
                (request("AWS", "comp", "ec2:A"),),
                (request("AWS", "comp", "ec2:A", "ec2:B"),),
                (request("AWS", "comp", "ec2:A", "ec2:B", "ec2:C"),),
            ),
        ),
        "3 blocked remediate assumed",
        [f"{GAINS} hop=0", f"{GAINS} hop=1"],
    ),
    "path, annotated for its first hop": (
        same(versions=STEPS, annotation="4.15"),
        "0 pass upgrade assumed",
        ["cco-not-upgradeable warning open stopped hop=1"],
    ),
    "path, annotated for another release": (
        same(versions=STEPS, annotation="4.18"),
        "0 pass upgrade assumed",
        [UNPROVEN_INFO],
    ),
    "path, patch and then minor, not annotated": (
        same(versions=("4.15.1", "4.15.9", "4.16.5"), annotation=None, upgradeable=NO_ANNOTATION),
        "3 blocked annotate assumed",
        [f"{REFUSED} hop=1"],
    ),
    "path, a component comes on the way": (
        World(
            versions=STEPS,
            payloads=((request("AWS"),), *((request("AWS"), request("AWS", "new")),) * 2),
            without=frozenset({"openshift-new/creds"}),
        ),
        "3 blocked remediate assumed",
        ["request-added@new blocker open missed needs namespace=met secret=unmet grants=unknown"],
    ),
    "path, a component goes in its last hop and its Secret is missing": (
        World(
            versions=STEPS,
            payloads=(*((request("AWS"), request("AWS", "old")),) * 2, (request("AWS"),)),
            without=frozenset({"openshift-old/creds"}),
        ),
        "3 blocked remediate assumed",
        [
            "secret-missing@old blocker open missed needs secret=unmet",
            "payload-incomplete unknown open - hop=1",
            "request-removed@old info open - hop=1",
        ],
    ),
    # updates under way and offers
    "the target is under way": (
        same(history=UPDATING),
        "0 pass upgrade assumed",
        ["update-in-progress warning open - needs decision=unmet"],
    ),
    "another update is under way": (
        same(history=completed("4.16.3", partial="4.16.9")),
        "3 blocked remediate assumed",
        ["update-in-progress blocker open - needs decision=unmet"],
    ),
    "an older update never completed": (
        same(history=[*completed("4.16.3"), *completed(partial="4.16.2"), *completed("4.16.1")]),
        "0 pass upgrade assumed",
        [],
    ),
    "nothing ever completed": (
        same(history=completed(partial="4.16.3")),
        "3 blocked remediate assumed",
        ["update-in-progress blocker open - needs decision=unmet", "fact-unknown unknown open -"],
    ),
    "offered with risks": (same(offers=(), conditional=("4.17.0",)), "0 pass upgrade assumed", []),
    "not offered": (
        same(offers=("4.17.9",)),
        "0 pass upgrade assumed",
        ["target-not-offered warning open -"],
    ),
    "not offered, since updates were not retrieved": (
        same(offers=(), version_conditions=(condition("RetrievedUpdates", "False", "RemoteFailed"),)),
        "0 pass upgrade assumed",
        ["target-not-offered info open -"],
    ),
    "held back by another operator": (
        same(version_conditions=(condition("Upgradeable", "False", "AdminAckRequired"),)),
        "0 pass upgrade assumed",
        ["cluster-not-upgradeable warning open -"],
    ),
    "held back by CCO alone": (
        same(
            annotation=None,
            upgradeable=NO_ANNOTATION,
            version_conditions=(condition("Upgradeable", "False", NO_ANNOTATION[1]),),
        ),
        "3 blocked annotate assumed",
        [REFUSED],
    ),
    "held back by another operator, patch": (
        same(
            versions=("4.16.3", "4.16.9"),
            version_conditions=(condition("Upgradeable", "False", "AdminAckRequired"),),
        ),
        "0 pass upgrade assumed",
        [],
    ),
}


@pytest.mark.parametrize("name", FLOWS)
def test_flow_of_a_hop(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judge(FLOWS[name], tmp_path, capsys)


def test_a_rule_whose_fact_was_not_read_is_listed_as_not_evaluated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = write(same(live=()), tmp_path)
    (tmp_path / "dump/namespaces" / CCO / "cloudcredential.openshift.io").rmdir()
    code, report = run(arguments, capsys)
    assert code == 0
    assert report["notes"] == [
        "not evaluated, since CredentialsRequests could not be read: live-request-drift, live-request-extra"
    ]
    _, report = run(write(same(), tmp_path / "whole"), capsys)
    assert report["notes"] == []


def test_an_empty_dump_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = write(same(), tmp_path)
    shutil.rmtree(tmp_path / "dump")
    (tmp_path / "dump").mkdir()
    assert main(arguments) == 2
    assert "the folder is empty" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("world", "given", "code"),
    [
        (same(), "manual", 0),
        (same(), "mint", 2),
        (same(mode="Mint", annotation=None), "manual", 2),
        (same(mode="Mint", annotation=None), "mint", 0),
        (same("IBMCloud"), "passthrough", 2),
        (bare_metal(platform="BareMetal", payloads=((request("AWS"),),) * 2), "mint", 2),
        (bare_metal(platform="BareMetal", payloads=((request("AWS"),),) * 2), "manual", 0),
    ],
)
def test_a_mode_that_contradicts_the_cluster_is_a_usage_error(
    world: World, given: str, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*write(world, tmp_path), "--mode", given]) == code
    assert ("--mode" in capsys.readouterr().err) == (code == 2)


def test_a_pass_with_an_accepted_gap_does_not_say_that_everything_is_proven(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = write(extra("Nutanix", without=frozenset({"openshift-new/creds"})), tmp_path)
    (tmp_path / "config.yaml").write_text("policy: {request-added: warning}\n")
    code, report = run([*arguments, "--config", str(tmp_path / "config.yaml")], capsys)
    assert (code, report["verdict"]["basis"]) == (0, "proven")
    assert report["verdict"]["summary"] == "PASS 4.16.3 to 4.17.0: what did not change is proven"
