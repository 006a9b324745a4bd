"""The kind of an update, and which updates CVO can make."""

from __future__ import annotations

import pytest

from upgrade_gate.requests import update


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
    ("kind", "edges", "supported"),
    [
        ("patch", (), True),
        ("minor", (), True),
        ("none", (), True),
        ("major", (), False),
        ("major", ("4.22.0",), False),
        ("major", ("4.22.1",), True),
        ("skip", ("4.22.1",), False),
        ("downgrade", ("4.22.1",), False),
    ],
)
def test_which_hops_cvo_can_make(kind: update.HopKind, edges: tuple[str, ...], supported: bool) -> None:
    found, reason = update.support(kind, "4.22.1", "5.0.0", edges)
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
    found, reason = update.support("downgrade", old, new, (), came_from)
    assert (found, bool(reason)) == (supported, not supported)
