"""Payloads: what every document is, what is built whole, and that nothing unreadable goes unsaid."""

from __future__ import annotations

import gc
import json
from pathlib import Path

import pytest

from upgrade_gate.payloads import payload, reference
from upgrade_gate.payloads.payload import Location, Manifest, Payload
from upgrade_gate.payloads.reference import ReleaseFiles, Settings
from upgrade_gate.reading.limits import Limits

METADATA = b'{"kind": "cincinnati-metadata-v0", "version": "4.18.7", "previous": ["4.18.6", "4.17.30"], "metadata": {}}'
REQUEST = """apiVersion: cloudcredential.openshift.io/v1
kind: CredentialsRequest
metadata:
  name: heron
  namespace: openshift-cloud-credential-operator
spec:
  secretRef: {name: heron, namespace: openshift-heron}
"""
SERVICE = "apiVersion: v1\nkind: Service\nmetadata:\n  name: heron\n  namespace: openshift-heron\n"
CRD = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: NAME\n"
NAME = "0000_50_heron.yaml"


def load(limits: Limits | None = None, /, **files: str | bytes) -> Payload:
    """Load a payload of release-metadata and files, `0000_50_heron` alone standing for the YAML file."""
    contents: dict[str, bytes] = {"release-metadata": METADATA}
    for name, content in files.items():
        full_name = {"yaml": NAME, "json": NAME.replace("yaml", "json"), "metadata": "release-metadata"}.get(name, name)
        contents[full_name] = content if isinstance(content, bytes) else content.encode()
    return payload.load(ReleaseFiles("dir:x", contents), limits or Limits())


def only(loaded: Payload) -> Manifest:
    assert loaded.unreadable == ()
    (manifest,) = loaded.manifests
    return manifest


def test_request_is_built_whole_with_its_place() -> None:
    manifest = only(load(yaml=f"# about\n---\n{REQUEST}"))
    assert (manifest.group, manifest.version, manifest.kind) == (
        "cloudcredential.openshift.io",
        "v1",
        "CredentialsRequest",
    )
    assert (manifest.namespace, manifest.name) == ("openshift-cloud-credential-operator", "heron")
    assert manifest.location == Location(NAME, 0, 3)
    assert manifest.body is not None
    assert manifest.body["spec"]["secretRef"] == {"name": "heron", "namespace": "openshift-heron"}


def test_others_are_known_by_identity_and_annotations_only() -> None:
    manifest = only(
        load(yaml=f'{SERVICE}  annotations:\n    capability.openshift.io/name: Heron\n    a: "1"\nspec: {{}}\n')
    )
    assert manifest == Manifest(
        "", "v1", "Service", "openshift-heron", "heron",
        {"capability.openshift.io/name": "Heron", "a": "1"}, Location(NAME, 0, 1),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("apiVersion: config.openshift.io/v1\nkind: FeatureGate\nmetadata: {name: cluster}\n", True),
        ("apiVersion: config.openshift.io/v1\nkind: FeatureGate\nmetadata:\n  name: cluster\n", True),
        ("apiVersion: other.io/v1\nkind: FeatureGate\nmetadata:\n  name: cluster\n", False),
        (CRD.replace("NAME", "clusterversions.config.openshift.io"), True),
        (CRD.replace("NAME", "featuregates.config.openshift.io") + "spec: {names: {kind: FeatureGate}}\n", False),
        (REQUEST.replace("kind: CredentialsRequest", 'kind: "\\x43redentialsRequest"'), True),
        (REQUEST.replace("kind:", '"\\x6bind":'), True),
        (REQUEST.replace("\n", "\r\n"), True),
        ("".join(f"  {line}\n" for line in REQUEST.splitlines()), True),
        (f"--- {{{', '.join(REQUEST.splitlines()[:2])}, metadata: {{name: heron}}}}\n", True),
        (
            "kind: &k CredentialsRequest\napiVersion: cloudcredential.openshift.io/v1\nmetadata: {name: x}\na: *k\n",
            True,
        ),
    ],
)
def test_what_decides_is_built_whole_however_it_is_written(text: str, whole: bool) -> None:
    manifest = only(load(yaml=text))
    assert (manifest.body is not None) is whole
    assert (manifest.namespace == "") is ("namespace:" not in text)


