"""The bundle of small releases of our own: shared Secrets, clean-up, values that stop the script, ccoctl's filters."""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from tests.worlds import bundles
from tests.worlds.bundles import Pair, Shell
from tests.worlds.cluster_objects import with_facts
from upgrade_gate.base.facts import Fact, Known, Unknown
from upgrade_gate.cluster.model import AvailableUpdate
from upgrade_gate.gate.acknowledgements import Acknowledgement
from upgrade_gate.gate.outcome import Outcome
from upgrade_gate.gate.verdict import Weights
from upgrade_gate.proof.identity_map import Identities
from upgrade_gate.proof.proof import Claims
from upgrade_gate.remedy import bundle, credentials_requests
from upgrade_gate.remedy.plan import left, steps_for
from upgrade_gate.requests.inclusion import FEATURE_SET

NAMESPACE = "openshift-cloud-credential-operator"
INCLUDED = {"include.release.openshift.io/self-managed-high-availability": "true"}


def small_request(name: str, *actions: str, **spec: Any) -> dict[str, Any]:
    """Return a request on AWS with a Secret of its own."""
    annotations = spec.pop("annotations", {})
    return {
        "apiVersion": "cloudcredential.openshift.io/v1",
        "kind": "CredentialsRequest",
        "metadata": {"name": name, "namespace": NAMESPACE, "annotations": {**INCLUDED, **annotations}},
        "spec": {
            "secretRef": {"namespace": "openshift-ingress-operator", "name": name},
            "serviceAccountNames": [f"{name}-sa"],
            "providerSpec": {
                "kind": "AWSProviderSpec",
                "statementEntries": [{"effect": "Allow", "action": list(actions), "resource": "*"}],
            },
            **spec,
        },
    }


def small_release(folder: Path, version: str, *requests: Mapping[str, Any]) -> None:
    target = folder / version
    target.mkdir(parents=True)
    metadata = {"kind": "cincinnati-metadata-v0", "version": version, "previous": []}
    (target / "release-metadata").write_text(json.dumps(metadata))
    for number, request in enumerate(requests):
        (target / f"0000_50_{number:02d}.yaml").write_text(yaml.safe_dump(request))


def small(
    shared: Path, tmp_path: Path, old: list[dict[str, Any]], new: list[dict[str, Any]], **more: Any
) -> tuple[Outcome, Mapping[str, bytes]]:
    small_release(tmp_path / "releases", "4.14.1", *old)
    small_release(tmp_path / "releases", "4.15.2", *new)
    pair = Pair("aws-sts-nothing-done", "4.14.1", "4.15.2", "4.13.99")
    cluster = bundles.dump(shared, tmp_path, pair, more.pop("change", lambda text: text))
    for secret in more.pop("secrets", ()):
        place = cluster / "namespaces" / "openshift-ingress-operator" / "core" / "secrets" / f"{secret['name']}.yaml"
        place.parent.mkdir(parents=True, exist_ok=True)
        metadata = {"name": secret["name"], "namespace": "openshift-ingress-operator"}
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": secret["data"]}
        place.write_text(yaml.safe_dump(body))
    run = bundles.outcome(shared, cluster, pair, releases=tmp_path / "releases", **more)
    return run, bundle.build(run, {})


def test_one_policy_holds_what_every_request_on_a_secret_needs(shared: Path, tmp_path: Path) -> None:
    """Two requests share a Secret; the second gains an action, and the running release still needs `c:Old`."""
    ref = {"secretRef": {"namespace": "openshift-ingress-operator", "name": "one"}}
    old = [small_request("one", "a:One"), small_request("two", "b:Two", "c:Old", **ref)]
    new = [small_request("one", "a:One"), small_request("two", "b:Two", "d:New", **ref)]
    _, files = small(shared, tmp_path, old, new)

    def actions(ending: str) -> list[str]:
        (name,) = (n for n in files if n.startswith("aws/") and n.endswith(ending))
        return [a for s in json.loads(files[name])["Statement"] for a in s["Action"]]

    assert actions("-policy.json") == ["a:One", "b:Two", "c:Old", "d:New"]
    assert actions("-delta.json") == ["d:New"]
    assert actions("-policy-after.json") == ["a:One", "b:Two", "d:New"]


