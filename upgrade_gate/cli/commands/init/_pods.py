"""Pods that run upgrade-gate in a cluster, and the Jobs around them: restricted, and a verdict starts none again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypedDict

from msgspec import Struct

from upgrade_gate import __version__
from upgrade_gate.base.errors import UsageError
from upgrade_gate.base.secret_ref import OBJECT_NAME
from upgrade_gate.cli.commands.init import _pins

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import yaml

NAME = "upgrade-gate"
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
ENDS = (1, 2, 3, 4)
"""Exit codes of upgrade-gate after which a pod is not started again: to ask again would answer the same."""

STOP = """\
set -eu
stop() {
  echo "error: no verdict was reached: $1" >&2
  exit 2
}
"""
"""How a script begins that gives a verdict."""

_CRON = re.compile(r"@(hourly|daily|weekly|monthly)|[0-9*/,-]+( [0-9*/,A-Za-z-]+){4}", re.ASCII)
_SETTINGS = "/etc/upgrade-gate/settings"
_PULL_SECRET = "/etc/upgrade-gate/pull-secret"  # noqa: S105 - a path
_VARIABLES = ("VIA", "IDENTITIES", "CONFIG", "ACKNOWLEDGEMENTS", "ARGUMENTS")


class Resources(TypedDict, total=False):
    """What a container may use."""

    cpu: str
    """What it asks for."""
    memory: tuple[str, str]
    """What it asks for, and what it may have."""


class Mount(Struct, frozen=True):
    """A volume and where it is mounted."""

    name: str
    volume: Mapping[str, Any]
    path: str
    read_only: bool = True


def claimed(name: str, claim: str, path: str) -> Mount:
    """Return a volume that outlives the pod."""
    return Mount(name, {"persistentVolumeClaim": {"claimName": claim}}, path, read_only=False)


def account_mount(seconds: int = 1800) -> Mount:
    """Return what an automounted account has, with a token for the length of a run."""
    namespace = {"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}
    sources = [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": seconds}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [namespace]}},
    ]
    return Mount("account", {"projected": {"sources": sources}}, ACCOUNT)


def tmp_mount() -> Mount:
    """Return the only place of the image's own that can be written to."""
    return Mount("tmp", {"emptyDir": {"sizeLimit": "1Gi"}}, "/tmp", read_only=False)  # noqa: S108 - inside the pod


def settings_mounts(config_map: str | None, *, pull_secret: bool) -> list[Mount]:
    """Return the volumes of what an administrator supplies; raises UsageError for what no ConfigMap is called."""
    mounts = []
    if config_map is not None:
        if not OBJECT_NAME.fullmatch(config_map):
            raise UsageError(f"--config-map {config_map!r} is not a name of a ConfigMap")
        mounts.append(Mount("settings", {"configMap": {"name": config_map}}, _SETTINGS))
    if pull_secret:
        mounts.append(Mount("pull-secret", {"secret": {"secretName": f"{NAME}-pull-secret"}}, _PULL_SECRET))
    return mounts


def registry_arguments(*, pull_secret: bool) -> list[str]:
    """Return the options that name the mounted pull secret."""
    return ["--registry-config", f"{_PULL_SECRET}/.dockerconfigjson"] if pull_secret else []


def given(config_map: str | None) -> str:
    """Return the lines of a script that make options from variables, behind those that it has in `$@`."""
    named = f"UPGRADE_GATE_CONFIG=${{UPGRADE_GATE_CONFIG:-{_SETTINGS}/upgrade-gate.yaml}}\n" if config_map else ""
    return named + _pins.part("given.sh", indent=0) + "\n"


def cluster_api() -> str:
    """Return a function of a script that asks the cluster's API as the pod's account; ACCOUNT says where that is."""
    program = _pins.part("cluster_api.py", indent=0)
    return f"cluster_api() {{\n  python3 -I - \"$@\" <<'PYTHON'\n{program}\nPYTHON\n}}"


def variables() -> list[dict[str, Any]]:
    """Return what `given` reads, from a ConfigMap that need not be there."""
    names = [f"UPGRADE_GATE_{name}" for name in _VARIABLES]
    return [
        {"name": name, "valueFrom": {"configMapKeyRef": {"name": NAME, "key": name, "optional": True}}}
        for name in names
    ]


def value(name: str, text: str) -> dict[str, Any]:
    """Return a variable of a container."""
    return {"name": name, "value": text}


