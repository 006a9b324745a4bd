"""`init acm-policy`: a CronJob in each managed cluster, and a policy that only a pass for the target satisfies."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.worlds import flows, images, judges, release_image
from tests.worlds.certificates import Certificates
from tests.worlds.job_controller import KILLED, JobController
from tests.worlds.kubernetes_server import KubernetesServer
from tests.worlds.ready_files import Workspace, check_shell, made, refused
from tests.worlds.running import run

pytestmark = pytest.mark.slow

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
IMAGE = "quay.io/openshift-release-dev/ocp-release"
POLICY = "policy.open-cluster-management.io"
CLUSTER = "cluster.open-cluster-management.io"
DIGEST = f"sha256:{'0123456789abcdef' * 4}"

# The CRDs are in no package that tests could install. Fields of their `spec`, required and optional ones; where they
# stand, and the rules beside them: docs/facts/hubs.md#policies.
SPECS = {
    f"{POLICY}/v1 Policy": ({"disabled", "policy-templates"}, {"remediationAction"}),
    f"{POLICY}/v1 ConfigurationPolicy": (
        {"remediationAction", "object-templates"},
        {"severity", "pruneObjectBehavior", "evaluationInterval"},
    ),
    f"{CLUSTER}/v1beta1 Placement": (set[str](), {"clusterSets", "predicates", "tolerations"}),
    f"{CLUSTER}/v1beta2 ManagedClusterSetBinding": ({"clusterSet"}, set[str]()),
}


def on_disk(folder: Path, world: flows.World) -> tuple[Path, Path, str]:
    """Write both releases as image layouts; return them with the digest of the target."""
    words = flows.write(world, folder)
    places = []
    for name in ("--from", "--to"):
        source = Path(words[words.index(name) + 1].removeprefix("dir:"))
        files = {path.name: path.read_bytes() for path in source.iterdir()}
        image = release_image.build(source.name.partition("-")[2], base=100, files=files, oci=True)
        places.append(images.write(folder / f"layout{name}", images.layout_files(image)))
    return places[0], places[1], image.digest


@pytest.fixture
def releases(fixtures: Path) -> tuple[str, ...]:
    places = {"--from": fixtures / "releases" / "4.18.7", "--to": fixtures / "releases" / "4.19.2"}
    return ("--no-cluster", "--platform", "AWS", *(word for name in places for word in (name, f"dir:{places[name]}")))


def documents(*options: str) -> dict[tuple[str, str], Any]:
    """Return what is applied on the hub, by kind and name."""
    found = list(yaml.safe_load_all(made("acm-policy", *options)))
    return {(body["kind"], body["metadata"]["name"]): body for body in found}


def templates(policy: Any) -> list[Any]:
    """Return the ConfigurationPolicies of a Policy."""
    return [entry["objectDefinition"] for entry in policy["spec"]["policy-templates"]]


def brought(*options: str) -> list[tuple[str, Any]]:
    """Return what a managed cluster gets, each with how it is compared."""
    found = documents(*options)
    (policy,) = (body for (kind, name), body in found.items() if kind == "Policy" and "verdict" not in name)
    (enforced,) = (one for one in templates(policy) if one["spec"]["remediationAction"] == "enforce")
    return [(one["complianceType"], one["objectDefinition"]) for one in enforced["spec"]["object-templates"]]


def cron_job(*options: str) -> Any:
    (found,) = (body for _, body in brought(*options) if body["kind"] == "CronJob")
    return found


def verdict(*options: str) -> Any:
    (policy,) = (
        body for (kind, name), body in documents(*options).items() if (kind, name[-8:]) == ("Policy", "-verdict")
    )
    (found,) = templates(policy)
    return found


def matches(wanted: Any, found: Any) -> bool:
    """Compare as `musthave` does: what is wanted is there, whatever else is."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(key in found and matches(wanted[key], found[key]) for key in wanted)
    if isinstance(wanted, list):
        return isinstance(found, list) and all(any(matches(one, other) for other in found) for one in wanted)
    return str(wanted) == str(found)


def compliant(configuration: Any, objects: list[Any]) -> bool:
    """Judge a ConfigurationPolicy that only tells."""
    assert configuration["spec"]["remediationAction"] == "inform"
    for template in configuration["spec"]["object-templates"]:
        assert template["complianceType"] == "musthave"
        if not any(matches(template["objectDefinition"], body) for body in objects):
            return False
    return True