def test_secrets_that_one_identity_serves_share_its_policy(shared: Path, tmp_path: Path) -> None:
    old = [small_request("one", "a:One"), small_request("two", "b:Two")]
    new = [small_request("one", "a:One", "a:More"), small_request("two", "b:Two", "b:More")]
    claims = Claims(identities=Identities(default="arn:aws:iam::111122223333:role/all"))
    run, files = small(shared, tmp_path, old, new, claims=claims)
    (change,) = run.plan.changes
    assert len(change.secrets) == 2
    body = json.loads(files["aws/all-policy.json"])
    assert body["Statement"][0]["Action"] == ["a:More", "a:One", "b:More", "b:Two"]


def test_what_is_dropped_is_cleaned_up_after_the_upgrade(shared: Path, tmp_path: Path) -> None:
    old = [small_request("gone", "a:One"), small_request("kept", "b:Two", serviceAccountNames=["x", "y"])]
    new = [small_request("kept", "b:Two", serviceAccountNames=["x", "z"])]
    run, files = small(shared, tmp_path, old, new)
    plan = run.plan
    after = {s.title: s for s in plan.steps if s.when == "after"}
    assert not after["Remove Secret openshift-ingress-operator/gone"].scripted
    assert any("serviceaccount:openshift-ingress-operator:y" in title for title in after)
    (trust,) = (s for s in plan.steps if s.serves == "trust")
    assert "serviceaccount:openshift-ingress-operator:z" in trust.title
    (delta,) = (n for n in files if n.endswith("-trust-delta.json"))
    assert "openshift-ingress-operator:z" in files[delta].decode()
    assert "oc delete" not in files["commands.sh"].decode()
    (removed,) = (j.finding for j in run.judged if j.finding.rule == "request-removed")
    assert steps_for(plan, removed)[0].commands[0].line.argv[:3] == ("oc", "delete", "secret")


def test_a_merged_trust_policy_must_name_the_new_subject(shared: Path, tmp_path: Path) -> None:
    """The script refuses a document that lacks it, and one that is still unfilled, before it changes anything."""
    old = [small_request("kept", "b:Two", serviceAccountNames=["x"])]
    new = [small_request("kept", "b:Two", serviceAccountNames=["x", "z"])]
    run, _ = small(shared, tmp_path, old, new)
    folder = bundles.bundle(run, tmp_path / "bundle")
    shell = Shell(tmp_path / "bin", tmp_path)
    document = tmp_path / "merged.json"
    values = {
        "AWS_ROLE_OPENSHIFT_INGRESS_OPERATOR_KEPT": "role",
        "TRUST_POLICY_OPENSHIFT_INGRESS_OPERATOR_KEPT": str(document),
        "AWS_ACCOUNT_ID": "111122223333",
    }
    missing = shell.run(folder / "commands.sh", values=values)
    assert (missing.code, missing.changes) == (2, ())
    assert "there is no file" in missing.err
    document.write_text('{"Statement": []}')
    lacking = shell.run(folder / "commands.sh", values=values)
    assert (lacking.code, lacking.changes) == (2, ())
    assert "does not name system:serviceaccount:openshift-ingress-operator:z" in lacking.err


