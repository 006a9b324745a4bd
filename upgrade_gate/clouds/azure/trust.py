"""Whether an Azure identity's federated credentials let a cluster's service accounts in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from upgrade_gate.clouds.azure.shapes import Federated, ManagedIdentity
from upgrade_gate.clouds.contract.holdings import Coverage, CoverageResult, unknown
from upgrade_gate.clouds.shared.trust import AUDIENCE

_LISTED = re.compile(r"az identity federated-credential list .*--identity-name (\S+) --resource-group (\S+)")
_KIND = "providers/microsoft.managedidentity/userassignedidentities"


def is_bare(owner: ManagedIdentity, empty: Iterable[str]) -> bool:
    """Return whether an empty list answered the question for an identity's credentials (`Reading.empty`)."""
    asked = (found.groups() for command in empty if (found := _LISTED.match(command)))
    return any(owner.id.endswith(f"/resourcegroups/{group}/{_KIND}/{name}".casefold()) for name, group in asked)


def judge_trust(
    identity: str,
    owners: Sequence[ManagedIdentity],
    credentials: Sequence[Federated],
    issuer: str,
    subjects: Sequence[str],
) -> CoverageResult:
    """Decide whether every subject of the issuer has a credential; both compare with case, as the audience does.

    A credential belongs to an identity by the path of its ID, else by a file that is named after the identity.
    """
    if not owners:
        return unknown(f"identity {identity} is not in the export (az identity list)")
    own = [c for c in credentials if any(_belongs(c, owner) for owner in owners)]
    if not own:
        how = "az identity federated-credential list"
        return unknown(f"no federated credential in the export names {owners[0].name} ({how})")
    foreign: list[str] = []
    for subject in subjects:
        same = [c for c in own if c.subject == subject]
        if any(c.issuer == issuer and AUDIENCE in c.audiences for c in same):
            continue
        if any(c.issuer == issuer and not c.audiences for c in same):
            return unknown(f"the export shows no audience of {owners[0].name}'s credential for {subject}")
        if any(c.flexible for c in own):
            return unknown(f"a claims expression of {owners[0].name} may let {subject} in")
        foreign.append(_why(subject, same, issuer))
    if foreign:
        return CoverageResult(Coverage.MISSING, f"{owners[0].name}: {'; '.join(foreign)}")
    names = ", ".join(sorted({c.name for c in own if c.subject in subjects and c.issuer == issuer}))
    return CoverageResult(
        Coverage.COVERED, f"federated credentials {names} of {owners[0].name} name issuer and subjects"
    )


def _belongs(credential: Federated, owner: ManagedIdentity) -> bool:
    if credential.owner:
        return credential.owner == owner.id
    stem = credential.origin.rpartition("/")[2].casefold()
    names = {owner.name.casefold(), owner.client, owner.principal} - {""}
    return any(stem == name or stem.startswith(f"{name}.") for name in names)


def _why(subject: str, same: Sequence[Federated], issuer: str) -> str:
    if not same:
        return f"no federated credential for {subject}"
    if all(c.issuer != issuer for c in same):
        return f"{subject} is trusted from {same[0].issuer}, not from {issuer}"
    return f"{subject} is trusted for the audience {', '.join(same[0].audiences)} only"
