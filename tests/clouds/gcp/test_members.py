"""Whom a member of a policy stands for, and where an account lives.

Expected values: Google's IAM documentation, "Principal identifiers" and "Types of service accounts".
"""

import pytest

from upgrade_gate.clouds.gcp.members import home_of, host_of, is_deleted, stands_for

SA = "a@p1.iam.gserviceaccount.com"
PRINCIPAL = "principal://iam.googleapis.com/projects/-/serviceAccounts"


@pytest.mark.parametrize(
    ("member", "unique_id", "stands"),
    [
        (f"serviceAccount:{SA.upper()}", "", True),
        ("serviceAccount:b@p1.iam.gserviceaccount.com", "", False),
        ("serviceAccount:a@p1.iam.g\N{LATIN SMALL LETTER LONG S}erviceaccount.com", "", None),
        (f"{PRINCIPAL}/{SA}", "7", True),
        (f"{PRINCIPAL}/7", "7", True),
        (f"{PRINCIPAL}/8", "7", False),
        (f"{PRINCIPAL}/7", "", None),
        (f"{PRINCIPAL}/b@p1.iam.gserviceaccount.com", "", False),
        ("principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/*", "", False),
        (SA, "", None),  # no policy of Google's names an account so
        ("user:a@example.com", "", False),
        ("group:a@example.com", "", None),
        ("projectEditor:p1", "", None),
    ],
)
def test_whom_a_member_stands_for(member: str, unique_id: str, stands: bool | None) -> None:
    assert stands_for(member, SA, unique_id) is stands


@pytest.mark.parametrize("member", [f"deleted:serviceAccount:{SA}?uid=7", f"deleted:serviceAccount:{SA}"])
def test_a_deleted_account_is_known_with_and_without_its_number(member: str) -> None:
    assert is_deleted(member, SA)
    assert not is_deleted(member, "b@p1.iam.gserviceaccount.com")


@pytest.mark.parametrize(
    ("email", "home"),
    [
        (SA, "p1"),
        ("a@p1.example.com.iam.gserviceaccount.com", "example.com:p1"),
        ("p1@appspot.gserviceaccount.com", "p1"),
        ("42-compute@developer.gserviceaccount.com", ""),
        ("a@example.com", ""),
        ("", ""),
    ],
)
def test_where_an_account_lives(email: str, home: str) -> None:
    assert home_of(email) == home
    assert not home or home == email.partition("@")[0] or email.endswith(f"@{host_of(home)}")
