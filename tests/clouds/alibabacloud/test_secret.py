"""Alibaba Cloud Secrets: one key."""

from upgrade_gate.clouds.contract.secret import secret_of


def test_the_secret_has_one_key() -> None:
    secret = secret_of("AlibabaCloudProviderSpec")
    assert secret is not None
    assert secret.secret_keys(token=False, release=(4, 12)) == ("credentials",)
    assert secret.missing_keys(frozenset(), token=False, release=(4, 12)) == ("credentials",)
    assert secret.missing_keys(frozenset({"credentials"}), token=True, release=(4, 12)) == ()
    assert secret.conflicting_keys(frozenset({"credentials"})) == ()
