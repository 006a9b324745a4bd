"""Dumps: every layout gives the same facts, and what is damaged or was not collected is never absent."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import stat
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.worlds.cluster_objects import CCO, ROLE_ARN, STORAGE, Objects, encoded, sample, write_insights, write_tree
from upgrade_gate.base.errors import ClusterError, UsageError
from upgrade_gate.base.facts import Absent, Known, Unknown
from upgrade_gate.base.secret_ref import SecretRef
from upgrade_gate.cluster import facts_table, observe
from upgrade_gate.cluster.credentials_mode import Mode
from upgrade_gate.cluster.model import Query
from upgrade_gate.cluster.readers import must_gather
from upgrade_gate.cluster.rows import rows_of

if TYPE_CHECKING:
    from upgrade_gate.cluster.facts_table import Cluster

SECRET = SecretRef(STORAGE, "ebs-cloud-credentials")
VERSION, OPERATOR, INFRASTRUCTURE, *_ = facts_table.FIRST_WAVE
CONFIG = "cluster-scoped-resources/config.openshift.io"


def observed(path: Path, *, read_secrets: bool = False) -> Cluster:
    """Read both waves of a dump."""
    reader = must_gather.open_dump(path, read_secrets=read_secrets)
    return observe.observe_secrets(observe.observe(reader), reader, [STORAGE, "nowhere"], [SECRET])


def answer(path: Path, query: Query) -> Any:
    """Return the answer of a dump to one query."""
    return must_gather.open_dump(path).read([query])[query]


def tree(folder: Path, objects: dict[str, dict[str, Any]] | None = None) -> Path:
    """Write the sample as a must-gather."""
    return write_tree(folder, (objects or sample()).values())


def facts(found: Cluster) -> list[tuple[str, str, Any]]:
    """Return the lines of a cluster without their reasons."""
    return [(line.name, line.state, line.value) for line in rows_of(found)]


# --- layouts ---


@pytest.mark.parametrize("inside", ["", "quay-io-sha256-abc", "mg.local.1/quay-io-sha256-abc", "node/mg/image"])
def test_the_root_is_found_down_to_the_third_level(tmp_path: Path, inside: str) -> None:
    tree(tmp_path / inside)
    reader = Objects(sample())
    alive = observe.observe_secrets(observe.observe(reader), reader, [STORAGE], [SECRET])
    found = observed(tmp_path)
    same = [entry for entry in facts(found) if entry[0] != "Namespace nowhere"]
    assert same == facts(alive)


def test_deeper_than_the_third_level_there_is_no_dump(tmp_path: Path) -> None:
    tree(tmp_path / "a/b/c/d/e")
    with pytest.raises(UsageError, match="holds no object"):
        must_gather.open_dump(tmp_path)


def test_lists_and_single_objects_are_the_same(tmp_path: Path) -> None:
    root = tree(tmp_path / "a")
    listed = root / CONFIG / "infrastructures.yaml"
    items = yaml.safe_load(listed.read_text())["items"]
    listed.unlink()
    (root / CONFIG / "infrastructures").mkdir()
    (root / CONFIG / "infrastructures/cluster.yaml").write_text(yaml.safe_dump(items[0]))
    assert facts(observed(root)) == facts(observed(tree(tmp_path / "b")))


def test_the_object_is_preferred_to_the_list(tmp_path: Path) -> None:
    root = tree(tmp_path)
    old = sample("4.13.1")["ClusterVersion/version"]
    (root / CONFIG / "clusterversions.yaml").write_text(yaml.safe_dump({"kind": "ClusterVersionList", "items": [old]}))
    assert observed(root).version == Known("4.14.3")


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda body: {"kind": "List", "apiVersion": "v1", "items": [body]},
        lambda body: {
            "kind": "InfrastructureList",
            "items": [{k: v for k, v in body.items() if k not in {"kind", "apiVersion"}}],
        },
        lambda body: {"items": [body]},
    ],
    ids=["List", "XList without kinds", "no kind"],
)
def test_every_wrapper_of_a_list_is_understood(tmp_path: Path, wrapped: Any) -> None:
    root = tree(tmp_path)
    body = sample()["Infrastructure/cluster"]
    (root / CONFIG / "infrastructures.yaml").write_text(yaml.safe_dump(wrapped(body)))
    assert observed(root).platform == Known("AWS")


def test_json_and_gzip_are_read(tmp_path: Path) -> None:
    root = tree(tmp_path)
    plain = root / CONFIG / "clusterversions/version.yaml"
    plain.with_suffix(".json").write_text(json.dumps(yaml.safe_load(plain.read_text())))
    plain.unlink()
    listed = root / CONFIG / "infrastructures.yaml"
    Path(f"{listed}.gz").write_bytes(gzip.compress(listed.read_bytes()))
    listed.unlink()
    found = observed(root)
    assert (found.version, found.platform) == (Known("4.14.3"), Known("AWS"))


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_an_archive_of_a_dump_is_the_dump(tmp_path: Path, mode: Any) -> None:
    root = tree(tmp_path / "mg/image")
    (root / "namespaces" / CCO / "pods/x/x/logs").mkdir(parents=True)
    (root / "namespaces" / CCO / "pods/x/x/logs/current.log").write_text("noise")
    packed = tmp_path / "mg.tar"
    with tarfile.open(packed, mode) as archive:
        archive.add(tmp_path / "mg", "./mg")
    assert facts(observed(packed)) == facts(observed(tmp_path / "mg"))


def test_a_tar_that_ends_with_a_zip_is_a_tar(tmp_path: Path) -> None:
    write_tree(tmp_path / "mg", sample().values())
    with zipfile.ZipFile(tmp_path / "mg" / "zz-logs.zip", "w") as logs:
        logs.writestr("namespaces/x/other.yaml", "a: b")
    with tarfile.open(tmp_path / "mg.tar", "w") as packed:
        packed.add(tmp_path / "mg" / "cluster-scoped-resources", "mg/cluster-scoped-resources")
        packed.add(tmp_path / "mg" / "namespaces", "mg/namespaces")
        packed.add(tmp_path / "mg" / "zz-logs.zip", "mg/zz-logs.zip")
    assert zipfile.is_zipfile(tmp_path / "mg.tar"), "this test needs a tar that looks like a zip from its end"
    assert facts(observed(tmp_path / "mg.tar")) == facts(observed(tmp_path / "mg"))


def test_a_zip_archive_of_a_dump_is_the_dump(tmp_path: Path) -> None:
    tree(tmp_path / "mg")
    with zipfile.ZipFile(tmp_path / "mg.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted((tmp_path / "mg").rglob("*.yaml")):
            packed.write(path, path.relative_to(tmp_path))
    assert facts(observed(tmp_path / "mg.zip")) == facts(observed(tmp_path / "mg"))


@pytest.mark.parametrize(("packed_as", "damage"), [(zipfile.ZIP_LZMA, "content"), (zipfile.ZIP_DEFLATED, "version")])
def test_a_zip_archive_that_is_damaged_or_too_new_cannot_be_read(tmp_path: Path, packed_as: int, damage: str) -> None:
    with zipfile.ZipFile(tmp_path / "mg.zip", "w", packed_as) as packed:
        packed.writestr("namespaces/x/kube-system.yaml", "a: b\n" * 1000)
    content = bytearray((tmp_path / "mg.zip").read_bytes())
    if damage == "content":
        start = content.index(b"kube-system.yaml") + len("kube-system.yaml")
        content[start + 9 : start + 29] = bytes(20)  # what follows the properties of LZMA
    else:
        content[content.index(b"PK\x01\x02") + 6] = 101  # the version that is needed to unpack it
    (tmp_path / "mg.zip").write_bytes(content)
    with pytest.raises(ClusterError, match="not a readable zip archive"):
        must_gather.open_dump(tmp_path / "mg.zip")


def test_what_a_zip_archive_hides_is_unknown(tmp_path: Path) -> None:
    tree(tmp_path / "mg")
    with zipfile.ZipFile(tmp_path / "mg.zip", "w") as packed:
        for path in sorted((tmp_path / "mg").rglob("*.yaml")):
            entry = zipfile.ZipInfo(str(path.relative_to(tmp_path)))
            kind = stat.S_IFLNK if path.name == "version.yaml" else stat.S_IFREG
            entry.external_attr = (kind | 0o644) << 16
            packed.writestr(entry, path.read_bytes())
        packed.writestr("../escape.yaml", "x")
    found = observed(tmp_path / "mg.zip")
    assert isinstance(found.version, Unknown)
    assert "is a link" in found.version.reason
    content = (tmp_path / "mg.zip").read_bytes()
    (tmp_path / "cut.zip").write_bytes(content[: len(content) // 2])
    with pytest.raises(ClusterError, match="not a readable"):
        must_gather.open_dump(tmp_path / "cut.zip")


def test_managed_fields_are_dropped(tmp_path: Path) -> None:
    objects = sample()
    objects["ClusterVersion/version"]["metadata"]["managedFields"] = [{"manager": "cvo"}]
    found = answer(tree(tmp_path, objects), VERSION)
    assert "managedFields" not in found.value["metadata"]


# --- a folder of dumped objects ---


def test_a_flat_folder_tells_by_the_objects_themselves(tmp_path: Path) -> None:
    objects = list(sample().values())
    (tmp_path / "everything.yaml").write_text("\n---\n".join(yaml.safe_dump(body) for body in objects[:6]) + "\n")
    rest = {"kind": "List", "apiVersion": "v1", "items": objects[6:]}
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/rest.json").write_text(json.dumps(rest))
    (tmp_path / "values.yaml").write_text("replicas: 3\n")
    found = observed(tmp_path)
    reader = Objects(sample())
    alive = observe.observe_secrets(observe.observe(reader), reader, [STORAGE, "nowhere"], [SECRET])
    assert facts(found) == facts(alive)


def test_a_single_file_of_dumped_objects_is_a_dump(tmp_path: Path) -> None:
    path = tmp_path / "cluster.json"
    path.write_text(json.dumps({"kind": "List", "items": list(sample().values())}))
    (tmp_path / "other.yaml").write_text("kind: ClusterVersion\nmetadata: {name: version}\n")
    assert observed(path).version == Known("4.14.3")


def test_a_list_without_kinds_is_told_by_its_file(tmp_path: Path) -> None:
    body = {k: v for k, v in sample()["ClusterVersion/version"].items() if k not in {"kind", "apiVersion"}}
    (tmp_path / "clusterversions.yaml").write_text(yaml.safe_dump({"items": [body]}))
    (tmp_path / "configmaps.yaml").write_text(yaml.safe_dump({"items": []}))
    assert ("ConfigMap cloud-credential-operator-config", "unknown", None) in facts(observed(tmp_path)), (
        "of which space"
    )
    (tmp_path / CCO).mkdir()
    (tmp_path / "configmaps.yaml").rename(tmp_path / CCO / "configmaps.yaml")
    found = observed(tmp_path)
    assert found.version == Known("4.14.3")
    assert ("ConfigMap cloud-credential-operator-config", "absent", None) in facts(found)


def test_in_a_flat_folder_a_broken_file_leaves_nothing_absent(tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(yaml.safe_dump({"kind": "List", "items": list(sample().values())}))
    configmap = facts_table.FIRST_WAVE[7]
    assert answer(tmp_path, configmap) == Absent()
    (tmp_path / "cut.yaml").write_text("kind: ConfigMap\nmetada")
    found = answer(tmp_path, configmap)
    assert isinstance(found, Unknown)
    assert "cut.yaml" in found.reason


@pytest.mark.parametrize("items", [{"type": "string"}, [{"name": "a"}], ["a"], []])
def test_a_schema_or_a_values_file_beside_the_objects_is_no_list_of_theirs(items: Any, tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(yaml.safe_dump({"kind": "List", "items": list(sample().values())}))
    (tmp_path / "values.yaml").write_text(yaml.safe_dump({"items": items}))
    configmap = facts_table.FIRST_WAVE[7]
    assert answer(tmp_path, configmap) == Absent()
    (tmp_path / "values.yaml").write_text(yaml.safe_dump({"items": [sample()["ConfigMap/other"], {"kind": "a"}]}))
    assert isinstance(answer(tmp_path, configmap), Unknown)


@pytest.mark.parametrize("key", ["ClusterVersion/version", "CredentialsRequest/storage"])
def test_two_states_of_one_object_are_not_chosen_from(tmp_path: Path, key: str) -> None:
    body = sample()[key]
    (tmp_path / "all.yaml").write_text(yaml.safe_dump({"kind": "List", "items": list(sample().values())}))
    (tmp_path / "b.yaml").write_text(yaml.safe_dump(body))
    assert {line.state for line in rows_of(observed(tmp_path))} == {"known", "absent"}
    (tmp_path / "c.yaml").write_text(yaml.safe_dump({**body, "spec": {}}))
    found = observed(tmp_path)
    unknown = [line for line in rows_of(found) if line.state == "unknown"]
    assert unknown
    assert "c.yaml" in (unknown[0].reason or "")


@pytest.mark.parametrize("kind", ["Authentication", "DNS"])
def test_the_operators_own_object_of_that_name_is_no_second_state(kind: str, tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(yaml.safe_dump({"kind": "List", "items": list(sample().values())}))
    before = facts(observed(tmp_path))
    for name in ("00.yaml", "zz.yaml"):
        body = {"apiVersion": "operator.openshift.io/v1", "kind": kind, "metadata": {"name": "cluster"}, "spec": {}}
        (tmp_path / name).write_text(yaml.safe_dump(body))
        assert facts(observed(tmp_path)) == before


# --- insights archives ---


@pytest.mark.parametrize("packed", [False, True])
def test_an_insights_archive_knows_the_mode_but_never_the_annotation(tmp_path: Path, packed: bool) -> None:
    path = write_insights(tmp_path / "insights", sample())
    if packed:
        with tarfile.open(tmp_path / "insights.tar.gz", "w:gz") as archive:
            archive.add(path, ".")
        path = tmp_path / "insights.tar.gz"
    found = observed(path)
    assert found.version == Known("4.14.3")
    assert found.platform == Known("AWS")
    assert isinstance(found.operator, Known)
    assert isinstance(found.annotation, Unknown)
    assert isinstance(found.requests, Unknown)
    assert isinstance(found.secrets[SECRET], Unknown)
    configmap = Query("", "v1", "configmaps", "ConfigMap", CCO, "cloud-credential-operator-config")
    assert isinstance(answer(path, configmap), Unknown)
    # Manual in the object itself is manual whatever the ConfigMap says
    assert found.mode == Known(Mode.MANUAL)


def test_old_insights_files_have_no_suffix_and_capital_letters(tmp_path: Path) -> None:
    write_insights(tmp_path, sample())
    for path in list(tmp_path.rglob("*.json")):
        path.rename(path.with_suffix(""))
    place = tmp_path / "config/clusteroperator/operator.openshift.io/cloudcredential/cluster"
    place.write_text(
        json.dumps(
            {
                "APIVersion": "operator.openshift.io/v1",
                "Kind": "CloudCredential",
                "Name": "cluster",
                "Spec": {"credentialsMode": "Manual"},
            }
        )
    )
    found = observed(tmp_path)
    assert (found.version, found.mode) == (Known("4.14.3"), Known(Mode.MANUAL))


def test_in_an_insights_archive_a_missing_operator_is_not_absent(tmp_path: Path) -> None:
    write_insights(tmp_path, sample())
    place = tmp_path / "config/clusteroperator/cloud-credential.json"
    place.rename(place.with_name("etcd.json"))
    assert isinstance(answer(tmp_path, OPERATOR), Unknown)
    (tmp_path / "config/clusteroperator/etcd.json").unlink()
    assert isinstance(answer(tmp_path, OPERATOR), Unknown)


@pytest.mark.parametrize(
    "content", [b"", b'{"metadata": {', b"[1, 2]", b'{"kind": "Pod"}', b'{"apiVersion": "x0001/v1"}']
)
def test_a_damaged_insights_file_is_unknown_and_named(tmp_path: Path, content: bytes) -> None:
    write_insights(tmp_path, sample())
    (tmp_path / "config/version.json").write_bytes(content)
    found = answer(tmp_path, VERSION)
    assert isinstance(found, Unknown)
    assert "config/version.json" in found.reason


# --- absence ---


def test_a_secret_that_is_not_in_its_namespaces_list_is_absent(tmp_path: Path) -> None:
    root = tree(tmp_path)
    assert answer(root, facts_table.secret_query(SecretRef(STORAGE, "other"))) == Absent()


def test_a_namespace_whose_secrets_were_not_collected_tells_nothing(tmp_path: Path) -> None:
    root = tree(tmp_path)
    found = answer(root, facts_table.secret_query(SecretRef(CCO, "other")))
    assert isinstance(found, Unknown)
    assert "is not in the must-gather" in found.reason
    assert found.remedy == f"oc adm inspect namespace/{CCO} --dest-dir {root.name}"


def test_an_archive_that_lacks_something_is_to_be_unpacked_first(tmp_path: Path) -> None:
    root = tree(tmp_path / "must-gather.local.1/image")
    with tarfile.open(tmp_path / "mg.tar.gz", "w:gz") as packed:
        packed.add(root, "image")
    found = answer(tmp_path / "mg.tar.gz", facts_table.secret_query(SecretRef(CCO, "other")))
    assert isinstance(found, Unknown)
    assert found.remedy == (
        f"unpack mg.tar.gz into the folder mg, run oc adm inspect namespace/{CCO} --dest-dir mg/image, "
        "and give --cluster must-gather:mg"
    )


MODE = Query("operator.openshift.io", "v1", "cloudcredentials", "CloudCredential", name="cluster")


@pytest.mark.parametrize(
    ("name", "query", "remedy"),
    [
        ("d", MODE, "oc get cloudcredentials.operator.openshift.io/cluster -o yaml > d/cloudcredentials-added.yaml"),
        (
            "d",
            facts_table.secret_query(SecretRef(CCO, "other")),
            (
                f"collect with oc adm inspect namespace/{CCO} --dest-dir added, "
                f"then copy added/namespaces/{CCO}/core/secrets.yaml to d/{CCO}-secrets-added.yaml"
            ),
        ),
        (
            "d.yaml",
            MODE,
            (
                "move d.yaml into a folder d, "
                "run oc get cloudcredentials.operator.openshift.io/cluster -o yaml > d/cloudcredentials-added.yaml, "
                "and give --cluster must-gather:d"
            ),
        ),
    ],
)
def test_what_is_added_to_objects_dumped_one_by_one_is_one_more_file(
    tmp_path: Path, name: str, query: Query, remedy: str
) -> None:
    """A tree of `oc adm inspect` beside them would be read in their place, and a Secret's values are never written."""
    place = tmp_path / name
    file = place if place.suffix else place / "infrastructure.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text("apiVersion: config.openshift.io/v1\nkind: Infrastructure\nmetadata: {name: cluster}\n")
    found = answer(place, query)
    assert isinstance(found, Unknown)
    assert found.remedy == remedy


