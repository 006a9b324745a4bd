"""A live cluster: what it is asked, what its answers mean, and what happens when it does not answer."""

from __future__ import annotations

import gc
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.worlds.cluster_objects import ROLE_ARN, STORAGE, Objects, encoded, sample
from tests.worlds.kubernetes_server import Fault, KubernetesServer
from upgrade_gate.base.errors import ClusterError
from upgrade_gate.base.facts import Absent, Known, Unknown
from upgrade_gate.base.secret_ref import SecretRef
from upgrade_gate.cluster import facts_table, observe
from upgrade_gate.cluster.readers import live
from upgrade_gate.cluster.rows import rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.worlds.certificates import Certificates
    from upgrade_gate.cluster.facts_table import Cluster

pytestmark = pytest.mark.slow

SECRET = SecretRef(STORAGE, "ebs-cloud-credentials")
FIRST = facts_table.FIRST_WAVE
VERSION_PATH = "/apis/config.openshift.io/v1/clusterversions/version"
REQUESTS_PATH = "/apis/cloudcredential.openshift.io/v1/credentialsrequests"
SECRET_PATH = f"/api/v1/namespaces/{STORAGE}/secrets/{SECRET.name}"
PATHS = {
    VERSION_PATH: "ClusterVersion version",
    "/apis/config.openshift.io/v1/clusteroperators/cloud-credential": "ClusterOperator cloud-credential",
    "/apis/config.openshift.io/v1/infrastructures/cluster": "Infrastructure cluster",
    "/apis/config.openshift.io/v1/authentications/cluster": "Authentication cluster",
    "/apis/config.openshift.io/v1/featuregates/cluster": "FeatureGate cluster",
    "/apis/config.openshift.io/v1/dnses/cluster": "DNS cluster",
    "/apis/operator.openshift.io/v1/cloudcredentials/cluster": "CloudCredential cluster",
    "/api/v1/namespaces/openshift-cloud-credential-operator/configmaps/cloud-credential-operator-config": (
        "ConfigMap cloud-credential-operator-config"
    ),
    "/apis/apps/v1/namespaces/openshift-cluster-version/deployments/cluster-version-operator": (
        "Deployment cluster-version-operator"
    ),
    REQUESTS_PATH: "CredentialsRequests",
    f"/api/v1/namespaces/{STORAGE}": f"Namespace {STORAGE}",
    SECRET_PATH: f"Secrets of {STORAGE}",
    "/api/v1/namespaces/kube-system/secrets/aws-creds": "Secret kube-system/aws-creds",
}


@pytest.fixture
def server(certificates: Certificates) -> Iterator[KubernetesServer]:
    """The sample cluster, served."""
    with KubernetesServer(certificates, list(sample().values())).run() as running:
        yield running


def connect(server: KubernetesServer, folder: Path, **options: Any) -> live.LiveReader:
    """Log in to a server."""
    return live.open_cluster(kubeconfig=server.kubeconfig(folder / "kubeconfig"), **{"timeout": 60.0, **options})


def observed(reader: live.LiveReader) -> Cluster:
    """Read both waves; a namespace of its own keeps absence apart from proof by a Secret."""
    return observe.observe_secrets(observe.observe(reader), reader, [STORAGE], [SECRET])


