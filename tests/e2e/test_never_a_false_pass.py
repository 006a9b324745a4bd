"""Ways in which the gate once passed without knowing; each stays blocked or undetermined, and each has its control."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.gate.rules.test_identities import ROLE, _claims
from tests.worlds.rules import NS, PROFILE, TODAY, Cluster, found, judge, payload, request
from upgrade_gate import pipeline
from upgrade_gate.base.errors import UsageError
from upgrade_gate.base.facts import Absent, Fact, Known
from upgrade_gate.base.secret_ref import SecretRef
from upgrade_gate.clouds.contract.holdings import Document
from upgrade_gate.cluster.credentials_mode import Mode
from upgrade_gate.cluster.model import Query, SecretRecord
from upgrade_gate.gate.findings import Severity
from upgrade_gate.gate.outcome import Outcome
from upgrade_gate.gate.verdict import Weights
from upgrade_gate.proof.collect import Collection
from upgrade_gate.proof.identity_map import Identities
from upgrade_gate.proof.proof import Claims
from upgrade_gate.requests.update import Given

A = [request("a", "ec2:A")]
AX = [request("a", "ec2:A", "ec2:X")]
BOTH = ("openshift-storage/cloud", "openshift-storage/bsec")


def _roles(actions: Mapping[str, tuple[str, ...]], by_secret: Mapping[str, str]) -> Claims:
    details = []
    for name, listed in actions.items():
        collection = _claims(*listed).collection
        assert collection is not None
        detail = copy.deepcopy(collection.documents[0].body["RoleDetailList"][0])
        details.append({**detail, "RoleName": name, "Arn": f"arn:aws:iam::111122223333:role/{name}"})
    body = {"RoleDetailList": details, "UserDetailList": [], "GroupDetailList": [], "Policies": []}
    identities = {secret: f"arn:aws:iam::111122223333:role/{name}" for secret, name in by_secret.items()}
    return Claims(Collection("export:x", (Document(body, "x.json"),)), identities=Identities(by_secret=identities))


class Without(Cluster):
    """A cluster in which some objects are absent."""

    gone: tuple[str, ...] = ()

    def _answer(self, query: Query) -> Fact[Any]:
        return Absent() if query.kind in self.gone else super()._answer(query)


class Tokens(Cluster):
    """A cluster whose Secrets tell more than their keys."""

    told: Mapping[str, Any] = {"token_path": "/custom/token", "form": "token"}

    def _answer(self, query: Query) -> Fact[Any]:
        answer = super()._answer(query)
        if query.kind == "Secret" and isinstance(answer, Known):
            return Known(replace(answer.value, **self.told))
        return answer


def _without(*kinds: str) -> Cluster:
    cluster = Without()
    cluster.gone = kinds
    return cluster


def _platform(name: str) -> Cluster:
    return Cluster(platform=name)


def _passthrough() -> Cluster:
    return Cluster(mode="Passthrough", root=True)


def _multi(folder: Path, sides: list[list[dict[str, Any]]], cluster: Cluster, **plan: Any) -> Outcome:
    names = ["4.14.1", "4.15.0", "4.16.0"]
    first, *via, last = [
        f"dir:{payload(folder / version, version, side)}" for version, side in zip(names, sides, strict=True)
    ]
    return pipeline.check(
        pipeline.Inputs(to=last, from_=first, via=tuple(via), reader=cluster, **plan), Weights(today=TODAY)
    )


def _new(**provider: Any) -> dict[str, Any]:
    body = request("b", secret="bsec")
    body["spec"]["providerSpec"].pop("statementEntries")
    body["spec"]["providerSpec"].update(provider)
    return body


def _denied(*denied: str) -> list[dict[str, Any]]:
    allow = {"effect": "Allow", "action": ["s3:*"], "resource": "*"}
    return [request("a", statements=[allow, *({**allow, "effect": "Deny", "action": [name]} for name in denied)])]


TWO_ROLES = _roles({"r1": ("ec2:A", "ec2:X"), "r2": ("ec2:A",)}, dict(zip(BOTH, ("r1", "r2"), strict=True)))

CASES: Mapping[str, Callable[[Path], Outcome]] = {
    "the Infrastructure is absent": lambda p: judge(p, A, AX, _without("Infrastructure")),
    "the FeatureGate is absent": lambda p: judge(p, A, A, _without("FeatureGate")),
    "the CVO's Deployment is absent": lambda p: judge(p, A, A, _without("Deployment")),
    "nobody knows the platform": lambda p: judge(p, A, AX, _platform("Foo")),
    "no request is for this platform": lambda p: judge(p, A, A, _platform("Azure")),
    "a later hop moves the Secret to a role that lacks a grant": lambda p: _multi(
        p,
        [A, AX, [request("a", "ec2:A", "ec2:X", secret="bsec")]],
        Cluster(annotation="4.16", secrets=BOTH),
        claims=TWO_ROLES,
    ),
    "only the release between needs a Secret that is missing": lambda p: _multi(
        p, [[*A, request("b", secret="bsec")]] * 2 + [A], Cluster(annotation="4.16")
    ),
    "only the release between needs a grant that is missing": lambda p: _multi(
        p, [[*A, request("b", "ec2:X")]] * 2 + [A], Cluster(annotation="4.16"), claims=_claims("ec2:A")
    ),
    "a grant moves to a new request and is held by nobody": lambda p: judge(
        p, AX, [*A, request("b", "ec2:X")], Cluster(), claims=_claims("ec2:A")
    ),
    "the same in passthrough mode": lambda p: judge(
        p, AX, [*A, request("b", "ec2:X")], _passthrough(), claims=_claims("ec2:A")
    ),
    "the Secret moves in passthrough mode and the root lacks a grant": lambda p: judge(
        p, AX, [request("a", "ec2:A", "ec2:X", secret="bsec")], _passthrough(), claims=_claims("ec2:A")
    ),
    "a new request has a field that nobody knows": lambda p: judge(
        p, A, [*A, _new(managedPolicies=["All"])], Cluster(secrets=BOTH), claims=_claims("ec2:*")
    ),
    "a new request has a statement field that nobody knows": lambda p: judge(
        p,
        A,
        [*A, _new(statementEntries=[{"effect": "Allow", "notAction": ["iam:*"], "resource": "*"}])],
        Cluster(secrets=BOTH),
        claims=_claims("ec2:*"),
    ),
    "a Deny is lifted": lambda p: judge(p, _denied("s3:DeleteBucket"), _denied(), Cluster()),
    "a list differs by repetition": lambda p: judge(
        p, [request("a", extra=[1, 1, 2])], [request("a", extra=[1, 2, 2])], Cluster()
    ),
    "a private key differs": lambda p: judge(
        p, [request("a", extra={"__x": 1})], [request("a", extra={"__x": 2})], Cluster()
    ),
    "an empty mapping appears": lambda p: judge(p, [request("a")], [request("a", hostedThing={})], Cluster()),
    "the issuer is not known and the role trusts nobody": lambda p: judge(
        p, A, A, Cluster(unread=["Authentication"]), claims=_claims("ec2:*", subjects=())
    ),
    "the token path goes back to the default": lambda p: judge(
        p, [request("a", cloudTokenPath="/custom/token")], [request("a")], Tokens()
    ),
    "the Secret is accepted although keys are known to be missing": lambda p: judge(
        p, A, A, Cluster(keys=frozenset()), accept_secret_exists=True
    ),
    "--from is not what runs": lambda p: judge(p, A, A, Cluster(history=(("Completed", "4.12.0"),))),
    "an unmodelled kind is new in mint mode": lambda p: judge(
        p, A, [*A, request("b", secret="bsec", kind="MoonSpec")], Cluster(mode="Mint", root=True)
    ),
    "a request names no Secret": lambda p: judge(
        p, [request("a", secret="")], [request("a", secret="")], Cluster(secrets=["openshift-storage/"])
    ),
    "a list hides in a list": lambda p: judge(
        p,
        A,
        [
            *A,
            {
                "apiVersion": "v1",
                "kind": "List",
                "items": [{"apiVersion": "v1", "kind": "List", "metadata": {"name": "x"}, "items": [request("b")]}],
            },
        ],
        Cluster(),
    ),
    "CCO is disabled by the legacy ConfigMap, whatever --mode says": lambda p: judge(
        p, A, AX, _disabled(), given=Given(mode=Mode.MINT)
    ),
}


def _disabled() -> Cluster:
    cluster = Cluster(mode="Mint", root=True)
    cluster.objects["ConfigMap"] = {
        "metadata": {"name": "cloud-credential-operator-config", "namespace": NS},
        "data": {"disabled": "true"},
    }
    return cluster


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_does_not_pass(case: Callable[[Path], Outcome], tmp_path: Path) -> None:
    verdict = case(tmp_path).verdict
    assert verdict.status != "pass", verdict.summary


CONTROLS: Mapping[str, Callable[[Path], Outcome]] = {
    "nothing changed": lambda p: judge(p, A, A, Cluster()),
    "everything is held": lambda p: judge(p, A, A, Cluster(), claims=_claims("ec2:*")),
    "the order of a list changed": lambda p: judge(
        p, [request("a", extra=[1, 2])], [request("a", extra=[2, 1])], Cluster()
    ),
    "a grant moves to a new request and is held": lambda p: judge(
        p, AX, [*A, request("b", "ec2:X")], Cluster(keys=frozenset({"credentials"})), claims=_claims("ec2:*")
    ),
    "two hops without a change": lambda p: _multi(p, [A, A, A], Cluster(annotation="4.16")),
}


@pytest.mark.parametrize("case", CONTROLS.values(), ids=CONTROLS)
def test_its_control_passes(case: Callable[[Path], Outcome], tmp_path: Path) -> None:
    verdict = case(tmp_path).verdict
    assert verdict.status == "pass", verdict.summary


@pytest.mark.parametrize(
    "given",
    [
        Given(platform="AWS", profile="self-manged-high-availability"),
        Given(platform="AWS", feature_set="TechPreview"),
        Given(platform="AWS", capabilities=("Storag",)),
        Given(platform="AWS", capabilities=("storage",)),
        Given(platform="Foo"),
    ],
    ids=["profile", "feature set", "capability", "case of a capability", "platform"],
)
def test_slip_of_the_pen_in_an_option_is_a_usage_error(given: Given, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        judge(tmp_path, A, AX, given=given)


def test_capabilities_that_contradict_the_cluster_are_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        judge(tmp_path, A, A, Cluster(), given=Given(capabilities=()))


def test_capabilities_enabled_by_themselves_count_from_an_older_release_too(tmp_path: Path) -> None:
    behind = request("b", secret="bsec", annotations={**PROFILE, "capability.openshift.io/name": "Storage"})

    def run(folder: str, running: str) -> Outcome:
        cluster = Cluster(history=(("Completed", running),))
        stated = cluster.objects["ClusterVersion"]
        stated["spec"]["capabilities"] = {"baselineCapabilitySet": "None"}
        names = ["Storage", "CloudCredential"]
        stated["status"]["capabilities"] = {"knownCapabilities": names, "enabledCapabilities": names}
        return judge(tmp_path / folder, [*A, behind], [*A, behind], cluster)

    for outcome in (run("same", "4.14.1"), run("older", "4.14.0")):
        assert f"{NS}/b" in outcome.comparison.hops[0].new_selection.requests


@pytest.mark.parametrize("annotation", [True, False])
def test_repeated_key_that_decides_is_a_conflict(annotation: bool, tmp_path: Path) -> None:
    text = (
        "apiVersion: cloudcredential.openshift.io/v1\nkind: CredentialsRequest\n"
        f"metadata:\n  name: a\n  namespace: {NS}\n  annotations:\n"
        "    include.release.openshift.io/self-managed-high-availability: 'true'\n"
        + ("    include.release.openshift.io/self-managed-high-availability: 'false'\n" if annotation else "")
        + "spec:\n  secretRef: {name: cloud, namespace: openshift-storage}\n"
        + "  providerSpec:\n    kind: AWSProviderSpec\n"
        + ("" if annotation else "    kind: AzureProviderSpec\n")
    )
    outcome = judge(tmp_path, A, [text, request("z")], Cluster())
    assert found(outcome, "request-conflict")
    assert outcome.verdict.status == "blocked"


GATE = {
    "apiVersion": "config.openshift.io/v1",
    "kind": "FeatureGate",
    "metadata": {
        "name": "cluster",
        "annotations": {
            "include.release.openshift.io/self-managed-high-availability": "false-except-for-the-config-operator",
            "release.openshift.io/feature-set": "Default",
        },
    },
}


@pytest.mark.parametrize(
    "status",
    [
        None,
        {},
        {"featureGates": {}},
        {"featureGates": []},
        {"featureGates": [{"enabled": "G"}]},
        {"featureGates": [{"enabled": ["G"]}]},
        {"featureGates": [{"enabeld": [{"name": "G"}], "disabled": [{"name": "H"}]}]},
    ],
    ids=["missing", "empty", "no list", "an empty list", "text", "names", "misspelt"],
)
def test_damaged_feature_gate_is_not_a_release_without_gates(status: Any, tmp_path: Path) -> None:
    gated = request("b", secret="bsec", annotations={**PROFILE, "release.openshift.io/feature-gate": "G"})
    body = {**GATE, **({} if status is None else {"status": status})}
    outcome = judge(tmp_path, [*A, body], [*A, body, gated], versions=("4.22.1", "4.22.2"))
    assert outcome.verdict.status != "pass"


def test_secret_of_kube_system_is_not_the_root_credential(tmp_path: Path) -> None:
    class Two(Cluster):
        def _answer(self, query: Query) -> Fact[Any]:
            if query.kind == "Secret" and query.namespace == "kube-system":
                ref = SecretRef("kube-system", query.name or "")
                who = ROLE if query.name == "aws-creds" else "arn:aws:iam::111122223333:role/weak"
                return Known(SecretRecord(ref, keys=frozenset({"credentials"}), identity=who, form="keys"))
            return super()._answer(query)

    body = request("a", "ec2:A")
    body["spec"]["secretRef"] = {"namespace": "kube-system", "name": "other"}
    outcome = judge(tmp_path, [body], [body], Two(), claims=_claims("ec2:*"))
    assert outcome.verdict.status != "pass"


def test_policy_never_lowers_what_cannot_be_acknowledged(tmp_path: Path) -> None:
    cluster = Cluster(conditions={"Upgradeable": ("False", "MissingUpgradeableAnnotation")}, annotation=None)
    weighing = Weights(today=TODAY, policy={"cco-not-upgradeable": Severity.INFO})
    assert judge(tmp_path, A, A, cluster, weighing=weighing).verdict.status == "blocked"


def test_facts_of_one_object_are_acknowledged_one_by_one(tmp_path: Path) -> None:
    prints = set()
    for number, part in enumerate(("overrides", "capabilities")):
        cluster = Cluster()
        if part == "overrides":
            cluster.objects["ClusterVersion"]["spec"]["overrides"] = "x"
        else:
            cluster.objects["ClusterVersion"]["status"]["capabilities"] = "x"
        gated = [request("a", annotations={**PROFILE, "capability.openshift.io/name": "CloudCredential"})]
        outcome = judge(tmp_path / str(number), gated, gated, cluster)
        prints.add(found(outcome, "fact-unknown")[0].finding.fingerprint)
    assert len(prints) == 2


def test_new_secret_without_grants_is_part_of_the_fingerprint(tmp_path: Path) -> None:
    def run(folder: str, secret: str) -> str:
        body = request("b", secret=secret, kind="NutanixProviderSpec")
        body["spec"]["providerSpec"].pop("statementEntries")
        old = request("a", kind="NutanixProviderSpec")
        old["spec"]["providerSpec"].pop("statementEntries")
        outcome = judge(tmp_path / folder, [old], [old, body], given=Given(platform="Nutanix"))
        return found(outcome, "request-added")[0].finding.fingerprint

    assert run("1", "s1") != run("2", "s2")


def test_azure_secret_with_both_forms_is_incomplete(tmp_path: Path) -> None:
    def azure() -> dict[str, Any]:
        body = request("a", kind="AzureProviderSpec")
        body["spec"]["providerSpec"].pop("statementEntries")
        body["spec"]["providerSpec"]["permissions"] = ["Microsoft.Compute/disks/read"]
        return body

    keys = {
        *("azure_client_id", "azure_client_secret", "azure_tenant_id", "azure_subscription_id", "azure_region"),
        *("azure_resourcegroup", "azure_resource_prefix"),
    }
    cluster = Cluster(platform="Azure", keys=frozenset({*keys, "azure_federated_token_file"}))
    assert found(judge(tmp_path / "1", [azure()], [azure()], cluster), "secret-incomplete")
    plain = Cluster(platform="Azure", keys=frozenset(keys), issuer="")
    assert not found(judge(tmp_path / "2", [azure()], [azure()], plain), "secret-incomplete")


@pytest.mark.parametrize("platform", ["AWS", "Azure", "GCP", "VSphere"])
def test_release_of_unknown_version_is_undetermined_on_every_platform(platform: str, tmp_path: Path) -> None:
    new = payload(tmp_path / "new", "4.15.0", A)
    (new / "release-metadata").unlink()
    old = payload(tmp_path / "old", "4.14.1", A)
    outcome = pipeline.check(
        pipeline.Inputs(to=f"dir:{new}", from_=f"dir:{old}", given=Given(platform=platform)),
        Weights(today=TODAY),
    )
    assert outcome.verdict.exit_code == 4
    assert [j.finding.rule for j in outcome.judged] == ["manifest-unreadable"]
    assert str(new) in outcome.verdict.summary


@pytest.mark.parametrize(("edges", "supported"), [([[0, 1]], True), ([], False)])
def test_major_hop_is_supported_by_the_graph_that_was_named(edges: list[Any], supported: bool, tmp_path: Path) -> None:
    import json

    from upgrade_gate.payloads.reference import Settings

    nodes = [{"version": v, "payload": f"r/x@sha256:{n * 64}"} for v, n in (("4.22.3", "0"), ("5.0.0", "1"))]
    graph = tmp_path / "graph.json"
    graph.write_text(json.dumps({"nodes": nodes, "edges": edges}))
    outcome = judge(tmp_path / "w", A, A, versions=("4.22.3", "5.0.0"), settings=Settings(graph=str(graph)))
    assert bool(found(outcome, "hop-unsupported")) is not supported
