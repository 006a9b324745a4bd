"""AWS live: the real SDK over real sockets against moto; refusals, throttling, cut-off answers; reads alone."""

import json
import re
import sys
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import pytest

from tests.worlds.aws_exports import ACCOUNT, ISSUER, allow, document, subject, trust
from tests.worlds.components import require
from tests.worlds.moto_server import moto_server
from upgrade_gate.base.errors import EntitlementError, UsageError
from upgrade_gate.clouds.aws import holdings, live
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import Document

pytestmark = pytest.mark.slow

ATTACH = Grant("action", "ec2:AttachVolume", "Allow", "*")
DESCRIBE = Grant("action", "ec2:DescribeVolumes", "Allow", "*")
MOTO_ACCOUNT = "123456789012"
READS = re.compile(r"(Get|List)[A-Za-z]+")


class Proxy(ThreadingHTTPServer):
    """Stands before moto: keeps the name of each call, and refuses, throttles or cuts off what a test asks for."""

    daemon_threads = True

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream = upstream
        self.calls: list[str] = []
        self.refused: set[str] = set()
        self.throttled: dict[str, int] = {}
        self.cut: set[str] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Proxy

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        target = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        action = target or parse_qs(body.decode())["Action"][0]
        self.server.calls.append(action)
        if action in self.server.refused:
            self.answer(403, error("AccessDenied"))
            return
        if self.server.throttled.get(action, 0) > 0:
            self.server.throttled[action] -= 1
            self.answer(400, error("Throttling"))
            return
        request = urllib.request.Request(self.server.upstream, body, dict(self.headers))
        with urllib.request.urlopen(request) as reply:
            whole = reply.read()
        self.answer(200, whole[: len(whole) // 2] if action in self.server.cut else whole)


def error(code: str) -> bytes:
    return f"<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>".encode()


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    require("python:boto3")
    with moto_server() as url:
        yield url


@pytest.fixture
def proxy(moto: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    urllib.request.urlopen(urllib.request.Request(f"{moto}/moto-api/reset", b"", method="POST")).close()
    server = Proxy(moto)
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def account(moto: str, proxy: Proxy) -> dict[str, str]:
    """Make a role with an inline and an attached policy and a boundary, and a user in a group; return their ARNs."""
    import boto3

    iam = boto3.client("iam", endpoint_url=moto, region_name="us-east-1")
    iam.create_open_id_connect_provider(
        Url=ISSUER, ClientIDList=["openshift", "sts.amazonaws.com"], ThumbprintList=["0" * 40]
    )
    managed = iam.create_policy(PolicyName="m", PolicyDocument=json.dumps(document(allow("ec2:Attach*"))))["Policy"]
    limits = iam.create_policy(PolicyName="b", PolicyDocument=json.dumps(document(allow("ec2:*"))))["Policy"]
    role = iam.create_role(
        RoleName="c1-ebs",
        AssumeRolePolicyDocument=json.dumps(trust("driver")).replace(ACCOUNT, MOTO_ACCOUNT),
        PermissionsBoundary=limits["Arn"],
    )["Role"]
    plus = allow("s3:GetObject", Resource="arn:aws:s3:::a+b")
    iam.put_role_policy(RoleName="c1-ebs", PolicyName="p", PolicyDocument=json.dumps(document(plus)))
    iam.attach_role_policy(RoleName="c1-ebs", PolicyArn=managed["Arn"])
    user = iam.create_user(UserName="u")["User"]
    iam.create_group(GroupName="g")
    iam.put_group_policy(
        GroupName="g", PolicyName="p", PolicyDocument=json.dumps(document(allow("ec2:DescribeVolumes")))
    )
    iam.add_user_to_group(GroupName="g", UserName="u")
    return {"role": role["Arn"], "user": user["Arn"]}


def read(proxy: Proxy, **settings: Any) -> tuple[Document, ...]:
    return live.collect({"endpoint": proxy.url, "timeout": 10, **settings})


def check(documents: tuple[Document, ...], arns: dict[str, str]) -> None:
    """Both ways of reading must give the same verdicts."""
    held = holdings.build(documents, arns["role"].split(":")[4])
    assert held.judge(arns["role"], ATTACH, ()).verdict == "COVERED"
    assert held.judge(arns["role"], DESCRIBE, ()).verdict == "MISSING"
    assert held.judge(arns["role"], Grant("action", "s3:GetObject", "Allow", "*"), ()).verdict == "MISSING"
    assert held.judge(arns["user"], DESCRIBE, ()).verdict == "COVERED"
    assert held.judge(arns["user"], ATTACH, ()).verdict == "MISSING"
    assert held.trust(arns["role"], ISSUER, [subject("driver")]).verdict == "COVERED"
    assert held.trust(arns["role"], ISSUER, [subject("operator")]).verdict == "MISSING"


def test_the_account_details_are_read_in_one_go(proxy: Proxy, account: dict[str, str]) -> None:
    check(read(proxy), account)
    providers = {"ListOpenIDConnectProviders", "GetOpenIDConnectProvider"}
    assert set(proxy.calls) == {"GetCallerIdentity", "GetAccountAuthorizationDetails", *providers}


@pytest.mark.parametrize("refused", ["ListOpenIDConnectProviders", "GetOpenIDConnectProvider"])
def test_a_provider_that_may_not_be_read_is_a_caveat(proxy: Proxy, account: dict[str, str], refused: str) -> None:
    held = holdings.build(read(proxy), None)
    assert held.trust(account["role"], ISSUER, [subject("driver")]).caveats == ()
    proxy.refused = {refused}
    trusted = holdings.build(read(proxy), None).trust(account["role"], ISSUER, [subject("driver")])
    assert trusted.verdict == "COVERED"
    assert "was not seen" in " ".join(trusted.caveats)


def test_where_the_details_are_refused_each_identity_is_read_by_itself(proxy: Proxy, account: dict[str, str]) -> None:
    proxy.refused = {"GetAccountAuthorizationDetails"}
    check(read(proxy, identities=list(account.values())), account)
    assert "GetRolePolicy" in proxy.calls
    assert "GetPolicyVersion" in proxy.calls


@pytest.mark.parametrize("refused", [set(), {"GetAccountAuthorizationDetails"}])
def test_only_reads_are_asked(proxy: Proxy, account: dict[str, str], refused: set[str]) -> None:
    proxy.refused = refused
    read(proxy, identities=list(account.values()))
    assert proxy.calls
    assert [call for call in proxy.calls if not READS.fullmatch(call)] == []


def test_what_is_refused_for_one_role_is_unknown_not_missing(proxy: Proxy, account: dict[str, str]) -> None:
    proxy.refused = {"GetAccountAuthorizationDetails", "ListAttachedRolePolicies", "GetCallerIdentity"}
    held = holdings.build(read(proxy, identities=[account["role"]]), None)
    assert held.judge(account["role"], ATTACH, ()).verdict == "UNKNOWN"


def test_a_boundary_that_may_not_be_read_is_unknown(proxy: Proxy, account: dict[str, str]) -> None:
    proxy.refused = {"GetAccountAuthorizationDetails", "GetPolicy"}
    held = holdings.build(read(proxy, identities=[account["role"]]), None)
    assert held.judge(account["role"], ATTACH, ()).verdict == "UNKNOWN"


def test_throttling_is_waited_for(proxy: Proxy, account: dict[str, str]) -> None:
    proxy.throttled = {"GetAccountAuthorizationDetails": 2}
    check(read(proxy), account)


def test_where_nothing_may_be_read_it_is_an_error_that_names_the_way_out(proxy: Proxy, account: dict[str, str]) -> None:
    proxy.refused = {
        "GetAccountAuthorizationDetails",
        "GetRole",
        "ListRolePolicies",
        "ListAttachedRolePolicies",
    }
    with pytest.raises(EntitlementError, match="init iam-reader"):
        read(proxy, identities=[account["role"]])


def test_a_cut_off_answer_is_an_error(proxy: Proxy, account: dict[str, str]) -> None:
    proxy.cut = {"GetAccountAuthorizationDetails"}
    with pytest.raises(EntitlementError, match="AWS IAM"):
        read(proxy)


def test_a_host_that_does_not_answer_is_an_error(proxy: Proxy) -> None:
    with pytest.raises(EntitlementError, match="AWS IAM"):
        live.collect({"endpoint": "http://127.0.0.1:9", "timeout": 1})


def test_without_the_extra_it_is_a_usage_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(UsageError, match=r"upgrade-gate\[aws\]"):
        live.collect({})
