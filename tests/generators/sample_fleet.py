"""The sample of a fleet: forty invented clusters at the invented releases, in every state that a cluster can be in."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import yaml

from tests.worlds.aws_exports import details, document, role
from tests.worlds.running import run

ROOT = Path(__file__).resolve().parents[2]
NAME = "fleet"
ENDINGS = ("html", "json", "csv")
NOW = "2026-11-02T12:00:00Z"
ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/harbour"
_FIRST, _SECOND = "1793523600", "1793610000"
_OLD, _NEW = "releases/4.18.7", "releases/4.19.2"
_ISSUER = "oidc.harbour.example.com"
_NEW_SECRETS = ("beacon-cloud-credentials", "saltmarsh-cloud-credentials")

Edit = Callable[[dict[str, Any]], None]
"""A change of one answer of a snapshot."""


def _object(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the one object of an answer, an empty one where it is a list or nothing."""
    found = answer["object"]
    return found if isinstance(found, dict) else {}


def _annotated(answer: dict[str, Any]) -> None:
    """Set the annotation, which CCO has seen."""
    body = _object(answer)
    if body.get("kind") == "CloudCredential":
        body["metadata"]["annotations"] = {"cloudcredential.openshift.io/upgradeable-to": "v4.19"}
    if body.get("kind") == "ClusterOperator":
        for condition in body["status"]["conditions"]:
            if condition["type"] == "Upgradeable":
                condition |= {"status": "True", "reason": "AsExpected", "message": ""}


def _prepared(answer: dict[str, Any]) -> None:
    """Make the Secrets that the target newly asks for, and their namespaces."""
    query = answer["query"]
    if query["kind"] == "Namespace" and answer["state"] == "absent":
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": query["name"]}}
        answer |= {"state": "known", "object": body}
    if query["kind"] == "Secret" and query["name"] in _NEW_SECRETS:
        secret: dict[str, Any] = {**dict.fromkeys(("form", "identity", "token_path")), "annotations": {}, "labels": {}}
        answer |= {"state": "known", "reason": None, "remedy": None, "secret": {**secret, "keys": ["credentials"]}}


def _unread(answer: dict[str, Any]) -> None:
    """Leave it open in which mode CCO is."""
    if answer["query"]["kind"] == "CloudCredential":
        answer |= {"state": "unknown", "object": None, "reason": "the API server refuses the read (403)"}


def _older(answer: dict[str, Any]) -> None:
    """Let the cluster run a release that nobody gave."""
    body = _object(answer)
    if body.get("kind") == "ClusterVersion":
        answer["object"] = json.loads(json.dumps(body).replace("4.18.7", "4.17.9"))


_PLACES = ("eu-1", "eu-2", "us-1", "us-2", "ap-1", "ap-2")
_BASES: Mapping[str, tuple[str, str]] = {
    "harbour": ("aws-sts", "harbour-7k2xp"),
    "quayside": ("azure-workload-identity", "quayside-m4d9c"),
    "wharf": ("vsphere-manual", "wharf-p9q2r"),
}
"""How clusters are called by the cluster that they are made of, and its infrastructure name."""
_GROUPS: Sequence[tuple[str, str, int, tuple[Edit, ...]]] = (
    ("harbour", "prod", 6, ()),
    ("harbour", "stage", 4, (_prepared, _annotated)),
    ("harbour", "dev", 6, (_annotated,)),
    ("harbour", "edge", 1, (_unread,)),
    ("quayside", "prod", 6, ()),
    ("quayside", "stage", 5, (_annotated,)),
    ("quayside", "old", 1, (_older,)),
    ("wharf", "prod", 6, (_annotated,)),
    ("wharf", "stage", 3, ()),
    ("wharf", "edge", 1, (_annotated, _unread)),
)
"""What a cluster is made of, its environment, how many there are, and what has been done there."""
_PROVEN = ("harbour-stage", "harbour-prod")
"""Clusters whose roles were exported."""


def write(folder: Path) -> None:
    """Write the files about all of them: the second of two runs, so that it says what is new."""
    with tempfile.TemporaryDirectory() as place:
        here = Path(place).resolve()
        (here / "releases").symlink_to(ROOT / "fixtures" / "releases")
        (here / "clusters").symlink_to(ROOT / "fixtures" / "clusters")
        _exports(here)
        for done, stamp in ((False, _FIRST), (True, _SECOND)):
            _inventory(here, done=done)
            arguments = ("clusters.yaml", "--from", f"dir:{_OLD}", "--to", f"dir:{_NEW}", "--now", NOW, "--no-cache")
            more = ("--acknowledgements", "acknowledged.yaml") if done else ()
            ran = run("fleet", *arguments, *more, "-d", "result", cwd=here, env={"SOURCE_DATE_EPOCH": stamp})
            assert ran.code == 3, ran.err
            _acknowledge(here)
        for ending in ENDINGS:
            (folder / f"{NAME}.{ending}").write_bytes((here / "result" / f"{NAME}.{ending}").read_bytes())


