"""What is proven about the identities that serve this cluster's Secrets.

Joins the three things that a proof needs: what an export or a live account says (`entitlements`), which identity
serves a secretRef, and the facts of the cluster (issuer, scopes).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from upgrade_gate.entitlements import Judgement, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from upgrade_gate.cluster import SecretRef
    from upgrade_gate.credentials_request import CredentialsRequest
    from upgrade_gate.permissions import Grant
    from upgrade_gate.report import IdentitiesView, Table

__all__ = ["Proof"]

NOTHING_SUPPLIED = "no identities were given (--identities)"


@dataclass(frozen=True, slots=True)
class Proof:
    """Answers whether a requirement is held; without entitlements every answer is UNKNOWN."""

    given: bool = False
    """Whether entitlements were supplied at all."""

    def grants(self, request: CredentialsRequest, grants: Sequence[Grant]) -> tuple[tuple[Grant, Judgement], ...]:
        """Judge each required grant on the identity that serves the request's Secret."""
        del request
        return tuple((grant, Judgement(Verdict.UNKNOWN, NOTHING_SUPPLIED)) for grant in grants)

    def trust(self, request: CredentialsRequest, accounts: Sequence[str]) -> Judgement:
        """Judge whether the identity trusts every one of these service accounts in the Secret's namespace."""
        del request, accounts
        return Judgement(Verdict.UNKNOWN, NOTHING_SUPPLIED)

    def caveats(self, request: CredentialsRequest, grants: Sequence[Grant]) -> tuple[str, ...]:
        """Return what no export can show about covered grants, one line each, sorted."""
        judged = self.grants(request, grants)
        return tuple(sorted({line for _, j in judged if j.verdict is Verdict.COVERED for line in j.caveats}))

    def identity(self, secret: SecretRef) -> tuple[str, str] | None:
        """Return the identity that serves a Secret and how it was found, None where nobody says."""
        del secret
        return None

    def evidence(self) -> IdentitiesView | None:
        """Return what the report says about the source of the proof, None where nothing was supplied."""
        return None

    def tables(self) -> tuple[Table, ...]:
        """Return the dated tables that judgements rest on."""
        return ()
