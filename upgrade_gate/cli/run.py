"""What the commands that read releases share: opening the cluster, and sending reports where they belong."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from msgspec.structs import asdict, replace

from upgrade_gate.base import plugins
from upgrade_gate.base.errors import ClusterError, EntitlementError, SourceError, UsageError
from upgrade_gate.base.facts import Absent, Known, Unknown
from upgrade_gate.base.paths import is_dir
from upgrade_gate.base.platforms import by_name
from upgrade_gate.cli import stderr, stdout
from upgrade_gate.cluster.rights import is_forbidden
from upgrade_gate.requests.update import Given

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from upgrade_gate.base.facts import Fact
    from upgrade_gate.cli.option_types import ClusterSource
    from upgrade_gate.cli.options import ClusterOptions, GateOptions, OutputOptions, RegistryOptions, ReleaseOptions
    from upgrade_gate.cluster.model import Query, Reader
    from upgrade_gate.gate.verdict import Weights
    from upgrade_gate.payloads.reference import Settings
    from upgrade_gate.pipeline import Inputs
    from upgrade_gate.proof.context import Places
    from upgrade_gate.proof.declared import Declarations
    from upgrade_gate.proof.proof import Claims
    from upgrade_gate.report.document import Report
    from upgrade_gate.report.render_options import RenderOptions
    from upgrade_gate.requests.comparison import Comparison


def given(cluster: ClusterOptions) -> Given:
    """Return what the user said about the cluster."""
    return Given(
        platform=cluster.platform,
        mode=cluster.mode,
        profile=cluster.profile,
        feature_set=cluster.feature_set,
        capabilities=cluster.capabilities,
    )


def open_reader(cluster: ClusterOptions, *, offline: bool, alone: bool = True) -> Reader | None:
    """Open the cluster, its dump or its snapshot; None with `--no-cluster`. One that is read alone shows its progress.

    Raises UsageError where no cluster is named and none is found: a gate without its cluster must be asked for.
    """
    if cluster.no_cluster:
        return None
    source = cluster.source
    if source is not None and source.kind == "must-gather":
        return _open_dump(source, read_secrets=cluster.read_secrets)
    if source is not None and source.kind == "snapshot":
        return cast("Reader", plugins.load("cluster.readers", "snapshot").open_snapshot(source.path))
    live = plugins.load("cluster.readers", "live")
    if source is None and not cluster.context and not live.is_available(cluster.kubeconfig):
        named = os.environ.get("KUBECONFIG")
        lost = f"KUBECONFIG names no file that is there ({named})" if named else "there is no kubeconfig"
        raise UsageError(
            f"no cluster is named: {lost}, and no in-cluster account",
            hint="give --cluster, or --no-cluster with --from and --platform",
        )
    if offline:
        raise UsageError(
            "--offline, and the cluster is a live one", hint="use --cluster snapshot:FILE or must-gather:DIR"
        )
    reader = live.open_cluster(
        kubeconfig=cluster.kubeconfig,
        context=cluster.context,
        timeout=cluster.timeout,
        read_secrets=cluster.read_secrets,
        progress=alone and not stderr.silent(),
    )
    return cast("Reader", reader)


def _open_dump(source: ClusterSource, *, read_secrets: bool) -> Reader:
    """Open a dump; raises UsageError for a path that holds no object, since no collection says nothing at all."""
    path = source.path
    assert path is not None  # noqa: S101 - only a live cluster has none
    if is_dir(path) and not any(each.is_file() for each in path.rglob("*")):
        raise UsageError(f"--cluster {source.text}: the folder is empty", hint="give the folder or archive of the dump")
    dump = plugins.load("cluster.readers", "must_gather").open_dump(path, read_secrets=read_secrets)
    if not dump.holds_objects:
        snapshot = path.is_file() and plugins.load("cluster.readers", "snapshot").is_snapshot(path)
        raise UsageError(
            f"--cluster {source.text}: {'is a snapshot, no dump' if snapshot else 'no object of a cluster is in it'}",
            hint=f"give it as snapshot:{path}" if snapshot else "give the folder or archive of the dump",
        )
    return cast("Reader", dump)


def claims(
    gate: GateOptions, *, timeout: float, certificate_authority: Path | None = None
) -> Claims | Callable[[str, Places], Claims]:
    """Return what the user supplies about identities; a live account is asked once the cluster's facts are known.

    What was given and cannot be read proves nothing and says so: it never reads as not given.
    """
    from upgrade_gate.proof import collect
    from upgrade_gate.proof.proof import Claims

    base = Claims(
        identities=gate.configuration.identities,
        ccoctl_name=gate.ccoctl_name,
        strict=gate.strict_proof,
        assume=gate.assume,
    )
    base = replace(base, declarations=_declarations(gate))
    paths = [source.path for source in gate.identities if source.kind == "export" and source.path is not None]
    if paths:
        try:
            collection = collect.load_export(*paths)
        except EntitlementError as error:
            return replace(base, failure=error.message)
        stale = None
        if gate.max_age is not None:
            now = gate.now.at if gate.now else datetime.now(UTC)
            stale = collect.out_of_time(collection, gate.max_age.length, now)
        return replace(base, collection=collection, failure=stale)
    if not any(source.kind == "live" for source in gate.identities):
        return base

    named = base.identities
    settings = {
        "timeout": timeout,
        "certificate_authority": certificate_authority,
        "account": named.account,
        "identities": sorted({*named.by_secret.values(), *([named.default] if named.default else [])}),
    }

    def live(platform: str, places: Places) -> Claims:
        traits = by_name(platform)
        try:
            kind = traits.kind if traits else None
            collection = collect.collect_live(kind or "", settings | asdict(places))
        except EntitlementError as error:
            return replace(base, failure=error.message)
        return replace(base, collection=collection)

    return live


def _declarations(gate: GateOptions) -> Declarations | None:
    """Return what the policy files declare, None where none are given."""
    from upgrade_gate.proof import declared

    given = [source for source in gate.identities if source.kind == "policies"]
    if not given:
        return None
    roots = [source.path for source in given if source.path is not None]
    source = " and ".join(f"policies:{path.name or path}" for path in roots)
    return declared.load(source, roots, gate.configuration.identities.policies)


def policy_notes(gate: GateOptions) -> tuple[str, ...]:
    """Return one line for each severity that the configuration sets: who reads the report must see what was lowered."""
    configuration = gate.configuration
    where = configuration.path.name if configuration.path else "the configuration"
    return tuple(f"{where} sets {rule} to {severity.value}" for rule, severity in sorted(configuration.policy.items()))


def gate_run(
    release: ReleaseOptions, cluster: ClusterOptions, gate: GateOptions, registry: RegistryOptions
) -> tuple[Inputs, Weights]:
    """Return what is to be compared and how findings are weighed, as the gate's own options say."""
    from upgrade_gate.gate import acknowledgements

    reader = open_reader(cluster, offline=registry.settings.offline)
    asked, weights = unread_run(release, cluster, gate)
    plan = replace(
        asked,
        settings=settings_for(registry, reader),
        reader=reader,
        accept_secret_exists="secret-exists" in gate.configuration.accept,
        now=gate.now.at if gate.now else None,
        claims=claims(
            gate,
            timeout=registry.settings.timeout,
            certificate_authority=registry.settings.certificate_authority,
        ),
    )
    return plan, replace(weights, acknowledgements=acknowledgements.load(gate.acknowledgements))


