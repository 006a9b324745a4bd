"""Coverage on Google Cloud against an evaluator of its own: every world that the documents leave open is tried out.

The evaluator knows sets and truth values alone. A world says what no document does: whether a condition on a
resource's name or on tags holds, and whether the account is a member of a group.
"""

from __future__ import annotations

import itertools
from typing import Any, TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clouds.gcp.test_places import own_policy, project
from upgrade_gate.entitlements import judge

WHO, OTHER = "c1-m@p1.iam.gserviceaccount.com", "x@p1.iam.gserviceaccount.com"
NODE = "n@p1.iam.gserviceaccount.com"
GROUP = "group:g@example.com"
NOW = "2026-11-30T12:00:00Z"
CONTEXT = {
    "project": "p1",
    "dns_projects": ["zones", "p1"],
    "network_project": "net",
    "node_service_accounts": [NODE],
    "now": NOW,
}
ROLES = {
    "projects/p1/roles/disks": ("compute.disks.get", "iam.serviceAccounts.actAs"),
    "projects/p1/roles/both": ("dns.changes.create", "compute.firewalls.get"),
    "projects/p1/roles/dns": ("dns.changes.create",),
    "projects/p1/roles/none": ("compute.images.list",),
}
PLACES = {
    "compute.disks.get": ("p1",),
    "dns.changes.create": ("zones", "p1"),
    "compute.firewalls.get": ("net",),
    "iam.serviceAccounts.actAs": (NODE,),
}
"""Where each permission must hold: everywhere of these. A node's account holds what its project does."""
ABOVE = {NODE: (NODE, "p1")}

World: TypeAlias = dict[str, bool]
Condition: TypeAlias = tuple[str, tuple["Condition", ...]]

ATOMS = {
    "over": 'request.time < timestamp("2026-01-01T00:00:00Z")',
    "open": 'request.time <= timestamp("2026-11-30T12:00:00Z")',
    "name": 'resource.name.startsWith("projects/p1/zones/")',
    "tag": 'resource.matchTag("9/env", "prod")',
}
CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    st.sampled_from([*ATOMS, "always"]).map(lambda name: (name, ())),
    lambda inner: (
        st.tuples(st.sampled_from(["&&", "||"]), st.tuples(inner, inner)) | st.tuples(st.just("!"), st.tuples(inner))
    ),
    max_leaves=3,
)


def written(condition: Condition) -> str:
    name, parts = condition
    if name == "!":
        return f"!({written(parts[0])})"
    if parts:
        return f"({written(parts[0])}) {name} ({written(parts[1])})"
    return ATOMS.get(name, ATOMS["open"])


def true_in(condition: Condition, world: World) -> bool:
    name, parts = condition
    match name:
        case "!":
            return not true_in(parts[0], world)
        case "&&":
            return all(true_in(part, world) for part in parts)
        case "||":
            return any(true_in(part, world) for part in parts)
        case "over":
            return False
        case "open" | "always":
            return True
        case _:
            return world[name]


Binding: TypeAlias = tuple[str, str, str, Condition]
"""Where it is, its role, its member and its condition."""
BINDINGS = st.tuples(
    st.sampled_from(["p1", "p1", "net", "zones", NODE]),
    st.sampled_from(list(ROLES)),
    st.sampled_from([f"serviceAccount:{WHO}", f"serviceAccount:{WHO}", f"serviceAccount:{OTHER}", GROUP]),
    st.just(("always", ())) | CONDITIONS,
)
Denial: TypeAlias = tuple[str, str, str]
"""Where it hangs, what it denies and to whom."""
DENIALS = st.tuples(
    st.sampled_from(["p1", "net", "zones"]),
    st.sampled_from(["compute.googleapis.com/disks.get", "dns.googleapis.com/*.*", "compute.googleapis.com/*.get"]),
    st.sampled_from(
        ["principalSet://goog/public:all", f"principal://iam.googleapis.com/projects/-/serviceAccounts/{OTHER}"]
    ),
)
DENIES = {
    "compute.googleapis.com/disks.get": {"compute.disks.get"},
    "dns.googleapis.com/*.*": {"dns.changes.create"},
    "compute.googleapis.com/*.get": {"compute.disks.get", "compute.firewalls.get"},
}


def documents(bindings: list[Binding], denials: list[Denial]) -> list[Any]:
    at: dict[str, list[dict[str, Any]]] = {"p1": [], "net": [], "zones": [], NODE: [], WHO: []}
    for where, role, member, condition in bindings:
        one: dict[str, Any] = {"role": role, "members": [member]}
        if condition != ("always", ()):
            one["condition"] = {"title": "c", "expression": written(condition)}
        at[where].append(one)
    roles = [{"name": n, "title": n, "stage": "GA", "includedPermissions": list(p)} for n, p in ROLES.items()]
    rules = [
        {
            "name": f"policies/cloudresourcemanager.googleapis.com%2Fprojects%2F{where}/denypolicies/d{number}",
            "rules": [{"denyRule": {"deniedPrincipals": [whom], "deniedPermissions": [what]}}],
        }
        for number, (where, what, whom) in enumerate(denials)
    ]
    policies = [project(name, *at[name]) for name in ("p1", "net", "zones")]
    return [*policies, own_policy(NODE, *at[NODE]), own_policy(WHO), *roles, *rules]


def really(bindings: list[Binding], denials: list[Denial], wanted: str, world: World) -> bool:
    for place in PLACES[wanted]:
        for where, what, whom in denials:
            if where == ("p1" if place == NODE else place) and wanted in DENIES[what] and OTHER not in whom:
                return False
        given_there = any(
            where in ABOVE.get(place, (place,))
            and wanted in ROLES[role]
            and (member == f"serviceAccount:{WHO}" or (member == GROUP and world["member"]))
            and true_in(condition, world)
            for where, role, member, condition in bindings
        )
        if not given_there:
            return False
    return True


def worlds() -> list[World]:
    names = ("name", "tag", "member")
    return [dict(zip(names, values, strict=True)) for values in itertools.product((True, False), repeat=len(names))]


@settings(max_examples=300, deadline=None)
@given(st.lists(BINDINGS, max_size=4), st.lists(DENIALS, max_size=1), st.sampled_from(list(PLACES)))
def test_what_is_decided_is_true_in_every_world(bindings: list[Binding], denials: list[Denial], wanted: str) -> None:
    found = judge("GCP", documents(bindings, denials), WHO, {"permission": wanted}, account="p1", context=CONTEXT)
    answers = {really(bindings, denials, wanted, world) for world in worlds()}
    if found.verdict == "COVERED":
        assert answers == {True}, found.reason
    if found.verdict in ("MISSING", "DENIED"):
        assert answers == {False}, found.reason


PLAIN = BINDINGS.filter(lambda one: one[2] != GROUP and one[3][0] in ("always", "over", "open"))


@settings(max_examples=300, deadline=None)
@given(st.lists(PLAIN, max_size=4), st.lists(DENIALS, max_size=1), st.sampled_from(list(PLACES)))
def test_where_no_world_differs_what_holds_is_covered(
    bindings: list[Binding], denials: list[Denial], wanted: str
) -> None:
    found = judge("GCP", documents(bindings, denials), WHO, {"permission": wanted}, account="p1", context=CONTEXT)
    assert (found.verdict == "COVERED") is really(bindings, denials, wanted, worlds()[0]), found.reason
    assert found.verdict != "UNKNOWN", found.reason
