"""The remediation bundle: what a person applies, in order, before and after the upgrade (design section 8).

Everything here is pure: a plan is made from the outcome of a run, and rendered as a mapping from relative file names
to bytes. The same outcome gives the same bytes. Nothing is ever run.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from upgrade_gate.base.facts import Known
from upgrade_gate.base.secret_ref import OBJECT_NAME, SecretRef
from upgrade_gate.base.text import one_line
from upgrade_gate.clouds.contract import remedy
from upgrade_gate.clouds.contract.remedy import Command, Placeholder, Serves, Step, argv, json_file, sentence
from upgrade_gate.cluster.credentials_mode import Behaviour, Mode
from upgrade_gate.cluster.objects import UPGRADEABLE_TO
from upgrade_gate.gate import cco
from upgrade_gate.gate.findings import Status
from upgrade_gate.gate.outcome import Plan
from upgrade_gate.remedy import credentials_requests, identity_change, manifests
from upgrade_gate.remedy.plan import left
from upgrade_gate.remedy.readme import readme
from upgrade_gate.remedy.script import script
from upgrade_gate.requests.update import GUARDED_HOPS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from upgrade_gate.clouds.contract.remedy import CcoctlCommand, ClusterNames, IdentityChange
    from upgrade_gate.gate.findings import Finding
    from upgrade_gate.gate.outcome import Outcome
    from upgrade_gate.gate.situation import Situation
    from upgrade_gate.gate.verdict import WeighedFinding
    from upgrade_gate.remedy.manifests import Gap
    from upgrade_gate.requests.update import Hop

__all__ = ["CHECKSUMS", "build", "plan", "upgrade_commands"]

CHECKSUMS = "SHA256SUMS"
SCRIPT = "commands.sh"
README = "README.md"

_LISTED_SECRET = re.compile(r"\[([^\]]*)\]")


def plan(situation: Situation, judged: Sequence[WeighedFinding]) -> Plan:
    """Return the plan for what is still open."""
    site = identity_change.site_of(situation)
    works = identity_change.works(situation, judged)
    files: dict[str, bytes] = {}
    steps: list[Step] = []
    local: dict[str, list[tuple[str, Any]]] = {}
    for work in works:
        cloud = remedy.cloud_of(work.kind)
        if cloud is None:
            continue
        draft = cloud.draft(work, site)
        files.update(draft.files)
        steps += [_with_denials(step, work.denials) for step in draft.steps]
        local.setdefault(work.kind, []).extend(draft.terraform)
    for kind, entries in sorted(local.items()):
        files.update(_terraform(kind, entries))
    gaps = _secret_gaps(situation, judged)
    gaps += [g for g in _listed_secrets(situation) if g.secret not in {gap.secret for gap in gaps}]
    namespaces, namespace_steps = manifests.namespace_steps(situation, [g.secret for g in gaps])
    secrets, secret_steps = manifests.secret_steps(gaps, works, site)
    files.update(namespaces)
    files.update(secrets)
    strange = _strange(situation)
    steps = [_left_to_a_person(step, strange) for step in (*namespace_steps, *steps, *secret_steps)]
    half_read = tuple(line for hop in situation.hops for line in credentials_requests.gaps(hop))
    step, why = _annotation(situation, half_read)
    steps += [step] if step else []
    steps += _removed(situation, judged)
    root = situation.platform_traits.root_secret if situation.platform_traits else None
    made = Plan(
        site=site,
        works=works,
        steps=tuple(sorted(steps, key=lambda s: s.when == "after")),
        files=files,
        offer=_offer(situation, works, site, secrets=bool(gaps)),
        annotation=why,
        passed_through=f"kube-system/{root}" if situation.mode is Mode.PASSTHROUGH and root else None,
        gaps=half_read,
    )
    return _once_done_by_hand(made, judged)


def _with_denials(step: Step, denials: Sequence[str]) -> Step:
    """Return a step that grants, with the denials that keep the grant from taking effect."""
    if not denials or step.serves is not Serves.GRANTS:
        return step
    return replace(step, notes=(*step.notes, *(f"A grant does not help while a deny stands: {d}." for d in denials)))


def _strange(situation: Situation) -> Mapping[str, str]:
    """Return the Secrets, as `namespace/name`, that have or bring a name that no Kubernetes object can have.

    Such a name may begin with `-` or `@`, which a command line takes for an option or a file, however it is quoted.
    """
    found: dict[str, str] = {}
    selections = [hop.old_selection for hop in situation.hops] + [hop.new_selection for hop in situation.hops]
    for selection in selections:
        for selected in selection.requests.values():
            request = selected.request
            if request.secret is None:
                continue
            names = (request.secret.namespace, request.secret.name, *request.service_accounts)
            wrong = _no_object(names)
            if wrong is not None:
                found.setdefault(str(request.secret), wrong)
    return found


def _no_object(names: Iterable[str]) -> str | None:
    return next((name for name in names if not OBJECT_NAME.fullmatch(name)), None)


def _left_to_a_person(step: Step, strange: Mapping[str, str]) -> Step:
    """Return a step as it is, or for a person where it is about a name that no object can have.

    Not every Secret is a request's: CCO up to 4.7 names those that it misses in the text of its condition.
    """
    found = (strange.get(secret) or _no_object(secret.split("/", 1)) for secret in sorted(step.secrets))
    wrong = next((name for name in found if name is not None), None)
    if wrong is None:
        return step
    note = (
        f"No Kubernetes object can be called {one_line(wrong)!r}: see what the release means before anything is done."
    )
    return replace(step, scripted=False, notes=(*step.notes, note))


def _once_done_by_hand(made: Plan, judged: Sequence[WeighedFinding]) -> Plan:
    """Return a plan whose annotation waits for the word that the steps for a person, and what has none, are done."""
    by_hand = [str(n) for n, step in enumerate(made.steps, 1) if step.when == "before" and not step.scripted]
    done = []
    if by_hand:
        which = f"step {by_hand[0]} is" if len(by_hand) == 1 else f"steps {sentence(by_hand)} are"
        done.append(f"{which} done by a person")
    unended = sorted({finding.rule for finding in left(made, judged)})
    if unended:
        done.append(f"what no step ends is settled: {', '.join(unended)}")
    if not done:
        return made
    asks = (Placeholder("DONE_BY_HAND", f"yes, once {sentence(done)}", "yes"),)
    steps = (replace(step, asks=asks) if step.serves is Serves.ANNOTATION else step for step in made.steps)
    return replace(made, steps=tuple(steps))


def _open(judged: Iterable[WeighedFinding]) -> list[Finding]:
    return [j.finding for j in judged if j.status is Status.OPEN]


def _secret_gaps(situation: Situation, judged: Sequence[WeighedFinding]) -> list[Gap]:
    """Return the Secrets that open findings ask for, each once, sorted."""
    if not situation.mode.by_hand or not situation.hops:
        return []
    found: dict[SecretRef, Gap] = {}
    for finding in _open(judged):
        if finding.rule not in identity_change.NEW_RULES | identity_change.SECRET_RULES:
            continue
        hop = situation.hops[min(finding.hop, len(situation.hops) - 1)]
        selected = hop.new_selection.requests.get(finding.request or "")
        if selected is None:
            continue
        gap = manifests.gap_of(situation, selected.request, finding.rule, hop.new.minor)
        if gap is None:
            continue
        before = found.get(gap.secret)
        if before is not None:
            gap = replace(
                before,
                requests=tuple(dict.fromkeys((*before.requests, *gap.requests))),
                rewrite=before.rewrite or gap.rewrite,
                token_path=before.token_path or gap.token_path,
            )
        found[gap.secret] = gap
    return [found[secret] for secret in sorted(found)]


def _listed_secrets(situation: Situation) -> list[Gap]:
    """Return the Secrets that CCO up to 4.7 asks for: those that its condition names (cco.md 5.2)."""
    hop = situation.hops[0] if situation.hops else None
    cluster, traits = situation.cluster, situation.platform_traits
    if hop is None or cluster is None or traits is None or traits.kind is None or hop.kind not in GUARDED_HOPS:
        return []
    if hop.old.minor >= (4, 8) or not situation.mode.by_hand:
        return []
    found = cco.condition(cluster, "Upgradeable")
    if not isinstance(found, Known) or found.value.status != "False":
        return []
    listed = _LISTED_SECRET.search(found.value.message)
    named = [w.partition("/") for w in (listed.group(1).split() if listed else ()) if w.count("/") == 1]
    refs = [SecretRef(namespace, name) for namespace, _, name in named if namespace and name]
    refs = refs or list(cco.secret_list(hop.old.minor, situation.platform) or ())
    missing = [ref for ref in refs if not isinstance(cluster.secrets.get(ref), Known)]
    return [
        manifests.Gap(ref, traits.kind, (f"CCO {hop.old.minor[0]}.{hop.old.minor[1]}",), rewrite=False, sure=True)
        for ref in sorted(missing)
    ]


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
    wanted, why = next((a for a in answers if a[0]), answers[0])
    if not wanted:
        return None, why
    minor = situation.hops[-1].new.minor
    value = f"v{minor[0]}.{minor[1]}"
    held = situation.cluster.annotation if situation.cluster is not None else None
    if isinstance(held, Known) and cco.annotation_minor(held.value) == minor:
        return None, f"it says {one_line(held.value)} already"
    barred = next((hop.unsupported_reason for hop in situation.hops if not hop.supported), None)
    if barred is not None:
        return None, f"the update is not possible: {barred}"
    if half_read:
        return None, f"the target was not read whole ({half_read[0]}): nobody can say yet that everything is in place"
    step = Step(
        title=f"Set the annotation upgradeable-to to {value}",
        reason=f"{why[:1].upper()}{why[1:]}. It says that somebody looked: set it when every other step is done.",
        when="before",
        serves=Serves.ANNOTATION,
        commands=(
            Command(
                argv(
                    "oc annotate cloudcredential.operator.openshift.io cluster",
                    f"{UPGRADEABLE_TO}={value}",
                    overwrite=True,
                )
            ),
        ),
        notes=(
            "In the console: Administration, CustomResourceDefinitions, CloudCredential, Instances, cluster, YAML.",
            "A ccoctl that has set-upgradeable-to does the same.",
        ),
    )
    return step, why


def _removed(situation: Situation, judged: Iterable[WeighedFinding]) -> list[Step]:
    """Return the steps after the upgrade for requests that the target no longer has."""
    if not situation.mode.by_hand or not situation.hops:
        return []
    used = {s.request.secret for _, s in situation.requirements()}
    steps: list[Step] = []
    for finding in _open(judged):
        hop: Hop = situation.hops[min(finding.hop, len(situation.hops) - 1)]
        selected = hop.old_selection.requests.get(finding.request or "") if finding.rule == "request-removed" else None
        secret = selected.request.secret if selected else None
        if secret is None or secret in used:
            continue
        notes = ["Remove its identity in the cloud as well, if nothing else uses it."]
        if situation.behaviour is Behaviour.TIMED_TOKEN and finding.request in hop.new_selection.deleted:
            notes.append("CCO deletes this Secret by itself when CVO removes the request.")
        steps.append(
            Step(
                title=f"Remove Secret {secret}",
                reason=f"{one_line(finding.headline)}.",
                when="after",
                serves=Serves.CLEAN_UP,
                secrets=frozenset({str(secret)}),
                commands=(Command(argv("oc delete secret", secret.name, namespace=secret.namespace)),),
                notes=tuple(notes),
                scripted=False,
            )
        )
    return steps


def _offer(
    situation: Situation, works: Sequence[IdentityChange], site: ClusterNames, *, secrets: bool
) -> CcoctlCommand | None:
    """Return what ccoctl can do, with the traps of its own filters; nothing where there is only a clean-up.

    A run before the upgrade would take away what the running release needs.
    """
    kind = situation.platform_traits.kind if situation.platform_traits else None
    if kind is None or not works or not situation.mode.by_hand:
        return None
    cloud = remedy.cloud_of(kind)
    busy = [w for w in works if w.delta or w.untrusted or w.create]
    offer = cloud.ccoctl(busy or works, site) if cloud is not None and (busy or secrets) else None
    if offer is None:
        return None
    preview, dropped = credentials_requests.tech_preview(situation.hops[-1])
    line = (*offer.argv, "--enable-tech-preview") if preview else offer.argv
    traps = offer.traps
    if dropped:
        traps = (*traps, f"It drops {', '.join(dropped)} because of their feature-set annotation: do those by hand.")
    return replace(offer, argv=line, traps=traps)


def _terraform(kind: str, entries: Sequence[tuple[str, Any]]) -> Mapping[str, bytes]:
    cloud = remedy.cloud_of(kind)
    named = {_identifier(name): body for name, body in entries}
    content = cloud.terraform(sorted(named.items())) if cloud and named else {}
    return {f"{cloud.FOLDER}/upgrade-gate.tf.json": json_file(_without_templates(content))} if cloud and content else {}


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


def upgrade_commands(situation: Situation) -> tuple[tuple[str, ...], ...]:
    """Return one `oc adm upgrade` command per hop, pinned to the digest that was judged where there is one."""
    cluster = situation.cluster
    offers = cluster.offers.value if cluster is not None and isinstance(cluster.offers, Known) else None
    commands: list[tuple[str, ...]] = []
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
        commands.append(
            argv(
                "oc adm upgrade",
                *((f"--to-image={pinned}",) if pinned else (f"--to={target.version}",)),
                allow_explicit_upgrade=bool(pinned) and offers is not None and offer is None,
                allow_not_recommended=bool(offer and offer.risks),
            )
        )
    return tuple(commands)


def _digest(pullspec: str) -> str:
    return pullspec.rpartition("@")[2]


def build(outcome: Outcome, reports: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Return the bundle: relative file name to content, sorted; the same outcome and reports give the same bytes.

    `reports` are the run's reports as they go into it, by file name.
    """
    situation, made = outcome.situation, outcome.plan
    files: dict[str, bytes] = dict(made.files)
    if situation.hops:
        last = situation.hops[-1]
        for name, content in credentials_requests.request_files(last).items():
            files[f"{credentials_requests.FOLDER}/{name}"] = content
        if made.offer is not None and made.offer.requests != credentials_requests.FOLDER:
            new = {request for work in made.works if work.create for request in work.requests}
            for name, content in credentials_requests.request_files(last, only=new).items():
                files[f"{made.offer.requests}/{name}"] = content
    title = _title(situation)
    files[SCRIPT] = script(title, made.steps, files)
    files.update(reports)
    possible = all(hop.supported for hop in situation.hops)
    commands = upgrade_commands(situation) if possible else ()
    files[README] = readme(title, outcome, files=files, upgrade=commands)
    sums = "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    files[CHECKSUMS] = sums.encode()
    return {name: files[name] for name in sorted(files)}


def _title(situation: Situation) -> str:
    if not situation.hops:
        return "Remedy for an upgrade that could not be judged"
    path = [situation.hops[0].old.version, *(hop.new.version for hop in situation.hops)]
    return one_line(f"Remedy for the upgrade {' to '.join(path)}")
