"""What a request needs on GCP, and whether a set of bindings holds it: one permission, or a whole predefined role."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from upgrade_gate.clouds.gcp.roles import ON_ACCOUNTS, Contents, Has, RoleBook
from upgrade_gate.clouds.gcp.shapes import Policy

ACT_AS = "iam.serviceAccounts.actAs"
_ON_ACCOUNTS = ("iam.serviceAccounts.", "iam.serviceAccountKeys.")
_ON_THE_PROJECT_ONLY = frozenset({"iam.serviceAccounts.list", "iam.serviceAccounts.create"})


class ServingBinding(Struct, frozen=True):
    """One binding that serves the account."""

    role: str
    policy: Policy
    condition: str = ""
    """What is not decided of its condition."""
    holds_at: str = ""
    """The moment by which its condition was decided true, where it has one."""

    @property
    def label(self) -> str:
        """Name the binding in a sentence."""
        return f"{self.role} in {self.policy.label}{self.when}"

    @property
    def when(self) -> str:
        """Say when it counts, where that is not always."""
        return f" (its condition holds at {self.holds_at})" if self.holds_at else ""


class Held(Struct, frozen=True):
    """Whether bindings hold what is needed, and which one decides."""

    has: Has
    reason: str
    caveats: tuple[str, ...] = ()


class Want(Protocol):
    """What is needed."""

    name: str

    @property
    def permissions(self) -> Sequence[str]:
        """The permissions that it is known to consist of."""

    @property
    def whole(self) -> Contents | None:
        """What is known of the role; None for a single permission."""

    @property
    def on_accounts(self) -> bool:
        """Whether a service account's own policy can grant it."""

    @property
    def on_itself(self) -> bool:
        """Whether it is enough to hold it on the account itself."""

    def held_by(self, sources: Sequence[ServingBinding]) -> Held:
        """Return whether the union of the bindings' roles holds it."""
        ...


def _dated(contents: Contents) -> tuple[str, ...]:
    return (f"role contents by the table of {contents.dated}",) if contents.dated else ()


class PermissionWant:
    """One permission."""

    def __init__(self, name: str, roles: RoleBook) -> None:
        self.name = name
        self._roles = roles
        self.permissions: Sequence[str] = (name,)
        self.whole: Contents | None = None

    @property
    def on_accounts(self) -> bool:
        """Whether a service account's own policy can grant it."""
        return self.name.startswith(_ON_ACCOUNTS) and self.name not in _ON_THE_PROJECT_ONLY

    @property
    def on_itself(self) -> bool:
        """Whether it is enough to hold it on the account itself: what else is asked for concerns other accounts."""
        return self.name == ACT_AS

    def held_by(self, sources: Sequence[ServingBinding]) -> Held:
        """Return whether some role contains the permission."""
        read = [(source, self._roles.contents(source.role)) for source in sources]
        holding = [(s, c) for s, c in read if c.has(self.name) is Has.YES]
        if holding:
            source, contents = min(holding, key=lambda pair: (bool(pair[1].dated), pair[0].when, pair[0].role))
            return Held(Has.YES, f"{source.label} contains {self.name}", _dated(contents))
        for source, contents in read:
            if contents.has(self.name) is Has.UNKNOWN:
                return Held(Has.UNKNOWN, f"{source.label}: {contents.why}")
        if not read:
            return Held(Has.NO, f"no binding in the export names the account, so nothing grants {self.name}")
        dead = next((c.why for _, c in read if c.why and c.asked is None), "")
        names = ", ".join(dict.fromkeys(s.role for s, _ in read))
        return Held(Has.NO, dead or f"no role that is bound contains {self.name}: {names}")


class RoleWant:
    """A whole predefined role: bound by name, or every permission of it held."""

    def __init__(self, name: str, roles: RoleBook) -> None:
        self.name = name
        self._roles = roles
        contents = roles.contents(name)
        self._contents = contents
        self.whole: Contents | None = contents
        self.permissions: Sequence[str] = sorted(contents.permissions)

    @property
    def on_accounts(self) -> bool:
        """Whether a service account's own policy can grant it."""
        return self.name.startswith(ON_ACCOUNTS)

    @property
    def on_itself(self) -> bool:
        """Whether it is enough to hold it on the account itself."""
        return False

    def held_by(self, sources: Sequence[ServingBinding]) -> Held:
        """Return whether the role itself is bound, else whether the union of all roles contains it."""
        named = next((s for s in sources if s.role == self.name), None)
        if named is not None and self._contents.works:
            return Held(Has.YES, f"{named.label} is the role itself")
        if named is not None:
            has = Has.UNKNOWN if self._contents.works is None else Has.NO
            return Held(has, f"{named.label} is the role itself, but {self._contents.why}")
        if not sources:
            return Held(Has.NO, f"no binding in the export gives the account {self.name}")
        if not self.permissions:
            why = self._contents.why or "nothing that the export shows of it can be compared"
            return Held(Has.UNKNOWN, f"{self.name} is not bound; {why}")
        read = [(source, self._roles.contents(source.role)) for source in sources]
        missing = [p for p in self.permissions if all(c.has(p) is Has.NO for _, c in read)]
        names = ", ".join(dict.fromkeys(s.role for s, _ in read))
        if missing:
            more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
            return Held(Has.NO, f"{self.name} is not bound, and {names} lack {', '.join(missing[:3])}{more}")
        if self._contents.asked is not None:
            return Held(Has.UNKNOWN, f"{self.name} is not bound; whether {names} hold all of it: {self._contents.why}")
        unsure = [p for p in self.permissions if all(c.has(p) is not Has.YES for _, c in read)]
        if unsure:
            why = next(c.why for _, c in read if c.has(unsure[0]) is Has.UNKNOWN)
            return Held(Has.UNKNOWN, f"{self.name} is not bound; {why}")
        dates = tuple(dict.fromkeys(line for _, c in read for line in _dated(c)))
        told = ", ".join(dict.fromkeys(f"{s.role}{s.when}" for s, _ in read))
        return Held(Has.YES, f"{told} hold every permission of {self.name}", dates)
