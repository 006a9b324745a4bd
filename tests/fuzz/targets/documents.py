"""YAML and JSON: the reader itself, the manifests of a release, and the files that a user writes."""

from __future__ import annotations

import contextlib
import json
import re
from datetime import date
from functools import cache
from typing import Any

from tests.fuzz import harness
from tests.fuzz.harness import Target
from tests.fuzz.mutation import of_bytes
from upgrade_gate.base.errors import UpgradeGateError
from upgrade_gate.cli import configuration, options
from upgrade_gate.gate import acknowledgements
from upgrade_gate.gate.findings import Severity, catalogue
from upgrade_gate.payloads import payload
from upgrade_gate.payloads.reference import ReleaseFiles
from upgrade_gate.proof.identity_map import Identities
from upgrade_gate.reading import yaml
from upgrade_gate.reading.limits import Limits

LIMITS = Limits(file=2**18, nodes=10_000, depth=60)
_FORCES = b"# CredentialsRequest\n"
"""Makes the index of manifests hand a file over to the whole reading."""


def read_yaml(data: bytes) -> None:
    """Whatever is read can be written again, is no deeper than allowed, and JSON means what JSON means."""
    for document in yaml.parse(data, "input", limits=LIMITS):
        json.dumps(document.body, ensure_ascii=False, allow_nan=False).encode()
        assert not yaml.is_deeper(document.body, LIMITS.depth)
        assert document.line >= 1
    with contextlib.suppress(ValueError, RecursionError):
        _same_as_json(data)


def _same_as_json(data: bytes) -> None:
    plain = json.loads(data.decode())
    if isinstance(plain, dict | list):
        try:
            found = yaml.parse_one(data, "input.json", limits=LIMITS).body
        except UpgradeGateError:
            return  # NaN, half of a surrogate pair, too deep: stricter than Python on purpose
        assert found == plain, "JSON was read as something else"


def read_manifests(data: bytes) -> None:
    """The index of a file finds what the whole reading finds, and nothing is left out in silence."""
    found = payload.load(_release(data), LIMITS)
    assert found.manifests or found.unreadable or found.empty or not _documents(data), "a file vanished"
    if data.lstrip()[:1] not in (b"{", b"[") and not data.startswith(
        (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\0\0")
    ):
        whole = payload.load(_release(_FORCES + data), LIMITS)
        assert [_identity(m) for m in found.manifests] == [_identity(m) for m in whole.manifests], (
            "index and reading differ"
        )


def _documents(data: bytes) -> bool:
    try:
        return bool(yaml.parse(data, "input", limits=LIMITS))
    except UpgradeGateError:
        return True


def _release(data: bytes) -> ReleaseFiles:
    metadata = b'{"kind": "cincinnati-metadata-v0", "version": "4.17.0"}'
    return ReleaseFiles("input", {"0000_50_input.yaml": data, "release-metadata": metadata, "image-references": b"{}"})


def _identity(manifest: payload.Manifest) -> tuple[Any, ...]:
    return manifest.group, manifest.version, manifest.kind, manifest.namespace, manifest.name, manifest.annotations


@cache
def _shapes() -> dict[str, configuration.Shape]:
    return dict(options.configurable())


def read_configuration(data: bytes) -> None:
    """A file that was found only tightens; a named one never lowers what stands for not knowing."""
    path = harness.file("upgrade-gate.yaml", data)
    rules, order = catalogue(), list(Severity)
    for found in (True, False):
        with contextlib.suppress(UpgradeGateError):
            read = configuration.load(path, _shapes(), found=found)
            for rule, severity in read.policy.items():
                lowered = order.index(severity) > order.index(rules[rule].severity)
                fixed = rules[rule].severity is Severity.UNKNOWN or not rules[rule].acknowledgeable
                assert not (lowered and (found or fixed)), f"{rule} was lowered"
            if found:
                assert set(read.options) <= set(configuration.FOUND_MAY_SAY), "a found file loosens"
                assert not read.accept
                assert read.identities == Identities()


def read_acknowledgements(data: bytes) -> None:
    """Each entry that is taken has its four parts, and an end."""
    for entry in acknowledgements.load([harness.file("acknowledgements.yaml", data)]):
        assert re.fullmatch(r"[0-9a-f]{16}", entry.fingerprint)
        assert entry.reason.strip()
        assert entry.owner.strip()
        assert type(entry.expires) is date
        entry.applies(to_version="4.17.0", cluster_id="11111111-2222-4333-8444-555555555555", cluster_name="c1")


TARGETS = (
    Target("yaml", read_yaml, of_bytes, weight=2),
    Target("manifests", read_manifests, of_bytes, weight=2),
    Target("configuration", read_configuration, of_bytes),
    Target("acknowledgements", read_acknowledgements, of_bytes),
)