@pytest.mark.parametrize(
    ("word", "instead"),
    [
        ("CredentialsRequest", "CredentialRequest"),
        ("CredentialsRequest", "CredentialsRequests"),
        ("CredentialsRequest", "CredentialRequests"),
        ("CredentialsRequest", "credentialsrequest"),
        ("CredentialsRequest", "'CredentialsRequest '"),
        ("CredentialsRequest", "ConfigMap"),
        ("/v1", "/v1beta1"),
        ("/v1", "/V1"),
        ("/v1", "/v2"),
        ("cloudcredential.", "cloudcredentials."),
        ("cloudcredential.", "CloudCredential."),
        ("cloudcredential.", "cloudcredental."),
        ("cloudcredential.", "operator."),
        ("cloudcredential.openshift.io/v1", "v1"),
    ],
)
def test_what_is_almost_a_request_is_not_skipped(word: str, instead: str) -> None:
    loaded = load(yaml=REQUEST.replace(word, instead))
    (unread,) = loaded.unreadable
    assert (loaded.manifests, unread.harmless) == ((), False)
    assert "almost a CredentialsRequest" in unread.reason


@pytest.mark.parametrize(
    ("group", "kind"),
    [
        ("operator.openshift.io", "CloudCredential"),
        ("certificates.k8s.io", "CertificateSigningRequest"),
        ("config.openshift.io", "ClusterOperator"),
    ],
)
def test_what_is_another_kind_of_object_is_one(group: str, kind: str) -> None:
    assert only(load(yaml=f"apiVersion: {group}/v1\nkind: {kind}\nmetadata: {{name: x}}\n")).kind == kind


@pytest.mark.parametrize(
    ("annotations", "found"),
    [
        ("", None),
        ("  annotations:\n", None),
        ("  annotations: {}\n", {}),
        ("  annotations:\n    a: 'true'\n", {"a": "true"}),
        ("  annotations:\n    a: 'true'\n    b: true\n", None),  # one value that is not text hides all, as upstream
        ("  annotations:\n    a: 'true'\n    b:\n", None),
        ("  annotations: [a]\n", None),
    ],
)
def test_no_annotations_is_not_an_empty_map(annotations: str, found: dict[str, str] | None) -> None:
    assert only(load(yaml=SERVICE + annotations)).annotations == found
    assert only(load(yaml=REQUEST.replace("spec:", f"{annotations}spec:"))).annotations == found


def test_lists_are_expanded_and_empty_documents_are_not_there() -> None:
    first, second = ({"apiVersion": "v1", "kind": "Service", "metadata": {"name": n}} for n in "ab")
    items = json.dumps([first, second])
    text = f"---\n---\n{{apiVersion: v1, kind: List, items: {items}}}\n---\n{SERVICE}"
    loaded = load(yaml=text)
    assert loaded.unreadable == ()
    assert [(m.kind, m.name, m.location.document, m.location.line) for m in loaded.manifests] == [
        ("Service", "a", 1, 3),
        ("Service", "b", 1, 3),
        ("Service", "heron", 2, 5),
    ]


@pytest.mark.parametrize("items", ["[]", "[{}]", "{}", "null"])
def test_an_object_that_is_no_list_is_itself_whatever_items_it_has(items: str) -> None:
    """A request must not vanish behind a field that nobody reads."""
    assert only(load(yaml=f"{REQUEST}items: {items}\n")).name == "heron"
    assert only(load(yaml=f"{SERVICE}items: {items}\n")).name == "heron"
    item = '{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "items": ' + items + "}"
    assert only(load(yaml=f"apiVersion: v1\nkind: List\nitems: [{item}]\n")).name == "a"


def test_an_object_whose_kind_ends_as_that_of_a_list_is_itself_without_items() -> None:
    item = '{"apiVersion": "example.com/v1", "kind": "AllowList", "metadata": {"name": "a"}}'
    assert only(load(yaml=f"apiVersion: v1\nkind: List\nitems: [{item}]\n")).kind == "AllowList"


def test_request_in_a_list_keeps_its_own_duplicate_keys() -> None:
    head = '{"apiVersion": "cloudcredential.openshift.io/v1", "kind": "CredentialsRequest", "metadata": {"name": "x"}'
    items = f'{head}}}, {head}, "spec": {{"a": 1, "a": 2}}}}'
    text = f'{{"apiVersion": "v1", "kind": "CredentialsRequestList", "items": [{items}]}}'
    loaded = load(json=text)
    assert [m.duplicate_keys for m in loaded.manifests] == [(), ("spec.a",)]
    assert loaded.manifests[1].body is not None


