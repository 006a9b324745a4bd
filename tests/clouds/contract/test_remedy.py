"""What somebody narrowed is given whole in no document and by no command, whatever the cloud and the step."""

import pytest
from msgspec.structs import replace

from tests.worlds.identity_changes import action, change, cluster_names
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.remedy import HeldNarrowly, IdentityChange, remedy_of


def ibm(role: str) -> Grant:
    attributes = {"attributes": [{"name": "serviceName", "value": "is"}]}
    return Grant("role", f"crn:v1:bluemix:public:iam::::role:{role}", scope=attributes)


CLOUDS: dict[str, tuple[list[Grant], set[str]]] = {
    "AWS": (
        [action("ec2:Narrow"), action("ec2:New"), action("ec2:Gone")],
        {"aws/x-policy.json", "aws/x-policy-after.json", "terraform"},
    ),
    "Azure": (
        [Grant("permission", f"Microsoft.Compute/{name}/read") for name in ("narrow", "new", "gone")],
        {"azure/x-role.json", "azure/x-role-after.json", "terraform"},
    ),
    "GCP": (
        [
            *(Grant("permission", f"compute.{name}.get") for name in ("narrow", "new")),
            Grant("predefinedRole", "roles/compute.gone"),
        ],
        {"gcp/x-role.yaml", "gcp/x-role-after.yaml", "commands", "terraform"},
    ),
    "IBMCloud": ([ibm("Narrow"), ibm("New"), ibm("Gone")], {"ibmcloud/x-policies.json", "terraform"}),
}
"""What is held narrowly, what is missing and what nothing needs later; where the first stands if nobody narrowed it."""
OF_ANY_SPELLING = ("AWS", "Azure")


def naming(platform: str, one: IdentityChange) -> set[str]:
    """Return what would give the first grant: documents, commands, or the entry for Terraform."""
    cloud = remedy_of(one.kind)
    assert cloud is not None
    drafted = cloud.draft(one, cluster_names(platform, scopes=("c1",), account="S1", infrastructure="c1-x7k2p"))
    texts = {name: content.decode() for name, content in drafted.files.items()}
    texts["commands"] = " ".join(word for s in drafted.steps for c in s.commands for word in c.line.argv)
    texts["terraform"] = str(cloud.terraform(drafted.terraform))
    return {name for name, text in texts.items() if "narrow" in text.casefold()}


@pytest.mark.parametrize("platform", CLOUDS)
def test_what_is_held_narrowly_stands_in_the_document_for_a_decision_alone(platform: str) -> None:
    (narrow, new, gone), elsewhere = CLOUDS[platform]
    both = (narrow, new)
    one = change(f"{platform}ProviderSpec", [new], label="x", before=(*both, gone), target=both, gone=(gone,))
    assert naming(platform, one) == elsewhere

    name = narrow.permission.upper() if platform in OF_ANY_SPELLING else narrow.permission
    held = HeldNarrowly(replace(narrow, permission=name), "policy p allows it under a condition")
    folder = next(iter(elsewhere - {"terraform", "commands"})).partition("/")[0]
    (loosened,) = naming(platform, replace(one, narrower=(held,)))
    assert loosened.startswith(f"{folder}/x-loosened.")
