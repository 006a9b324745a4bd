"""`fleet`: the gate over many clusters, one table grouped by cause."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from upgrade_gate.base.errors import ExitCode, UsageError
from upgrade_gate.cli import fleet_folder, stderr, stdout
from upgrade_gate.cli.help_pages import ExplainedCommand
from upgrade_gate.cli.option_types import HttpsUrl
from upgrade_gate.cli.options import (
    RELEASE,
    ClusterOptions,
    gate_options,
    log_options,
    registry_options,
)
from upgrade_gate.cli.single_options import (
    cluster_timeout_option,
    deadline_option,
    kubeconfig_option,
    read_secrets_option,
    selector_option,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from upgrade_gate.cli.fleet_bundles import Bundles
    from upgrade_gate.cli.fleet_cluster import Judge
    from upgrade_gate.cli.fleet_folder import Results
    from upgrade_gate.cli.fleet_hub import Hubs
    from upgrade_gate.cli.options import GateOptions, RegistryOptions
    from upgrade_gate.fleet.inventory import Entry

MERGE = "merge"
"""In place of an inventory: join results instead. A file of that name is given as `./merge`."""
_OF_MERGE = frozenset({"inventories", "directory", "changed_only", "verbose", "quiet"})


@click.command(
    cls=ExplainedCommand,
    examples=(
        "snapshots:DIR --from dir:RELEASE --to dir:RELEASE -d result",
        "'contexts:prod-*' --to 4.19.2 --jobs 16 -d result",
        "hub --selector vendor=OpenShift,env=prod --to 4.19.2 --resume -d result",
    ),
)
@click.argument("inventories", nargs=-1, required=True, metavar="INVENTORY...")
@click.option("--to", **RELEASE, help="Target release, where the inventory names none.")
@click.option(
    "--from",
    "from_",
    multiple=True,
    **RELEASE,
    help="A release that clusters run, matched by digest or version. Repeatable.  [default: what each cluster names]",
)
@selector_option
@click.option(
    "--jobs", type=click.IntRange(1, 256), default=8, show_default=True, help="Clusters that are judged at once."
)
@click.option(
    "--shard", metavar="I/N", help="Judge one of N parts, I from 1; N alone: the part that JOB_COMPLETION_INDEX names."
)
@deadline_option("--deadline", 300.0, "Deadline of one cluster, all in all.")
@click.option("--resume", is_flag=True, help="Keep what an earlier run into the folder has made from the same inputs.")
@click.option("--changed-only", is_flag=True, help="List only clusters whose verdict is new. The files hold all.")
@kubeconfig_option
@click.option(
    "--cluster-proxy",
    type=HttpsUrl(),
    metavar="URL",
    help="Where the hub's cluster-proxy is.  [default: its Route cluster-proxy-addon-user]",
)
@read_secrets_option
@cluster_timeout_option
@gate_options
@registry_options
@log_options
@click.option(
    "--bundle",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write the remediation bundles to a new or empty folder, or over earlier ones: a folder for each account.",
)
@click.option(
    "-d",
    "--directory",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="New or empty folder, or that of an earlier run.",
)
def command(
    *,
    inventories: tuple[str, ...],
    to: str | None,
    from_: tuple[str, ...],
    selector: tuple[str, ...],
    jobs: int,
    shard: str | None,
    deadline: float,
    resume: bool,
    changed_only: bool,
    kubeconfig: Path | None,
    cluster_proxy: str | None,
    read_secrets: bool,
    cluster_timeout: float,
    gate: GateOptions,
    registry: RegistryOptions,
    bundle: Path | None,
    directory: Path,
) -> ExitCode:
    """Judge many clusters; which can go, which cannot, and what stands in the way of most.

    INVENTORY is snapshots:DIR, must-gathers:DIR, contexts:GLOB of the kubeconfig, hub or hub:CONTEXT (the clusters of a
    hub of Open Cluster Management, each through its cluster-proxy), or a YAML or JSON file. Every cluster's report lies
    in the folder as soon as it is made. For one that cannot be read the gate cannot tell, and it holds up no other.
    `fleet merge DIR… -d DIR` joins the results of several shards. Exit codes: 3 if any cluster is blocked, else 4 if
    the gate cannot tell for any, else 0.
    """
    if inventories[0] == MERGE:
        return _merge([Path(text) for text in inventories[1:]], directory, changed_only=changed_only)
    from upgrade_gate.cli.fleet_cluster import Judge
    from upgrade_gate.cli.fleet_hub import Hubs
    from upgrade_gate.fleet import shard as shards
    from upgrade_gate.fleet import summary

    part = shards.parse(shard, os.environ) if shard is not None else None
    if registry.mirrors_from_cluster or registry.pull_secret_from_cluster:
        raise UsageError(
            "releases are read once for all clusters, not with the mirrors or the pull secret of one",
            hint="give --idms-file and --registry-config",
        )
    fleet_folder.check(directory, inventories)
    bundles = _bundles(bundle, directory, inventories, resume=resume, sharded=shard is not None)
    cluster = ClusterOptions(
        source=None,
        no_cluster=False,
        kubeconfig=kubeconfig,
        context=None,
        platform=None,
        mode=None,
        profile=None,
        feature_set=None,
        capabilities=None,
        read_secrets=read_secrets,
        timeout=cluster_timeout,
    )
    hubs = Hubs(cluster, registry.settings, cluster_proxy)
    entries = _chosen(inventories, selector, kubeconfig, hubs)
    hubs.refuse_unused()
    owners = summary.owners_of((entry.name, entry.claimed_id) for entry in entries)
    judge = Judge(entries, to=to, given=from_, cluster=cluster, gate=gate, registry=registry, hubs=hubs, bundles=bundle)
    part = part.of((entry.name for entry in entries), judge.asked) if part is not None else None
    entries = tuple(entry for entry in entries if part is None or part.holds(entry.name))
    fleet_folder.begin(directory, part)
    if bundles is not None:
        bundles.begin()
    results = fleet_folder.Results(directory, owners)
    _judge_all(entries, judge, results, bundles, jobs=jobs, deadline=deadline, resume=resume)
    if bundles is not None:
        made = bundles.finish({entry.folder: entry.name for entry in entries})
        stderr.say(f"{made} clusters have a bundle in {bundle}; start with README.md")
    fleet = fleet_folder.summarise(directory, [entry.folder for entry in entries], judge.acknowledgements)
    stdout.write(fleet_folder.text(fleet, changed_only=changed_only))
    stderr.say(f"{len(entries)} clusters judged; the files are in {directory}")
    return ExitCode(fleet.exit_code)


def _bundles(
    bundle: Path | None, directory: Path, inventories: Sequence[str], *, resume: bool, sharded: bool
) -> Bundles | None:
    """Return what writes the bundles; raises UsageError where their folder is no place for them."""
    if bundle is None:
        return None
    from upgrade_gate.cli.fleet_bundles import Bundles
    from upgrade_gate.fleet import results

    if sharded:
        raise UsageError("--bundle with --shard: a bundle is for all clusters of an account", hint="leave one out")
    places = [directory.resolve(), bundle.resolve()]
    if any(place in (other, *other.parents) for place, other in (places, places[::-1])):
        raise UsageError(f"of {bundle} and {directory}, one lies in the other", hint="name a folder beside it")
    fleet_folder.refuse_inventories(bundle, inventories)
    return Bundles(bundle, directory / results.CLUSTERS, resume=resume)


def _merge(parts: Sequence[Path], directory: Path, *, changed_only: bool) -> ExitCode:
    """Join results; an option that would judge them otherwise is a usage error, since nothing is judged again."""
    context = click.get_current_context()
    for parameter in context.command.params:
        given = context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
        if given and parameter.name not in _OF_MERGE:
            raise UsageError(f"{parameter.opts[-1]} has no meaning for merge", hint="fleet merge DIR… -d DIR")
    if not parts:
        raise UsageError("merge needs the folders of the shards", hint="fleet merge DIR… -d DIR")
    fleet_folder.check(directory, ())
    if any(directory.resolve() == part.resolve() for part in parts):
        raise UsageError(f"{directory} is one of the folders that are merged", hint="name a new one")
    fleet = fleet_folder.merge(parts, directory)
    stdout.write(fleet_folder.text(fleet, changed_only=changed_only))
    return ExitCode(fleet.exit_code)


def _chosen(
    inventories: Sequence[str], selectors: Sequence[str], kubeconfig: Path | None, hubs: Hubs
) -> tuple[Entry, ...]:
    from upgrade_gate.base import plugins
    from upgrade_gate.fleet import inventory, selector

    selector.terms(selectors)  # what is none is a usage error whatever the inventory holds
    live = plugins.load("cluster.readers", "live")
    found = inventory.read(inventories, lambda: live.context_names(kubeconfig), hubs.clusters)
    chosen = tuple(entry for entry in found if all(selector.matches(each, entry.labels) for each in selectors))
    if not chosen:
        raise UsageError(
            f"--selector {' '.join(selectors)}: none of {len(found)} clusters has such labels",
            hint="labels come from inventory files and from a hub",
        )
    return chosen


def _judge_all(
    entries: Sequence[Entry],
    judge: Judge,
    results: Results,
    bundles: Bundles | None,
    *,
    jobs: int,
    deadline: float,
    resume: bool,
) -> None:
    """Judge clusters and write each result as it comes.

    Raises UsageError as soon as two of them turn out to be one.
    """
    from upgrade_gate.fleet import schedule

    open_: list[Entry] = []
    for entry in entries:
        kept = bundles is None or bundles.keeps(entry.folder)
        if not (resume and kept and results.keep(entry, judge.made_from(entry))):
            results.forget(entry)
            open_.append(entry)
    gc.collect()
    gc.freeze()  # releases and code stay: the collector need not look through them again
    gc.enable()  # `console` goes without it, since one cluster's garbage never matters
    # The first cluster alone: what is made once per process, such as msgspec's decoders, is made by one thread.
    for part, at_once in ((open_[:1], 1), (open_[1:], jobs)):
        for done in schedule.run(part, judge, jobs=at_once, deadline=deadline):
            judged = done.result if done.result is not None else judge.failed(done.item, done.failure)
            if bundles is not None and judged.record is not None:
                bundles.write(done.item.folder, judged.record, judged.bundle)
            results.write(done.item, judged.report, judge.made_from(done.item))
            if done.result is None:
                stderr.say(f"{done.item.name}: {done.failure or 'not judged within its deadline'}")