def test_duplicate_keys_are_named_only_where_they_differ_and_decide() -> None:
    twice = REQUEST + "  a: {k: 1, k: 1}\n  b: {k: 1, k: 2}\n"
    assert only(load(yaml=twice)).duplicate_keys == ("spec.b.k",)
    assert only(load(yaml=SERVICE + "spec: {k: 1, k: 2}\n")).duplicate_keys == ()


def test_order_is_by_file_and_document_whatever_the_order_of_arrival() -> None:
    loaded = load(**{"b.yaml": SERVICE, "a.yml": f"{SERVICE}---\n{REQUEST}", "c.json": '{"kind": 1}'})
    assert [(m.location.file, m.location.document) for m in loaded.manifests] == [
        ("a.yml", 0),
        ("a.yml", 1),
        ("b.yaml", 0),
    ]
    assert [u.location.file for u in loaded.unreadable] == ["c.json"]


def test_files_that_are_no_manifests_are_not_read_as_such() -> None:
    loaded = load(**{"image-references": b"\xff", "install.sh": b"kind: [", "x.yaml.bak": b"[", "X.YAML": b"["})
    assert (loaded.manifests, loaded.unreadable) == ((), ())


def test_what_the_source_said_is_kept() -> None:
    files = ReleaseFiles("r", {"release-metadata": METADATA}, "sha256:1", True, "signed", "p@sha256:1", ["note"])
    loaded = payload.load(files)
    assert (loaded.reference, loaded.digest, loaded.verified, loaded.verification) == ("r", "sha256:1", True, "signed")
    assert (loaded.pullspec, loaded.notes) == ("p@sha256:1", ("note",))
    assert [payload.load(ReleaseFiles("r", {}, whole=whole)).whole for whole in (True, False)] == [True, False]
    assert (loaded.version, loaded.previous, loaded.minor) == ("4.18.7", ("4.18.6", "4.17.30"), (4, 18))


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        (b"{", "release-metadata:"),
        (b"", "no document"),
        (b"[]", "kind cincinnati-metadata-v0"),
        (b'{"kind": "Other", "version": "4.18.7"}', "kind cincinnati-metadata-v0"),
        (b'{"kind": "cincinnati-metadata-v0"}', "`version`"),
        (b'{"kind": "cincinnati-metadata-v0", "version": "latest"}', "`version`"),
        (b'{"kind": "cincinnati-metadata-v0", "version": "4.18.7", "previous": "4.18.6"}', "`previous`"),
        (b'{"kind": "cincinnati-metadata-v0", "version": "4.18.7", "previous": [1]}', "`previous`"),
        (b'{"kind": "cincinnati-metadata-v0", "version": "4.18.7", "previous": {}}', "`previous`"),
        (b'{"kind": "cincinnati-metadata-v0", "version": "4.18.7", "previous": ""}', "`previous`"),
        (b'{"kind": "cincinnati-metadata-v0", "version": "4.18.7", "previous": false}', "`previous`"),
    ],
)
def test_damaged_metadata_leaves_no_version_and_a_reason(metadata: bytes, words: str) -> None:
    loaded = load(metadata=metadata)
    (unread,) = loaded.unreadable
    assert loaded.version == ""
    assert loaded.minor == (0, 0)
    assert unread.location.file == "release-metadata"
    assert words in unread.reason
    assert not unread.harmless


def test_okd_versions_and_absent_previous_are_fine() -> None:
    text = b'{"kind": "cincinnati-metadata-v0", "version": "4.15.0-0.okd-2024-03-10-010116", "previous": null}'
    loaded = load(metadata=text)
    assert (loaded.version, loaded.previous, loaded.unreadable) == ("4.15.0-0.okd-2024-03-10-010116", (), ())


