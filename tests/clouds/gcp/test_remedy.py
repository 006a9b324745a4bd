"""GCP: custom roles that are only added to, bindings, workload identity, names by ccoctl's rules."""

import re
from typing import Any

import pytest
import yaml

from tests.worlds.identity_changes import ISSUER, change, cluster_names, parsed, step, subjects, unknown
from upgrade_gate.base.steps import Serves, Shows
from upgrade_gate.clouds.contract.context import Context
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.remedy import ClusterNames, Draft, HeldNarrowly
from upgrade_gate.clouds.gcp import remedy
from upgrade_gate.clouds.gcp.members import home_of

KIND = "GCPProviderSpec"
EMAIL = "c1-x@p1.iam.gserviceaccount.com"
GET = Grant("permission", "compute.disks.get")
LIST = Grant("permission", "compute.disks.list")
ADMIN = Grant("predefinedRole", "roles/compute.admin")
POOL = "principal://iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/c1"


def here(*documents: Any, **fields: Any) -> ClusterNames:
    return cluster_names("GCP", *documents, **{"scopes": ("p1",), "issuer": ISSUER, **fields})


PROJECT = {"bindings": [{"role": "projects/p1/roles/own", "members": [f"serviceAccount:{EMAIL}"]}], "version": 3}
OWN = {"name": "projects/p1/roles/own", "title": "ours", "stage": "GA", "includedPermissions": ["a.b.c"], "etag": "x"}
TRUSTED = {
    "serviceAccount": EMAIL,
    "policy": {
        "bindings": [
            {
                "role": "roles/iam.workloadIdentityUser",
                "members": [f"{POOL}/subject/system:serviceaccount:openshift-x:x-sa"],
            }
        ]
    },
}


def test_a_custom_role_is_made_or_added_to_and_bound() -> None:
    draft = remedy.draft(change(KIND, [GET], before=(GET, LIST), identity=EMAIL), here())
    undelete, role, added, binding = step(draft, Serves.GRANTS).commands
    assert undelete.line.argv[:5] == ("gcloud", "iam", "roles", "undelete", "p1_xoperator")
    assert (undelete.where.argv[-1], undelete.prints) == ("value(deleted)", "True")
    assert role.line.argv == (
        *("gcloud", "iam", "roles", "create", "p1_xoperator", "--project", "p1"),
        *("--file", "gcp/c1-x-role.yaml", "--quiet"),
    )
    assert role.unless.argv == ("gcloud", "iam", "roles", "describe", "p1_xoperator", "--project", "p1")
    assert added.line.argv[-3:] == ("--add-permissions", GET.permission, "--quiet")
    assert "--permissions" not in added.line.argv, "an update never replaces what a shared role holds"
    assert (added.shows, added.how) == (GET.permission, Shows.ALL), (
        "what others added to it is not a reason to write it"
    )
    assert binding.line.argv == (
        *("gcloud", "projects", "add-iam-policy-binding", "p1", "--member", f"serviceAccount:{EMAIL}"),
        *("--role", "projects/p1/roles/p1_xoperator", "--condition", "None", "--quiet"),
    )
    assert parsed(draft, "-role.yaml")["includedPermissions"] == [GET.permission, LIST.permission]
    assert parsed(draft, "-delta.yaml")["includedPermissions"] == [GET.permission]
    assert parsed(draft, "-bindings.yaml") == {
        "bindings": [{"role": "projects/p1/roles/p1_xoperator", "members": [f"serviceAccount:{EMAIL}"]}]
    }


def test_role_names_are_cut_as_ccoctl_cuts_them() -> None:
    """`alnum(project)[:32]_alnum(request)[:31]`, title `project[:50]-request[:49]` (docs/facts/gcp.md#ccoctl)."""
    project, name = "a-very-long-project-name-0123456789-abcdefghij", "openshift-cloud-network-config-controller-gcp-x"
    new = change(KIND, [GET], identity=EMAIL, components=(name,))
    draft = remedy.draft(new, here(scopes=(project,)))
    role = step(draft, Serves.GRANTS).commands[1].line.argv[4]
    assert role == "averylongprojectname0123456789ab_openshiftcloudnetworkconfigcont"
    assert len(role) <= 64
    assert parsed(draft, "-role.yaml")["title"] == f"{project[:50]}-{name[:49]}"


