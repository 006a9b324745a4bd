"""Payloads: every document with its place, and nothing skipped in silence."""

from pathlib import Path

import pytest

from upgrade_gate import payload, source
from upgrade_gate.source import ReleaseFiles, Settings

META = b'{"kind": "cincinnati-metadata-v0", "version": "4.15.3", "previous": ["4.15.2"]}'
REQUEST = b"""apiVersion: cloudcredential.openshift.io/v1
kind: CredentialsRequest
metadata:
  name: a
  namespace: ns
spec: {}
"""


def load(**files: bytes) -> payload.Payload:
    named = {f"{name}.yaml": data for name, data in files.items()}
    return payload.load(ReleaseFiles("dir:x", {"release-metadata": META, "image-references": b"{}", **named}))


def test_metadata_gives_version_and_edges() -> None:
    found = load(a=REQUEST)
    assert (found.version, found.previous, found.minor) == ("4.15.3", ("4.15.2",), (4, 15))
    assert not found.unreadable


def test_place_of_a_document_and_absent_annotations() -> None:
    found = load(a=b"# words\n---\n" + REQUEST)
    (request,) = found.manifests
    assert (request.location.file, request.location.line, request.annotations) == ("a.yaml", 3, None)
    assert request.body is not None


def test_large_file_of_another_kind_is_known_by_its_head() -> None:
    big = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: big\n  annotations:\n    k: v\ndata:\n"
    big += b"".join(b"  key%d: value\n" % i for i in range(3_000))
    (manifest,) = load(a=big).manifests
    assert (manifest.kind, manifest.name, manifest.annotations, manifest.body) == ("ConfigMap", "big", {"k": "v"}, None)


def test_request_hidden_in_a_large_file_is_found() -> None:
    big = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: big\ndata:\n"
    big += b"".join(b"  key%d: value\n" % i for i in range(3_000))
    found = load(a=big + b"---\n" + REQUEST.replace(b"CredentialsRequest", b'"Credentials\\x52equest"'))
    assert [m.kind for m in found.manifests] == ["ConfigMap", "CredentialsRequest"]


@pytest.mark.parametrize(
    ("data", "harmless"),
    [
        (b"kind: ConfigMap\nmetadata: [\n", True),
        (REQUEST + b"  x: [\n", False),
        (b"kind: ConfigMap\nmetadata:\n  annotations: {capability.openshift.io/name: X\n", False),
        (b"[" * 60_000, True),
        (b"\xff\xfe\xfa", False),
    ],
    ids=["other-kind", "request", "capability", "deep", "bytes"],
)
def test_what_cannot_be_read_is_listed(data: bytes, harmless: bool) -> None:
    (unread,) = load(a=data, b=REQUEST).unreadable
    assert unread.location.file == "a.yaml"
    assert unread.harmless is harmless


@pytest.mark.parametrize("metadata", [b"", b"{", b"{}", b'{"kind": "other", "version": "4.15.3"}'])
def test_damaged_metadata_is_never_harmless(metadata: bytes) -> None:
    found = payload.load(ReleaseFiles("dir:x", {"release-metadata": metadata, "a.yaml": REQUEST}))
    assert any(not u.harmless for u in found.unreadable)


def test_real_payload_reads_without_an_error(shared: Path) -> None:
    folder = shared / "corpus" / "releases" / "4.12.0"
    found = payload.load(source.fetch(source.parse_reference(f"dir:{folder}"), Settings()))
    assert not found.unreadable
    assert found.version == "4.12.0"
    assert len({m.location.file for m in found.manifests}) > 600
