"""The bundle of clouds whose Secrets are gone: skeletons that can be filled in, and nothing asked for that is not used.

Sources: vSphere's Secret has a pair of keys for each vCenter of Infrastructure, OpenStack's `cacert` stands only where
it is set (docs/facts/cco.md#secret-keys).
"""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from tests.worlds import bundles
from tests.worlds.bundles import Pair
from upgrade_gate.remedy import bundle

NOTHING_NEW = Pair("nutanix-new-component-secret-missing", "4.12.99", "4.12.99", "4.12.99")
VCENTERS = "type: VSphere\n      vsphere: {vcenters: [{server: a.example.com}, {server: b.example.com}]}"


def emptied(shared: Path, tmp_path: Path, platform: str, **instead: str) -> Mapping[str, bytes]:
    """Return the bundle of a cluster of a platform that has none of its Secrets."""

    def change(text: str) -> str:
        text = re.sub(r"credentialsMode: .*", "credentialsMode: Manual", text.replace("Nutanix", platform))
        return text.replace(f"type: {platform}", instead.get("spec", f"type: {platform}"), 1)

    cluster = bundles.dump(shared, tmp_path, NOTHING_NEW, change)
    return bundle.build(bundles.outcome(shared, cluster, NOTHING_NEW), {})


def skeletons(files: Mapping[str, bytes]) -> dict[str, dict[str, str]]:
    return {n: yaml.safe_load(text)["stringData"] for n, text in files.items() if n.startswith("secrets/")}


@pytest.mark.parametrize(
    ("spec", "addresses"),
    [(VCENTERS, ["a.example.com", "b.example.com"]), ("type: VSphere", ["<FILL_ME: address of the vCenter>"])],
    ids=["listed", "not-listed"],
)
def test_a_vsphere_secret_serves_every_vcenter(shared: Path, tmp_path: Path, spec: str, addresses: list[str]) -> None:
    made = skeletons(emptied(shared, tmp_path, "VSphere", spec=spec))
    assert made
    for data in made.values():
        assert sorted(data) == sorted(f"{one}.{half}" for one in addresses for half in ("username", "password"))


def test_a_key_that_a_cloud_may_lack_says_so(shared: Path, tmp_path: Path) -> None:
    made = skeletons(emptied(shared, tmp_path, "OpenStack"))
    assert made
    for data in made.values():
        assert "take this line out" in data["cacert"]
        assert "take this line out" not in data["clouds.yaml"]


@pytest.mark.parametrize("platform", ["IBMCloud", "AlibabaCloud"])
def test_an_account_that_no_step_uses_is_not_asked_for(shared: Path, tmp_path: Path, platform: str) -> None:
    """Secrets alone are missing: the script calls the cluster's command line and none of the cloud's."""
    files = emptied(shared, tmp_path, platform)
    script, told = files["commands.sh"].decode(), files["README.md"].decode()
    assert skeletons(files)
    assert "ACCOUNT_ID" not in script + told
    assert " account that you fill in" not in script + told
