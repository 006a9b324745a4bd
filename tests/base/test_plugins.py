"""Plugins: found by the name of their file, and clouds by the kinds that their folder says."""

import pytest

from upgrade_gate.base import plugins


def test_each_kind_belongs_to_one_cloud() -> None:
    kinds = [kind for cloud in plugins.clouds("grants") for kind in plugins.load("clouds", cloud).KINDS]
    assert kinds
    assert len(kinds) == len(set(kinds))


def test_every_cloud_says_what_its_requests_ask_for_and_which_keys_its_secrets_have() -> None:
    assert plugins.clouds("grants") == plugins.clouds("secret") == plugins.clouds("remedy")
    for cloud in plugins.clouds("grants"):
        for kind in plugins.load("clouds", cloud).KINDS:
            assert plugins.for_kind("grants", kind) is not None, kind
            assert plugins.for_kind("secret", kind) is not None, kind


def test_a_role_that_a_cloud_lacks_and_a_kind_that_nobody_knows_are_answered_by_nobody() -> None:
    assert plugins.for_kind("holdings", "VSphereProviderSpec") is None
    assert plugins.for_kind("holdings", "AlibabaCloudProviderSpec") is None
    assert plugins.for_kind("grants", "MoonProviderSpec") is None
    assert plugins.for_kind("grants", "") is None


def test_a_plugin_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError, match="no plugin"):
        plugins.load("gate.rules", "nothing")
