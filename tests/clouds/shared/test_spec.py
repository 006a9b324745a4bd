"""Provider specs: what is wrong in one is named by its field, in the words that findings have."""

from typing import Any

import pytest

from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.shared import spec
from upgrade_gate.reading.node import Malformed


@pytest.mark.parametrize(
    ("provider_spec", "words"),
    [
        ({"permissions": "x"}, "spec.providerSpec.permissions is str, not a list"),
        ({"permissions": ["a", 7]}, "spec.providerSpec.permissions[1] is int, not a string"),
        ({"permissions": [None]}, "spec.providerSpec.permissions[0] is NoneType, not a string"),
        ({"permissions": [" "]}, "spec.providerSpec.permissions[0] is empty"),
    ],
)
def test_a_list_of_names_that_is_none(provider_spec: dict[str, Any], words: str) -> None:
    with pytest.raises(Malformed) as caught:
        spec.named(spec.read(provider_spec), "permissions", "permission")
    assert str(caught.value) == words


def test_an_entry_must_be_a_mapping() -> None:
    for entry, name in ((None, "NoneType"), ("x", "str"), ([], "list")):
        (part,) = spec.read({"entries": [entry]})["entries"].items()
        with pytest.raises(Malformed) as caught:
            part.required("a mapping").mapping()
        assert str(caught.value) == f"spec.providerSpec.entries[0] is {name}, not a mapping"


def test_names_become_grants_and_equal_ones_fold_into_the_first() -> None:
    grants = spec.named(spec.read({"permissions": ["b", "A", "a"]}), "permissions", "permission")
    folded = spec.fold(grants, lambda grant: grant.permission.casefold())
    assert folded == (Grant("permission", "A"), Grant("permission", "b"))
    assert spec.named(spec.read({"permissions": None}), "permissions", "permission") == []
