"""What a rollback needs: what the releases before ask for and the target does not, and until when it must stay."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.worlds import rules
from tests.worlds.firing import DELETED
from tests.worlds.flows import NO_ANNOTATION, World, deletion, request, write
from tests.worlds.running import run
from upgrade_gate.base import plugins

DESCRIBE, CREATE = "ec2:DescribeVolumes", "ec2:CreateVolume"
BEFORE = request("AWS", "comp", DESCRIBE, CREATE)
AFTER = request("AWS", "comp", DESCRIBE)
GONE = request("AWS", "gone", "s3:GetObject")


def world(platform: str = "AWS", before: Any = (BEFORE,), after: Any = (AFTER,), **more: Any) -> World:
    """One update after which less is asked for."""
    return World(platform, payloads=(before, after), **{"versions": ("4.16.3", "4.17.0"), **more})


def report(folder: Path, of: World, *more: str) -> dict[str, Any]:
    """Run the check and return its report."""
    result = run(*write(of, folder), "--no-cache", "-o", "json", *more)
    found: dict[str, Any] = json.loads(result.out)
    return found


def kept(found: dict[str, Any]) -> list[tuple[str, bool, list[str], list[str]]]:
    """What is kept, in short."""
    return [
        (one["component"], one["whole"], [g["permission"] for g in one["grants"]], one["service_accounts"])
        for one in found["rollback"]["kept"]
    ]


def test_a_pass_says_which_permissions_only_the_release_before_asks_for(tmp_path: Path) -> None:
    found = report(tmp_path, world())
    assert found["verdict"]["status"] == "pass"
    assert found["rollback"]["version"] == "4.16.3"
    assert kept(found) == [("comp", False, [CREATE], [])]
    (removed,) = (f for f in found["findings"] if f["rule"] == "permission-removed")
    assert removed["headline"].endswith("; keep it until a rollback to 4.16.3 is out of the question")


@pytest.mark.parametrize("wider", ["ec2:Create*", "ec2:*"])
def test_what_the_target_asks_for_in_a_wider_form_is_not_named(wider: str, tmp_path: Path) -> None:
    narrow = world(before=(BEFORE,), after=(request("AWS", "comp", DESCRIBE, wider),))
    assert run(*write(narrow, tmp_path), "--no-cache").code == 3  # wider: not a pass, and nothing is said of a rollback
    assert report(tmp_path / "again", narrow)["rollback"] is None
    same = world(before=(request("AWS", "comp", wider, CREATE),), after=(request("AWS", "comp", wider),))
    assert kept(report(tmp_path / "same", same)) == []


def test_a_secret_that_nothing_of_the_target_reads_is_kept_with_its_identity(tmp_path: Path) -> None:
    found = report(tmp_path, world(before=(AFTER, GONE), after=(AFTER, deletion("gone"))))
    assert kept(found) == [("gone", True, [], [])]
    assert found["rollback"]["kept"][0]["deleted_by_cco"] is False


def test_a_secret_that_cco_deletes_itself_is_told_to_be_made_again(tmp_path: Path) -> None:
    found = report(tmp_path, world(before=(AFTER, GONE), after=(AFTER, deletion("gone")), token=True))
    assert found["rollback"]["kept"][0]["deleted_by_cco"] is True
    (removed,) = (f for f in found["findings"] if f["rule"] == "request-removed")
    assert "keep it" not in removed["headline"]


def _of(folder: Path, before: list[Any], after: list[Any], cluster: rules.Cluster) -> list[tuple[str, bool, bool, int]]:
    """Return what must stay, whatever is found: component, whole or not, deleted by CCO or not, number of grants."""
    found = rules.judge(folder, before, after, cluster).rollback
    assert found is not None
    return [(one.request.name, one.whole, one.goes_by_itself, len(one.grants)) for one in found.kept]


def test_a_secret_stays_where_cco_is_not_told_to_delete_its_request(tmp_path: Path) -> None:
    """CCO of timed tokens deletes the Secret with its request, and CVO deletes a request by its own manifest only."""
    one, two = rules.request("a"), rules.request("b", secret="b")
    preview = {**rules.PROFILE, "release.openshift.io/feature-set": "TechPreviewNoUpgrade"}
    left_out = rules.request("b", secret="b", annotations=preview)
    assert _of(tmp_path / "1", [one, two], [one, left_out], rules.Cluster()) == [("b", True, False, 0)]
    assert _of(tmp_path / "2", [one, two], [one, DELETED], rules.Cluster()) == [("b", True, True, 0)]


def test_each_request_is_looked_at_whatever_the_one_before_it_keeps(tmp_path: Path) -> None:
    before = [rules.request("b", secret="b"), rules.request("c", "ec2:A", "ec2:B")]
    kept = _of(tmp_path, before, [rules.request("c", "ec2:A"), DELETED], rules.Cluster())
    assert kept == [("b", True, True, 0), ("c", False, False, 1)]


def test_a_deny_is_nothing_that_a_rollback_needs(tmp_path: Path) -> None:
    allow, deny = ({"effect": e, "action": [f"ec2:{e}"], "resource": "*"} for e in ("Allow", "Deny"))
    before, after = (rules.request("a", statements=entries) for entries in ([allow, deny], [allow]))
    assert _of(tmp_path, [before], [after], rules.Cluster()) == []


def test_of_what_cco_passes_through_no_secret_stays_though_no_request_is_left(tmp_path: Path) -> None:
    cluster = rules.Cluster(platform="oVirt", mode="Passthrough")
    gone = rules.request("b", kind="OvirtProviderSpec")
    assert _of(tmp_path, [gone], [DELETED], cluster) == []


def test_trust_that_only_the_release_before_needs_is_kept_where_tokens_are_used(tmp_path: Path) -> None:
    before, after = (request("AWS", "comp", DESCRIBE, accounts=a) for a in (("one", "two"), ("one",)))
    assert kept(report(tmp_path, world(before=(before,), after=(after,), token=True))) == [("comp", False, [], ["two"])]
    assert kept(report(tmp_path / "keys", world(before=(before,), after=(after,)))) == []


def test_what_cco_passes_through_must_hold_all_that_any_component_needed(tmp_path: Path) -> None:
    """One root credential serves every component, so a permission stays as long as one of the target asks for it."""
    other = request("AWS", "other", CREATE)
    before, after = (BEFORE, GONE, other), (AFTER, deletion("gone"), other)
    found = report(tmp_path, world(before=before, after=after, mode="Passthrough", annotation=None, upgradeable=None))
    assert found["verdict"]["status"] == "pass", found["verdict"]["summary"]
    assert kept(found) == [("gone", False, ["s3:GetObject"], [])]


def test_without_permissions_the_secret_is_all_that_there_is_to_keep(tmp_path: Path) -> None:
    before, after = (request("Nutanix"), request("Nutanix", "old")), (request("Nutanix"), deletion("old"))
    assert kept(report(tmp_path, world("Nutanix", before, after))) == [("old", True, [], [])]


def test_a_kind_that_nobody_knows_has_no_permissions_to_keep(tmp_path: Path) -> None:
    strange = request("AWS", "strange", kind="UnheardOfProviderSpec")
    found = report(tmp_path, world(before=(BEFORE, strange), after=(AFTER, strange)))
    assert found["verdict"]["status"] == "pass", found["verdict"]["summary"]
    assert kept(found) == [("comp", False, [CREATE], [])]


def test_what_another_request_on_the_same_secret_still_asks_for_is_not_named(tmp_path: Path) -> None:
    other = request("AWS", "other", CREATE, secret="openshift-comp/creds")
    assert kept(report(tmp_path, world(before=(BEFORE, other), after=(AFTER, other)))) == []


@pytest.mark.parametrize(
    ("versions", "says"),
    [
        (("4.16.3", "4.17.0"), "OpenShift itself does not go back from 4.17.0 to 4.16.3"),
        (("4.16.3", "4.16.9"), "OpenShift can go back from 4.16.9 to 4.16.3 until the next update"),
        (("4.14.3", "4.14.9"), "OpenShift can go back from 4.14.9 to 4.14.3 until the next update"),
        (("4.13.3", "4.13.9"), "OpenShift itself does not go back from 4.13.9 to 4.13.3"),
    ],
)
def test_it_says_until_when(versions: tuple[str, str], says: str, tmp_path: Path) -> None:
    found = report(tmp_path, world(versions=versions))
    until = found["rollback"]["until"]
    assert until.startswith(f"until {versions[1]} is complete and a rollback is out of the question: ")
    assert says in until


def test_on_a_path_each_thing_is_named_once_with_the_first_release_that_asks_for_it(tmp_path: Path) -> None:
    payloads = ((BEFORE, GONE), (AFTER, GONE), (AFTER, deletion("gone")))
    found = report(tmp_path, World(versions=("4.16.3", "4.16.9", "4.17.1"), payloads=payloads))
    assert [(one["component"], one["asked_by"]) for one in found["rollback"]["kept"]] == [
        ("comp", "4.16.3"),
        ("gone", "4.16.3"),
    ]
    assert found["rollback"]["version"] == "4.16.9"


@pytest.mark.parametrize(
    "other",
    [
        world(annotation=None, upgradeable=NO_ANNOTATION),
        world(mode="Mint"),
        world(before=(AFTER,), after=(AFTER,), versions=("4.16.3", "4.16.3")),
    ],
    ids=["no pass", "CCO mints", "the same release"],
)
def test_nothing_is_said_where_there_is_nothing_to_keep_by_hand(other: World, tmp_path: Path) -> None:
    assert report(tmp_path, other)["rollback"] is None


@pytest.mark.parametrize("form", plugins.names("report.formats"))
def test_every_format_says_what_to_keep_and_until_when(form: str, tmp_path: Path) -> None:
    result = run(
        *write(world(before=(BEFORE, GONE), after=(AFTER, deletion("gone"))), tmp_path), "--no-cache", "-o", form
    )
    text = " ".join(result.out.split())
    assert result.code == 0
    assert "a rollback to 4.16.3 is out of the question" in text or "a rollback is out of the question" in text
    assert CREATE in text