def test_only_a_list_proves_absence(tmp_path: Path) -> None:
    root = tree(tmp_path)
    operators = root / CONFIG / "clusteroperators"
    (operators / "cloud-credential.yaml").rename(operators / "etcd.yaml")
    assert isinstance(answer(root, OPERATOR), Unknown), "objects dumped one by one prove themselves"
    (root / CONFIG / "clusteroperators.yaml").write_text(yaml.safe_dump({"kind": "ClusterOperatorList", "items": []}))
    assert answer(root, OPERATOR) == Absent()
    (root / CONFIG / "clusteroperators.yaml").unlink()
    shutil.rmtree(operators)
    assert isinstance(answer(root, OPERATOR), Unknown)
    operators.mkdir()
    assert isinstance(answer(root, OPERATOR), Unknown)


@pytest.mark.parametrize("more", [{"continue": "t"}, {"remainingItemCount": 3}])
def test_one_page_of_a_list_proves_no_absence(more: dict[str, Any], tmp_path: Path) -> None:
    """`oc get --raw '…?limit=500'` prints one page; what is on it is there."""
    operator = sample()["ClusterOperator/cloud-credential"]
    other = {**operator, "metadata": {"name": "etcd"}}
    listed = {"apiVersion": "config.openshift.io/v1", "kind": "ClusterOperatorList", "metadata": more}
    for number, place in enumerate((f"{CONFIG}/clusteroperators.json", "clusteroperators.json")):
        path = tmp_path / str(number) / place
        path.parent.mkdir(parents=True)
        for page, state in (([other], Unknown), ([other, operator], Known)):
            path.write_text(json.dumps({**listed, "items": page}))
            assert isinstance(answer(tmp_path / str(number), OPERATOR), state), page
        path.write_text(json.dumps({**listed, "metadata": {"continue": "", "remainingItemCount": 0}, "items": [other]}))
        assert answer(tmp_path / str(number), OPERATOR) == Absent()


