"""What `plan` answers, for a terminal; the words are those of the report, and the HTML page shares them."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from upgrade_gate.base.text import one_line
from upgrade_gate.report import origins, view
from upgrade_gate.report.decision import listed
from upgrade_gate.report.plan_document import NewGrant, NewSecret, NewTrust, OpenFinding
from upgrade_gate.report.plan_items import ITEMISED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from upgrade_gate.report.plan_document import Held, Option, Path, Plan

_Item = TypeVar("_Item")
_WIDTH = 100
HELD: Final[dict[Held, str]] = {
    "yes": "held, proven",
    "no": "not held",
    "unknown": "not shown to be held",
    "acknowledged": "acknowledged",
    "declared": "declared by policy files",
    "minted": "CCO makes it",
}
"""Whether something is there today."""
THERE: Final[dict[Held, str]] = {**HELD, "yes": "there", "no": "not there", "unknown": "not shown to be there"}
"""The same of a Secret or of trust."""
_OPEN_FIRST: Final = ("no", "unknown", "acknowledged", "declared", "yes", "minted")
MAY_GO: Final = "What is needed only in between may go again once the cluster runs the target and will not go back."
_MANY = 1000
"""From so many paths on their number tells nobody anything."""
_MOST_NAMED = 12
"""Permissions of one component that the text names; all of them stand in the other formats."""


def text(plan: Plan) -> bytes:
    """Return the answer as lines of text in UTF-8."""
    lines = [*_head(plan), "", plan.summary, *(["", *_unread(plan)] if plan.unread else [])]
    for option in plan.options:
        lines += ["", *_option(option, plan)]
    lines += ["", *_closing(plan)]
    return ("\n".join(row for line in lines for row in _wrapped(line)) + "\n").encode("utf-8", "replace")


def _wrapped(line: str) -> list[str]:
    indent = len(line) - len(line.lstrip())
    return textwrap.wrap(
        one_line(line.lstrip()),
        _WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 2 if indent else 0),
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]


def _head(plan: Plan) -> Iterator[str]:
    cluster = plan.cluster
    if cluster is None and plan.start.version:
        yield view.facts_read(None).capitalize()
    elif cluster is not None:
        yield ", ".join(part for part in (cluster.name or cluster.id or "unnamed cluster", cluster.api_url) if part)
        collected = f", collected {cluster.collected}" if cluster.collected else ""
        yield f"  id {cluster.id or 'unknown'}, from {cluster.source}{collected}"
    for key, value in plan.labels.items():
        yield f"  label {key}={value}"
    yield question(plan)
    yield f"  {judged_as(plan)}"
    for note in plan.notes:
        yield f"  {note}"


def question(plan: Plan) -> str:
    """Return what was asked; where there was nothing to plan from, that it has no answer."""
    start, minor, source = plan.start.version, plan.question.to_minor, plan.question.source
    if not start:
        return f"The ways to {minor} are not known" if minor else "The updates that are offered are not known"
    if minor is None:
        return f"Updates from {start} that {source} offers" if plan.cluster else f"Updates from {start} in {source}"
    return f"Ways from {start} to {minor} in {source}"


def judged_as(plan: Plan) -> str:
    """Return the platform and how the cluster gets its credentials."""
    either = plan.cluster is None and bool(plan.options)
    said = view.mode_and_credentials(plan.mode, plan.credentials, either=either)
    return ", ".join((plan.platform or "platform unknown", *said))


def _unread(plan: Plan) -> Iterator[str]:
    yield f"Releases that were not read ({len(plan.unread)})"
    for one in plan.unread:
        yield f"  {one.version}: {one.reason}"
        if one.hint:
            yield f"    {one.hint}"


def _option(option: Option, plan: Plan) -> Iterator[str]:
    yield f"{option.number}. {view.STATES[option.status]}  {releases(option, plan)}: {work(option)}"
    told = shown(option, plan)
    if told.besides:
        yield f"   besides what {told.besides} asks for:"
    for line in (*grant_lines(told.grants), *map(secret_line, told.secrets), *map(trust_line, told.trust)):
        yield f"   + {line}"
    for finding in told.findings:
        yield f"   {finding.severity}: {finding.headline} ({finding.rule} {finding.fingerprint})"
    if option.unread:
        yield f"   not read: {', '.join(option.unread)}"
    for group in ways(option, plan):
        yield f"   {group.text}"
        for risk in group.risks:
            yield f"     {risk}"


class Shown(Struct, frozen=True):
    """What is told of an option: all that it asks for, or what it asks for besides another one."""

    besides: int
    """The number of the option with less work to the same releases, all of which is asked for here too; 0 for none."""
    grants: tuple[NewGrant, ...]
    secrets: tuple[NewSecret, ...]
    trust: tuple[NewTrust, ...]
    findings: tuple[OpenFinding, ...]
    """Those that are about none of these."""


def shown(option: Option, plan: Plan) -> Shown:
    """Return what is to be told of an option."""
    ordered = sorted(option.grants, key=lambda one: (_OPEN_FIRST.index(one.held), one.component))
    whole = Shown(0, tuple(ordered), tuple(option.secrets), tuple(option.trust), _others(option))
    bases = {target.option for target in plan.targets if target.version in option.targets}
    if len(bases) != 1 or option.number in bases or option.unread:
        return whole
    (number,) = bases
    base = plan.options[number - 1]
    grants, secrets = _beyond(ordered, base.grants), _beyond(option.secrets, base.secrets)
    trust, findings = _beyond(option.trust, base.trust), _beyond(_others(option), _others(base))
    if grants is None or secrets is None or trust is None or findings is None:
        return whole
    return Shown(number, grants, secrets, trust, findings)


def _beyond(mine: Sequence[_Item], base: Sequence[_Item]) -> tuple[_Item, ...] | None:
    """Return what is in the first alone; None where the second has anything of its own."""
    known = [_plain(item) for item in base]
    own = tuple(item for item in mine if _plain(item) not in known)
    return own if len(mine) - len(own) == len(base) else None


def _plain(item: object) -> object:
    """Return an item without by what its permission came: that may be another change on another path."""
    return replace(item, grant=replace(item.grant, introduced=None)) if isinstance(item, NewGrant) else item


def _others(option: Option) -> tuple[OpenFinding, ...]:
    return tuple(finding for finding in option.findings if finding.rule not in ITEMISED)


def releases(option: Option, plan: Plan) -> str:
    """Return the targets, neighbours as one range: `4.15.3 to 4.15.21, all the same`."""
    return f"{_ranges(option.targets, plan)}{', all the same' if len(option.targets) > 1 else ''}"


def _ranges(versions: Sequence[str], plan: Plan) -> str:
    order = {target.version: place for place, target in enumerate(plan.targets)}
    runs: list[list[str]] = []
    for version in versions:
        if runs and order[version] == order[runs[-1][-1]] + 1:
            runs[-1].append(version)
        else:
            runs.append([version])
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)


def work(option: Option) -> str:
    """Return how much there is to do, in words."""
    if option.unread:
        return "a release on the way was not read"
    left = option.work
    said = [
        view.counted(number, noun, plural)
        for number, noun, plural in (
            (left.permissions, "permission to grant or to show", "permissions to grant or to show"),
            (left.secrets, "Secret to make", "Secrets to make"),
            (left.trust, "identity to extend its trust", "identities to extend their trust"),
            (left.other, "other finding", "other findings"),
        )
        if number
    ]
    if option.next == "annotate":
        return "only the annotation is missing"
    if said:
        return listed(said, len(said))
    return "nothing to do before" + ("" if option.basis == "proven" else ", on assumptions")


def new(option: Option) -> str:
    """Return how much is new, held or not, in words."""
    said = [
        view.counted(number, noun)
        for number, noun in (
            (len(option.grants), "permission"),
            (len(option.secrets), "Secret"),
            (sum(len(trust.service_accounts) for trust in option.trust), "trusted account"),
        )
        if number
    ]
    return "not known" if option.unread else listed(said, len(said)) or "nothing"


def may_go(option: Option) -> str:
    """Return that some of what is new is needed only in between, empty where nothing is."""
    items = (*option.grants, *option.secrets, *option.trust)
    return MAY_GO if any(item.only_on_the_way for item in items) else ""


def grant_lines(grants: Sequence[NewGrant]) -> Iterator[str]:
    """Yield the permissions of each component, those of which the same is known together."""
    alike: dict[tuple[str, Held, bool], list[NewGrant]] = {}
    for one in grants:
        alike.setdefault((one.component, one.held, one.only_on_the_way), []).append(one)
    for (component, held, only), found in alike.items():
        names = [view.marked(one.grant) for one in sorted(found, key=lambda one: view.grant_order(one.grant))]
        yield f"{component}, {HELD[held]}{_until(only)}: {listed(names, _MOST_NAMED)}"


def secret_line(one: NewSecret) -> str:
    """Return a Secret with its component, and whether it is there."""
    return f"{one.component}, {THERE[one.held]}{_until(one.only_on_the_way)}: Secret {one.secret}"


def trust_line(one: NewTrust) -> str:
    """Return new trust with its component, and whether it is there."""
    accounts = ", ".join(one.service_accounts)
    return f"{one.component}, {THERE[one.held]}{_until(one.only_on_the_way)}: trust in {accounts}"


def _until(only: bool) -> str:
    return ", needed only in between" if only else ""


class Group(Struct, frozen=True):
    """Targets that are reached by the same stops."""

    text: str
    """Which, and by what way."""
    risks: tuple[str, ...]
    """Of the conditional updates on it, one line each."""


def ways(option: Option, plan: Plan) -> tuple[Group, ...]:
    """Return how to get to the targets of an option: straight, or by which stops; those with the same ones together."""
    groups: dict[object, list[Path]] = {}
    for path in option.paths:
        risky = tuple((update.to == path.to, tuple(update.risks)) for update in path.conditional)
        groups.setdefault((tuple(path.stops[1:-1]), path.least, risky), []).append(path)
    return tuple(_group(paths, plan) for paths in groups.values())


def _group(paths: Sequence[Path], plan: Plan) -> Group:
    first, via = paths[0], paths[0].stops[1:-1]
    said = f"{_ranges([path.to for path in paths], plan)} {f'by way of {listed(via, len(via))}' if via else 'straight'}"
    more = max(path.paths for path in paths) - 1
    if more and len(paths) == 1 and more < _MANY:
        said += f"; {view.counted(more, 'other path comes', 'other paths come')} to the same"
    elif more:
        said += "; other paths come to the same"
    risks: dict[str, list[str]] = {}
    for path in paths:
        for update in path.conditional:
            risks.setdefault("; ".join(update.risks), []).append(f"{update.from_} to {update.to}")
    return Group(
        said if first.least else f"{said} (there is a way with less work)",
        tuple(f"conditional, {', '.join(dict.fromkeys(updates))}: {risk}" for risk, updates in risks.items()),
    )


def _closing(plan: Plan) -> Iterator[str]:
    asked = [one for option in reversed(plan.options) for one in option.grants if one.held in ("no", "unknown")]
    grants = {view.grant_text(one.grant): one.grant for one in asked}
    for line in origins.lines(sorted(grants.values(), key=view.grant_order)):
        yield f"origin {line}"
    if any(may_go(option) for option in plan.options):
        yield MAY_GO
    if plan.assumptions:
        yield f"Taken for granted: {listed(plan.assumptions, 3)}."
    left = [target for target in plan.targets if target.left_out]
    for target in left:
        yield f"To {target.version} {target.left_out} of {view.counted(target.paths, 'path')} were not judged."
    if any(option.status != "undetermined" for option in plan.options):
        yield "Before an update: upgrade-gate check --to with the release that you choose, and --via for each stop."
