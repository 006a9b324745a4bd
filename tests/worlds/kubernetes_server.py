"""An HTTPS server on loopback that speaks the Kubernetes API, for objects given as dictionaries or as a dump.

It is held against kubectl (tests/integration/test_kubernetes_server.py): a fake that kubectl rejects is a wrong fake.
"""

from __future__ import annotations

import base64
import contextlib
import json
import ssl
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qs, urlsplit

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tests.worlds.certificates import Certificates

_RBAC = "rbac.authorization.k8s.io"
RESOURCES = {
    "ClusterVersion": ("config.openshift.io", "v1", "clusterversions", False),
    "ClusterOperator": ("config.openshift.io", "v1", "clusteroperators", False),
    "Infrastructure": ("config.openshift.io", "v1", "infrastructures", False),
    "Authentication": ("config.openshift.io", "v1", "authentications", False),
    "FeatureGate": ("config.openshift.io", "v1", "featuregates", False),
    "DNS": ("config.openshift.io", "v1", "dnses", False),
    "ImageDigestMirrorSet": ("config.openshift.io", "v1", "imagedigestmirrorsets", False),
    "ImageTagMirrorSet": ("config.openshift.io", "v1", "imagetagmirrorsets", False),
    "ImageContentSourcePolicy": ("operator.openshift.io", "v1alpha1", "imagecontentsourcepolicies", False),
    "CloudCredential": ("operator.openshift.io", "v1", "cloudcredentials", False),
    "CredentialsRequest": ("cloudcredential.openshift.io", "v1", "credentialsrequests", True),
    "MachineSet": ("machine.openshift.io", "v1beta1", "machinesets", True),
    "ControlPlaneMachineSet": ("machine.openshift.io", "v1", "controlplanemachinesets", True),
    "Config": ("imageregistry.operator.openshift.io", "v1", "configs", False),
    "Deployment": ("apps", "v1", "deployments", True),
    "ConfigMap": ("", "v1", "configmaps", True),
    "Secret": ("", "v1", "secrets", True),
    "Namespace": ("", "v1", "namespaces", False),
    "PersistentVolumeClaim": ("", "v1", "persistentvolumeclaims", True),
    "Job": ("batch", "v1", "jobs", True),
    "CronJob": ("batch", "v1", "cronjobs", True),
    "ManagedCluster": ("cluster.open-cluster-management.io", "v1", "managedclusters", False),
    "MultiClusterEngine": ("multicluster.openshift.io", "v1", "multiclusterengines", False),
    "Route": ("route.openshift.io", "v1", "routes", True),
    "PolicyReport": ("wgpolicyk8s.io", "v1alpha2", "policyreports", True),
    "ServiceAccount": ("", "v1", "serviceaccounts", True),
    "ClusterRole": (_RBAC, "v1", "clusterroles", False),
    "ClusterRoleBinding": (_RBAC, "v1", "clusterrolebindings", False),
    "Role": (_RBAC, "v1", "roles", True),
    "RoleBinding": (_RBAC, "v1", "rolebindings", True),
}
"""Group, version, plural, and whether it has a namespace."""
_REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


Asked: TypeAlias = tuple[str, str, str, str | None, str | None]
"""Verb, group, plural, namespace and name of one request."""