@pytest.mark.parametrize("of_tree", [True, False])
def test_one_page_of_the_machine_sets_is_not_all_of_them(of_tree: bool, tmp_path: Path) -> None:
    query = facts_table.MACHINE_SETS
    folder = tmp_path / (f"namespaces/{query.namespace}/{query.group}" if of_tree else ".")
    folder.mkdir(parents=True, exist_ok=True)
    body = {
        "apiVersion": query.api_version,
        "kind": query.kind,
        "metadata": {"name": "a", "namespace": query.namespace},
    }
    for more, state in (({"continue": "t"}, Unknown), ({}, Known)):
        listed = {"apiVersion": query.api_version, "kind": f"{query.kind}List", "metadata": more, "items": [body]}
        (folder / f"{query.plural}.json").write_text(json.dumps(listed))
        assert isinstance(answer(tmp_path, query), state)


@pytest.mark.parametrize(
    "change", [{"kind": "Configmap"}, {"kind": "ConfigMaps"}, {"kind": 7}, {"metadata": None}, {"apiVersion": "v2"}]
)
def test_an_object_of_a_list_that_is_written_wrong_is_not_passed_over(change: dict[str, Any], tmp_path: Path) -> None:
    """It could be the one that switches CCO off."""
    configmap = facts_table.FIRST_WAVE[7]
    legacy = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": configmap.name, "namespace": CCO},
        "data": {"disabled": "true"},
    }
    other = sample()["ConfigMap/other"]
    for number, place in enumerate((f"namespaces/{CCO}/core/configmaps.yaml", "configmaps.yaml")):
        path = tmp_path / str(number) / place
        path.parent.mkdir(parents=True)
        path.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": [other, {**legacy, **change}]}))
        assert isinstance(answer(tmp_path / str(number), configmap), Unknown)
        path.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": [other, legacy]}))
        assert isinstance(answer(tmp_path / str(number), configmap), Known)


