"""The plan of a remedy: every step with its documents, what a finding asks of it, and what no step ends.

Everything here is pure, and nothing is ever run.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from upgrade_gate.base.facts import Known
from upgrade_gate.base.secret_ref import OBJECT_NAME
from upgrade_gate.base.steps import Command, Serves, Step, line, word
from upgrade_gate.base.text import one_line, sentence
from upgrade_gate.clouds.contract import remedy
from upgrade_gate.clouds.contract.remedy import json_file
from upgrade_gate.clouds.shared.drafting import listed
from upgrade_gate.cluster.credentials_mode import Behaviour, Mode
from upgrade_gate.gate import cco
from upgrade_gate.gate.findings import Severity, Status
from upgrade_gate.gate.outcome import Plan
from upgrade_gate.remedy import (
    cluster_names,
    credentials_requests,
    identity_change,
    manifests,
    policy_patch,
    secret_gaps,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from upgrade_gate.base.steps import BundleFile
    from upgrade_gate.clouds.contract.remedy import CcoctlCommand, ClusterNames, IdentityChange
    from upgrade_gate.gate.findings import Finding
    from upgrade_gate.gate.situation import Situation
    from upgrade_gate.gate.verdict import WeighedFinding
    from upgrade_gate.requests.update import Hop

_SERVES = {
    **dict.fromkeys(identity_change.GRANT_RULES, frozenset({Serves.GRANTS, Serves.SIGHT})),
    **dict.fromkeys(identity_change.SIGHT_RULES, frozenset({Serves.SIGHT})),
    **dict.fromkeys(
        identity_change.NEW_RULES,
        frozenset({Serves.NAMESPACE, Serves.GRANTS, Serves.SIGHT, Serves.TRUST, Serves.SECRET}),
    ),
    **dict.fromkeys(identity_change.TRUST_RULES, frozenset({Serves.TRUST})),
    **dict.fromkeys(identity_change.SECRET_RULES, frozenset({Serves.NAMESPACE, Serves.SECRET})),
    **dict.fromkeys((*identity_change.CLEAN_UP_RULES, "request-removed"), frozenset({Serves.CLEAN_UP})),
}


def make(situation: Situation, judged: Sequence[WeighedFinding]) -> Plan:
    """Return the plan for what is still open."""
    names = cluster_names.of(situation)
    patch = policy_patch.make(situation, _open(judged))
    changes = tuple(
        change for change in identity_change.changes(situation, judged, names) if not policy_patch.serves(patch, change)
    )
    identity_steps, files = _identity_steps(changes, names, situation)
    gaps = secret_gaps.find(situation, _open(judged))
    namespace_steps = manifests.namespace_steps(situation, [g.secret for g in gaps])
    ccoctl = _ccoctl(situation, changes, names, secrets=bool(gaps))
    secret_steps = manifests.secret_steps(situation, gaps, changes, names, ccoctl=ccoctl is not None)
    made = (*namespace_steps, *patch.steps, *identity_steps, *secret_steps)
    steps = [_left_to_a_person(step) for step in made]
    half_read = tuple(reason for hop in situation.hops for reason in credentials_requests.gaps(hop))
    annotation, why = _annotation(situation, half_read)
    root = situation.platform_traits.root if situation.platform_traits else None
    passed_through = str(root) if situation.mode is Mode.PASSTHROUGH and root else None
    steps = [_due(step, _open(judged), passed_through) for step in steps]
    steps += [annotation] if annotation else []
    steps += _removed(situation, judged)
    ordered = sorted(steps, key=lambda s: (s.when == "after", s.serves is Serves.ANNOTATION, s.hop))
    return Plan(
        names=names,
        changes=changes,
        steps=tuple(replace(step, number=number) for number, step in enumerate(ordered, 1)),
        files={file.name: file.content for file in (*(f for step in steps for f in step.files), *files)},
        ccoctl=ccoctl,
        annotation=why,
        passed_through=passed_through,
        gaps=half_read,
    )


def _due(step: Step, findings: Iterable[Finding], passed_through: str | None) -> Step:
    """Return a step with the update of the path before which it is due: the first that any finding it serves is of."""
    if step.when == "after":
        return step
    hops = (f.hop for f in findings if _serves(step, f.rule, passed_through or f.secret))
    return replace(step, hop=min(hops, default=0))


def _serves(step: Step, rule: str, secret: str | None) -> bool:
    return step.serves in _SERVES.get(rule, ()) and secret in step.secrets


def steps_for(plan: Plan, finding: Finding) -> tuple[Step, ...]:
    """Return the steps that a finding asks for, with the commands and files of the bundle.

    Where the bundle has none for it, the finding's own steps stand.
    """
    if finding.closed_by_annotation:
        number = next((s.number for s in plan.steps if s.serves is Serves.ANNOTATION), None)
        return tuple(replace(step, number=number) for step in finding.remedy)
    secret = plan.passed_through or finding.secret
    return tuple(step for step in plan.steps if _serves(step, finding.rule, secret)) or finding.remedy


def left(plan: Plan, judged: Iterable[WeighedFinding]) -> tuple[Finding, ...]:
    """Return the open findings that keep the gate from passing and that no step here ends."""
    return tuple(
        one.finding
        for one in judged
        if one.status is Status.OPEN
        and one.finding.severity in (Severity.BLOCKER, Severity.UNKNOWN)
        and steps_for(plan, one.finding) == one.finding.remedy
    )


def _identity_steps(
    changes: Sequence[IdentityChange], names: ClusterNames, situation: Situation
) -> tuple[Sequence[Step], Sequence[BundleFile]]:
    """Return what each cloud answers: the steps, and the same permissions as data for Terraform."""
    steps = list(_to_export([change for change in changes if change.unseen]))
    entries: dict[str, dict[str, Any]] = {}
    for change in changes:
        cloud = remedy.remedy_of(change.kind)
        if cloud is None:
            continue
        draft = cloud.draft(change, names)
        login = cloud.login(change, names)
        judged = str(login.judged) if login is not None else ""
        for step in draft.steps:
            told = (*_denied(step, change.denials), *_on_the_way(step, change, situation.hops))
            _add(steps, replace(step, login=judged, hop=change.over, notes=(*step.notes, *told)))
        entries.setdefault(change.kind, {}).update({_identifier(name): body for name, body in draft.terraform})
    return steps, [file for kind, named in sorted(entries.items()) for file in _terraform(kind, named)]


def _add(steps: list[Step], step: Step) -> None:
    """Add a step, or its Secrets to the one that does the same already: what is an account's is done once."""
    same = (
        i for i, one in enumerate(steps) if step.commands and (one.title, one.commands) == (step.title, step.commands)
    )
    place = next(same, None)
    if place is None:
        steps.append(step)
    else:
        steps[place] = replace(steps[place], secrets=steps[place].secrets | step.secrets)