@dataclass(frozen=True)
class Request:
    """One request as it came in."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]

    @property
    def accept(self) -> str:
        """The Accept header."""
        return self.headers.get("accept", "")


@dataclass
class Fault:
    """A way to misbehave; `times` limits it to the first answers."""

    kind: str
    """One of REFUSALS, no-status, redirect, garbage, cut, drip, slow, hang, ignores-accept,
    gone-if-continued."""
    seconds: float = 0.0
    times: int | None = None
    body: bytes = b""
    after: int = 0
    """Requests that are answered well before."""

    def strikes(self) -> bool:
        """Whether this request is hit."""
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0


@dataclass
class KubernetesServer:
    """A running API server; `requests` is what it was asked."""

    certificates: Certificates
    objects: Sequence[dict[str, Any]]
    token: str = "token-of-the-test"
    page: int | None = None
    """Most items of a page, whatever the client's limit."""
    rules: Sequence[tuple[str | None, dict[str, Any]]] | None = None
    """RBAC rules with the namespace they hold in (None: everywhere); None allows everything."""
    client_authority: Path | None = None
    faults: dict[str, Fault] = field(default_factory=dict)
    """By path; `*` for every path."""
    requests: list[Request] = field(default_factory=list)
    without: frozenset[str] = frozenset()
    """Kinds that this server does not serve at all."""
    managed: dict[str, KubernetesServer] = field(default_factory=dict)
    """Makes it a hub's cluster-proxy: the first part of a path names the cluster that answers; those need not run."""
    writable: frozenset[str] = frozenset()
    """Kinds that may be applied (server-side) and deleted."""

    def __post_init__(self) -> None:
        self.store: dict[tuple[str, str, str], dict[str, Any]] = {}
        for body in self.objects:
            metadata = body["metadata"]
            if body.get("kind") in RESOURCES:
                self.store[body["kind"], metadata.get("namespace", ""), metadata["name"]] = body
        self.served = {kind: place for kind, place in RESOURCES.items() if kind not in self.without}
        self.lock = threading.Lock()
        self.released = threading.Event()
        """Until then, what hangs is not answered."""

    @property
    def url(self) -> str:
        """The address."""
        return f"https://127.0.0.1:{self.port}"

    @contextlib.contextmanager
    def run(self) -> Iterator[KubernetesServer]:
        """Serve until the block ends."""
        server = _Server(("127.0.0.1", 0), _Handler)
        server.api = self
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificates.certificate, self.certificates.key)
        if self.client_authority:
            context.load_verify_locations(self.client_authority)
            context.verify_mode = ssl.CERT_OPTIONAL
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.released.set()
            server.shutdown()
            server.server_close()
            thread.join()

    def kubeconfig(self, path: Path, **changes: Any) -> Path:
        """Write a kubeconfig; `changes` replace parts of `cluster` and `user`."""
        cluster = {"server": self.url, "certificate-authority": str(self.certificates.authority)}
        user = {"token": self.token}
        body = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "clusters": [{"name": "c", "cluster": {**cluster, **changes.get("cluster", {})}}],
            "users": [{"name": "u", "user": changes.get("user", user)}],
            "contexts": [{"name": "test", "context": {"cluster": "c", "user": "u"}}],
        }
        path.write_text(yaml.safe_dump(body))
        return path

    def asked(self) -> set[Asked]:
        """Return what was asked of resources, discovery left out."""
        found: set[Asked] = set()
        for request in self.requests:
            place = _place(self, request.path)
            if place is not None:
                kind, namespace, name = place
                group, _, plural, _ = self.served[kind]
                found.add(("list" if name is None else "get", group, plural, namespace, name))
        return found

    def allows(self, verb: str, group: str, plural: str, namespace: str | None, name: str | None) -> bool:
        """Decide as RBAC does."""
        if self.rules is None:
            return True
        for place, rule in self.rules:
            if place is not None and place != namespace:
                continue
            if verb not in rule["verbs"] or group not in rule["apiGroups"] or plural not in rule["resources"]:
                continue
            if "resourceNames" in rule and name not in rule["resourceNames"]:
                continue
            return True
        return False


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    api: KubernetesServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that hangs up is part of the tests."""


REFUSALS = {
    "forbidden": (403, "Forbidden"),
    "unauthorized": (401, "Unauthorized"),
    "throttled": (429, "TooManyRequests"),
    "unavailable": (503, "ServiceUnavailable"),
    "gone": (410, "Expired"),
}


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    api: KubernetesServer
    """The cluster that answers this request."""

    def do_GET(self) -> None:
        self.handle_request(b"")

    def do_POST(self) -> None:
        self.handle_request(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

    do_PUT = do_PATCH = do_DELETE = do_POST  # noqa: N815 - names that http.server wants

    def log_message(self, *_: Any) -> None:
        pass

    def handle_request(self, sent: bytes) -> None:
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
        headers = {key.lower(): value for key, value in self.headers.items()}
        request = Request(self.command, parts.path, query, headers)
        self.api = self.server.api
        fault = self.noted(request)
        if self.api.managed and not fault:
            name, _, rest = parts.path.removeprefix("/").partition("/")
            if name not in self.api.managed:
                self.raw(502, b"proxy to anp-proxy-server failed", "text/plain")
                return
            self.api = self.api.managed[name]
            request = Request(self.command, f"/{rest}", query, headers)
            fault = self.noted(request)
        if fault and fault.kind == "gone-if-continued":
            fault = Fault("gone") if "continue" in query else None
        if fault and self.misbehave(fault):
            return
        if not self.knows_caller(headers):
            self.answer(401, status(401, "Unauthorized", "Unauthorized"))
            return
        if request.path == _REVIEW and self.command == "POST":
            self.review(json.loads(sent) if sent[:1] == b"{" else _review_of(sent))
            return
        if self.command != "GET" and self.write(request, sent):
            return
        if self.command != "GET":
            self.answer(405, status(405, "MethodNotAllowed", "this server is read-only"))
            return
        found = discovery(self.api, request.path.rstrip("/"), request.accept)
        if found is not None:
            self.answer(200, found)
            return
        self.resource(request, fault)

    def noted(self, request: Request) -> Fault | None:
        """Write down what was asked; return the fault that this request meets."""
        with self.api.lock:
            self.api.requests.append(request)
            fault = self.api.faults.get(request.path) or self.api.faults.get("*")
            return fault if fault and fault.strikes() else None

    def knows_caller(self, headers: dict[str, str]) -> bool:
        if headers.get("authorization") == f"Bearer {self.api.token}":
            return True
        basic = base64.b64encode(f"user:{self.api.token}".encode()).decode()
        if headers.get("authorization") == f"Basic {basic}":
            return True
        return bool(self.api.client_authority and self.connection.getpeercert())

    def misbehave(self, fault: Fault) -> bool:
        """Answer wrongly; returns whether the answer is complete."""
        if fault.kind in REFUSALS:
            code, reason = REFUSALS[fault.kind]
            retry = {"Retry-After": str(int(fault.seconds))} if fault.kind == "throttled" else {}
            self.answer(code, status(code, reason, "refused: secret-word"), retry)
            return True
        match fault.kind:
            case "no-status":
                self.raw(404, b"404 page not found\n", "text/plain")
            case "redirect":
                self.raw(302, b"", "text/plain", {"Location": fault.body.decode()})
            case "garbage":
                self.raw(200, fault.body, "application/json")
            case "cut":
                self.begin()
                self.wfile.write(b'{"kind": "ClusterVersion", "status"')
                self.wfile.flush()
                self.close_connection = True
            case "drip":
                self.begin()
                for _ in range(10_000):
                    self.wfile.write(b" ")
                    self.wfile.flush()
                    time.sleep(fault.seconds)
            case "slow":
                time.sleep(fault.seconds)
                return False
            case "hang":
                self.api.released.wait()
                return False
            case _:
                return False
        return True

    def begin(self) -> None:
        """Promise more than will come."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "10000")
        self.end_headers()

    def review(self, body: dict[str, Any]) -> None:
        wanted = body["spec"].get("resourceAttributes", {})
        allowed = self.api.allows(
            wanted.get("verb", ""),
            wanted.get("group", ""),
            wanted.get("resource", ""),
            wanted.get("namespace") or None,
            wanted.get("name") or None,
        )
        self.answer(201, {**body, "status": {"allowed": allowed}})

    def write(self, request: Request, sent: bytes) -> bool:
        """Apply or delete an object of a kind that can be written; returns whether it is one."""
        kind, namespace, name = _place(self.api, request.path) or ("", None, None)
        if kind not in self.api.writable or name is None:
            return False
        group, _, plural, _ = self.api.served[kind]
        key = (kind, namespace or "", name)
        if self.command == "PATCH" and request.headers["content-type"] == "application/apply-patch+yaml":
            body = yaml.safe_load(sent)
            verbs = {"patch"} | (set() if key in self.api.store else {"create"})
            verbs |= {"delete"} if body["metadata"].get("ownerReferences") else set()
        elif self.command == "DELETE":
            body, verbs = None, {"delete"}
        else:
            return False
        if not all(self.api.allows(verb, group, plural, namespace, name) for verb in verbs):
            self.answer(403, status(403, "Forbidden", f"cannot {' and '.join(sorted(verbs))} {plural}"))
        elif body is not None:
            self.api.store[key] = {**body, "metadata": {**body["metadata"], "namespace": namespace}}
            self.answer(200, body)
        elif self.api.store.pop(key, None) is None:
            self.answer(404, status(404, "NotFound", f'{plural} "{name}" not found'))
        else:
            self.answer(200, {"kind": "Status", "status": "Success"})
        return True

    def resource(self, request: Request, fault: Fault | None) -> None:
        place = _place(self.api, request.path)
        if place is None:
            self.raw(404, b"404 page not found\n", "text/plain")
            return
        kind, namespace, name = place
        group, _version, plural, _ = self.api.served[kind]
        verb = "list" if name is None else "get"
        if not self.api.allows(verb, group, plural, namespace, name):
            self.answer(403, status(403, "Forbidden", f"cannot {verb} {plural}"))
            return
        ignores = fault is not None and fault.kind == "ignores-accept"
        form = "" if ignores else _form(request.accept)
        if name is not None:
            body = self.api.store.get((kind, namespace or "", name))
            if body is None:
                details = {"name": name, "kind": plural, **({"group": group} if group else {})}
                self.answer(404, status(404, "NotFound", f'{plural} "{name}" not found', details))
                return
            self.answer(200, _shaped([_whole(body, kind)], form, {}, single=True))
            return
        self.list(request, fault, kind, namespace, form)

    def list(self, request: Request, fault: Fault | None, kind: str, namespace: str | None, form: str) -> None:
        group, version, _, _ = self.api.served[kind]
        items = [
            _whole(body, kind)
            for (k, ns, _), body in sorted(self.api.store.items(), key=lambda entry: entry[0])
            if k == kind and namespace in (None, ns) and _matches(body, request.query.get("labelSelector", ""))
        ]
        start = int(request.query.get("continue") or 0)
        limit = min(int(request.query.get("limit") or 0) or len(items), self.api.page or len(items) or 1)
        metadata: dict[str, Any] = {"resourceVersion": "1"}
        if limit and start + limit < len(items):
            metadata["continue"] = str(start + limit)
            metadata["remainingItemCount"] = len(items) - start - limit
        page = items[start : start + limit] if limit else items
        if form:
            self.answer(200, _shaped(page, form, metadata, single=False))
            return
        api_version = f"{group}/{version}" if group else version
        bare = [{key: value for key, value in item.items() if key not in {"kind", "apiVersion"}} for item in page]
        self.answer(200, {"kind": f"{kind}List", "apiVersion": api_version, "metadata": metadata, "items": bare})

    def answer(self, code: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        self.raw(code, json.dumps(body).encode(), "application/json", headers)

    def raw(self, code: int, body: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def status(code: int, reason: str, message: str, details: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a Status, as the API answers errors."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "details": details or {},
        "code": code,
    }


def discovery(server: KubernetesServer, path: str, accept: str) -> dict[str, Any] | None:
    """Return a discovery document, None for any other path; aggregated discovery is not offered."""
    groups: dict[str, set[str]] = {"authorization.k8s.io": {"v1"}}
    for group, version, _, _ in server.served.values():
        groups.setdefault(group, set()).add(version)
    if path == "/version":
        return {"major": "1", "minor": "32", "gitVersion": "v1.32.4", "platform": "linux/amd64"}
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
    if path == "/apis":
        listed = [_group(name, versions) for name, versions in sorted(groups.items()) if name]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": listed}
    parts = path.strip("/").split("/")
    if parts[0] == "api" and len(parts) == 2:
        return _resource_list(server, "", parts[1])
    if parts[0] == "apis" and len(parts) == 2 and parts[1] in groups:
        return {"kind": "APIGroup", "apiVersion": "v1", **_group(parts[1], groups[parts[1]])}
    if parts[0] == "apis" and len(parts) == 3 and parts[2] in groups.get(parts[1], ()):
        return _resource_list(server, parts[1], parts[2])
    return None


def _group(name: str, versions: Iterable[str]) -> dict[str, Any]:
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in sorted(versions)]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def _resource_list(server: KubernetesServer, group: str, version: str) -> dict[str, Any]:
    resources: list[dict[str, Any]] = [
        {
            "name": plural,
            "singularName": kind.lower(),
            "namespaced": namespaced,
            "kind": kind,
            "verbs": ["create", "get", "list", "patch"],
        }
        for kind, (g, v, plural, namespaced) in server.served.items()
        if (g, v) == (group, version)
    ]
    if group == "authorization.k8s.io":
        resources.append(
            {
                "name": "selfsubjectaccessreviews",
                "singularName": "",
                "namespaced": False,
                "kind": "SelfSubjectAccessReview",
                "verbs": ["create"],
            }
        )
    name = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": resources}


def _place(server: KubernetesServer, path: str) -> tuple[str, str | None, str | None] | None:
    """Return kind, namespace and name of a resource path."""
    parts = path.strip("/").split("/")
    if parts[0] == "api" and len(parts) >= 3:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) >= 4:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = None
    if rest[0] == "namespaces" and len(rest) >= 3:
        namespace, rest = rest[1], rest[2:]
    for kind, (g, v, plural, _) in server.served.items():
        if (g, v, plural) == (group, version, rest[0]) and len(rest) <= 2:
            return kind, namespace, rest[1] if len(rest) == 2 else None
    return None