def test_a_value_that_cannot_be_right_stops_the_script(shared: Path, tmp_path: Path) -> None:
    run, _ = small(shared, tmp_path, [small_request("one", "a:One")], [small_request("one", "a:One", "a:More")])
    folder = bundles.bundle(run, tmp_path / "bundle")
    shell = Shell(tmp_path / "bin", tmp_path)
    for bad in ("$(touch pwned)", "a b", "role\nname", "x" * 65):
        ran = shell.run(folder / "commands.sh", values={"AWS_ROLE_OPENSHIFT_INGRESS_OPERATOR_ONE": bad})
        assert (ran.code, ran.changes) == (2, ()), bad
    assert not (folder / "pwned").exists()
    assert shell.run(folder / "commands.sh", "sideways").code == 2
    after = shell.run(folder / "commands.sh", "after")
    assert (after.code, after.changes) == (0, ())


def test_a_secret_without_its_keys_is_completed(shared: Path, tmp_path: Path) -> None:
    same = [small_request("one", "a:One")]
    run, files = small(shared, tmp_path, same, same, secrets=[{"name": "one", "data": {"other": "eA=="}}])
    rules = {j.finding.rule for j in run.judged}
    assert "secret-incomplete" in rules
    assert "Complete Secret openshift-ingress-operator/one" in files["README.md"].decode()
    script = files["commands.sh"].decode()
    assert "oc get secret one" not in script, "it is there, so it is applied whatever is there"


def test_ccoctl_is_told_what_it_drops(shared: Path, tmp_path: Path) -> None:
    """It takes one value of the annotation alone, given the flag; 4.10 and 4.11 read another key.

    See docs/facts/cco.md#what-ccoctl-takes.
    """
    run, _ = small(shared, tmp_path, [small_request("one", "a:One")], [small_request("one", "a:One", "a:More")])
    hop = run.comparison.hops[-1]
    (selected,) = hop.new_selection.requests.values()

    def marked(**annotations: str) -> Any:
        named = {
            name: replace(selected, request=replace(selected.request, annotations={FEATURE_SET: value}))
            for name, value in annotations.items()
        }
        return replace(hop, new_selection=replace(hop.new_selection, requests=named))

    preview, both = "TechPreviewNoUpgrade", "CustomNoUpgrade,TechPreviewNoUpgrade"
    assert credentials_requests.tech_preview(hop) == (False, ())
    assert credentials_requests.tech_preview(marked(one=preview)) == (True, ())
    assert credentials_requests.tech_preview(marked(one=preview, two=both)) == (True, ("two",))
    assert credentials_requests.tech_preview(marked(two=both)) == (False, ("two",))
    older = replace(marked(one=preview), new=replace(hop.new, version="4.11.3"))
    assert credentials_requests.tech_preview(older) == (False, ())


def role(name: str, secret: str = "one") -> dict[str, str]:
    return {f"openshift-ingress-operator/{secret}": f"arn:aws:iam::111122223333:role/{name}"}


@pytest.mark.parametrize(
    ("named", "inferred"),
    [
        ({**role("c1-openshift-ingress-operator-one")}, True),
        ({**role("c1-openshift-ingress-operator-one"), **role("c1-openshift-ingress-operator-two", "two")}, True),
        ({**role("c1-openshift-ingress-operator-one"), **role("c2-openshift-ingress-operator-two", "two")}, False),
        ({**role("c1-openshift-ingress-operator-one"), **role("ingress", "two")}, False),
        (role("by-terraform"), False),
        ({}, False),
    ],
    ids=["one role", "two roles", "two clusters' roles", "one of another name", "none of ccoctl's", "no role known"],
)
def test_a_new_role_is_called_as_ccoctl_called_the_others(
    named: Mapping[str, str], inferred: bool, shared: Path, tmp_path: Path
) -> None:
    old = [small_request("one", "a:One"), small_request("two", "b:Two")]
    claims = Claims(identities=Identities(by_secret=named))
    _, files = small(shared, tmp_path, old, [*old, small_request("three", "c:Three")], claims=claims)
    script = files["commands.sh"].decode()
    assert ("--role-name c1-openshift-ingress-operator-three" in script) is inferred
    assert ("AWS_ROLE_OPENSHIFT_INGRESS_OPERATOR_THREE" in script) is not inferred
    assert ("create-iam-roles --name c1 " in files["README.md"].decode()) is inferred


