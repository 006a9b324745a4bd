"""What keeps a service account's users out although they are bound: the account itself, or the pool's provider.

Sources: the `gcloud` reference of `iam service-accounts enable` and `iam workload-identity-pools providers`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.base.steps import Command, Placeholder, Serves, Step, line
from upgrade_gate.clouds.gcp import shapes
from upgrade_gate.clouds.gcp.remedy_target import TRUST_ROLE
from upgrade_gate.clouds.gcp.trust import judge_trust
from upgrade_gate.clouds.shared.drafting import in_vain
from upgrade_gate.clouds.shared.trust import AUDIENCE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from upgrade_gate.clouds.contract.remedy import ClusterNames, IdentityChange
    from upgrade_gate.clouds.gcp.remedy_target import Target


def enabled(change: IdentityChange, names: ClusterNames, target: Target) -> Iterable[Step]:
    """Yield the step that enables an account which the export shows disabled: a person's, since somebody meant it."""
    if not change.delta and not change.untrusted:
        return
    reading = shapes.DIALECT.read(names.documents)
    accounts = [shapes.account(entry) for entry in reading.of("service accounts")]
    if not any(one.disabled and one.email == str(target.email).casefold() for one in accounts):
        return
    yield Step(
        f"Enable service account {target.email}",
        "before",
        "It is disabled, so nothing that it holds works and nobody can act as it.",
        Serves.GRANTS if change.delta else Serves.TRUST,
        change.secret_names,
        commands=(Command(line("gcloud iam service-accounts enable", target.email, project=target.project)),),
        notes=("Somebody disabled it: see why before it is enabled.",),
        unknown=target.unknown,
        scripted=False,
    )


def barred(change: IdentityChange, names: ClusterNames, target: Target) -> tuple[str, ...]:
    """Return what the export shows to stand in the way of subjects that are bound through the cluster's pool."""
    reading = shapes.DIALECT.read(names.documents)
    providers = [shapes.pool_provider(entry) for entry in reading.of("pools")]
    unnamed = any(isinstance(part, Placeholder) for part in target.pool.parts)
    if not names.issuer or unnamed or not (providers or reading.empty):
        return ()
    subjects = [str(one) for one in change.untrusted]
    bound = shapes.Binding(TRUST_ROLE, tuple(f"{target.pool}/subject/{one}" for one in subjects), "")
    policy = shapes.Policy(shapes.Level.ACCOUNT, str(target.email), (bound,), 0, "")
    notes = in_vain(
        judge_trust(
            str(target.email), [policy], [], providers, issuer=names.issuer, subjects=subjects, empty=reading.empty
        )
    )
    how = (
        "gcloud iam workload-identity-pools providers update-oidc (create-oidc where there is none) sets it: enabled, "
        f"--issuer-uri={names.issuer}, --allowed-audiences with {AUDIENCE}; pools update --no-disabled the pool."
    )
    return (*notes, how) if notes else ()
