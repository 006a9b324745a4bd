"""By what a grant came to the branch of the release that newly asks for it; nothing where the table does not tell."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.requests.history.introduction import introduction
from upgrade_gate.requests.history.table import table

NS = "openshift-cloud-credential-operator"
EBS = ("AWSProviderSpec", f"{NS}/aws-ebs-csi-driver-operator")
KMS = Grant("action", "kms:CreateGrant", "Allow", "*", {"Bool": {"kms:GrantIsForAWSResource": True}})


def came(kind: str, request: str, grant: Grant, old: str, new: str) -> tuple[str, int | None, bool] | None:
    """Return branch, pull request and z-stream of what brought a grant."""
    found = introduction(kind, request, grant, old, new)
    return (table().branches[found.branch], found.pull_request, found.z_stream) if found else None


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        # merged for 4.11 as openshift/cluster-storage-operator#263, then backported to 4.10.z as #268
        ("4.9.40", "4.10.50", ("4.10", 268, True)),
        ("4.0.9", "4.11.2", ("4.11", 263, False)),  # no such branch in the table: it has nothing of it
        ("4.10.3", "4.10.50", ("4.10", 268, True)),
        ("4.10.3", "4.11.2", ("4.11", 263, False)),
        ("4.9.40", "4.12.0", ("4.11", 263, False)),
        ("4.10.0", "4.11.0-rc.2", ("4.11", 263, False)),
        ("4.10.0", "4.11.0-0.okd-2022-08-20-022919", ("4.11", 263, False)),
    ],
)
def test_the_change_is_that_of_the_branch_that_the_update_ends_in(
    old: str, new: str, expected: tuple[str, int, bool]
) -> None:
    assert came(*EBS, KMS, old, new) == expected


def test_spelling_counts_as_little_as_in_the_diff() -> None:
    spelt = Grant("action", "KMS:createGrant", "Allow", "*", {"Bool": {"kms:GrantIsForAWSResource": "true"}})
    assert came(*EBS, spelt, "4.9.40", "4.10.50") == ("4.10", 268, True)


@pytest.mark.parametrize(
    ("grant", "old", "new"),
    [
        (KMS, "4.23.0", "5.2.0"),  # no such branch in the table
        (KMS, "4.9.0", "4.10.5"),  # before the backport can have been in a release
        (KMS, "4.12.1", "4.12.50"),  # 4.12 has had it from its beginning: what was seen is not what the table knows
        (KMS, "4.9.0", "unreleased"),
        (KMS, "", "4.11.0"),
        (Grant("action", "kms:CreateGrant", "Allow", "*"), "4.9.0", "4.11.0"),  # without the condition: another grant
        (Grant("action", "kms:CreateGrant", "Deny", "*", KMS.condition), "4.9.0", "4.11.0"),
    ],
)
def test_nothing_is_said_where_the_table_does_not_tell(grant: Grant, old: str, new: str) -> None:
    assert came(*EBS, grant, old, new) is None


@pytest.mark.parametrize(
    ("kind", "request_"),
    [("AWSProviderSpec", f"{NS}/nobody"), ("GCPProviderSpec", EBS[1]), ("HarbourProviderSpec", EBS[1])],
)
def test_a_request_that_the_table_does_not_have_came_by_nothing_known(kind: str, request_: str) -> None:
    assert came(kind, request_, KMS, "4.9.0", "4.11.0") is None


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("4.13.9", "4.14.3", ("4.14", 1152, False)),
        # 4.14 gave it up with #1224 (not before 4.14.21) and 4.15 with #1222 (not before 4.15.7)
        ("4.14.30", "4.15.3", ("4.14", 1152, False)),
        ("4.14.30", "4.15.20", None),
        ("4.15.0", "4.15.5", None),  # both ask for it: only what 4.14 did, or a later 4.15, took it away
        ("4.13.9", "4.14.30", None),
    ],
)
def test_a_grant_that_a_backport_took_away_again(old: str, new: str, expected: tuple[str, int, bool] | None) -> None:
    grant = Grant("permission", "Microsoft.Compute/virtualMachines/extensions/read")
    assert came("AzureProviderSpec", f"{NS}/openshift-machine-api-azure", grant, old, new) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        # openshift/cluster-ingress-operator#966 came to 4.13.z and #972 took it back (OCPBUGS-17733)
        ("4.13.0", "4.13.9", ("4.13", 966, True)),
        ("4.12.9", "4.13.9", ("4.13", 966, True)),
        ("4.13.0", "4.13.40", None),
        ("4.13.40", "4.14.2", ("4.14", 928, False)),
    ],
)
def test_a_backport_that_was_reverted(old: str, new: str, expected: tuple[str, int, bool] | None) -> None:
    grant = Grant("action", "sts:AssumeRole", "Allow", "*")
    assert came("AWSProviderSpec", f"{NS}/openshift-ingress", grant, old, new) == expected


def test_a_grant_that_was_given_up_for_a_while_long_ago() -> None:
    # openshift/machine-api-operator#1087 took it from 4.13 before its first release, and #1097 took that back
    grant = Grant("predefinedRole", "roles/compute.admin")
    request = ("GCPProviderSpec", f"{NS}/openshift-machine-api-gcp")
    assert came(*request, grant, "4.9.0", "4.13.1") == ("4.13", 1097, False)
    assert came(*request, grant, "4.14.2", "4.14.5") is None


def _expected(facts: dict[str, Any], row: list[Any], old: str, new: str) -> set[str]:
    """Return the commits by which a grant can have come between two releases, from the facts by their own rule."""
    number = {name: place for place, name in enumerate(facts["branches"])}
    before, after = (number[v.rpartition(".")[0]] for v in (old, new))

    def of(branch: int) -> set[int]:
        return {
            place
            for place, c in enumerate(facts["commits"])
            if (c[7] == "main" and c[6] <= branch) or (c[7] == "branch" and c[6] == branch)
        }

    here = of(after)
    added = [place for place in row[2] if place in here and (place not in of(before) or before == after)]
    if not added:  # the older branch gave it up by itself
        added = [place for place in row[2] if place in here]
    return {facts["commits"][max(added)][1]}


def _cases(shared: Path, facts: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any], str, str, list[Any]]]:
    rows = {(*facts["requests"][row[0]], json.dumps(facts["grants"][row[1]])): row for row in facts["history"]}
    fields = facts["grant_fields"]
    kinds = {platform: kind for kind, platform in facts["providers"].items()}
    for file in sorted((shared / "corpus" / "expected").glob("*.json")):
        for part in json.loads(file.read_text(encoding="utf-8")):
            for change in part["changes"]:
                for grant in change["permissions"]["added"]:
                    key = (kinds[part["platform"]], change["request"], json.dumps([grant[f] for f in fields]))
                    if key in rows:
                        yield part["from"], part["to"], grant, key[0], key[1], rows[key]


@pytest.mark.shared
def test_every_grant_that_the_corpus_adds_came_by_the_change_that_the_facts_name(shared: Path) -> None:
    facts = json.loads((shared / "facts" / "history.json").read_text(encoding="utf-8"))
    seen = 0
    for old, new, grant, kind, request, row in _cases(shared, facts):
        found = introduction(kind, request, Grant(**{f: grant[f] for f in facts["grant_fields"]}), old, new)
        assert {found.commit if found else None} == _expected(facts, row, old, new), (old, new, request, grant)
        seen += 1
    assert seen > 400