@pytest.mark.parametrize("name", ["-n", "@file", "a b", "A", "a/b", "x" * 254, "\u202eabc", "..", "$(id)"])
def test_a_name_that_no_object_can_have_comes_into_no_step(name: str, shared: Path, tmp_path: Path) -> None:
    """`-n` would be an option of oc and `@file` a file of az, however they are quoted."""
    odd = {"secretRef": {"namespace": "openshift-ingress-operator", "name": name}}
    run, files = small(shared, tmp_path, [], [small_request("one", "a:One", **odd), small_request("two", "b:Two")])
    script = files["commands.sh"].decode()
    before = script[script.rindex('if [ "$part" = grant ]; then') :]
    ran = [line for line in before.splitlines() if not line.strip().startswith(("echo ", "#"))]
    assert name not in [word for line in ran for word in shlex.split(line.rstrip("\\"))]
    assert any("get secret two" in line for line in ran)
    assert "manifest-unreadable" in {f.rule for f in left(run.plan, run.judged)}


def test_the_annotation_waits_for_what_nobody_understands(shared: Path, tmp_path: Path) -> None:
    """A request without a step may be forgotten: CCO must not be told while the gate still sees it open."""
    odd = {"serviceAccountNames": ["-sa"]}
    run, _ = small(shared, tmp_path, [], [small_request("one", "a:One", **odd)], secrets=DONE)
    folder = bundles.bundle(run, tmp_path / "bundle")
    shell = Shell(tmp_path / "bin", tmp_path)
    assert shell.run(folder / "commands.sh", "annotate", "--report", str(folder / "report.json")).changes == ()


def test_the_annotation_waits_for_what_no_step_ends(shared: Path, tmp_path: Path) -> None:
    """A change that nobody understands has no step: CCO must not be told before somebody decided."""
    same, odd = small_request("one", "a:One"), small_request("one", "a:One", newField="x")
    run, _ = small(shared, tmp_path, [same], [odd], secrets=DONE)
    plan = run.plan
    assert {f.rule for f in left(plan, run.judged)} >= {"unclassified-change"}
    assert not any(f.closed_by_annotation for f in left(plan, run.judged))
    folder = bundles.bundle(run, tmp_path / "bundle")
    shell = Shell(tmp_path / "bin", tmp_path)
    stopped = shell.run(folder / "commands.sh", "annotate", "--report", str(folder / "report.json"))
    assert (stopped.code, stopped.changes) == (2, ())
    entries = tuple(
        Acknowledgement(f.fingerprint, reason="read", owner="me", expires=bundles.TODAY, file="a", line=1)
        for f in left(plan, run.judged)
    )
    weighing = Weights(acknowledgements=entries, today=bundles.TODAY)
    decided, _ = small(shared, tmp_path / "again", [same], [odd], secrets=DONE, weighing=weighing)
    assert left(decided.plan, decided.judged) == ()
    later = bundles.bundle(decided, tmp_path / "later") / "report.json"
    ran = shell.run(folder / "commands.sh", "annotate", "--report", str(later))
    assert ran.code == 0, ran.err
    assert [call[:2] for call in ran.changes] == [("oc", "annotate")]


DONE = ({"name": "one", "data": {"credentials": "eA=="}},)
DIGEST = "sha256:" + "1" * 64