BROKEN = "spec: {a: [\n"


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        (SERVICE + BROKEN, True),
        (SERVICE + "data: 'a\\d' b\n", True),
        (REQUEST + BROKEN, False),
        (SERVICE + BROKEN + "# CredentialsRequest\n", False),
        (SERVICE + BROKEN + "kind: FeatureGate\n", False),
        (SERVICE + BROKEN + "name: clusterversions.config.openshift.io\n", False),
        (SERVICE + BROKEN + "capability.openshift.io/name: x\n", False),
        (SERVICE + BROKEN + 'kind: "\\x43redentialsRequest"\n', False),
        (SERVICE + BROKEN + 'kind: "\\u0043redentialsRequest"\n', False),
        (SERVICE + BROKEN + 'kind: "Credentials\\\nRequest"\n', False),
        (SERVICE + BROKEN + '"capability.openshift.io\\/name": x\n', False),
        (SERVICE + BROKEN + "kind: !!binary Q3JlZGVudGlhbHNSZXF1ZXN0\n", False),
        (SERVICE + BROKEN + "{!!binary x: y}\n", False),
        (SERVICE + BROKEN + "a: b!\n", True),
        (SERVICE.encode() + b"a: \xff\n", False),
        (SERVICE.encode() + b"a: \0\n", False),
        (f"\ufeff{REQUEST}{BROKEN}".encode("utf-16-le"), False),
        ("a: 1\n", True),
        ("text\n", True),
        (SERVICE.replace("  name: heron\n", ""), True),
        (SERVICE.replace("name: heron", "name: 1"), True),
        (SERVICE.replace("  name: heron", "  generateName: heron"), True),
        (SERVICE.replace("namespace: openshift-heron", "namespace: [x]"), True),
        (SERVICE.replace("apiVersion: v1", "apiVersion: a/b/c"), True),
        (SERVICE.replace("apiVersion: v1", "apiVersion: 1"), True),
        (SERVICE.replace("kind: Service", "kind: 1"), True),
        (SERVICE.replace("name: heron", "name: ''"), True),
        (SERVICE.replace("apiVersion: v1", "apiVersion: ''"), True),
        (SERVICE.replace("kind: Service", "kind: ''"), True),
        ("apiVersion: v1\nkind: Service\n", True),
        ("apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: List, metadata: {name: a}, items: []}]\n", True),
        ("apiVersion: v1\nkind: List\nitems: [null]\n", True),
        ("apiVersion: v1\nkind: List\nitems: [x]\n", True),
        ("apiVersion: v1\nkind: List\nitems: {}\n", True),
    ],
)
def test_unreadable_is_said_and_harmless_only_where_that_is_sure(text: str | bytes, harmless: bool) -> None:
    loaded = load(yaml=text)
    assert loaded.manifests == ()
    (unread,) = loaded.unreadable
    assert unread.location.file == NAME
    assert unread.reason
    assert unread.harmless is harmless
    assert unread.may_define("other") is not harmless
    assert bool(unread.text) is harmless


def test_harmless_file_may_still_define_an_object_that_it_names() -> None:
    (unread,) = load(yaml=SERVICE + BROKEN).unreadable
    assert unread.may_define("heron")
    assert not unread.may_define("egret")


def test_one_bad_document_does_not_hide_the_other_documents_of_its_file() -> None:
    loaded = load(yaml=f"{SERVICE}---\nkind: Nameless\napiVersion: v1\nmetadata: {{}}\n---\n{REQUEST}")
    assert [m.kind for m in loaded.manifests] == ["Service", "CredentialsRequest"]
    (unread,) = loaded.unreadable
    assert unread.location == Location(NAME, 1, 7)
    assert not unread.harmless


@pytest.mark.parametrize("text", [REQUEST * 2, SERVICE + "# more\n" * 40])
def test_over_large_file_is_named_and_never_harmless(text: str) -> None:
    (unread,) = load(Limits(file=200), yaml=text).unreadable
    assert unread.location.file == NAME
    assert "more than the 200" in unread.reason
    assert not unread.harmless


def test_what_nobody_asks_for_of_a_large_file_is_not_read_within_the_limit() -> None:
    text = SERVICE + "data:\n" + "  key: value\n" * 8000 + "  key: 'never closed\n"
    assert only(load(Limits(file=len(text)), yaml=text)).kind == "Service"
    assert load(Limits(file=len(text) - 1), yaml=text).manifests == ()


@pytest.mark.parametrize("text", [SERVICE + f"spec: {'[' * 9000}{']' * 9000}\n", '{"a":' * 9000 + "1" + "}" * 9000])
def test_over_deep_file_is_named(text: str) -> None:
    (unread,) = load(yaml=text).unreadable
    assert "200 levels" in unread.reason


