"""`kubernetes-job`: a Job or CronJob that runs the gate inside the cluster, and never again because of a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from upgrade_gate import __version__
from upgrade_gate.base.errors import ExitCode
from upgrade_gate.cli.commands.init import _pins, _pods
from upgrade_gate.cli.commands.init._roles import OWN_ACCOUNT
from upgrade_gate.cli.ready_file import deliver, write_options

if TYPE_CHECKING:
    from pathlib import Path

    from upgrade_gate.cli.commands.init._roles import ServiceAccountName

_REPORTS = "/reports"
_CLAIM = f"{_pods.NAME}-reports"
_HEADER = """\
# The upgrade gate inside the cluster: does it hold what the target release needs?
# Made by `upgrade-gate init kubernetes-job`, version {version}. Before it is applied:
#   upgrade-gate init rbac --to RELEASE{account} | oc apply -f -    the service account and its roles
{extra}#
# The exit code is that of upgrade-gate: 0 pass, 3 blocked, 4 cannot tell, 2 and 1 no verdict. None of them starts
# the pod again; a lost node does (Kubernetes 1.26, OpenShift 4.13; before, set backoffLimit to 0). A pod that was
# killed has no verdict. The reports are on the volume, by the name of the pod, the text is in the log:
#   oc logs -n {namespace} {logs}
# Proof, configuration, acknowledgements, stops on the way and more options come from the ConfigMap {name}, where
# there is one; a pod reads it when it starts. Who may change it has a say in the verdict. VIA, ACKNOWLEDGEMENTS and
# ARGUMENTS are lists: blanks separate words, quotes keep one together, nothing is expanded.
#   oc create configmap {name} -n {namespace} --from-literal UPGRADE_GATE_ARGUMENTS=--read-secrets \\
#     --from-literal UPGRADE_GATE_IDENTITIES=export:{reports}/identities
"""
_SCRIPT = """\
upgrade-gate check "$@" \\
  --label "pod=$POD_NAME" -o text -o "html=$REPORTS.html" -o "json=$REPORTS.json" \\
  -o "junit=$REPORTS.junit.xml" -o "sarif=$REPORTS.sarif" -o "markdown=$REPORTS.md"
# what ends well without a report (--help does) has judged nothing
[ -s "$REPORTS.json" ]
"""
"""Run by sh with the fixed options; the variables add theirs."""


@click.command()
@_pins.target_option
@_pins.own_image_option
@click.option("--schedule", metavar="CRON", help="Make a CronJob: '30 5 * * 1' or @daily.")
@_pins.service_account_option
@_pins.settings_options
@write_options
def command(
    *,
    to: str | None,
    image: str | None,
    schedule: str | None,
    service_account: ServiceAccountName,
    config_map: str | None,
    no_pull_secret: bool,
    write: Path | None,
    force: bool,
) -> ExitCode:
    """Print a Job (or a CronJob) with the volume that keeps its reports, for the service account of `init rbac`.

    The pod fits the restricted pod security standard and has a token that ends with it.
    """
    pull_secret = not no_pull_secret
    namespace = service_account.namespace
    mounts = [_pods.account_mount(), _pods.claimed("reports", _CLAIM, _REPORTS), _pods.tmp_mount()]
    mounts += _pods.settings_mounts(config_map, pull_secret=pull_secret)
    target = to or _pins.placeholder("TARGET_RELEASE")
    container = _pods.container(
        _pods.STOP + _pods.given(config_map) + _SCRIPT,
        ["--to", target, "--cluster", "live", *_pods.registry_arguments(pull_secret=pull_secret)],
        image,
        env=[
            _pods.field("POD_NAME", "metadata.name"),
            _pods.value("REPORTS", f"{_REPORTS}/$(POD_NAME)"),
            *_pods.variables(),
        ],
        mounts=mounts,
    )
    spec = _pods.job_spec(_pods.pod(container, service_account.name, mounts), seconds=1200)
    name = _pods.NAME if schedule is not None else _pods.name_for(_pods.NAME, to)
    job = _pods.job(name, namespace, spec) if schedule is None else _pods.cron_job(schedule, namespace, spec)
    documents = [_pods.claim(_CLAIM, namespace, access="ReadWriteOnce", size="1Gi"), job]
    text = _header(name, service_account, schedule, pull_secret=pull_secret) + _pods.dump(documents)
    deliver(text, write, force=force)
    return ExitCode.PASS


def _header(name: str, account: ServiceAccountName, schedule: str | None, *, pull_secret: bool) -> str:
    return _HEADER.format(
        version=__version__,
        name=_pods.NAME,
        reports=_REPORTS,
        namespace=account.namespace,
        account="" if account == OWN_ACCOUNT else f" --service-account {account}",
        extra=_pods.pull_secret_lines(account.namespace, pull_secret=pull_secret),
        logs=f"-l app.kubernetes.io/name={_pods.NAME}" if schedule is not None else f"job/{name}",
    )
