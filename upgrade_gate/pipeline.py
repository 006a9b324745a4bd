"""One run, from left to right: survey -> situation -> findings -> verdict -> plan = Outcome.

Read this module first. Each stage is one function; what a stage needs comes in as an argument, and nothing is read
twice.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field
from msgspec.structs import replace

from upgrade_gate.base import versions
from upgrade_gate.base.errors import SourceError
from upgrade_gate.base.text import without_credentials
from upgrade_gate.gate.outcome import Judgement, Outcome
from upgrade_gate.payloads import reference, resolve
from upgrade_gate.requests import upgrade_path
from upgrade_gate.requests.comparison import Comparison
from upgrade_gate.requests.selection_context import selection_context
from upgrade_gate.requests.update import Given, UnreadRelease

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from upgrade_gate.base.errors import ClusterError
    from upgrade_gate.base.secret_ref import SecretRef
    from upgrade_gate.cluster.facts_table import Cluster
    from upgrade_gate.cluster.model import Reader
    from upgrade_gate.gate.situation import Situation
    from upgrade_gate.gate.verdict import Weights
    from upgrade_gate.payloads.payload import Payload
    from upgrade_gate.payloads.shelf import Shelf
    from upgrade_gate.proof.context import Places
    from upgrade_gate.proof.proof import Claims, Proof


class Inputs(Struct, frozen=True):
    """What is to be compared."""

    to: str
    from_: str | None = None
    """None: what the cluster runs."""
    via: tuple[str, ...] = ()
    settings: reference.Settings = field(default_factory=reference.Settings)
    reader: Reader | None = None
    """None: no cluster."""
    given: Given = field(default_factory=Given)
    accept_secret_exists: bool = False
    claims: Claims | Callable[[str, Places], Claims] | None = None
    """What is supplied about identities; a function of platform and places where a live account must be asked."""
    now: datetime | None = None
    """The moment by which conditions on time are judged; None: the clock."""
    shelf: Shelf | None = None
    """Where a run over many clusters keeps its releases; None: each is read for this run."""

    @property
    def asks_for_proof(self) -> bool:
        """Whether anything is supplied about identities."""
        return callable(self.claims) or (self.claims is not None and self.claims.given)


def check(inputs: Inputs, weights: Weights) -> Outcome:
    """Run the gate. Raises UsageError for what the user must change; what cannot be read becomes a finding.

    Raises ClusterError where nothing of the cluster can be read (see `unreachable`).
    """
    return _outcome(survey(inputs), inputs, weights)


def unreachable(inputs: Inputs, weights: Weights, error: ClusterError) -> Outcome:
    """Return the outcome of a run that ended because the cluster could not be read: undetermined, and why."""
    from upgrade_gate.cluster import observe

    cluster = observe.nothing("the cluster", error)
    context = selection_context(cluster, inputs.given)
    references = (inputs.from_ or "cluster", *inputs.via, inputs.to)
    compared = Comparison(cluster, references, (), (), context)
    return _outcome(compared, replace(inputs, claims=None, reader=None), weights)


def _outcome(compared: Comparison, inputs: Inputs, weights: Weights) -> Outcome:
    from upgrade_gate.remedy import plan  # `diff` and a plan of updates need no remedy

    compared = with_secrets(compared, inputs.reader, proof=inputs.asks_for_proof)
    found = judge(compared, inputs, weights)
    return Outcome(compared, found.situation, found.judged, found.verdict, plan.make(found.situation, found.judged))


def judge(compared: Comparison, inputs: Inputs, weights: Weights) -> Judgement:
    """Judge what was compared and read: find, weigh, decide."""
    from upgrade_gate.gate import assumptions, findings, invariants, verdict  # `diff` needs none of these

    situation = replace(_situation(compared, inputs), raised=verdict.raised(weights))
    judged = verdict.weigh(findings.evaluate(situation), situation, weights)
    judged = invariants.guarded(judged, situation, weights)
    basis = assumptions.of(situation, judged, weights)
    return Judgement(situation, judged, verdict.decide(judged, basis, compared, weights))


def survey(inputs: Inputs, *, requests_alone: bool = False) -> Comparison:
    """Read the cluster and the releases, select and compare; nothing is judged yet.

    `requests_alone`: two folders that hold requests and nothing else are compared request by request, as if each of the
    platform applied.
    """
    cluster = observed(inputs.reader)
    context = selection_context(cluster, inputs.given, resolve.graph_edges(cluster, inputs.settings))
    references = _references(inputs, cluster)
    payloads, unread = _load(references, inputs)
    if requests_alone and payloads and all(payload.requests_only for payload in payloads):
        unread = ()
    hops = upgrade_path.compare(payloads, context) if not unread else ()
    return Comparison(cluster, references, hops, unread, context)


def observed(reader: Reader | None) -> Cluster | None:
    """Read the first wave of the cluster, if there is one; raises ClusterError where nothing at all can be read."""
    if reader is None:
        return None
    from upgrade_gate.cluster import observe  # a run without a cluster needs none of it

    return observe.observe(reader)


def _references(inputs: Inputs, cluster: Cluster | None) -> tuple[str, ...]:
    """Return from, via and to; a version is resolved through the cluster's offers, then the update graph."""
    rest = [resolve.resolve(text, cluster, inputs.settings) for text in (*inputs.via, inputs.to)]
    if inputs.from_ is None and inputs.shelf is not None:
        start = inputs.shelf.running(cluster, inputs.settings)
        return (start, *inputs.shelf.ahead(start, rest[:-1], inputs.settings), rest[-1])
    return (resolve.resolve(inputs.from_ or "cluster", cluster, inputs.settings), *rest)


