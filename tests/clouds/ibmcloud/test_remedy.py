"""IBM Cloud and Power VS: policies beside those in place, with the attributes that ccoctl adds."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.worlds.identity_changes import change, cluster_names, parsed, step
from upgrade_gate.base.steps import Serves
from upgrade_gate.clouds.contract.context import Context
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import Document
from upgrade_gate.clouds.contract.remedy import ClusterNames
from upgrade_gate.clouds.ibmcloud import remedy

KIND = "IBMCloudProviderSpec"
VIEWER = "crn:v1:bluemix:public:iam::::role:Viewer"
EDITOR = "crn:v1:bluemix:public:iam::::role:Editor"


def role(name: str, **attributes: str) -> Grant:
    return Grant("role", name, scope={"attributes": [{"name": k, "value": v} for k, v in sorted(attributes.items())]})


def here(*documents: Any, **fields: Any) -> ClusterNames:
    return cluster_names("IBMCloud", *documents, **{"account": "A1", "token": False, **fields})


def test_roles_with_the_same_attributes_stand_in_one_policy() -> None:
    grants = [role(VIEWER, serviceName="is"), role(EDITOR, serviceName="is"), role(VIEWER, serviceName="dns-svcs")]
    draft = remedy.draft(change(KIND, grants, identity="iam-ServiceId-7"), here())
    assert parsed(draft, "ServiceId-7-delta-2.json") == {
        "type": "access",
        "roles": [{"role_id": EDITOR}, {"role_id": VIEWER}],
        "resources": [{"attributes": [{"name": "serviceName", "value": "is"}, {"name": "accountId", "value": "A1"}]}],
        "subjects": [{"attributes": [{"name": "iam_id", "value": "iam-ServiceId-7"}]}],
    }
    assert len(parsed(draft, "-policies.json")) == 2
    first = step(draft, Serves.GRANTS).commands[0]
    assert first.line.argv == (
        *("ibmcloud", "iam", "service-policy-create", "ServiceId-7"),
        *("--file", "@ibmcloud/ServiceId-7-delta-1.json", "--force"),
    )


def test_policies_stay_within_the_clusters_resource_group() -> None:
    grants = [role(VIEWER, resourceType="resource-group"), role(VIEWER, serviceName="is")]
    draft = remedy.draft(change(KIND, grants, identity="iam-ServiceId-7", scopes=("c1-rg",)), here())
    names = [[a["name"] for a in p["resources"][0]["attributes"]] for p in parsed(draft, "-policies.json")]
    assert names == [["resourceType", "resource", "accountId"], ["serviceName", "resourceGroupId", "accountId"]]
    assert {p.name for p in step(draft, Serves.GRANTS).placeholders} == {"IBMCLOUD_RESOURCE_GROUP_ID"}


def test_the_resource_group_that_the_export_shows_need_not_be_filled_in() -> None:
    crn = "crn:v1:bluemix:public:resource-controller::a/A1::resource-group:0123"
    groups = [{"id": "0123", "crn": crn, "name": "c1-rg"}, {"id": "4567", "crn": f"{crn}4567", "name": "other"}]
    grants = [role(VIEWER, serviceName="is")]
    one = change(KIND, grants, identity="iam-ServiceId-7", scopes=("c1-rg",))
    draft = remedy.draft(one, cluster_names("IBMCloud", groups, account="A1", token=False))
    assert {"name": "resourceGroupId", "value": "0123"} in parsed(draft, "-delta-1.json")["resources"][0]["attributes"]
    assert step(draft, Serves.GRANTS).placeholders == ()


class Walked(tuple[Document, ...]):
    """An export that counts how often somebody walks through it."""

    walks = 0

    def __iter__(self) -> Iterator[Document]:
        self.walks += 1
        return super().__iter__()


def test_the_export_is_walked_once_however_many_policies_there_are() -> None:
    crn = "crn:v1:bluemix:public:resource-controller::a/A1::resource-group:0123"
    export = Walked([Document([{"id": "0123", "crn": crn, "name": "c1-rg"}], "export.json")])
    grants = [role(VIEWER, serviceName=f"s{number}") for number in range(5)]
    draft = remedy.draft(change(KIND, grants, identity="iam-ServiceId-7", scopes=("c1-rg",)), here(documents=export))
    assert all("0123" in str(policy) for policy in parsed(draft, "-policies.json"))
    assert export.walks == 1


def test_a_policy_that_stands_already_is_no_failure() -> None:
    draft = remedy.draft(change(KIND, [role(VIEWER, serviceName="is")], identity="iam-ServiceId-7"), here())
    (command,) = step(draft, Serves.GRANTS).commands
    assert "policy_conflict_error" in command.done


def test_a_new_service_id_is_made_first_and_named_for_the_proof() -> None:
    """Its API key is needed in the Secret, and no Secret says which service ID it belongs to."""
    draft = remedy.draft(change(KIND, [role(VIEWER, serviceName="is")], create=True), here())
    created = draft.steps[0]
    assert created.first
    assert any("service-api-key-create ccoctl-generated-key <FILL_ME" in note for note in created.notes)
    assert any("identities: openshift-x/x-credentials" in note for note in created.notes)
    (name,) = created.placeholders
    assert "ccoctl would call it" in name.meaning


def test_a_new_service_id_carries_the_name_that_ccoctl_never_cuts() -> None:
    name = "c1-" + "n" * 100
    draft = remedy.draft(change(KIND, [role(VIEWER, serviceName="is")], ccoctl=name, create=True), here())
    create = draft.steps[0].commands[0]
    assert create.line.argv[:4] == ("ibmcloud", "iam", "service-id-create", name)
    assert create.unless.argv == ("ibmcloud", "iam", "service-id", name)


def test_what_is_not_known_is_to_be_filled_in() -> None:
    grant = step(remedy.draft(change(KIND, [role(VIEWER, serviceName="is")]), here(account=None)), Serves.GRANTS)
    assert {p.name for p in grant.placeholders} == {
        "IBMCLOUD_ACCOUNT_ID",
        "IBMCLOUD_SERVICE_ID_OPENSHIFT_X_X_CREDENTIALS",
    }


def test_the_clean_up_is_for_a_person() -> None:
    after = step(remedy.draft(change(KIND, identity="iam-ServiceId-7", gone=(role(VIEWER),)), here()), Serves.CLEAN_UP)
    assert not after.scripted


def test_ccoctl_gets_the_new_requests_alone() -> None:
    offer = remedy.ccoctl([change(KIND, create=True)], here(ccoctl_name="c1", scopes=("c1-rg",)))
    assert offer is not None
    assert offer.requests == "credentials-requests-new"
    assert offer.line.argv[3:] == (
        *("--name", "c1", "--credentials-requests-dir", "credentials-requests-new"),
        *("--resource-group-name", "c1-rg", "--output-dir", "ccoctl-output"),
    )
    assert "fails for the whole run" in offer.traps[0]


def test_ccoctl_cannot_help_an_identity_that_exists() -> None:
    assert remedy.ccoctl([change(KIND)], here()) is None
    assert remedy.ccoctl([change(KIND, create=True)], here(release=(4, 9))) is None


def test_the_environment_file_stands_around_the_key() -> None:
    text = remedy.secret_value("ibm-credentials.env", change(KIND), here())
    assert text == "IBMCLOUD_AUTHTYPE=iam\nIBMCLOUD_APIKEY=<FILL_ME: ibmcloud_api_key>\n"
    assert remedy.secret_value("ibmcloud_api_key", change(KIND), here()) is None


def test_terraform_gets_policies_as_data() -> None:
    grants = [role(VIEWER, serviceName="is")]
    (entry,) = remedy.draft(change(KIND, grants, identity="iam-ServiceId-7"), here()).terraform
    assert remedy.terraform([entry]) == {
        "locals": {
            "upgrade_gate_ibmcloud_policies": {
                "ServiceId-7": {"policies": [{"attributes": {"serviceName": "is"}, "roles": [VIEWER]}]}
            }
        }
    }


@pytest.mark.parametrize(
    ("service", "context", "groups"),
    [
        ("dns-svcs", None, ["0123"]),
        ("dns-svcs", Context(dns_instance_group="net"), ["0456"]),
        ("internet-svcs", Context(cis_instance_group="7" * 32), ["7" * 32]),
        ("internet-svcs", Context(cis_instance="crn:v1:x:cis:y"), ["0456"]),
        ("dns-svcs", Context(dns_instance="crn:v1:x:dns:y"), ["<FILL_ME: IBMCLOUD_DNS_RESOURCE_GROUP_ID>"]),
        ("internet-svcs", Context(unread={"cis_instance": "forbidden"}), ["<FILL_ME: IBMCLOUD_CIS_RESOURCE_GROUP_ID>"]),
        ("internet-svcs", Context(), ["0123"]),
        ("is", Context(vpc_group="net"), ["0123", "0456"]),
        ("is", Context(vpc_group="c1-rg"), ["0123"]),
        ("is", Context(vpc_group="far"), ["0123", "<FILL_ME: IBMCLOUD_VPC_RESOURCE_GROUP_ID>"]),
        ("cloud-object-storage", Context(vpc_group="net"), ["0123"]),
    ],
    ids=[
        "no cluster",
        "given by name",
        "given by ID",
        "of an instance in the export",
        "of one that is not in it",
        "not read",
        "there is none",
        "a VPC elsewhere",
        "a VPC in the cluster's",
        "a VPC in a group that is not in the export",
        "storage",
    ],
)
def test_a_policy_lies_in_the_group_of_what_it_is_about(
    service: str, context: Context | None, groups: list[str]
) -> None:
    listed = [
        {"id": number, "crn": f"crn:v1:bluemix:public:resource-controller::a/A1::resource-group:{number}", "name": name}
        for number, name in (("0123", "c1-rg"), ("0456", "net"), ("0999", ""))
    ]
    instances = [{"id": "crn:v1:x:cis:y", "name": "i", "resource_group_id": "0456"}]
    one = change(KIND, [role(VIEWER, serviceName=service)], identity="iam-ServiceId-7", scopes=("c1-rg",))
    draft = remedy.draft(one, here(listed, instances, context=context))
    held = [
        attribute["value"]
        for policy in parsed(draft, "-policies.json")
        for attribute in policy["resources"][0]["attributes"]
        if attribute["name"] == "resourceGroupId"
    ]
    assert held == groups
    assert len(step(draft, Serves.GRANTS).commands) == len(groups)


def test_without_an_export_a_vpc_in_the_cluster_s_group_asks_for_nothing_more() -> None:
    one = change(KIND, [role(VIEWER, serviceName="is")], identity="iam-ServiceId-7", scopes=("c1-rg",))
    (policy,) = parsed(remedy.draft(one, here(context=Context(vpc_group="c1-rg"))), "-policies.json")
    assert policy["resources"][0]["attributes"][1]["value"] == "<FILL_ME: IBMCLOUD_RESOURCE_GROUP_ID>"
