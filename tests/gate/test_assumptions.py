"""What a verdict takes for granted, and what of it nobody said."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.gate.rules.test_identities import _claims as claims
from tests.worlds.rules import NS, TODAY, Cluster, found, judge, payload, request
from upgrade_gate import pipeline
from upgrade_gate.base.errors import ClusterError
from upgrade_gate.cluster.credentials_mode import Mode
from upgrade_gate.gate import assumptions
from upgrade_gate.gate.acknowledgements import Acknowledgement
from upgrade_gate.gate.verdict import Weights
from upgrade_gate.proof.collect import Collection
from upgrade_gate.proof.identity_map import Identities
from upgrade_gate.proof.proof import Claims
from upgrade_gate.requests.update import Given

UNCHECKED = "4.14.1's permissions are in place (not checked)"
COMPLETE = "Secret openshift-storage/cloud is complete (not checked)"
A = [request("a")]
KIND = "OpenStackProviderSpec"
OPENSTACK = [request("a", kind=KIND)]
OPENSTACK_MORE = request("a", kind=KIND, accounts=("one", "two"))
SAID = Given(
    platform="AWS",
    mode=Mode.MANUAL,
    profile="self-managed-high-availability",
    feature_set="Default",
    capabilities=(),
)


def openstack(keys: frozenset[str] | None, *, mode: str = "Manual", **more: Any) -> Cluster:
    return Cluster(platform="OpenStack", mode=mode, keys=keys, issuer="", **more)


@pytest.mark.parametrize(
    ("unsaid", "words"),
    [
        ("mode", "the cluster is in manual mode"),
        ("profile", "the cluster profile is self-managed-high-availability"),
        ("feature_set", "the feature set is Default"),
        ("capabilities", "every capability is enabled"),
    ],
)
def test_without_a_cluster_whatever_was_not_said_is_a_guess(unsaid: str, words: str, tmp_path: Path) -> None:
    given = replace(SAID, **{unsaid: None})
    basis = judge(tmp_path, A, A, given=given).verdict.basis
    assert basis.guesses == tuple(
        name
        for name in ("mode", "credentials", "profile", "feature_set", "capabilities")
        if name in (unsaid, "credentials")
    )
    assert words in basis.assumptions
    assert basis.assumptions[0] == UNCHECKED


def test_of_a_cluster_that_could_not_be_read_everything_is_unchecked() -> None:
    inputs = pipeline.Inputs(to="4.15.0", from_="4.14.1")
    basis = pipeline.unreachable(inputs, Weights(today=TODAY), ClusterError("no route to host")).verdict.basis
    assert basis.assumptions == ("the current release's permissions are in place (not checked)",)


def test_without_a_release_that_could_be_read_nothing_of_it_is_guessed(tmp_path: Path) -> None:
    (tmp_path / "cut.tar").write_bytes(b"x" * 700)
    cut = f"archive:{tmp_path / 'cut.tar'}"
    said = replace(SAID, feature_set=None)
    outcome = pipeline.check(pipeline.Inputs(to=cut, from_=cut, given=said), Weights(today=TODAY))
    assert outcome.verdict.exit_code == 4
    assert outcome.verdict.basis.assumptions[0] == "the current release's permissions are in place (not checked)"
    assert "feature_set" not in outcome.verdict.basis.guesses


def test_with_a_cluster_nothing_is_guessed(tmp_path: Path) -> None:
    basis = judge(tmp_path, A, A, Cluster()).verdict.basis
    assert (basis.guesses, basis.assumptions) == ((), (UNCHECKED,))


@pytest.mark.parametrize(
    ("keys", "assumptions"), [(frozenset({"clouds.yaml", "clouds.conf"}), ()), (None, (COMPLETE,))]
)
def test_where_the_secret_is_all_it_must_be_seen_with_its_keys(
    keys: frozenset[str] | None, assumptions: tuple[str, ...], tmp_path: Path
) -> None:
    assert judge(tmp_path, OPENSTACK, OPENSTACK, openstack(keys)).verdict.basis.assumptions == assumptions


@pytest.mark.parametrize(("root", "assumptions"), [(True, ("CCO mints what the target asks for",)), (False, ())])
def test_in_mint_mode_cco_is_trusted_with_the_grants(root: bool, assumptions: tuple[str, ...], tmp_path: Path) -> None:
    basis = judge(tmp_path, A, A, Cluster(mode="Mint", root=root)).verdict.basis
    assert (basis.assumptions, basis.name) == (assumptions, "assumed")


def test_a_secret_that_a_finding_asks_for_is_not_assumed(tmp_path: Path) -> None:
    moved = [request("a", kind="OpenStackProviderSpec", secret="moved")]
    outcome = judge(tmp_path, OPENSTACK, moved, openstack(None))
    assert outcome.verdict.basis.assumptions == ()
    assert outcome.verdict.status == "blocked"


@pytest.mark.parametrize(
    ("releases", "assumptions"),
    [
        ([OPENSTACK, [OPENSTACK_MORE]], (COMPLETE,)),
        ([OPENSTACK, [OPENSTACK_MORE], [request("a", kind=KIND, secret="moved")]], (COMPLETE,)),
        ([[*OPENSTACK, request("b", kind=KIND, secret="other")], [*OPENSTACK, request("b", kind=KIND)]], (COMPLETE,)),
    ],
)
def test_a_secret_is_assumed_unless_the_change_of_its_own_request_asks_for_it(
    releases: list[list[dict[str, Any]]], assumptions: tuple[str, ...], tmp_path: Path
) -> None:
    old, *between, new = releases
    via = tuple(f"dir:{payload(tmp_path / str(n), f'4.14.{n}', r)}" for n, r in enumerate(between, 2))
    assert judge(tmp_path, old, new, openstack(None), via=via).verdict.basis.assumptions == assumptions


def test_a_root_credential_without_its_keys_is_not_in_place(tmp_path: Path) -> None:
    """Whatever the rules say: the basis is told of no finding here."""
    cluster = openstack(frozenset(), mode="Passthrough", secrets=("kube-system/openstack-credentials",))
    situation = judge(tmp_path, OPENSTACK, OPENSTACK, cluster).situation
    basis = assumptions.of(situation, (), Weights(today=TODAY))
    assert basis.assumptions == ("the root credential is in place (not checked)",)


def test_in_passthrough_mode_the_root_credential_stands_for_every_secret(tmp_path: Path) -> None:
    keys = frozenset({"clouds.yaml", "clouds.conf"})
    root = ("kube-system/openstack-credentials",)
    seen = openstack(keys, mode="Passthrough", secrets=root, root_keys=keys)
    unseen = openstack(None, mode="Passthrough", secrets=root)
    assert judge(tmp_path / "seen", OPENSTACK, OPENSTACK, seen).verdict.basis.assumptions == ()
    assert judge(tmp_path / "unseen", OPENSTACK, OPENSTACK, unseen).verdict.basis.assumptions == (
        "the root credential is in place (not checked)",
    )


def test_permissions_that_were_not_checked_stand_first(tmp_path: Path) -> None:
    both = [request("a", kind="MarsProviderSpec", secret="mars"), request("b"), request("c")]
    cluster = Cluster(secrets=("openshift-storage/cloud", "openshift-storage/mars"))
    assert judge(tmp_path, both, both, cluster).verdict.basis.assumptions == (
        UNCHECKED,
        "Secret openshift-storage/mars is complete (not checked)",
    )


@pytest.mark.parametrize(
    ("platform", "kind", "assumptions"),
    [
        ("AWS", "GCPProviderSpec", ("no component asks for credentials on AWS",)),
        ("None", "GCPProviderSpec", ()),
        ("Mars", "GCPProviderSpec", ("no component asks for credentials on Mars",)),
        ("", "GCPProviderSpec", (UNCHECKED,)),
    ],
)
def test_a_platform_that_is_always_served_asks_for_something(
    platform: str, kind: str, assumptions: tuple[str, ...], tmp_path: Path
) -> None:
    foreign = [request("a", kind=kind)]
    assert judge(tmp_path, foreign, foreign, Cluster(platform=platform)).verdict.basis.assumptions == assumptions


OLD, BOTH = request("a", "ec2:Old"), request("a", "ec2:Old", "ec2:New")
PASSED_THROUGH = Cluster(mode="Passthrough", root=True, issuer="", requests=[OLD])
SAME = request("same", "ec2:Old")
Z, B, MORE_B = (
    request("z", "ec2:Old"),
    *(request("b", *actions, secret="other") for actions in (["ec2:B"], ["ec2:B", "ec2:C"])),
)


@pytest.mark.parametrize(
    ("old", "new", "held", "lacking"),
    [
        ([OLD], [OLD], ("ec2:Old",), None),
        ([OLD], [OLD], ("ec2:New",), ("ec2:Old",)),
        ([OLD], [BOTH], ("ec2:Old",), None),
        ([OLD], [BOTH], ("ec2:New",), ("ec2:Old",)),
        ([request("a", "ec2:Old*")], [request("a", "ec2:Old*", "ec2:Older")], ("s3:*",), ("ec2:Old*", "ec2:Older")),
        ([OLD, request("b")], [OLD, request("b", "ec2:More")], ("s3:*",), ("ec2:Old",)),
        ([OLD, request("b", secret="other")], [OLD], ("s3:*",), ("ec2:Old",)),
        ([], [OLD], ("s3:*",), None),
        ([request("a", "ec2:Old", secret="other")], [OLD], ("s3:*",), None),
        ([OLD], [request("z", "ec2:Old", "ec2:New")], ("ec2:New",), ("ec2:Old",)),
        ([OLD, B], [OLD, request("b", "ec2:B", "ec2:Old", secret="other")], ("ec2:B",), ("ec2:Old",)),
        ([B, Z], [MORE_B, request("z", "ec2:Old", "ec2:New")], ("ec2:B", "ec2:Old"), None),
    ],
)
def test_a_grant_is_judged_once_by_the_change_that_asks_for_it_or_as_unchanged(
    old: list[dict[str, Any]],
    new: list[dict[str, Any]],
    held: tuple[str, ...],
    lacking: tuple[str, ...] | None,
    tmp_path: Path,
) -> None:
    outcome = judge(tmp_path, old, new, Cluster(), claims=claims(*held))
    named = [
        tuple(grant.grant.permission for grant in j.finding.grants)
        for j in found(outcome, "identity-lacks-permission")
        if j.finding.component in ("a", "z")
    ]
    assert named == ([lacking] if lacking else [])
    assert outcome.verdict.basis.proven is (lacking is None)


@pytest.mark.parametrize(
    ("releases", "lacking"),
    [
        ([[OLD], [OLD, request("z", "ec2:Old", "ec2:New")]], [("a", ["ec2:Old"]), ("z", ["ec2:Old"])]),
        ([[OLD], [BOTH], [request("a", "ec2:Old", "ec2:New", secret="moved")]], [("a", ["ec2:Old"])]),
        ([[request("a", kind="MarsProviderSpec"), SAME], [OLD, SAME]], [("same", ["ec2:Old"])]),
    ],
)
def test_what_no_change_asks_for_is_judged_in_each_release(
    releases: list[list[dict[str, Any]]], lacking: list[tuple[str, list[str]]], tmp_path: Path
) -> None:
    old, *between, new = releases
    via = tuple(f"dir:{payload(tmp_path / str(n), f'4.14.{n}', r)}" for n, r in enumerate(between, 2))
    outcome = judge(tmp_path, old, new, Cluster(), claims=claims("s3:*"), via=via)
    items = [j.finding for j in found(outcome, "identity-lacks-permission")]
    assert [(f.component, [g.grant.permission for g in f.grants]) for f in items] == lacking


@pytest.mark.parametrize(
    ("before", "lacking"),
    [(request("a", "ec2:Old", secret="other"), ["ec2:Old"]), (request("a", kind="MarsProviderSpec"), None)],
)
def test_what_cco_passes_through_must_hold_what_did_not_change_wherever_it_is_put(
    before: dict[str, Any], lacking: list[str] | None, tmp_path: Path
) -> None:
    """A Secret that moves is CCO's to write; a request that turns to this cloud asks for all its grants by itself."""
    outcome = judge(tmp_path, [before], [OLD], PASSED_THROUGH, claims=claims("s3:*"))
    items = [[g.grant.permission for g in j.finding.grants] for j in found(outcome, "root-credential-insufficient")]
    assert items == ([lacking] if lacking else [])