def _to_export(blind: Sequence[IdentityChange]) -> Iterable[Step]:
    """Yield the step that shows what was not seen: putting a policy once more would show nothing.

    It is one for all identities, since one run of the commands exports all.
    """
    if not blind:
        return
    whose: dict[str, dict[str, None]] = {}
    for change in blind:
        for reason in change.unseen:
            whose.setdefault(reason, {})[change.who] = None
    names = list(dict.fromkeys(change.who for change in blind))
    alone = len(names) == 1
    told = "; ".join(whose) if alone else "the notes say what, and why"
    yield Step(
        f"Export what was not seen of {names[0] if alone else f'{len(names)} identities'}",
        "before",
        f"Nothing shows that any of this is missing, but it could not be checked: {told}.",
        Serves.SIGHT,
        frozenset().union(*(change.secret_names for change in blind)),
        notes=(
            *(f"{sentence(who)}: {reason}." for reason, who in whose.items() if not alone),
            (
                "upgrade-gate identities commands prints the read-only commands that export all that a proof "
                "needs; run the check again with --identities export: and their folder. Grant nothing before "
                "it shows what is missing."
            ),
        ),
        scripted=False,
    )


def _denied(step: Step, denials: Sequence[str]) -> Iterable[str]:
    """Yield the denials that keep a grant from taking effect."""
    if step.serves is Serves.GRANTS:
        yield from (f"A grant does not help while a deny stands: {d}." for d in denials)


def _on_the_way(step: Step, change: IdentityChange, hops: Sequence[Hop]) -> Iterable[str]:
    """Yield what of a grant only a later update of the path brings, and what is needed only in between."""
    if step.serves is not Serves.GRANTS:
        return
    first = min((start for _, start, _ in change.spans), default=0)
    later: dict[int, list[str]] = {}
    passing: dict[int, list[str]] = {}
    for grant, start, end in change.spans:
        if start > first:
            later.setdefault(start, []).append(grant.permission)
        if end is not None:
            passing.setdefault(end, []).append(grant.permission)
    for index, names in sorted(later.items()):
        yield f"Needed from {hops[index].new.version} on: {listed(names)}."
    for index, names in sorted(passing.items()):
        yield f"Needed only in between, until {hops[index].new.version}: {listed(names)}."


def _no_object(names: Iterable[str]) -> str | None:
    return next((name for name in names if not OBJECT_NAME.fullmatch(name)), None)


def _left_to_a_person(step: Step) -> Step:
    """Return a step as it is, or for a person where it is about a Secret whose name no object can have.

    CCO up to 4.7 names the Secrets that it misses in the text of its condition. A name in it may begin with `-` or
    `@`, which a command line takes for an option or a file, however it is quoted.
    """
    found = (_no_object(secret.split("/", 1)) for secret in sorted(step.secrets))
    wrong = next((name for name in found if name is not None), None)
    if wrong is None:
        return step
    note = f"{one_line(wrong)!r} is not a legal Kubernetes name: find out what CCO means before you do anything."
    return replace(step, scripted=False, notes=(*step.notes, note))


