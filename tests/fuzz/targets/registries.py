"""What other hosts answer, and what names them: references, registries, credentials, mirrors, graphs, signatures."""

from __future__ import annotations

import hashlib
import io
import json
import math
from typing import TYPE_CHECKING, Any

from tests.fuzz import harness
from tests.fuzz.harness import Target
from tests.fuzz.mutation import of_bytes, with_words
from tests.worlds.release_image import build
from upgrade_gate.base.errors import SourceError, UsageError
from upgrade_gate.payloads import graph
from upgrade_gate.payloads.cache import Cache
from upgrade_gate.payloads.image.folder import split_path
from upgrade_gate.payloads.image.release import read_release
from upgrade_gate.payloads.reference import Settings, parse_reference
from upgrade_gate.payloads.registry import mirrors
from upgrade_gate.payloads.registry.credentials import CredentialStore
from upgrade_gate.payloads.registry.image_name import parse_name
from upgrade_gate.payloads.registry.repository import RegistryStore
from upgrade_gate.payloads.registry.tokens import Authorizer, parse_challenges
from upgrade_gate.payloads.signatures.verification import verify
from upgrade_gate.reading.http.client import Transport
from upgrade_gate.reading.http.options import HttpOptions
from upgrade_gate.reading.http.response import Response, retry_after
from upgrade_gate.reading.http.urls import host_of, is_url, joined, shown_url
from upgrade_gate.reading.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

REPOSITORY = "registry.example.com/ocp/release"
LIMITS = Limits(compressed=2**20, unpacked=2**20, file=2**17, entries=500)
DIGEST = "sha256:" + "5e" * 32


def read_reference(data: bytes) -> None:
    """A reference is one of the known forms, and a pullspec that is taken apart is put together again."""
    text = data.decode(errors="surrogateescape")
    parse_reference(text)
    split_path(text)
    name = parse_name(text)
    assert parse_name(str(name)).repository == name.repository
    assert name.version


class FakeTransport(Transport):
    """Answers as the input says: manifest, blobs of a good image, token server."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        super().__init__(HttpOptions())
        self.told = told
        self.image = build("4.15.3", base=200)

    def send(self, method: str, url: str, what: str, **options: Any) -> Response:
        for value in (options.get("headers") or {}).values():
            assert "\n" not in value, "a header that holds a second one"
            assert "\r" not in value, "a header that holds a second one"
        if "/v2/" not in url:
            return self._answer(url, self.told.get("token"), self.told.get("token_status", 200), {}, options)
        if not (options.get("headers") or {}).get("Authorization") and "challenge" in self.told:
            headers = {"www-authenticate": str(self.told["challenge"])}
            return self._answer(url, self.told.get("error"), 401, headers, options)
        if "/manifests/" in url:
            given = self.told.get("headers")
            headers = {str(k): str(v) for k, v in given.items()} if isinstance(given, dict) else {}
            return self._answer(url, self.told.get("manifest"), self.told.get("status", 200), headers, options)
        blob = self.image.blobs.get(url.rpartition("/")[2])
        return self._answer(url, blob or b"", 200 if blob else 404, {}, options)

    def _answer(
        self, url: str, body: Any, status: Any, headers: dict[str, str], options: Mapping[str, Any]
    ) -> Response:
        content = (
            body
            if isinstance(body, bytes)
            else body.encode(errors="replace")
            if isinstance(body, str)
            else json.dumps(body).encode()
        )
        if len(content) > options.get("limit", 2**16):
            raise SourceError(f"{host_of(url)} sends too much")
        algorithm = options.get("algorithm", "sha256")
        digest = f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"
        number = status if isinstance(status, int) and 200 <= status < 500 else 200
        return Response(number, headers, io.BytesIO(content), len(content), digest, host_of(url), redirected=False)


def read_answers(data: bytes) -> None:
    """A registry's answers: manifest or index, status, headers, challenge, token."""
    told = _json(data)
    if not isinstance(told, dict):
        return
    wait = retry_after({"retry-after": str(told.get("retry_after", ""))})
    assert math.isfinite(wait)
    assert wait >= 0
    settings = Settings(limits=LIMITS)
    transport = FakeTransport(told)
    authorizer = Authorizer(transport, CredentialStore(settings), REPOSITORY)
    store = RegistryStore(REPOSITORY, transport, authorizer, Cache(None), settings)
    store.resolve("4.15.3")
    found = read_release(store, "4.15.3", LIMITS)
    assert found.files["release-metadata"]


