"""Azure Secrets: which keys are missing in which form."""

import pytest

from upgrade_gate.clouds.azure import secret

TOKEN = {"azure_client_id", "azure_tenant_id", "azure_region", "azure_subscription_id", "azure_federated_token_file"}
BY_SECRET = (TOKEN - {"azure_federated_token_file"}) | {"azure_client_secret", "azure_resourcegroup"}


@pytest.mark.parametrize(
    ("keys", "token", "missing"),
    [
        (TOKEN, True, ()),
        (BY_SECRET, False, ()),
        (BY_SECRET, True, ()),
        (TOKEN, False, ()),
        (TOKEN - {"azure_federated_token_file"}, True, ("azure_federated_token_file",)),
        (BY_SECRET - {"azure_client_secret"}, False, ("azure_client_secret",)),
        (BY_SECRET - {"azure_client_id", "azure_region"}, False, ("azure_client_id", "azure_region")),
    ],
)
def test_missing_keys(keys: set[str], token: bool, missing: tuple[str, ...]) -> None:
    assert secret.missing_keys(frozenset(keys), token=token, release=(4, 14)) == missing


def test_a_secret_made_by_hand_has_what_its_form_needs() -> None:
    assert set(secret.secret_keys(token=True, release=(4, 14))) == TOKEN
    assert set(secret.secret_keys(token=False, release=(4, 14))) == BY_SECRET | {"azure_resource_prefix"}


def test_a_secret_and_a_token_file_must_not_stand_together() -> None:
    pair = ("azure_client_secret", "azure_federated_token_file")
    assert secret.conflicting_keys(frozenset(TOKEN | BY_SECRET)) == pair
    assert secret.conflicting_keys(frozenset(TOKEN)) == ()