def test_the_custom_role_that_the_account_holds_is_added_to_and_never_created() -> None:
    draft = remedy.draft(change(KIND, [GET], identity=EMAIL), here(PROJECT, OWN))
    _, role, _ = step(draft, Serves.GRANTS).commands
    assert role.line.argv == (
        *("gcloud", "iam", "roles", "update", "own", "--project", "p1"),
        *("--add-permissions", GET.permission, "--quiet"),
    )
    assert (role.shows, role.how) == (GET.permission, Shows.ALL)
    assert parsed(draft, "-role.yaml")["title"] == "ours"


def test_a_role_that_other_components_hold_is_left_alone() -> None:
    """What is added to it would be theirs as well; one of ccoctl's own name is shared between clusters by design."""
    member, other = f"serviceAccount:{EMAIL}", "serviceAccount:other@p1.iam.gserviceaccount.com"
    shared = {"bindings": [{"role": "projects/p1/roles/own", "members": [member, other]}], "version": 3}
    draft = remedy.draft(change(KIND, [GET], identity=EMAIL), here(shared, OWN))
    assert step(draft, Serves.GRANTS).commands[1].line.argv[3:5] == ("create", "p1_xoperator")
    ccoctls = {"bindings": [{"role": "projects/p1/roles/p1_xoperator", "members": [member, other]}], "version": 3}
    draft = remedy.draft(change(KIND, [GET], identity=EMAIL), here(ccoctls))
    assert step(draft, Serves.GRANTS).commands[1].line.argv[3:5] == ("update", "p1_xoperator")
    titled = {**OWN, "title": "p1-x-operator"}
    draft = remedy.draft(change(KIND, [GET], identity=EMAIL), here(shared, titled))
    assert step(draft, Serves.GRANTS).commands[1].line.argv[3:5] == ("update", "own"), (
        "ccoctl finds its role by its title"
    )


@pytest.mark.parametrize("dead", [{"stage": "DISABLED"}, {"deleted": True}], ids=["disabled", "deleted"])
def test_a_role_that_grants_nothing_is_not_added_to(dead: dict[str, Any]) -> None:
    draft = remedy.draft(change(KIND, [GET], identity=EMAIL), here(PROJECT, {**OWN, **dead}))
    assert step(draft, Serves.GRANTS).commands[1].line.argv[3:5] == ("create", "p1_xoperator")


def test_a_name_with_a_comma_stays_one_name() -> None:
    """`gcloud` takes a list apart at commas: one permission of a payload must not become two."""
    odd = Grant("permission", "a.b.c,resourcemanager.projects.setIamPolicy")
    update = step(remedy.draft(change(KIND, [GET, odd], identity=EMAIL), here(PROJECT, OWN)), Serves.GRANTS).commands[1]
    listed = update.line.argv[update.line.argv.index("--add-permissions") + 1]
    assert listed == f"^;^{odd.permission};{GET.permission}"


def test_a_predefined_role_is_bound() -> None:
    draft = remedy.draft(change(KIND, [ADMIN], identity=EMAIL), here())
    (binding,) = step(draft, Serves.GRANTS).commands
    assert binding.line.argv[7] == "roles/compute.admin"
    assert [n for n in draft.files if "role.yaml" in n] == []


def test_each_subject_is_bound_in_the_pool_that_the_export_shows() -> None:
    draft = remedy.draft(change(KIND, identity=EMAIL, untrusted=subjects("a", "b")), here(TRUSTED))
    trust = step(draft, Serves.TRUST)
    assert [c.line.argv[2] for c in trust.commands] == ["service-accounts"] * 2
    assert f"{POOL}/subject/system:serviceaccount:openshift-x:a" in trust.commands[0].line.argv
    assert trust.placeholders == ()


def test_an_unknown_pool_is_to_be_filled_in() -> None:
    trust = step(remedy.draft(change(KIND, identity=EMAIL, untrusted=subjects("a")), here()), Serves.TRUST)
    assert {p.name for p in trust.placeholders} == {"GCP_PROJECT_NUMBER", "GCP_WORKLOAD_IDENTITY_POOL"}