def read_headers(data: bytes) -> None:
    """Challenges, Retry-After and the addresses of redirects."""
    text = data.decode("latin-1")
    for challenge in parse_challenges(text):
        assert challenge.scheme == challenge.scheme.lower()
    wait = retry_after({"retry-after": text})
    assert math.isfinite(wait)
    assert wait >= 0
    target = joined("https://registry.example.com/v2/x", text)
    if is_url(target):
        assert "@" not in shown_url(target).partition("://")[2].partition("/")[0]


def read_credentials(data: bytes) -> None:
    """A pull secret: no helper may be named, since it would be run."""
    body = _json(data)
    if not isinstance(body, dict) or {"credHelpers", "credsStore"} & set(body):
        return
    path = harness.file("auth.json", data)
    store = CredentialStore(Settings(registry_config=path))
    for repository in (REPOSITORY, "quay.io/x/y", "docker.io/x"):
        found = store.find(repository)
        if found is not None:
            assert "\n" not in found.basic
        store.describe(repository)
    CredentialStore(Settings(pull_secret=data)).find(REPOSITORY)


def read_mirrors(data: bytes) -> None:
    """Mirror policies of a file and of the cluster."""
    path = harness.file("idms.yaml", data)
    body = _json(data)
    objects = tuple(one for one in (body if isinstance(body, list) else [body]) if isinstance(one, dict))
    for settings in (Settings(idms_files=(path,)), Settings(icsp_files=(path,)), Settings(mirror_policies=objects)):
        try:
            rules = mirrors.load_rules(settings)
        except UsageError:
            continue
        for by_digest in (True, False):
            try:
                places = mirrors.locations("quay.io/openshift-release-dev/ocp-release", rules, by_digest=by_digest)
            except (UsageError, SourceError):
                continue
            assert all(place.repository for place in places)


def read_graph(data: bytes) -> None:
    """An update graph: every version has a pullspec, every edge two texts."""
    found = graph.parse_graph(data, "graph", "amd64")
    assert all(isinstance(part, str) and part for pair in found.payloads.items() for part in pair)
    assert all(isinstance(end, str) for edge in found.edges for end in edge)


def read_signatures(data: bytes) -> None:
    """Whatever was signed by nobody who is trusted, or for another release, verifies nothing.

    The first byte says what the rest is: a signature, a key, a document with ConfigMaps.
    """
    which, content = data[:1], data[1:]
    root = harness.folder() / "signatures"
    known = harness.SEEDS / "signatures"
    key, signature = (known / "trusted.key").read_bytes()[1:], (known / "of-another-release").read_bytes()[1:]
    harness.file("signatures/key.asc", content if which == b"K" else key)
    harness.file(f"signatures/{DIGEST.replace(':', '=')}/signature-1", content if which == b"S" else signature)
    harness.file("signatures/more.yaml", content if which == b"D" else b"{}")
    verified, why = verify(DIGEST, Settings(signatures=(root,), offline=True))
    assert not verified, "nobody has signed this release"
    assert why


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _tail(data: bytes, random: Random) -> bytes:
    return data[:1] + of_bytes(data[1:], random)


_HEADERS = (
    'Bearer realm="https://auth.example.com/token",service="r",scope="repository:ocp/release:pull"', "Basic realm=x",
    "docker-content-digest", "content-type", "www-authenticate", "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws", "https://[::1", "http://127.0.0.1:99999",
    "a\r\nb: c", "Wed, 21 Oct 2026 07:28:00 GMT", "sha256:" + "0" * 64, "sha512:" + "0" * 128, "sha256:xyz", 401, 404,
    200, 206,
)  # fmt: skip
TARGETS = (
    Target("references", read_reference, of_bytes),
    Target("registry", read_answers, with_words(*_HEADERS)),
    Target("headers", read_headers, of_bytes),
    Target(
        "credentials",
        read_credentials,
        with_words("auths", "auth", "dXNlcjpwYXNz", "identitytoken", "https://quay.io/v1/"),
    ),
    Target(
        "mirror-policies",
        read_mirrors,
        with_words("*.example.com", "NeverContactSource", "quay.io", "quay.io/", "[::1]:5000"),
    ),
    Target("graphs", read_graph, with_words("nodes", "edges", [0, 1], [0, -1], [True, False])),
    Target("signatures", read_signatures, _tail, memory=128 * 2**20),
)
