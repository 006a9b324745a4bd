"""Who may assume a role: what its trust policy lacks, and the OIDC provider that must take the cluster's tokens first.

Sources: IAM API reference of `CreateOpenIDConnectProvider` and `AddClientIDToOpenIDConnectProvider`;
cloud-credential-operator `pkg/cmd/provisioning/aws` (client IDs: docs/facts/aws.md#trust).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.base.steps import Command, Placeholder, line, word
from upgrade_gate.base.text import sentence
from upgrade_gate.clouds.aws import remedy_documents
from upgrade_gate.clouds.aws.account import account_of
from upgrade_gate.clouds.aws.policies import decode
from upgrade_gate.clouds.aws.trust import WEBHOOK_AUDIENCE, judge_trust
from upgrade_gate.clouds.contract.holdings import Coverage, CoverageResult
from upgrade_gate.clouds.contract.remedy import variable
from upgrade_gate.clouds.shared.drafting import in_vain, trust
from upgrade_gate.clouds.shared.trust import AUDIENCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from upgrade_gate.base.steps import BundleFile, Step
    from upgrade_gate.clouds.aws.remedy_target import Target
    from upgrade_gate.clouds.contract.remedy import IdentityChange, Subject

TRUST_LIMIT = 2_048


def steps(change: IdentityChange, target: Target) -> Iterable[Step]:
    """Yield what lets the subjects in: the account's OIDC provider, and the role's trust policy where it lacks them."""
    if target.refused:
        yield _provided(change, target)
    held = decode(target.shown.trust) if target.shown is not None else None
    if not target.refused or held is None or _judged(target, held, change.untrusted).verdict is not Coverage.COVERED:
        yield _trusted(change, target)


def _judged(target: Target, policy: Any, subjects: Sequence[Subject]) -> CoverageResult:
    account = account_of(target.shown.arn) if target.shown is not None else None
    return judge_trust(str(target.name), policy, account, target.issuer, [str(one) for one in subjects])


def _provided(change: IdentityChange, target: Target) -> Step:
    """Return the step that lets the account take the cluster's tokens; every role of the cluster needs it once."""
    which = {"open_id_connect_provider_arn": target.provider_word}
    if target.provided:
        taken = f"contains(ClientIDList, '{AUDIENCE}')"
        command = Command(
            line("aws iam add-client-id-to-open-id-connect-provider", **which, client_id=AUDIENCE),
            unless=line("aws iam get-open-id-connect-provider", **which, query=taken, output="text"),
            shows="True",
        )
    else:
        clients = ("--client-id-list", AUDIENCE, WEBHOOK_AUDIENCE)
        command = Command(
            line("aws iam create-open-id-connect-provider", "--url", f"https://{target.issuer}", *clients),
            unless=line("aws iam get-open-id-connect-provider", **which),
        )
    return trust(
        change,
        f"Let the account take tokens of the issuer {target.issuer}",
        f"Without it no role of the cluster can be assumed: {target.refused}.",
        commands=(command,),
        notes=(
            (
                "STS fetches the issuer's keys: https://"
                f"{target.issuer}/.well-known/openid-configuration must be there for everybody to read."
            ),
            (
                "An older aws also asks for --thumbprint-list, which IAM does not need where the certificate is "
                "publicly trusted."
            ),
        ),
        unknown=target.unknown,
    )


def _trusted(change: IdentityChange, target: Target) -> Step:
    """Return the step that adds subjects to the trust policy; a document that was not seen is never replaced."""
    held = decode(target.shown.trust) if target.shown is not None else None
    unknown = target.unknown
    whole: BundleFile | Placeholder
    if held is not None:
        policy = remedy_documents.trust_with(held, target.provider, target.issuer, change.untrusted)
        file = target.file("trust", policy)
        notes = ["The document is the trust policy as the export shows it, with the new subjects added: none is lost."]
        notes += in_vain(_judged(target, policy, change.untrusted))
        size = remedy_documents.size(policy)
        if size > TRUST_LIMIT:
            notes.append(f"It has {size} characters; over {TRUST_LIMIT} needs a quota.")
        document, whole = word("file://", file), file
    else:
        policy = remedy_documents.trust(target.provider, target.issuer, change.untrusted)
        file = target.file("trust-delta", policy)
        whole = Placeholder(
            variable("TRUST_POLICY", change.label),
            f"a file with the whole trust policy of {target.who}, the statement of {file} added",
            path=True,
            mentions=tuple(map(str, change.untrusted)),
        )
        unknown = (*unknown, whole)
        document = word("file://", whole)
        notes = [
            (
                "The trust policy in place was not seen, and writing one replaces it: aws iam get-role prints it. Add "
                "the statement of the delta to it, keep every subject that stands there, and name the file."
            )
        ]
    return trust(
        change,
        f"Let {sentence(map(str, change.untrusted))} assume {target.who}",
        "ccoctl never refreshes the trust of a role that exists, so nobody else does this.",
        commands=(
            Command(
                target.line("update-assume-role-policy", policy_document=document),
                unless=target.line("get-{}", query="Role.AssumeRolePolicyDocument", output="json"),
                shows=whole,
                keeps=(whole,),
            ),
        ),
        files=(file,),
        notes=tuple(notes),
        unknown=unknown,
    )
