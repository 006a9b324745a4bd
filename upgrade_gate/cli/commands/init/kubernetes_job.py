"""`kubernetes-job`: a Job or CronJob that runs the gate inside the cluster, and never again because of a verdict."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from upgrade_gate import __version__
from upgrade_gate.base.errors import ExitCode, UsageError
from upgrade_gate.base.secret_ref import OBJECT_NAME
from upgrade_gate.cli.commands.init import _pins
from upgrade_gate.cli.commands.init._roles import OWN_ACCOUNT
from upgrade_gate.cli.ready_file import deliver, write_options

if TYPE_CHECKING:
    from pathlib import Path

    import yaml

    from upgrade_gate.cli.commands.init._roles import ServiceAccountName

_NAME = "upgrade-gate"
_REPORTS = "/reports"
_SETTINGS = "/etc/upgrade-gate/settings"
_PULL_SECRET = "/etc/upgrade-gate/pull-secret"  # noqa: S105 - a path
_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
_ENDS = (1, 2, 3, 4)
"""Exit codes of upgrade-gate that end the Job: to ask again would answer the same."""

_CRON = re.compile(r"@(hourly|daily|weekly|monthly)|[0-9*/,-]+( [0-9*/,A-Za-z-]+){4}", re.ASCII)
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
_VARIABLES = ("VIA", "IDENTITIES", "CONFIG", "ACKNOWLEDGEMENTS", "ARGUMENTS")
_SCRIPT = """\
set -eu
stop() {{
  echo "error: no verdict was reached: $1" >&2
  exit 2
}}
{given}
upgrade-gate check "$@" \\
  --label "pod=$POD_NAME" -o text -o "html=$REPORTS.html" -o "json=$REPORTS.json" \\
  -o "junit=$REPORTS.junit.xml" -o "sarif=$REPORTS.sarif" -o "markdown=$REPORTS.md"
# what ends well without a report (--help does) has judged nothing
[ -s "$REPORTS.json" ]
"""
"""Run by sh with the fixed options; the variables add theirs."""


@click.command()
@_pins.target_option
@_pins.image_option("Image that holds upgrade-gate (init containerfile).  [default: to be filled in]")
@click.option("--schedule", metavar="CRON", help="Make a CronJob: '30 5 * * 1' or @daily.")
@_pins.service_account_option
@click.option("--config-map", metavar="NAME", help="ConfigMap with upgrade-gate.yaml and what that names.")
@click.option("--no-pull-secret", is_flag=True, help="The registry of the releases wants no credentials.")
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
    import yaml

    if config_map is not None and not OBJECT_NAME.fullmatch(config_map):
        raise UsageError(f"--config-map {config_map!r} is not a name of a ConfigMap")
    if schedule is not None and not _CRON.fullmatch(schedule):
        raise UsageError(f"--schedule {schedule!r} is not a schedule such as '30 5 * * 1' or @daily")
    namespace = service_account.namespace
    target = to or _pins.placeholder("TARGET_RELEASE")
    pod = _pod(
        _script(config_map),
        _arguments(target, no_pull_secret),
        image or _pins.placeholder("IMAGE"),
        service_account.name,
    )
    pod["volumes"] += _volumes(config_map, no_pull_secret)
    pod["containers"][0]["volumeMounts"] += _mounts(config_map, no_pull_secret)
    job = _job(pod)
    name = _NAME if schedule or to is None else _job_name(to)
    if schedule is None:
        job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": _metadata(name, namespace), "spec": job}
    else:
        job = _cron_job(job, schedule, namespace)
    documents = [_claim(namespace), job]
    text = _header(name, service_account, schedule, no_pull_secret) + yaml.dump_all(
        documents, Dumper=_dumper(), sort_keys=False, explicit_start=True, width=110
    )
    deliver(text, write, force=force)
    return ExitCode.PASS


def _header(name: str, account: ServiceAccountName, schedule: str | None, no_pull_secret: bool) -> str:
    namespace = account.namespace
    named = "" if account == OWN_ACCOUNT else f" --service-account {account}"
    secret = (
        f"#   oc create secret generic {_NAME}-pull-secret -n {namespace} --type kubernetes.io/dockerconfigjson \\\n"
    )
    secret += "#     --from-file .dockerconfigjson=PULL_SECRET_FILE\n"
    run = f"-l app.kubernetes.io/name={_NAME}" if schedule else f"job/{name}"
    extra = "" if no_pull_secret else secret
    return _HEADER.format(
        version=__version__, name=_NAME, reports=_REPORTS, namespace=namespace, account=named, extra=extra, logs=run
    )


def _dumper() -> type[yaml.SafeDumper]:
    """Return a dumper that writes a script as lines."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def represent_str(self, data: str) -> yaml.ScalarNode:
            return self.represent_scalar("tag:yaml.org,2002:str", data, style="|" if "\n" in data else None)

    Dumper.add_representer(str, Dumper.represent_str)
    return Dumper