def unread_run(release: ReleaseOptions, cluster: ClusterOptions, gate: GateOptions) -> tuple[Inputs, Weights]:
    """Return the same as far as nothing has to be read for it."""
    from upgrade_gate import pipeline
    from upgrade_gate.gate.verdict import Weights

    asked = pipeline.Inputs(to=release.to, from_=release.from_, via=gate.via, given=given(cluster))
    weights = Weights(
        policy=gate.configuration.policy,
        fail_on_warning=gate.fail_on == "warning",
        require_proof=gate.require_proof,
        today=gate.now.at.date() if gate.now else None,
    )
    return asked, weights


def open_target(cluster: ClusterOptions, registry: RegistryOptions) -> Reader | None:
    """Open the cluster for commands that write files out of a target: a platform alone means without a cluster."""
    return open_reader(named_alone(cluster), offline=registry.settings.offline)


def named_alone(cluster: ClusterOptions) -> ClusterOptions:
    """Return the options as those without a cluster where a platform is named and no cluster is."""
    alone = cluster.platform is not None and cluster.source is None and not (cluster.kubeconfig or cluster.context)
    return replace(cluster, no_cluster=True) if alone else cluster


def survey_target(
    release: ReleaseOptions,
    cluster: ClusterOptions,
    registry: RegistryOptions,
    reader: Reader | None,
    *,
    via: tuple[str, ...] = (),
) -> Comparison:
    """Read what a target asks for, for commands that write files out of it: every release of the path, whole.

    Without a cluster the target alone stands for both sides. Raises SourceError where a release was not read, or
    where a request of it may be missing, ClusterError where nothing says on which platform the cluster is.
    """
    from upgrade_gate import pipeline
    from upgrade_gate.remedy import credentials_requests

    found = pipeline.survey(
        pipeline.Inputs(
            to=release.to,
            from_=release.from_ or ([*via, release.to][0] if reader is None else None),
            via=via,
            settings=settings_for(registry, reader),
            reader=reader,
            given=given(cluster),
        )
    )
    for unread in found.unread:
        raise SourceError(f"{unread.reference}: {unread.reason}", hint=unread.hint)
    if found.cluster is not None and not found.context.platform:
        why = found.cluster.platform.reason if isinstance(found.cluster.platform, Unknown) else "it does not say"
        raise ClusterError(f"which platform the cluster is on is not known: {why}", hint="give --platform")
    for hop in found.hops:
        gaps = credentials_requests.gaps(hop)
        if gaps:
            raise SourceError(f"{hop.new.reference} was not read whole: {gaps[0]}", hint="nothing was written")
    return found