def test_a_deny_is_nothing_that_an_identity_must_hold(tmp_path: Path) -> None:
    entries = [
        {"effect": effect, "action": [action], "resource": "*"}
        for effect, action in (("Allow", "ec2:Old"), ("Deny", "ec2:Never"))
    ]
    asked = [request("a", statements=entries)]
    assert judge(tmp_path, asked, asked, Cluster(), claims=claims("ec2:Old")).verdict.basis.proven


@pytest.mark.parametrize(
    ("before", "after", "trusted", "lacking", "proven"),
    [
        (("one",), ("one",), ("one",), False, True),
        (("one",), ("one",), ("two",), True, False),
        (("one",), ("one", "two"), ("two",), True, False),
        (("one",), ("one", "two"), ("one",), False, True),
        (("one", "two"), ("one",), ("one",), False, True),
    ],
)
def test_an_account_is_judged_once_by_the_change_that_asks_for_it_or_as_unchanged(
    before: tuple[str, ...],
    after: tuple[str, ...],
    trusted: tuple[str, ...],
    *,
    lacking: bool,
    proven: bool,
    tmp_path: Path,
) -> None:
    old, new = ([request("a", "ec2:Old", accounts=accounts)] for accounts in (before, after))
    outcome = judge(tmp_path, old, new, Cluster(), claims=claims("ec2:Old", subjects=trusted))
    assert bool(found(outcome, "identity-trust-lacks-subject")) is lacking
    assert outcome.verdict.basis.proven is proven
    untold = assumptions.of(outcome.situation, (), Weights(today=TODAY))
    assert untold.assumptions == (() if proven else (NOT_PROVEN,))


