"""Snapshots: a versioned record of answers, without a secret value."""

import json
from pathlib import Path

import pytest

from upgrade_gate import cluster as clusters
from upgrade_gate import plugins
from upgrade_gate.cluster import SecretRef
from upgrade_gate.errors import ClusterError, UsageError
from upgrade_gate.facts import Known, Unknown

DEMO = Path(__file__).resolve().parents[2] / "upgrade_gate" / "data" / "demo" / "cluster"
snapshots = plugins.load("readers", "snapshot")


def _record(folder: Path) -> Path:
    recorder = snapshots.Recorder(plugins.load("readers", "must_gather").open_dump(DEMO))
    seen = clusters.observe(recorder)
    ref = SecretRef("openshift-beacon", "aws-cloud-credentials")
    clusters.observe_secrets(seen, recorder, [ref.namespace], [ref])
    path = folder / "snapshot.json"
    content = snapshots.encode(recorder.answers, source="dump", taken="2026-11-02T09:00:00Z", tool="0")
    snapshots.write(path, content)
    return path


def test_facts_replay_and_the_rest_is_unknown(tmp_path: Path) -> None:
    reader = snapshots.open_snapshot(_record(tmp_path))
    seen = clusters.observe(reader)
    assert seen.platform == Known("AWS")
    other = SecretRef("openshift-lantern", "other")
    seen = clusters.observe_secrets(seen, reader, [other.namespace], [other])
    fact = seen.secrets[other]
    assert isinstance(fact, Unknown)
    assert fact.remedy is not None
    assert "--to" in fact.remedy


def test_no_secret_value_is_recorded(tmp_path: Path) -> None:
    text = _record(tmp_path).read_text()
    assert "bytes long" not in text
    assert '"data"' not in text or "aws_secret" not in text


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"schema": "other/v1"}', b'{"schema": "upgrade-gate-snapshot/v99"}']
)
def test_damaged_or_foreign_file_is_no_cluster(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "snapshot.json"
    path.write_bytes(content)
    with pytest.raises(ClusterError):
        snapshots.open_snapshot(path)


def test_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        snapshots.open_snapshot(tmp_path / "missing.json")


def test_same_answers_give_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert _record(tmp_path / "a").read_bytes() == _record(tmp_path / "b").read_bytes()
    assert json.loads(_record(tmp_path / "a").read_text())["source"] == "dump"