def field(name: str, path: str) -> dict[str, Any]:
    """Return a variable that holds a field of the pod."""
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def container(
    script: str,
    arguments: Sequence[str],
    image: str | None,
    *,
    env: Iterable[Mapping[str, Any]],
    mounts: Iterable[Mount],
    cpu: str = "100m",
    memory: tuple[str, str] = ("192Mi", "512Mi"),
) -> dict[str, Any]:
    """Return a container that runs a script with arguments; `cpu` and `memory` are as `Resources` has them."""
    return {
        "name": NAME,
        "image": image or _pins.placeholder("IMAGE"),
        "command": ["/bin/sh", "-c", script, NAME],
        "args": list(arguments),
        "workingDir": "/tmp",  # noqa: S108 - inside the pod
        "env": [*env, value("HOME", "/tmp"), value("XDG_CACHE_HOME", "/tmp/cache")],  # noqa: S108
        "resources": {"requests": {"cpu": cpu, "memory": memory[0]}, "limits": {"memory": memory[1]}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            {"name": mount.name, "mountPath": mount.path, **({"readOnly": True} if mount.read_only else {})}
            for mount in mounts
        ],
    }


SECURITY = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
"""Of a pod: with that of its container it fits the restricted pod security standard."""


def pod(container: Mapping[str, Any], account: str, mounts: Iterable[Mount]) -> dict[str, Any]:
    """Return the spec of a pod with one container."""
    return {
        "restartPolicy": "Never",
        "serviceAccountName": account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": dict(SECURITY),
        "containers": [container],
        "volumes": volumes(mounts),
    }


def volumes(mounts: Iterable[Mount]) -> list[dict[str, Any]]:
    """Return the volumes of what is mounted."""
    return [{"name": mount.name, **mount.volume} for mount in mounts]


def job_spec(
    pod: Mapping[str, Any], *, seconds: int, kept: int = 7 * 86400, ends: str = "FailJob", **more: Any
) -> dict[str, Any]:
    """Return the spec of a Job: `ends` is done where upgrade-gate has ended by itself; a pod that was lost is replaced.

    `seconds` is how long it may take, `kept` for how long it is kept after its end, `more` stands instead of
    `backoffLimit`. Kubernetes API, batch/v1, JobSpec and PodFailurePolicyRule.
    """
    own = {"containerName": NAME, "operator": "In", "values": list(ENDS)}
    return {
        **(more or {"backoffLimit": 2}),
        "activeDeadlineSeconds": seconds,
        "ttlSecondsAfterFinished": kept,
        "podFailurePolicy": {
            "rules": [
                {"action": ends, "onExitCodes": own},
                {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
            ]
        },
        "template": {"metadata": {"labels": labels()}, "spec": pod},
    }


def job(name: str, namespace: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a Job."""
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata(name, namespace), "spec": spec}


def cron_job(schedule: str, namespace: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a CronJob whose runs wait for each other; raises UsageError for what is no schedule."""
    if not _CRON.fullmatch(schedule):
        raise UsageError(f"--schedule {schedule!r} is not a schedule such as '30 5 * * 1' or @daily")
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": metadata(NAME, namespace),
        "spec": {
            "schedule": schedule,
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 3600,
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 3,
            "jobTemplate": {"metadata": {"labels": labels()}, "spec": spec},
        },
    }


def claim(name: str, namespace: str, *, access: str, size: str) -> dict[str, Any]:
    """Return a claim of a volume."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata(name, namespace),
        "spec": {"accessModes": [access], "resources": {"requests": {"storage": size}}},
    }


def name_for(prefix: str, to: str | None) -> str:
    """Return a name for the Job of one target: a Job cannot be changed, so each target has its own.

    With a short ending it is still a label (63 characters), as a Job's name must be.
    """
    import hashlib

    if to is None:
        return prefix
    slug = re.sub(r"[^a-z0-9]+", "-", to.lower()).strip("-")
    if len(slug) > 52 - len(prefix):
        slug = hashlib.sha256(to.encode()).hexdigest()[:16]
    return f"{prefix}-{slug}"


def metadata(name: str, namespace: str) -> dict[str, Any]:
    """Return the metadata of an object of ours."""
    return {"name": name, "namespace": namespace, "labels": labels()}


def labels() -> dict[str, str]:
    """Return what our objects are found by."""
    return {"app.kubernetes.io/name": NAME, "app.kubernetes.io/version": __version__}


def pull_secret_lines(namespace: str, *, pull_secret: bool) -> str:
    """Return the lines of a header that make the pull secret."""
    if not pull_secret:
        return ""
    return (
        f"#   oc create secret generic {NAME}-pull-secret -n {namespace} --type kubernetes.io/dockerconfigjson \\\n"
        "#     --from-file .dockerconfigjson=PULL_SECRET_FILE\n"
    )


def dump(documents: Iterable[Mapping[str, Any]]) -> str:
    """Return objects as YAML documents, a script as lines."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def represent_str(self, data: str) -> yaml.ScalarNode:
            return self.represent_scalar("tag:yaml.org,2002:str", data, style="|" if "\n" in data else None)

        def ignore_aliases(self, data: Any) -> bool:
            del data
            return True

    Dumper.add_representer(str, Dumper.represent_str)
    text: str = yaml.dump_all(documents, Dumper=Dumper, sort_keys=False, explicit_start=True, width=110)
    return text