@pytest.mark.parametrize(
    ("folder", "file", "words", "harmless"),
    [
        ("release-metadata-missing", "release-metadata", "has no release-metadata", False),
        ("release-metadata-cut-off", "release-metadata", "release-metadata:", False),
        ("release-metadata-without-version", "release-metadata", "version", False),
        ("release-metadata-of-another-kind", "release-metadata", "cincinnati-metadata-v0", False),
        ("request-unreadable", "03_credentials-request.yaml", "mapping", False),
        ("request-cut-off", "03_credentials-request.yaml", "quoted scalar", False),
        ("request-without-name", "03_credentials-request.yaml", "metadata.name", False),
        ("request-with-nul", "03_credentials-request.yaml", "NUL", False),
        ("request-not-utf8", "03_credentials-request.yaml", "UTF-8", False),
        (
            "request-with-unsafe-tag",
            "03_credentials-request.yaml",
            "python/object/apply:os.system is not allowed",
            False,
        ),
        ("request-nested-too-deep", "03_credentials-request.yaml", "200 levels", False),
        ("request-with-alias-bomb", "03_credentials-request.yaml", "1000000 nodes", False),
        ("request-with-own-alias", "03_credentials-request.yaml", "inside its own anchor", False),
        ("request-that-is-no-json", "03_credentials-request.json", "not JSON", False),
        ("kind-in-disguise", "03_credentials-request.yaml", "", False),
        ("capability-unreadable", "05_service.yaml", "quoted scalar", False),
        ("service-unreadable", "05_service.yaml", "quoted scalar", True),
    ],
)
def test_payload_that_is_broken_in_one_way(folder: str, file: str, words: str, harmless: bool, fixtures: Path) -> None:
    loaded = payload.load(reference.fetch(reference.parse_reference(str(fixtures / "broken" / folder)), Settings()))
    (unread,) = loaded.unreadable
    assert unread.location.file.endswith(file)
    assert words in unread.reason
    assert unread.harmless is harmless


def test_every_broken_payload_is_in_the_table(fixtures: Path) -> None:
    (table,) = [m for m in test_payload_that_is_broken_in_one_way.pytestmark if m.name == "parametrize"]  # type: ignore[attr-defined]
    without_record = {"without-requests", "request-with-differing-duplicate-keys"}
    there = {path.name for path in (fixtures / "broken").iterdir() if path.is_dir()}
    assert {row[0] for row in table.args[1]} | without_record == there


def test_broken_payloads_that_can_be_read(fixtures: Path) -> None:
    def read(folder: str) -> Payload:
        return payload.load(reference.fetch(reference.parse_reference(str(fixtures / "broken" / folder)), Settings()))

    without = read("without-requests")
    assert without.unreadable == ()
    assert [m.kind for m in without.manifests] == ["Service"]
    request = next(m for m in read("request-with-differing-duplicate-keys").manifests if m.body)
    assert request.duplicate_keys == ("spec.secretRef.namespace",)


@pytest.mark.parametrize("collecting", [True, False])
def test_garbage_collection_is_left_as_it_was(collecting: bool) -> None:
    try:
        (gc.enable if collecting else gc.disable)()
        load(yaml=SERVICE)
        assert gc.isenabled() is collecting
    finally:
        gc.enable()


def test_whole_real_payload_reads_without_an_error(shared: Path) -> None:
    """4.12.0 holds a plain scalar `=` and four files with duplicate keys."""
    folder = shared / "corpus" / "releases" / "4.12.0"
    loaded = payload.load(reference.fetch(reference.parse_reference(f"dir:{folder}"), Settings()))
    assert loaded.version == "4.12.0"
    assert loaded.unreadable == ()
    text = "\n".join(path.read_text() for path in folder.glob("*.yaml"))
    assert sum(m.kind == "CredentialsRequest" for m in loaded.manifests) == text.count("\nkind: CredentialsRequest\n")
    assert len({m.location.file for m in loaded.manifests}) > 600
    assert all((m.body is not None) == (m.kind in ("CredentialsRequest", "FeatureGate")) for m in loaded.manifests)
    by_file = [(m.location.file, m.location.document) for m in loaded.manifests]
    assert by_file == sorted(by_file)
