"""`init fleet-job`: parts of a fleet by an Indexed Job, joined by a second one to what one run would have written."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.worlds.certificates import Certificates
from tests.worlds.fleets import NOW, Fleet
from tests.worlds.flows import World
from tests.worlds.job_controller import KILLED, JobController, Pod
from tests.worlds.kubernetes_server import Fault, KubernetesServer
from tests.worlds.ready_files import IMAGE, Workspace, check_shell, made, refused
from tests.worlds.running import run
from upgrade_gate.fleet.shard import Shard

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

FORMS = (
    (),
    ("contexts:prod-*", "--to", "4.19.5", "--image", IMAGE),
    ("snapshots:/fleet/snapshots", "--shards", "3", "--namespace", "gate", "--config-map", "settings"),
    ("hub", "--to", f"quay.io/openshift-release-dev/ocp-release@sha256:{'a' * 64}", "--no-pull-secret"),
)
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
EPOCH = {"SOURCE_DATE_EPOCH": "1793491200"}


def documents(*options: str) -> list[Any]:
    return list(yaml.safe_load_all(made("fleet-job", *options)))


def jobs(*options: str) -> tuple[Any, Any]:
    shards, merge = (body for body in documents(*options) if body["kind"] == "Job")
    return shards, merge


def script(job: Any) -> str:
    (container,) = job["spec"]["template"]["spec"]["containers"]
    return str(container["command"][2])


@pytest.mark.parametrize("options", FORMS, ids=" ".join)
def test_the_api_s_own_types_take_it(options: tuple[str, ...]) -> None:
    """The client's models are made from the API's OpenAPI and refuse fields that it does not have."""
    from kubernetes import client

    kinds = [body["kind"] for body in documents(*options)]
    assert kinds == ["Namespace", "ServiceAccount", "Role", "RoleBinding", "PersistentVolumeClaim", "Job", "Job"]
    for body in documents(*options):
        model: Any = getattr(client, f"V1{body['kind']}")
        model.model_validate(body)
        namespaces = {body["metadata"].get("namespace", body["metadata"]["name"])}
        assert namespaces == {"gate" if "gate" in options else "upgrade-gate"}
        assert len(body["metadata"]["name"]) + len("-999") <= 63, "a label holds the name of a Job"


def test_a_verdict_starts_no_pod_again_and_a_kill_does() -> None:
    shards, merge = jobs()
    assert (shards["spec"]["completionMode"], shards["spec"]["podReplacementPolicy"]) == ("Indexed", "Failed")
    assert shards["spec"]["backoffLimitPerIndex"] > 0
    assert "backoffLimit" not in shards["spec"]
    for job, action in ((shards, "FailIndex"), (merge, "FailJob")):
        assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never", "podFailurePolicy holds only with it"
        by_code, by_condition = job["spec"]["podFailurePolicy"]["rules"]
        assert (by_code["action"], by_code["onExitCodes"]["values"]) == (action, [1, 2, 3, 4])
        assert by_condition["action"] == "Ignore"
    assert merge["spec"]["activeDeadlineSeconds"] > shards["spec"]["activeDeadlineSeconds"]


def test_the_pods_fit_the_restricted_standard_and_only_the_second_may_ask_the_api() -> None:
    allowed = {"configMap", "downwardAPI", "emptyDir", "persistentVolumeClaim", "projected", "secret"}
    for job in jobs(*FORMS[2]):
        pod = job["spec"]["template"]["spec"]
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
        (container,) = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {kind for volume in pod["volumes"] for kind in set(volume) - {"name"}} <= allowed
        assert {volume["name"] for volume in pod["volumes"]} == {m["name"] for m in container["volumeMounts"]}
        tokens = [volume for volume in pod["volumes"] if "projected" in volume]
        assert len(tokens) == job["metadata"]["name"].endswith("-merge")


def test_a_hub_is_read_with_the_account_of_the_pods() -> None:
    """Without a kubeconfig the login is that account, and it holds for as long as the Job may run."""
    shards, _ = jobs("hub")
    pod = shards["spec"]["template"]["spec"]
    (account,) = (volume["projected"]["sources"][0] for volume in pod["volumes"] if "projected" in volume)
    assert account["serviceAccountToken"]["expirationSeconds"] == shards["spec"]["activeDeadlineSeconds"]
    assert not any("kubeconfig" in volume["name"] for volume in pod["volumes"])
    account = f"--service-account upgrade-gate/{pod['serviceAccountName']}"
    assert f"init hub-reader {account}" in made("fleet-job", "hub")
    assert f"init rbac --for-hub {account}" in made("argo", "hub")


def test_the_number_of_parts_is_the_same_everywhere() -> None:
    shards, _ = jobs("--shards", "3")
    (container,) = shards["spec"]["template"]["spec"]["containers"]
    assert container["args"][-2:] == ["--shard", "3"]
    assert (shards["spec"]["completions"], shards["spec"]["parallelism"]) == (3, 3)


def test_shellcheck_has_nothing_to_say_and_the_cluster_expands_nothing(tmp_path: Path) -> None:
    for job in jobs("--config-map", "settings"):
        check_shell(script(job), "sh", tmp_path)
        assert "$$" not in script(job)


@pytest.mark.parametrize("words", [("a b",), ("$(NAME)",), ("{{x}}",), ("--shards", "0"), ("--namespace", "A")])
def test_what_the_cluster_would_refuse_is_refused_here(words: tuple[str, ...]) -> None:
    refused("fleet-job", *words)


class Cluster:
    """A cluster that runs Jobs: the shared volume, the API, and an image with upgrade-gate."""

    def __init__(self, folder: Path, fixtures: Path) -> None:
        (folder / "image").mkdir()
        (folder / "account").mkdir()
        (folder / "fleet").mkdir()
        self.fleet = folder / "fleet"
        self.workspace = Workspace(folder / "image", fixtures)
        self.account = folder / "account"
        self.places = {"/fleet": self.fleet, "/tmp": folder / "image", ACCOUNT: self.account}
        self.environment = {**self.workspace.environment, **EPOCH}
        self.config: dict[str, str] = {}

    def controller(self, job: Any, uid: str, **environment: str) -> JobController:
        return JobController(job, uid, self.places, {**self.environment, **environment}, self.config)

    def merge(self, job: Any, ended: Any, roles: list[Any], certificates: Certificates) -> JobController:
        """Run the second Job against an API that has the first, with exactly the rights that the file gives."""
        shutil.copy(certificates.authority, self.account / "ca.crt")
        (self.account / "token").write_text("token-of-the-test")
        rules = [(role["metadata"]["namespace"], rule) for role in roles for rule in role["rules"]]
        with KubernetesServer(certificates, [ended], rules=rules).run() as api:
            where = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(api.port)}
            controller = self.controller(job, "uid-of-merge", **where)
            controller.run()
        return controller


@pytest.fixture
def cluster(tmp_path: Path, fixtures: Path) -> Cluster:
    return Cluster(tmp_path, fixtures)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_parts_of_which_one_was_killed_are_joined_to_what_one_run_writes(
    cluster: Cluster, certificates: Certificates
) -> None:
    fleet = Fleet(cluster.fleet)
    live = KubernetesServer(certificates, World(payloads=fleet.releases).objects(), faults={"*": Fault("hang")})
    rows = [{"name": "z-live", "cluster": "context:test"}]
    hit = next(index for index in (1, 2, 3) if Shard(index, 3).holds("z-live"))
    for index in (1, 2, 3):
        names = [f"c{number}" for number in range(99) if Shard(index, 3).holds(f"c{number}")][:2]
        for name in names:
            fleet.add(name, platform="GCP" if name is names[0] else "AWS")
            rows.append({"name": name, "cluster": f"snapshot:snapshots/{name}.json"})
    inventory = cluster.fleet / "clusters.yaml"
    inventory.write_text(yaml.safe_dump({"clusters": rows}))
    target = fleet.new.replace(str(cluster.fleet), "/fleet")
    options = ("/fleet/clusters.yaml", "--to", target, "--shards", "3", "--no-pull-secret")
    roles = [body for body in documents(*options) if body["kind"] == "Role"]
    shards, merge = jobs(*options)
    old = fleet.old.replace(str(cluster.fleet), "/fleet")
    cluster.config["UPGRADE_GATE_ARGUMENTS"] = f"--from '{old}' --now {NOW} --no-cache --cluster-timeout 60"
    kept: dict[str, int] = {}

    def kill_it_amid(pod: Pod) -> None:
        """Kill the part with the cluster that hangs, as soon as it has another's result."""
        rows = list(parts.glob(f"part-{hit - 1}/clusters/*/row.json"))
        if pod.index == hit - 1 and live.requests and rows and not live.released.is_set():
            pod.kill()
            kept.update({str(row): row.stat().st_mtime_ns for row in rows})
            live.released.set()

    home = cluster.fleet / shards["metadata"]["name"]
    parts = home / "parts" / "uid-of-shards"
    with live.run():
        kubeconfig = live.kubeconfig(cluster.fleet / "kubeconfig")
        cluster.places["/etc/upgrade-gate/kubeconfig"] = kubeconfig.parent
        controller = cluster.controller(shards, "uid-of-shards")
        ended = controller.run(kill_it_amid)
        arguments = ("--from", fleet.old, "--to", fleet.new, "--now", NOW, "--no-cache", "--cluster-timeout", "60")
        env = {**EPOCH, "KUBECONFIG": str(kubeconfig)}
        one_run = run("fleet", inventory, *arguments, "-d", cluster.fleet / "one-run", env=env)
    assert kept, "it was killed amid its work"
    logs = {pod.name: pod.log.read_text() for pod in controller.pods}
    assert {index: controller.attempts(index) for index in range(3)} == {
        index: [KILLED, 3] if index == hit - 1 else [3] for index in range(3)
    }, logs
    assert ended["status"]["failedIndexes"] == "0,1,2"
    for path in parts.glob(f"part-{hit - 1}/clusters/*/row.json"):
        assert path.stat().st_mtime_ns == kept.get(str(path), path.stat().st_mtime_ns), "what was judged is kept"
    stale = home / "parts" / "uid-of-an-earlier-run"
    shutil.copytree(parts, stale)
    joined = cluster.merge(merge, ended, roles, certificates)
    assert joined.attempts(0) == [3], joined.pods[0].log.read_text()
    assert one_run.code == 3
    assert tree(home / "result") == tree(cluster.fleet / "one-run")
    assert not stale.exists()


