"""Azure live: the documents that Resource Manager gives, by GET alone, and what happens when it does not."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.worlds.cloud_api import TOKEN, Answer, CloudApi, serve
from upgrade_gate.base.errors import EntitlementError, UsageError
from upgrade_gate.clouds.azure import holdings as azure
from upgrade_gate.clouds.azure import live
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import Coverage

if TYPE_CHECKING:
    from tests.worlds.certificates import Certificates

pytestmark = pytest.mark.slow

SUB = "/subscriptions/S1"
AUTHORIZATION = f"{SUB}/providers/Microsoft.Authorization"
IDENTITIES = f"{SUB}/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
IDENTITY = f"{SUB}/resourcegroups/oidc/providers/Microsoft.ManagedIdentity/userAssignedIdentities/c1"
P, CLIENT, GROUP = "p-1", "c-1", "g-1"
READ = Grant("permission", "Microsoft.Compute/disks/read")
WRITE = Grant("permission", "Microsoft.Compute/disks/write")


def assignment(name: str, role: str, principal: str = P, kind: str = "ServicePrincipal") -> dict[str, Any]:
    """A role assignment as REST gives it."""
    return {
        "id": f"{AUTHORIZATION}/roleAssignments/{name}",
        "name": name,
        "type": "Microsoft.Authorization/roleAssignments",
        "properties": {
            "principalId": principal,
            "principalType": kind,
            "roleDefinitionId": f"{AUTHORIZATION}/roleDefinitions/{role}",
            "scope": f"{SUB}/resourceGroups/rg",
        },
    }


def definition(role: str, *actions: str) -> dict[str, Any]:
    """A role definition as REST gives it."""
    return {
        "id": f"{AUTHORIZATION}/roleDefinitions/{role}",
        "name": role,
        "type": "Microsoft.Authorization/roleDefinitions",
        "properties": {"roleName": role, "type": "CustomRole", "permissions": [{"actions": list(actions)}]},
    }


def answers() -> dict[str, list[Answer]]:
    """A subscription with two pages of assignments; one role is held through a group."""
    return {
        f"GET {AUTHORIZATION}/roleAssignments": [
            Answer(
                {
                    "value": [assignment("a1", "readers")],
                    "nextLink": f"{{url}}{AUTHORIZATION}/roleAssignments?api-version=2022-04-01&$skiptoken=2",
                }
            )
        ],
        f"GET {AUTHORIZATION}/roleAssignments?2": [
            Answer({"value": [assignment("a2", "writers", GROUP, "Group")], "nextLink": None})
        ],
        f"GET {AUTHORIZATION}/roleDefinitions": [
            Answer({"value": [definition("readers", READ.permission), definition("writers", WRITE.permission)]})
        ],
        f"GET {AUTHORIZATION}/denyAssignments": [Answer({"value": []})],
        f"GET {IDENTITIES}": [
            Answer(
                {
                    "value": [
                        {
                            "id": IDENTITY,
                            "name": "c1",
                            "type": "Microsoft.ManagedIdentity/userAssignedIdentities",
                            "properties": {"clientId": CLIENT, "principalId": P, "tenantId": "T"},
                        }
                    ]
                }
            )
        ],
        f"GET {IDENTITY}/federatedIdentityCredentials": [
            Answer(
                {
                    "value": [
                        {
                            "id": f"{IDENTITY}/federatedIdentityCredentials/f",
                            "name": "f",
                            "properties": {"issuer": "https://i", "subject": "s", "audiences": ["openshift"]},
                        }
                    ]
                }
            )
        ],
    }


def settings(api: CloudApi, certificates: Certificates, **more: Any) -> dict[str, Any]:
    """What the reader is told."""
    return {
        "account": "S1",
        "endpoint": api.url,
        "token": TOKEN,
        "certificate_authority": certificates.authority,
        "timeout": 20,
    } | more


def test_collects_what_an_export_holds_by_get_alone(certificates: Certificates) -> None:
    with serve(certificates, answers()) as api:
        documents = live.collect(settings(api, certificates))
    holdings = azure.build([d for d in documents if azure.recognises(d.body)], "S1")
    assert all(azure.recognises(d.body) for d in documents)
    judgement = holdings.judge(CLIENT, READ, ["rg"])
    assert judgement.verdict is Coverage.COVERED
    assert judgement.caveats == (), "deny assignments were read, and there are none"
    assert holdings.trust(CLIENT, "https://i", ["s"]).verdict is Coverage.COVERED
    assert api.methods == {"GET"}
    assert api.count(f"{AUTHORIZATION}/roleAssignments") == 4, (
        "two pages of all, and two of what the principal and its groups hold"
    )


def test_the_filtered_listing_proves_membership(certificates: Certificates) -> None:
    served = answers()
    with serve(certificates, served) as api:
        documents = live.collect(settings(api, certificates))
    filtered = [query for _, _, query, _ in api.calls if "$filter" in query]
    assert [q["$filter"] for q in filtered] == [f"assignedTo('{P}')"]
    assert azure.build(documents, "S1").judge(CLIENT, WRITE, ["rg"]).verdict is Coverage.COVERED


def test_only_the_named_identities_are_read_further(certificates: Certificates) -> None:
    with serve(certificates, answers()) as api:
        live.collect(settings(api, certificates, identities=["another"]))
        assert api.count(f"{IDENTITY}/federatedIdentityCredentials") == 0
        live.collect(settings(api, certificates, identities=["another", f"principal:{P.upper()}"]))
        assert api.count(f"{IDENTITY}/federatedIdentityCredentials") == 1


def test_what_may_not_be_read_is_left_out_where_it_is_optional(certificates: Certificates) -> None:
    refused = Answer({"error": {"code": "AuthorizationFailed", "message": "no"}}, 403)
    served = answers() | {f"GET {AUTHORIZATION}/denyAssignments": [refused]}
    with serve(certificates, served) as api:
        documents = live.collect(settings(api, certificates))
    judgement = azure.build(documents, "S1").judge(CLIENT, READ, ["rg"])
    assert judgement.verdict is Coverage.COVERED
    assert any("deny assignments" in caveat for caveat in judgement.caveats)


@pytest.mark.parametrize("path", [f"{AUTHORIZATION}/roleAssignments", f"{AUTHORIZATION}/roleDefinitions", IDENTITIES])
def test_a_refusal_names_the_call_and_the_permission(path: str, certificates: Certificates) -> None:
    refused = Answer({"error": {"code": "AuthorizationFailed", "message": "does not have authorization"}}, 403)
    with (
        serve(certificates, answers() | {f"GET {path}": [refused]}) as api,
        pytest.raises(EntitlementError, match=r"403 AuthorizationFailed does not have") as caught,
    ):
        live.collect(settings(api, certificates))
    assert path in str(caught.value)
    assert "/read" in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_too_many_requests_are_repeated_after_the_time_asked_for(certificates: Certificates) -> None:
    path = f"{AUTHORIZATION}/roleDefinitions"
    busy = Answer({"error": {"code": "TooManyRequests", "message": "slow down"}}, 429, {"Retry-After": "0"})
    served = answers()
    served[f"GET {path}"] = [busy, Answer({}, 503), *served[f"GET {path}"]]
    with serve(certificates, served) as api:
        assert live.collect(settings(api, certificates))
    assert api.count(path) == 3


def test_a_wait_beyond_the_deadline_is_not_begun(certificates: Certificates) -> None:
    busy = Answer({}, 429, {"Retry-After": "3600"})
    with serve(certificates, answers() | {f"GET {AUTHORIZATION}/roleAssignments": [busy]}) as api:
        with pytest.raises(EntitlementError, match="deadline"):
            live.collect(settings(api, certificates))
        assert len(api.calls) == 1


def test_a_server_that_stays_busy_is_given_up(certificates: Certificates) -> None:
    busy = Answer({}, 429, {"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"})
    with serve(certificates, answers() | {f"GET {AUTHORIZATION}/roleAssignments": [busy]}) as api:
        with pytest.raises(EntitlementError, match="429"):
            live.collect(settings(api, certificates))
        assert len(api.calls) == 4


def test_an_answer_that_is_cut_off_is_read_again(certificates: Certificates) -> None:
    path = f"GET {AUTHORIZATION}/roleDefinitions"
    whole = answers()[path][0]
    with serve(certificates, answers() | {path: [Answer(whole.body, cut=True), whole]}) as api:
        documents = live.collect(settings(api, certificates))
    assert azure.build(documents, "S1").judge(CLIENT, READ, ["rg"]).verdict is Coverage.COVERED


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer({"value": []}, cut=True), "cut off"),
        (Answer(raw=b'{"value": ['), "cut off or is not JSON"),
        (Answer({"value": 7}), "no list 'value'"),
        (Answer([]), "no list 'value'"),
        (Answer({}), "no list 'value'"),
        (Answer({}, 302, {"Location": "https://example.com/"}), "302"),
        (Answer({"value": [], "nextLink": "https://example.com/steal"}), "another host"),
        (Answer({"value": [], "nextLink": "{url}" + f"{AUTHORIZATION}/roleAssignments?again"}), "do not end"),
        (Answer({"error": {"code": "SubscriptionNotFound"}}, 404), "SubscriptionNotFound"),
        (Answer(raw=b"<html>gateway</html>", status=400), "gateway"),
    ],
)
def test_an_answer_that_cannot_be_used_is_an_error(answer: Answer, says: str, certificates: Certificates) -> None:
    with (
        serve(certificates, answers() | {f"GET {AUTHORIZATION}/roleAssignments": [answer]}) as api,
        pytest.raises(EntitlementError, match=says),
    ):
        live.collect(settings(api, certificates))


@pytest.mark.parametrize("body", [{}, {"error": {"code": "AuthorizationFailed"}}, {"value": [], "error": {}}])
def test_deny_assignments_that_did_not_come_are_a_caveat(body: Any, certificates: Certificates) -> None:
    with serve(certificates, answers() | {f"GET {AUTHORIZATION}/denyAssignments": [Answer(body)]}) as api:
        judgement = azure.build(live.collect(settings(api, certificates)), "S1").judge(CLIENT, READ, ["rg"])
    assert judgement.verdict is Coverage.COVERED
    assert "deny assignments are not in the export" in judgement.caveats[0]


def test_the_deadline_holds_for_all_calls_together(certificates: Certificates) -> None:
    slow = Answer({"value": []}, slow=0.6)
    served = answers() | {f"GET {AUTHORIZATION}/roleAssignments": [slow]}
    with (
        serve(certificates, served) as api,
        pytest.raises(EntitlementError, match=r"deadline|no answer in time"),
    ):
        live.collect(settings(api, certificates, timeout=0.3))


def test_a_wrong_token_is_a_refusal(certificates: Certificates) -> None:
    with serve(certificates, answers()) as api, pytest.raises(EntitlementError, match="401") as caught:
        live.collect(settings(api, certificates, token="another-token"))
    assert "another-token" not in str(caught.value)


def test_a_certificate_of_nobody_is_not_trusted(certificates: Certificates) -> None:
    with serve(certificates, answers()) as api, pytest.raises(EntitlementError, match="not trusted"):
        live.collect(settings(api, certificates, certificate_authority=certificates.self_signed))
    assert api.calls == []


def test_plain_http_is_refused_before_the_token_is_sent(certificates: Certificates) -> None:
    with serve(certificates, answers()) as api, pytest.raises(UsageError, match="https only"):
        live.collect(settings(api, certificates, endpoint="http://127.0.0.1:1"))


def test_a_server_that_is_not_there_is_an_error(certificates: Certificates) -> None:
    with serve(certificates, answers()) as api:
        url = api.url
    gone = settings(api, certificates, endpoint=url)
    with pytest.raises(EntitlementError, match="connection failed"):
        live.collect(gone)


def test_the_subscription_must_be_known() -> None:
    with pytest.raises(UsageError, match="subscription of Azure is not known"):
        live.collect({"token": TOKEN})


def test_the_missing_library_is_a_usage_error_that_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    monkeypatch.setitem(sys.modules, "azure.core.exceptions", None)
    with pytest.raises(UsageError, match=r"upgrade-gate\[azure\]"):
        live.collect({"account": "S1"})
