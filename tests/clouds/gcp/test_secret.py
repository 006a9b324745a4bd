"""GCP Secrets: one key in both forms."""

from upgrade_gate.clouds.contract.secret import secret_of


def test_the_secret_has_one_key_in_both_forms() -> None:
    secret = secret_of("GCPProviderSpec")
    assert secret is not None
    for token in (True, False):
        assert secret.secret_keys(token=token, release=(4, 14)) == ("service_account.json",)
    assert secret.missing_keys(frozenset(), token=True, release=(4, 14)) == ("service_account.json",)
    assert secret.missing_keys(frozenset({"service_account.json"}), token=False, release=(4, 14)) == ()
    assert secret.conflicting_keys(frozenset()) == ()