def _exports(here: Path) -> None:
    """Write what shows that the roles of some clusters hold what the target newly asks for."""
    (here / "exports").mkdir()
    trust = document(
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{_ISSUER}"},
            "Condition": {"StringEquals": {f"{_ISSUER}:sub": _subjects()}},
        }
    )
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    body = details(role(everything, arn=ROLE, AssumeRolePolicyDocument=trust))
    (here / "exports" / "harbour.json").write_text(json.dumps(body))
    (here / "harbour.yaml").write_text(json.dumps({"identities": {"default": ROLE, "account": ACCOUNT}}))


def _subjects() -> list[str]:
    """Return every service account that a request of the target names."""
    found = set()
    for path in (ROOT / "fixtures" / _NEW).glob("*.yaml"):
        for body in yaml.safe_load_all(path.read_text()):
            if body and body["kind"] == "CredentialsRequest" and "spec" in body:
                spec = body["spec"]
                space = spec["secretRef"]["namespace"]
                found |= {f"system:serviceaccount:{space}:{name}" for name in spec.get("serviceAccountNames", ())}
    return sorted(found)


def _inventory(here: Path, *, done: bool) -> None:
    """Write a snapshot for each cluster and the list of them; before anything was done, or after it."""
    (here / "snapshots").mkdir(exist_ok=True)
    rows: list[dict[str, Any]] = [{"name": "lighthouse", "cluster": "snapshot:snapshots/lighthouse.json"}]
    for kind, environment, count, edits in _GROUPS:
        base = _base(here, kind)
        for number in range(count):
            name = f"{kind}-{environment}-{_PLACES[number]}"
            (here / "snapshots" / f"{name}.json").write_text(_snapshot(base, kind, name, edits if done else ()))
            row: dict[str, Any] = {"name": name, "cluster": f"snapshot:snapshots/{name}.json"}
            row["labels"] = {"env": environment, "region": _PLACES[number]}
            if name.startswith(_PROVEN) and number % 3 != 2:
                row |= {"config": "harbour.yaml", "identities": "export:exports"}
            rows.append(row)
    (here / "clusters.yaml").write_text(json.dumps({"clusters": rows}))


def _base(here: Path, kind: str) -> str:
    path = here / f"{kind}.json"
    if not path.exists():
        hop = ("--from", f"dir:{_OLD}", "--to", f"dir:{_NEW}", "--cluster", f"must-gather:clusters/{_BASES[kind][0]}")
        taken = run("snapshot", *hop, "--no-cache", path.name, cwd=here)
        assert taken.code == 0, taken.err
    return path.read_text()


def _snapshot(base: str, kind: str, name: str, edits: Sequence[Edit]) -> str:
    body = json.loads(base.replace(_BASES[kind][1], name))
    for answer in body["answers"]:
        for edit in edits:
            edit(answer)
        found = _object(answer)
        if found.get("kind") == "ClusterVersion":
            found["spec"]["clusterID"] = str(uuid5(NAMESPACE_URL, name))
    return json.dumps(body, indent=1)


def _acknowledge(here: Path) -> None:
    """Acknowledge what clusters of Azure newly need, one thing in production too, and one that is long gone."""
    causes = json.loads((here / "result" / f"{NAME}.json").read_text())["causes"]
    entry = {"reason": "granted by hand in CHG0012345", "owner": "platform-team", "reference": "CHG0012345"}
    where = {"lantern-image-store-azure": "quayside-stage-*", "tidewater-volume-driver-azure": "quayside-*"}
    entries = [
        {**entry, "fingerprint": cause["fingerprint"], "expires": "2027-03-31", "clusters": [where[name]]}
        for cause in causes
        if cause["rule"] == "permission-added" and (name := cause["headline"].partition(" ")[0]) in where
    ]
    entries.append({**entry, "fingerprint": "0123456789abcdef", "expires": "2026-12-31", "clusters": ["*"]})
    (here / "acknowledged.yaml").write_text(json.dumps({"acknowledgements": entries}))