def test_everything_has_the_fields_that_the_apis_have(releases: tuple[str, ...]) -> None:
    options = (*releases, "--pullspec", f"{IMAGE}@{DIGEST}", "--selector", "env=prod,!old")
    found = documents(*options)
    kinds = sorted(kind for kind, _ in found)
    pairs = ["PlacementBinding"] * 2 + ["Policy"] * 2
    assert kinds == sorted(["ManagedClusterSetBinding", "Namespace", "Placement", *pairs])
    inner = [one for (kind, _), body in found.items() if kind == "Policy" for one in templates(body)]
    for body in (*found.values(), *inner):
        if body["kind"] not in {"Namespace", "PlacementBinding"}:
            required, optional = SPECS[f"{body['apiVersion']} {body['kind']}"]
            assert required <= set(body["spec"]) <= required | optional
    for one in inner:
        assert one["spec"]["remediationAction"] in {"inform", "enforce"}
        assert one["spec"]["severity"] in {"low", "medium", "high", "critical"}
        for template in one["spec"]["object-templates"]:
            known = {"complianceType", "metadataComplianceType", "objectDefinition"}
            assert {"complianceType", "objectDefinition"} <= set(template) <= known
            assert template["complianceType"] in {"musthave", "mustonlyhave"}
    for (kind, name), body in found.items():
        if kind == "PlacementBinding":
            assert body["placementRef"] == {"apiGroup": CLUSTER, "kind": "Placement", "name": "upgrade-gate-aws"}
            assert body["subjects"] == [{"apiGroup": POLICY, "kind": "Policy", "name": name}]
            assert ("Policy", name) in found
    (predicate,) = found["Placement", "upgrade-gate-aws"]["spec"]["predicates"]
    claim = {"key": "platform.open-cluster-management.io", "operator": "In", "values": ["AWS"]}
    assert predicate["requiredClusterSelector"] == {
        "claimSelector": {"matchExpressions": [claim]},
        "labelSelector": {
            "matchExpressions": [
                {"key": "env", "operator": "In", "values": ["prod"]},
                {"key": "old", "operator": "DoesNotExist"},
            ]
        },
    }
    assert "{{" not in made("acm-policy", *options), "the policy's controller would expand it"


def test_a_platform_without_a_claim_of_its_own_may_claim_to_be_another(fixtures: Path) -> None:
    places = {"--from": fixtures / "releases" / "4.18.7", "--to": fixtures / "releases" / "4.19.2"}
    words = [word for name in places for word in (name, f"dir:{places[name]}")]
    found = documents("--no-cluster", "--platform", "BareMetal", *words, "--pullspec", f"{IMAGE}@{DIGEST}")
    (predicate,) = found["Placement", "upgrade-gate-baremetal"]["spec"]["predicates"]
    (claim,) = predicate["requiredClusterSelector"]["claimSelector"]["matchExpressions"]
    assert claim["values"] == ["BareMetal", "Other"]


def test_the_api_s_own_types_take_what_the_cluster_gets(releases: tuple[str, ...]) -> None:
    from kubernetes import client

    for _, body in brought(*releases, "--pullspec", f"{IMAGE}@{DIGEST}"):
        getattr(client, f"V1{body['kind']}").model_validate(body)


def test_lists_of_an_earlier_file_do_not_stay(releases: tuple[str, ...]) -> None:
    """`musthave` merges lists: an earlier target would stay among the arguments, an earlier rule in a role."""
    for how, body in brought(*releases, "--pullspec", f"{IMAGE}@{DIGEST}"):
        assert how == ("musthave" if body["kind"] in {"Namespace", "ServiceAccount"} else "mustonlyhave"), body["kind"]


