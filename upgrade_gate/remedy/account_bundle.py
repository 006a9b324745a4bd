"""The bundle of one cloud account: the bundles of its clusters, and one script that proves the account once.

Each cluster's own script stays the one that changes anything, and proves first that it is at that cluster
(docs/using/fleets.md#bundles).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from upgrade_gate.base import markdown
from upgrade_gate.base.shell import quote, words
from upgrade_gate.base.text import one_line, sentence
from upgrade_gate.clouds.contract.remedy import file_name, remedy_of
from upgrade_gate.remedy import whereabouts
from upgrade_gate.remedy.bundle import README, SCRIPT
from upgrade_gate.remedy.script import library, template

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from upgrade_gate.gate.outcome import Outcome

_NO_ACCOUNT: Final = "no-cloud-account"
_NOT_KNOWN: Final = "account-not-known"
_SEVERAL: Final = "several-accounts"


class Account(Struct, frozen=True):
    """A cloud account, and how a command line tells that it is logged in to it."""

    what: str
    """In words, such as `AWS account`."""
    id: str
    argv: tuple[str, ...]

    @property
    def folder(self) -> str:
        """The name of its folder."""
        return file_name(f"{self.what.replace(' ', '-')}-{self.id}".lower())


class Member(Struct, frozen=True):
    """One cluster of a fleet that has a bundle."""

    name: str
    """As the inventory calls it."""
    folder: str
    """The name of its folder within that of the account."""
    cluster_id: str | None
    path: tuple[str, ...]
    """The versions of its update, the running one first."""
    before: int
    """Steps before the upgrade."""
    after: int
    summary: str
    """The verdict as a sentence."""
    accounts: tuple[Account, ...]
    """Those that its steps are about, as far as they are known."""
    unknown: bool
    """Whether a step is about an account that is not known."""
    identities: tuple[str, ...]
    """What its steps change in the cloud, by name."""

    @property
    def account(self) -> Account | None:
        """The one account that all of its steps are about; None where there is none, or it is not known."""
        return self.accounts[0] if len(self.accounts) == 1 and not self.unknown else None

    @property
    def group(self) -> str:
        """The folder that it is in: its account's, one for all clusters without any, else one of its own."""
        if self.account is not None:
            return self.account.folder
        if not (self.accounts or self.unknown):
            return _NO_ACCOUNT
        return file_name(f"{_NOT_KNOWN if self.unknown else _SEVERAL}-{self.folder}")


def member_of(outcome: Outcome, name: str, folder: str) -> Member | None:
    """Return what a fleet's bundle says of a cluster, None where there is nothing to do, or it could not be judged."""
    situation, plan = outcome.situation, outcome.plan
    if not plan.steps or not situation.hops or outcome.comparison.unread:
        return None
    clouds = ((change, remedy_of(change.kind)) for change in plan.changes)
    logins = [login for change, cloud in clouds if cloud and (login := cloud.login(change, plan.names)) is not None]
    accounts = {
        Account(login.what, login.judged, login.line.argv): None for login in logins if isinstance(login.judged, str)
    }
    cluster_id = whereabouts.of(outcome).cluster_id
    return Member(
        name=name,
        folder=folder,
        cluster_id=cluster_id if isinstance(cluster_id, str) else None,
        path=(situation.hops[0].old.version, *(hop.new.version for hop in situation.hops)),
        before=sum(step.when == "before" for step in plan.steps),
        after=sum(step.when == "after" for step in plan.steps),
        summary=outcome.verdict.summary,
        accounts=tuple(sorted(accounts, key=lambda one: (one.what, one.id))),
        unknown=any(not isinstance(login.judged, str) for login in logins),
        identities=tuple(sorted({change.identity for change in plan.changes if change.identity})),
    )


def files(members: Sequence[Member]) -> Mapping[str, bytes]:
    """Return README.md and commands.sh for the clusters of one folder, which share its account."""
    account = members[0].account
    title = f"Remedy for {_clusters(members)}{f' in {account.what} {account.id}' if account else ''}"
    return {
        README: _readme(title, members).encode("utf-8", "replace"),
        SCRIPT: _script(title, account, members).encode("utf-8", "replace"),
    }