def _arguments(target: str, no_pull_secret: bool) -> list[str]:
    arguments = ["--to", target, "--cluster", "live"]
    if not no_pull_secret:
        arguments += ["--registry-config", f"{_PULL_SECRET}/.dockerconfigjson"]
    return arguments


def _script(config_map: str | None) -> str:
    named = f"UPGRADE_GATE_CONFIG=${{UPGRADE_GATE_CONFIG:-{_SETTINGS}/upgrade-gate.yaml}}\n" if config_map else ""
    return _SCRIPT.format(given=named + _pins.part("given.sh", indent=0))


def _variable(name: str) -> dict[str, Any]:
    key = f"UPGRADE_GATE_{name}"
    return {"name": key, "valueFrom": {"configMapKeyRef": {"name": _NAME, "key": key, "optional": True}}}


def _job_name(to: str) -> str:
    """Return a name for the Job of one target: a Job cannot be changed, so each target has its own."""
    import hashlib

    slug = re.sub(r"[^a-z0-9]+", "-", to.lower()).strip("-")
    if len(slug) > 40:
        slug = hashlib.sha256(to.encode()).hexdigest()[:16]
    return f"{_NAME}-{slug}"


def _metadata(name: str, namespace: str | None = None) -> dict[str, Any]:
    place = {} if namespace is None else {"namespace": namespace}
    return {"name": name, **place, "labels": _labels()}


def _labels() -> dict[str, str]:
    return {"app.kubernetes.io/name": _NAME, "app.kubernetes.io/version": __version__}


def _claim(namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": _metadata(f"{_NAME}-reports", namespace),
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }


def _cron_job(job: dict[str, Any], schedule: str, namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": _metadata(_NAME, namespace),
        "spec": {
            "schedule": schedule,
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 3600,
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 3,
            "jobTemplate": {"metadata": {"labels": _labels()}, "spec": job},
        },
    }


def _job(pod: dict[str, Any]) -> dict[str, Any]:
    return {
        "backoffLimit": 2,
        "activeDeadlineSeconds": 1200,
        "ttlSecondsAfterFinished": 604800,
        "podFailurePolicy": {
            "rules": [
                {
                    "action": "FailJob",
                    "onExitCodes": {"containerName": _NAME, "operator": "In", "values": list(_ENDS)},
                },
                {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
            ]
        },
        "template": {"metadata": {"labels": _labels()}, "spec": pod},
    }


def _pod(script: str, arguments: list[str], image: str, account: str) -> dict[str, Any]:
    return {
        "restartPolicy": "Never",
        "serviceAccountName": account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": _NAME,
                "image": image,
                "command": ["/bin/sh", "-c", script, _NAME],
                "args": arguments,
                "workingDir": "/tmp",  # noqa: S108 - inside the pod
                "env": [
                    {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                    {"name": "REPORTS", "value": f"{_REPORTS}/$(POD_NAME)"},
                    *(_variable(name) for name in _VARIABLES),
                    {"name": "HOME", "value": "/tmp"},  # noqa: S108
                    {"name": "XDG_CACHE_HOME", "value": "/tmp/cache"},  # noqa: S108
                ],
                "resources": {"requests": {"cpu": "100m", "memory": "192Mi"}, "limits": {"memory": "512Mi"}},
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "terminationMessagePolicy": "FallbackToLogsOnError",
                "volumeMounts": [
                    {"name": "account", "mountPath": _ACCOUNT, "readOnly": True},
                    {"name": "reports", "mountPath": _REPORTS},
                    {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108
                ],
            }
        ],
        "volumes": [
            {"name": "account", "projected": {"sources": _account_sources()}},
            {"name": "reports", "persistentVolumeClaim": {"claimName": f"{_NAME}-reports"}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}},
        ],
    }


def _account_sources() -> list[dict[str, Any]]:
    """Return what an automounted account has, with a token for the length of a run."""
    namespace = {"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}
    return [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 1800}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [namespace]}},
    ]


def _volumes(config_map: str | None, no_pull_secret: bool) -> list[dict[str, Any]]:
    volumes: list[dict[str, Any]] = []
    if config_map is not None:
        volumes.append({"name": "settings", "configMap": {"name": config_map}})
    if not no_pull_secret:
        volumes.append({"name": "pull-secret", "secret": {"secretName": f"{_NAME}-pull-secret"}})
    return volumes


def _mounts(config_map: str | None, no_pull_secret: bool) -> list[dict[str, Any]]:
    mounts: list[dict[str, Any]] = []
    if config_map is not None:
        mounts.append({"name": "settings", "mountPath": _SETTINGS, "readOnly": True})
    if not no_pull_secret:
        mounts.append({"name": "pull-secret", "mountPath": _PULL_SECRET, "readOnly": True})
    return mounts
