"""Alibaba Cloud grants: as AWS, without conditions."""

import pytest

from upgrade_gate.clouds.alibabacloud import grants
from upgrade_gate.clouds.contract.grants import Grant, cloud_of


def read(*entries: object) -> tuple[Grant, ...]:
    return grants.read_grants("AlibabaCloudProviderSpec", {"statementEntries": list(entries)})


def test_entries_become_grants_without_conditions() -> None:
    (grant,) = read({"effect": "Allow", "action": ["ecs:AttachDisk"], "resource": "*", "policyCondition": {"a": {}}})
    assert grant == Grant("action", "ecs:AttachDisk", "Allow", "*")
    assert cloud_of("AlibabaCloudProviderSpec") is not None


def test_a_malformed_entry_names_its_field() -> None:
    with pytest.raises(ValueError, match=r"statementEntries\[0\].action is str"):
        read({"action": "ecs:AttachDisk"})


def test_containment_and_identity_ignore_case() -> None:
    held = [Grant("action", "ecs:*", "Allow", "*")]
    needed = Grant("action", "ECS:AttachDisk", "Allow", "*")
    assert grants.covering(held, needed) is not None
    assert grants.covering([], needed) is None
    assert grants.identity(needed) == grants.identity(Grant("action", "ecs:attachdisk", "Allow", "*"))
    assert grants.permission_key(needed) == grants.permission_key(
        Grant("action", "ecs:attachdisk", "Allow", "acs:ecs:*:*:disk/1")
    )


def test_no_wildcard_is_expanded_by_a_table() -> None:
    held = [Grant("action", f"kms:ReEncrypt{end}", "Allow", "*") for end in ("From", "To")]
    assert grants.covering(held, Grant("action", "kms:ReEncrypt*", "Allow", "*")) is None
