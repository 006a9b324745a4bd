"""A live cluster whose release images are in a registry on loopback: what users of the whole gate have."""

from __future__ import annotations

import base64
import copy
from typing import TYPE_CHECKING, Any

import yaml

from tests.worlds.openpgp import statement
from tests.worlds.release_image import Image, build

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tests.worlds.openpgp import Gpg

FIRST = ("image-references", "release-metadata")
MANAGED = "openshift-config-managed"


def image_of(folder: Path, *, base: int = 20_000, version: str | None = None) -> Image:
    """Build the release image of a payload folder, the two metadata files first; `version` gives it another one."""
    files = {name: (folder / name).read_bytes() for name in FIRST}
    files |= {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name not in FIRST}
    if version is not None:
        files["release-metadata"] = files["release-metadata"].replace(folder.name.encode(), version.encode())
    return build(version or folder.name, base=base, files=files)


def running(
    objects: Iterable[dict[str, Any]],
    release: Path,
    pullspec: str,
    offers: Sequence[tuple[str, str]],
    *,
    version: str | None = None,
) -> list[dict[str, Any]]:
    """Return the objects of a cluster as they are when it runs a release and is offered others, by pullspec.

    `version` is that of the release where it is not the folder's name.
    """
    version = version or release.name
    changed = [copy.deepcopy(body) for body in objects if body["kind"] != "CredentialsRequest"]
    for body in changed:
        if body["kind"] == "ClusterVersion":
            state = body["status"]
            state["desired"] = {"version": version, "image": pullspec}
            state["history"] = [
                {
                    "state": "Completed",
                    "version": version,
                    "image": pullspec,
                    "startedTime": "2026-09-01T08:00:00Z",
                    "completionTime": "2026-09-01T09:00:00Z",
                    "verified": True,
                }
            ]
            state["availableUpdates"] = [{"version": name, "image": image} for name, image in offers]
        elif body["kind"] == "FeatureGate":
            for entry in body["status"]["featureGates"]:
                entry["version"] = version
        elif body["kind"] == "ClusterOperator":
            for entry in body["status"].get("versions", []):
                entry["version"] = version
    return changed + requests_of(release)


def requests_of(release: Path) -> list[dict[str, Any]]:
    """Return the requests that CVO puts into a cluster, of every cloud."""
    return [
        document
        for path in sorted(release.glob("*.yaml"))
        if b"kind: CredentialsRequest" in (content := path.read_bytes())
        for document in yaml.safe_load_all(content)
        if document
        and document["kind"] == "CredentialsRequest"
        and "release.openshift.io/delete" not in (document["metadata"].get("annotations") or {})
    ]


def trust_objects(home: Gpg, key: str, digests: Iterable[str]) -> list[dict[str, Any]]:
    """Return the ConfigMaps with which a cluster trusts releases: the keyring, and a signature for each digest."""
    keyring = {
        "kind": "ConfigMap",
        "metadata": {
            "name": "release-verification",
            "namespace": MANAGED,
            "annotations": {"release.openshift.io/verification-config-map": ""},
        },
        "data": {"verifier-public-key-redhat": home.export(key).decode()},
    }
    names = {digest: digest.replace(":", "-") for digest in digests}
    signatures = [
        {
            "kind": "ConfigMap",
            "metadata": {
                "name": name,
                "namespace": MANAGED,
                "labels": {"release.openshift.io/verification-signatures": ""},
            },
            "binaryData": {f"{name}-1": base64.b64encode(home.sign(statement(digest), key)).decode()},
        }
        for digest, name in names.items()
    ]
    return [keyring, *signatures]
