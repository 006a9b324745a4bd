"""AWS Secrets: which keys are missing in which form and release."""

import pytest

from upgrade_gate.clouds.aws import secret


@pytest.mark.parametrize(
    ("keys", "token", "release", "missing"),
    [
        ({"credentials"}, True, (4, 14), ()),
        ({"aws_access_key_id", "aws_secret_access_key"}, True, (4, 14), ("credentials",)),
        ({"credentials"}, False, (4, 14), ()),
        ({"credentials"}, False, (4, 5), ("aws_access_key_id", "aws_secret_access_key")),
        ({"aws_access_key_id", "aws_secret_access_key"}, False, (4, 14), ()),
        ({"aws_access_key_id"}, False, (4, 14), ("aws_secret_access_key",)),
        (set(), False, (4, 14), ("aws_access_key_id", "aws_secret_access_key")),
    ],
)
def test_missing_keys(keys: set[str], token: bool, release: tuple[int, int], missing: tuple[str, ...]) -> None:
    assert secret.missing_keys(frozenset(keys), token=token, release=release) == missing


@pytest.mark.parametrize(
    ("token", "release", "keys"),
    [
        (True, (4, 14), ("credentials",)),
        (False, (4, 5), ("aws_access_key_id", "aws_secret_access_key")),
        (False, (4, 6), ("aws_access_key_id", "aws_secret_access_key", "credentials")),
    ],
)
def test_the_keys_of_a_secret_made_by_hand(token: bool, release: tuple[int, int], keys: tuple[str, ...]) -> None:
    assert secret.secret_keys(token=token, release=release) == keys
    assert secret.missing_keys(frozenset(keys), token=token, release=release) == ()
    assert secret.conflicting_keys(frozenset(keys)) == ()
