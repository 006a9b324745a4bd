"""IBM Cloud and Power VS Secrets: the API key, and from 4.10 on the file with it."""

from upgrade_gate.clouds.contract.secret import secret_of


def test_both_keys_are_required_from_4_10() -> None:
    secret = secret_of("IBMCloudPowerVSProviderSpec")
    assert secret is not None
    assert secret.missing_keys(frozenset({"ibmcloud_api_key"}), token=False, release=(4, 9)) == ()
    assert secret.missing_keys(frozenset({"ibmcloud_api_key"}), token=False, release=(4, 10)) == (
        "ibm-credentials.env",
    )
    assert secret.secret_keys(token=False, release=(4, 10)) == ("ibmcloud_api_key", "ibm-credentials.env")
    assert secret.conflicting_keys(frozenset()) == ()
