"""`rbac`: the least roles with which a service account can read the cluster for one check."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import click

from upgrade_gate.base.errors import ExitCode
from upgrade_gate.cli import run
from upgrade_gate.cli.commands.init._roles import OWN_ACCOUNT, AccountName, ServiceAccountName
from upgrade_gate.cli.help_pages import ExplainedCommand
from upgrade_gate.cli.options import (
    cluster_options,
    configuration_option,
    registry_options,
    release_options,
    via_option,
)
from upgrade_gate.cli.ready_file import deliver, write_options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from upgrade_gate.cli.configuration import Configuration
    from upgrade_gate.cli.options import ClusterOptions, RegistryOptions, ReleaseOptions
    from upgrade_gate.cluster.model import Query, Reader
    from upgrade_gate.requests.comparison import Comparison

_WIDTH = 118


@click.command(
    cls=ExplainedCommand,
    beforehand=True,
    examples=(
        "--to 4.19.2 | oc apply -f -",
        "--to 4.19.2 --service-account ci/gate --write rbac.yaml",
        "--no-cluster --platform AWS --from 4.18.7 --to 4.19.2 --without-secrets",
    ),
)
@release_options
@via_option
@cluster_options
@configuration_option
@registry_options
@click.option(
    "--service-account",
    type=AccountName(),
    metavar="NAMESPACE/NAME",
    help="Bind to this account, which is there already.  [default: one that the file makes, upgrade-gate/upgrade-gate]",
)
@click.option(
    "--for-hub", is_flag=True, help="The account is one of the hub: what fleet hub reads here through cluster-proxy."
)
@click.option("--for-snapshot", is_flag=True, help="Also the Secrets of the current release, which snapshot records.")
@click.option("--without-secrets", is_flag=True, help="No rule for any Secret; what needs one is then unknown.")
@write_options
def command(
    *,
    release: ReleaseOptions,
    via: tuple[str, ...],
    cluster: ClusterOptions,
    configuration: Configuration,
    registry: RegistryOptions,
    service_account: ServiceAccountName | None,
    for_hub: bool,
    for_snapshot: bool,
    without_secrets: bool,
    write: Path | None,
    force: bool,
) -> ExitCode:
    """Print a service account, a ClusterRole and Roles for exactly the reads of a check of this target.

    Give it the options that `check` will have: --verify, --mirrors-from-cluster and --pull-secret-from-cluster decide
    what is read. `oc apply -f -` takes the file as it stands.

    Kubernetes has no verb for metadata alone: who may get a Secret may read its values, so the Roles name each one.
    """
    import yaml

    from upgrade_gate.cli.commands.init import _roles

    del configuration
    reader = run.open_target(cluster, registry)
    survey = run.survey_target(release, cluster, registry, reader, via=via)
    reads_of = None if for_hub else registry
    queries = _roles.read_queries(survey, reads_of, with_secrets=not without_secrets, today=for_snapshot)
    account = service_account or OWN_ACCOUNT
    manifests = [] if service_account or for_hub else _roles.account_manifests(account)
    manifests += _roles.role_manifests(queries, _roles.subject_of(account, of_hub=for_hub))
    body = yaml.safe_dump_all(manifests, sort_keys=False, width=_WIDTH)
    reads = "`upgrade-gate check` and `snapshot` read" if for_snapshot else "`upgrade-gate check` reads"
    reads = "`upgrade-gate fleet hub` reads" if for_hub else reads
    notes = _notes(survey, reads_of, queries, reads=reads, missing=_missing(queries, reader))
    last = _of_hub(account) if for_hub else f"A token for it: {_token(account)}"
    deliver("".join(f"{line}\n" for line in _comment((*notes, last))) + f"---\n{body}", write, force=force)
    return ExitCode.PASS


def _missing(queries: Sequence[Query], reader: Reader | None) -> list[str]:
    """Return the namespaces of required Secrets that the cluster, where there is one, says are not there."""
    from upgrade_gate.base.facts import Absent

    if reader is None:
        return []
    spaces = [query for query in queries if query.plural == "namespaces"]
    return sorted(str(query.name) for query, answer in reader.read(spaces).items() if isinstance(answer, Absent))


def _notes(
    survey: Comparison,
    registry: RegistryOptions | None,
    queries: Sequence[Query],
    *,
    reads: str,
    missing: Sequence[str],
) -> Iterator[str]:
    """Yield what a reviewer of the file has to know, a paragraph each."""
    from upgrade_gate.cluster import facts_table, observe

    hops = survey.hops
    versions = dict.fromkeys([hops[0].old.version, *(hop.new.version for hop in hops)])
    yield (
        f"What {reads} of a cluster on {survey.context.platform} for {' to '.join(versions)}, and "
        "nothing else: get and list only, every object by its name where the API can. Other releases can require other "
        "Secrets: print the file again for them."
    )
    if registry:
        options = [f"--verify {registry.settings.verify}"]
        options += ["--mirrors-from-cluster"] if registry.mirrors_from_cluster else []
        options += ["--pull-secret-from-cluster"] if registry.pull_secret_from_cluster else []
        yield (
            f"Made for check with {' '.join(options)}: of the options, --verify, --mirrors-from-cluster and "
            "--pull-secret-from-cluster decide what is read."
        )
    root = observe.root_ref(survey.context.platform)
    if any(query.kind == "Secret" for query in queries):
        if root is not None and facts_table.secret_query(root) in queries:
            yield f"Secret {root} is the root credential; in manual mode it should not be there."
        yield (
            "Whoever may get a Secret can read its values: Kubernetes has no verb for metadata alone. upgrade-gate "
            "asks for the metadata only, unless --read-secrets is given"
            + (" (and for the pull secret itself)" if registry and registry.pull_secret_from_cluster else "")
            + ". --without-secrets leaves these rules out."
        )
    else:
        yield (
            "No rule names a Secret (--without-secrets): whether the required Secrets are there stays unknown, "
            "and check cannot tell unless these findings are acknowledged."
        )
    if missing:
        yield (
            f"Not on this cluster yet: {', '.join(missing)}. A Role cannot be made there: `oc apply` says so and "
            "applies the rest, which is enough for a check. Apply the file again once they are there."
        )


def _of_hub(account: ServiceAccountName) -> str:
    return (
        f"To be applied in each managed cluster: {account} is an account of the hub, which cluster-proxy presents by "
        "the name that the bindings have. In the hub's own local-cluster it keeps its own: print the file without "
        "--for-hub there, with --service-account. What it reads of the hub: upgrade-gate init hub-reader. A token, on "
        f"the hub: {_token(account)}"
    )


def _token(account: ServiceAccountName) -> str:
    return f"oc -n {account.namespace} create token {account.name} --duration 1h"


def _comment(paragraphs: Iterable[str]) -> list[str]:
    """Return paragraphs as YAML comments; what comes out of a payload cannot end the comment."""
    lines: list[str] = []
    for text in paragraphs:
        printable = "".join(c if c.isprintable() else "?" for c in text)
        lines += textwrap.wrap(
            printable, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False,
            break_long_words=False,
        )  # fmt: skip
    return lines