def _load(references: Sequence[str], inputs: Inputs) -> tuple[tuple[Payload, ...], tuple[UnreadRelease, ...]]:
    """Read every release of the path, each once."""
    loaded: dict[str, Payload] = {}
    unread: list[UnreadRelease] = []
    for text, result in read_all(list(dict.fromkeys(references)), inputs).items():
        side: Literal["from", "to"] = "from" if text == references[0] else "to"
        if isinstance(result, SourceError):
            unread.append(UnreadRelease(side, text, result.message, result.hint))
            continue
        loaded[text] = result
        if versions.parse(result.version) is None:
            # Without its version nothing says by which rules a release selects: half a judgement would be invented.
            unread.append(_without_version(side, text, result))
    return tuple(loaded[text] for text in references if text in loaded), tuple(unread)


def _without_version(side: Literal["from", "to"], text: str, payload: Payload) -> UnreadRelease:
    """Return why no verdict can rest on a payload that does not say its version, and how to get a whole one."""
    whole = "extract the whole release: oc adm release extract --to=DIR PULLSPEC"
    if payload.requests_only:
        why = "it holds CredentialsRequests only, as oc adm release extract --credentials-requests writes them"
        return UnreadRelease(side, text, f"{why}: which of them the release applies is not known", whole)
    reasons = [u.reason for u in payload.unreadable if u.location.file == "release-metadata"]
    why = f"release-metadata: {reasons[0]}" if reasons else "release-metadata names no version"
    return UnreadRelease(side, text, why, whole)


_AT_ONCE = 8
"""Downloads that run at the same time."""


def read_all(distinct: Sequence[str], inputs: Inputs) -> dict[str, Payload | SourceError]:
    """Read these releases, several downloads at once; nothing else gains from that."""
    remote = sum(reference.parse_reference(text).scheme == "registry" for text in distinct)
    if not remote:
        return {text: _read(text, inputs) for text in distinct}
    from concurrent.futures import ThreadPoolExecutor, wait

    with ThreadPoolExecutor(max_workers=min(remote, _AT_ONCE)) as pool:
        futures = {text: pool.submit(_read, text, inputs) for text in distinct}
        try:
            wait(futures.values())
        except KeyboardInterrupt:
            from upgrade_gate.reading.http import exchange

            exchange.interrupt()  # else the pool would wait for its downloads' deadlines
            raise
    return {text: future.result() for text, future in futures.items()}


def _read(text: str, inputs: Inputs) -> Payload | SourceError:
    try:
        return (inputs.shelf or resolve).read(text, inputs.settings)
    except SourceError as error:
        return error


def required_secrets(compared: Comparison, *, today: bool = False) -> frozenset[SecretRef]:
    """Return the Secrets that the releases of the path require on this cluster, each release after the first.

    `today` adds those of the first, which only a record for later needs.
    """
    return frozenset(
        selected.request.secret
        for hop in compared.hops
        for selection in (hop.new_selection, *([hop.old_selection] if today else []))
        for selected in selection.requests.values()
    )


def with_secrets(
    compared: Comparison, reader: Reader | None, *, today: bool = False, proof: bool = False
) -> Comparison:
    """Read the second wave: only now is it known which namespaces and Secrets matter (see `required_secrets`).

    `proof` adds what says where grants must hold, which nothing else rests on.
    """
    if reader is None or compared.cluster is None:
        return compared
    from upgrade_gate.cluster import observe

    refs = required_secrets(compared, today=today)
    return replace(
        compared,
        cluster=observe.observe_secrets(compared.cluster, reader, {ref.namespace for ref in refs}, refs, proof=proof),
    )


def _situation(compared: Comparison, inputs: Inputs) -> Situation:
    """Join what was compared with what the cluster and the user say of it."""
    from upgrade_gate.cluster.credentials_mode import Mode, behaviour_of, credentials_of, mode_of
    from upgrade_gate.gate.situation import Situation

    context = compared.context
    mode, _ = mode_of(compared.cluster, context.platform, inputs.given.mode)
    running = versions.minor_of(context.running) if context.running else None
    release = compared.hops[0].old.minor if compared.hops else running or (0, 0)
    return Situation(
        hops=compared.hops,
        platform=context.platform,
        mode=mode,
        credentials=credentials_of(compared.cluster, context.platform, release, mode),
        behaviour=behaviour_of(compared.cluster, context.platform, release, mode),
        profile=context.profile,
        given=inputs.given,
        cluster=compared.cluster,
        proof=_proof(compared, inputs, passed_through=mode is Mode.PASSTHROUGH),
        accept_secret_exists=inputs.accept_secret_exists,
        require_signature=inputs.settings.verify == "require",
        check_signature=inputs.settings.verify != "off",
        unread=compared.unread,
        asked=without_credentials(inputs.to),
    )


def _proof(compared: Comparison, inputs: Inputs, *, passed_through: bool) -> Proof:
    """Join what was supplied about identities with the cluster."""
    from upgrade_gate.base.platforms import by_name
    from upgrade_gate.proof.context import places_of
    from upgrade_gate.proof.proof import Claims, prove

    platform = compared.context.platform
    traits = by_name(platform)
    claims = inputs.claims(platform, places_of(compared.cluster)) if callable(inputs.claims) else inputs.claims
    selections = (s for hop in compared.hops for s in (hop.old_selection, hop.new_selection))
    requests = [selected.request for s in selections for selected in s.requests.values()]
    return prove(
        claims or Claims(),
        compared.cluster,
        {request.provider_kind for request in requests},
        secrets={str(request.secret) for request in requests},
        root=traits.root if traits else None,
        passed_through=passed_through,
        now=inputs.now or datetime.now(UTC),
    )
