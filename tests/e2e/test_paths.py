"""Paths of two and three updates: what is needed only in between, and what is done before or after which update."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.worlds import bundles
from tests.worlds.components import require
from tests.worlds.flows import World, deletion, request, write
from upgrade_gate.base import plugins
from upgrade_gate.cli import main

if TYPE_CHECKING:
    from pathlib import Path

VERSIONS = ("4.14.5", "4.15.5", "4.16.5", "4.17.5")
ASKED = ("ec2:A", "ec2:A ec2:B ec2:C", "ec2:A ec2:C ec2:D", "ec2:C ec2:D")
"""What one component is allowed in each release: B comes and goes, A goes last, C and D stay."""
PASSING = request("AWS", "passing")
PATH = World(
    versions=VERSIONS,
    payloads=(
        (request("AWS", "comp", *ASKED[0].split()), request("AWS", "late")),
        (request("AWS", "comp", *ASKED[1].split()), request("AWS", "late"), PASSING),
        (request("AWS", "comp", *ASKED[2].split()), request("AWS", "late"), deletion("passing")),
        (request("AWS", "comp", *ASKED[3].split()), request("AWS", "late", "ec2:DescribeVolumes", "ec2:E")),
    ),
    annotation=None,
    upgradeable=("False", "MissingUpgradeableAnnotation"),
)
FORMATS = plugins.names("report.formats")


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """Judge the path once: its bundle, and every report."""
    folder = tmp_path_factory.mktemp("path")
    outputs = [f"{name}={folder / f'report.{name}'}" for name in FORMATS]
    arguments = [*write(PATH, folder / "world"), "--no-cache", "--bundle", str(folder / "bundle")]
    assert main([*arguments, *(word for output in outputs for word in ("-o", output))]) == 3
    return folder / "bundle", {name: (folder / f"report.{name}").read_text() for name in FORMATS}


def steps(reports: dict[str, str]) -> dict[int, dict[str, Any]]:
    found = [step for finding in json.loads(reports["json"])["findings"] for step in finding["remedy"]]
    return {step["number"]: step for step in found if step["number"]}


def test_a_grant_that_a_later_release_drops_is_needed_only_until_that_release(judged: Any) -> None:
    report = json.loads(judged[1]["json"])
    (first, second, third) = (
        {g["permission"]: g["needed_until"] for g in change["permissions"]["added"]}
        for change in report["changes"]
        if change["request"].endswith("/comp")
    )
    assert (first, second, third) == ({"ec2:B": "4.16.5", "ec2:C": None}, {"ec2:D": None}, {})


def test_a_finding_says_what_of_it_is_needed_only_in_between(judged: Any) -> None:
    asking = ("permission-added", "request-added")
    found = {(f["component"], f["hop"]): f for f in json.loads(judged[1]["json"])["findings"] if f["rule"] in asking}
    assert found["passing", 0]["needed_until"] == "4.16.5"
    assert found["passing", 0]["headline"].endswith(
        ", on the way to 4.15.5, needed only in between: 4.16.5 no longer asks for it"
    )
    assert found["comp", 0]["needed_until"] is None
    assert found["comp", 0]["headline"].endswith(", on the way to 4.15.5, 1 of 2 needed only in between")
    assert "only in between" not in found["comp", 1]["headline"]


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_marks_what_is_needed_only_in_between(name: str, judged: Any) -> None:
    told = " ".join(judged[1][name].split()).replace("\\/", "/")
    assert "needed only in between: 4.16.5 no longer asks for it" in told
    assert "1 of 2 needed only in between" in told


def test_each_step_says_before_or_after_which_update_it_is(judged: Any) -> None:
    told = [
        (step["when"], step["update"], step["step"].split(" behind ")[0])
        for _, step in sorted(steps(judged[1]).items())
    ]
    before = [(update, what) for when, update, what in told if when == "before"]
    after = [(update, what) for when, update, what in told if when == "after"]
    assert [when for when, _, _ in told] == ["before"] * len(before) + ["after"] * len(after)
    assert [update for update, _ in before[:-1]] == sorted(update for update, _ in before[:-1])
    assert ("4.15.5", "Grant 3 permissions to the user") in before, "in one step, since writing a policy replaces it"
    assert ("4.17.5", "Grant 1 permission to the user") in before, "what only the last update brings"
    assert before[-1][0] == "4.15.5", "CVO asks for the annotation before the first update"
    assert ("4.16.5", "Remove Secret openshift-passing/creds") in after
    assert ("4.17.5", "Take 2 permissions from the user") in after, "A is needed up to 4.16.5"


def test_readme_and_script_have_the_steps_under_the_same_numbers(judged: Any) -> None:
    bundle, reports = judged
    readme, script = ((bundle / name).read_text() for name in ("README.md", "commands.sh"))
    heads = [line.removeprefix("### ") for line in readme.splitlines() if line.startswith("### ")]
    assert heads == [
        "Before the update to 4.15.5",
        "Before the update to 4.17.5",
        "Before the update to 4.15.5, when all of this is done",
        "After the update to 4.16.5",
        "After the update to 4.17.5",
    ]
    for number, step in steps(reports).items():
        assert f"\n{number}. **" in readme
        if step["argv"][:2] != ["oc", "annotate"]:  # which a finding words in its own way
            assert f"# Step {number}: {step['step'].partition(', where ')[0]}\n" in script
    assert "Needed only in between, until 4.16.5: ec2:B." in readme
    assert [path.name for path in (bundle / "credentials-requests-on-the-way").iterdir()] == [
        "openshift-cloud-credential-operator-passing.yaml"
    ]


def test_the_script_passes_shellcheck_and_its_plan_names_the_updates(judged: Any, tmp_path: Path) -> None:
    script = judged[0] / "commands.sh"
    assert bundles.shellcheck(script, require("shellcheck")) == ""
    planned = bundles.Shell(tmp_path, tmp_path).run(script, "plan").out
    assert "(before the update to 4.17.5)" in planned
    assert "(after the update to 4.16.5, for a person: README.md)" in planned