def test_trust_is_judged_at_each_secret_of_a_path(tmp_path: Path) -> None:
    """A Secret that moves with the last update is read at its old place till then."""
    via = payload(tmp_path / "via", "4.14.2", [BOTH])
    moved = [request("a", "ec2:Old", "ec2:New", secret="moved")]
    known = claims("ec2:*", subjects=("two",))
    outcome = judge(tmp_path, [OLD], moved, Cluster(), claims=known, via=(f"dir:{via}",))
    assert [j.finding.secret for j in found(outcome, "identity-trust-lacks-subject")] == ["openshift-storage/cloud"]


def test_a_request_without_accounts_needs_nobodys_trust(tmp_path: Path) -> None:
    asked = [request("a", "ec2:Old", accounts=())]
    cluster = Cluster(unread=["Authentication"])
    assert judge(tmp_path, asked, asked, cluster, claims=claims("ec2:Old")).verdict.basis.proven


def test_without_tokens_nobody_has_to_be_trusted(tmp_path: Path) -> None:
    keys = Cluster(issuer="", keys=frozenset({"aws_access_key_id", "aws_secret_access_key"}))
    assert judge(tmp_path, [OLD], [OLD], keys, claims=claims("ec2:Old", subjects=())).verdict.basis.proven


NOT_PROVEN, NOT_DECLARED = (f"{NS}/a holds what it needed before (not {word})" for word in ("proven", "declared"))
WITHOUT = f"{NS}/a works without what a finding says it lacks"
ONE = request("a", "ec2:Old", accounts=("one",))
SECOND = request("b", kind="OpenStackProviderSpec")
NOBODYS = Claims(Collection("export:x", ()), identities=Identities())
UNREAD_KEYS = openstack(None, secrets=("openshift-storage/other",))