def test_a_new_account_has_ccoctls_display_name_and_a_legal_id() -> None:
    new = change(KIND, [GET], ccoctl="c1-x-operator", create=True, untrusted=subjects("x-sa"))
    first = remedy.draft(new, here(ccoctl_name="c1"))
    create = first.steps[0].commands[0]
    account = create.line.argv[4]
    assert account.startswith("c1-x-operator-")
    assert 6 <= len(account) <= 30
    assert create.line.argv[create.line.argv.index("--display-name") + 1] == "c1-x-operator"
    assert create.unless.argv[4] == f"{account}@p1.iam.gserviceaccount.com"
    assert remedy.draft(new, here(ccoctl_name="c1")) == first, "the same names every time"
    assert [s.first for s in first.steps] == [True, False, False]


def test_without_project_or_email_there_are_placeholders() -> None:
    grant = step(remedy.draft(change(KIND, [GET]), here(scopes=())), Serves.GRANTS)
    assert {p.name for p in grant.placeholders} == {"GCP_PROJECT", "GCP_SERVICE_ACCOUNT_OPENSHIFT_X_X_CREDENTIALS"}
    assert "<FILL_ME" not in grant.commands[0].line.argv[4]


# where it must hold ---------------------------------------------------------------------------------------------

ACT_AS = Grant("permission", "iam.serviceAccounts.actAs")
USER = Grant("predefinedRole", "roles/iam.serviceAccountUser")
ZONES = Grant("permission", "dns.changes.create")
FIREWALL = Grant("permission", "compute.firewalls.create")
NODES = ("c1-m@p1.iam.gserviceaccount.com", "c1-w@nodes.iam.gserviceaccount.com")


def lines(draft: Draft) -> list[str]:
    return [" ".join(c.line.argv) for s in draft.steps for c in s.commands]


@pytest.mark.parametrize("needed", [ACT_AS, USER], ids=["permission", "role"])
def test_acting_as_is_bound_on_the_accounts_of_the_nodes(needed: Grant) -> None:
    names = here(context=Context(project="p1", node_service_accounts=NODES))
    draft = remedy.draft(change(KIND, [needed, GET], identity=EMAIL), names)
    use = [one for one in lines(draft) if "service-accounts add-iam-policy-binding" in one]
    assert [one.split()[4:7] for one in use] == [[NODES[0], "--project", "p1"], [NODES[1], "--project", "nodes"]]
    assert all(f"--role roles/iam.serviceAccountUser --member serviceAccount:{EMAIL}" in one for one in use)
    assert parsed(draft, "-role.yaml")["includedPermissions"] == [GET.permission]
    assert not any("projects add" in one and "serviceAccountUser" in one for one in lines(draft))


@pytest.mark.parametrize("context", [None, Context(project="p1"), Context(project="p1", node_service_accounts=())])
@pytest.mark.parametrize("needed", [ACT_AS, USER], ids=["permission", "role"])
def test_acting_as_is_granted_on_no_project_where_the_nodes_are_not_known(
    needed: Grant, context: Context | None
) -> None:
    draft = remedy.draft(change(KIND, [needed], identity=EMAIL), here(context=context, infrastructure="c1-x7k2p"))
    (only,) = draft.steps
    assert not only.scripted
    assert only.commands[0].line.argv[:4] == ("gcloud", "compute", "instances", "list")
    assert not any("gcloud projects add-iam-policy-binding" in one for one in lines(draft))
    assert not any(ACT_AS.permission in content.decode() for content in draft.files.values())


def test_what_must_hold_in_another_project_is_granted_there() -> None:
    """A project binds its own custom roles only: the one of another project is made there, with what belongs there."""
    names = here(context=Context(project="p1", dns_projects=("p1", "zones"), network_project="net"))
    draft = remedy.draft(change(KIND, [GET, ZONES, FIREWALL], identity=EMAIL), names)
    held = {
        name.removeprefix("gcp/c1-x").removesuffix("-role.yaml"): yaml.safe_load(body)["includedPermissions"]
        for name, body in draft.files.items()
        if name.endswith("-role.yaml")
    }
    assert held == {
        "": [GET.permission, ZONES.permission],
        "-zones": [ZONES.permission],
        "-net": [FIREWALL.permission],
    }
    bound = [one for one in lines(draft) if "projects add-iam-policy-binding" in one]
    assert [(one.split()[3], one.split()[7]) for one in bound] == [
        (project, f"projects/{project}/roles/p1_xoperator") for project in ("p1", "net", "zones")
    ]


