"""What `history` answers: every event once, as the facts have it; read here from the facts by a reader of its own."""

import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.worlds import judges
from upgrade_gate.base.errors import UsageError
from upgrade_gate.report import history_document
from upgrade_gate.report.history_document import History, answer

NS = "openshift-cloud-credential-operator"
QUESTIONS = 40
PUBLIC = (
    "platform",
    "request",
    "grant",
    "event",
    "branch",
    "z_stream",
    "date",
    "repository",
    "pull_request",
    "commit",
    "bugs",
)
"""The keys of an event that the contract names."""


@pytest.fixture(scope="module")
def facts(shared: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((shared / "facts" / "history.json").read_text(encoding="utf-8"))
    return loaded


def questions(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """Return permissions with their platforms, some of each platform, chosen once and for all."""
    names: dict[str, set[str]] = {}
    for request, grant, _, _ in facts["history"]:
        platform = facts["providers"][facts["requests"][request][0]]
        names.setdefault(platform, set()).add(facts["grants"][grant][1])
    chance = random.Random(16)
    each = -(-QUESTIONS // len(names))
    return [(platform, name) for platform in sorted(names) for name in chance.sample(sorted(names[platform]), each)]


def by_the_facts(facts: dict[str, Any], platform: str, permission: str) -> list[dict[str, Any]]:
    """Return the events that facts/history.md asks for: every one of every row of that name, sorted as it says."""
    found = []
    for request, grant, added, removed in facts["history"]:
        kind, name = facts["requests"][request]
        if facts["providers"][kind] != platform or facts["grants"][grant][1] != permission:
            continue
        for word, commits in (("added", added), ("removed", removed)):
            for place in commits:
                row = dict(zip(facts["commit_fields"], facts["commits"][place], strict=True))
                event = {
                    "platform": platform,
                    "request": name,
                    "grant": dict(zip(facts["grant_fields"], facts["grants"][grant], strict=True)),
                    "event": word,
                    "branch": facts["branches"][row["branch"]],
                    "z_stream": row["z_stream"],
                    "date": row["date"],
                    "repository": facts["repositories"][row["repository"]],
                    "pull_request": row["pull_request"],
                    "commit": row["commit"],
                    "bugs": row["bugs"],
                }
                found.append((row["date"], name, place, grant, event))
    return [event for *_, event in sorted(found, key=lambda one: one[:4])]


def published(history: History) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(history_document.encode(history))
    return document


@pytest.mark.shared
def test_questions_with_known_answers(facts: dict[str, Any]) -> None:
    asked = questions(facts)
    assert len(asked) >= QUESTIONS
    for platform, permission in asked:
        events = published(answer(permission, platform))["events"]
        got = [{key: event[key] for key in PUBLIC} for event in events]
        assert got == by_the_facts(facts, platform, permission), (platform, permission)


@pytest.mark.shared
def test_who_asked_before_is_every_other_request_with_an_earlier_event(facts: dict[str, Any]) -> None:
    for platform, permission in questions(facts):
        known = by_the_facts(facts, platform, permission)
        for event in published(answer(permission, platform))["events"]:
            before = {
                one["request"]
                for one in known
                if one["event"] == "added"
                and one["date"] < event["date"]
                and one["grant"]["type"] == event["grant"]["type"]
            }
            wanted = before - {event["request"]} if event["event"] == "added" else set()
            assert event["asked_before"] == sorted(wanted), (platform, permission)


@pytest.mark.shared
def test_the_branches_that_ask_for_it_are_those_whose_head_holds_it(facts: dict[str, Any]) -> None:
    for platform, permission in questions(facts):
        events = by_the_facts(facts, platform, permission)
        lines = {c[1]: c for c in facts["commits"]}
        for requirement in published(answer(permission, platform))["requirements"]:
            wanted = []
            for place, branch in list(enumerate(facts["branches"]))[5:]:
                state = [
                    (facts["commits"].index(lines[e["commit"]]), e["event"])
                    for e in events
                    if (e["request"], e["grant"]) == (requirement["request"], requirement["grant"])
                    and (
                        lines[e["commit"]][6] <= place
                        if lines[e["commit"]][7] == "main"
                        else lines[e["commit"]][6] == place
                    )
                ]
                if state and max(state)[1] == "added":
                    wanted.append(branch)
            assert requirement["branches"] == wanted, (platform, permission)


def test_a_backport_stands_beside_what_the_main_line_got() -> None:
    # openshift/cluster-storage-operator#263 for 4.11, #268 for 4.10.z
    events = [e for e in answer("kms:RevokeGrant", "AWS").events if e.request == f"{NS}/aws-ebs-csi-driver-operator"]
    assert [(e.branch, e.z_stream, e.pull_request, e.bugs, e.not_before) for e in events] == [
        ("4.11", False, 263, ["Bug 2049872"], "4.11.0"),
        ("4.10", True, 268, ["Bug 2072191"], "4.10.9"),
    ]


def test_the_answer_names_its_table_and_what_it_cannot_know() -> None:
    known = answer("ec2:DescribeVolumes")
    assert (known.table.date, known.table.branches[-1]) == ("2026-11-30", "5.1")
    assert any("exact patch release" in limit for limit in known.limits)
    assert any("OLM" in limit for limit in known.limits)


def test_an_unknown_name_has_no_events_and_is_not_said_to_be_unneeded() -> None:
    unknown = answer("ec2:DescribeVolume", "AWS")
    assert (unknown.known, unknown.events, unknown.requirements) == (False, [], [])
    assert "ec2:DescribeVolumes" in {one.name for one in unknown.near}


def test_a_pattern_that_contains_it_is_no_near_name() -> None:
    inside = answer("kms:ReEncryptTo", "AWS")
    assert [one.name for one in inside.contained_in] == ["kms:ReEncrypt*"]
    assert "kms:ReEncrypt*" not in {one.name for one in inside.near}


def test_a_request_without_permissions_has_its_own_events() -> None:
    # Cinder's request of OpenStack was renamed for 4.19; it lists no permission at any time
    found = answer("openstack-cinder-csi-driver-operator", "OpenStack")
    assert found.events == []
    renamed = next(e for e in found.request_events if e.event == "renamed")
    assert renamed.details == {"was": f"{NS}/openshift-cluster-csi-drivers"}


def test_a_permission_has_no_events_of_requests() -> None:
    assert answer("ec2:DescribeVolumes").request_events == []


@pytest.mark.parametrize(
    ("since", "shown"),
    [
        (None, [("4.11", 263), ("4.10", 268)]),
        ("4.10", [("4.11", 263), ("4.10", 268)]),
        ("4.11", [("4.11", 263)]),
        ("4.12", []),
        ("4.10.3", [("4.11", 263), ("4.10", 268)]),
        ("4.10.40", [("4.11", 263)]),
        ("4.11.0", []),
    ],
)
def test_since_leaves_out_what_that_release_has(since: str | None, shown: list[tuple[str, int]]) -> None:
    found = answer(f"{NS}/aws-ebs-csi-driver-operator", "AWS", since)
    assert [(e.branch, e.pull_request) for e in found.events if e.grant.permission == "kms:RevokeGrant"] == shown
    everything = answer(f"{NS}/aws-ebs-csi-driver-operator", "AWS")
    total = len(everything.events) + len(everything.request_events)
    assert len(found.events) + len(found.request_events) + found.left_out == total


@pytest.mark.parametrize("since", ["5.2", "4.0", "latest", "4", "", "v4.14", "4.14.x"])
def test_since_a_release_that_the_table_cannot_place_is_a_usage_error(since: str) -> None:
    with pytest.raises(UsageError, match="no release of the table") as error:
        answer("ec2:DescribeVolumes", None, since)
    assert "4.1 to 5.1" in (error.value.hint or "")


def test_every_answer_fits_the_published_schema(tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps(history_document.schema()), encoding="utf-8")
    answers = []
    for number, name in enumerate(("ec2:DescribeVolumes", "openshift-machine-api", "nobody", "kms:ReEncryptTo")):
        answers.append(tmp_path / f"{number}.json")
        answers[-1].write_bytes(history_document.encode(answer(name)))
        assert msgspec.json.decode(answers[-1].read_bytes(), type=History) == answer(name)
    assert judges.check_schema(schema, *answers) == ""
    answers[0].write_text("{}", encoding="utf-8")
    assert "events" in judges.check_schema(schema, answers[0])
