"""The remediation bundle: what a person applies, in order, before and after the upgrade (docs/contract.md#bundle).

A plan is rendered as a mapping from relative file names to bytes; the same outcome gives the same bytes.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from upgrade_gate.base.facts import Known
from upgrade_gate.base.steps import line
from upgrade_gate.base.text import one_line
from upgrade_gate.clouds.contract.remedy import REQUESTS
from upgrade_gate.remedy import credentials_requests, whereabouts
from upgrade_gate.remedy.readme import readme
from upgrade_gate.remedy.script import script

if TYPE_CHECKING:
    from collections.abc import Mapping

    from upgrade_gate.base.steps import CommandLine
    from upgrade_gate.gate.outcome import Outcome
    from upgrade_gate.gate.situation import Situation

CHECKSUMS = "SHA256SUMS"
SCRIPT = "commands.sh"
README = "README.md"
ON_THE_WAY = f"{REQUESTS}-on-the-way"
"""Folder of the requests that only a release on the way applies."""


def upgrade_commands(situation: Situation) -> tuple[CommandLine, ...]:
    """Return one `oc adm upgrade` command per hop, pinned to the digest that was judged where there is one.

    A release that the cluster does not offer has no command without its digest: `oc` refuses a version that is not
    offered (oc pkg/cli/admin/upgrade/upgrade.go).
    """
    cluster = situation.cluster
    offers = cluster.offers.value if cluster is not None and isinstance(cluster.offers, Known) else None
    commands: list[CommandLine] = []
    for hop in situation.hops:
        if hop.kind == "none":
            continue
        target = hop.new
        pinned = target.pullspec if target.pullspec and "@" in target.pullspec else None
        # oc pkg/cli/admin/upgrade/upgrade.go, targetMatch: a version by itself, an image by its digest wherever it is
        offer = next(
            (
                o
                for o in offers or ()
                if (_digest(o.image) == _digest(pinned) if pinned else o.version == target.version)
            ),
            None,
        )
        if hop.index == 0 and not pinned and offers is not None and offer is None:
            break
        commands.append(
            line(
                "oc adm upgrade",
                *((f"--to-image={pinned}",) if pinned else (f"--to={target.version}",)),
                allow_explicit_upgrade=bool(pinned) and offers is not None and offer is None,
                allow_not_recommended=bool(offer and offer.risks),
            )
        )
    return tuple(commands)


def _digest(pullspec: str) -> str:
    return pullspec.rpartition("@")[2]


def build(outcome: Outcome, reports: Mapping[str, bytes], *, made: str = "") -> Mapping[str, bytes]:
    """Return the bundle: relative file name to content, sorted; the same outcome and reports give the same bytes.

    `reports` are the run's reports as they go into it, by file name; `made` is the stamp that they carry.
    """
    situation, plan = outcome.situation, outcome.plan
    files: dict[str, bytes] = dict(plan.files)
    if situation.hops:
        last = situation.hops[-1]
        files |= _in(REQUESTS, credentials_requests.request_files(last))
        for hop in situation.hops[:-1]:
            passing = hop.new_selection.requests.keys() - last.new_selection.requests.keys()
            files |= _in(ON_THE_WAY, credentials_requests.request_files(hop, only=passing))
        if plan.ccoctl is not None and plan.ccoctl.requests != REQUESTS:
            new = {request for change in plan.changes if change.create for request in change.requests}
            files |= _in(plan.ccoctl.requests, credentials_requests.request_files(last, only=new))
    title = _title(situation)
    where = whereabouts.of(outcome)
    files[SCRIPT] = script(title, plan.steps, where, made=made, no_annotation=plan.annotation)
    files |= reports
    possible = situation.cluster is not None and all(hop.supported for hop in situation.hops)
    commands = upgrade_commands(situation) if possible else ()
    files[README] = readme(title, outcome, where, files=files, upgrade=commands)
    sums = "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    files[CHECKSUMS] = sums.encode()
    return {name: files[name] for name in sorted(files)}


def _in(folder: str, files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    return {f"{folder}/{name}": content for name, content in files.items()}


def _title(situation: Situation) -> str:
    if not situation.hops:
        return "Remedy for an upgrade that could not be judged"
    path = [situation.hops[0].old.version, *(hop.new.version for hop in situation.hops)]
    return one_line(f"Remedy for the upgrade {' to '.join(path)}")
