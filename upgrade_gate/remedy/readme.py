"""The bundle's README.md: every step with its reason, numbered as in commands.sh, in CommonMark and escaped."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from upgrade_gate.base import markdown
from upgrade_gate.base.facts import Known
from upgrade_gate.base.shell import quote, words
from upgrade_gate.base.steps import Serves
from upgrade_gate.base.text import one_line, sentence
from upgrade_gate.clouds.contract.holdings import provider_of_kind
from upgrade_gate.clouds.contract.remedy import REQUESTS, remedy_of
from upgrade_gate.cluster.credentials_mode import Credentials, Mode
from upgrade_gate.cluster.objects import UPGRADEABLE_TO
from upgrade_gate.gate.findings import Status
from upgrade_gate.remedy.plan import left
from upgrade_gate.remedy.script import waits
from upgrade_gate.remedy.whereabouts import moment, told, told_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from upgrade_gate.base.steps import Command, CommandLine, Placeholder, Step
    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.gate.outcome import Outcome, Plan
    from upgrade_gate.gate.situation import Situation
    from upgrade_gate.remedy.whereabouts import Whereabouts


def _text(value: str) -> str:
    return markdown.text(one_line(value))


def _code(value: str) -> str:
    return markdown.code(one_line(value))


def readme(
    title: str, outcome: Outcome, where: Whereabouts, *, files: Mapping[str, bytes], upgrade: Sequence[CommandLine]
) -> bytes:
    """Return README.md for the plan; `files` are the other files of the bundle, `upgrade` the closing commands."""
    situation, plan = outcome.situation, outcome.plan
    commands = [words(*line.argv) for line in upgrade]
    before = [s for s in plan.steps if s.when == "before"]
    after = [s for s in plan.steps if s.when == "after"]
    parts = [
        f"# {_text(title)}",
        *_opening(outcome),
        *_half_read(plan),
        *_place(where),
        *_placeholders(plan, where),
        *_askers(plan),
        "## Before the upgrade",
        *([_EVERY_UPDATE] if any(map(waits, before)) else []),
        *(_steps(before, where) or [_nothing(situation)]),
        *_no_annotation(plan),
        *_upgrade(situation, plan, commands),
        "## After the upgrade",
        *(_not_before(outcome, after)),
        *(_steps(after, where) or ["Nothing is to be cleaned up."]),
        *_ccoctl(situation, plan),
        *_left(outcome, plan),
        *_accepted(outcome),
        *_files(plan, sorted(files)),
        "## The upgrade command",
        *(
            [markdown.fence(commands, "sh"), "Only when every step before the upgrade is done and the gate passes."]
            if commands
            else ["There is none: " + _text(_why_none(situation)) + "."]
        ),
    ]
    return ("\n\n".join(part for part in parts if part) + "\n").encode("utf-8", "replace")


def _opening(outcome: Outcome) -> list[str]:
    situation = outcome.situation
    cluster = situation.cluster
    known = [(name, getattr(getattr(cluster, key, None), "value", None)) for name, key in _CLUSTER]
    where = (
        ", ".join(f"{name} {_code(str(value))}" for name, value in known if value) if cluster else "no cluster was read"
    )
    platform = situation.platform or "platform unknown"
    mode = f"{platform}, {situation.mode.value} mode, credentials: {situation.credentials.value}"
    return [
        f"Cluster: {where}. {_text(mode)}.",
        f"Verdict when this was made: {_text(outcome.verdict.summary)}",
        _MADE,
    ]


def _not_before(outcome: Outcome, after: Sequence[Step]) -> list[str]:
    """Say until when nothing may be taken away, and the word that the script wants."""
    found = outcome.rollback if after else None
    if found is None:
        return []
    scripted = any(step.scripted and step.commands for step in after)
    word = f" {_code('bash commands.sh after --no-rollback')} is to be called then, and not before." if scripted else ""
    return [f"**Leave everything in place {_text(found.until)}.**{word}"]


_MADE = (
    "Made by upgrade-gate, which changes nothing itself. `commands.sh` does the same steps, by the same numbers, in "
    "parts: `bash commands.sh plan` prints them, `grant` does what must be in place before the upgrade, `annotate "
    "--report FILE` tells CCO, `after --no-rollback` cleans up. Each stops before its first change while anything is "
    "not filled in, and can be run again after any stop. `sha256sum -c SHA256SUMS` shows that nothing was altered."
)
_EVERY_UPDATE = (
    "The check passes, and the annotation is due, only when the steps for every update are done. `bash commands.sh "
    "grant --to VERSION` does those that the updates up to VERSION need."
)
_FILL_IN = (
    "The tool cannot know these. Export them, or write them at the top of `commands.sh`; a file may be "
    "filled in where it lies."
)
_AGAIN = "Run `upgrade-gate check` again with the arguments of this run{}. Go on when it passes."
_PROVES = "; with `--identities` it proves what was granted"
_ACCEPTS = (
    ". What identities hold cannot be judged on this platform: acknowledge what you granted (`upgrade-gate ack "
    "--report`)"
)
_RISKS = (
    "(oc 4.20 and newer) tells the risks of the update itself and lets you accept them by name with `--accept`. It "
    "looks at alerts and known risks, never at permissions."
)
_CLUSTER = (("infrastructure", "name"), ("ID", "id"), ("API", "api_url"), ("version", "newest_completed"))


def _half_read(plan: Plan) -> list[str]:
    if not plan.gaps:
        return []
    lines = [f"- {_text(line)}" for line in dict.fromkeys(plan.gaps)]
    return [
        "**The target was not read whole: steps may be missing, and the annotation is left out.**",
        "\n".join(lines),
    ]


def _place(where: Whereabouts) -> list[str]:
    lines = [f"- {_text(text)}" for text in told(where)]
    return ["Before a part changes anything it proves where it is, and stops anywhere else:", "\n".join(lines)]


def _placeholders(plan: Plan, where: Whereabouts) -> list[str]:
    wanted = {p.name: p for p in (*where.unknown, *(p for step in plan.steps for p in step.placeholders))}
    if not wanted:
        return []
    rows = [f"| {_code(p.name)} | {_text(p.meaning)} | {_now(p)} |" for _, p in sorted(wanted.items())]
    return [
        "## To be filled in",
        _FILL_IN,
        *_first(plan),
        "\n".join(["| variable | what it is | now |", "|---|---|---|", *rows]),
    ]


def _now(placeholder: Placeholder) -> str:
    if placeholder.default:
        return _code(placeholder.default)
    return f"what {_code(words(*placeholder.printed_by.argv))} prints" if placeholder.printed_by else "not known"


def _askers(plan: Plan) -> list[str]:
    """Say which component asks for what, where one identity serves several: its policy is the union of them all."""
    parts: list[str] = []
    for change in plan.changes:
        if len(change.secrets) < 2 or len(change.asked) < 2:
            continue
        rows = [f"| {_code(name)} | {_asked(grants)} |" for name, grants in change.asked]
        parts += [f"{_text(change.who)}:", "\n".join(["| component | asks for |", "|---|---|", *rows])]
    return ["## Who asks for what", _SHARED, *parts] if parts else []


_SHARED = "One identity serves several Secrets: its policy is the union of what their components ask for."


def _asked(grants: Sequence[Grant]) -> str:
    return ", ".join(_code(name) for name in dict.fromkeys(g.permission for g in grants)) or "nothing"


def _first(plan: Plan) -> list[str]:
    """Say which steps make what others need filled in: the script can run them alone."""
    numbers = [str(s.number) for s in plan.steps if s.first and s.scripted]
    if not numbers:
        return []
    which = f"step {numbers[0]}" if len(numbers) == 1 else f"steps {sentence(numbers)}"
    told = f"IDs and keys of what is new are known only once it exists. `bash commands.sh new` runs {which} alone; "
    return [f"{told}fill in what that gives, then run `grant`."]


def _steps(steps: Iterable[Step], where: Whereabouts) -> list[str]:
    """Return steps, on a path under a heading for each update."""
    parts: list[str] = []
    for when, group in groupby(steps, key=lambda step: (moment(step, where), step.serves is Serves.ANNOTATION)):
        text, annotates = when
        head = f"{text[:1].upper()}{text[1:]}{', when all of this is done' if annotates else ''}"
        parts += [f"### {_text(head)}"] if len(where.path) > 1 else []
        parts += [_step(step, where) for step in group]
    return parts


def _step(step: Step, where: Whereabouts) -> str:
    only = f" Only {told_of(step, where)}." if told_of(step, where) else ""
    lines = [f"{step.number}. **{_text(step.title)}**", "", f"   {_text(step.reason + only)}"]
    if step.files:
        lines += ["", f"   Files: {', '.join(_code(file.name) for file in step.files)}"]
    if step.commands:
        shown = [text for command in step.commands for text in _lines(command)]
        lines += ["", *(f"   {line}" for line in markdown.fence(shown, "sh").split("\n"))]
    if not step.scripted:
        lines += ["", "   This one is for a person; `commands.sh` only names it."]
    lines += ["", *(f"   - {_text(note)}" for note in step.notes)] if step.notes else []
    return "\n".join(lines)


def _lines(command: Command) -> Iterable[str]:
    if command.condition:
        yield f"# where {one_line(command.condition)}:"
    yield words(*command.line.argv)


def _nothing(situation: Situation) -> str:
    match situation.mode:
        case Mode.MINT:
            why = "CCO is in mint mode: it makes what the target asks for by itself, from its root credential."
        case Mode.PASSTHROUGH:
            why = "CCO passes its root credential on to every component, and nothing shows that it lacks anything."
        case _ if situation.platform_traits is not None and situation.platform_traits.kind is None:
            why = f"On platform {situation.platform} no component asks for cloud credentials."
        case _ if not situation.hops:
            why = "A release could not be read, so there is nothing to compare."
        case _:
            why = "Nothing that the target asks for is missing, as far as is known."
    return _text(why)


def _no_annotation(plan: Plan) -> list[str]:
    if any(step.serves is Serves.ANNOTATION for step in plan.steps):
        return []
    name = _code(UPGRADEABLE_TO)
    return [f"The annotation {name} is not set here: {_text(plan.annotation)}."]


def _again(situation: Situation, plan: Plan) -> str:
    """Say how it shows that the steps were done: where identities cannot be judged, no proof is promised."""
    traits = situation.platform_traits
    if traits is not None and traits.kind is not None and provider_of_kind(traits.kind) is not None:
        return _AGAIN.format(_PROVES)
    granted = any(step.serves is Serves.GRANTS for step in plan.steps)
    return _AGAIN.format(_ACCEPTS if granted else "")


def _upgrade(situation: Situation, plan: Plan, commands: Sequence[str]) -> list[str]:
    if not commands:
        return []
    version = situation.hops[-1].new.version
    return [
        "## The upgrade",
        _again(situation, plan),
        f"{_code(f'oc adm upgrade recommend --version {version}')} {_RISKS}",
        markdown.fence(commands, "sh"),
    ]


def _why_none(situation: Situation) -> str:
    barred = next((hop.unsupported_reason for hop in situation.hops if not hop.supported), None)
    if barred is not None:
        return barred
    if situation.cluster is None and any(hop.kind != "none" for hop in situation.hops):
        return "no cluster was read; check the cluster itself before anything is upgraded"
    if situation.target is None or not situation.hops:
        return "no release could be compared"
    if all(hop.kind == "none" for hop in situation.hops):
        return "both releases are the same"
    return f"the cluster does not offer {situation.hops[0].new.version}, and its digest is not known here"


def _ccoctl(situation: Situation, plan: Plan) -> list[str]:
    if plan.ccoctl is None:
        return []
    unsure = situation.credentials is Credentials.UNKNOWN
    return [
        "## With ccoctl instead",
        "Where the identities were made with `ccoctl`, one run of the target's `ccoctl` takes the place of the steps "
        "that grant and of those that make Secrets (apply what it writes to `ccoctl-output/manifests`)."
        + (" Whether this cluster uses tokens could not be read." if unsure else ""),
        markdown.fence([words(*plan.ccoctl.line.argv)], "sh"),
        "\n".join(f"- {_text(trap)}" for trap in plan.ccoctl.traps),
        "The target's own `ccoctl`:",
        markdown.fence(
            [
                f"image=$(oc adm release info --image-for=cloud-credential-operator {quote(_pullspec(situation))})",
                'oc image extract "$image" --file=/usr/bin/ccoctl && chmod 0755 ccoctl',
            ],
            "sh",
        ),
    ]


def _pullspec(situation: Situation) -> str:
    """Return the target's image: as it was read, else as the cluster offers it."""
    target, cluster = situation.target, situation.cluster
    offers = cluster.offers.value if cluster is not None and isinstance(cluster.offers, Known) else ()
    offered = next((o.image for o in offers if target is not None and o.version == target.version), None)
    return (target.pullspec if target else None) or offered or "<FILL_ME: RELEASE_IMAGE>"


