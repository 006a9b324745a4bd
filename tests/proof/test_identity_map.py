"""Which identity serves a Secret, and what contradicts it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from upgrade_gate.proof.identity_map import Identities, Identity, identify


@dataclass(frozen=True)
class Held:
    """Holdings that know two spellings of one identity, and one name."""

    spellings: dict[str, str]

    def resolve(self, identity: str) -> str | None:
        return self.spellings.get(identity)

    def find_by_ccoctl_name(self, name: str) -> str | None:
        return None if name == "c1-ns-other" else "by-name"


HELD: Any = Held({"AKIA1": "user", "user": "user", "other": "other"})


@pytest.mark.parametrize(
    ("held", "given", "expected"),
    [
        (None, {}, None),
        (HELD, {}, None),
        (HELD, {"in_secret": "a"}, Identity("a", "secret")),
        (HELD, {"configured": "a"}, Identity("a", "configuration")),
        (HELD, {"in_secret": "A", "configured": "a"}, Identity("A", "secret")),
        (HELD, {"in_secret": "AKIA1", "configured": "user"}, Identity("AKIA1", "secret")),
        (HELD, {"in_secret": "AKIA1", "configured": "other"}, Identity("AKIA1", "secret", "other")),
        (HELD, {"in_secret": "AKIA1", "configured": "arn:aws:iam::1:user/u"}, Identity("AKIA1", "secret")),
        (HELD, {"in_secret": "AKIA1", "configured": "AKIA2"}, Identity("AKIA1", "secret", "AKIA2")),
        (HELD, {"in_secret": "AKIA9", "configured": "user"}, Identity("AKIA9", "secret")),
        (None, {"in_secret": "AKIA1", "configured": "user"}, Identity("AKIA1", "secret")),
        (None, {"in_secret": "ASIA1", "configured": "user"}, Identity("ASIA1", "secret")),
        (None, {"in_secret": "AKIA-role", "configured": "user"}, Identity("AKIA-role", "secret", "user")),
        (None, {"in_secret": "1-2-3", "configured": "principal:9"}, Identity("1-2-3", "secret")),
        (
            None,
            {"in_secret": "arn:aws:iam::1:role/a", "configured": "arn:aws:iam::1:role/b"},
            Identity("arn:aws:iam::1:role/a", "secret", "arn:aws:iam::1:role/b"),
        ),
        (
            None,
            {"in_secret": "arn:aws:iam::1:role/a", "configured": "arn:aws:iam::2:role/a"},
            Identity("arn:aws:iam::1:role/a", "secret", "arn:aws:iam::2:role/a"),
        ),
        (None, {"in_secret": "a", "configured": "b"}, Identity("a", "secret", "b")),
        (HELD, {"configured": "a", "ccoctl": "c1-ns-secret"}, Identity("a", "configuration")),
        (HELD, {"ccoctl": "c1-ns-secret"}, Identity("by-name", "ccoctl-name")),
        (HELD, {"ccoctl": "c1-ns-other"}, None),
        (None, {"ccoctl": "c1-ns-secret"}, None),
    ],
)
def test_which_identity_serves_a_secret(held: Any, given: dict[str, str], expected: Identity | None) -> None:
    assert identify(held, **given) == expected


def test_files_of_policies_are_named_without_the_single_policies_in_them() -> None:
    policies = {"a/b": ("iam/p.json#one#two", "q.json"), "default": ("r.json",)}
    assert Identities(policies=policies).policy_files == (Path("iam/p.json"), Path("q.json"), Path("r.json"))
