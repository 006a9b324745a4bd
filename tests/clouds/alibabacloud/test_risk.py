"""Alibaba Cloud risks: the classes of actions, and access levels by the verb.

See docs/facts/risks.md#access-levels and docs/facts/risks.md#classes.
"""

from upgrade_gate.clouds.alibabacloud import risk
from upgrade_gate.clouds.contract.grants import Grant


def test_risks() -> None:
    assert risk.risks(Grant("action", "ram:PassRole", "Allow", "*")) == ("ESCALATE",)
    assert risk.risks(Grant("action", "oss:DeleteBucket", "Allow", "*")) == ("DESTROY",)
    assert risk.risks(Grant("action", "ram:PassRole", "Deny", "*")) == ()
    assert risk.risks(Grant("action", "ecs:DescribeDisks", "Allow", "*")) == ()


def test_access_is_read_by_the_verb_alone() -> None:
    assert risk.access(Grant("action", "kms:CreateGrant", "Allow", "*")) == "write"