@pytest.mark.parametrize("progress", [True, False])
def test_how_far_the_reads_are_is_shown_where_a_person_watches(
    server: KubernetesServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    *,
    progress: bool,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    reader = connect(server, tmp_path, progress=progress)
    observed(reader)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert ("read" in shown.err and reader.description.rpartition("/")[2] in shown.err) is progress
    assert (shown.err == "") is not progress


def test_a_live_cluster_gives_the_facts_of_its_objects(server: KubernetesServer, tmp_path: Path) -> None:
    reader = Objects(sample())
    wanted = observe.observe_secrets(observe.observe(reader), reader, [STORAGE], [SECRET])
    found = observed(connect(server, tmp_path))
    assert rows_of(found) == rows_of(wanted)
    assert found.description == server.url
    assert found.collected is None


def test_only_get_is_used_and_no_secret_is_ever_asked_for_whole(server: KubernetesServer, tmp_path: Path) -> None:
    observed(connect(server, tmp_path))
    assert {request.method for request in server.requests} == {"GET"}
    secrets = [request for request in server.requests if "/secrets" in request.path]
    assert len(secrets) == 2
    assert {request.accept for request in secrets} == {
        "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
    }, "no fallback to a whole Secret"


def test_each_object_is_asked_for_once(server: KubernetesServer, tmp_path: Path) -> None:
    observed(connect(server, tmp_path))
    assert sorted(request.path for request in server.requests) == sorted(PATHS)


def test_two_servers_are_never_mixed_up(certificates: Certificates, tmp_path: Path) -> None:
    one, two = sample("4.14.3"), sample("4.13.9")
    two["ClusterVersion/version"]["spec"]["clusterID"] = "99999999-2222-4333-8444-555555555555"
    with (
        KubernetesServer(certificates, list(one.values()), token="one").run() as first,
        KubernetesServer(certificates, list(two.values()), token="two").run() as second,
    ):
        readers = []
        for server, name in ((first, "a"), (second, "b")):
            (tmp_path / name).mkdir()
            readers.append(connect(server, tmp_path / name))
        found = [observed(reader) for reader in (*readers, *readers)]
        assert [cluster_.version for cluster_ in found] == [Known("4.14.3"), Known("4.13.9")] * 2
        assert len({cluster_.id for cluster_ in found}) == 2
        for server in (first, second):
            assert {request.headers["authorization"] for request in server.requests} == {f"Bearer {server.token}"}


# --- lists ---


def _many(count: int) -> list[dict[str, Any]]:
    objects = sample()
    request = objects.pop("CredentialsRequest/storage")
    names = [f"request-{number:03}" for number in range(count)]
    return [*objects.values(), *({**request, "metadata": {**request["metadata"], "name": name}} for name in names)]


def test_a_long_list_is_read_page_by_page(certificates: Certificates, tmp_path: Path) -> None:
    with KubernetesServer(certificates, _many(27), page=10).run() as server:
        found = observed(connect(server, tmp_path))
        assert isinstance(found.requests, Known)
        assert len({live_request.name for live_request in found.requests.value}) == 27
        assert len([request for request in server.requests if request.path == REQUESTS_PATH]) == 3


def test_a_list_that_expires_on_the_way_is_started_again(certificates: Certificates, tmp_path: Path) -> None:
    with KubernetesServer(certificates, _many(27), page=10).run() as server:
        server.faults[REQUESTS_PATH] = Fault("gone", times=1, after=1)
        found = observed(connect(server, tmp_path))
        assert isinstance(found.requests, Known)
        assert len(found.requests.value) == 27
        assert len([request for request in server.requests if request.path == REQUESTS_PATH]) == 5


def test_a_list_that_keeps_expiring_is_unknown(certificates: Certificates, tmp_path: Path) -> None:
    with KubernetesServer(certificates, _many(27), page=10).run() as server:
        server.faults[REQUESTS_PATH] = Fault("gone-if-continued")
        found = observed(connect(server, tmp_path))
        assert isinstance(found.requests, Unknown)
        assert "expired again" in found.requests.reason


def test_a_label_selector_is_left_to_the_server(certificates: Certificates, tmp_path: Path) -> None:
    labelled = {
        "kind": "ConfigMap",
        "metadata": {
            "name": "sha256-1",
            "namespace": "openshift-config-managed",
            "labels": {"release.openshift.io/verification-signatures": ""},
        },
    }
    other = {"kind": "ConfigMap", "metadata": {"name": "other", "namespace": "openshift-config-managed"}}
    with KubernetesServer(certificates, [labelled, other]).run() as server:
        query = facts_table.SIGNATURES[0]
        found = connect(server, tmp_path).read([query])[query]
        assert isinstance(found, Known)
        assert [body["metadata"]["name"] for body in found.value] == ["sha256-1"]


# --- absence ---


def test_a_kind_that_the_api_does_not_serve_is_absent(certificates: Certificates, tmp_path: Path) -> None:
    without = frozenset({"CloudCredential", "CredentialsRequest"})
    with KubernetesServer(certificates, list(sample().values()), without=without).run() as server:
        answers = connect(server, tmp_path).read(FIRST)
        assert answers[FIRST[6]] == Absent()
        assert answers[FIRST[9]] == Absent()


def test_a_404_that_is_no_answer_of_the_api_is_not_absence(server: KubernetesServer, tmp_path: Path) -> None:
    server.faults[VERSION_PATH] = Fault("no-status")
    found = observed(connect(server, tmp_path))
    assert isinstance(found.version, Unknown)
    assert "404" in found.version.reason


def test_a_server_that_answers_404_to_everything_has_nothing_absent(server: KubernetesServer, tmp_path: Path) -> None:
    server.faults["*"] = Fault("no-status")
    assert {line.state for line in rows_of(observed(connect(server, tmp_path)))} == {"unknown"}


# --- every read in turn ---

TROUBLE = {
    "forbidden": Fault("forbidden"),
    "unauthorized": Fault("unauthorized"),
    "garbage": Fault("garbage", body=b"<html>login</html>"),
    "another shape": Fault("garbage", body=b"[1, 2]"),
    "another object": Fault("garbage", body=b'{"kind": "Pod", "metadata": {"name": "x"}}'),
    "empty": Fault("garbage", body=b""),
    "deep": Fault("garbage", body=b"[" * 200_000),
    "no metadata": Fault("garbage", body=b'{"kind": "Secret"}'),
    "redirect": Fault("redirect", body=b"https://elsewhere.example.com/"),
    "plain 404": Fault("no-status"),
}


@pytest.fixture
def no_collection() -> Iterator[None]:
    """Keep the collector away: a finaliser that it runs deep inside a recursion fails, and pytest blames the test."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize("trouble", TROUBLE)
def test_whatever_one_read_answers_wrongly_its_line_is_unknown(
    server: KubernetesServer, tmp_path: Path, trouble: str
) -> None:
    reader = connect(server, tmp_path)
    for path, line_name in PATHS.items():
        server.faults = {path: TROUBLE[trouble]}
        lines = {line.name: line for line in rows_of(observed(reader))}
        if line_name.startswith("Namespace"):
            assert lines[line_name].state == "known", "the Secret inside proves it"
            continue
        assert lines[line_name].state == "unknown", f"{trouble}: {path}"
        assert path.rpartition("/")[2] in (lines[line_name].reason or ""), "the object is named"
        assert "secret-word" not in repr(lines), "messages of the server are not repeated"


@pytest.mark.parametrize("trouble", ["slow", "drip", "cut", "unavailable", "throttled"])
def test_whatever_one_read_does_not_answer_its_line_is_unknown(
    server: KubernetesServer, tmp_path: Path, trouble: str
) -> None:
    fault = Fault(trouble, seconds=30.0 if trouble in {"slow", "throttled"} else 0.05)
    server.faults = dict.fromkeys((VERSION_PATH, REQUESTS_PATH), fault)
    lines = {line.name: line for line in rows_of(observe.observe(connect(server, tmp_path, timeout=5.0)))}
    for path in server.faults:
        assert lines[PATHS[path]].state == "unknown", path


def test_a_namespace_that_is_not_there_holds_no_secret_whoever_may_look_into_it(
    certificates: Certificates, tmp_path: Path
) -> None:
    # RBAC refuses before anything is looked up, and no Role can be in a namespace that does not exist
    objects = [body for body in sample().values() if body["metadata"].get("namespace") != STORAGE]
    for kept in (True, False):
        inside = [body for body in objects if kept or body["metadata"]["name"] != STORAGE]
        with KubernetesServer(certificates, inside).run() as server:
            server.faults = {SECRET_PATH: Fault("forbidden")}
            found = observed(connect(server, tmp_path))
            assert isinstance(found.secrets[SECRET], Unknown if kept else Absent)
            server.faults = {SECRET_PATH: Fault("garbage", body=b"<html>")}
            assert isinstance(observed(connect(server, tmp_path)).secrets[SECRET], Unknown)


def test_a_forbidden_read_prints_what_to_allow(server: KubernetesServer, tmp_path: Path) -> None:
    server.faults = {VERSION_PATH: Fault("forbidden"), SECRET_PATH: Fault("forbidden")}
    found = observed(connect(server, tmp_path))
    assert isinstance(found.version, Unknown)
    assert found.version.reason == "get clusterversions.config.openshift.io/version: 403 forbidden"
    rule = {
        "apiGroups": ["config.openshift.io"],
        "resources": ["clusterversions"],
        "resourceNames": ["version"],
        "verbs": ["get"],
    }
    assert found.version.remedy == f"allow {json.dumps(rule)}"
    secret = found.secrets[SECRET]
    assert isinstance(secret, Unknown)
    assert secret.reason == f"get secrets/{SECRET.name} in namespace {STORAGE}: 403 forbidden"
    assert f"in namespace {STORAGE}" in (secret.remedy or "")


@pytest.mark.parametrize("trouble", ["throttled", "unavailable", "cut"])
def test_what_passes_is_tried_again(server: KubernetesServer, tmp_path: Path, trouble: str) -> None:
    server.faults = {VERSION_PATH: Fault(trouble, times=2)}
    assert observed(connect(server, tmp_path)).version == Known("4.14.3")


def test_a_server_that_ignores_the_accept_header_teaches_us_no_value(server: KubernetesServer, tmp_path: Path) -> None:
    server.faults = {SECRET_PATH: Fault("ignores-accept")}
    found = observed(connect(server, tmp_path))
    secret = found.secrets[SECRET]
    assert isinstance(secret, Unknown)
    assert "kind 'Secret'" in secret.reason
    assert ROLE_ARN not in repr(found)
    assert encoded(ROLE_ARN)[:20] not in repr(found)


# --- when nothing can be read ---


def test_an_expired_login_is_an_error_of_the_whole_cluster(server: KubernetesServer, tmp_path: Path) -> None:
    server.faults = {"*": Fault("unauthorized")}
    with pytest.raises(ClusterError, match="401") as caught:
        observe.observe(connect(server, tmp_path))
    assert "log in again" in str(caught.value)
    assert server.url in str(caught.value)


def test_a_server_that_is_not_there_is_an_error_that_names_it(certificates: Certificates, tmp_path: Path) -> None:
    with KubernetesServer(certificates, []).run() as server:
        reader = connect(server, tmp_path, timeout=2.0)
    with pytest.raises(ClusterError, match=r"127\.0\.0\.1"):
        observe.observe(reader)


def test_a_silent_server_is_given_up_at_the_deadline(server: KubernetesServer, tmp_path: Path) -> None:
    server.faults = {"*": Fault("slow", seconds=60.0)}
    with pytest.raises(ClusterError, match=r"no answer within 0\.33 s"):
        observe.observe(connect(server, tmp_path, timeout=0.5))


def test_a_server_that_is_not_trusted_is_never_asked(certificates: Certificates, tmp_path: Path) -> None:
    with KubernetesServer(certificates, list(sample().values())).run() as server:
        other = {"certificate-authority": str(certificates.self_signed)}
        reader = live.open_cluster(kubeconfig=server.kubeconfig(tmp_path / "k", cluster=other), timeout=5.0)
        with pytest.raises(ClusterError, match="TLS failed"):
            observe.observe(reader)
        assert not server.requests


# --- opt-in reads ---


def test_on_request_a_secret_is_read_whole_and_reduced_at_once(server: KubernetesServer, tmp_path: Path) -> None:
    found = observed(connect(server, tmp_path, read_secrets=True))
    secret = found.secrets[SECRET]
    assert isinstance(secret, Known)
    assert (secret.value.identity, secret.value.form) == (ROLE_ARN, "token")
    assert secret.value.keys == frozenset({"credentials"})
    assert "sts_regional_endpoints" not in repr(found)


def test_the_pull_secret_is_read_only_when_asked(certificates: Certificates, tmp_path: Path) -> None:
    secret = {
        "kind": "Secret",
        "metadata": {"name": "pull-secret", "namespace": "openshift-config"},
        "data": {".dockerconfigjson": encoded('{"auths": {}}')},
    }
    with KubernetesServer(certificates, [secret]).run() as server:
        reader = connect(server, tmp_path)
        assert not server.requests
        assert reader.pull_secret() == Known(b'{"auths": {}}')
        server.faults = {"*": Fault("forbidden")}
        assert isinstance(reader.pull_secret(), Unknown)


@pytest.mark.parametrize("value", ["%%%", "\u00fc"])
def test_a_pull_secret_that_is_not_base64_is_unknown(certificates: Certificates, tmp_path: Path, value: str) -> None:
    metadata = {"name": "pull-secret", "namespace": "openshift-config"}
    secret = {"kind": "Secret", "metadata": metadata, "data": {".dockerconfigjson": value}}
    with KubernetesServer(certificates, [secret]).run() as server:
        found = connect(server, tmp_path).pull_secret()
    assert isinstance(found, Unknown)
    assert "not base64" in found.reason


def test_a_pull_secret_without_its_key_is_absent(certificates: Certificates, tmp_path: Path) -> None:
    secret = {"kind": "Secret", "metadata": {"name": "pull-secret", "namespace": "openshift-config"}, "data": {}}
    with KubernetesServer(certificates, [secret]).run() as server:
        assert connect(server, tmp_path).pull_secret() == Absent()
    with KubernetesServer(certificates, []).run() as server:
        assert connect(server, tmp_path).pull_secret() == Absent()
