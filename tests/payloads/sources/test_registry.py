"""A release in a registry: what is known of it before anybody is asked."""

from __future__ import annotations

import pytest

from upgrade_gate.base.errors import SourceError
from upgrade_gate.payloads.reference import Reference, Settings
from upgrade_gate.payloads.registry import mirrors
from upgrade_gate.payloads.sources import registry

DIGEST = "sha256:" + "a1" * 32


def test_policy_that_forbids_everything_says_so() -> None:
    rule = {"source": "quay.io", "mirrors": [], "mirrorSourcePolicy": "NeverContactSource"}
    policy = {
        "kind": "ImageDigestMirrorSet",
        "apiVersion": "config.openshift.io/v1",
        "spec": {"imageDigestMirrors": [rule]},
    }
    text = f"quay.io/release@{DIGEST}"

    with pytest.raises(SourceError, match="forbids its source and names no mirror"):
        registry.fetch(Reference(text, "registry", text), Settings(mirror_policies=(policy,)))
    assert mirrors.locations("quay.io/release", (), by_digest=True)


def test_digest_is_known_without_asking_anyone() -> None:
    text = f"registry.invalid/release@{DIGEST}"

    about = registry.peek(Reference(text, "registry", text), Settings(verify="off"))

    assert (about.digest, about.pullspec, dict(about.files)) == (DIGEST, text, {})
    assert about.verified is False
