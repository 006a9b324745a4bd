"""The tables of what vendors publish, made from the shared corpus: digests and names, not the policies.

`make tables` writes them where the corpus is (`UPGRADE_GATE_SHARED`).
"""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

import upgrade_gate
from upgrade_gate.clouds.aws.policies import parse_policy
from upgrade_gate.clouds.aws.vendor_sets import content_of
from upgrade_gate.clouds.shared.vendor_table import FILE, digest

CLOUDS = Path(upgrade_gate.__file__).parent / "clouds"
DATE = "2026-08-20"
"""The day of the vendor's repository that the corpus holds."""
SOURCE = "openshift/managed-cluster-config (Apache License 2.0): digests of its policies, none of its content"
MEANING = "sets: digest of the normalised content to [whose and of which releases, name there]"
CLASSIC, HOSTED, GOOGLE = "ROSA classic", "ROSA hosted control planes", "OpenShift Dedicated on Google Cloud"
CURRENT = "current"
"""What stands for the release of sets that the vendor keeps for all of them."""
_OF_COMPONENTS = ("openshift_", "shared_vpc_openshift_")
"""How the files are called that are for a component's identity; others are for people, installers and machines."""


def aws(corpus: Path) -> dict[str, Any]:
    """Return the table of AWS."""
    return _table(_aws(corpus))


def gcp(corpus: Path) -> dict[str, Any]:
    """Return the table of Google Cloud."""
    return _table(_gcp(corpus))


def _aws(corpus: Path) -> Iterator[tuple[object, str, str, str]]:
    for path in sorted(corpus.glob("rosa-*/*.json")):
        if path.name.startswith(_OF_COMPONENTS):
            release = path.parent.name.removeprefix("rosa-")
            hosted = release == "hcp" or "_hcp_" in path.name
            content = content_of(parse_policy(path.stem, json.loads(path.read_text(encoding="utf-8"))))
            if content is None:
                raise ValueError(f"{path.name} is not understood")
            yield content, HOSTED if hosted else CLASSIC, CURRENT if release == "hcp" else release, path.stem


def _gcp(corpus: Path) -> Iterator[tuple[object, str, str, str]]:
    for path in sorted(corpus.glob("osd-wif/*.yaml")):
        template = yaml.safe_load(path.read_text(encoding="utf-8"))
        for account in template["service_accounts"]:
            for role in account["roles"] if "credential_request" in account else ():
                if not role.get("predefined"):
                    name = role["id"].rpartition("_v")[0]
                    yield sorted(role["permissions"]), GOOGLE, template["id"].removeprefix("v"), name


def _table(sets: Iterable[tuple[object, str, str, str]]) -> dict[str, Any]:
    found: dict[str, dict[tuple[str, str], list[str]]] = {}
    for content, whose, release, name in sets:
        found.setdefault(digest(content), {}).setdefault((whose, name), []).append(release)
    entries = {
        key: sorted([_whose(whose, releases), name] for (whose, name), releases in named.items())
        for key, named in sorted(found.items())
    }
    return {"date": DATE, "source": SOURCE, "meaning": MEANING, "sets": entries}


def _whose(whose: str, releases: Iterable[str]) -> str:
    listed = sorted(releases, key=lambda r: (r == CURRENT, [] if r == CURRENT else [int(n) for n in r.split(".")]))
    return f"{whose} {', '.join(listed)}"


def write() -> None:
    """Write both tables, where the corpus is."""
    from tests.generators.tables import text  # which imports this module

    shared = os.environ.get("UPGRADE_GATE_SHARED")
    if shared:
        corpus = Path(shared) / "corpus" / "vendor_policies"
        (CLOUDS / "aws" / FILE).write_text(text(aws(corpus)) + "\n", encoding="utf-8")
        (CLOUDS / "gcp" / FILE).write_text(text(gcp(corpus)) + "\n", encoding="utf-8")
