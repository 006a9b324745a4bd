"""What is proven of the identity behind a Secret, by what shows it and by what policy files say."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from tests.proof.test_context import observed
from tests.worlds.aws_exports import ACCOUNT, ROLE, allow, details, document, role, trust
from tests.worlds.cluster_objects import sample
from tests.worlds.policies import write
from tests.worlds.rules import NS, request
from upgrade_gate.base.facts import Absent, Known, Unknown
from upgrade_gate.base.secret_ref import SecretRef
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import Coverage, CoverageResult, Document, HeldGrants
from upgrade_gate.cluster.model import SecretRecord
from upgrade_gate.payloads.payload import Location, Manifest
from upgrade_gate.proof import declared
from upgrade_gate.proof.collect import Collection
from upgrade_gate.proof.declared import Served
from upgrade_gate.proof.identity_map import Identities, Identity
from upgrade_gate.proof.proof import Claims, Proof, ProofSource, prove
from upgrade_gate.requests.credentials_request import parse

if TYPE_CHECKING:
    from pathlib import Path

    from upgrade_gate.cluster.facts_table import Cluster
    from upgrade_gate.requests.credentials_request import CredentialsRequest

AWS = "AWSProviderSpec"
SECRET = SecretRef("openshift-cluster-csi-drivers", "ebs")
NAMED = "openshift-cluster-csi-drivers-ebs"
ROOT = SecretRef("kube-system", "aws-creds")
TAG = Grant("action", "ec2:CreateTags", "Allow", "*")
GIVES, LACKS = allow("ec2:CreateTags"), allow("s3:GetObject")
DECLARED = "policy files declare it, and nothing shows that it is applied"
CONTRADICTED = "policy files do not declare it"


def asking(kind: str = AWS, **more: Any) -> CredentialsRequest:
    body = request("a", "ec2:CreateTags", accounts=("driver",), kind=kind, **more)
    place = Location("a.yaml", 0, 1)
    parsed = parse(Manifest("cloudcredential.openshift.io", "v1", "CredentialsRequest", NS, "a", None, place, body))
    return replace(parsed, secret=SECRET)


def shown(*statements: Any, names: bool = True, **more: Any) -> Claims:
    """Return an export with one role, which the configuration names for every Secret or for none."""
    collection = Collection("export:x", (Document(details(role(*statements)), "x.json"),), "2026-11-01T00:00:00Z")
    return Claims(collection, identities=Identities(default=ROLE if names else None), **more)


def told(claims: Claims, folder: Path, *statements: Any, name: str = NAMED, **more: Any) -> Claims:
    """Return the claims with one policy file beside them."""
    write(folder, {f"{name}.json": {**document(*statements), **more}})
    return replace(claims, declarations=declared.load("policies:iam", [folder], {}))


def proven(
    claims: Claims, cluster: Cluster | None = None, *, root: bool = False, kinds: tuple[str, ...] = (AWS,)
) -> Proof:
    now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    secrets = [str(SECRET), "openshift-storage/cloud"]
    return prove(claims, cluster, kinds, secrets=secrets, root=ROOT, passed_through=root, now=now)


def judged(proof: Proof) -> CoverageResult:
    ((_, result),) = proof.grants(asking(), [TAG])
    return result


@pytest.mark.parametrize(
    ("claims", "declares", "verdict", "said"),
    [
        (Claims(), GIVES, "COVERED", None),
        (Claims(), LACKS, "MISSING", None),
        (Claims(failure="x.json: cut off"), GIVES, "UNKNOWN", DECLARED),
        (Claims(failure="x.json: cut off"), LACKS, "UNKNOWN", None),
        (shown(LACKS, names=False), GIVES, "COVERED", None),
        (shown(GIVES), LACKS, "COVERED", CONTRADICTED),
        (shown(GIVES), GIVES, "COVERED", None),
        (shown(LACKS), GIVES, "MISSING", DECLARED),
        (shown(LACKS), LACKS, "MISSING", None),
    ],
)
def test_what_shows_what_is_held_goes_before_what_is_declared(
    claims: Claims, declares: Any, verdict: str, said: str | None, tmp_path: Path
) -> None:
    proof = proven(told(claims, tmp_path, declares))
    result = judged(proof)
    assert result.verdict == verdict
    text = f"{result.reason} {result.caveats}"
    assert [words for words in (DECLARED, CONTRADICTED) if words in text] == ([said] if said else [])
    assert result.declared is (claims.failure is None and not proof.sees(asking()))


PUT = {"RoleName": f"c1-{NAMED}", "PolicyName": "p", "PolicyDocument": document(GIVES)}
OWN = {"RoleName": f"c1-{NAMED}", "AssumeRolePolicyDocument": trust("driver")}


@pytest.mark.parametrize(
    ("claims", "files", "silent"),
    [
        (Claims(), {}, False),
        (Claims(), {"p.json": PUT}, True),
        (Claims(), {"p.json": PUT, "r.json": OWN}, False),
        (Claims(), {"other.json": document(GIVES)}, False),
        (Claims(failure="cut off"), {"p.json": PUT}, False),
        (shown(GIVES), {"p.json": PUT}, False),
        (shown(GIVES), {}, False),
        (shown(GIVES, names=False), {"p.json": PUT}, True),
        (shown(GIVES, names=False), {}, False),
    ],
)
def test_only_where_policies_are_all_and_speak_of_no_trust_are_they_silent_on_it(
    claims: Claims, files: dict[str, Any], silent: bool, tmp_path: Path
) -> None:
    write(tmp_path, files)
    if files:
        claims = replace(claims, declarations=declared.load("policies:iam", [tmp_path], {}))
    assert proven(claims).silent_on_trust(asking()) is silent


def test_strict_proof_asks_of_what_is_declared_too_what_no_file_can_show(tmp_path: Path) -> None:
    write(tmp_path, {"p.json": PUT, "r.json": OWN})
    claims = Claims(declarations=declared.load("policies:iam", [tmp_path], {}))
    for strict in (False, True):
        proof = proven(replace(claims, strict=strict), observed(sample()))
        for result in (judged(proof), proof.trust(asking(), ["driver"])):
            assert (result.verdict == "UNKNOWN", "strict proof asks for more" in result.reason) == (strict, strict)


@pytest.mark.parametrize("strict", [False, True])
def test_strict_proof_asks_of_trust_what_no_export_holds(strict: bool) -> None:
    result = proven(shown(GIVES, strict=strict), observed(sample())).trust(asking(), ["driver"])
    assert (result.verdict == "UNKNOWN", "strict proof asks for more" in result.reason) == (strict, strict)


def test_caveats_are_those_of_what_is_covered_each_once() -> None:
    proof = proven(shown(GIVES), observed(sample()))
    other = Grant("action", "s3:GetObject", "Allow", "*")
    trusted = proof.trust(asking(), ["driver"])
    assert judged(proof).caveats
    assert trusted.caveats
    assert proof.caveats(asking(), [TAG, TAG, other]) == tuple(sorted(judged(proof).caveats))
    both = tuple(sorted({*judged(proof).caveats, *trusted.caveats}))
    assert proof.caveats(asking(), [TAG], ["driver"]) == both
    assert proof.caveats(asking(), [other]) == proven(Claims()).caveats(asking(), [TAG], ["driver"]) == ()


def test_what_policy_files_say_is_judged_anew_for_each_cluster(tmp_path: Path) -> None:
    here = allow("ec2:CreateTags", Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}})
    claims = told(Claims(), tmp_path, here)
    cluster = observed(sample())
    elsewhere = replace(cluster, facts={**cluster.facts, "region": Known("us-east-1")})
    assert [judged(proven(claims, one)).verdict == "COVERED" for one in (cluster, elsewhere)] == [True, False]


def test_only_kinds_that_a_cloud_judges_and_only_an_export_give_holdings() -> None:
    kinds = (AWS, "VSphereProviderSpec")
    assert set(proven(shown(GIVES), kinds=kinds).holdings) == {AWS}
    assert proven(Claims(), kinds=kinds).holdings == {}


@pytest.mark.parametrize(
    ("kind", "claims", "said"),
    [
        (AWS, Claims(), "no identities were given"),
        ("VSphereProviderSpec", Claims(), "cannot be judged for VSphereProviderSpec"),
        ("VSphereProviderSpec", shown(GIVES), "cannot be judged for VSphereProviderSpec"),
        (AWS, Claims(failure="x.json: cut off"), "x.json: cut off"),
        (AWS, shown(GIVES, names=False), f"nothing says which identity serves Secret {SECRET}"),
    ],
)
def test_where_nothing_shows_what_is_held_nothing_is_known_and_it_says_why(
    kind: str, claims: Claims, said: str
) -> None:
    proof, asked = proven(claims, kinds=(kind,)), asking(kind)
    ((_, result),) = proof.grants(asked, [TAG])
    held = proof.held(asked)
    assert isinstance(held, CoverageResult)
    for one in (result, held, proof.trust(asked, ["driver"])):
        assert one.verdict == "UNKNOWN"
        assert said in one.reason
    assert not proof.sees(asked)
    assert (proof.sizes(asked, [TAG]), proof.vendor_sets(asked, [[TAG]])) == ((), ())
    assert proof.asks_for("VSphereProviderSpec", [], TAG), "where nobody can tell, it may"


@pytest.mark.parametrize(
    ("issuer", "said"),
    [
        (None, "the cluster's token issuer is not known: no cluster was read"),
        (Unknown("forbidden"), "the cluster's token issuer is not known: forbidden"),
        (Absent(), "the cluster has no token issuer of its own"),
    ],
)
def test_without_the_issuer_nothing_is_known_of_trust(issuer: Any, said: str, tmp_path: Path) -> None:
    cluster = observed(sample())
    seen = None if issuer is None else replace(cluster, facts={**cluster.facts, "issuer": issuer})
    write(tmp_path, {"p.json": PUT, "r.json": OWN})
    files = Claims(declarations=declared.load("policies:iam", [tmp_path], {}))
    for claims in (shown(GIVES), files):
        result = proven(claims, seen).trust(asking(), ["driver"])
        assert (result.verdict, result.reason) == ("UNKNOWN", said)
        assert proven(claims, cluster).trust(asking(), ["driver"]).verdict == "COVERED"


def test_scopes_that_are_not_known_leave_what_is_declared_unknown(tmp_path: Path) -> None:
    cluster = observed(sample())
    blind = replace(cluster, facts={**cluster.facts, "scopes": Unknown("forbidden")})
    result = judged(proven(told(Claims(), tmp_path, GIVES), blind))
    assert (result.verdict, result.reason) == ("UNKNOWN", "which scopes must be covered is not known: forbidden")


def test_the_root_credential_serves_every_request_where_it_is_passed_through(tmp_path: Path) -> None:
    record = SecretRecord(ROOT, keys=frozenset(), identity="AKIAROOT")
    own = SecretRecord(SECRET, keys=frozenset(), identity="AKIAOWN")
    cluster = replace(
        observed(sample()),
        root_secret=Known(record),
        secrets={SECRET: Known(own), ROOT: Unknown("its own place tells")},
    )
    names = Identities(by_secret={str(ROOT): "of-root", str(SECRET): "of-secret"})
    claims = replace(told(Claims(), tmp_path, GIVES, name="kube-system-aws-creds"), identities=names)
    for passed, identity, named in ((True, "AKIAROOT", "of-root"), (False, "AKIAOWN", "of-secret")):
        proof = proven(claims, cluster, root=passed)
        found = proof.identity_of(asking())
        assert found is not None
        assert (found.id, proof.configured(str(SECRET))) == (identity, named)
        assert (judged(proof).verdict == "COVERED") is passed
        told_of = proof.declared_results(asking(), [TAG])
        assert (told_of is not None) is passed
        assert bool(proof.policy_places(asking(), [TAG])) is passed
        assert judged(proof.at_root()).verdict == "COVERED"
    unread = proven(claims, replace(cluster, secrets={}))
    assert unread.identity_of(asking()) == Identity("of-secret", "configuration")


@pytest.mark.parametrize(
    ("kind", "name", "root", "found"),
    [
        (AWS, "c1", False, f"arn:aws:iam::{ACCOUNT}:role/c1-{NAMED}"),
        (AWS, None, False, None),
        (AWS, "c2", False, None),
        (AWS, "c1", True, None),
        ("VSphereProviderSpec", "c1", False, None),
    ],
)
def test_ccoctl_names_what_it_made_and_never_the_root_credential(
    kind: str, name: str | None, root: bool, found: str | None
) -> None:
    entries = (role(GIVES, arn=f"arn:aws:iam::{ACCOUNT}:role/{cluster}-{NAMED}") for cluster in ("c1", None))
    claims = Claims(Collection("export:x", (Document(details(*entries)),)), ccoctl_name=name)
    identity = proven(claims, root=root, kinds=(kind,)).identity_of(asking(kind))
    assert identity == (Identity(found, "ccoctl-name") if found else None)


@pytest.mark.parametrize(
    ("claims", "name", "expected"),
    [
        (Claims(identities=Identities(default=ROLE)), None, None),
        (shown(GIVES), None, Identity(ROLE, "configuration")),
        (shown(GIVES), NAMED, Identity(ROLE, "configuration")),
        (shown(GIVES, names=False), None, None),
        (Claims(identities=Identities(default=ROLE)), NAMED, Identity(ROLE, "configuration")),
        (Claims(failure="cut off", identities=Identities(default=ROLE)), None, Identity(ROLE, "configuration")),
        (Claims(), NAMED, Identity(f"{NAMED}.json", "policies")),
        (Claims(), "other", None),
    ],
)
def test_a_finding_names_the_identity_else_the_file_that_is_named_for_it(
    claims: Claims, name: str | None, expected: Identity | None, tmp_path: Path
) -> None:
    if name is not None:
        claims = told(claims, tmp_path, GIVES, name=name)
    assert proven(claims).shown_identity(asking()) == expected
    told_of = proven(claims).declared_results(asking(), [TAG])
    assert (told_of is not None and isinstance(told_of[0], Served)) is (name == NAMED)
    assert bool(proven(claims).policy_places(asking(), [TAG])) is (name == NAMED)


def test_a_policy_that_no_file_holds_would_lie_beside_its_neighbour(tmp_path: Path) -> None:
    claims = told(Claims(), tmp_path, GIVES)
    assert proven(claims).new_policy(asking()) is None, "a file holds it"
    assert proven(Claims()).new_policy(asking()) is None, "there are no files"
    for_root = proven(claims, root=True).new_policy(asking())
    assert for_root is not None
    assert for_root[0] == tmp_path / "kube-system-aws-creds.json"
    (tmp_path / f"{NAMED}.json").unlink()
    beside = proven(told(Claims(), tmp_path, GIVES, name="openshift-storage-cloud")).new_policy(asking())
    assert beside == (tmp_path / f"{NAMED}.json", f"{NAMED}.json")


class Held:
    """Holdings that answer with what they are asked."""

    def resolve(self, identity: str) -> str | None:
        return f"the {identity}" if identity == "known" else None

    def sizes(self, *asked: Any) -> Any:
        return asked

    held = vendor_sets = sizes

    def asks_for(self, required: Any, held: Grant) -> bool:
        return held in required

    def judge(self, *asked: Any) -> CoverageResult:
        return CoverageResult(Coverage.MISSING, str(asked), ("of nothing that is covered",))

    def find_by_ccoctl_name(self, name: str) -> str:
        return name

    def trust(self, *asked: Any) -> CoverageResult:
        return CoverageResult(Coverage.COVERED, "trusted", issuer_unseen=True)


class Bucketed(Held):
    """Holdings that are others for one bucket."""

    def with_bucket(self, bucket: Any) -> Any:
        return Held()

    def sizes(self, *asked: Any) -> Any:
        return "any bucket"


def test_what_is_asked_of_an_identity_is_asked_of_its_clouds_holdings() -> None:
    held: Any = Held()
    proof: Any = replace(proven(shown(GIVES)), holdings={AWS: held})
    assert proof.held(asking()) == (ROLE,)
    assert proof.sizes(asking(), [TAG]) == proof.vendor_sets(asking(), [TAG]) == (ROLE, [TAG])
    assert [proof.asks_for(AWS, required, TAG) for required in ([TAG], [])] == [True, False]
    assert [proof.resolved(AWS, one) for one in ("known", "strange")] == ["the known", "strange"]
    assert proof.resolved("VSphereProviderSpec", "known") == "known"
    cluster = observed(sample())
    here = replace(cluster, facts={**cluster.facts, "scopes": Known(("g",))})
    for seen, scopes in ((here, ("g",)), (None, ())):
        assert judged(replace(proof, cluster=seen, _judged={})).reason == str((ROLE, TAG, scopes))
    assert proof.caveats(asking(), [TAG]) == ()
    unseen = replace(proof, cluster=cluster, claims=replace(shown(GIVES, names=False), ccoctl_name="c1"))
    assert unseen.held(asking()).verdict == "UNKNOWN", "trusted, by an issuer of which nothing is seen"


def test_only_the_registry_is_judged_by_its_bucket_and_only_where_a_cloud_knows_buckets() -> None:
    registry = replace(asking(), name="openshift-image-registry")
    cluster = observed(sample())
    facts = {"unknown": Unknown("forbidden"), "none": Absent()}
    here = {k: replace(cluster, facts={**cluster.facts, "registry_bucket": fact}) for k, fact in facts.items()}
    for seen, expected in ((here["unknown"], (ROLE, [])), (here["none"], "any bucket"), (None, "any bucket")):
        proof: Any = replace(proven(shown(GIVES), seen), holdings={AWS: Bucketed()})
        assert (proof.sizes(asking(), []), proof.sizes(registry, [])) == ("any bucket", expected)
        held: Any = Held()
        assert replace(proof, holdings={AWS: held}).sizes(registry, []) == (ROLE, [])


def test_what_an_identity_of_ccoctls_naming_holds_counts_once_it_is_seen_to_trust_the_cluster() -> None:
    entry = role(GIVES, arn=f"arn:aws:iam::{ACCOUNT}:role/c1-{NAMED}")
    claims = Claims(Collection("export:x", (Document(details(entry)),)), ccoctl_name="c1")
    unread = proven(claims).held(asking())
    assert isinstance(unread, CoverageResult)
    assert "which counts only if it trusts this cluster" in unread.reason
    doubt = "the cluster's token issuer is not known: no cluster was read"
    assert (unread.doubt, judged(proven(claims))) == (doubt, unread)
    here = proven(claims, observed(sample()))
    assert isinstance(here.held(asking()), HeldGrants)
    assert judged(here).verdict == "COVERED"
    ((_, lacking),) = proven(claims).grants(asking(), [Grant("action", "s3:GetObject", "Allow", "*")])
    assert lacking.verdict == "MISSING", "whomever it trusts"
    other = replace(asking(), service_accounts=("other",))
    nobody = replace(asking(), service_accounts=())
    for asked, words in ((other, "does not admit"), (nobody, "names no service account to trust")):
        result = here.held(asked)
        assert isinstance(result, CoverageResult)
        assert (result.verdict, words in result.reason) == ("UNKNOWN", True), result.reason


def test_where_a_proof_comes_from_names_every_part_of_it(tmp_path: Path) -> None:
    assert proven(Claims(failure="cut off")).source() is None
    files = (("x.json", "0" * 64),)
    seen = shown(GIVES)
    assert seen.collection is not None
    seen = replace(seen, collection=replace(seen.collection, files=dict(files)))
    from_export = ProofSource("export:x", ACCOUNT, "2026-11-01T00:00:00Z", files)
    assert proven(seen).source() == from_export
    alone = told(Claims(identities=Identities(account="42")), tmp_path, GIVES)
    assert alone.declarations is not None
    policies = tuple((file.name, file.sha256) for file in alone.declarations.files)
    assert len(policies) == 1
    assert proven(alone).source() == ProofSource("policies:iam", "42", None, policies)
    both = proven(replace(seen, declarations=alone.declarations)).source()
    assert both == ProofSource("export:x and policies:iam", ACCOUNT, from_export.collected, (*policies, *files))
    no_account = Claims(Collection("export:x", (Document({"some": "thing"}, "y.json"),)))
    assert proven(no_account).source() == ProofSource("export:x", None, None, ())


def test_notes_name_what_could_not_be_used(tmp_path: Path) -> None:
    assert proven(Claims()).notes() == ()
    assert proven(Claims(failure="cut off")).notes() == ("cut off",)
    claims = told(Claims(failure="cut off"), tmp_path, GIVES)
    (tmp_path / "broken.json").write_text("{")
    claims = replace(claims, declarations=declared.load("policies:iam", [tmp_path], {}))
    assert claims.declarations is not None
    (unread,) = claims.declarations.unread
    assert proven(claims).notes() == ("cut off", unread)
    collection = Collection("export:x", (), unread=("u",), unrecognised=("y.json",), failed=("aws iam x",))
    assert proven(Claims(collection)).notes() == (
        "u",
        "y.json: no cloud prints documents of this shape; it proves nothing",
        "this failed when the export was made: aws iam x",
    )
