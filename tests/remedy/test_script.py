"""commands.sh proves where it is, annotates only on a report that has nothing else open, and waits for clouds."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.worlds import bundles
from tests.worlds.bundles import Shell
from tests.worlds.components import require
from upgrade_gate.base.steps import BundleFile, Command, Placeholder, Serves, Step, line, word
from upgrade_gate.clouds.contract.remedy import CloudLogin
from upgrade_gate.remedy.script import script
from upgrade_gate.remedy.whereabouts import CLUSTER_ID, Whereabouts

ID = "0f1e2d3c-0000-4000-8000-00000000c1c1"
AWS = CloudLogin("AWS account", line("aws sts get-caller-identity", query="Account", output="text"), "111122223333")
HERE = Whereabouts("c1-x7k2p", ID, (AWS,), ("4.14.0",), "sha256:" + "a" * 64)
GRANT = Step("Grant", "before", commands=(Command(line("aws iam put-role-policy", role_name="r")),), number=1)
ANNOTATE = Step(
    "Annotate", "before", serves=Serves.ANNOTATION, commands=(Command(line("oc annotate x y=z")),), number=2
)
AFTER = Step("Take", "after", commands=(Command(line("aws iam delete-role-policy", role_name="r")),), number=3)
MADE = "2026-11-01T00:00:00Z"
LATER = "2026-11-02T00:00:00Z"


class Written:
    """A script in a folder, run against fakes that answer what a test says."""

    def __init__(self, folder: Path, *steps: Step, where: Whereabouts = HERE) -> None:
        self.folder = folder
        self.calls: list[str] = []
        (folder / "commands.sh").write_bytes(script("Remedy", steps, where, made=MADE, no_annotation="not wanted"))
        for step in steps:
            for file in step.files:
                (folder / file.name).write_bytes(file.content)

    def run(
        self,
        *arguments: str,
        values: Mapping[str, str] | None = None,
        elsewhere: Mapping[str, str | None] | None = None,
        answer: Callable[[str], tuple[int, str, str]] = lambda _: (0, "", ""),
        sure: bool = True,
    ) -> bundles.Ran:
        shell = Shell(self.folder / "bin", self.folder, elsewhere=elsewhere or {})
        return shell.run(
            self.folder / "commands.sh",
            *arguments,
            values=values,
            answer=lambda call, _: answer(" ".join(call)),
            sure=sure,
        )


def changed(ran: bundles.Ran) -> list[str]:
    return [" ".join(call[:3]) for call in ran.changes]


# --- where it is -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["cluster", "cluster ID", "AWS account"])
@pytest.mark.parametrize("part", ["grant", "after"])
def test_anywhere_else_nothing_is_changed(what: str, part: str, tmp_path: Path) -> None:
    written = Written(tmp_path, GRANT, ANNOTATE, AFTER)
    assert len(written.run(part).changes) == 1
    ran = written.run(part, elsewhere={what: "another"})
    assert (ran.code, ran.changes) == (2, ())
    assert f"wrong place: this is {what} another, and {what}" in ran.err
    assert ran.err.endswith("commands.sh: nothing was changed\n")


ON_A_PATH = Whereabouts("c1-x7k2p", ID, (AWS,), ("4.13.9", "4.14.0"), None)
LATE = Step(
    "Grant more", "before", commands=(Command(line("aws iam put-role-policy", role_name="s")),), hop=1, number=2
)
LAST = Step(
    "Take more", "after", commands=(Command(line("aws iam delete-role-policy", role_name="s")),), hop=1, number=4
)


def test_on_a_path_the_steps_up_to_one_update_can_be_done_alone(tmp_path: Path) -> None:
    written = Written(tmp_path, GRANT, LATE, AFTER, LAST, where=ON_A_PATH)
    assert len(written.run("grant").changes) == 2
    ran = written.run("grant", "--to", "4.13.9")
    assert (ran.code, changed(ran)) == (0, ["aws iam put-role-policy"])
    assert "step 2: not now, but before the update to 4.14.0" in ran.out
    assert len(written.run("grant", "--to", "4.14.0").changes) == 2
    for wrong in (("grant", "--to", "4.15.0"), ("after", "--to", "4.13.9")):
        assert written.run(*wrong).calls == (), wrong


def test_on_a_path_each_update_lets_go_of_what_it_ends(tmp_path: Path) -> None:
    written = Written(tmp_path, GRANT, LATE, AFTER, LAST, where=ON_A_PATH)
    assert len(written.run("after").changes) == 2
    ran = written.run("after", elsewhere={"newest update": "4.13.9 Completed"})
    assert (ran.code, len(ran.changes)) == (0, 1)
    assert "step 4: not now, but after the update to 4.14.0" in ran.out
    for other in ("4.13.9 Partial", "4.14.0 Partial", "4.12.0 Completed", "4.15.0 Completed"):
        ran = written.run("after", elsewhere={"newest update": other})
        assert (ran.code, ran.changes) == (2, ()), other


def test_a_value_for_a_later_update_need_not_be_filled_in_yet(tmp_path: Path) -> None:
    name = Placeholder("ROLE", "the role", "[a-z]+")
    late = Step(
        "Grant", "before", commands=(Command(line("aws iam put", role=name)),), unknown=(name,), hop=1, number=2
    )
    written = Written(tmp_path, GRANT, late, where=ON_A_PATH)
    assert written.run("grant").code == 2
    assert len(written.run("grant", "--to", "4.13.9").changes) == 1


def test_the_annotation_is_not_set_on_another_cluster(tmp_path: Path) -> None:
    written = Written(tmp_path, ANNOTATE)
    (tmp_path / "report.json").write_text(report())
    ran = written.run("annotate", "--report", str(tmp_path / "report.json"), elsewhere={"cluster ID": "another"})
    assert (ran.code, ran.changes) == (2, ())


def test_a_cloud_that_cannot_be_asked_stops_the_script(tmp_path: Path) -> None:
    for what in ("cluster", "AWS account"):
        ran = Written(tmp_path, GRANT).run("grant", elsewhere={what: None})
        assert (ran.code, ran.changes) == (2, ())
        assert f"cannot tell which {what} this is" in ran.err


def test_what_was_not_judged_is_asked_for_and_proven_all_the_same(tmp_path: Path) -> None:
    account = Placeholder("AWS_ACCOUNT_ID", "the account", "[0-9]{12}")
    where = Whereabouts(None, CLUSTER_ID, (CloudLogin("AWS account", AWS.line, account),), ("4.14.0",), None)
    written = Written(tmp_path, GRANT, where=where)
    ran = written.run("grant")
    assert (ran.code, ran.calls) == (2, ())
    assert "CLUSTER_ID is not filled in" in ran.err
    assert "AWS_ACCOUNT_ID is not filled in" in ran.err
    values = {"CLUSTER_ID": ID.upper(), "AWS_ACCOUNT_ID": "111122223333"}
    assert written.run("grant", values=values).code == 0
    assert written.run("grant", values=values, elsewhere={"AWS account": "1"}).code == 2
    assert written.run("grant", values=values, elsewhere={"cluster ID": "other"}).code == 2


def test_a_login_that_answers_with_a_document_is_found_in_it(tmp_path: Path) -> None:
    written = Written(tmp_path, GRANT)
    assert written.run("grant", elsewhere={"AWS account": '{"Account": "111122223333"}'}).code == 0
    assert written.run("grant", elsewhere={"AWS account": '{"Account": "9111122223333"}'}).code == 2


OTHER = "444455556666"
TWO = Whereabouts("c1-x7k2p", ID, (AWS, CloudLogin("AWS account", AWS.line, OTHER)), ("4.14.0",), None)


def in_two_accounts(folder: Path) -> Written:
    made = Command(line("aws iam make"))
    first = Step("Grant in one", "before", commands=(made,), login="111122223333", number=1)
    second = Step("Grant in the other", "before", commands=(Command(line("aws iam put")),), login=OTHER, number=2)
    return Written(folder, first, second, where=TWO)


@pytest.mark.parametrize(("account", "verb", "left"), [("111122223333", "make", "2"), (OTHER, "put", "1")])
def test_identities_of_two_accounts_are_changed_each_in_its_own(
    account: str, verb: str, left: str, tmp_path: Path
) -> None:
    written = in_two_accounts(tmp_path)
    ran = written.run("grant", answer=lambda call: (0, f"{account}\n" if "sts" in call else "", ""))
    assert ran.code == 2, "not all is done"
    assert [call[2] for call in ran.changes if call[1] == "iam"] == [verb]
    assert f"left for another login: {left};" in ran.err
    assert "all of this part is in place" not in ran.out


@pytest.mark.parametrize("said", [(0, "777788889999", ""), (1, "", "no session"), (0, "An error occurred", "")])
def test_in_neither_of_two_accounts_nothing_is_changed(said: tuple[int, str, str], tmp_path: Path) -> None:
    ran = in_two_accounts(tmp_path).run("grant", answer=lambda call: said if "sts" in call else (0, "", ""))
    assert (ran.code, changed(ran)) == (2, [])
    assert "this is none of AWS account 111122223333, 444455556666" in ran.err


def test_a_part_that_belongs_to_one_account_is_not_run_in_the_other(tmp_path: Path) -> None:
    one = Step("Grant", "before", commands=(Command(line("aws iam make")),), login=OTHER, number=1)
    written = Written(tmp_path, one, where=TWO)
    assert written.run("grant").code == 0
    ran = written.run("grant", elsewhere={"AWS account": "111122223333"})
    assert (ran.code, ran.changes) == (2, ())


def test_a_command_line_that_asks_gets_no_answer(tmp_path: Path) -> None:
    text = (Written(tmp_path, GRANT).folder / "commands.sh").read_text()
    assert "\nexec </dev/null\n" in text


@pytest.mark.parametrize("newest", ["4.13.9 Completed", "4.14.0 Partial", "4.14.1 Completed", " ", None])
def test_nothing_is_cleaned_up_before_the_upgrade_is_complete(newest: str | None, tmp_path: Path) -> None:
    """What is taken away then is what the running release needs."""
    written = Written(tmp_path, GRANT, AFTER)
    assert len(written.run("after").changes) == 1
    ran = written.run("after", elsewhere={"newest update": newest})
    assert (ran.code, ran.changes) == (2, ())
    assert "4.14.0 must be Completed" in ran.err
    assert len(written.run("grant", elsewhere={"newest update": newest}).changes) == 1


def test_nothing_is_cleaned_up_without_the_word_that_no_rollback_will_come(tmp_path: Path) -> None:
    """What is taken away then is what the release before needs."""
    written = Written(tmp_path, GRANT, AFTER)
    ran = written.run("after", sure=False)
    assert (ran.code, ran.changes) == (2, ())
    assert "say after --no-rollback once the cluster will not go back" in ran.err
    assert len(written.run("after", "--no-rollback", sure=False).changes) == 1
    early = written.run("after", "--no-rollback", sure=False, elsewhere={"newest update": "4.14.0 Partial"})
    assert (early.code, early.changes) == (2, ())
    assert written.run("after", sure=False, values={"NO_ROLLBACK": "yes"}).changes == ()


@pytest.mark.parametrize("part", ["plan", "grant", "annotate"])
def test_that_word_is_for_no_other_part(part: str, tmp_path: Path) -> None:
    ran = Written(tmp_path, GRANT, ANNOTATE, AFTER).run(part, "--no-rollback")
    assert (ran.code, ran.changes) == (2, ())


def test_a_clean_up_of_nothing_wants_no_word(tmp_path: Path) -> None:
    ran = Written(tmp_path, GRANT).run("after", sure=False)
    assert (ran.code, ran.changes) == (0, ())


# --- parts -----------------------------------------------------------------------------------------------------------


def test_without_a_part_it_says_which_there_are(tmp_path: Path) -> None:
    written = Written(tmp_path, GRANT, ANNOTATE, AFTER)
    for arguments in (["before"], ["grant", "sideways"], ["annotate", "--report"]):
        ran = written.run(*arguments)
        assert (ran.code, ran.calls) == (2, ())
        assert "bash commands.sh annotate" in ran.err


def test_the_plan_asks_nobody_and_numbers_as_the_steps_are(tmp_path: Path) -> None:
    by_hand = Step("Look", "before", number=4, scripted=False)
    ran = Written(tmp_path, GRANT, ANNOTATE, AFTER, by_hand).run("plan")
    assert (ran.code, ran.calls, ran.err) == (0, (), "")
    assert re.findall(r"step (\d): (.*)", ran.out) == [
        ("1", "Grant"),
        ("4", "Look (for a person: README.md)"),
        ("2", "Annotate"),
        ("3", "Take"),
    ]
    assert f"cluster ID {ID}" in ran.out


def test_where_nothing_is_to_be_annotated_it_says_why(tmp_path: Path) -> None:
    ran = Written(tmp_path, GRANT).run("annotate")
    assert (ran.code, ran.changes) == (0, ())
    assert "there is nothing to do in this part: not wanted" in ran.out


# --- the report that annotate wants ----------------------------------------------------------------------------------


def report(**change: object) -> str:
    document: Any = {
        "schema": "upgrade-gate/v1",
        "generated": LATER,
        "labels": {"schema": "upgrade-gate/v9"},
        "hops": [
            {"from": {"version": "4.12.0", "digest": "b"}, "to": {"version": "4.13.0", "digest": "b"}},
            {"from": {"version": "4.13.0", "digest": "b"}, "to": {"version": "4.14.0", "digest": HERE.digest}},
        ],
        "cluster": {"id": ID, "facts": [{"id": "other", "value": {"id": "other"}}]},
        "findings": [{"status": "open", "remedy": [{"next": "x", "step": 'a\n    "next": "annotate",'}]}],
        "verdict": {"status": "blocked", "next": "annotate", "counts": {"status": "x"}},
        "notes": [],
    }
    for path, value in change.items():
        *way, last = path.split("__")
        place = document
        for key in way:
            place = place[int(key) if key.isdigit() else key]
        place[last] = value
    return json.dumps(document, indent=2) + "\n"


ANNOTATES: Mapping[str, str] = {
    "only the annotation is open": report(),
    "a pass": report(verdict__status="pass", verdict__next="upgrade"),
    "as jq writes it, with line ends of Windows": report().rstrip().replace("\n", "\r\n"),
}
REFUSES: Mapping[str, tuple[str, str]] = {
    "work is open": (report(verdict__next="remediate"), "something else is still open"),
    "cannot tell": (report(verdict__status="undetermined", verdict__next="retry"), "something else is still open"),
    "no verdict": (report(verdict=None), "something else is still open: the report says nothing"),
    "another cluster": (report(cluster__id="other"), "is about cluster other"),
    "no cluster": (report(cluster=None), "is about cluster none"),
    "another release": (report(hops__1__to={"version": "4.14.1", "digest": HERE.digest}), "is about release 4.14.1"),
    "another image": (report(hops__1__to={"version": "4.14.0", "digest": "sha256:b"}), "is about image sha256:b"),
    "files instead of the image": (report(hops__1__to={"version": "4.14.0", "digest": None}), "about image none"),
    "only on the way": (report(hops__1__to={"version": "4.15.0", "digest": "x"}), "is about release 4.15.0"),
    "older than the bundle": (report(generated="2026-10-31T23:59:59Z"), "older than this bundle"),
    "another schema": (report(schema="upgrade-gate/v2"), "no whole report"),
    "cut off": (report()[:-3], "no whole report"),
    "two in one file": (report() * 2, "no whole report"),
    "on one line": (json.dumps(json.loads(report())), "no whole report"),
    "empty": ("", "no whole report"),
    "text": ("PASS\n", "no whole report"),
}


@pytest.mark.parametrize("text", ANNOTATES.values(), ids=ANNOTATES)
def test_it_annotates_where_nothing_else_is_open(text: str, tmp_path: Path) -> None:
    written = Written(tmp_path, ANNOTATE)
    (tmp_path / "a report.json").write_text(text)
    assert changed(written.run("annotate", "--report", str(tmp_path / "a report.json"))) == ["oc annotate x"]


@pytest.mark.parametrize(("text", "why"), REFUSES.values(), ids=REFUSES)
def test_it_never_annotates_on_doubt(text: str, why: str, tmp_path: Path) -> None:
    written = Written(tmp_path, ANNOTATE)
    (tmp_path / "report.json").write_text(text)
    ran = written.run("annotate", f"--report={tmp_path / 'report.json'}")
    assert (ran.code, ran.changes) == (2, ())
    assert why in ran.err
    assert ran.err.endswith("commands.sh: nothing was changed\n")


def test_it_annotates_on_no_report_at_all(tmp_path: Path) -> None:
    written = Written(tmp_path, ANNOTATE)
    ran = written.run("annotate")
    assert (ran.code, ran.changes) == (2, ())
    assert "REPORT is not filled in: annotate --report FILE" in ran.err
    ran = written.run("annotate", "--report", str(tmp_path / "none.json"))
    assert (ran.code, ran.changes) == (2, ())
    assert "there is no report" in ran.err


# --- waiting, and what is in place already ---------------------------------------------------------------------------

SLOW = Command(line("aws make"), passing="NotYet", done="Exists|Duplicate", seen=line("aws count"), patience=30)


def answers(**told: Sequence[tuple[int, str, str]]) -> Callable[[str], tuple[int, str, str]]:
    """Answer each `aws` verb with one answer after the other; the last one stays."""
    left = {verb: list(listed) for verb, listed in told.items()}

    def answer(call: str) -> tuple[int, str, str]:
        listed = left.get(call.split()[1], [(0, "", "")])
        return listed.pop(0) if len(listed) > 1 else listed[0]

    return answer


def slow(folder: Path, **told: Sequence[tuple[int, str, str]]) -> bundles.Ran:
    return Written(folder, Step("Make", "before", commands=(SLOW,), number=1)).run("grant", answer=answers(**told))


def test_it_waits_until_a_cloud_knows(tmp_path: Path) -> None:
    late = [(1, "", "NotYet")] * 2 + [(0, "made", "")]
    ran = slow(tmp_path, make=late, count=[(0, "0", ""), (1, "", "no"), (0, "[]", ""), (0, "1", "")])
    assert ran.code == 0, ran.err
    assert ran.out.count("not known everywhere yet") == 1
    assert ran.out.count("waiting up to 30 seconds") == 1
    assert [call[1] for call in ran.calls if call[0] == "aws" and call[1] != "sts"] == ["make"] * 3 + ["count"] * 4


def test_it_waits_no_longer_than_said_and_fails_at_once_on_anything_else(tmp_path: Path) -> None:
    never = slow(tmp_path, make=[(1, "", "NotYet")])
    assert never.code == 1
    assert [call[1] for call in never.calls].count("make") == 4
    refused = slow(tmp_path, make=[(1, "", "AccessDenied")])
    assert refused.code == 1
    assert "AccessDenied" in refused.err
    assert [call[1] for call in refused.calls].count("make") == 1
    unseen = slow(tmp_path, count=[(0, "0", "")])
    assert unseen.code == 1
    assert "run this part again later" in unseen.err


def test_what_was_done_before_is_no_failure(tmp_path: Path) -> None:
    ran = slow(tmp_path, make=[(1, "", "ERROR: Exists already")], count=[(0, "1", "")])
    assert ran.code == 0, ran.err
    assert "in place already" in ran.out


DOCUMENT = BundleFile("policy.json", b'{\n  "Statement": []\n}\n')


@pytest.mark.parametrize(
    ("command", "said", "runs"),
    [
        (Command(line("aws put"), unless=line("aws look"), shows=DOCUMENT), (0, '{"Statement": [ ]}', ""), False),
        (Command(line("aws put"), unless=line("aws look"), shows=DOCUMENT), (0, '{"Statement": [1]}', ""), True),
        (Command(line("aws put"), unless=line("aws look"), shows=DOCUMENT), (1, "", "NoSuchEntity"), True),
        (Command(line("aws put"), unless=line("aws look"), shows="v1"), (0, "v1", ""), False),
        (Command(line("aws put"), unless=line("aws look"), shows="v1"), (0, "v10", ""), True),
        (Command(line("aws put"), unless=line("aws look")), (0, "", ""), False),
        (Command(line("aws put"), unless=line("aws look")), (1, "", ""), True),
        (Command(line("aws put"), counts=line("aws look")), (0, "0", ""), True),
        (Command(line("aws put"), counts=line("aws look")), (0, "1", ""), False),
        (Command(line("aws put"), where=line("aws look"), prints="True"), (0, "True", ""), True),
        (Command(line("aws put"), where=line("aws look"), prints="True"), (0, "", ""), False),
        (Command(line("aws put"), where=line("aws look"), prints="True"), (1, "", ""), False),
    ],
)
def test_a_command_is_run_where_it_is_needed(
    command: Command, said: tuple[int, str, str], runs: bool, tmp_path: Path
) -> None:
    step = Step("Put", "before", commands=(command,), files=(DOCUMENT,), number=1)
    ran = Written(tmp_path, step).run("grant", answer=answers(look=[said]))
    assert ran.code == 0, ran.err
    assert (("aws", "put") in ran.calls) is runs


def test_a_count_that_fails_stops_the_script(tmp_path: Path) -> None:
    step = Step("Put", "before", commands=(Command(line("aws put"), counts=line("aws look")),), number=1)
    ran = Written(tmp_path, step).run("grant", answer=answers(look=[(1, "", "AccessDenied")]))
    assert ran.code == 1
    assert ("aws", "put") not in ran.calls


def test_a_value_that_a_command_prints_is_asked_for_where_nobody_filled_it_in(tmp_path: Path) -> None:
    one = Placeholder("PRINCIPAL", "the principal", "[0-9]+", printed_by=line("aws look"))
    file = BundleFile("role.json", b'"<FILL_ME: PRINCIPAL>"')
    made = Step("Make", "before", commands=(Command(line("aws make")),), number=1)
    commands = (Command(line("aws put", one)), Command(line("aws cat", word("file://", file))))
    used = Step("Put", "before", commands=commands, files=(file,), unknown=(one,), number=2)
    written = Written(tmp_path, made, used)
    ran = written.run("grant", answer=answers(look=[(0, "42", "")]))
    assert ran.code == 0, ran.err
    assert [call[1] for call in ran.calls if call[0] == "aws" and call[1] != "sts"] == ["make", "look", "put", "cat"]
    assert ("aws", "put", "42") in ran.calls
    assert ("aws", "put", "7") in written.run("grant", values={"PRINCIPAL": "7"}).calls
    bad = written.run("grant", answer=answers(look=[(0, "None", "")]))
    assert bad.code == 2
    assert "PRINCIPAL does not look like this" in bad.err
    assert not any(call[1] == "put" for call in bad.calls)


def test_every_function_stands_in_the_script_only_where_it_is_called(tmp_path: Path) -> None:
    program = require("shellcheck")
    steps = [GRANT, ANNOTATE, AFTER, Step("Make", "before", commands=(SLOW,), number=4)]
    for chosen in ([], steps[:1], steps[1:2], steps[3:], steps):
        written = Written(tmp_path, *chosen)
        assert bundles.shellcheck(written.folder / "commands.sh", program) == ""


def test_old_bash_parses_it(tmp_path: Path) -> None:
    """macOS has bash 3.2: no associative array, no case change in an expansion, no mapfile."""
    text = script(
        "R",
        [GRANT, ANNOTATE, AFTER, Step("M", "before", commands=(SLOW,), number=4)],
        HERE,
        made=MADE,
        no_annotation="",
    )
    for newer in ("declare -A", "mapfile", "readarray", ",,}", "^^}", "&>>", "|&", "local -n", "@Q}"):
        assert newer not in text.decode()
    done = subprocess.run(["bash", "-n"], input=text, env=dict(os.environ), check=False)
    assert done.returncode == 0
