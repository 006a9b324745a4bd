"""IBM Cloud and Power VS risks: the classes of roles, and what IBM's own let their holder do.

See docs/facts/risks.md#access-levels and docs/facts/risks.md#classes.
"""

import pytest

from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.risk import Access
from upgrade_gate.clouds.ibmcloud import grants, risk

VIEWER = "crn:v1:bluemix:public:iam::::role:Viewer"
MANAGER = "crn:v1:bluemix:public:iam::::serviceRole:Manager"
ADMINISTRATOR = "crn:v1:bluemix:public:iam::::role:Administrator"
LEVELS = [
    (VIEWER, "read"),
    (MANAGER, "write"),
    (ADMINISTRATOR, "permissions-management"),
    ("crn:v1:bluemix:public:iam-access-management::::customRole:Own", None),
]


def grant(role: str, *attributes: tuple[str, str]) -> Grant:
    return Grant("role", role, scope={"attributes": [{"name": n, "value": v} for n, v in attributes]})


@pytest.mark.parametrize(
    ("given", "risks"),
    [
        (grant(ADMINISTRATOR, ("serviceName", "is")), ("ESCALATE", "BREADTH")),
        (grant(MANAGER, ("serviceName", "is")), ("BREADTH",)),
        (grant(VIEWER, ("serviceName", "is")), ()),
        (grant(VIEWER, ("resourceType", "resource-group")), ()),
        (grant(VIEWER), ("BREADTH",)),
        (Grant("role", VIEWER), ("BREADTH",)),
    ],
)
def test_risks(given: Grant, risks: tuple[str, ...]) -> None:
    assert risk.risks(given) == risks
    assert grants.permission_key(given)[0] == "role"  # type: ignore[index]


@pytest.mark.parametrize(("name", "level"), LEVELS)
def test_access(name: str, level: Access | None) -> None:
    assert risk.access(grant(name)) == level