def test_ccoctl_says_what_it_does_not_reach() -> None:
    names = here(ccoctl_name="c1", context=Context(project="p1", dns_projects=("zones",)))
    offer = remedy.ccoctl([change(KIND, [ACT_AS, ZONES])], names)
    assert offer is not None
    assert any("on the whole project" in trap for trap in offer.traps)
    assert any("what must hold in zones" in trap for trap in offer.traps)


def test_a_domain_scoped_project_spells_its_accounts_the_other_way_round() -> None:
    new = change(KIND, [GET], ccoctl="c1-x-operator", create=True, untrusted=subjects("x-sa"))
    draft = remedy.draft(new, here(ccoctl_name="c1", scopes=("example.com:p1",)))
    email = draft.steps[0].commands[0].unless.argv[4]
    assert email.endswith("@p1.example.com.iam.gserviceaccount.com")
    assert home_of(email) == "example.com:p1"


def test_new_accounts_and_roles_are_waited_for() -> None:
    new = change(KIND, [GET], ccoctl="c1-x-operator", create=True, untrusted=subjects("x-sa"))
    made, granted, trusted = remedy.draft(new, here(ccoctl_name="c1")).steps
    assert made.commands[0].seen == made.commands[0].unless
    said = f"ERROR: Service account {EMAIL} does not exist."
    for command in (granted.commands[-1], trusted.commands[0]):
        assert re.search(command.passing, said)
        assert command.patience >= 420


def test_what_is_bound_under_a_condition_is_left_to_a_person() -> None:
    how = "roles/x in policy of project p1 contains it, under a condition: request.time < x"
    held = (HeldNarrowly(GET, how),)
    (only,) = remedy.draft(change(KIND, before=(GET,), identity=EMAIL, narrower=held, sighted=True), here()).steps
    assert (only.scripted, only.commands) == (False, ())
    assert any(how in note for note in only.notes)


def test_the_clean_up_binds_what_replaces_a_role_before_it_goes() -> None:
    new = change(KIND, identity=EMAIL, before=(ADMIN, GET), target=(GET,), gone=(ADMIN,))
    draft = remedy.draft(new, here())
    after = step(draft, Serves.CLEAN_UP)
    assert [c.line.argv[1:3] for c in after.commands] == [
        *[("iam", "roles")] * 3,
        ("projects", "add-iam-policy-binding"),
        ("projects", "remove-iam-policy-binding"),
    ]
    assert parsed(draft, "-role-after.yaml")["includedPermissions"] == [GET.permission]
    assert not after.scripted


def test_a_shared_role_is_narrowed_by_a_person() -> None:
    after = step(remedy.draft(change(KIND, identity=EMAIL, target=(GET,), gone=(LIST,)), here()), Serves.CLEAN_UP)
    assert after.commands == ()
    assert any("--remove-permissions=compute.disks.list" in note for note in after.notes)


def test_a_dropped_account_loses_its_binding() -> None:
    after = step(
        remedy.draft(change(KIND, identity=EMAIL, gone_subjects=subjects("old")), here(TRUSTED)), Serves.CLEAN_UP
    )
    assert after.commands[0].line.argv[3] == "remove-iam-policy-binding"


@pytest.mark.parametrize(
    ("release", "words"), [((4, 13), "replaces a custom role"), ((4, 14), "only adds")], ids=["4.13", "4.14"]
)
def test_ccoctl_comes_with_its_traps(release: tuple[int, int], words: str) -> None:
    offer = remedy.ccoctl([change(KIND, gone=(ADMIN,))], here(release=release, ccoctl_name="c1"))
    assert offer is not None
    traps = " ".join(offer.traps)
    assert "removes every project binding" in traps
    assert "Before the upgrade" in traps
    assert words in traps
    assert unknown(offer.line) == set()


@pytest.mark.parametrize("fields", [{"token": False}, {"release": (4, 9)}], ids=["keys", "4.9"])
def test_there_is_no_ccoctl_without_workload_identity(fields: dict[str, Any]) -> None:
    assert remedy.ccoctl([change(KIND)], here(**fields)) is None


def test_terraform_gets_permissions_as_data() -> None:
    (entry,) = remedy.draft(change(KIND, [GET, ADMIN], identity=EMAIL), here()).terraform
    assert remedy.terraform([entry]) == {
        "locals": {
            "upgrade_gate_gcp_roles": {
                "c1-x": {"permissions": ["compute.disks.get"], "predefined_roles": ["roles/compute.admin"]}
            }
        }
    }
    assert remedy.secret_value("service_account.json", change(KIND), here()) is None
