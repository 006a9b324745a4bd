"""What `plan` answers, for a terminal; the words are those of the report, and the HTML page shares them."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from upgrade_gate.base.text import one_line
from upgrade_gate.report import origins, view
from upgrade_gate.report.decision import listed
from upgrade_gate.requests.names import spoken

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from upgrade_gate.report.plan_document import Held, NewGrant, NewSecret, NewTrust, Option, Path, Plan

_WIDTH = 100
STATE: Final = {"pass": "PASS", "blocked": "BLOCKED", "undetermined": "CANNOT TELL"}
HELD: Final[dict[Held, str]] = {
    "yes": "held, proven",
    "no": "not held",
    "unknown": "not shown to be held",
    "acknowledged": "acknowledged",
    "declared": "declared by policy files",
    "minted": "CCO makes it",
}
"""Whether something is there today."""
_THERE: Final[dict[Held, str]] = {**HELD, "yes": "there", "no": "not there", "unknown": "not shown to be there"}
_MOST_NAMED = 12
"""Permissions of one kind that the text names; all of them stand in the other formats."""


def text(plan: Plan) -> bytes:
    """Return the answer as lines of text in UTF-8."""
    lines = [*_head(plan), "", plan.summary, *(["", *_unread(plan)] if plan.unread else [])]
    for option in plan.options:
        lines += ["", *_option(option, plan)]
    lines += ["", *_closing(plan)]
    return ("\n".join(row for line in lines for row in _wrapped(one_line_kept(line))) + "\n").encode("utf-8", "replace")


def one_line_kept(line: str) -> str:
    """Return a line harmless, with the spaces that it begins with."""
    body = line.lstrip(" ")
    return " " * (len(line) - len(body)) + one_line(body)


def _wrapped(line: str) -> list[str]:
    indent = len(line) - len(line.lstrip())
    return textwrap.wrap(
        line.lstrip(),
        _WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 2 if indent else 0),
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]


def _head(plan: Plan) -> Iterator[str]:
    cluster = plan.cluster
    if cluster is None:
        yield view.facts_read(None).capitalize()
    else:
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
    """Return what was asked."""
    start, source = plan.start.version, plan.question.source
    if plan.question.to_minor is None:
        return f"Updates from {start} that {source} offers" if plan.cluster else f"Updates from {start} in {source}"
    return f"Ways from {start} to {plan.question.to_minor} in {source}"


def judged_as(plan: Plan) -> str:
    """Return the platform and how the cluster gets its credentials."""
    kinds = {
        "unknown": "keys or tokens",
        "none": "no credentials",
        "keys": "static keys",
        "token": "short-lived tokens",
    }
    return f"{plan.platform or 'platform unknown'}, {plan.mode} mode, {kinds.get(plan.credentials, plan.credentials)}"


def _unread(plan: Plan) -> Iterator[str]:
    yield f"Releases that were not read ({len(plan.unread)})"
    for one in plan.unread:
        yield f"  {one.version}: {one.reason}"
        if one.hint:
            yield f"    {one.hint}"


def _option(option: Option, plan: Plan) -> Iterator[str]:
    yield f"{option.number}. {STATE[option.status]}  {releases(option, plan)}: {work(option)}"
    for grant in _named(option.grants):
        yield f"   + {grant_line(grant)}"
    if len(option.grants) > _MOST_NAMED:
        yield f"   and {view.counted(len(option.grants) - _MOST_NAMED, 'more permission')}, in the JSON answer"
    for line in origins.lines([one.grant for one in option.grants if one.held in ("no", "unknown")]):
        yield f"     origin {line}"
    for secret in option.secrets:
        yield f"   + {secret_line(secret)}"
    for trust in option.trust:
        yield f"   + {trust_line(trust)}"
    for finding in option.findings:
        yield f"   {finding.severity}: {finding.headline} ({finding.rule} {finding.fingerprint})"
    if option.unread:
        yield f"   not read: {', '.join(option.unread)}"
    for path in option.paths:
        yield f"   {way(path)}"
        for risk in risks(path):
            yield f"     {risk}"


def _named(grants: Sequence[NewGrant]) -> Sequence[NewGrant]:
    return grants[:_MOST_NAMED]


def releases(option: Option, plan: Plan) -> str:
    """Return the targets, neighbours as one range: `4.15.3 to 4.15.21, the same`."""
    order = [target.version for target in plan.targets]
    runs: list[list[str]] = []
    for version in option.targets:
        if runs and order.index(version) == order.index(runs[-1][-1]) + 1:
            runs[-1].append(version)
        else:
            runs.append([version])
    said = [run[0] if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs]
    return f"{', '.join(said)}{', all the same' if len(option.targets) > 1 else ''}"


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


def grant_line(one: NewGrant) -> str:
    """Return a permission with its component, and whether it is held."""
    return f"{spoken(one.request)}: {view.marked(one.grant)}, {HELD[one.held]}{_until(one.only_on_the_way)}"


def secret_line(one: NewSecret) -> str:
    """Return a Secret with its component, and whether it is there."""
    return f"{spoken(one.request)}: Secret {one.secret}, {_THERE[one.held]}{_until(one.only_on_the_way)}"


def trust_line(one: NewTrust) -> str:
    """Return new trust with its component, and whether it is there."""
    accounts = ", ".join(one.service_accounts)
    return f"{spoken(one.request)}: trust in {accounts}, {_THERE[one.held]}{_until(one.only_on_the_way)}"


def _until(only: bool) -> str:
    return "; only on the way, and may go again afterwards" if only else ""


def way(path: Path) -> str:
    """Return how to get to a release: straight, or by which stops, and how many ways come to the same."""
    via = path.stops[1:-1]
    said = f"to {path.to} {f'by way of {listed(via, len(via))}' if via else 'straight'}"
    if path.paths > 1:
        said += f"; {view.counted(path.paths - 1, 'other path comes', 'other paths come')} to the same"
    return said if path.least else f"{said} (there is a way with less work)"


def risks(path: Path) -> Iterator[str]:
    """Yield the named risks of each conditional update on a path."""
    for update in path.conditional:
        yield f"conditional from {update.from_} to {update.to}: {'; '.join(update.risks)}"


def _closing(plan: Plan) -> Iterator[str]:
    if plan.assumptions:
        yield f"Taken for granted: {listed(plan.assumptions, 3)}."
    left = [target for target in plan.targets if target.left_out]
    for target in left:
        yield f"To {target.version} {target.left_out} of {view.counted(target.paths, 'path')} were not judged."
    if any(option.status != "undetermined" for option in plan.options):
        yield "Before an update: upgrade-gate check --to with the release that you choose, and --via for each stop."
