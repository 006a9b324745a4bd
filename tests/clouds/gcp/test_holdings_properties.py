"""GCP: what holds for every set of bindings."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clouds.gcp.test_holdings import MEMBER, NODES, SA, allow, bind, custom, deny, own
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import Coverage, CoverageResult, Document
from upgrade_gate.clouds.gcp import holdings

NAMES = st.sampled_from(
    ["compute.disks.get", "compute.disks.create", "iam.serviceAccounts.actAs", "dns.changes.create"]
)
ROLES = st.sampled_from(
    ["projects/p1/roles/a", "projects/p1/roles/b", "roles/dns.admin", "roles/compute.admin", "roles/x"]
)
MEMBERS = st.sampled_from(
    [MEMBER, "group:g@x", f"deleted:{MEMBER}?uid=1", f"serviceAccount:{NODES}", "allAuthenticatedUsers"]
)
BINDINGS = st.builds(lambda r, m, c: bind(r, m, condition=c), ROLES, MEMBERS, st.sampled_from(["", "c"]))
DEFINITIONS = st.fixed_dictionaries(
    {},
    optional={
        "projects/p1/roles/a": st.lists(NAMES),
        "projects/p1/roles/b": st.lists(NAMES),
        "roles/x": st.lists(NAMES),
    },
).map(lambda found: [custom(*names, name=name) for name, names in found.items()])
WANTED = st.one_of(NAMES.map(lambda n: Grant("permission", n)), ROLES.map(lambda n: Grant("predefinedRole", n)))


def decide(bindings: list[Any], roles: list[Any], wanted: Grant, *more: Any) -> CoverageResult:
    """Judge one grant of the account."""
    documents = [Document(body) for body in ({"project": "p1", "policy": allow(*bindings)}, *roles, *more)]
    return holdings.build(documents, "p1").judge(SA, wanted, ())


@settings(max_examples=200, deadline=None)
@given(st.lists(BINDINGS, max_size=3), BINDINGS, DEFINITIONS, WANTED)
def test_one_more_binding_never_takes_away(held: list[Any], more: Any, roles: list[Any], wanted: Grant) -> None:
    if decide(held, roles, wanted).verdict is Coverage.COVERED:
        after = decide([*held, more], roles, wanted)
        assert after.verdict is Coverage.COVERED, after.reason


@settings(max_examples=200, deadline=None)
@given(st.lists(BINDINGS, max_size=3), DEFINITIONS, WANTED, st.sampled_from(["compute", "dns", "iam"]), st.booleans())
def test_a_deny_never_widens(held: list[Any], roles: list[Any], wanted: Grant, service: str, limited: bool) -> None:
    more: dict[str, Any] = {"denialCondition": {"expression": "c"}} if limited else {}
    rule = deny(f"{service}.googleapis.com/*.*", **more)
    if decide(held, roles, wanted, rule).verdict is Coverage.COVERED:
        assert decide(held, roles, wanted).verdict is Coverage.COVERED


@settings(max_examples=200, deadline=None)
@given(st.lists(BINDINGS, max_size=3), DEFINITIONS, WANTED)
def test_the_role_itself_covers_itself(held: list[Any], roles: list[Any], wanted: Grant) -> None:
    if wanted.type == "predefinedRole":
        assert decide([*held, bind(wanted.permission)], roles, wanted).verdict is Coverage.COVERED
    else:
        exact = custom(wanted.permission, name="projects/p1/roles/own")
        assert decide([*held, bind("projects/p1/roles/own")], [*roles, exact], wanted).verdict is Coverage.COVERED


@settings(max_examples=200, deadline=None)
@given(st.lists(BINDINGS, max_size=3), DEFINITIONS, WANTED)
def test_a_definition_that_is_taken_away_never_makes_a_proof(held: list[Any], roles: list[Any], wanted: Grant) -> None:
    table = [r for r in roles if r["name"] not in ("roles/dns.admin", "roles/compute.admin")]
    for number in range(len(table)):
        less = [r for n, r in enumerate(table) if n != number]
        if decide(held, less, wanted, own()).verdict is Coverage.COVERED:
            assert decide(held, table, wanted, own()).verdict is Coverage.COVERED


OF_GOOGLE = BINDINGS.filter(lambda one: one["role"].startswith("roles/"))


@settings(max_examples=200, deadline=None)
@given(st.lists(OF_GOOGLE, min_size=1, max_size=2), st.lists(OF_GOOGLE, min_size=1, max_size=2), DEFINITIONS, WANTED)
def test_of_policies_without_a_name_each_must_grant(
    one: list[Any], two: list[Any], roles: list[Any], wanted: Grant
) -> None:
    def bare(*policies: list[Any]) -> Coverage:
        documents = [Document(body) for body in (*(allow(*p) for p in policies), *roles)]
        return holdings.build(documents, "p1").judge(SA, wanted, ()).verdict

    together = bare(one, two)
    if together is Coverage.COVERED:
        assert (bare(one), bare(two)) == (Coverage.COVERED, Coverage.COVERED)
    if together is Coverage.MISSING:
        assert Coverage.COVERED not in (bare(one), bare(two))


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["role", "name", "value"]), inner),
    max_leaves=4,
)


@settings(max_examples=300, deadline=None)
@given(JUNK, st.data())
def test_what_is_broken_in_a_deny_policy_never_lifts_it_silently(junk: Any, data: st.DataObject) -> None:
    rule = deny("compute.googleapis.com/disks.get", "compute.googleapis.com/disks.create")
    inner = rule["rules"][0]["denyRule"]
    field = data.draw(st.sampled_from(["deniedPrincipals", "exceptionPrincipals", "exceptionPermissions"]))
    inner[field] = junk
    held = [bind("roles/x")]
    judgement = decide(
        held, [custom("compute.disks.get", name="roles/x")], Grant("permission", "compute.disks.get"), rule
    )
    if field == "deniedPrincipals" or junk not in (None, []):
        assert judgement.verdict in (Coverage.DENIED, Coverage.UNKNOWN)
    else:
        assert judgement.verdict is Coverage.DENIED