def test_the_roles_are_those_of_init_rbac_and_one_for_the_report(releases: tuple[str, ...]) -> None:
    more = ("--pull-secret-from-cluster", "--mirrors-from-cluster", "--read-secrets")
    rbac = list(yaml.safe_load_all(run("init", "rbac", *releases, *more).out))
    rest = [body for _, body in brought(*releases, *more, "--pullspec", f"{IMAGE}@{DIGEST}") if body not in rbac]
    names = {(body["kind"], body["metadata"]["name"], body["metadata"]["namespace"]) for body in rest}
    own = {(kind, "upgrade-gate-report", "upgrade-gate") for kind in ("Role", "RoleBinding")}
    assert names == {*own, ("CronJob", "upgrade-gate", "upgrade-gate")}
    assert len(rest) + len(rbac) == len(brought(*releases, *more, "--pullspec", f"{IMAGE}@{DIGEST}"))
    (container,) = cron_job(*releases, *more, "--pullspec", f"{IMAGE}@{DIGEST}")["spec"]["jobTemplate"]["spec"][
        "template"
    ]["spec"]["containers"]
    arguments = ["--to", f"{IMAGE}@{DIGEST}", "--cluster", "live", "--verify", "auto", "--read-secrets"]
    assert container["args"] == [*arguments, "--mirrors-from-cluster", "--pull-secret-from-cluster"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "give --pullspec IMAGE@sha256:DIGEST"),
        (("--pullspec", IMAGE), "--pullspec"),
        (("--pullspec", f"{IMAGE}@{DIGEST}", "--schedule", "daily"), "--schedule"),
        (("--pullspec", f"{IMAGE}@{DIGEST}", "--namespace", "n" * 40), "too long for a policy"),
        (("--pullspec", f"{IMAGE}@{DIGEST}", "--selector", "env in (a)"), "is no selector"),
        (("--pullspec", f"{IMAGE}@{DIGEST}", "--report-max-age", "soon"), "--report-max-age"),
    ],
)
def test_what_could_not_work_is_refused(releases: tuple[str, ...], options: tuple[str, ...], said: str) -> None:
    assert said in refused("acm-policy", *releases, *options).err


def test_a_pullspec_of_another_release_is_refused(tmp_path: Path) -> None:
    old, new, digest = on_disk(tmp_path, flows.grants())
    options = ("--no-cluster", "--platform", "AWS", "--from", f"oci:{old}", "--to", f"oci:{new}")
    assert f"the digest of that is {digest}" in refused("acm-policy", *options, "--pullspec", f"{IMAGE}@{DIGEST}").first


def test_shellcheck_has_nothing_to_say(releases: tuple[str, ...], tmp_path: Path) -> None:
    (container,) = pod(cron_job(*releases, "--pullspec", f"{IMAGE}@{DIGEST}"))["containers"]
    check_shell(container["command"][2], "sh", tmp_path)


def pod(body: Any) -> Any:
    return body["spec"]["jobTemplate"]["spec"]["template"]["spec"]


class Managed:
    """A managed cluster that has what the policy brings: its API, its roles, and an image with upgrade-gate."""

    def __init__(self, folder: Path, fixtures: Path, certificates: Certificates, world: flows.World) -> None:
        (folder / "image").mkdir()
        (folder / "account").mkdir()
        self.folder = folder
        self.workspace = Workspace(folder / "image", fixtures)
        python = Path(self.workspace.folder / ".programs" / "python3")
        real = (self.workspace.folder / ".programs" / "upgrade-gate").read_text().split('"')[1]
        python.write_text(f'#!/bin/sh\nexec "{real}" "$@"\n')
        python.chmod(0o755)
        shutil.copy(certificates.authority, folder / "account" / "ca.crt")
        (folder / "account" / "token").write_text("token-of-the-test")
        self.old, self.new, self.digest = on_disk(folder / "world", world)
        releases = ("--from", f"oci:{self.old}", "--to", f"oci:{self.new}", "--pullspec", f"{IMAGE}@{self.digest}")
        self.options = ("--no-cluster", "--platform", "AWS", *releases, "--no-pull-secret", "--report-max-age", "3h")
        rules = [
            (body["metadata"].get("namespace"), rule)
            for _, body in brought(*self.options)
            for rule in body.get("rules", ())
        ]
        self.api = KubernetesServer(certificates, world.objects(), rules=rules, writable=frozenset({"PolicyReport"}))

    @property
    def reports(self) -> list[Any]:
        return [body for (kind, _, _), body in self.api.store.items() if kind == "PolicyReport"]

    def passes(self) -> bool:
        """Whether the second policy is compliant here."""
        return compliant(verdict(*self.options), self.reports)

    def program(self, text: str) -> None:
        """Put another program in the place of upgrade-gate."""
        (self.workspace.folder / ".programs" / "upgrade-gate").write_text(f"#!/bin/sh\n{text}\n")

    def run(self, uid: str = "uid-1") -> JobController:
        """Let the CronJob make a Job."""
        body = cron_job(*self.options)
        spec = json.loads(
            json.dumps(body["spec"]["jobTemplate"]["spec"]).replace(
                f"{IMAGE}@{self.digest}", "oci:/releases/layout--to"
            )
        )
        job = {"metadata": {"name": f"upgrade-gate-{uid}", "namespace": "upgrade-gate"}, "spec": spec}
        environment = {
            **self.workspace.environment,
            "KUBECONFIG": str(self.api.kubeconfig(self.folder / "kubeconfig")),
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": str(self.api.port),
        }
        places = {
            ACCOUNT: self.folder / "account",
            "/tmp": self.workspace.folder,
            "/releases": self.folder / "world",
        }
        config = {"UPGRADE_GATE_ARGUMENTS": "--from 'oci:/releases/layout--from' --now 2026-11-01 --no-cache"}
        controller = JobController(job, uid, places, environment, config)
        controller.run()
        return controller


