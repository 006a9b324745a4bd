"""`history`: where a permission came from, asked on the command line."""

import json

import pytest

from tests.worlds.running import run


def test_json_is_the_published_document() -> None:
    result = run("history", "ec2:describevolumes", "--platform", "aws", "-o", "json")
    assert (result.code, result.err) == (0, "")
    document = json.loads(result.out)
    assert document["schema"] == "upgrade-gate/history/v1"
    assert document["question"] == {"name": "ec2:describevolumes", "platform": "AWS", "since": None}
    assert [(e["event"], e["branch"], e["pull_request"]) for e in document["events"]] == [("added", "4.6", 80)]


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
@pytest.mark.parametrize("name", ["ec2:DescribeVolumes", "openshift-ingress", "nobody:Asked"])
def test_an_answer_is_no_verdict_and_the_exit_code_is_0_with_or_without_events(name: str, form: str) -> None:
    result = run("history", name, "-o", form)
    assert (result.code, result.err) == (0, "")
    assert "2026-11-30" in result.out


@pytest.mark.parametrize("name", ["", " "])
def test_an_empty_name_is_a_usage_error(name: str) -> None:
    asked = run("history", name)
    assert (asked.code, asked.out) == (2, "")
    assert "the name is empty" in asked.err


def test_an_unknown_platform_is_a_usage_error_that_names_those_there_are() -> None:
    result = run("history", "ec2:DescribeVolumes", "--platform", "amazon")
    assert result.code == 2
    assert "AWS" in result.err


def test_a_release_beyond_the_table_is_a_usage_error_that_says_how_far_it_reaches() -> None:
    result = run("history", "ec2:DescribeVolumes", "--since", "6.1")
    assert result.code == 2
    assert "4.1 to 5.1" in result.err


def test_the_shell_is_offered_permissions_and_requests() -> None:
    env = {
        "_UPGRADE_GATE_COMPLETE": "bash_complete",
        "COMP_WORDS": "upgrade-gate history ec2:DescribeVol",
        "COMP_CWORD": "2",
    }
    offered = run(env=env).out
    assert "plain,ec2:DescribeVolumes" in offered
