"""The kind of an update, and which updates CVO can make."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from tests.requests.test_selection import selected
from tests.worlds.rules import request
from upgrade_gate.requests import update
from upgrade_gate.requests.diff import compare
from upgrade_gate.requests.selection import Selection


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("4.14.3", "4.14.9", "patch"),
        ("4.14.0-rc.1", "4.14.0", "patch"),
        ("4.14.3", "4.15.0", "minor"),
        ("4.14.3", "4.15.0-rc.1", "minor"),
        ("4.9.3", "4.10.0", "minor"),
        ("4.14.3", "4.16.0", "skip"),
        ("4.22.1", "5.0.0", "major"),
        ("4.14.3", "4.13.9", "downgrade"),
        ("4.14.3", "4.14.2", "downgrade"),
        ("4.14.3", "4.14.3", "none"),
        ("4.14.3+a", "4.14.3+b", "none"),
    ],
)
def test_the_kind_of_a_hop(old: str, new: str, kind: str) -> None:
    assert update.kind_of(old, new) == kind


@pytest.mark.parametrize(
    ("old", "new"), [("", "4.15.0"), ("4.14.3", "latest"), ("4.14", "4.15.0"), ("v4.14.3", "4.15.0")]
)
def test_what_is_no_version_has_no_hop(old: str, new: str) -> None:
    with pytest.raises(ValueError, match="is not a version"):
        update.kind_of(old, new)


@pytest.mark.parametrize(
    ("kind", "named", "supported"),
    [
        ("patch", False, True),
        ("minor", False, True),
        ("none", False, True),
        ("major", False, False),
        ("major", True, True),
        ("skip", True, False),
        ("downgrade", True, False),
    ],
)
def test_which_hops_cvo_can_make(kind: update.HopKind, named: bool, supported: bool) -> None:
    found, reason = update.support(kind, "4.22.1", "5.0.0", named=named)
    assert found == supported
    assert bool(reason) != supported


@pytest.mark.parametrize(
    ("old", "new", "came_from", "supported"),
    [
        ("4.14.9", "4.14.3", "4.14.3", True),
        ("4.14.9", "4.14.0-rc.1", "4.14.0-rc.1", True),
        ("4.22.9", "4.22.8", "4.22.8", True),
        ("4.14.9", "4.14.3", "4.14.8", False),
        ("4.14.9", "4.14.3", None, False),
        ("4.14.9", "4.13.40", "4.13.40", False),
        ("4.13.9", "4.13.3", "4.13.3", False),
        ("5.0.1", "4.22.3", "4.22.3", False),
    ],
)
def test_cvo_goes_back_only_to_the_patch_release_right_before(
    old: str, new: str, came_from: str | None, supported: bool
) -> None:
    found, reason = update.support("downgrade", old, new, named=False, came_from=came_from)
    assert (found, bool(reason)) == (supported, not supported)


@pytest.mark.parametrize(
    ("came_from", "words"), [("4.14.8", "before, which is 4.14.8"), (None, "before; no history names one here")]
)
def test_where_cvo_does_not_go_back_to_is_said_with_what_it_would_go_back_to(came_from: str | None, words: str) -> None:
    _, reason = update.support("downgrade", "4.14.9", "4.14.3", named=False, came_from=came_from)
    assert reason.endswith(words)


def test_what_shares_a_secret_and_kind_on_either_side_has_to_be_held_together() -> None:
    def taken(*documents: Any) -> Selection:
        return selected(*documents, request("x", "ec2:X", secret="other"))

    foreign = selected(request("f", "ecs:F", kind="AlibabaCloudProviderSpec"), platform="AlibabaCloud").requests
    old = taken(request("a", "ec2:Before", secret="moved"), request("b", "ec2:Old"))
    new = taken(request("a", "ec2:After"), request("c", "ec2:New"))
    (change,) = (one for one in compare(old, new) if one.component == "a")
    sides: Any = SimpleNamespace(old_selection=replace(old, requests={**old.requests, **foreign}), new_selection=new)
    held = {grant.permission for grant in update.Hop.held_with(sides, change)}
    assert held == {"ec2:Before", "ec2:After", "ec2:Old", "ec2:New"}
