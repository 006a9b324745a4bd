"""Inventories: which clusters there are, and the names of their folders."""

from pathlib import Path

import pytest

from upgrade_gate.base.errors import UsageError
from upgrade_gate.cluster.hub import ManagedCluster
from upgrade_gate.fleet import inventory
from upgrade_gate.fleet.inventory import Entry


def read(*inventories: str, contexts: tuple[str, ...] = (), hub: tuple[str, ...] = ()) -> dict[str, str]:
    managed = [ManagedCluster(name, {}, {}) for name in hub]
    return {entry.name: entry.source for entry in inventory.read(inventories, lambda: contexts, lambda _: managed)}


def test_every_file_of_a_folder_is_a_cluster_but_hidden_ones(tmp_path: Path) -> None:
    for name in ("b.json", "a.json", ".hidden", "README"):
        (tmp_path / name).touch()
    assert list(read(f"snapshots:{tmp_path}")) == ["README", "a", "b"]


def test_a_folder_among_snapshots_is_never_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.json").touch()
    (tmp_path / "more").mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        read(f"snapshots:{tmp_path}")


def test_contexts_are_chosen_by_a_pattern() -> None:
    found = read("contexts:prod-*", contexts=("prod-2", "lab", "prod-1", "prod-1"))
    assert found == {"prod-1": "context:prod-1", "prod-2": "context:prod-2"}


def test_a_hub_is_named_by_a_word_and_its_context() -> None:
    assert read("hub", hub=("b", "a")) == {"a": "hub:a", "b": "hub:b"}
    assert read("hub:acm/admin", hub=("a",)) == {"a": "hub:acm/admin/a"}
    with pytest.raises(UsageError, match="holds no cluster"):
        read("hub")


def test_a_file_gives_a_cluster_of_a_hub_what_is_its_own(tmp_path: Path) -> None:
    file = tmp_path / "fleet.yaml"
    file.write_text("clusters: [{name: eu, cluster: 'hub:acm/admin/a', labels: {env: prod}, identities: 'export:e'}]")
    managed = ManagedCluster("a", {"env": "?", "vendor": "OpenShift"}, {})
    (entry,) = inventory.read([str(file)], tuple, {"acm/admin": [managed]}.__getitem__)
    assert (entry.name, entry.source, entry.managed) == ("eu", "hub:acm/admin/a", managed)
    assert (entry.labels, entry.identities) == ({"env": "prod", "vendor": "OpenShift"}, f"export:{tmp_path}/e")
    with pytest.raises(UsageError, match="which the hub has not"):
        inventory.read([str(file)], tuple, lambda _: [])


def test_paths_of_a_file_are_meant_from_its_folder(tmp_path: Path) -> None:
    file = tmp_path / "fleet.yaml"
    file.write_text(
        "clusters:\n"
        "- {name: a, cluster: 'snapshot:s/a.json', to: 'dir:new', identities: 'export:e', acknowledgements: k.yaml}\n"
        "- {name: b, cluster: 'context:b', to: 4.19.2, labels: {weight: 1, on: off}}\n"
    )
    first, second = inventory.read([str(file)], tuple, lambda _: ())
    assert first.where == str(tmp_path / "s/a.json")
    assert (first.to, first.identities) == (f"dir:{tmp_path}/new", f"export:{tmp_path}/e")
    assert first.acknowledgements == (str(tmp_path / "k.yaml"),)
    assert (second.where, second.to, second.labels) == ("b", "4.19.2", {"weight": "1", "on": "off"})


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "clusters: []",
        "clusters: [{name: a}]",
        "clusters: [{name: a, cluster: live}]",
        "clusters: [{name: ' a', cluster: 'context:a'}]",
        "clusters: [{name: a, cluster: 'context:a', platform: AWS}]",
        "clusters: [{name: a, cluster: 'context:a'}, {name: a, cluster: 'context:b'}]",
        "clusters: [{name: a, cluster: 'context:a'}, {name: A, cluster: 'context:b'}]",
    ],
)
def test_what_is_not_understood_is_an_error(tmp_path: Path, text: str) -> None:
    file = tmp_path / "fleet.yaml"
    file.write_text(text)
    with pytest.raises(UsageError):
        read(str(file))


def test_a_name_never_leaves_its_folder() -> None:
    names = ["a", "..", ".", "../../etc", "a/b", "a%2Fb", "~", "default/api-x:6443/admin", "Ä" * 200, "Ä" * 201, "x\ny"]
    folders = [Entry(name, "context", name).folder for name in names]
    assert len(set(folders)) == len(names)
    for folder in folders:
        assert Path(folder).name == folder
        assert not folder.startswith(".")
        assert len(folder.encode()) < 200
