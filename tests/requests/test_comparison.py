"""The words for a path, and whether anything is updated at all."""

from types import SimpleNamespace
from typing import Any

import pytest

from upgrade_gate.requests.comparison import Comparison


def comparison(*hops: tuple[str, str, str]) -> Comparison:
    """Compare what two references name; each hop has its versions and its kind."""
    steps: Any = tuple(
        SimpleNamespace(old=SimpleNamespace(version=old), new=SimpleNamespace(version=new), kind=kind)
        for old, new, kind in hops
    )
    context: Any = None
    return Comparison(None, ("dir:old", "dir:new"), steps, (), context)


@pytest.mark.parametrize(
    ("hops", "path", "same"),
    [
        ((), "dir:old to dir:new", False),
        ((("4.14.1", "4.15.0", "minor"),), "4.14.1 to 4.15.0", False),
        ((("4.14.1", "4.15.0", "minor"), ("4.15.0", "4.16.2", "minor")), "4.14.1 to 4.15.0 to 4.16.2", False),
        ((("4.14.1", "4.14.1", "none"),), "4.14.1 to 4.14.1", True),
        ((("4.14.1", "4.14.1", "none"), ("4.14.1", "4.15.0", "minor")), "4.14.1 to 4.14.1 to 4.15.0", False),
    ],
)
def test_path_and_whether_it_leads_anywhere(hops: tuple[tuple[str, str, str], ...], path: str, *, same: bool) -> None:
    assert (comparison(*hops).path, comparison(*hops).same_release) == (path, same)
