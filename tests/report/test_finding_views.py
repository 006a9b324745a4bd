"""Findings as the report shows them: what is said about a need, for people and in the published JSON."""

import pytest

from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import Coverage
from upgrade_gate.gate.findings import Finding, Lack, Need, NeedKind, NeedStatus, RequiredGrant, Severity
from upgrade_gate.report.finding_views import in_short

GRANTS, SECRET = NeedKind.GRANTS, NeedKind.SECRET
MISSING, DENIED, UNKNOWN = Coverage.MISSING, Coverage.DENIED, Coverage.UNKNOWN


@pytest.mark.parametrize(
    ("need", "detail", "short"),
    [
        (
            Need(GRANTS, NeedStatus.UNKNOWN, lacks=(Lack(("a:B", "a:C"), UNKNOWN, "no identities were given"),)),
            "a:B, a:C: no identities were given",
            "no identities were given",
        ),
        (
            Need(
                GRANTS,
                NeedStatus.UNKNOWN,
                lacks=(Lack(("a:B",), UNKNOWN, "no; not at all"), Lack(("a:C",), UNKNOWN, "no; not at all")),
            ),
            "a:B: no; not at all; a:C: no; not at all",
            "no; not at all",
        ),
        (
            Need(GRANTS, NeedStatus.UNMET, lacks=(Lack(("a:B",), MISSING, "x"), Lack(("a:C",), DENIED, "y"))),
            "a:B: MISSING, x; a:C: DENIED, y",
            "a:B: MISSING, x; a:C: DENIED, y",
        ),
        (Need(GRANTS, NeedStatus.UNMET, lacks=(Lack(("a:B",), MISSING, "x"),)), "a:B: MISSING, x", "a:B: MISSING, x"),
        (Need(GRANTS, NeedStatus.MET, "statement 1 allows it"), "statement 1 allows it", "statement 1 allows it"),
        (Need(SECRET, NeedStatus.UNMET, "a:B, a:C: absent"), "a:B, a:C: absent", "a:B, a:C: absent"),
    ],
)
def test_a_reason_that_all_grants_share_is_said_once(need: Need, detail: str, short: str) -> None:
    grants = tuple(RequiredGrant(Grant("action", name, "Allow", "*")) for name in ("a:B", "a:C"))
    found = Finding("permission-added", Severity.BLOCKER, "a", None, "ns/a", grants=grants)
    assert (need.detail, in_short(found, need)) == (detail, short)