def registry_queries(registry: RegistryOptions) -> tuple[tuple[Query, ...], tuple[Query, ...]]:
    """Return what is asked of a cluster to read releases with these options: about trust, and about mirrors."""
    from upgrade_gate.cluster import facts_table

    return (
        facts_table.SIGNATURES if registry.settings.verify != "off" else (),
        facts_table.MIRROR_POLICIES if registry.mirrors_from_cluster else (),
    )


def settings_for(registry: RegistryOptions, reader: Reader | None) -> Settings:
    """Return the settings for reading releases, with what the cluster itself has to say about mirrors and trust."""
    settings = registry.settings
    if reader is None:
        return settings
    trust, mirrors = registry_queries(registry)
    mirrors = _served(mirrors, reader)
    answers = reader.read([*trust, *mirrors]) if trust or mirrors else {}
    _refuse_unread_mirrors(reader, {query: answers[query] for query in mirrors})
    unread = dict.fromkeys(_why(answer) for query in trust if isinstance(answer := answers[query], Unknown))
    return replace(
        settings,
        pull_secret=_pull_secret(reader) if registry.pull_secret_from_cluster else None,
        signatures_unread="; ".join(unread),
        signature_configmaps=_objects(answers[query] for query in trust),
        mirror_policies=_objects(answers[query] for query in mirrors),
    )


_MIRROR_SETS_SINCE = (4, 13)
"""The first release whose API has ImageDigestMirrorSet and ImageTagMirrorSet (4.12.0 has no CRD of them)."""


def _served(queries: tuple[Query, ...], reader: Reader) -> tuple[Query, ...]:
    """Return the queries whose kinds the cluster's release has: the others are absent, and nothing is to be asked."""
    from upgrade_gate.base import versions
    from upgrade_gate.cluster import facts_table

    if not queries:
        return ()
    version = reader.read([facts_table.VERSION])[facts_table.VERSION]
    status = version.value.get("status") if isinstance(version, Known) and isinstance(version.value, dict) else None
    history = status.get("history") if isinstance(status, dict) else None
    releases = [e.get("version") for e in history if isinstance(e, dict)] if isinstance(history, list) else []
    minors = [versions.minor_of(release) for release in releases if isinstance(release, str)]
    if not minors or any(minor is None or minor >= _MIRROR_SETS_SINCE for minor in minors):
        return queries  # what ran once may have left its kinds
    return tuple(query for query in queries if query.group == "operator.openshift.io")


