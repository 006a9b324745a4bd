"""Snapshots: what was read comes back the same, what was not asked is Unknown, and no value is ever in the file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.worlds.cluster_objects import STORAGE, Objects, encoded, sample
from upgrade_gate.base.errors import ClusterError, UsageError
from upgrade_gate.base.facts import Absent, Known, Unknown
from upgrade_gate.base.secret_ref import SecretRef
from upgrade_gate.cluster import facts_table, observe
from upgrade_gate.cluster.model import Query, SecretRecord
from upgrade_gate.cluster.readers import snapshot
from upgrade_gate.cluster.rows import rows_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from upgrade_gate.base.facts import Fact
    from upgrade_gate.cluster.facts_table import Cluster
    from upgrade_gate.cluster.model import Query, Reader

SECRET = SecretRef(STORAGE, "ebs-cloud-credentials")
TAKEN = "2026-11-01T08:00:00Z"


def observed(reader: Reader) -> Cluster:
    """Read both waves."""
    return observe.observe_secrets(observe.observe(reader), reader, [STORAGE], [SECRET])


def taken(path: Path, reader: Reader) -> Path:
    """Take a snapshot of what both waves read."""
    recorder = snapshot.Recorder(reader)
    observed(recorder)
    path.write_bytes(snapshot.encode(recorder.answers, source=reader.description, taken=TAKEN, tool="0"))
    return path


def test_the_facts_of_a_snapshot_are_those_of_the_cluster(tmp_path: Path) -> None:
    alive = Objects(sample())
    found, wanted = observed(snapshot.open_snapshot(taken(tmp_path / "s.json", alive))), observed(alive)
    assert rows_of(found) == rows_of(wanted)
    assert found.secrets == wanted.secrets
    assert found.requests == wanted.requests
    assert found.collected == TAKEN
    assert "objects of the test" in found.description


@pytest.mark.parametrize("platform", ["GCP", "IBMCloud"])
@pytest.mark.parametrize(
    ("config", "installed"),
    [
        ("[global]\nkey = S3CRET\nNetwork-Project-ID = net\n", ""),
        ("[global]\nkey = S3CRET\n", "{platform: {gcp: {networkProjectID: net}}}"),
        ("[global]\nnetwork-projectid = S3CRET\n", "[S3CRET"),
        ("", "{pullSecret: S3CRET, platform: {gcp: {x: S3CRET}}}"),
        (" \n", "{platform: {gcp: {networkProjectId: S3CRET}}}"),
        ("", "{platform: {ibmcloud: {networkResourceGroupName: net, x: S3CRET}}}"),
        ("", "{platform: {ibmcloud: {networkResourceGroupName: [S3CRET]}}}"),
        ("", "{platform: {ibmclou: {networkResourceGroupName: S3CRET}}}"),
        ("", "{platform: {none: {}}, x: S3CRET}"),
        ("", "{platform: S3CRET}"),
        ("", "{platforms: {gcp: {x: S3CRET}}}"),
        ("", "[{platform: S3CRET}]"),
    ],
)
def test_where_the_network_is_reads_the_same_from_a_snapshot_and_nothing_else_is_kept(
    config: str, installed: str, platform: str, tmp_path: Path
) -> None:
    objects = sample() | {
        "ConfigMap/cloud-provider-config": {"metadata": {}, "data": {"config": config}},
        "ConfigMap/cluster-config-v1": {"metadata": {}, "data": {"install-config": installed}},
    }
    own = {"projectID": "p1"} if platform == "GCP" else {"resourceGroupName": "c1-rg"}
    objects["Infrastructure/cluster"]["spec"] = {}
    status = {"platform": platform, "platformStatus": {"type": platform, platform.lower(): own}}
    objects["Infrastructure/cluster"]["status"] |= status

    def facts(reader: Reader) -> list[Any]:
        found = observe.observe_secrets(observe.observe(reader), reader, [], [], proof=True)
        told = (found.cloud_network, found.installed_network, found.network_project)
        return ["unknown" if isinstance(fact, Unknown) else fact for fact in told]

    recorder = snapshot.Recorder(Objects(objects))
    live = facts(recorder)
    (tmp_path / "s.json").write_bytes(snapshot.encode(recorder.answers, source="x", taken=TAKEN, tool="0"))
    assert facts(snapshot.open_snapshot(tmp_path / "s.json")) == live
    assert "S3CRET" not in (tmp_path / "s.json").read_text()


@pytest.mark.parametrize("name", ["serviceAccounts", "serviceAccount", "others"])
def test_machines_whose_accounts_are_misspelt_are_no_machines_without_one_in_a_snapshot_either(
    name: str, tmp_path: Path
) -> None:
    spec = {"providerSpec": {"value": {name: [{"email": "w@p1.iam.gserviceaccount.com"}], "key": "S3CRET"}}}
    objects = sample() | {"MachineSet/a": {"metadata": {}, "spec": {"template": {"spec": spec}}}}
    objects["Infrastructure/cluster"]["spec"] = {}
    objects["Infrastructure/cluster"]["status"] |= {"platform": "GCP", "platformStatus": {"type": "GCP"}}
    recorder = snapshot.Recorder(Objects(objects))
    live = observe.observe_secrets(observe.observe(recorder), recorder, [], [], proof=True).worker_accounts
    (tmp_path / "s.json").write_bytes(snapshot.encode(recorder.answers, source="x", taken=TAKEN, tool="0"))
    again = snapshot.open_snapshot(tmp_path / "s.json")
    found = observe.observe_secrets(observe.observe(again), again, [], [], proof=True).worker_accounts
    assert type(found) is type(live) is {"serviceAccount": Unknown}.get(name, Known)
    assert "S3CRET" not in (tmp_path / "s.json").read_text()


def test_absence_and_ignorance_are_recorded_as_they_are(tmp_path: Path) -> None:
    operator = facts_table.FIRST_WAVE[1]
    alive = Objects(sample(), {operator: Unknown("forbidden", "a rule")})
    reader = snapshot.open_snapshot(taken(tmp_path / "s.json", alive))
    assert reader.read([operator])[operator] == Unknown("forbidden", "a rule")
    configmap = facts_table.FIRST_WAVE[7]
    assert reader.read([configmap])[configmap] == Absent()


def test_what_was_not_recorded_is_unknown_and_says_what_to_do(tmp_path: Path) -> None:
    reader = snapshot.open_snapshot(taken(tmp_path / "s.json", Objects(sample())))
    query = facts_table.secret_query(SecretRef("openshift-x", "new"))
    found = reader.read([query])[query]
    assert isinstance(found, Unknown)
    assert "new" in found.reason
    assert "openshift-x" in found.reason
    assert "--to" in (found.remedy or "")


def test_every_part_of_a_record_comes_back() -> None:
    record = SecretRecord(SECRET, {"a": "b"}, {"c": "d"}, frozenset({"k"}), "arn", "/token", "token")
    answers: dict[Query, Fact[Any]] = {facts_table.secret_query(SECRET): Known(record)}
    content = snapshot.encode(answers, source="x", taken=TAKEN, tool="0")
    assert b'"arn"' in content


def test_the_pull_secret_is_passed_on_and_never_recorded() -> None:
    class WithPullSecret(Objects):
        def pull_secret(self) -> Fact[bytes]:
            return Known(b"hunter2")

    recorder = snapshot.Recorder(WithPullSecret(sample()))
    assert recorder.pull_secret() == Known(b"hunter2")
    assert not recorder.answers
    assert isinstance(snapshot.Recorder(Objects(sample())).pull_secret(), Unknown)


def test_the_same_answers_give_the_same_bytes() -> None:
    alive = Objects(sample())
    recorder, again = snapshot.Recorder(alive), snapshot.Recorder(alive)
    observed(recorder)
    observed(again)
    shuffled = dict(reversed(again.answers.items()))
    first = snapshot.encode(recorder.answers, source="x", taken=TAKEN, tool="0")
    assert first == snapshot.encode(shuffled, source="x", taken=TAKEN, tool="0")


def test_no_value_of_a_secret_is_in_the_file(tmp_path: Path) -> None:
    objects = sample()
    objects["Secret/aws-creds"] = {
        "kind": "Secret",
        "metadata": {"name": "aws-creds", "namespace": "kube-system"},
        "data": {"aws_secret_access_key": encoded("hunter2")},
    }
    objects["ClusterVersion/version"]["metadata"].update(
        managedFields=[{"manager": "x"}],
        annotations={"kubectl.kubernetes.io/last-applied-configuration": "hunter2", "kept": "yes"},
    )
    text = taken(tmp_path / "s.json", Objects(objects)).read_text()
    assert "hunter2" not in text
    assert encoded("hunter2") not in text
    assert "managedFields" not in text
    assert '"kept"' in text


def test_a_whole_secret_is_refused_before_it_is_written() -> None:
    answers: dict[Query, Fact[Any]] = {facts_table.secret_query(SECRET): Known({"data": {"password": "x"}})}
    with pytest.raises(TypeError, match="not a record"):
        snapshot.encode(answers, source="x", taken=TAKEN, tool="0")


def test_a_file_that_does_not_exist_is_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        snapshot.open_snapshot(tmp_path / "nowhere.json")
    with pytest.raises(UsageError, match="cannot be read"):
        snapshot.open_snapshot(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"schema": "other"}',
        b'{"schema": "upgrade-gate/snapshot/v2", "answers": []}',
        b'{"schema": "upgrade-gate/snapshot/v1"}',
        b'{"schema": "upgrade-gate/snapshot/v1", "tool": "0", "taken": "t", "source": "s", "answers": [7]}',
        b'{"schema": 7}',
        b"\xff\xfe",
        b"[" * 200_000,
    ],
)
def test_a_damaged_or_foreign_file_is_an_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "s.json"
    path.write_bytes(content)
    with pytest.raises(ClusterError, match=r"s\.json"):
        snapshot.open_snapshot(path)


def test_a_document_of_another_kind_says_what_writes_a_snapshot(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text('{"schema": "upgrade-gate/v1"}')
    with pytest.raises(ClusterError, match="is not a snapshot") as caught:
        snapshot.open_snapshot(path)
    assert caught.value.hint == "upgrade-gate snapshot writes one"


def test_a_newer_snapshot_says_which_version_is_read(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_text('{"schema": "upgrade-gate/snapshot/v2", "more": 1}')
    with pytest.raises(ClusterError, match=r"v2.*this program reads"):
        snapshot.open_snapshot(path)


@pytest.mark.parametrize(
    "answer",
    [
        {"state": "known", "object": 7},
        {"state": "known"},
        {"state": "unknown"},
        {"state": "known", "object": {"kind": "Pod"}},
    ],
)
def test_a_tampered_answer_is_unknown_not_an_exception(tmp_path: Path, answer: dict[str, Any]) -> None:
    path = taken(tmp_path / "s.json", Objects(sample()))
    body = json.loads(path.read_text())
    for entry in body["answers"]:
        for key in ("object", "secret", "reason", "remedy"):
            entry[key] = None
        entry.update(answer)
    path.write_text(json.dumps(body))
    found = observed(snapshot.open_snapshot(path))
    assert {line.state for line in rows_of(found)} == {"unknown"}


def test_every_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    path = taken(tmp_path / "s.json", Objects(sample()))
    content = path.read_bytes()
    for part in (1, len(content) // 3, len(content) // 2, len(content) - 3):
        path.write_bytes(content[:part])
        with pytest.raises(ClusterError):
            snapshot.open_snapshot(path)


def test_the_file_fulfils_its_published_schema(tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    body = json.loads(taken(tmp_path / "s.json", Objects(sample())).read_text())
    jsonschema.validate(body, snapshot.schema())


def test_each_query_is_asked_once_so_that_a_record_is_of_one_moment() -> None:
    asked: list[int] = []

    class Moving:
        description, collected = "moving", None

        def read(self, queries: Sequence[Query]) -> Mapping[Query, Fact[Any]]:
            asked.append(len(queries))
            return {query: Known(len(asked)) for query in queries}

    recorder = snapshot.Recorder(Moving())
    first, second = Query("", "v1", "a", "A", name="a"), Query("", "v1", "b", "B", name="b")
    assert recorder.read([first]) == {first: Known(1)}
    assert recorder.read([first, second]) == {first: Known(1), second: Known(2)}
    assert asked == [1, 1]
