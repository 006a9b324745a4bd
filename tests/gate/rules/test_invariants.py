"""The rule of the last guard is public like any other; the guard itself: tests/gate/test_invariants.py."""

from pathlib import Path

from tests.worlds.firing import WORLDS
from tests.worlds.rules import TODAY, one
from upgrade_gate.gate.acknowledgements import Acknowledgement


def test_what_withholds_a_pass_is_a_finding_that_nobody_can_acknowledge(tmp_path: Path) -> None:
    check = WORLDS["pass-withheld"]().written(tmp_path)
    finding = one(check(), "pass-withheld")
    assert (finding.severity, finding.acknowledgeable) == ("unknown", False)
    accepted = (Acknowledgement(finding.fingerprint, "r", "o", TODAY.replace(month=12)),)
    again = check(acknowledgements=accepted)
    assert again.verdict.exit_code == 4
    assert one(again, "acknowledgement-unused")
