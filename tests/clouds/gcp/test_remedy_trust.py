"""GCP: a binding that cannot help says what stands in the way, and a disabled account is a person's to enable."""

from typing import Any

import pytest

from tests.worlds.identity_changes import ISSUER, change, cluster_names, subjects
from upgrade_gate.base.steps import Serves, Step
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.gcp import remedy

KIND = "GCPProviderSpec"
EMAIL = "c1-x@p1.iam.gserviceaccount.com"
PATH = "projects/42/locations/global/workloadIdentityPools/c1"
MEMBER = f"principal://iam.googleapis.com/{PATH}/subject/system:serviceaccount:openshift-x:other"
BOUND = {
    "serviceAccount": EMAIL,
    "policy": {"bindings": [{"role": "roles/iam.workloadIdentityUser", "members": [MEMBER]}]},
}
BARRED = "may not let them in"


def provider(**changes: Any) -> dict[str, Any]:
    oidc = {"issuerUri": ISSUER, "allowedAudiences": ["openshift"]}
    body = {"name": f"{PATH}/providers/p", "state": "ACTIVE", "attributeMapping": {"google.subject": "assertion.sub"}}
    return {**body, "oidc": {**oidc, **changes.pop("oidc", {})}, **changes}


def drafted(*documents: Any, delta: tuple[Grant, ...] = (), untrusted: Any = None) -> list[Step]:
    names = cluster_names("GCP", *documents, scopes=("p1",), issuer=ISSUER)
    return list(
        remedy.draft(
            change(KIND, delta, identity=EMAIL, untrusted=subjects("a") if untrusted is None else untrusted), names
        ).steps
    )


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"disabled": True}, "disabled"),
        ({"oidc": {"issuerUri": "https://other.example.com"}}, "other.example.com"),
        ({"oidc": {"allowedAudiences": ["another"]}}, "another"),
    ],
    ids=["disabled", "issuer", "audience"],
)
def test_a_provider_that_refuses_the_tokens_is_told(changes: dict[str, Any], word: str) -> None:
    (step,) = drafted(BOUND, provider(**changes))
    (note,) = (n for n in step.notes if BARRED in n)
    assert word in note
    assert any("update-oidc" in n and ISSUER in n and "openshift" in n for n in step.notes)


@pytest.mark.parametrize("documents", [(BOUND,), (BOUND, provider())], ids=["unseen", "right"])
def test_a_provider_that_takes_them_or_was_not_seen_is_no_matter(documents: Any) -> None:
    (step,) = drafted(*documents)
    assert not any(BARRED in note or "update-oidc" in note for note in step.notes)


@pytest.mark.parametrize(
    ("delta", "serves"), [((Grant("permission", "compute.disks.get"),), Serves.GRANTS), ((), Serves.TRUST)]
)
def test_a_disabled_account_comes_first_and_is_for_a_person(delta: tuple[Grant, ...], serves: Serves) -> None:
    account = {"email": EMAIL, "name": f"projects/p1/serviceAccounts/{EMAIL}", "projectId": "p1", "uniqueId": "1"}
    first, *_ = drafted([{**account, "disabled": True}], delta=delta)
    assert (first.serves, first.scripted) == (serves, False)
    assert first.commands[0].line.argv[:4] == ("gcloud", "iam", "service-accounts", "enable")
    assert "Enable" not in drafted([account], delta=delta)[0].title
    assert drafted([{**account, "disabled": True}], untrusted=()) == []
