"""Mirror policies: what they match, in which order places are tried, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from upgrade_gate.base.errors import UsageError
from upgrade_gate.payloads.reference import Settings
from upgrade_gate.payloads.registry.mirrors import load_rules, locations

if TYPE_CHECKING:
    from pathlib import Path

RELEASE = "quay.io/openshift-release-dev/ocp-release"

IDMS = """
apiVersion: config.openshift.io/v1
kind: ImageDigestMirrorSet
metadata: {name: mirrors}
spec:
  imageDigestMirrors:
  - source: quay.io/openshift-release-dev
    mirrors: [mirror.corp:5000/ocp, second.corp/ocp]
"""
ITMS = """
apiVersion: config.openshift.io/v1
kind: ImageTagMirrorSet
metadata: {name: tags}
spec:
  imageTagMirrors:
  - source: quay.io/openshift-release-dev/ocp-release
    mirrors: [tags.corp/releases]
"""
ICSP = """
apiVersion: operator.openshift.io/v1alpha1
kind: ImageContentSourcePolicy
metadata: {name: old}
spec:
  repositoryDigestMirrors:
  - source: quay.io/openshift-release-dev/ocp-release
    mirrors: [old.corp/releases]
"""


def places(tmp_path: Path, *documents: str, repository: str = RELEASE, by_digest: bool = True) -> list[str]:
    file = tmp_path / "mirrors.yaml"
    file.write_text("\n---\n".join(documents))
    rules = load_rules(Settings(idms_files=(file,)))
    return [place.repository for place in locations(repository, rules, by_digest=by_digest)]


def test_without_policies_the_source_is_read() -> None:
    assert [p.repository for p in locations(RELEASE, (), by_digest=True)] == [RELEASE]


def test_subpath_is_carried_over_and_the_source_comes_last(tmp_path: Path) -> None:
    assert places(tmp_path, IDMS) == ["mirror.corp:5000/ocp/ocp-release", "second.corp/ocp/ocp-release", RELEASE]


def test_longest_source_comes_first_over_several_documents(tmp_path: Path) -> None:
    assert places(tmp_path, IDMS, ICSP)[:2] == ["old.corp/releases", "mirror.corp:5000/ocp/ocp-release"]


def test_digest_mirrors_do_not_answer_for_tags_nor_tag_mirrors_for_digests(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert places(tmp_path, IDMS, by_digest=False) == [RELEASE]
    assert "do not apply" in caplog.text
    assert places(tmp_path, ITMS, by_digest=True) == [RELEASE]
    assert places(tmp_path, ITMS, by_digest=False) == ["tags.corp/releases", RELEASE]


@pytest.mark.parametrize(
    ("source", "repository", "mirror"),
    [
        ("quay.io", RELEASE, "m.corp/openshift-release-dev/ocp-release"),
        (RELEASE, RELEASE, "m.corp"),
        ("quay.io/openshift-release", RELEASE, None),
        ("quay.io/openshift-release-dev/ocp-release/sub", RELEASE, None),
        ("io", RELEASE, None),
        ("*.corp", "quay.corp/org/release", "m.corp/org/release"),
        ("*.corp", "corp/org/release", None),
        ("quay.io:443", RELEASE, None),
    ],
)
def test_source_matches_whole_path_elements(source: str, repository: str, mirror: str | None, tmp_path: Path) -> None:
    policy = IDMS.replace("quay.io/openshift-release-dev", f"'{source}'").replace(
        "[mirror.corp:5000/ocp, second.corp/ocp]", "[m.corp]"
    )
    expected = [mirror, repository] if mirror else [repository]

    assert places(tmp_path, policy, repository=repository) == expected


def test_never_contact_source_leaves_the_source_out(tmp_path: Path) -> None:
    policy = IDMS.rstrip() + "\n    mirrorSourcePolicy: NeverContactSource\n"

    assert RELEASE not in places(tmp_path, policy)
    assert RELEASE in places(tmp_path, policy, by_digest=False)


def test_longest_source_decides_whether_the_source_is_contacted(tmp_path: Path) -> None:
    never = IDMS.rstrip() + "\n    mirrorSourcePolicy: NeverContactSource\n"

    assert RELEASE in places(tmp_path, never, ICSP)


def test_policies_that_disagree_are_refused(tmp_path: Path) -> None:
    never = IDMS.rstrip() + "\n    mirrorSourcePolicy: NeverContactSource\n"
    allow = IDMS.rstrip() + "\n    mirrorSourcePolicy: AllowContactingSource\n"

    with pytest.raises(UsageError, match="disagree whether"):
        places(tmp_path, never, allow)


def test_never_wins_over_an_object_that_says_nothing(tmp_path: Path) -> None:
    never = IDMS.rstrip() + "\n    mirrorSourcePolicy: NeverContactSource\n"

    assert RELEASE not in places(tmp_path, IDMS, never)


def test_lists_as_oc_get_prints_them_are_read(tmp_path: Path) -> None:
    items = '{"kind": "List", "apiVersion": "v1", "items": [%s]}'
    one = (
        '{"apiVersion": "config.openshift.io/v1", "kind": "ImageDigestMirrorSet", "spec":'
        ' {"imageDigestMirrors": [{"source": "quay.io", "mirrors": ["m.corp"]}]}}'
    )

    assert places(tmp_path, items % one)[0] == "m.corp/openshift-release-dev/ocp-release"


def test_objects_of_the_cluster_are_used_like_files() -> None:
    policy: dict[str, Any] = {
        "apiVersion": "config.openshift.io/v1",
        "kind": "ImageDigestMirrorSet",
        "spec": {"imageDigestMirrors": [{"source": "quay.io", "mirrors": ["m.corp"]}]},
    }

    rules = load_rules(Settings(mirror_policies=(policy,)))

    assert locations(RELEASE, rules, by_digest=True)[0].mirror_of == "quay.io"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "names no mirrors"),
        ("kind: ConfigMap\napiVersion: v1\n", "holds a ConfigMap"),
        ("[1, 2]", "is not an object"),
        ("a: [", "mirrors.yaml:"),
        ("[" * 60_000, "mirrors.yaml:"),
        (IDMS.replace("config.openshift.io/v1", "v1"), "apiVersion 'v1'"),
        (IDMS.replace("mirrors: [mirror.corp:5000/ocp, second.corp/ocp]", "mirrors: text"), "mirrors of quay.io"),
        (IDMS.replace("mirror.corp:5000/ocp", "'mirror.corp/ocp@sha256:1'"), "mirrors of quay.io"),
        (IDMS.replace("source: quay.io/openshift-release-dev", "source: 7"), "is not a source"),
        (IDMS.replace("source: quay.io/openshift-release-dev", "source: https://quay.io"), "is not a source"),
        (IDMS.rstrip() + "\n    mirrorSourcePolicy: Perhaps\n", "mirrorSourcePolicy 'Perhaps'"),
        (IDMS.replace("imageDigestMirrors:\n", "imageDigestMirrors: {a: b}\n  x:\n"), "is not a list"),
    ],
)
def test_file_that_cannot_be_understood_is_a_usage_error(content: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        places(tmp_path, content)

    assert "mirrors.yaml" in str(caught.value)


ODD = """
apiVersion: operator.openshift.io/v1alpha1
kind: ImageContentSourcePolicy
metadata: {name: odd}
spec:
  repositoryDigestMirrors:
  - %s