def test_machine_sets_dumped_one_by_one_are_not_all_of_them(tmp_path: Path) -> None:
    """A service account of a set that nobody dumped would be left out of what grants must hold for."""
    query = facts_table.MACHINE_SETS
    bodies: list[dict[str, Any]] = [
        {"apiVersion": query.api_version, "kind": query.kind, "metadata": {"name": name, "namespace": query.namespace}}
        for name in ("a", "b")
    ]
    single, listed = tmp_path / "single", tmp_path / "listed"
    for folder in (single, listed):
        folder.mkdir()
    for body in bodies:
        (single / f"{body['metadata']['name']}.yaml").write_text(yaml.safe_dump(body))
    (listed / "sets.yaml").write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": bodies}))
    found = answer(single, query)
    assert isinstance(found, Unknown)
    assert found.remedy == f"oc -n {query.namespace} get machinesets -o yaml"
    assert isinstance(answer(listed, query), Known)


def test_a_namespace_is_absent_only_where_namespaces_were_listed(tmp_path: Path) -> None:
    root = tree(tmp_path)
    assert isinstance(answer(root, facts_table.namespace_query("nowhere")), Unknown)
    core = root / "cluster-scoped-resources/core"
    core.mkdir()
    (core / "namespaces.yaml").write_text("apiVersion: v1\nkind: NamespaceList\nitems: []\n")
    assert answer(root, facts_table.namespace_query("nowhere")) == Absent()
    assert isinstance(answer(root, facts_table.namespace_query(STORAGE)), Known)


