"""A vendor's own policies against payloads, in a cluster's context: how much of what is required is decided."""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.worlds import vendor_sets
from tests.worlds.aws_exports import ACCOUNT, ROLE, details, role
from upgrade_gate.clouds.contract.holdings import Coverage
from upgrade_gate.entitlements import judge

pytestmark = pytest.mark.shared

Row: TypeAlias = tuple[str, str, str, Counter[str]]
"""Set, payload, request, and how often each coverage was decided."""
PAYLOADS = {
    "rosa-4.14": ("4.14",),
    "rosa-4.19": ("4.19", "4.20"),
    "rosa-4.14 hosted": ("4.14",),
    "rosa-hcp hosted": ("4.19", "4.20"),
    "osd-wif 4.19": ("4.19",),
    "osd-wif 4.20": ("4.20",),
}
"""The payloads that each set is for: 4.14, the last of 4.19, the first of 4.20."""
COLUMNS = [Coverage.COVERED, Coverage.MISSING, Coverage.NARROWER, Coverage.UNKNOWN, Coverage.DENIED]


def _rows(shared: Path) -> Iterator[Row]:
    history = vendor_sets.history(shared)
    aws = {b: vendor_sets.required(history, b, "AWSProviderSpec") for b in vendor_sets.BRANCHES}
    gcp = {b: vendor_sets.required(history, b, "GCPProviderSpec") for b in vendor_sets.BRANCHES}
    for folder, name, request, document in vendor_sets.aws_sets(shared):
        policies = [{"PolicyName": name, "PolicyDocument": document}]
        export = [details(role(Tags=[], RolePolicyList=policies))]
        for branch in PAYLOADS[folder]:
            judged = [
                judge(
                    "AWS",
                    export,
                    ROLE,
                    grant,
                    account=ACCOUNT,
                    context=_context(folder, request),
                    assume=("cluster-tag",),
                )
                for grant in aws[branch].get(request, ())
            ]
            yield folder, branch, name, Counter(j.verdict.value for j in judged)
    for template, email, request, documents in vendor_sets.gcp_sets(shared):
        for branch in PAYLOADS[template]:
            judged = [
                judge("GCP", documents, email, grant, account=vendor_sets.PROJECT, context=vendor_sets.GCP_CONTEXT)
                for grant in gcp[branch].get(request, ())
            ]
            yield template, branch, request, Counter(j.verdict.value for j in judged)


def _context(folder: str, request: str) -> dict[str, Any]:
    """Return what is known of the cluster that uses a request: the registry's works with the cluster's bucket."""
    context = vendor_sets.GOVERNMENT if folder == "rosa-4.14 hosted" else vendor_sets.AWS_CONTEXT
    bucket = vendor_sets.BUCKETS[context["region"]]
    return {**context, "bucket": bucket} if request == "openshift-image-registry" else context


def _decided(count: Counter[str]) -> float:
    return 1 - (count[Coverage.NARROWER] + count[Coverage.UNKNOWN]) / count.total()


def test_most_of_what_is_required_is_decided_on_a_vendors_own_sets(shared: Path) -> None:
    rows = list(_rows(shared))
    assert all(count for *_, count in rows)
    by_set: dict[str, Counter[str]] = {}
    for folder, branch, _, count in rows:
        by_set.setdefault(f"{folder} {branch}", Counter()).update(count)
    every = sum(by_set.values(), Counter[str]())
    lines = [f"{f'{folder} {branch} {name}':98} {_figures(count)}" for folder, branch, name, count in rows]
    lines += [f"{name:98} {_figures(count)}" for name, count in (*by_set.items(), ("all", every))]
    sys.stdout.write("\n".join(["", *lines, ""]))  # pytest -s shows it
    assert not every[Coverage.DENIED]
    assert _decided(every) > 0.94
    # The hosted sets narrow by tags of keys that the customer brings and by what a request tags: no fact of the cluster
    # decides these. What the image registry asks for is decided by its bucket.
    assert {name: round(_decided(count) * 100, 1) for name, count in by_set.items()} == {
        "rosa-4.14 4.14": 97.6,
        "rosa-4.19 4.19": 97.6,
        "rosa-4.19 4.20": 97.6,
        "rosa-4.14 hosted 4.14": 88.6,
        "rosa-hcp hosted 4.19": 81.8,
        "rosa-hcp hosted 4.20": 81.8,
        "osd-wif 4.19 4.19": 100.0,
        "osd-wif 4.20 4.20": 100.0,
    }


def _figures(count: Counter[str]) -> str:
    return f"{' '.join(f'{count[column]:4}' for column in COLUMNS)} {_decided(count):6.1%}"
