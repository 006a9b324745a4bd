"""What a change board decides from: the sentence to act on, a row for each component, and three short answers.

Nothing here is invented: every word rests on a finding, a permission or the verdict of the report. The order and the
questions are those of docs/contract.md#reports.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from upgrade_gate.report import closing, view
from upgrade_gate.report.asked import asked
from upgrade_gate.requests.names import spoken

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from upgrade_gate.report.document import FindingView, Report, VerdictView
    from upgrade_gate.report.grant_document import GrantView

RISKS: Final = {
    "ESCALATE": "can gain further rights",
    "IMPERSONATE": "can act as another identity",
    "DATA": "can read data or secrets",
    "DESTROY": "can delete or lock for good",
    "COST": "can cost money",
    "NETWORK-EXPOSE": "can open something to a network",
    "BREADTH": "wider than one named operation",
}
"""What each class of risk means, in words."""

_ACCESS: Final = {
    "list": "read only",
    "read": "read only",
    "tagging": "changes tags",
    "write": "changes things",
    "permissions-management": "changes permissions",
}
_NEW: Final = frozenset({"permission-added", "permission-widened", "request-added"})
"""Rules whose grants are what the release newly asks for; a headline of theirs would only count them."""
_ALL_NAMED: Final = 6
"""Up to this many rows, every permission is named; beyond, the first of each row and how many more."""
_NAMED: Final = 8
_TOLD: Final = 4
"""Of so many components it is told what happens to them."""


class Answer(Struct, frozen=True):
    """A short answer in a cell: words, and whether it is good, bad, open or settled."""

    text: str
    tone: Literal["good", "bad", "open", "settled", "none"]


_NONE: Final = Answer("", "none")


class Row(Struct, frozen=True):
    """One component on one hop, or one thing about the cluster or the run."""

    name: str
    """The component as people say it, or what else it is about."""
    request: str | None
    """`namespace/name`; None where it is about no request."""
    hop: int
    grants: tuple[GrantView, ...]
    """What is newly asked for, or lacking; risky ones first."""
    more: int
    """How many further permissions are not named here."""
    lacking: tuple[GrantView, ...]
    """Those of all its permissions that are not shown to be held."""
    settled: dict[str, str]
    """Of the others, where some are lacking: the text of each, and whether it is held or declared."""
    unsure: bool
    """Whether some of these may be held all the same."""
    sentences: tuple[str, ...]
    """What is to be known besides permissions."""
    risks: tuple[str, ...]
    """In words, gravest first."""
    uses: tuple[str, ...]
    """What the other permissions let their holder do."""
    held: Answer
    """Does the cluster's identity have it today?"""
    stopped: Answer
    """Would OpenShift stop the update because of it?"""
    findings: tuple[FindingView, ...]
    """Those that the row stands for, worst first."""


class Stop(Struct, frozen=True):
    """A release on the path and what the hop to it adds."""

    version: str
    kind: str
    """What kind of update leads here; empty for the first release."""
    adds: str
    """In words; empty where nothing is added or where it is the first release."""


class Box(Struct, frozen=True):
    """One of the three answers."""

    title: str
    sentences: tuple[str, ...]


class Decision(Struct, frozen=True):
    """The first screen and the first printed page."""

    headline: str
    """What to do, as a sentence."""
    says: tuple[str, ...]
    """Why, in one or two sentences."""
    judged: str
    """When, and how old the cluster's data are."""
    path: tuple[Stop, ...]
    rows: tuple[Row, ...]
    boxes: tuple[Box, ...]


def decision(report: Report) -> Decision:
    """Return what to decide from; a report without verdict (a diff) has neither rows nor boxes."""
    if report.verdict is None:
        return Decision(view.sentence(report), (), _judged(report), _path(report), (), ())
    rows = _rows(report)
    return Decision(
        headline=_headline(report),
        says=_says(report, rows),
        judged=_judged(report),
        path=_path(report),
        rows=rows,
        boxes=(_if_we_go_ahead(report, rows), _to_pass(report), _how_sure(report)),
    )


def _update(report: Report) -> str:
    """Return the update in short: `4.13.9 → 4.14.3`; empty where the releases were not read."""
    first, last = report.hops[0].from_.version, report.hops[-1].to.version
    return f"{first} → {last}" if first and last else ""


def _headline(report: Report) -> str:
    verdict, update = report.verdict, _update(report)
    if verdict is None:
        return ""
    if not update:
        return "Do not start the update yet: the releases could not be read"
    match verdict.status, verdict.next:
        case "blocked", "annotate":
            return f"{update} needs only the annotation now"
        case "blocked", _:
            return f"Do not start {update} yet"
        case "undetermined", _:
            return f"Do not start {update} yet: nobody can tell whether it is safe"
        case _, "none":
            return f"Nothing to do: the cluster already runs {report.hops[-1].to.version}"
        case _, "check-cluster":
            return f"Nothing in the releases speaks against {update}: check the cluster next"
    return f"{update} can start" if verdict.basis == "proven" else f"{update} can start, on assumptions"


