"""`init argo`: parts of a fleet as a workflow, which joins them and asks no verdict again."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.worlds import judges
from tests.worlds.ready_files import IMAGE, Workspace, check_shell, made, refused

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

FORMS = (
    (),
    ("contexts:prod-*", "--to", "4.19.5", "--image", IMAGE),
    ("snapshots:/fleet/snapshots", "--shards", "3", "--namespace", "gate", "--config-map", "settings"),
)

# The schema says nothing of fields that it does not know: those that a template may have (Argo Workflows, field
# reference; container: core/v1, Container).
SPEC = {
    "activeDeadlineSeconds", "arguments", "entrypoint", "securityContext", "serviceAccountName", "synchronization",
    "templates", "volumes",
}  # fmt: skip
TEMPLATE = {"activeDeadlineSeconds", "container", "inputs", "name", "retryStrategy", "steps"}
STEP = {"arguments", "continueOn", "name", "template", "withSequence"}
CONTAINER = {
    "args", "command", "env", "image", "name", "resources", "securityContext", "terminationMessagePolicy",
    "volumeMounts", "workingDir",
}  # fmt: skip


def workflow(*options: str) -> Any:
    (found,) = (body for body in yaml.safe_load_all(made("argo", *options)) if body["kind"] == "WorkflowTemplate")
    return found


def template(name: str, *options: str) -> Any:
    return next(one for one in workflow(*options)["spec"]["templates"] if one["name"] == name)


@pytest.mark.parametrize("options", FORMS, ids=" ".join)
def test_the_schemas_take_it(options: tuple[str, ...]) -> None:
    from kubernetes import client

    body = workflow(*options)
    assert set(body["spec"]) == SPEC
    for one in body["spec"]["templates"]:
        assert set(one) <= TEMPLATE
        assert set(one.get("container", ())) <= CONTAINER
        one.pop("steps", None)  # the schema calls a group of them an object; Argo's type is a list, ParallelSteps
    assert judges.check_argo("WorkflowTemplate", body) == ""
    kinds = {"Namespace", "ServiceAccount", "Role", "RoleBinding", "PersistentVolumeClaim"}
    others = [one for one in yaml.safe_load_all(made("argo", *options)) if one["kind"] != "WorkflowTemplate"]
    assert {one["kind"] for one in others} == kinds
    for one in others:
        getattr(client, f"V1{one['kind']}").model_validate(one)


def test_the_schema_takes_the_steps() -> None:
    for step in (step for group in template("fleet")["steps"] for step in group):
        assert set(step) <= STEP
        assert judges.check_argo("WorkflowStep", step) == ""


def test_the_schema_is_a_judge() -> None:
    broken = workflow()
    broken["spec"]["templates"][1]["retryStrategy"]["expression"] = 3
    assert "expression" in judges.check_argo("WorkflowTemplate", broken)


def test_a_verdict_is_not_asked_again_and_a_kill_is() -> None:
    """The expression is the same in Python: `in`, `not`, lists and strings."""
    for name in ("shard", "merge"):
        strategy = template(name)["retryStrategy"]
        assert (strategy["retryPolicy"], strategy["limit"]) == ("Always", "3")
        again = {
            code: eval(strategy["expression"], {"lastRetry": SimpleNamespace(exitCode=code)})
            for code in ("1", "2", "3", "4", "137", "143", "-1")
        }
        assert again == {"1": False, "2": False, "3": False, "4": False, "137": True, "143": True, "-1": True}


def test_the_parts_come_first_and_whatever_becomes_of_them_the_second_step_tells() -> None:
    (shards,), (merge,) = template("fleet")["steps"]
    assert shards["withSequence"] == {"count": "{{workflow.parameters.shards}}"}
    assert shards["continueOn"] == {"failed": True, "error": True}
    assert "continueOn" not in merge
    parameters = {one["name"]: one.get("value") for one in workflow(*FORMS[2])["spec"]["arguments"]["parameters"]}
    assert parameters == {"to": None, "shards": "3"}, "a run without a target is refused"


def test_what_is_named_is_there() -> None:
    spec = workflow(*FORMS[2])["spec"]
    volumes = {volume["name"] for volume in spec["volumes"]}
    mounted = {m["name"] for one in spec["templates"] if "container" in one for m in one["container"]["volumeMounts"]}
    assert mounted == volumes
    text = made("argo", *FORMS[2])
    known = {"item", "workflow.uid", "workflow.parameters.to", "workflow.parameters.shards", "inputs.parameters.index"}
    assert set(re.findall(r"\{\{(.*?)\}\}", text)) == known


def test_shellcheck_has_nothing_to_say(tmp_path: Path) -> None:
    for name in ("shard", "merge"):
        check_shell(template(name, "--config-map", "settings")["container"]["command"][2], "sh", tmp_path)


def test_what_would_mean_something_to_argo_is_refused() -> None:
    refused("argo", "{{workflow.name}}")
    refused("argo", "hub", "--to", "{{x}}")


def test_each_part_has_its_place_and_the_second_step_joins_them(workspace: Workspace) -> None:
    program = workspace.folder / ".programs" / "upgrade-gate"
    program.write_text(
        '#!/bin/sh\necho "$@" >> called\nfor last; do :; done\nmkdir -p "$last"\n'
        '[ "$2" != merge ] && echo x > "$last/fleet.json"\n[ "$2" = merge ] && exit 4\nexit 3\n'
    )
    values = {
        "{{workflow.uid}}": "uid-1",
        "{{workflow.parameters.to}}": "4.19.5",
        "{{workflow.parameters.shards}}": "2",
        "/fleet": str(workspace.folder / "fleet"),
    }

    def run(name: str, **inputs: str) -> int:
        container = template(name, "contexts:*", "--no-pull-secret")["container"]
        known = {**values, **{f"{{{{inputs.parameters.{key}}}}}": value for key, value in inputs.items()}}

        def filled(text: str) -> str:
            for mark, value in known.items():
                text = text.replace(mark, value)
            return text

        variables = {entry["name"]: filled(entry["value"]) for entry in container["env"] if "value" in entry}
        words = [filled(word) for word in (*container["command"], *container["args"])]
        return workspace.run(words, **variables).returncode

    assert [run("shard", index=index) for index in "01"] == [3, 3]
    assert run("merge") == 4
    home = workspace.folder / "fleet" / "upgrade-gate-fleet"
    parts = [home / "parts" / "uid-1" / f"part-{index}" for index in "01"]
    assert (workspace.folder / "called").read_text().splitlines() == [
        *(f"fleet contexts:* --to 4.19.5 --shard 2 --resume -d {part}" for part in parts),
        f"fleet merge {parts[0]} {parts[1]} -d {home / 'result'}",
    ]