def program(cluster: Cluster, text: str) -> None:
    (cluster.workspace.folder / ".programs" / "upgrade-gate").write_text(f"#!/bin/sh\n{text}\n")


def test_a_part_that_is_killed_again_and_again_leaves_nothing_to_join(
    cluster: Cluster, certificates: Certificates
) -> None:
    options = ("snapshots:/fleet/snapshots", "--to", "4.19.5", "--shards", "2")
    shards, merge = jobs(*options)
    program(cluster, "kill -9 $$")
    controller = cluster.controller(shards, "uid-1")
    ended = controller.run()
    assert {index: controller.attempts(index) for index in range(2)} == {0: [KILLED] * 4, 1: [KILLED] * 4}
    roles = [body for body in documents(*options) if body["kind"] == "Role"]
    joined = cluster.merge(merge, ended, roles, certificates)
    assert joined.attempts(0) == [2], "no verdict, and it is not asked again"
    assert "no verdict was reached: no part of the fleet has left a result" in joined.pods[0].log.read_text()


@pytest.mark.parametrize("code", [1, 2, 3, 4])
def test_what_upgrade_gate_ends_with_is_not_asked_again_and_stops_no_other_part(cluster: Cluster, code: int) -> None:
    shards, _ = jobs("snapshots:/fleet/snapshots", "--to", "4.19.5", "--shards", "2")
    program(cluster, f'[ "$JOB_COMPLETION_INDEX" = 1 ] || exit {code}\nmkdir -p "$PLACE/parts/$RUN/part-1"\n'
            'echo x > "$PLACE/parts/$RUN/part-1/fleet.json"')  # fmt: skip
    controller = cluster.controller(shards, "uid-1")
    assert controller.run()["status"]["completedIndexes"] == "1"
    assert (controller.attempts(0), controller.attempts(1)) == ([code], [0])