def _judged(report: Report) -> str:
    """Return when it was judged and how old the data of the cluster are."""
    text = f"Judged {_moment(report.now or report.generated)}"
    cluster = report.cluster
    if cluster is None:
        return text
    if cluster.collected is None:
        fresh = cluster.source.startswith("live") or cluster.source.startswith("http")
        return f"{text}, cluster read live" if fresh else f"{text}, age of the cluster's data unknown"
    return f"{text}, cluster's data {_age(cluster.collected, report.now or report.generated)}"


def _time(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _moment(text: str) -> str:
    moment = _time(text)
    return moment.astimezone(UTC).strftime("%d %b %Y %H:%M UTC").lstrip("0") if moment else text


def _age(collected: str, judged: str) -> str:
    then, now = _time(collected), _time(judged)
    if then is None or now is None:
        return f"of {collected}"
    age = now - then
    if age < timedelta(0):
        return f"of {_moment(collected)}"
    if age < timedelta(hours=1):
        return "less than an hour old"
    hours = int(age.total_seconds() // 3600)
    return f"{view.counted(hours, 'hour')} old" if hours < 48 else f"{view.counted(age.days, 'day')} old"


def _path(report: Report) -> tuple[Stop, ...]:
    stops = [Stop(report.hops[0].from_.version or "not read", "", "")]
    for number, hop in enumerate(report.hops):
        changes = [change for change in report.changes if change.hop == number]
        new = sum(len(view.diff_of(change).new) for change in changes)
        came = sum(change.kind == "added" for change in changes)
        adds = [view.counted(new, "new permission")] if new else []
        adds += [view.counted(came, "new component")] if came else []
        kind = "same release" if hop.kind == "none" and hop.to.version else hop.kind if hop.to.version else ""
        stops.append(Stop(hop.to.version or "not read", kind, ", ".join(adds)))
    return tuple(stops)


def _rows(report: Report) -> tuple[Row, ...]:
    """Group what may need work by component and hop, worst first; what is about no component comes after."""
    groups: dict[tuple[str, int], list[FindingView]] = {}
    for finding in view.sections(report.findings).all:
        if finding.severity != "info":
            key = finding.request or f"{finding.rule}\0{finding.subject}"
            groups.setdefault((key, finding.hop if finding.request else -1), []).append(finding)
    ordered = sorted(groups.values(), key=lambda found: _place(found[0]))
    few = len(ordered) <= _ALL_NAMED
    return tuple(_row(found, named=None if few else _NAMED) for found in ordered)


def _place(worst: FindingView) -> tuple[bool, bool, int, bool]:
    """Open before settled; components before the cluster; the annotation, the last step of all, last."""
    annotation = worst.rule == "cco-not-upgradeable"
    return worst.status != "open", annotation, worst.request is None, worst.guard == "stopped"


def _row(found: Sequence[FindingView], *, named: int | None) -> Row:
    grants = [g for f in found for g in f.grants if g.covered_by is None and g.held_by is None and _lists(f)]
    grants = sorted({view.grant_text(g): g for g in grants}.values(), key=view.grant_order)
    shown = tuple(grants[:named])
    states = [(g, view.state_of_grant(f, g)) for f in found if f.status != "proven" for g in f.grants]
    open_ones = {view.grant_text(g): state for g, state in states if state in {"unmet", "unknown"}}
    words = {view.grant_text(g): "held" if state == "met" else "declared" for g, state in states}
    settled = {text: word for text, word in words.items() if text not in open_ones}
    lacking = tuple(g for g in grants if view.grant_text(g) in open_ones)
    first = found[0]
    return Row(
        name=spoken(first.request) if first.request else _about(first),
        request=first.request,
        hop=first.hop,
        grants=shown,
        more=len(grants) - len(shown),
        lacking=lacking,
        settled=settled if lacking else {},
        unsure="unknown" in open_ones.values(),
        sentences=tuple(dict.fromkeys(_plain(f) for f in found if f.rule not in _NEW or not f.grants)),
        risks=_risks(grants),
        uses=_uses(grants),
        held=_held(found, 0 if "declared" in settled.values() else len(grants) - len(lacking), len(grants)),
        stopped=_stopped(found),
        findings=tuple(found),
    )


def _lists(finding: FindingView) -> bool:
    """Whether the finding's grants are named: what is new, and what an identity lacks."""
    return finding.rule in _NEW or finding.rule.startswith("identity-")


def _about(finding: FindingView) -> str:
    """Return what a finding without a request is about, for its first column."""
    match finding.rule:
        case "cco-not-upgradeable" | "cco-unhealthy" | "cco-verdict-unproven" | "cco-overridden":
            return "Cloud Credential Operator"
        case "nothing-to-judge" if finding.subject == "cluster":
            return "Not read"
        case "fact-unknown":
            return "Not read"
        case "update-in-progress" | "target-not-offered" | "cluster-not-upgradeable" | "hop-unsupported":
            return "The update itself"
        case "payload-incomplete" | "manifest-unreadable" | "release-unverified" | "nothing-to-judge":
            return "The release"
        case "root-credential-missing" | "root-credential-insufficient":
            return "Root credential"
        case rule if rule.startswith("acknowledgement"):
            return "Acknowledgement"
        case _:
            return "Cluster"


def _plain(finding: FindingView) -> str:
    if finding.rule == "cco-not-upgradeable" and any("annotate" in step.argv for step in finding.remedy):
        return "Its annotation does not name this target yet: the last step, once the other rows are closed."
    return finding.headline


def _risks(grants: Sequence[GrantView]) -> tuple[str, ...]:
    marks = {risk for g in grants for risk in g.risk}
    return (*(said for risk, said in RISKS.items() if risk in marks), *sorted(marks - RISKS.keys()))


def _uses(grants: Sequence[GrantView]) -> tuple[str, ...]:
    plain = {_ACCESS[g.access] for g in grants if not g.risk and g.access}
    return tuple(said for said in dict.fromkeys(_ACCESS.values()) if said in plain)


def _held(found: Sequence[FindingView], held: int, of: int) -> Answer:
    """Say whether it is there; where nothing but permissions is missing and some are held, how many."""
    if all(f.status == "acknowledged" for f in found):
        return Answer("acknowledged", "settled")
    needs = [need for f in found for need in f.needs if need.kind != "decision" and f.status != "acknowledged"]
    states = {need.status for need in needs}
    grants_alone = all(n.kind == "grants" for n in needs if n.status in {"unmet", "unknown"})
    part = f"{held} of {of}" if held and grants_alone else ""
    answers = (
        ("unmet", Answer(part or "no", "bad")),
        ("unknown", Answer(part or "not shown", "open")),
        ("declared", Answer("declared", "settled")),
    )
    for state, answer in answers:
        if state in states:
            return answer
    return Answer("yes, proven", "good") if states else _NONE


def _stopped(found: Sequence[FindingView]) -> Answer:
    guards = {f.guard for f in found if f.guard}
    settled = all(f.status != "open" for f in found)
    if "missed" in guards:
        return Answer("no", "none" if settled else "bad")
    return Answer("yes", "none" if settled else "good") if guards else _NONE


def _open(rows: Iterable[Row]) -> tuple[Row, ...]:
    return tuple(row for row in rows if any(f.status == "open" and f.severity != "warning" for f in row.findings))


def _names(rows: Iterable[Row], most: int = 3) -> str:
    names = list(dict.fromkeys(row.name for row in rows))
    return listed(names, most)


def listed(names: Sequence[str], most: int) -> str:
    """Return names as a person lists them: `a, b and c`, or the first and how many more."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def _says(report: Report, rows: Sequence[Row]) -> tuple[str, ...]:
    if report.verdict and report.verdict.status == "pass":
        return (_passes(report, rows),)
    work = [row for row in _open(rows) if row.request]
    permissions = sum(len(row.lacking) for row in work)
    said = []
    if permissions:
        asking = [row for row in work if row.lacking]
        unsure = any(row.unsure for row in asking)
        shown = "that nobody has shown to be granted" if unsure else "that the identities do not hold"
        names = len({row.request for row in asking})
        text = f"{_number(names)} need{'s' if names == 1 else ''} {view.counted(permissions, 'cloud permission')}"
        said.append(f"{text} {shown}.")
    elif work:
        said.append(f"{_number(len({row.request for row in work}))} cannot work after the update as things are.")
    missed = [row for row in work if any(f.guard == "missed" and f.status == "open" for f in row.findings)]
    if missed and len(missed) == len(work):
        it, they = ("it", "the component") if len({r.request for r in missed}) == 1 else ("them", "the components")
        said.append(f"OpenShift itself would not stop the update because of {it}; {they} would fail afterwards.")
    elif missed:
        said.append(f"OpenShift itself would not stop the update because of {_names(missed)}.")
    unknown = sum(f.severity == "unknown" for row in _open(rows) for f in row.findings if f.status == "open")
    if not said and unknown:
        said = [f"{view.counted(unknown, 'question is', 'questions are')} open; the table says what is missing."]
    if not said and report.verdict:
        said = [view.sentence(report)[:1].upper() + view.sentence(report)[1:]]
    return tuple(said)


def _passes(report: Report, rows: Sequence[Row]) -> str:
    """Say why nothing stands in the way."""
    if report.cluster is None:
        if report.verdict and report.verdict.basis == "declared":
            return "The policy files declare all that the releases ask for; whether they are applied was not checked."
        return "The releases ask for nothing that would have to be granted first."
    accepted = sum(any(f.status == "acknowledged" for f in row.findings) for row in rows)
    text = "Nothing needs to be done before the update."
    if accepted:
        return f"{text} {view.counted(accepted, 'row')} below {'was' if accepted == 1 else 'were'} acknowledged."
    if rows and all(f.status == "proven" for row in rows for f in row.findings):
        return f"{text} What is new is granted already, and that is proven."
    return text


def _number(number: int) -> str:
    words = ("no", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")
    return f"{words[number] if 0 < number < len(words) else number} component{'' if number == 1 else 's'}"


def _if_we_go_ahead(report: Report, rows: Sequence[Row]) -> Box:
    title, verdict = "If we go ahead anyway", report.verdict
    if verdict and verdict.status == "pass":
        if verdict.next == "none":
            return Box("If we go ahead", ("Nothing changes: it is the same release.",))
        if verdict.next == "check-cluster":
            return Box("If we go ahead", ("The releases alone do not tell: the cluster was not read.",))
        return Box("If we go ahead", _after_a_pass(verdict, rows))
    work, said = _open(rows), []
    by_request: dict[str, list[Row]] = {}
    for row in work:
        if row.request:
            by_request.setdefault(row.request, []).append(row)
    for of_one in list(by_request.values())[:_TOLD]:
        said += _consequence(of_one)
    more = len(by_request) - _TOLD
    said += [f"The same goes for {view.counted(more, 'further component')}."] if more > 0 else []
    refusals = [f for row in work for f in row.findings if f.rule == "cco-not-upgradeable" and f.severity == "blocker"]
    if refusals:
        until = (
            "once the annotation is set" if any(map(view.waits_for_the_rest, refusals)) else "once CCO's reason is gone"
        )
        said.append(f"Today OpenShift refuses this update; it no longer does {until}.")
    unread = [f for row in work for f in row.findings if f.severity == "unknown"]
    if unread:
        said.append(f"Nobody can tell: {view.counted(len(unread), 'question is', 'questions are')} open.")
    return Box(title, tuple(said) or ("The findings below say what is at stake.",))


def _after_a_pass(verdict: VerdictView, rows: Sequence[Row]) -> tuple[str, ...]:
    """Say what a pass rests on; what was acknowledged is accepted, and nothing shows that it is in place."""
    accepted = [row for row in rows if any(f.status == "acknowledged" for f in row.findings)]
    what = "Everything else" if accepted else "Every component"
    good = f"{what} has what it asks for, as far as this report can see."
    said = good if verdict.basis == "proven" else f"It goes well if {listed(verdict.assumptions, 2)}."
    if not accepted:
        return (said,)
    return (f"Acknowledged without proof, and may still fail: {_names(accepted)}.", said)


def _consequence(rows: Sequence[Row]) -> list[str]:
    """Say what happens to one component, over all hops; empty where its findings do not tell."""
    name, names = rows[0].name, list(dict.fromkeys(g.permission for row in rows for g in row.lacking))
    tones = {row.held.tone for row in rows}
    if names:
        already = f", unless {'it is' if len(names) == 1 else 'they are'} granted already"
        unless = already if any(row.unsure for row in rows) else ""
        return [f"{name} is refused {listed(names, 1 if any(row.more for row in rows) else 2)}{unless}."]
    if tones & {"bad", "open"}:
        sentence = next((row.sentences[0] for row in rows if row.sentences), "")
        return [f"{name} may fail: {sentence}." if sentence else f"{name} may fail."]
    return []


def _to_pass(report: Report) -> Box:
    verdict = report.verdict
    if verdict and verdict.status == "pass":
        step = closing.next_step(report)
        return Box("Next step", (step if not verdict.command else "Start the update with the command above.",))
    return Box("To turn this into a pass", (asked(report) or closing.next_step(report),))


def _how_sure(report: Report) -> Box:
    read = view.facts_read(report.cluster)
    said = [f"{read[:1].upper()}{read[1:]}."]
    verdict = report.verdict
    unchecked = list(verdict.assumptions) if verdict else []
    if unchecked:
        said.append(f"Taken for granted: {listed(unchecked, 3)}.")
    releases = [hop.to for hop in report.hops] + [hop.from_ for hop in report.hops[:1]]
    loose = sum(bool(release.version) and not release.verified for release in releases)
    if loose:
        said.append(f"The signature of {view.counted(loose, 'release')} was not checked.")
    if report.identities is None and any(f.grants and f.status == "open" for f in report.findings):
        said.append("No export of the identities was given, so nothing is proven about what they hold.")
    return Box("How sure is this", tuple(said))