"""


@pytest.mark.parametrize(
    "entry",
    [
        *(
            "{source: cp.example.org/cp/, mirrors: [m.example.org/cp/]}",
            "{source: 'https://cp.example.org/cp', mirrors: [m]}",
        ),
        *(
            "{source: cp.example.org/cp, mirrors: ['https://m.example.org/cp']}",
            "{source: 7}",
            "{source: a/b, mirrors: 5}",
        ),
        *(
            "{source: a/b, mirrors: [5]}",
            "5",
            "{source: a/b, mirrorSourcePolicy: Perhaps}",
            "{source: quay.io/openshift}",
        ),
    ],
)
@pytest.mark.parametrize("order", [1, -1])
def test_an_entry_that_cannot_be_read_matters_only_where_it_applies(entry: str, order: int, tmp_path: Path) -> None:
    found = places(tmp_path, *[ODD % entry, ICSP][::order])
    assert found == ["old.corp/releases", RELEASE]


@pytest.mark.parametrize(
    "entry",
    [
        *("{source: 'https://quay.io', mirrors: [m]}", "{source: quay.io, mirrors: ['http://m']}"),
        *(
            "{source: 'quay.io/openshift-release-dev/ocp-release@sha256:4', mirrors: [m]}",
            "{source: quay.io, mirrors: {a: b}}",
        ),
        *("{source: quay.io, mirrorSourcePolicy: neverContactSource}", "{source: '*.io', mirrors: ['a b']}"),
    ],
)
def test_an_entry_that_applies_and_cannot_be_read_is_named_with_its_object(entry: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"ImageContentSourcePolicy odd: spec\.repositoryDigestMirrors"):
        places(tmp_path, ODD % entry, ICSP)


def test_slashes_at_the_end_are_nothing(tmp_path: Path) -> None:
    entry = "{source: quay.io/openshift-release-dev/, mirrors: [m.example.org/x/]}"
    assert places(tmp_path, ODD % entry) == ["m.example.org/x/ocp-release", RELEASE]


def test_other_kinds_in_the_file_are_passed_over(tmp_path: Path) -> None:
    other = "apiVersion: operators.coreos.com/v1alpha1\nkind: CatalogSource\nmetadata: {name: cs}\n"
    assert places(tmp_path, other, ICSP) == ["old.corp/releases", RELEASE]


@pytest.mark.parametrize("kind", ["imageContentSourcePolicy", "ImageDigestMirrorSets"])
def test_a_kind_that_is_nearly_one_of_mirrors_is_refused(kind: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"holds a {kind}"):
        places(tmp_path, ICSP, ICSP.replace("ImageContentSourcePolicy", kind))


def test_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--icsp-file .*absent\.yaml"):
        load_rules(Settings(icsp_files=(tmp_path / "absent.yaml",)))
