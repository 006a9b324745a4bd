"""The comment on a pull or merge request: one, of ours, kept up to date; what goes wrong with it decides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.worlds import sample_report
from tests.worlds.forge import BOTS, UPDATES, Forge
from tests.worlds.ready_files import comment, loaded, made
from upgrade_gate.report.formats import markdown
from upgrade_gate.report.render_options import RenderOptions

if TYPE_CHECKING:
    from tests.worlds.ready_files import Workspace

pytestmark = pytest.mark.slow

KINDS = ("github", "gitlab")
MARK = "<!-- upgrade-gate -->"


@pytest.fixture(params=KINDS)
def forge(request: pytest.FixtureRequest) -> Iterator[Forge]:
    """Either forge."""
    with Forge(request.param).run() as served:
        yield served


def reported(workspace: Workspace, text: str) -> None:
    """Leave a report as the gate does."""
    folder = workspace.folder / "upgrade-gate-reports"
    folder.mkdir(exist_ok=True)
    (folder / "gate.md").write_text(text)


def writes(forge: Forge) -> list[tuple[str, str]]:
    return [(verb, path) for verb, path in forge.asked if verb != "GET"]


def test_the_first_run_writes_it_and_the_next_keeps_it_up_to_date(workspace: Workspace, forge: Forge) -> None:
    forge.has("looks good to me", "somebody")
    reported(workspace, "## BLOCKED\n\nit's `$(odd)`\n")
    first = comment(workspace, forge.kind, forge)
    assert first.returncode == 0, first.stderr
    assert [one["body"] for one in forge.comments] == [
        "looks good to me",
        f"## BLOCKED\n\nit's `$(odd)`\n\n{MARK}\n",
    ]
    reported(workspace, "## PASS\n")
    assert comment(workspace, forge.kind, forge).returncode == 0
    assert [one["body"] for one in forge.comments] == ["looks good to me", f"## PASS\n\n{MARK}\n"]
    assert [verb for verb, _ in writes(forge)] == ["POST", UPDATES[forge.kind]]


def test_it_is_found_on_a_later_page(workspace: Workspace, forge: Forge) -> None:
    for number in range(230):
        forge.has(f"comment {number}", "somebody")
    forge.has(f"## BLOCKED\n{MARK}")
    reported(workspace, "## PASS\n")
    assert comment(workspace, forge.kind, forge).returncode == 0
    assert len(forge.comments) == 231
    assert forge.comments[-1]["body"].startswith("## PASS")


def test_two_runs_at_once_leave_one(workspace: Workspace, forge: Forge) -> None:
    forge.overtaken = f"## PASS of the other run\n{MARK}"
    reported(workspace, "## BLOCKED\n")
    done = comment(workspace, forge.kind, forge)
    assert done.returncode == 0, done.stderr
    assert [one["body"] for one in forge.comments] == [f"## BLOCKED\n\n{MARK}\n"]


def test_a_comment_of_another_that_has_the_mark_is_left_alone(workspace: Workspace, forge: Forge) -> None:
    forge.has(f"> quoted {MARK}", "somebody")
    reported(workspace, "## PASS\n")
    assert comment(workspace, forge.kind, forge).returncode == 0
    assert forge.comments[0]["body"] == f"> quoted {MARK}"
    assert len(forge.comments) == 2


def test_without_a_report_an_earlier_pass_does_not_stay(workspace: Workspace, forge: Forge) -> None:
    forge.has(f"## PASS\n{MARK}")
    done = comment(workspace, forge.kind, forge)
    assert done.returncode == 0, done.stderr
    assert forge.comments[0]["body"].startswith("## NO VERDICT")
    assert "https://git.example.com/a/b/actions/runs/7" in forge.comments[0]["body"]


@pytest.mark.parametrize("token", ["another", ""])
def test_a_forge_that_refuses_fails_nothing_and_no_token_is_said(
    workspace: Workspace, forge: Forge, token: str
) -> None:
    reported(workspace, "## PASS\n")
    done = comment(workspace, forge.kind, forge, token=token)
    log = done.stdout + done.stderr
    assert not forge.comments
    assert token == "" or token not in log
    if forge.kind == "github":
        assert (done.returncode, "::warning title=upgrade-gate::" in log) == (0, True)
    elif token:
        assert "HTTP Error 401" in log, "after_script decides nothing, whatever it ends with"
    else:
        assert done.returncode == 0
        assert not forge.asked
        assert "UPGRADE_GATE_COMMENT_TOKEN is not set" in log


def test_a_token_that_may_only_read_is_a_warning(workspace: Workspace, forge: Forge) -> None:
    forge.refusal = 403
    reported(workspace, "## PASS\n")
    done = comment(workspace, forge.kind, forge)
    assert "the comment was not written: HTTP Error 403" in done.stderr
    assert done.returncode == 0 or forge.kind == "gitlab"


def test_the_token_does_not_follow_to_another_host(workspace: Workspace, forge: Forge) -> None:
    with Forge(forge.kind).run() as stranger:
        forge.moved = stranger.url
        reported(workspace, "## PASS\n")
        done = comment(workspace, forge.kind, forge)
    assert not stranger.asked
    assert "the comment was not written: HTTP Error 302" in done.stderr


def test_for_a_fork_nothing_is_asked(workspace: Workspace) -> None:
    with Forge("github").run() as forge:
        reported(workspace, "## PASS\n")
        done = comment(workspace, "github", forge, HEAD_REPOSITORY="somebody/b")
    assert done.returncode == 0
    assert "of a fork" in done.stdout
    assert not forge.asked


@pytest.mark.parametrize("number", ["", "7/../8", "$(id)"])
def test_what_is_no_number_is_asked_for_nowhere(workspace: Workspace, forge: Forge, number: str) -> None:
    reported(workspace, "## PASS\n")
    done = comment(workspace, forge.kind, forge, NUMBER=number, CI_MERGE_REQUEST_IID=number)
    assert done.returncode == 0
    assert not forge.asked
    assert "no comment" in done.stdout or "no note" in done.stdout


def test_gitlab_writes_to_the_project_of_the_merge_request_or_to_the_one_that_was_named(workspace: Workspace) -> None:
    with Forge("gitlab").run() as forge:
        reported(workspace, "## PASS\n")
        named = {"CI_MERGE_REQUEST_IID": "", "CI_MERGE_REQUEST_PROJECT_ID": "", "CI_PROJECT_ID": "42"}
        assert comment(workspace, "gitlab", forge, UPGRADE_GATE_MERGE_REQUEST="7", **named).returncode == 0
    assert writes(forge) == [("POST", "/projects/42/merge_requests/7/notes")]
    assert forge.comments[0]["author"]["username"] == BOTS["gitlab"]


def test_the_verdict_is_line_one_and_the_whole_fits(workspace: Workspace, forge: Forge) -> None:
    """The gate's own limit leaves room for the mark below 65,000 bytes."""
    file = made(forge.kind)
    (limit,) = {
        int(word) for before, word in zip(file.split(), file.split()[1:], strict=False) if before == "--max-bytes"
    }
    reported(workspace, markdown.render(sample_report.large(), RenderOptions(max_bytes=limit)).decode())
    assert comment(workspace, forge.kind, forge).returncode == 0
    body = forge.comments[0]["body"]
    assert body.startswith("## BLOCKED")
    assert 60_000 < len(body.encode()) <= 65_000
    assert body.split("<details>")[0].count("\n- **Blocker**") == 5


def test_github_comments_from_a_job_that_can_do_nothing_else() -> None:
    job: Any = loaded(made("github"))["jobs"]["comment"]
    assert job["permissions"] == {"pull-requests": "write"}
    assert "environment" not in job, "so no secret of the cluster reaches it"
    assert "needs.gate.result != 'skipped'" in job["if"]


def test_gitlab_runs_for_merge_requests_only_with_the_token() -> None:
    rules: Any = loaded(made("gitlab"))["upgrade-gate"]["rules"]
    assert [rule["if"] for rule in rules if "MERGE_REQUEST" in rule["if"]] == [
        "$CI_MERGE_REQUEST_IID && $UPGRADE_GATE_COMMENT_TOKEN"
    ]
