"""What a path asks for only in between: when it comes, when it goes, and what keeps it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from upgrade_gate.base.secret_ref import SecretRef
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.requests import in_between

SECRET, OTHER = SecretRef("openshift-a", "creds"), SecretRef("openshift-b", "creds")
AWS = "AWSProviderSpec"


def grant(action: str, effect: str = "Allow") -> Grant:
    return Grant("action", action, effect, "*")


def request(*actions: str, secret: SecretRef = SECRET, accounts: tuple[str, ...] = (), kind: str = AWS) -> Any:
    grants = tuple(map(grant, actions))
    return SimpleNamespace(secret=secret, provider_kind=kind, grants=grants, service_accounts=accounts)


def path(*releases: list[Any]) -> Any:
    """The updates of a path, by what the release asks for that each leads to."""
    return [
        SimpleNamespace(
            index=index,
            new_selection=SimpleNamespace(requests={str(n): SimpleNamespace(request=r) for n, r in enumerate(asked)}),
        )
        for index, asked in enumerate(releases)
    ]


@pytest.mark.parametrize(
    ("releases", "end"),
    [
        (([request("ec2:A")], [request("ec2:A")]), None),
        (([request("ec2:A")], [request()]), 1),
        (([request("ec2:A")], [request("ec2:A")], [request()]), 2),
        (([request("ec2:A")], [request()], [request("ec2:A")]), None),
        (([request("ec2:A")], []), 1),
        (([request("ec2:A")], [request(), request("ec2:A")]), None),
        (([request("ec2:A")], [request(), request("ec2:A", secret=OTHER)]), 1),
        (([request("ec2:A")], [request("ec2:*")]), None),
        (([request("ec2:A")], [request("ec2:A", kind="GCPProviderSpec")]), 1),
        (([request("ec2:A")],), None),
    ],
)
def test_a_grant_goes_with_the_last_request_of_its_secret_that_covers_it(releases: Any, end: int | None) -> None:
    assert in_between.of_grant(path(*releases), 0, SECRET, AWS, grant("ec2:A")) == end


def test_what_a_later_update_brings_is_counted_from_there() -> None:
    updates = path([request()], [request("ec2:A")], [request()])
    assert in_between.of_grant(updates, 1, SECRET, AWS, grant("ec2:A")) == 2


@pytest.mark.parametrize("wanted", [grant("ec2:A"), grant("ec2:A", "Deny")])
def test_a_statement_that_no_other_can_contain_is_asked_for_where_it_stands(wanted: Grant) -> None:
    """A Deny is contained in nothing, and what a Deny reaches into is contained in nothing either."""
    both = request()
    both.grants = (grant("ec2:A"), grant("ec2:A", "Deny"))
    assert in_between.of_grant(path([both], [both]), 0, SECRET, AWS, wanted) is None
    assert in_between.of_grant(path([both], [request("ec2:B")]), 0, SECRET, AWS, wanted) == 1


def test_nothing_is_said_of_the_end_of_what_no_release_is_seen_to_ask_for() -> None:
    assert in_between.of_secret(path([request(secret=OTHER)], [request(secret=OTHER)]), 0, SECRET) is None


def test_nothing_is_said_of_a_kind_that_nobody_knows() -> None:
    updates = path([request("ec2:A")], [request()])
    assert in_between.of_grant(updates, 0, SECRET, "NobodysProviderSpec", grant("ec2:A")) is None


def test_a_secret_goes_with_its_last_reader() -> None:
    assert in_between.of_secret(path([request()], [request(secret=OTHER)]), 0, SECRET) == 1
    assert in_between.of_secret(path([request()], [request(secret=OTHER), request()]), 0, SECRET) is None


def test_service_accounts_go_when_none_of_them_is_left() -> None:
    updates = path([request(accounts=("one", "two"))], [request(accounts=("one",))], [request()])
    assert in_between.of_accounts(updates, 0, SECRET, ["one", "two"]) == 2
    assert in_between.of_accounts(updates, 0, SECRET, ["two"]) == 1
    elsewhere = path([request(accounts=("one",))], [request(secret=OTHER, accounts=("one",))])
    assert in_between.of_accounts(elsewhere, 0, SECRET, ["one"]) == 1
    assert in_between.of_accounts(updates[:2], 0, SECRET, ["one", "two"]) is None