@pytest.fixture
def blocked(tmp_path: Path, fixtures: Path, certificates: Certificates) -> Iterator[Managed]:
    """A cluster whose target asks for one grant more."""
    managed = Managed(tmp_path, fixtures, certificates, flows.grants())
    with managed.api.run():
        yield managed


@pytest.fixture
def ready(tmp_path: Path, fixtures: Path, certificates: Certificates) -> Iterator[Managed]:
    """A cluster whose target asks for nothing new, on a patch."""
    same = (flows.request("AWS"),)
    world = flows.World("AWS", versions=("4.16.3", "4.16.4"), payloads=(same, same))
    managed = Managed(tmp_path, fixtures, certificates, world)
    with managed.api.run():
        yield managed


def test_with_exactly_its_rights_a_run_leaves_a_report_that_passes_for_this_target_and_no_other(ready: Managed) -> None:
    assert not ready.passes(), "there is no report yet"
    controller = ready.run()
    assert controller.attempts(0) == [0], controller.pods[0].log.read_text()
    assert ready.passes()
    (report,) = ready.reports
    assert judges.check_policy_report(report) == ""
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": "upgrade-gate-uid-1", "uid": "uid-1"}
    assert report["metadata"]["ownerReferences"] == [owner], "it goes with its Job"
    assert cron_job(*ready.options)["spec"]["jobTemplate"]["spec"]["ttlSecondsAfterFinished"] == 3 * 3600
    for key, value in (("upgrade-gate/digest", DIGEST), ("upgrade-gate/verdict", "undetermined")):
        changed = copy.deepcopy(report)
        changed["metadata"]["annotations"][key] = value
        assert not compliant(verdict(*ready.options), [changed]), key
    for key in ("fail", "error"):
        changed = copy.deepcopy(report)
        changed["summary"][key] = 1
        assert not compliant(verdict(*ready.options), [changed]), key


def test_a_blocked_cluster_has_its_report_and_is_not_compliant(blocked: Managed) -> None:
    controller = blocked.run()
    assert controller.attempts(0) == [3], controller.pods[0].log.read_text()
    (report,) = blocked.reports
    assert report["metadata"]["annotations"]["upgrade-gate/digest"] == blocked.digest
    assert not blocked.passes()


def passing(managed: Managed) -> None:
    """Leave the report of an earlier run."""
    annotations = {"upgrade-gate/digest": managed.digest, "upgrade-gate/verdict": "pass"}
    body = {
        "metadata": {"name": "upgrade-gate", "namespace": "upgrade-gate", "annotations": annotations},
        "apiVersion": "wgpolicyk8s.io/v1alpha2",
        "kind": "PolicyReport",
        "summary": {"fail": 0, "error": 0},
    }
    managed.api.store["PolicyReport", "upgrade-gate", "upgrade-gate"] = body
    assert managed.passes()


@pytest.mark.parametrize(("text", "code"), [("exit 2", 2), ("exit 1", 1), ("exit 0", 1), ("exit 3", 1)])
def test_a_run_without_a_verdict_takes_an_earlier_pass_away(ready: Managed, text: str, code: int) -> None:
    passing(ready)
    ready.program(text)
    assert ready.run().attempts(0) == [code], "and it is not asked again"
    assert ready.reports == []


def test_a_run_that_is_killed_is_made_again_and_decides_nothing(ready: Managed) -> None:
    passing(ready)
    ready.program("kill -9 $$")
    assert ready.run().attempts(0) == [KILLED] * 3
    assert ready.reports == []


def test_a_report_that_cannot_be_written_is_no_verdict(ready: Managed) -> None:
    passing(ready)
    ready.program('echo "{kind: PolicyReport, metadata: {}}" > "$PWD/policy-report.yaml"')
    ready.api.rules = [(place, {**rule, "verbs": [verb for verb in rule["verbs"] if verb != "patch"]})
                       for place, rule in ready.api.rules or ()]  # fmt: skip
    controller = ready.run()
    log = controller.pods[0].log.read_text()
    assert controller.attempts(0) == [2]
    assert "no verdict was reached: the PolicyReport was not written" in log
    assert "403" in log
    assert ready.reports == []