def overview(members: Iterable[Member], without: Mapping[str, str]) -> bytes:
    """Return README.md for all folders; `without` are the clusters that have no bundle, and why."""
    groups = grouped(members)
    rows = [
        f"| {markdown.code(f'{folder}/')} | {markdown.text(_about(found))} | {len(found)} |"
        for folder, found in groups.items()
    ]
    parts = ["# Remedies of a fleet", _OVERVIEW]
    parts += ["\n".join(["| folder | account | clusters |", "|---|---|---|", *rows])] if rows else ["There is none."]
    if without:
        lines = [f"- {markdown.code(one_line(name))}: {markdown.text(one_line(why))}" for name, why in without.items()]
        parts += ["## Clusters without a bundle", "\n".join(lines)]
    return ("\n\n".join(parts) + "\n").encode("utf-8", "replace")


_OVERVIEW = (
    "A folder for each cloud account, for whoever may change that account: its `commands.sh` proves the account once, "
    "and runs the script of the cluster that the login is at. Nothing here was run. `sha256sum -c SHA256SUMS` shows "
    "that nothing was altered."
)


def grouped(members: Iterable[Member]) -> Mapping[str, Sequence[Member]]:
    """Return the members of each folder, sorted by name; the folders of known accounts first."""
    found: dict[str, list[Member]] = {}
    for member in sorted(members, key=lambda one: one.name):
        found.setdefault(member.group, []).append(member)
    return dict(sorted(found.items(), key=lambda item: (item[1][0].account is None, item[0])))


def _about(members: Sequence[Member]) -> str:
    one = members[0]
    if one.account is not None:
        return f"{one.account.what} {one.account.id}"
    if not (one.accounts or one.unknown):
        return "none: no step changes anything in a cloud account"
    known = [f"{account.what} {account.id}" for account in one.accounts]
    if one.unknown:
        return f"not known{f' beside {sentence(known)}' if known else ''}: fill it in where the script asks for it"
    return f"several: {sentence(known)}"


def _clusters(members: Sequence[Member]) -> str:
    return f"cluster {members[0].name}" if len(members) == 1 else f"{len(members)} clusters"


def _readme(title: str, members: Sequence[Member]) -> str:
    rows = [_row(one) for one in members]
    head = "| cluster | ID | update | steps before | steps after | verdict when this was made |"
    parts = [
        f"# {markdown.text(one_line(title))}",
        f"Account: {markdown.text(_about(members))}.",
        _HOW,
        "\n".join([head, "|---|---|---|---|---|---|", *rows]),
    ]
    shared = _shared(members)
    if shared:
        lines = [
            f"- {markdown.code(one_line(name))}: {markdown.text(sentence(clusters))}"
            for name, clusters in shared.items()
        ]
        parts += ["## Identities of several clusters", _SHARED, "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def _row(one: Member) -> str:
    cells = (
        markdown.code(f"{one.folder}/"),
        markdown.code(one.cluster_id or "not known"),
        markdown.text(" to ".join(one.path)),
        str(one.before),
        str(one.after),
        markdown.text(one_line(one.summary)),
    )
    return f"| {' | '.join(cells)} |"


_HOW = (
    "Each cluster's folder is a bundle of its own; its README.md gives every step with its reason. `bash commands.sh "
    "plan` prints the steps of all of them. Logged in to the account and to a cluster, `bash commands.sh grant` does "
    "what that cluster needs before its upgrade, `annotate --reports DIR` tells CCO (DIR is the folder of a later run "
    "of `fleet`), `after` cleans up; the other clusters are left, and named. Every part can be run again."
)
_SHARED = (
    "What is written for one of these clusters stands for all of them. A script stops where it would take away what "
    "another cluster's bundle gave: then grant by hand what both ask for."
)


def _shared(members: Sequence[Member]) -> Mapping[str, Sequence[str]]:
    """Return the identities that steps of several clusters change, with these clusters."""
    users: dict[str, list[str]] = {}
    for member in members:
        for identity in member.identities:
            users.setdefault(identity, []).append(member.name)
    return {name: clusters for name, clusters in sorted(users.items()) if len(clusters) > 1}


def _script(title: str, account: Account | None, members: Sequence[Member]) -> str:
    """Return commands.sh: the guard of the account, then a line for each cluster, whose own script does the work."""
    values = {
        "TITLE": one_line(title),
        "CLUSTERS": "\n".join(f"  cluster {quote(m.folder)} {quote((m.cluster_id or '').lower())}" for m in members),
        "PROOF": f"here {quote(account.what)} {quote(account.id)} {words(*account.argv)}" if account else "",
    }
    values["LIBRARY"] = library(f"plain proceed {values['PROOF']}").rstrip("\n")
    return re.sub("@([A-Z]+)@", lambda found: values[found.group(1)], template("fleet.sh"))