@pytest.mark.parametrize(
    ("asked", "cluster", "held", "rule", "accepted"),
    [
        ([OLD], Cluster(), claims("ec2:New"), "identity-lacks-permission", (WITHOUT,)),
        ([OLD], Cluster(), claims("ec2:*", resource="arn:aws:ec2:*:*:volume/*"), "identity-narrower", (WITHOUT,)),
        ([ONE], Cluster(), claims("ec2:Old", subjects=("two",)), "identity-trust-lacks-subject", (WITHOUT,)),
        ([OLD], Cluster(), NOBODYS, "identity-unknown", (NOT_PROVEN,)),
        ([OLD], PASSED_THROUGH, claims("ec2:New"), "root-credential-insufficient", (WITHOUT,)),
        ([OLD], PASSED_THROUGH, NOBODYS, "root-credential-insufficient", (NOT_PROVEN,)),
        ([*OPENSTACK, SECOND], UNREAD_KEYS, None, "secret-missing", (WITHOUT, WITHOUT.replace("/a", "/b"))),
        (OPENSTACK, openstack(frozenset({"clouds.yaml.old"})), None, "secret-incomplete", (WITHOUT,)),
        (
            [OLD],
            None,
            claims("ec2:New"),
            "identity-lacks-permission",
            ("4.14.1's other permissions are in place (not checked)",),
        ),
    ],
)
def test_nothing_is_taken_for_granted_that_a_finding_says_is_lacking(
    asked: list[dict[str, Any]],
    cluster: Cluster | None,
    held: Claims | None,
    rule: str,
    accepted: tuple[str, ...],
    *,
    tmp_path: Path,
) -> None:
    """Where it stops the upgrade; once a person accepts it, a pass rests on that (docs/contract.md#basis)."""
    stopped = judge(tmp_path / "stopped", asked, asked, cluster, claims=held)
    basis, (item,) = stopped.verdict.basis, found(stopped, rule)
    if cluster is not None:
        assert basis.assumptions == ()
    assert (stopped.verdict.status != "pass", basis.name) == (True, "assumed")
    entry = Acknowledgement(item.finding.fingerprint, "r", "o", TODAY)
    weighing = Weights(acknowledgements=(entry,), today=TODAY)
    passed = judge(tmp_path / "passed", asked, asked, cluster, claims=held, weighing=weighing).verdict
    assert (passed.status, passed.basis.name) == ("pass", "assumed")
    assert passed.basis.assumptions[: len(accepted)] == accepted


def test_what_one_component_lacks_says_nothing_of_another(tmp_path: Path) -> None:
    both = [OLD, request("b", kind="MarsProviderSpec", secret="mars")]
    cluster = Cluster(secrets=("openshift-storage/cloud", "openshift-storage/mars"))
    basis = judge(tmp_path, both, both, cluster, claims=claims("ec2:New")).verdict.basis
    assert (basis.assumptions, basis.name) == (("Secret openshift-storage/mars is complete (not checked)",), "assumed")