def _refuse_unread_mirrors(reader: Reader, answers: Mapping[Query, Fact[Any]]) -> None:
    """Raise ClusterError where the cluster's mirrors were asked for and are unread: its policy may forbid the source.

    A dump holds the kinds that somebody collected: one of them is enough.
    """
    unread = [answer for answer in answers.values() if isinstance(answer, Unknown)]
    live = reader.collected is None and hasattr(reader, "pull_secret")
    if not unread or (not live and len(unread) < len(answers)):
        return
    raise ClusterError(
        f"the cluster's mirror settings were not read: {unread[0].reason}",
        hint=_to_read(unread[0]) or "give them with --idms-file",
    )


def _to_read(unknown: Unknown) -> str | None:
    """Return what makes a fact known; `init rbac` takes the options that these reads come from."""
    if not is_forbidden(unknown):
        return unknown.remedy
    return f"{unknown.remedy}; or apply what upgrade-gate init rbac prints with the same --to and registry options"


def _why(unknown: Unknown) -> str:
    return f"{unknown.reason} ({unknown.remedy})" if unknown.remedy else unknown.reason


def _pull_secret(reader: Reader) -> bytes:
    """Return the cluster's own registry credentials; raises ClusterError where they were asked for and are unread."""
    read = getattr(reader, "pull_secret", None)
    if read is None:
        raise UsageError(
            f"{reader.description} holds no registry credentials", hint="give --registry-config, or a live cluster"
        )
    fact: Fact[bytes] = read()
    match fact:
        case Known(value=content):
            return content
        case Unknown() as unread:
            raise ClusterError(f"the cluster's pull secret was not read: {unread.reason}", hint=_to_read(unread))
        case Absent():
            raise ClusterError("the cluster has no pull secret openshift-config/pull-secret")


def _objects(answers: Iterable[Fact[Any]]) -> tuple[Mapping[str, object], ...]:
    """Return the objects of named and listing answers; what could not be read vouches for nothing."""
    found: list[Mapping[str, object]] = []
    for answer in answers:
        if isinstance(answer, Known):
            found += answer.value if isinstance(answer.value, (list, tuple)) else [answer.value]
    return tuple(found)


def write_reports(document: Report, output: OutputOptions) -> None:
    """Render the report once for each `-o` and write it; raises OutputError where one cannot be written."""
    from upgrade_gate.report.render_options import RenderOptions

    rendered = []
    for wanted in output.outputs:
        options = RenderOptions(
            color=output.color and wanted.path is None,
            width=_width(),
            verbose=stderr.verbose(),
            max_bytes=output.max_bytes,
        )
        rendered.append((wanted.path, _render(wanted.format, document, options)))
    stdout.write_reports(rendered)


def reports_for_bundle(document: Report) -> Mapping[str, bytes]:
    """Return the report as a remediation bundle holds it, by file name: for a reader, and for `ack --report`."""
    from upgrade_gate.report.render_options import RenderOptions

    return {f"report.{form}": _render(form, document, RenderOptions()) for form in ("html", "json")}


def _render(form: str, document: Report, options: RenderOptions) -> bytes:
    return cast("Callable[..., bytes]", plugins.load("report.formats", form).render)(document, options)


def _width() -> int:
    """Return the width of text: 80 columns, or the terminal's where that is narrower."""
    if "COLUMNS" not in os.environ and not (sys.stdout and sys.stdout.isatty()):
        return 80  # nothing to ask: `shutil` and the compressions that it loads take 3 ms
    import shutil

    return min(shutil.get_terminal_size((80, 24)).columns, 100)
