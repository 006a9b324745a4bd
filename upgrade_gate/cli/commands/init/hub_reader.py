"""`hub-reader`: the least roles with which an account can list a hub's clusters and find the way to them."""

from __future__ import annotations

from pathlib import Path

import click

from upgrade_gate.base.errors import ExitCode
from upgrade_gate.cli.commands.init._roles import OWN_ACCOUNT, AccountName, NamespaceName, ServiceAccountName
from upgrade_gate.cli.ready_file import deliver, write_options
from upgrade_gate.cluster import hub

_ROLE = "upgrade-gate-hub"
"""Not the name that `init rbac` has: a hub can be one of its own clusters."""
_COMMENT = """\
# What `upgrade-gate fleet hub` reads of the hub itself: get and list only. What it reads of the clusters is allowed in
# each of them: apply there what `upgrade-gate init rbac --for-hub` prints, with the same --service-account.
# A token for it: oc -n {account.namespace} create token {account.name} --duration 1h
"""


@click.command()
@click.option(
    "--service-account",
    type=AccountName(),
    metavar="NAMESPACE/NAME",
    help="Bind to this account, which is there already.  [default: one that the file makes, upgrade-gate/upgrade-gate]",
)
@click.option(
    "--namespace",
    type=NamespaceName(),
    default=hub.ENGINE,
    show_default=True,
    metavar="NAME",
    help="Where the multicluster engine and the Route of its cluster-proxy are.",
)
@write_options
def command(*, service_account: ServiceAccountName | None, namespace: str, write: Path | None, force: bool) -> ExitCode:
    """Print a service account and roles for what `fleet hub` reads of the hub itself.

    That is the list of its ManagedClusters, the namespace of its engine, the Route of cluster-proxy and the
    certificates beside it. The rights in each managed cluster are those of `init rbac --for-hub`.
    """
    import yaml

    from upgrade_gate.cli.commands.init import _roles

    account = service_account or OWN_ACCOUNT
    queries = (hub.MANAGED_CLUSTERS, hub.ENGINES, hub.route(namespace), hub.authorities(namespace))
    manifests = [] if service_account else _roles.account_manifests(account)
    manifests += _roles.role_manifests(queries, _roles.subject_of(account), name=_ROLE)
    body = yaml.safe_dump_all(manifests, sort_keys=False)
    deliver(f"{_COMMENT.format(account=account)}---\n{body}", write, force=force)
    return ExitCode.PASS
