"""What a repository says should be granted, before anybody applies it (docs/using/policies.md).

A cloud's `declared` finds it in the documents of a file and hands it to its `holdings` in the shapes that those read:
there is one judge of what policies mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast, runtime_checkable

from msgspec import Struct

from upgrade_gate.base import plugins

if TYPE_CHECKING:
    from collections.abc import Sequence

    from upgrade_gate.clouds.contract.context import Context
    from upgrade_gate.clouds.contract.grants import Grant

Path: TypeAlias = "tuple[str | int, ...]"
"""Keys and list places from the root of a document."""


class Open(Struct, frozen=True):
    """Stands for a value that the file does not say: what makes it, such as `!Ref Bucket`."""

    text: str


class Part(Struct, frozen=True):
    """One document of a declaration, such as a policy or the permissions of a role, as the cloud's own shapes have it.

    Where something in it is open, `least` grants only what is certain and denies all that is possible, `most` the other
    way round; without that they are equal.
    """

    name: str
    """As reasons call it."""
    least: Any
    most: Any
    path: Path = ()
    """Where it stands in the document."""
    opened: tuple[str, ...] = ()
    """What is open in it, in words."""


class Declaration(Struct, frozen=True):
    """What one place of a file declares of one identity."""

    parts: tuple[Part, ...] = ()
    names: tuple[str, ...] = ()
    """What the file calls the identity, or what is declared of it; the name of the file comes besides."""
    called: tuple[str, ...] = ()
    """What the cloud calls the identity, with `*` for what the file leaves open; none where it does not say that."""
    secret: str | None = None
    """`namespace/name` of the Secret that it is for, where the file itself says it."""
    rest: Mapping[str, Any] = {}
    """What else the cloud's shapes hold of the identity, such as its trust policy, by their own keys."""
    path: Path = ()
    trusts: bool = False
    """Whether it says whom the identity trusts."""
    reach: tuple[str, ...] | None = None
    """For what takes away from identities that the document does not hold: their names, none where it cannot tell.

    None for what is declared of an identity or policy itself.
    """
    doubts: tuple[str, ...] = ()
    """Why nothing that it gives is certain, each a sentence without its end."""


class Addition(Struct, frozen=True):
    """What is put into a policy's text so that it grants more; nothing that stands there changes."""

    path: Path
    """A list of the document, or a single value that becomes the first of a list."""
    values: tuple[Any, ...]
    """What is put behind its last entry."""


class Declares(Protocol):
    """What a cloud's `declared` knows."""

    def declarations(self, body: Any) -> tuple[Declaration, ...]:
        """Return what a parsed document declares; none where it is no policy of this cloud."""
        ...

    def identity(self, name: str) -> str:
        """Return how a configuration spells the identity of that name in `documents`."""
        ...

    def documents(
        self, found: Sequence[Declaration], name: str, context: Context | None, *, most: bool
    ) -> tuple[Any, ...]:
        """Return declarations of one identity in the shapes that `holdings` reads, at their least or at their most.

        What does not say where it is given is given where the cluster of `context` is.
        """
        ...

    def where(self, body: Any, grant: Grant) -> Path:
        """Return the place in a part's own document that gives a grant, or denies it, or where it would be added."""
        ...

    def additions(self, body: Any, grants: Sequence[Grant]) -> tuple[Addition, ...]:
        """Return what a part's own document needs to give these grants as well."""
        ...


@runtime_checkable
class WritesPolicies(Protocol):
    """A cloud whose policies are documents by themselves, so that a new one can be a file of its own."""

    def document(self, grants: Sequence[Grant]) -> Any:
        """Return a policy document that gives these grants."""
        ...


@runtime_checkable
class Limits(Protocol):
    """A cloud in which one document may deny what another one gives."""

    def limits(self, one: Declaration) -> Declaration | None:
        """Return what a declaration takes away from those whom it is `called`, None where that is nothing.

        What names nobody, and may be put on anybody, reaches everybody.
        """
        ...


def declares(kind: str) -> Declares | None:
    """Return what reads the policies of a providerSpec kind, None where no cloud can."""
    return cast("Declares | None", plugins.for_kind("declared", kind))