def test_requests_are_gathered_from_every_namespace(tmp_path: Path) -> None:
    objects = sample()
    olm = json.loads(json.dumps(objects["CredentialsRequest/storage"]))
    olm["metadata"].update(name="olm", namespace="openshift-operators")
    root = tree(tmp_path, {**objects, "CredentialsRequest/olm": olm})
    found = observed(root)
    assert isinstance(found.requests, Known)
    assert [live.id for live in found.requests.value] == [f"{CCO}/storage", "openshift-operators/olm"]


def test_without_any_request_in_the_dump_the_requests_are_unknown(tmp_path: Path) -> None:
    objects = sample()
    del objects["CredentialsRequest/storage"]
    assert isinstance(observed(tree(tmp_path, objects)).requests, Unknown)


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "", ".hidden", "A", "a\x00b", "x" * 300])
def test_a_name_that_no_object_can_have_is_never_a_path(tmp_path: Path, name: str) -> None:
    root = tree(tmp_path)
    for ref in (SecretRef(STORAGE, name), SecretRef(name, "x")):
        assert isinstance(answer(root, facts_table.secret_query(ref)), Unknown)


# --- damage ---


def _files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*.yaml"))


@pytest.mark.parametrize("damage", ["emptied", "cut in the middle", "cut before the last line", "garbage", "a link"])
def test_every_damaged_file_is_an_unknown_line_that_names_it(tmp_path: Path, damage: str) -> None:
    for number, name in enumerate(_files(tree(tmp_path / "whole"))):
        root = tree(tmp_path / str(number))
        path = root / name
        content = path.read_bytes()
        match damage:
            case "emptied":
                path.write_bytes(b"")
            case "cut in the middle":
                path.write_bytes(content[: len(content) // 2].rstrip(b"\n"))
            case "cut before the last line":
                path.write_bytes(content.rstrip(b"\n").rpartition(b"\n")[0])
            case "garbage":
                path.write_bytes(b"\x00\xff{{ .Values }}: [")
            case _:
                path.rename(tmp_path / f"elsewhere-{number}")
                path.symlink_to(tmp_path / f"elsewhere-{number}")
        if "unrelated" in content.decode() or (CCO in name and "namespaces" in name and name.endswith(f"{CCO}.yaml")):
            continue  # asked for by nobody in this test: kube-system's Secrets are
        lines = rows_of(observed(root))
        unknown = [line for line in lines if line.state == "unknown" and line.name != "Namespace nowhere"]
        if "namespaces" in name and name.endswith(f"{STORAGE}.yaml"):
            assert not unknown, "a Secret in it proves the namespace"
            continue
        assert unknown, f"{damage}: {name}"
        assert any(name in (line.reason or "") for line in unknown), f"{damage}: {name} is not named"


def test_a_cut_list_of_secrets_hides_no_secret(tmp_path: Path) -> None:
    root = tree(tmp_path)
    path = root / "namespaces/kube-system/core/secrets.yaml"
    path.write_text(path.read_text().rstrip())
    found = observed(root)
    assert isinstance(found.root_secret, Unknown)
    assert "cut off" in found.root_secret.reason


def test_a_block_that_was_opened_and_not_filled_is_cut_off(tmp_path: Path) -> None:
    root = tree(tmp_path)
    path = root / CONFIG / "authentications.yaml"
    path.write_text("kind: AuthenticationList\nitems:\n- metadata:\n    name: cluster\n  spec:\n")
    found = observed(root)
    assert isinstance(found.issuer, Unknown)


def test_an_operator_that_was_cut_between_two_lines_is_noticed(tmp_path: Path) -> None:
    root = tree(tmp_path)
    path = root / CONFIG / "clusteroperators/cloud-credential.yaml"
    path.write_text(path.read_text().partition("  - type: Upgradeable")[0])
    found = observed(root)
    assert isinstance(found.operator, Unknown)
    assert "cut off" in found.operator.reason


@pytest.mark.parametrize(
    ("place", "content"),
    [
        (f"{CONFIG}/infrastructures.yaml", "kind: InfrastructureList\nmetadata: {}\n"),
        (f"{CONFIG}/infrastructures.yaml", "kind: InfrastructureList\nitems: [7]\n"),
        (f"{CONFIG}/infrastructures.yaml", "kind: InfrastructureList\nitems: [{kind: Infrastructure}]\n"),
        (f"{CONFIG}/infrastructures.yaml", "kind: InfrastructureList\nitems: [{metadata: {name: [x]}}]\n"),
        (
            f"{CONFIG}/infrastructures.yaml",
            "kind: InfrastructureList\nitems: [{metadata: {name: cluster}}, {metadata: {name: cluster}}]\n",
        ),
        (
            f"{CONFIG}/infrastructures.yaml",
            "kind: InfrastructureList\nitems: [{metadata: {name: cluster}, kind: Pod}]\n",
        ),
        (
            f"{CONFIG}/infrastructures.yaml",
            "kind: InfrastructureList\nitems: [{metadata: {name: cluster}, apiVersion: domain1/v1}]\n",
        ),
        (f"{CONFIG}/clusterversions/version.yaml", "kind: ClusterVersion\nmetadata: {name: other}\n"),
        (f"{CONFIG}/clusterversions/version.yaml", "- 1\n- 2\n"),
        (f"{CONFIG}/clusterversions/version.yaml", "a: &a [*a]\n"),
        (f"{CONFIG}/clusterversions/version.yaml", "[" * 100_000 + "\n"),
        (f"{CONFIG}/clusterversions/version.yaml", "---\n---\n"),
    ],
)
def test_a_file_that_does_not_hold_what_its_place_promises_is_unknown(tmp_path: Path, place: str, content: str) -> None:
    root = tree(tmp_path)
    (root / place).write_text(content)
    found = observed(root)
    assert isinstance(found.platform if "infra" in place else found.version, Unknown)
    assert any(place in (line.reason or "") for line in rows_of(found))


def test_a_folder_behind_a_link_is_not_followed(tmp_path: Path) -> None:
    root = tree(tmp_path / "mg")
    outside = tmp_path / "outside"
    (root / CONFIG).rename(outside)
    (root / CONFIG).symlink_to(outside)
    found = answer(root, VERSION)
    assert isinstance(found, Unknown)
    assert "symbolic link" in found.reason


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_unknown(tmp_path: Path) -> None:
    root = tree(tmp_path)
    (root / CONFIG / "clusterversions/version.yaml").chmod(0)
    assert isinstance(answer(root, VERSION), Unknown)


def test_a_gzip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    root = tree(tmp_path)
    place = root / CONFIG / "clusterversions/version.yaml"
    place.unlink()
    Path(f"{place}.gz").write_bytes(gzip.compress(b" " * (40 * 2**20)))
    found = answer(root, VERSION)
    assert isinstance(found, Unknown)
    assert "unpacks to more" in found.reason


def test_a_damaged_gzip_file_is_unknown(tmp_path: Path) -> None:
    root = tree(tmp_path)
    place = root / CONFIG / "clusterversions/version.yaml"
    Path(f"{place}.gz").write_bytes(gzip.compress(place.read_bytes())[:-9])
    place.unlink()
    assert isinstance(answer(root, VERSION), Unknown)


def test_a_damaged_archive_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "mg.tar.gz"
    path.write_bytes(gzip.compress(b"x" * 2000)[:40])
    with pytest.raises(ClusterError, match=r"mg\.tar\.gz"):
        must_gather.open_dump(path)


def test_links_and_upward_names_of_an_archive_are_refused(tmp_path: Path) -> None:
    root = tree(tmp_path / "mg")
    path = tmp_path / "mg.tar"
    with tarfile.open(path, "w") as archive:
        archive.add(root, "mg", filter=lambda member: None if member.name.endswith("version.yaml") else member)
        member = tarfile.TarInfo(f"mg/{CONFIG}/clusterversions/version.yaml")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(member)
        archive.addfile(tarfile.TarInfo(f"../{CONFIG}/clusterversions/version.yaml"))
    found = answer(path, VERSION)
    assert isinstance(found, Unknown)
    assert "link" in found.reason


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty", None, "is empty"),
        ("some.json", "{}", "some.json is a file that holds no object"),
        ("s.json", '{"schema": "upgrade-gate/snapshot/v1"}', "is a snapshot"),
        ("values.yaml", "replicas: 3\n", "no object"),
    ],
)
def test_a_path_without_any_object_is_the_users_mistake(
    tmp_path: Path, name: str, content: str | None, words: str
) -> None:
    if content is None:
        (tmp_path / name).mkdir()
    else:
        (tmp_path / name).write_text(content)
    with pytest.raises(UsageError, match=words):
        must_gather.open_dump(tmp_path / name)


