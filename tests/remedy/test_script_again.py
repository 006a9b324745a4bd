"""Every kind of step of every cloud: run twice, stopped at every call, elsewhere, and where somebody has added to it.

`aws` is moto, the others change an export as their clouds would (`fake_cli.py`). A second run ends well and changes
nothing, whatever became of the first one.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.worlds.bundles import shellcheck
from tests.worlds.components import require
from tests.worlds.drafted import GET, NEWER_BASH, WRITE, Written, calls
from tests.worlds.drafted_worlds import EDITOR, HELD, IBM, KINDS, NEW, OLD, VIEWER, Clouds, Make
from tests.worlds.identity_changes import ISSUER, action, subjects
from tests.worlds.moto_server import moto_server


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.fixture
def clouds(tmp_path: Path, moto: str, monkeypatch: pytest.MonkeyPatch) -> Clouds:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return Clouds(tmp_path, moto)


pytestmark = pytest.mark.slow
every_kind = pytest.mark.parametrize(("part", "make"), KINDS.values(), ids=KINDS)


@every_kind
def test_the_second_run_changes_nothing(part: str, make: Make, clouds: Clouds) -> None:
    written = make(clouds)
    assert written.run(part).changes != ()
    assert written.run(part).changes == ()


@every_kind
def test_after_a_stop_at_any_call_it_goes_on_to_the_same_end(part: str, make: Make, clouds: Clouds) -> None:
    """A change whose answer was lost has happened: the next run must see that."""
    whole = make(clouds)
    last = len(whole.run(part).calls)
    end = held_in(whole)
    for number in range(last):
        written = make(clouds)
        written.shell(break_at=number).run(written.folder / "commands.sh", part, values=written.values)
        written.run(part)
        assert held_in(written) == end, f"call {number}"
        assert written.run(part).changes == (), f"call {number}"


def held_in(written: Written) -> dict[str, Any]:
    """Return what stands in a cloud; of a policy that was written twice, what is in force."""
    held = {path.name: json.loads(path.read_text()) for path in written.export.iterdir()}
    if "ram.json" in held:
        held["ram.json"]["policies"] = {k: v[-1] for k, v in held["ram.json"]["policies"].items()}
    return held


@every_kind
def test_elsewhere_nothing_is_changed(part: str, make: Make, clouds: Clouds) -> None:
    written = make(clouds)
    for what in ("cluster", "cluster ID", *(login.what for login in written.logins)):
        ran = written.run(part, fails=True, elsewhere={what: "another"})
        assert (ran.code, ran.changes) == (2, ())


@every_kind
def test_where_every_change_is_refused_it_ends_there(part: str, make: Make, clouds: Clouds) -> None:
    ran = make(clouds).run(part, fails=True, stop_at=0)
    assert len(ran.changes) == 1
    assert "all of this part is in place" not in ran.out


@every_kind
def test_the_script_is_for_old_bash_and_without_fault(part: str, make: Make, clouds: Clouds) -> None:
    written = make(clouds)
    found = NEWER_BASH.search((written.folder / "commands.sh").read_text())
    assert found is None, found
    assert shellcheck(written.folder / "commands.sh", require("shellcheck")) == ""
    assert f'"$part" = {part}' in (written.folder / "commands.sh").read_text()


@pytest.mark.parametrize(
    "newer",
    [
        *("declare -A x", "local -n y=x", "mapfile -t x", "echo ${x,,}", "echo ${x^}", "echo ${x[@]@Q}", "a |& b"),
        *("a &>> b", "echo ${x[-1]}", "echo ${x: -1}", "[[ -v x ]]", "wait -n", "printf '%(%s)T'", "read -N 1 x"),
    ],
)
def test_what_old_bash_does_not_know_is_found(newer: str) -> None:
    assert NEWER_BASH.search(newer)


# --- what somebody has added since -----------------------------------------------------------------------------------


def test_an_inline_policy_that_somebody_extended_is_not_written_over(clouds: Clouds) -> None:
    written = clouds.aws(NEW, policy=HELD, before=(NEW, OLD))
    for added in (
        {"Effect": "Allow", "Action": "s3:Added", "Resource": "*"},
        {"Effect": "Allow", "Action": "ec2:New", "Resource": "arn:aws:ec2:*:*:volume/*"},
        {"Effect": "Allow", "Action": "ec2:New", "Resource": "*", "Condition": {"Bool": {"aws:MFA": "true"}}},
    ):
        body = {**HELD, "Statement": [*HELD["Statement"], added]}
        clouds.iam.put_role_policy(RoleName="c1-x", PolicyName="c1-x", PolicyDocument=json.dumps(body))
        ran = written.run(fails=True)
        assert (ran.code, ran.changes) == (2, ())
        assert "make the bundle again from what stands there now" in ran.err


def test_a_trust_policy_never_loses_a_subject(clouds: Clouds) -> None:
    for kind in ("AWS, trust", "AWS, trust that was not seen"):
        written = KINDS[kind][1](clouds)
        trust = clouds.iam.get_role(RoleName="c1-x")["Role"]["AssumeRolePolicyDocument"]
        trust["Statement"][0]["Condition"]["StringEquals"]["oidc.example.com/c1:sub"].append("system:somebody")
        clouds.iam.update_assume_role_policy(RoleName="c1-x", PolicyDocument=json.dumps(trust))
        ran = written.run(fails=True)
        assert (ran.code, ran.changes) == (2, ())
        assert '"system:somebody" stands there' in ran.err


def test_a_managed_policy_that_somebody_extended_keeps_it(clouds: Clouds) -> None:
    written = KINDS["AWS, managed policies"][1](clouds)
    written.run()
    (arn, *_) = (p["Arn"] for p in clouds.iam.list_policies(Scope="Local")["Policies"])
    body = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "x:Added", "Resource": "*"}]}
    clouds.iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(body), SetAsDefault=True)
    ran = written.run(fails=True)
    assert (ran.code, ran.changes) == (2, ())


def test_the_clean_up_keeps_what_somebody_added(clouds: Clouds) -> None:
    written = KINDS["AWS, after"][1](clouds)
    body = {**HELD, "Statement": [*HELD["Statement"], {"Effect": "Allow", "Action": "s3:Added", "Resource": "*"}]}
    clouds.iam.put_role_policy(RoleName="c1-x", PolicyName="c1-x", PolicyDocument=json.dumps(body))
    ran = written.run("after", fails=True)
    assert (ran.code, ran.changes) == (2, ())


@pytest.mark.parametrize(
    "answer", [(0, "An error occurred: try later", ""), (1, "", "AccessDenied"), (0, '{"Stat', "")]
)
def test_what_cannot_be_read_is_not_written_over(answer: tuple[int, str, str], clouds: Clouds) -> None:
    """An error text with exit 0 and half a document are no policy, and no proof that there is none."""
    written = clouds.aws(NEW, policy=HELD, before=(NEW, OLD))
    ran = written.shell().run(
        written.folder / "commands.sh",
        answer=lambda call, _: answer if call[2] == "get-role-policy" else (0, "", ""),
    )
    assert (ran.code, ran.changes) == (2, ())
    assert "nothing is written over it" in ran.err


def test_an_azure_role_that_somebody_extended_is_not_written_over(clouds: Clouds) -> None:
    for field, added in (
        ("actions", "Microsoft.Added/read"),
        ("notActions", "Microsoft.Compute/*"),
        ("assignableScopes", "/subscriptions/S2"),
    ):
        written = clouds.azure(WRITE)
        written.run()
        (definition,) = written.shown("definitions")
        (definition if field == "assignableScopes" else definition["permissions"][0])[field] += [added]
        written.keep(definitions=[definition])
        ran = written.run(fails=True)
        assert (ran.code, ran.changes) == (2, ())
        assert f'"{added}" stands there' in ran.err


def test_a_federated_credential_of_another_subject_is_not_written_over(clouds: Clouds) -> None:
    written = clouds.azure(untrusted=subjects("a"), federated=[{"name": "a", "issuer": ISSUER, "subject": "other"}])
    ran = written.run(fails=True)
    assert (ran.code, ran.changes) == (2, ())


def test_a_google_role_that_others_extended_is_neither_written_nor_narrowed(clouds: Clouds) -> None:
    role = {"name": "projects/p1/roles/p1_xoperator", "title": "t", "includedPermissions": ["a.b.c", GET.permission]}
    written = clouds.gcp(GET, roles=[role])
    assert calls(written.run().changes, 1, 3) == ["projects add-iam-policy-binding"]
    assert written.shown("role-p1-xoperator") == role
    lacking = clouds.gcp(GET, roles=[{**role, "includedPermissions": ["a.b.c", f"{GET.permission}More"]}])
    assert calls(lacking.run().changes, 2, 4)[0] == "roles update"
    held = lacking.shown("role-p1-xoperator")["includedPermissions"]
    assert set(held) == {"a.b.c", f"{GET.permission}More", GET.permission}


def test_a_ram_policy_that_somebody_extended_is_not_written_over(clouds: Clouds) -> None:
    name = "c1-x-upgrade-gate"
    for actions, kept in ((["ec2:New", "ec2:Old"], True), (["ecs:Added"], False)):
        body = {"Statement": [{"Action": actions, "Effect": "Allow", "Resource": "*"}], "Version": "1"}
        ram = {"users": ["c1-x"], "policies": {name: [json.dumps(body)]}, "held": []}
        written = clouds.alibaba(NEW, before=(NEW, OLD, action("ec2:More")), ram=ram)
        ran = written.run(fails=not kept)
        assert calls(ran.changes, 2, 3) == (["CreatePolicyVersion", "AttachPolicyToUser"] if kept else [])


# --- IBM Cloud: which policies are there -----------------------------------------------------------------------------


def policy(*roles: str, **changed: Any) -> dict[str, Any]:
    names = {"serviceName": "is", "resourceGroupId": "0" * 32, "accountId": "a" * 32}
    return {
        "id": "p0",
        "type": "access",
        "state": "active",
        "subjects": [{"attributes": [{"name": "iam_id", "value": "iam-ServiceId-0"}]}],
        "roles": [{"role_id": role, "display_name": 'a "name", {odd]'} for role in roles],
        "resources": [{"attributes": [{"value": v, "name": n, "operator": "stringEquals"} for n, v in names.items()]}],
        **changed,
    }


ELSEWHERE = [{"attributes": [{"name": "serviceName", "value": "is"}, {"name": "accountId", "value": "a" * 32}]}]
STRICTER = [{"attributes": [*policy(VIEWER)["resources"][0]["attributes"], {"name": "region", "value": "eu-de"}]}]
MATCHED = [{"attributes": [{**a, "operator": "stringMatch"} for a in policy(VIEWER)["resources"][0]["attributes"]]}]


@pytest.mark.parametrize(
    ("held", "made"),
    [
        ([], 1),
        ([policy(VIEWER, EDITOR)], 0),
        ([policy(EDITOR, VIEWER, "crn:v1:bluemix:public:iam::::role:Operator")], 0),
        ([policy(VIEWER), policy(EDITOR, id="p1")], 0),
        ([policy(VIEWER)], 1),
        ([policy(VIEWER, EDITOR, state="deleted")], 1),
        ([policy(VIEWER, EDITOR, type="authorization")], 1),
        ([policy(VIEWER, EDITOR, resources=ELSEWHERE)], 1),
        ([policy(VIEWER, EDITOR, resources=STRICTER)], 1),
        ([policy(VIEWER, EDITOR, resources=MATCHED)], 1),
        ([policy(VIEWER, EDITOR, rule={"key": "{{environment.attributes.day_of_week}}"})], 1),
        ([policy(VIEWER, EDITOR, id=f"p{n}", state="deleted") for n in range(40)], 1),
    ],
    ids=[
        "none", "the same", "more roles", "two policies", "a role short", "deleted", "an authorization", "wider",
        "narrower", "another operator", "under a condition", "many",
    ],
)  # fmt: skip
def test_ibm_policies_are_listed_and_only_what_is_not_there_is_made(held: Any, made: int, clouds: Clouds) -> None:
    written = clouds.ibm(*IBM[:2], policies=held)
    ran = written.run()
    assert len(ran.changes) == made
    assert written.run().changes == ()


def newer(*roles: str, **changed: Any) -> dict[str, Any]:
    """Return a policy in the second form of the API."""
    old = policy(*roles)
    attributes = [
        {"key": a["name"], "operator": a["operator"], "value": a["value"]} for a in old["resources"][0]["attributes"]
    ]
    subject = {"attributes": [{"key": "iam_id", "operator": "stringEquals", "value": "iam-ServiceId-0"}]}
    control = {"grant": {"roles": old["roles"]}}
    base = {"id": "p0", "type": "access", "state": "active", "control": control, "subject": subject}
    return {**base, "resource": {"attributes": attributes}, **changed}


@pytest.mark.parametrize(
    ("said", "made"),
    [
        (json.dumps([newer(VIEWER, EDITOR)]), 0),
        (json.dumps([newer(VIEWER), newer(EDITOR)], indent=4), 0),
        (json.dumps([newer(VIEWER, EDITOR, pattern="time-based-conditions:weekly:custom-hours")]), 1),
        (json.dumps({"policies": [policy(VIEWER), policy(EDITOR)]}, separators=(",", ":")), 0),
        (json.dumps({"policies": [policy(VIEWER)]}), 1),
        (json.dumps([policy(VIEWER, EDITOR)])[:-2], 1),
        ("FAILED", 1),
        ("", 1),
    ],
    ids=["v2", "v2, two", "v2, at times", "wrapped", "wrapped, a role short", "cut off", "an error", "nothing"],
)
def test_a_listing_is_read_in_every_form_and_proves_nothing_where_it_is_none(
    said: str, made: int, clouds: Clouds
) -> None:
    """What is there all the same is refused by IBM Cloud, and that is the answer."""
    written = clouds.ibm(*IBM[:2])
    answers = {"service-policies": (0, said, ""), "service-policy-create": (1, "", "policy_conflict_error")}
    script = written.folder / "commands.sh"
    ran = written.shell().run(script, answer=lambda call, _: answers.get(call[2], (0, "", "")))
    assert ran.code == 0, ran.err
    assert len(ran.changes) == made
