"""Policies of an organisation that files declare: what they may take away from every identity below them.

Source: AWS Organizations user guide, service control and resource control policies: they grant nothing, a denial counts
for every account below, and where one allows, what none of them allows is denied. Which account a cluster is in, and
what is above it, the files do not say for certain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upgrade_gate.clouds.aws.open_policies import as_of_identity, perhaps_denying, policy
from upgrade_gate.clouds.aws.policies import decode
from upgrade_gate.clouds.contract.declared import Part
from upgrade_gate.reading.node import mapping, one_or_more, sequence, strings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from upgrade_gate.clouds.contract.declared import Path

_PLAIN = frozenset({"Sid", "Effect", "Action", "Resource"})


def limits_of(name: str, document: Any, path: Path) -> Part | None:
    """Return what a policy of the organisation may deny, None where it denies nothing."""
    given = mapping(decode(document))
    listed = one_or_more(given.get("Statement"))
    body = document if listed is None else {**given, "Statement": _denying(listed)}
    return perhaps_denying(policy(name, body, path), f"what {name} is put on")


def _denying(listed: Sequence[Any]) -> list[Any]:
    """Return statements of an identity's policy that deny as much: a resource control policy names its principals."""
    allowing = [one for one in listed if mapping(one).get("Effect") == "Allow"]
    denying = [as_of_identity(one) for one in listed if one not in allowing]
    plain = [one for one in allowing if set(one) <= _PLAIN and one.get("Resource") in ("*", ["*"])]
    allowed = [action for one in plain for action in sequence(one.get("Action")) or [one.get("Action")]]
    if allowing and "*" not in allowed:
        rest = {"NotAction": allowed} if strings(allowed) else {"Action": "*"}
        denying.append({"Effect": "Deny", **rest, "Resource": "*"})
    return denying
