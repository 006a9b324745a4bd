"""Every change of the corpus: the grants of both sides and what of them is covered, against an independent program."""

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from upgrade_gate.clouds.contract.grants import Grant, cloud_of


@cache
def requests(release: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the provider specs of a release by request, in the order of the files."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(release.rglob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        if "CredentialsRequest" not in text:
            continue
        for document in yaml.load_all(text, Loader=yaml.CSafeLoader):
            if isinstance(document, dict) and document.get("kind") == "CredentialsRequest":
                spec = (document.get("spec") or {}).get("providerSpec")
                if spec and cloud_of(spec["kind"]):
                    name = f"{document['metadata'].get('namespace', '')}/{document['metadata']['name']}"
                    found.setdefault(name, []).append(spec)
    return found


def dicts(grants: list[Grant]) -> list[dict[str, Any]]:
    return sorted((g.as_dict() for g in grants), key=lambda g: json.dumps(g, sort_keys=True))


def judged(shared: Path, want: dict[str, Any], change: dict[str, Any]) -> tuple[Any, ...]:
    """Return added, removed and covered grants of one change, as our clouds see them."""
    old = requests(shared / "corpus" / "releases" / want["from"])
    new = requests(shared / "corpus" / "releases" / want["to"])
    before = old[change["was"] if change.get("was") else change["request"]][0] if change["kind"] != "added" else None
    after = new[change["request"]][0] if change["kind"] != "removed" else None
    spec = after or before
    assert spec is not None
    cloud = cloud_of(spec["kind"])
    assert cloud is not None
    need = cloud.read_grants(spec["kind"], after) if after else ()
    have = cloud.read_grants(spec["kind"], before) if before else ()
    held, asked = {cloud.identity(g) for g in have}, {cloud.identity(g) for g in need}
    added = [g for g in need if cloud.identity(g) not in held]
    removed = [g for g in have if cloud.identity(g) not in asked]
    covered = sorted([g.type, g.permission] for g in added if cloud.covering(have, g))
    return dicts(added), dicts(removed), covered


def test_grants_and_coverage_equal_the_corpus(shared: Path) -> None:
    faults, compared = [], 0
    figures: Counter[tuple[str, str, str]] = Counter()
    for file in sorted((shared / "corpus" / "expected").glob("*.json")):
        for want in json.loads(file.read_text(encoding="utf-8")):
            for change in want["changes"]:
                added, removed, covered = judged(shared, want, change)
                expected = (
                    sorted(change["permissions"]["added"], key=lambda g: json.dumps(g, sort_keys=True)),
                    sorted(change["permissions"]["removed"], key=lambda g: json.dumps(g, sort_keys=True)),
                    sorted(change["covered"]),
                )
                compared += 1
                figures[file.stem, want["platform"], "added"] += len(added)
                figures[file.stem, want["platform"], "covered"] += len(covered)
                if (added, removed, covered) != expected:
                    faults.append(f"{file.stem} {want['platform']} {change['request']}")
    assert compared, "the corpus holds no change"
    assert not faults
    for pair, platform, added, covered in (
        ("4.13.0--4.14.0", "Azure", 91, 86),
        ("4.14.0--4.15.0", "GCP", 110, 106),
    ):
        assert (figures[pair, platform, "added"], figures[pair, platform, "covered"]) == (added, covered)


@pytest.mark.parametrize("kind", ["AWSProviderSpec", "AzureProviderSpec", "GCPProviderSpec"])
def test_every_field_of_real_requests_is_accounted_for(shared: Path, kind: str) -> None:
    """A field that no cloud reads would be an unclassified change; today there is none but the known harmless one."""
    cloud = cloud_of(kind)
    assert cloud is not None
    known = {"apiVersion", "kind", *cloud.FIELDS, *cloud.HARMLESS}
    for release in sorted((shared / "corpus" / "releases").iterdir()):
        for name, specs in requests(release).items():
            for spec in specs:
                assert spec["kind"] != kind or set(spec) <= known, f"{release.name} {name}"