def test_a_pod_that_its_node_has_lost_counts_for_nothing(cluster: Cluster) -> None:
    shards, _ = jobs("snapshots:/fleet/snapshots", "--to", "4.19.5", "--shards", "1")
    program(cluster, "exec sleep 60")
    controller = cluster.controller(shards, "uid-1")

    def drain(pod: Pod) -> None:
        if len(controller.pods) == 7:
            program(cluster, "exit 4")
        pod.kill(disrupted=True) if len(controller.pods) < 8 else None

    controller.run(drain)
    assert controller.attempts(0) == [KILLED] * 7 + [4], "more often than backoffLimitPerIndex"


def test_a_part_that_ends_well_without_a_result_has_judged_nothing(cluster: Cluster) -> None:
    shards, _ = jobs("snapshots:/fleet/snapshots", "--to", "4.19.5", "--shards", "1")
    program(cluster, "exit 0")
    controller = cluster.controller(shards, "uid-1")
    assert controller.run()["status"]["failedIndexes"] == "0"
    assert controller.attempts(0) == [1]


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        ([], "404"),
        ([{"type": "Failed", "status": "False"}], "it has not ended"),
        ([{"type": "FailureTarget", "status": "True"}], "it has not ended"),
    ],
    ids=["no Job", "not failed", "failing"],
)
def test_nothing_is_joined_before_the_first_job_has_ended(
    cluster: Cluster, certificates: Certificates, ended: list[Any], said: str
) -> None:
    options = ("snapshots:/fleet/snapshots", "--to", "4.19.5")
    shards, merge = jobs(*options)
    merge = json.loads(json.dumps(merge).replace("22200", "0.02"))
    shards = {**shards, "metadata": {**shards["metadata"], "uid": "uid-1"}, "status": {"conditions": ended}}
    if not ended:
        shards["metadata"]["name"] = "another"
    roles = [body for body in documents(*options) if body["kind"] == "Role"]
    joined = cluster.merge(merge, shards, roles, certificates)
    assert joined.attempts(0) == [2]
    log = joined.pods[0].log.read_text()
    assert said in log
    assert "no verdict was reached: the parts of the fleet have not ended" in log
