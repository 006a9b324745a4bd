"""Decide what an identity's exports say about one required grant: the part of this package for other programs.

from upgrade_gate.entitlements import judge
"""

from upgrade_gate.clouds.contract.holdings import Coverage, CoverageResult
from upgrade_gate.proof.judge import judge

__all__ = ["Coverage", "CoverageResult", "judge"]
