"""Put the judged ways to several releases in order: those that come to the same together, least work first."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from upgrade_gate import __version__
from upgrade_gate.base import versions
from upgrade_gate.base.facts import known_or
from upgrade_gate.base.text import without_credentials
from upgrade_gate.report import plan_document as document
from upgrade_gate.report.build import generated
from upgrade_gate.report.document import Tool
from upgrade_gate.report.plan_items import ITEMISED, Items, of_judgement
from upgrade_gate.report.view import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from upgrade_gate.cluster.facts_table import Cluster
    from upgrade_gate.gate.outcome import Judgement
    from upgrade_gate.gate.verdict import Weights
    from upgrade_gate.report.grant_document import GrantView
    from upgrade_gate.requests.routes import Edge, Routes, Way

MOST = 2**53 - 1
"""The largest number that every reader of JSON knows exactly; there can be more paths."""
_RANK: dict[str, int] = {"pass": 0, "blocked": 1, "undetermined": 2}
_NOTHING = Items((), (), (), (), document.Work(permissions=0, secrets=0, trust=0, other=0))


class Judged(Struct, frozen=True):
    """A way to a release, and what the gate made of it."""

    target: str
    way: Way
    judgement: Judgement | None
    """None where a release on it was not read."""


class Asked(Struct, frozen=True):
    """What was asked, and of what."""

    question: document.Question
    start: document.Start
    platform: str
    mode: str
    credentials: str
    cluster: Cluster | None
    risks: Mapping[Edge, tuple[str, ...]]
    """Of conditional updates."""
    unread: tuple[document.Unread, ...] = ()
    notes: tuple[str, ...] = ()
    labels: Mapping[str, str] = {}
    now: str | None = None
    nothing: str = ""
    """Why there is nothing to judge; empty where there is."""


def build(asked: Asked, routes: Routes, judged: Sequence[Judged], weights: Weights) -> document.Plan:
    """Return the answer."""
    options = _options(asked, judged, weights)
    targets = [_target(version, options, routes) for version in routes.ways]
    whole = bool(targets) and not routes.left_out and all(option.status != "undetermined" for option in options)
    assumptions = {a for one in judged if one.judgement for a in one.judgement.verdict.basis.assumptions}
    cluster = asked.cluster
    return document.Plan(
        schema=document.SCHEMA,
        tool=Tool(name="upgrade-gate", version=__version__),
        generated=generated(),
        labels=dict(sorted(asked.labels.items())),
        now=asked.now,
        question=asked.question,
        start=replace(asked.start, reference=without_credentials(asked.start.reference)),
        platform=asked.platform,
        mode=asked.mode,
        credentials=asked.credentials,
        cluster=None
        if cluster is None
        else document.Cluster(
            id=known_or(cluster.id, None),
            name=known_or(cluster.name, None),
            api_url=known_or(cluster.api_url, None),
            source=cluster.description,
            collected=cluster.collected,
        ),
        exit_code=0 if whole else 4,
        summary=_summary(asked, targets, options),
        targets=targets,
        options=options,
        unread=[replace(one, reference=without_credentials(one.reference)) for one in asked.unread],
        assumptions=sorted(assumptions),
        notes=list(asked.notes),
    )


def _options(asked: Asked, judged: Sequence[Judged], weights: Weights) -> list[document.Option]:
    """Group what comes to the same, and number the groups: passes first, then by how much is left to do."""
    groups: dict[object, list[tuple[Judged, Items]]] = {}
    for one in judged:
        items = of_judgement(one.judgement, weights) if one.judgement is not None else _NOTHING
        groups.setdefault(_alike(one, items), []).append((one, items))
    made = sorted((_option(asked, members) for members in groups.values()), key=_least)
    best: dict[str, tuple[object, ...]] = {}
    for option in made:
        for target in option.targets:
            best.setdefault(target, _much(option))
    return [
        replace(option, number=number, paths=[replace(p, least=best[p.to] == _much(option)) for p in option.paths])
        for number, option in enumerate(made, 1)
    ]


def _alike(one: Judged, items: Items) -> object:
    """Return what two ways must share to come to the same: the verdict, and every item, held or not.

    On which stop of its way an item is first asked for makes other findings of the same work.
    """
    if one.judgement is None:
        return one.way.unread
    verdict = one.judgement.verdict
    grants = tuple((g.request, g.secret, _grant(g.grant), g.held, g.only_on_the_way) for g in items.grants)
    secrets = tuple((s.request, s.secret, s.held, s.only_on_the_way) for s in items.secrets)
    trust = tuple((t.request, t.secret, tuple(t.service_accounts), t.held, t.only_on_the_way) for t in items.trust)
    findings = tuple((f.rule, f.severity, f.fingerprint) for f in items.findings if f.rule not in ITEMISED)
    return (verdict.status, verdict.basis.name, verdict.next, grants, secrets, trust, findings)


def _grant(grant: GrantView) -> tuple[object, ...]:
    said = (grant.type, grant.permission, grant.effect, grant.resource, repr(grant.condition), repr(grant.scope))
    return (*said, grant.covered_by)


def _option(asked: Asked, members: Sequence[tuple[Judged, Items]]) -> document.Option:
    (first, items), *_ = members
    verdict = first.judgement.verdict if first.judgement is not None else None
    by_target: dict[str, list[Way]] = {}
    for one, _ in members:
        by_target.setdefault(one.target, []).append(one.way)
    return document.Option(
        number=0,
        status=verdict.status if verdict is not None else "undetermined",
        basis=verdict.basis.name if verdict is not None else "assumed",
        next=verdict.next if verdict is not None else "retry",
        work=items.work,
        targets=sorted(by_target, key=versions.of),
        grants=list(items.grants),
        secrets=list(items.secrets),
        trust=list(items.trust),
        findings=list({found.fingerprint: found for _, each in members for found in each.findings}.values()),
        unread=list(first.way.unread),
        paths=[_path(target, by_target[target], asked.risks) for target in sorted(by_target, key=versions.of)],
    )


def _path(target: str, ways: Sequence[Way], risks: Mapping[Edge, tuple[str, ...]]) -> document.Path:
    found = [(_conditional(way, risks), way) for way in ways]
    conditional, best = min(found, key=lambda one: (len(one[0]), len(one[1].stops), [*map(versions.of, one[1].stops)]))
    return document.Path(
        to=target,
        stops=list(best.stops),
        paths=min(sum(way.paths for way in ways), MOST),
        conditional=conditional,
        least=False,
    )


def _conditional(way: Way, risks: Mapping[Edge, tuple[str, ...]]) -> list[document.Conditional]:
    return [
        document.Conditional(from_=old, to=new, risks=list(risks[old, new]))
        for old, new in pairwise(way.stops)
        if (old, new) in risks
    ]


def _least(option: document.Option) -> tuple[object, ...]:
    return (
        *_much(option),
        min(len(path.conditional) for path in option.paths),
        min(len(path.stops) for path in option.paths),
        versions.of(option.targets[0]),
        [versions.of(stop) for path in option.paths for stop in path.stops],
    )


def _much(option: document.Option) -> tuple[object, ...]:
    return _RANK[option.status], option.work.total


def _target(version: str, options: Iterable[document.Option], routes: Routes) -> document.Target:
    option = next(option for option in options if version in option.targets)
    return document.Target(
        version=version,
        status=option.status,
        option=option.number,
        paths=min(routes.paths[version], MOST),
        left_out=min(routes.left_out.get(version, 0), MOST),
    )


def _summary(asked: Asked, targets: Sequence[document.Target], options: Sequence[document.Option]) -> str:
    """Return the answer in one sentence; where any of it is not known it begins with that."""
    if not targets:
        return f"CANNOT TELL: {asked.nothing}"
    counts = {status: sum(target.status == status for target in targets) for status in _RANK}
    words = {"pass": "pass", "blocked": "blocked", "undetermined": "cannot tell"}
    said = ", ".join(f"{number} {words[status]}" for status, number in counts.items() if number)
    left = sum(target.left_out for target in targets)
    open_ = sum(option.status == "undetermined" for option in options)
    text = f"{counted(len(targets), 'release')} from {asked.start.version}: {said}"
    if left:
        text += f"; {counted(left, 'path')} not judged, since there are too many"
    elif open_ and not counts["undetermined"]:
        text += "; of some paths to them the gate cannot tell"
    return f"CANNOT TELL all: {text}" if left or open_ else text