@pytest.mark.parametrize("form", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_what_powershell_wrote_is_read(tmp_path: Path, form: str) -> None:
    root = tree(tmp_path)
    for path in (root / CONFIG).rglob("*.yaml"):
        path.write_bytes(path.read_text().replace("\n", "\r\n").encode(form))
    assert observed(root).version == Known("4.14.3")
    (root / CONFIG / "clusterversions/version.yaml").write_bytes(b"\xff\xfea\x00b")
    assert isinstance(observed(root).version, Unknown)


def test_a_path_that_does_not_exist_is_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        must_gather.open_dump(tmp_path / "nowhere")


# --- several dumps ---


def test_two_clusters_in_one_folder_are_refused_with_their_ids(tmp_path: Path) -> None:
    tree(tmp_path / "one")
    objects = sample()
    objects["ClusterVersion/version"]["spec"]["clusterID"] = "99999999-2222-4333-8444-555555555555"
    tree(tmp_path / "hostedcluster-two", objects)
    with pytest.raises(UsageError) as caught:
        must_gather.open_dump(tmp_path)
    assert "11111111-2222-4333-8444-555555555555" in str(caught.value)
    assert "99999999-2222-4333-8444-555555555555" in str(caught.value)
    assert "hostedcluster-two" in str(caught.value)


def test_a_hosted_cluster_below_its_management_cluster_is_a_second_cluster(tmp_path: Path) -> None:
    objects = sample()
    tree(tmp_path, objects)
    objects["ClusterVersion/version"]["spec"]["clusterID"] = "99999999-2222-4333-8444-555555555555"
    tree(tmp_path / "hostedcluster-two", objects)
    with pytest.raises(UsageError, match="2 clusters"):
        must_gather.open_dump(tmp_path)
    assert must_gather.open_dump(tmp_path / "hostedcluster-two").layouts


def test_of_two_dumps_of_one_cluster_the_newest_wins_and_says_so(tmp_path: Path) -> None:
    old = tree(tmp_path / "zz-old", sample("4.13.1"))
    new = tree(tmp_path / "aa-new", {k: v for k, v in sample().items() if not k.startswith("Secret/")})
    (old / "timestamp").write_text("2026-10-01 08:00:00.123 +0000 UTC m=+0.1\n2026-10-01 08:10:00 +0000 UTC\n")
    (new / "timestamp").write_text("2026-10-02 10:00:00 +0200 CEST\n2026-10-02 10:10:00.5 +0200 CEST m=+1\n")
    reader = must_gather.open_dump(tmp_path)
    assert reader.collected == "2026-10-02T08:10:00Z"
    assert "aa-new is the newest" in reader.description
    found = observed(tmp_path)
    assert found.version == Known("4.14.3")
    assert isinstance(found.secrets[SECRET], Known), "what only the older one collected is taken from there"


@pytest.mark.parametrize(
    "stamps",
    [{}, {"a": 1}, {"a": 1, "b": 1}, {".": 1}, {".": 1, "a": 2}],
    ids=["none", "one", "equal", "above", "one below"],
)
def test_two_dumps_of_which_nothing_tells_the_newer_are_refused(tmp_path: Path, stamps: dict[str, int]) -> None:
    for name in ("a", "b"):
        tree(tmp_path / name)
    for name, day in stamps.items():
        (tmp_path / name / "timestamp").write_text(f"2026-10-0{day} 08:00:00 +0000 UTC\n")
    with pytest.raises(UsageError, match=r"which is newer.*/a.*/b"):
        must_gather.open_dump(tmp_path)


def test_a_second_dump_that_names_no_cluster_belongs_to_the_first(tmp_path: Path) -> None:
    tree(tmp_path / "one")
    only = {k: v for k, v in sample().items() if k.startswith("Secret/")}
    for number, folder in enumerate((tmp_path / "one", tree(tmp_path / "two", only))):
        (folder / "timestamp").write_text(f"2026-10-0{number + 1} 08:00:00 +0000 UTC\n")
    assert observed(tmp_path).version == Known("4.14.3")


@pytest.mark.parametrize("text", ["", "soon", "2026-13-45 99:99:99"])
def test_a_timestamp_that_is_none_is_left_out(tmp_path: Path, text: str) -> None:
    root = tree(tmp_path)
    (root / "timestamp").write_text(text)
    assert must_gather.open_dump(root).collected is None


# --- secrets ---


def test_redacted_values_leave_the_names_of_the_keys(tmp_path: Path) -> None:
    objects = sample()
    objects["Secret/ebs-cloud-credentials"]["data"] = {"credentials": encoded("243 bytes long")}
    record = observed(tree(tmp_path, objects), read_secrets=True).secrets[SECRET]
    assert isinstance(record, Known)
    assert record.value.keys == frozenset({"credentials"})
    assert (record.value.identity, record.value.form) == (None, None)


def test_real_values_are_read_only_on_request_and_never_kept(tmp_path: Path) -> None:
    root = tree(tmp_path)
    without = observed(root).secrets[SECRET]
    assert isinstance(without, Known)
    assert without.value.identity is None
    asked = observed(root, read_secrets=True).secrets[SECRET]
    assert isinstance(asked, Known)
    assert (asked.value.identity, asked.value.form) == (ROLE_ARN, "token")
    assert "sts_regional_endpoints" not in repr(asked)


# --- the shared cases ---


def test_every_dump_of_the_shared_cases_is_known_but_for_what_it_lacks_on_purpose(shared: Path) -> None:
    folders = [path for path in (shared / "cases/gate").glob("*/cluster") if path.is_dir()]
    assert folders
    for folder in folders:
        found = observe.observe(must_gather.open_dump(folder))
        unknown = {line.name for line in rows_of(found) if line.state == "unknown"}
        expected = {"CloudCredential cluster"} if folder.parent.name == "aws-mode-unread" else set()
        assert unknown == expected, folder.parent.name