def _review_of(sent: bytes) -> dict[str, Any]:
    """Decode the protobuf of a SelfSubjectAccessReview, the form in which kubectl sends it."""
    envelope = _protobuf(sent.removeprefix(b"k8s\x00"))
    spec = _protobuf(_protobuf(envelope[2])[2])
    names = {1: "namespace", 2: "verb", 3: "group", 5: "resource", 7: "name"}
    wanted = _protobuf(spec.get(1, b""))
    attributes = {name: wanted.get(number, b"").decode() for number, name in names.items()}
    head = {"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {}}
    return {**head, "spec": {"resourceAttributes": attributes}}


def _protobuf(data: bytes) -> dict[int, bytes]:
    """Return the length-delimited fields of a message whose keys and lengths fit one byte or two."""
    fields: dict[int, bytes] = {}
    at = 0
    while at < len(data):
        key = data[at]
        length, at = data[at + 1], at + 2
        if key & 7 == 0:
            continue
        if length & 0x80:
            length, at = (length & 0x7F) | data[at] << 7, at + 1
        fields[key >> 3] = data[at : at + length]
        at += length
    return fields


def _form(accept: str) -> str:
    first = accept.partition(",")[0]
    for form in ("PartialObjectMetadataList", "PartialObjectMetadata", "Table"):
        if f"as={form}" in first:
            return form
    return ""


def _shaped(items: list[dict[str, Any]], form: str, metadata: dict[str, Any], *, single: bool) -> dict[str, Any]:
    if not form:
        return items[0]
    if form.startswith("PartialObjectMetadata"):
        partial = [
            {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": item["metadata"]}
            for item in items
        ]
        if single:
            return partial[0]
        head = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1"}
        return {**head, "metadata": metadata, "items": partial}
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": [{"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0}],
        "rows": [
            {
                "cells": [item["metadata"]["name"]],
                "object": {
                    "kind": "PartialObjectMetadata",
                    "apiVersion": "meta.k8s.io/v1",
                    "metadata": item["metadata"],
                },
            }
            for item in items
        ],
    }


def _whole(body: dict[str, Any], kind: str) -> dict[str, Any]:
    group, version, _, _ = RESOURCES[kind]
    managed = [{"manager": "test", "operation": "Update", "apiVersion": "v1", "fieldsV1": {"f:x": {}}}]
    metadata = {"managedFields": managed, **body["metadata"]}
    return {**body, "kind": kind, "apiVersion": f"{group}/{version}" if group else version, "metadata": metadata}


def _matches(body: dict[str, Any], selector: str) -> bool:
    labels = body["metadata"].get("labels", {})
    wanted = [part.partition("=") for part in selector.split(",") if part]
    return all(key in labels and (not value or labels[key] == value) for key, _, value in wanted)


def objects_of(folder: Path) -> list[dict[str, Any]]:
    """Return every object of a small dump in must-gather layout, each once."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for path in sorted(folder.rglob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            items = document.get("items", [document]) if str(document.get("kind", "")).endswith("List") else [document]
            for item in items:
                metadata = item["metadata"]
                found.setdefault((item["kind"], metadata.get("namespace", ""), metadata["name"]), item)
    return list(found.values())