def _open(judged: Iterable[WeighedFinding]) -> list[Finding]:
    return [j.finding for j in judged if j.status is Status.OPEN]


def _annotation(situation: Situation, half_read: Sequence[str]) -> tuple[Step | None, str]:
    """Return the step that sets the annotation and why; the reason alone where there is none."""
    if not situation.hops:
        return None, "no release could be compared"
    answers = [
        cco.annotation_wanted(
            release=hop.old.minor, platform=situation.platform, hop_kind=hop.kind, mode=situation.mode
        )
        for hop in situation.hops
    ]
    first = next((i for i, (wanted, _) in enumerate(answers) if wanted), 0)
    wanted, why = answers[first]
    if not wanted:
        return None, why
    minor = situation.hops[-1].new.minor
    held = situation.cluster.annotation if situation.cluster is not None else None
    if isinstance(held, Known) and cco.annotation_minor(held.value) == minor:
        return None, f"it says {one_line(held.value)} already"
    barred = next((hop.unsupported_reason for hop in situation.hops if not hop.supported), None)
    if barred is not None:
        return None, f"the update is not possible: {barred}"
    if half_read:
        return None, f"the target was not read whole ({half_read[0]}), so something may be missing"
    step = Step(
        f"Set the annotation upgradeable-to to v{minor[0]}.{minor[1]}",
        "before",
        f"{why[:1].upper()}{why[1:]}. An administrator says with it that the work is done: set it last of all.",
        Serves.ANNOTATION,
        commands=(cco.annotate(minor),),
        notes=(
            f"In the console: {cco.WHERE_TO_ANNOTATE}.",
            "A ccoctl that has set-upgradeable-to does the same.",
        ),
        hop=first,
    )
    return step, why


def _removed(situation: Situation, judged: Iterable[WeighedFinding]) -> list[Step]:
    """Return the steps after the upgrade for requests that the target no longer has."""
    if not situation.mode.by_hand or not situation.hops:
        return []
    steps: list[Step] = []
    for finding in _open(judged):
        hop: Hop = situation.hops[min(finding.hop, len(situation.hops) - 1)]
        later = (h.new_selection for h in situation.hops[hop.index :])
        used = {s.request.secret for selection in later for s in selection.requests.values()}
        selected = hop.old_selection.requests.get(finding.request or "") if finding.rule == "request-removed" else None
        secret = selected.request.secret if selected else None
        if secret is None or secret in used:
            continue
        notes = ["Remove its identity in the cloud as well, if nothing else uses it."]
        if situation.behaviour is Behaviour.TIMED_TOKEN and finding.request in hop.new_selection.deleted:
            notes.append("CCO deletes this Secret by itself when CVO removes the request.")
        steps.append(
            Step(
                f"Remove Secret {secret}",
                "after",
                f"{one_line(finding.headline)}.",
                Serves.CLEAN_UP,
                frozenset({str(secret)}),
                commands=(Command(line("oc delete secret", secret.name, namespace=secret.namespace)),),
                notes=tuple(notes),
                scripted=False,
                hop=hop.index,
            )
        )
    return steps


def _ccoctl(
    situation: Situation, changes: Sequence[IdentityChange], names: ClusterNames, *, secrets: bool
) -> CcoctlCommand | None:
    """Return what ccoctl can do, with the traps of its own filters; nothing where there is only a clean-up.

    A run before the upgrade would take away what the running release needs.
    """
    kind = situation.platform_traits.kind if situation.platform_traits else None
    if kind is None or not changes or not situation.mode.by_hand:
        return None
    cloud = remedy.remedy_of(kind)
    busy = [c for c in changes if c.delta or c.untrusted or c.create]
    found = cloud.ccoctl(busy or changes, names) if cloud is not None and (busy or secrets) else None
    if found is None:
        return None
    preview, dropped = credentials_requests.tech_preview(situation.hops[-1])
    if preview:
        words = (*found.line.words, word("--enable-tech-preview"))
        found = replace(found, line=replace(found.line, words=words))
    if dropped:
        trap = f"It drops {', '.join(dropped)} because of their feature-set annotation: do those by hand."
        found = replace(found, traps=(*found.traps, trap))
    return found


def _terraform(kind: str, named: Mapping[str, Any]) -> Sequence[BundleFile]:
    cloud = remedy.remedy_of(kind)
    content = cloud.terraform(sorted(named.items())) if cloud and named else {}
    return [json_file(f"{cloud.FOLDER}/upgrade-gate.tf.json", _without_templates(content))] if cloud and content else []


def _identifier(name: str) -> str:
    text = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    return text if text[:1].isalpha() or text.startswith("_") else f"_{text}"


def _without_templates(value: Any) -> Any:
    """Return a value in which Terraform evaluates nothing."""
    match value:
        case str():
            return value.replace("${", "$${").replace("%{", "%%{")
        case dict():
            return {_without_templates(k): _without_templates(v) for k, v in value.items()}
        case list():
            return [_without_templates(v) for v in value]
        case _:
            return value
