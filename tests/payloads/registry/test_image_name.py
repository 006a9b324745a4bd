"""Pullspecs, taken apart."""

from __future__ import annotations

import pytest

from upgrade_gate.base.errors import UsageError
from upgrade_gate.payloads.registry.image_name import parse_name

DIGEST = "sha256:" + "a1" * 32


@pytest.mark.parametrize(
    ("text", "repository", "tag", "digest"),
    [
        ("quay.io/org/release:4.15.3-x86_64", "quay.io/org/release", "4.15.3-x86_64", None),
        (f"quay.io/org/release@{DIGEST}", "quay.io/org/release", None, DIGEST),
        (f"quay.io/org/release:4.15.3@{DIGEST}", "quay.io/org/release", "4.15.3", DIGEST),
        ("docker://quay.io/org/release:x", "quay.io/org/release", "x", None),
        ("localhost:5000/release:x", "localhost:5000/release", "x", None),
        ("localhost/release:x", "localhost/release", "x", None),
        ("registry:5000/a/b/c/d:x", "registry:5000/a/b/c/d", "x", None),
        ("127.0.0.1:5000/a_b/c-d.e__f:x", "127.0.0.1:5000/a_b/c-d.e__f", "x", None),
        ("[fd00::1]:5000/release:x", "[fd00::1]:5000/release", "x", None),
        ("docker.io/release:x", "docker.io/library/release", "x", None),
        ("docker.io/org/release:x", "docker.io/org/release", "x", None),
    ],
)
def test_pullspec(text: str, repository: str, tag: str | None, digest: str | None) -> None:
    name = parse_name(text)

    assert (name.repository, name.tag, name.digest) == (repository, tag, digest)
    assert name.version == (digest or tag)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no registry host"),
        ("release:x", "no registry host"),
        ("org/release:x", "no registry host"),
        ("user:hunter2@quay.io/release:x", "do not belong in a pullspec"),
        ("quay.io/release", "neither tag nor digest"),
        ("quay.io/release@sha256:abc", "no digest after the @"),
        ("quay.io/release@md5:abc", "no digest after the @"),
        ("quay.io/Release:x", "not a repository path"),
        ("quay.io/../etc/passwd:x", "not a repository path"),
        ("quay.io/release?x=1:x", "not a repository path"),
        ("quay.io//release:x", "not a repository path"),
        ("quay.io/release/:x", "not a repository path"),
        ("quay.io/release:", "is not a tag"),
        ("quay.io/release:a/b", "is not a tag"),
        ("quay.io/release:a b", "is not a tag"),
        ("https://quay.io/release:x", "no registry host"),
    ],
)
def test_what_is_no_pullspec_is_a_usage_error(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        parse_name(text)

    assert "hunter2" not in str(caught.value)