def _left(outcome: Outcome, plan: Plan) -> list[str]:
    """Say which open findings no step here ends."""
    unended = left(plan, outcome.judged)
    if not unended:
        return []
    lines = [f"- {_text(f.headline)} ({_code(f'upgrade-gate explain {f.rule}')})" for f in unended]
    return ["## What these steps do not solve", "\n".join(lines)]


def _accepted(outcome: Outcome) -> list[str]:
    lines = []
    for judged in outcome.judged:
        if judged.status is not Status.ACKNOWLEDGED or judged.match is None:
            continue
        entry = judged.match.acknowledgement
        who = f"acknowledged by {entry.owner} until {entry.expires.isoformat()}: {entry.reason}"
        lines.append(f"- {_text(judged.finding.headline)}: {_text(who)}")
    return ["## Acknowledged, so without a step here", "\n".join(lines)] if lines else []


def _files(plan: Plan, files: Sequence[str]) -> list[str]:
    clouds = {cloud.FOLDER: cloud for change in plan.changes if (cloud := remedy_of(change.kind)) is not None}
    rows = {
        f"{REQUESTS}/": "the requests that the target really applies here, ready for ccoctl; deleted, gated and "
        "foreign ones are left out, which ccoctl does not do itself",
        f"{REQUESTS}-new/": "the new ones alone",
        f"{REQUESTS}-on-the-way/": "those that a release on the way applies, and the target does not",
        "policies.patch": "what the policy files of the repository lack, for git apply or patch -p1",
        "namespaces/": "namespaces that must exist first",
        "secrets/": "Secrets with every key and no value",
        **{
            f"{folder}/": f"{cloud.FILES}, *.tf.json the same for Terraform, as data"
            for folder, cloud in sorted(clouds.items())
        },
        "report.html": "the report of the run that made this",
        "report.json": "the same as data; upgrade-gate ack --report reads it",
    }
    lines = [f"- {_code(head)}: {_text(what)}" for head, what in rows.items() if any(f.startswith(head) for f in files)]
    return ["## Files", "\n".join(lines)] if lines else []