@pytest.mark.parametrize(
    ("offered", "risks", "flags"),
    [
        (f"quay.io/ocp/release@{DIGEST}", (), ()),
        (f"quay.io/ocp/release@{DIGEST}", ("SomeRisk",), ("--allow-not-recommended",)),
        ("quay.io/ocp/release@sha256:" + "2" * 64, (), ("--allow-explicit-upgrade",)),
        (None, (), ("--allow-explicit-upgrade",)),
        ("not read", (), ()),
    ],
    ids=["offered", "offered with a risk", "another digest is offered", "not offered", "not known"],
)
def test_the_upgrade_command_names_the_digest_that_was_judged(
    offered: str | None, risks: tuple[str, ...], flags: tuple[str, ...], shared: Path, tmp_path: Path
) -> None:
    """`oc adm upgrade --to-image` compares digests with what is offered, and takes nothing else without a flag."""
    run, _ = small(shared, tmp_path, [small_request("one", "a:One")], [small_request("one", "a:One")])
    (hop,), cluster = run.situation.hops, run.situation.cluster
    assert cluster is not None
    judged = replace(hop, new=replace(hop.new, pullspec=f"mirror.example.com/ocp/release@{DIGEST}"))
    offers = (AvailableUpdate("4.15.2", offered, risks),) if offered else ()
    read: Fact[tuple[AvailableUpdate, ...]] = Unknown("forbidden") if offered == "not read" else Known(offers)
    situation = replace(run.situation, hops=(judged,), cluster=with_facts(cluster, offers=read))
    (command,) = bundle.upgrade_commands(situation)
    assert command.argv == ("oc", "adm", "upgrade", f"--to-image=mirror.example.com/ocp/release@{DIGEST}", *flags)


@pytest.mark.parametrize(("offered", "commands"), [("4.15.2", 1), ("4.15.9", 0)])
def test_without_a_digest_a_version_that_is_not_offered_has_no_command(
    offered: str, commands: int, shared: Path, tmp_path: Path
) -> None:
    """`oc adm upgrade --to` takes no version that the cluster does not offer."""
    run, _ = small(shared, tmp_path, [small_request("one", "a:One")], [small_request("one", "a:One")])
    assert run.situation.cluster is not None
    offers = Known((AvailableUpdate(offered, "", ()),))
    situation = replace(run.situation, cluster=with_facts(run.situation.cluster, offers=offers))
    assert len(bundle.upgrade_commands(situation)) == commands


def test_without_a_digest_the_upgrade_command_names_the_version(shared: Path, tmp_path: Path) -> None:
    run, files = small(shared, tmp_path, [small_request("one", "a:One")], [small_request("one", "a:Two")])
    assert run.situation.cluster is not None
    unread = with_facts(run.situation.cluster, offers=Unknown("forbidden"))
    (command,) = bundle.upgrade_commands(replace(run.situation, cluster=unread))
    assert command.argv == ("oc", "adm", "upgrade", "--to=4.15.2")
    assert "oc adm release info --image-for=cloud-credential-operator '<FILL_ME: RELEASE_IMAGE>'" in (
        files["README.md"].decode()
    )


def test_ccoctl_comes_out_of_the_image_that_the_cluster_offers(shared: Path, tmp_path: Path) -> None:
    """A folder of manifests has no image; the cluster says which image the version is."""
    image = f"quay.io/ocp/release@{DIGEST}"

    def offer(text: str) -> str:
        return text.replace("version: 4.14.0\n    image:", f"version: 4.15.2\n    image: {image}\n    was:")

    _, files = small(shared, tmp_path, [small_request("one", "a:One")], [small_request("one", "a:Two")], change=offer)
    assert f"oc adm release info --image-for=cloud-credential-operator {image}" in files["README.md"].decode()


def test_a_bundle_without_an_upgrade_command_says_why(shared: Path, tmp_path: Path) -> None:
    run, _ = small(shared, tmp_path, [small_request("one", "a:One")], [small_request("one", "a:Two")])
    assert run.situation.cluster is not None
    offers = Known((AvailableUpdate("4.15.9", "", ()),))
    elsewhere = replace(run, situation=replace(run.situation, cluster=with_facts(run.situation.cluster, offers=offers)))
    readme = bundle.build(elsewhere, {})["README.md"].decode()
    assert "There is none: the cluster does not offer 4.15.2, and its digest is not known here." in readme
