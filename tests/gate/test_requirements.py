"""Needs in words."""

from upgrade_gate.clouds.contract.holdings import Coverage, CoverageResult
from upgrade_gate.gate.findings import NeedKind
from upgrade_gate.gate.requirements import need_of


def test_permissions_missing_for_the_same_reason_share_one_sentence() -> None:
    need = need_of(
        NeedKind.GRANTS,
        [
            ("ec2:A", CoverageResult(Coverage.MISSING, "no statement allows ec2:A")),
            ("ec2:AB", CoverageResult(Coverage.MISSING, "no statement allows ec2:AB")),
            ("ec2:C", CoverageResult(Coverage.DENIED, "no statement allows ec2:C")),
            ("ec2:D", CoverageResult(Coverage.NARROWER, "ec2:D only under a condition")),
            ("ec2:E", CoverageResult(Coverage.MISSING, "no statement allows ec2:E: role one")),
        ],
        "",
    )
    assert need.detail == (
        "ec2:A, ec2:AB: MISSING, no statement allows any of them; ec2:C: DENIED, no statement allows ec2:C; "
        "ec2:D: NARROWER, ec2:D only under a condition; ec2:E: MISSING, no statement allows ec2:E: role one"
    )
