"""By what new grants came, in words that every format takes over."""

import pytest

from tests.worlds import sample_report
from upgrade_gate.report import origins
from upgrade_gate.report.grant_document import GrantView, Introduction

ADDRESS = "https://github.com/openshift/cluster-storage-operator/pull/418"


def came(permission: str, number: int | None = 418, *, z_stream: bool = False, bugs: tuple[str, ...] = ()) -> GrantView:
    introduced = Introduction(
        branch="4.14",
        z_stream=z_stream,
        date="2024-01-09",
        repository="openshift/cluster-storage-operator",
        pull_request=number,
        bugs=list(bugs),
    )
    return sample_report.grant(permission, introduced=introduced)


def test_a_change_after_general_availability_says_so() -> None:
    assert origins.lines([came("ec2:CopySnapshot", z_stream=True, bugs=("OCPBUGS-1",))]) == (
        f"was added to 4.14 after GA on 2024-01-09: {ADDRESS}, OCPBUGS-1",
    )


def test_grants_of_one_change_share_a_line() -> None:
    (line,) = origins.lines([came("ec2:B"), came("ec2:A")])
    assert line.startswith("each was added to 4.14 on 2024-01-09: https://")


def test_grants_are_named_where_not_all_came_by_the_same_change() -> None:
    grants = [came("ec2:B"), came("ec2:A"), came("ec2:C", 7, z_stream=True), sample_report.grant("ec2:D")]
    late, early = origins.lines(grants)
    assert late.startswith("ec2:C: was added to 4.14 after GA")
    assert early.startswith("ec2:A, ec2:B: each was added to 4.14 on")


def test_nothing_is_said_of_a_grant_that_the_history_does_not_know() -> None:
    assert origins.lines([sample_report.grant("ec2:A")]) == ()


def test_a_change_without_a_pull_request_names_its_repository() -> None:
    assert origins.lines([came("ec2:A", None)]) == (
        "was added to 4.14 on 2024-01-09: openshift/cluster-storage-operator",
    )


def test_a_long_list_is_cut() -> None:
    lines = origins.lines([*(came(f"ec2:A{n:02}") for n in range(13)), sample_report.grant("ec2:Z")])
    assert "ec2:A09 and 3 more: each was added" in lines[0]
    assert "ec2:A10" not in lines[0]


@pytest.mark.parametrize("number", [None, 418])
def test_the_address_is_that_of_the_pull_request(number: int | None) -> None:
    known = came("ec2:A", number).introduced
    assert known is not None
    assert origins.address(known) == (ADDRESS if number else None)
