"""A stand-in for the Job controller and the kubelet: one process for each index, and what becomes of one that ends.

Rules: Kubernetes documentation, "Jobs" (Indexed completion mode, backoff limit per index, pod failure policy), and the
API's JobSpec, batch/v1.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

KILLED = 128 + signal.SIGKILL
"""What the kubelet says of a container that was killed."""


@dataclass
class Pod:
    """One attempt at one index; a Job without indexes has the index 0 only."""

    index: int
    name: str
    log: Path
    process: subprocess.Popen[bytes]
    disrupted: bool = False
    """Whether its condition DisruptionTarget is true: its node was drained, for example."""

    @property
    def code(self) -> int:
        """The exit code, as the kubelet gives it."""
        code = self.process.returncode
        return code if code >= 0 else 128 - code

    def kill(self, *, disrupted: bool = False) -> None:
        """End it at once, with all its processes."""
        self.disrupted = disrupted
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@dataclass
class JobController:
    """Runs a Job; `places` are the folders that stand for mounts, `environment` is what the image has."""

    job: Mapping[str, Any]
    uid: str
    places: Mapping[str, Path]
    environment: Mapping[str, str]
    config: Mapping[str, str] = field(default_factory=dict)
    """What ConfigMaps hold."""
    pods: list[Pod] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.spec = self.job["spec"]
        self.indexed = self.spec.get("completionMode") == "Indexed"
        (self.container,) = self.spec["template"]["spec"]["containers"]
        assert self.spec["template"]["spec"]["restartPolicy"] == "Never", "the kubelet would start it again"
        self.most = self.spec["backoffLimitPerIndex"] if self.indexed else self.spec["backoffLimit"]

    def run(self, watch: Callable[[Pod], None] = lambda _: None) -> dict[str, Any]:
        """Run it to its end and return the Job with its status; `watch` sees every running pod again and again."""
        completions = self.spec.get("completions", 1)
        waiting, running = list(range(completions)), list[Pod]()
        done, failed, failures = list[int](), list[int](), Counter[int]()
        while (waiting or running) and not (failed and not self.indexed):
            while waiting and len(running) < self.spec.get("parallelism", 1):
                running.append(self._start(waiting.pop(0)))
            for pod in [one for one in running if self._ended(one, watch)]:
                running.remove(pod)
                action = "Done" if pod.code == 0 else self.action(pod)
                failures[pod.index] += action == "Count"
                if action == "Done":
                    done.append(pod.index)
                elif action == "FailJob":
                    failed = list(range(completions))
                    waiting = []
                    for other in running:
                        other.kill()
                    running = []
                elif action == "FailIndex" or failures[pod.index] > self.most:
                    failed.append(pod.index)
                else:
                    waiting.append(pod.index)
            time.sleep(0.01)
        return self._ended_job(done, failed)

    def action(self, pod: Pod) -> str:
        """Return what its pod failure policy says of a pod that failed: the first rule that holds."""
        for rule in self.spec["podFailurePolicy"]["rules"]:
            codes = rule.get("onExitCodes")
            ours = codes and codes["containerName"] == self.container["name"]
            if ours and (pod.code in codes["values"]) == (codes["operator"] == "In"):
                return str(rule["action"])
            for condition in rule.get("onPodConditions", ()):
                if pod.disrupted and condition == {"type": "DisruptionTarget", "status": "True"}:
                    return str(rule["action"])
        return "Count"

    def attempts(self, index: int) -> list[int]:
        """Return the exit codes of an index, first to last."""
        return [pod.code for pod in self.pods if pod.index == index]

    def _ended(self, pod: Pod, watch: Callable[[Pod], None]) -> bool:
        watch(pod)
        return pod.process.poll() is not None

    def _start(self, index: int) -> Pod:
        name = f"{self.job['metadata']['name']}-{index}-{len(self.pods)}"
        words = [self._placed(word) for word in (*self.container["command"], *self.container["args"])]
        log = self.places["/tmp"] / f"{name}.log"
        with log.open("wb") as stream:
            process = subprocess.Popen(
                words,
                cwd=self.places["/tmp"],
                env={**self.environment, **self._variables(name, index)},
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )
        self.pods.append(Pod(index, name, log, process))
        return self.pods[-1]

    def _variables(self, name: str, index: int) -> dict[str, str]:
        fields = {
            "metadata.name": name,
            "metadata.namespace": self.job["metadata"]["namespace"],
            "metadata.labels['batch.kubernetes.io/controller-uid']": self.uid,
            "metadata.labels['controller-uid']": self.uid,
            "metadata.labels['job-name']": self.job["metadata"]["name"],
        }
        found: dict[str, str] = {}
        for entry in self.container["env"]:
            source = entry.get("valueFrom", {})
            if "value" in entry:
                found[entry["name"]] = re.sub(r"\$\((\w+)\)", lambda mark: found[mark[1]], self._placed(entry["value"]))
            elif "fieldRef" in source:
                found[entry["name"]] = fields[source["fieldRef"]["fieldPath"]]
            elif source["configMapKeyRef"]["key"] in self.config:
                found[entry["name"]] = self._placed(self.config[source["configMapKeyRef"]["key"]])
        return {**found, **({"JOB_COMPLETION_INDEX": str(index)} if self.indexed else {})}

    def _placed(self, text: str) -> str:
        mounts = "|".join(re.escape(path) for path in sorted(self.places, key=len, reverse=True))
        return re.sub(rf"(?<![\w.])(?:{mounts})(?=/|$)", lambda mark: str(self.places[mark[0]]), text)

    def _ended_job(self, done: list[int], failed: list[int]) -> dict[str, Any]:
        status: dict[str, Any] = {
            "conditions": [{"type": "Failed" if failed else "Complete", "status": "True"}],
            "succeeded": len(done),
        }
        if self.indexed:
            status["completedIndexes"] = ",".join(map(str, sorted(done)))
            status["failedIndexes"] = ",".join(map(str, sorted(failed)))
        return {**self.job, "metadata": {**self.job["metadata"], "uid": self.uid}, "status": status}
