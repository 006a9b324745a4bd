"""A grant in the report: what it allows, what covers it already, and by what it came."""

from __future__ import annotations

from typing import Any, Literal

import msgspec


class Introduction(msgspec.Struct, frozen=True, kw_only=True):
    """By what a grant came to the branch of the release that newly asks for it (`upgrade-gate history`)."""

    branch: str
    """The first release branch that holds the change."""
    z_stream: bool
    """Whether it was merged after the general availability of that branch."""
    date: str
    """The day of the merge, UTC."""
    repository: str
    """Of the manifest, on GitHub."""
    pull_request: int | None
    """Its number; null where the change came without one."""
    bugs: list[str]
    """`OCPBUGS-n`, or `Bug n` of Bugzilla."""


class GrantView(msgspec.Struct, frozen=True, kw_only=True):
    """A grant, what covers it already, what it lets its holder do, and its risk classes."""

    type: str
    """`action`, `permission`, `dataPermission`, `roleBinding`, `predefinedRole`, `role` or `privilege`."""
    permission: str
    """As the manifest spells it."""
    effect: str | None
    """`Allow` or `Deny` on AWS and Alibaba Cloud, else null."""
    resource: str | None
    """On AWS and Alibaba Cloud, else null."""
    condition: Any
    """On AWS, else null."""
    scope: Any
    """On IBM Cloud the whole set of attributes, on Azure that of a role binding that has one; else null."""
    covered_by: str | None = None
    """What of the current release contains it already; of a held grant the releases before the target that ask for it.

    Null where nothing does.
    """
    still_covered_by: str | None = None
    """Of a removed grant: what of the target still contains it."""
    risk: list[str] = []
    """Classes of risk, such as `ESCALATE`."""
    access: Literal["list", "read", "tagging", "write", "permissions-management"] | None = None
    """What it lets its holder do."""
    completes: list[str] = []
    """What the identity has as well, and makes with this grant a known way to further rights."""
    held_by: str | None = None
    """The statement, role or binding that gives it, where it is not asked for but held; else null."""
    introduced: Introduction | None = None
    """By what a new grant came; null where it is not new, and where the table of the history does not tell."""
    needed_until: str | None = None
    """Of a new grant that a path needs only in between: the version from which on nothing asks for it; else null."""

    @property
    def only(self) -> str:
        """That a path needs it only in between, in words; empty where its end needs it too."""
        return f"only until {self.needed_until}" if self.needed_until else ""
