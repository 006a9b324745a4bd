"""Release images out of Debian's docker-registry: every way in, every form of image, and how many bytes move."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import zstandard

from tests.worlds import certificates as certificate_files
from tests.worlds import release_image
from tests.worlds.components import require
from tests.worlds.openpgp import gpg, statement
from tests.worlds.registry_server import (
    Meter,
    Registry,
    TokenHandler,
    Tokens,
    free_port,
    nginx,
    registry,
    serve,
    token_settings,
    write_htpasswd,
)
from tests.worlds.release_image import Image, build, build_list, release_files, tar_of
from upgrade_gate.base.errors import ExitCode, SourceError, UsageError
from upgrade_gate.payloads import resolve
from upgrade_gate.payloads.reference import Reference, ReleaseFiles, Settings
from upgrade_gate.payloads.sources import registry as source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.worlds.certificates import Certificates

pytestmark = pytest.mark.registry

REPOSITORY = "ocp/release"
PASSWORD = "s3cret-pa55"
ALLOWANCE = 64 * 2**10
"""Bytes besides the last layers (docs/contract.md#budgets)."""


def fetch(text: str, **settings: Any) -> ReleaseFiles:
    host = text.partition("/")[0]
    options: dict[str, Any] = {"insecure": (host,), "timeout": 30.0, **settings}
    return source.fetch(Reference(text, "registry", text), Settings(**options))


def authfile(folder: Path, host: str, user: str = "alice", password: str = PASSWORD, **more: str) -> Path:
    entry = {"auth": base64.b64encode(f"{user}:{password}".encode()).decode(), **more}
    path = folder / "auth.json"
    path.write_text(json.dumps({"auths": {host: entry}}))
    return path


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry without TLS, open to all."""
    with registry(tmp_path_factory.mktemp("plain")) as running:
        yield running


@pytest.fixture(scope="module")
def image(plain: Registry) -> Image:
    """A release in it under the tag 4.15.3."""
    built = build("4.15.3")
    plain.push(built, REPOSITORY, "4.15.3")
    return built


# --- forms of images ---


def zstd_layer(version: str) -> tuple[bytes, str]:
    packed = zstandard.ZstdCompressor().compress(tar_of(release_files(version)))
    return packed, f"{release_image.OCI_LAYER}+zstd"


def forms() -> dict[str, Image]:
    """Return images of every form that registries hold."""
    single, oci = build("4.15.3"), build("4.15.3", oci=True)
    other = build("4.15.3", files={**release_files("4.15.3"), "arm64.yaml": b"kind: A\napiVersion: v1\n"})
    last = release_files("4.15.3", {"0000_99_upper.yaml": b"apiVersion: v1\nkind: A\nmetadata: {name: a}\n"})
    upper = {name: last.pop(name) for name in ("0000_99_upper.yaml",)}
    lower = [(gzip.compress(tar_of(last), mtime=0), release_image.DOCKER_LAYER)]
    return {
        "schema2": single,
        "oci": oci,
        "list": build_list({"arm64": other, "amd64": single}),
        "index": build_list({"arm64": other, "amd64": oci}, oci=True),
        "list without amd64": build_list({"s390x": single, "ppc64le": other}),
        "zstd": build("4.15.3", layer=zstd_layer("4.15.3"), oci=True),
        "plain tar": build("4.15.3", layer=(tar_of(release_files("4.15.3")), release_image.OCI_LAYER), oci=True),
        "metadata below the last layer": build("4.15.3", files=upper, lower=lower),
    }


@pytest.mark.parametrize("name", list(forms()))
def test_every_form_of_image_gives_the_release(name: str, plain: Registry) -> None:
    built = forms()[name]
    tag = name.replace(" ", "-")
    by_digest = plain.push(built, REPOSITORY, tag)
    expected = release_files("4.15.3")

    for text in (f"{plain.host}/{REPOSITORY}:{tag}", by_digest, f"{plain.host}/{REPOSITORY}:{tag}@{built.digest}"):
        release = fetch(text)

        assert {n: c for n, c in release.files.items() if n in expected} == expected
        assert "arm64.yaml" not in release.files
        assert release.digest == built.digest
        assert release.pullspec == by_digest
        assert release.reference == text


def test_skopeo_copies_the_same_bytes(plain: Registry, image: Image, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    subprocess.run(
        [
            require("skopeo"), "copy", "--insecure-policy", "--src-tls-verify=false", "--quiet",
            f"docker://{plain.host}/{REPOSITORY}@{image.digest}", f"dir:{target}",
        ],
        check=True,
        timeout=120,
    )  # fmt: skip
    cache = tmp_path / "cache"

    fetch(f"{plain.host}/{REPOSITORY}@{image.digest}", cache_dir=cache)

    ours = [p for p in (cache / "blobs").rglob("*") if p.is_file()]
    assert [p.name for p in ours] == [image.last_layer.removeprefix("sha256:")]
    assert ours[0].read_bytes() == (target / ours[0].name).read_bytes()
    (manifest,) = (p for p in (cache / "manifests").rglob("*") if p.is_file())
    assert manifest.read_bytes().partition(b"\n")[2] == (target / "manifest.json").read_bytes()


# --- TLS ---


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[Registry]:
    """A registry with TLS under an authority of our own, with one release."""
    with registry(tmp_path_factory.mktemp("secure"), certificates=certificates) as running:
        running.push(build("4.15.3"), REPOSITORY, "4.15.3")
        yield running


VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.mark.parametrize("content", ["garbage", "another authority", "missing file"])
def test_users_authority_works_whatever_the_environment_names(
    content: str, secure: Registry, certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "bundle.pem"
    if content == "garbage":
        bundle.write_text("no certificate at all\n")
    elif content == "another authority":
        bundle.write_bytes(certificate_files.make(tmp_path).authority.read_bytes())
    for name in VARIABLES:
        monkeypatch.setenv(name, str(bundle))

    release = fetch(f"{secure.host}/{REPOSITORY}:4.15.3", insecure=(), certificate_authority=certificates.authority)

    assert dict(release.files) == release_files("4.15.3")


@pytest.mark.parametrize("name", VARIABLES[:3])
def test_authority_of_the_environment_is_honoured(
    name: str, secure: Registry, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in VARIABLES:
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(name, str(certificates.authority))

    assert fetch(f"{secure.host}/{REPOSITORY}:4.15.3", insecure=()).files


def test_garbage_in_the_environment_is_told_by_its_variable(
    secure: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bundle.pem").write_text("no certificate at all\n")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "bundle.pem"))

    with pytest.raises(UsageError, match=r"REQUESTS_CA_BUNDLE names .*bundle\.pem"):
        fetch(f"{secure.host}/{REPOSITORY}:4.15.3", insecure=())


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_authority_that_cannot_be_used_is_a_usage_error(content: str | None, secure: Registry, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)

    with pytest.raises(UsageError, match=r"--certificate-authority .*ca\.pem cannot be used"):
        fetch(f"{secure.host}/{REPOSITORY}:4.15.3", insecure=(), certificate_authority=path)


def test_folder_of_authorities(secure: Registry, certificates: Certificates, tmp_path: Path) -> None:
    folder = tmp_path / "certs.d"
    folder.mkdir()
    with pytest.raises(UsageError, match="holds no"):
        fetch(f"{secure.host}/{REPOSITORY}:4.15.3", insecure=(), certificate_authority=folder)
    (folder / "ca.crt").write_bytes(certificates.authority.read_bytes())

    assert fetch(f"{secure.host}/{REPOSITORY}:4.15.3", insecure=(), certificate_authority=folder).files


def test_unknown_authority_is_refused_with_the_next_step(secure: Registry) -> None:
    with pytest.raises(SourceError, match="is not trusted") as caught:
        fetch(f"{secure.host}/{REPOSITORY}:4.15.3", insecure=())

    assert "--certificate-authority" in str(caught.value)
    assert caught.value.exit_code == ExitCode.UNDETERMINED


def test_insecure_is_for_the_named_host_only(secure: Registry, tmp_path: Path, certificates: Certificates) -> None:
    with registry(tmp_path / "other", certificates=certificates) as other:
        other.push(build("4.15.3"), REPOSITORY, "4.15.3")

        assert fetch(f"{other.host}/{REPOSITORY}:4.15.3", insecure=(other.host,)).files
        with pytest.raises(SourceError, match="is not trusted"):
            fetch(f"{other.host}/{REPOSITORY}:4.15.3", insecure=(secure.host,))
        assert fetch(f"{other.host}/{REPOSITORY}:4.15.3", insecure=("127.0.0.1",)).files


# --- basic auth ---


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[Registry]:
    """A registry with TLS and a password."""
    folder = tmp_path_factory.mktemp("guarded")
    file = write_htpasswd(folder / "htpasswd", "alice", PASSWORD)
    basic = base64.b64encode(f"alice:{PASSWORD}".encode()).decode()
    with registry(folder, certificates=certificates, htpasswd=file) as running:
        running.push(build("4.15.3"), REPOSITORY, "4.15.3", {"Authorization": f"Basic {basic}"})
        yield running


def test_password_of_the_registry_configuration(guarded: Registry, certificates: Certificates, tmp_path: Path) -> None:
    options = {"insecure": (), "certificate_authority": certificates.authority}
    config = authfile(tmp_path, guarded.host)

    assert fetch(f"{guarded.host}/{REPOSITORY}:4.15.3", registry_config=config, **options).files


def test_credential_helper(guarded: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper = tmp_path / "docker-credential-vault"
    helper.write_text(f"""#!/bin/sh\nprintf '{{"Username":"alice","Secret":"{PASSWORD}"}}'\n""")
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"credHelpers": {guarded.host: "vault"}}))

    assert fetch(f"{guarded.host}/{REPOSITORY}:4.15.3", registry_config=config).files


def test_wrong_password_names_file_and_user_but_no_secret(guarded: Registry, tmp_path: Path) -> None:
    config = authfile(tmp_path, guarded.host, password="wr0ng-pa55")

    with pytest.raises(SourceError, match=r"refuses access \(401\)") as caught:
        fetch(f"{guarded.host}/{REPOSITORY}:4.15.3", registry_config=config)

    assert caught.value.exit_code == ExitCode.UNDETERMINED
    assert f"auth.json, entry {guarded.host} (user alice)" in str(caught.value)
    assert "wr0ng-pa55" not in str(caught.value)


def test_no_credentials_says_where_they_were_looked_for(guarded: Registry, tmp_path: Path) -> None:
    config = authfile(tmp_path, "elsewhere.example")

    with pytest.raises(SourceError, match=r"wants a login \(401\)") as caught:
        fetch(f"{guarded.host}/{REPOSITORY}:4.15.3", registry_config=config)

    assert "no credentials for it in" in str(caught.value)
    assert "--registry-config" in str(caught.value)


# --- bearer tokens ---


@dataclass
class Guarded:
    """A registry that sends its users to a token server."""

    registry: Registry
    tokens: Tokens
    realm: str


@pytest.fixture(scope="module")
def token_signer(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Certificate and key of a token server."""
    return certificate_files.make_token_signer(tmp_path_factory.mktemp("signer"))


@pytest.fixture
def with_tokens(tmp_path: Path, token_signer: tuple[Path, Path], certificates: Certificates) -> Iterator[Guarded]:
    """A registry with a token server, holding one release."""
    tokens = Tokens(*token_signer)
    with serve(TokenHandler, tokens, certificates) as realm:
        auth = token_settings(f"https://{realm}/token", tokens)
        with registry(tmp_path / "tokens", token=auth, certificates=certificates) as running:
            scope = [f"repository:{REPOSITORY}:pull,push"]
            push = tokens.issue(scope, "test")["token"]
            running.push(build("4.15.3"), REPOSITORY, "4.15.3", {"Authorization": f"Bearer {push}"})
            yield Guarded(running, tokens, realm)


def pull(guarded: Guarded, certificates: Certificates, **settings: Any) -> ReleaseFiles:
    options = {"insecure": (), "certificate_authority": certificates.authority, **settings}
    return fetch(f"{guarded.registry.host}/{REPOSITORY}:4.15.3", **options)


def test_anonymous_token(with_tokens: Guarded, certificates: Certificates) -> None:
    assert pull(with_tokens, certificates).files
    assert with_tokens.tokens.asked == [{"method": "GET", "user": "", "scope": f"repository:{REPOSITORY}:pull"}]


def test_token_for_a_user(with_tokens: Guarded, certificates: Certificates, tmp_path: Path) -> None:
    with_tokens.tokens.users["alice"] = PASSWORD

    assert pull(with_tokens, certificates, registry_config=authfile(tmp_path, with_tokens.registry.host)).files
    assert [asked["user"] for asked in with_tokens.tokens.asked] == ["alice"]


def test_token_for_an_identity_token(with_tokens: Guarded, certificates: Certificates, tmp_path: Path) -> None:
    with_tokens.tokens.refresh_tokens.add("refresh-me")
    config = authfile(tmp_path, with_tokens.registry.host, "", "", identitytoken="refresh-me")

    assert pull(with_tokens, certificates, registry_config=config).files
    assert [asked["method"] for asked in with_tokens.tokens.asked] == ["POST"]


def test_token_under_its_other_name(with_tokens: Guarded, certificates: Certificates) -> None:
    with_tokens.tokens.key_name = "access_token"

    assert pull(with_tokens, certificates).files


def test_token_that_is_about_to_end_is_renewed_before_it_is_refused(
    with_tokens: Guarded, certificates: Certificates
) -> None:
    from upgrade_gate.payloads.registry.credentials import CredentialStore
    from upgrade_gate.payloads.registry.tokens import Authorizer
    from upgrade_gate.reading.http.client import Transport

    with_tokens.tokens.expires_in = 1
    settings = Settings(certificate_authority=certificates.authority)
    repository = f"{with_tokens.registry.host}/{REPOSITORY}"
    challenge = f'Bearer realm="https://{with_tokens.realm}/token",service="test",scope="repository:{REPOSITORY}:pull"'
    with Transport(settings) as transport:
        authorizer = Authorizer(transport, CredentialStore(settings), repository)
        first = authorizer.answer(challenge, None)
        headers = {authorizer.header()}
        while headers == {first}:
            headers = {authorizer.header()}

    assert len(with_tokens.tokens.asked) == 2


def test_expired_token_is_refused_with_a_message(with_tokens: Guarded, certificates: Certificates) -> None:
    with_tokens.tokens.life = -3600

    with pytest.raises(SourceError, match=r"refuses access \(401\)"):
        pull(with_tokens, certificates)


def test_token_that_ends_in_mid_pull_is_replaced(with_tokens: Guarded, certificates: Certificates) -> None:
    """The first token is dead already though the server announces a minute: the registry says 401, a new one works."""
    tokens = with_tokens.tokens
    issue = tokens.issue

    def first_dead(scopes: list[str], service: str) -> dict[str, Any]:
        tokens.life = -3600 if len(tokens.asked) == 1 else None
        return issue(scopes, service)

    tokens.issue = first_dead  # type: ignore[method-assign]

    assert pull(with_tokens, certificates).files
    assert len(tokens.asked) == 2


def test_token_server_that_refuses_is_named_without_the_secret(
    with_tokens: Guarded, certificates: Certificates, tmp_path: Path
) -> None:
    with_tokens.tokens.users["alice"] = "other"

    with pytest.raises(SourceError, match=r"token server .* refuses a token .*: 401 \(UNAUTHORIZED") as caught:
        pull(with_tokens, certificates, registry_config=authfile(tmp_path, with_tokens.registry.host))

    assert "entry" in str(caught.value)
    assert PASSWORD not in str(caught.value)


def test_password_is_never_sent_to_a_token_server_over_plain_http(
    tmp_path: Path, token_signer: tuple[Path, Path], certificates: Certificates
) -> None:
    tokens = Tokens(*token_signer, users={"alice": PASSWORD})
    with serve(TokenHandler, tokens) as realm:
        auth = token_settings(f"http://{realm}/token", tokens)
        with (
            registry(tmp_path / "r", token=auth, certificates=certificates) as running,
            pytest.raises(SourceError, match="would be reached over plain http"),
        ):
            fetch(f"{running.host}/{REPOSITORY}:4.15.3", registry_config=authfile(tmp_path, running.host))
    assert tokens.asked == []


# --- redirects ---


@pytest.fixture(scope="module")
def front(
    tmp_path_factory: pytest.TempPathFactory, guarded: Registry, certificates: Certificates
) -> Iterator[tuple[str, str]]:
    """An nginx before the guarded registry that sends blobs to another host, which refuses Authorization."""
    here, there = free_port(), free_port()
    tls = f"ssl_certificate {certificates.certificate}; ssl_certificate_key {certificates.key};"
    location = r"~ ^/v2/.+/blobs/sha256:(?<h>(?<p>[0-9a-f][0-9a-f])[0-9a-f]+)$"
    servers = f"""
  server {{ listen 127.0.0.1:{here} ssl; {tls}
    location {location} {{ return 307 https://localhost:{there}/blobs/sha256/$p/$h/data?X-Signature=hunter2; }}
    location / {{ proxy_pass https://{guarded.host}; proxy_set_header Host $http_host; }}
  }}
  server {{ listen 127.0.0.1:{there} ssl; {tls}
    root {guarded.root}/docker/registry/v2;
    if ($http_authorization) {{ return 400; }}
  }}
"""
    with nginx(tmp_path_factory.mktemp("nginx"), servers, f"127.0.0.1:{here}"):
        yield f"127.0.0.1:{here}", f"localhost:{there}"


def test_redirect_to_another_host_carries_no_authorization(
    front: tuple[str, str], certificates: Certificates, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    host, target = front
    config = authfile(tmp_path, host)

    release = fetch(
        f"{host}/{REPOSITORY}:4.15.3",
        insecure=(),
        certificate_authority=certificates.authority,
        registry_config=config,
    )

    assert dict(release.files) == release_files("4.15.3")
    ours = "\n".join(r.getMessage() for r in caplog.records if r.name.startswith("upgrade_gate"))
    assert f"{host} redirects to {target}" in ours
    assert "hunter2" not in ours


def test_host_of_the_redirect_is_verified_even_where_the_registry_is_not(
    front: tuple[str, str], tmp_path: Path
) -> None:
    host, target = front

    with pytest.raises(SourceError, match=f"certificate of {target} is not trusted"):
        fetch(f"{host}/{REPOSITORY}:4.15.3", registry_config=authfile(tmp_path, host))


# --- mirrors ---


def idms(folder: Path, source_name: str, *mirrors: str, policy: str = "AllowContactingSource") -> Path:
    entry = {"source": source_name, "mirrors": list(mirrors), "mirrorSourcePolicy": policy}
    document = {
        "apiVersion": "config.openshift.io/v1",
        "kind": "ImageDigestMirrorSet",
        "metadata": {"name": "mirrors"},
        "spec": {"imageDigestMirrors": [entry]},
    }
    path = folder / "idms.yaml"
    path.write_text(json.dumps(document))
    return path


def test_mirror_answers_for_a_source_that_cannot_be_reached(plain: Registry, image: Image, tmp_path: Path) -> None:
    file = idms(tmp_path, "quay.invalid/openshift", f"{plain.host}/ocp", policy="NeverContactSource")
    text = f"quay.invalid/openshift/release@{image.digest}"

    release = fetch(text, insecure=(plain.host,), idms_files=(file,))

    assert dict(release.files) == release_files("4.15.3")
    assert release.pullspec == text


def test_pull_through_registry_gives_the_same_release(plain: Registry, image: Image, tmp_path: Path) -> None:
    with registry(tmp_path / "proxy", upstream=f"http://{plain.host}") as through:
        direct = fetch(f"{plain.host}/{REPOSITORY}@{image.digest}")
        file = idms(tmp_path, plain.host, through.host, policy="NeverContactSource")
        mirrored = fetch(direct.reference, insecure=(through.host,), idms_files=(file,))

    assert mirrored == direct


def test_mirror_that_lacks_the_release_is_passed_over(
    plain: Registry, image: Image, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with registry(tmp_path / "empty") as empty:
        file = idms(tmp_path, f"{plain.host}/{REPOSITORY}", f"{empty.host}/nothing")
        release = fetch(
            f"{plain.host}/{REPOSITORY}@{image.digest}", insecure=(plain.host, empty.host), idms_files=(file,)
        )

    assert release.digest == image.digest
    assert f"{empty.host}/nothing" in caplog.text


def test_mirror_that_lies_is_passed_over(plain: Registry, image: Image, tmp_path: Path) -> None:
    with registry(tmp_path / "lying") as lying:
        lying.push(image, REPOSITORY, "x")
        blob = lying.blob_file(image.last_layer)
        blob.write_bytes(b"\0" + blob.read_bytes()[1:])
        file = idms(tmp_path, f"{plain.host}/{REPOSITORY}", f"{lying.host}/{REPOSITORY}")
        release = fetch(
            f"{plain.host}/{REPOSITORY}@{image.digest}", insecure=(plain.host, lying.host), idms_files=(file,)
        )

    assert dict(release.files) == release_files("4.15.3")


def test_release_in_no_place_tells_of_every_place(plain: Registry, image: Image, tmp_path: Path) -> None:
    missing = release_image.digest_of(b"missing")
    file = idms(tmp_path, f"{plain.host}/{REPOSITORY}", f"{plain.host}/one", f"{plain.host}/two")

    with pytest.raises(SourceError, match="any of 3 places") as caught:
        fetch(f"{plain.host}/{REPOSITORY}@{missing}", idms_files=(file,))

    assert all(f"{plain.host}/{name}@{missing}" in caught.value.message for name in ("one", "two", REPOSITORY))


# --- bytes that move, cache ---


def test_only_the_last_layers_move_and_a_second_run_moves_nothing(plain: Registry, tmp_path: Path) -> None:
    base = 170_000_000
    old, new = build("4.15.3", base=base), build("4.16.0", base=base)
    for tag, built in (("old", old), ("new", new)):
        plain.push(built, "big/release", tag)
    size = sum(len(built.blobs[built.last_layer]) for built in (old, new))
    cache = tmp_path / "cache"
    with Meter(plain.host) as meter:
        settings = Settings(insecure=(meter.host,), cache_dir=cache, timeout=60)
        texts = [f"{meter.host}/big/release@{built.digest}" for built in (old, new)]

        with ThreadPoolExecutor(2) as pool:
            first = list(pool.map(lambda text: resolve.read(text, settings), texts))
        moved = meter.received
        meter.reset()
        with ThreadPoolExecutor(2) as pool:
            second = list(pool.map(lambda text: resolve.read(text, settings), texts))

        assert [payload.version for payload in first] == ["4.15.3", "4.16.0"]
        assert second == first
        assert moved <= size + ALLOWANCE
        assert (meter.received, meter.sent) == (0, 0)


def test_tag_costs_one_answer_without_a_body_when_the_payload_is_kept(
    plain: Registry, image: Image, tmp_path: Path
) -> None:
    with Meter(plain.host) as meter:
        settings = Settings(insecure=(meter.host,), cache_dir=tmp_path, timeout=60)
        text = f"{meter.host}/{REPOSITORY}:4.15.3"
        first = resolve.read(text, settings)
        meter.reset()

        assert resolve.read(text, settings) == first
        assert 0 < meter.received < 2000


def test_damaged_entries_are_fetched_again_with_a_word(
    plain: Registry, image: Image, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = f"{plain.host}/{REPOSITORY}@{image.digest}"
    settings = Settings(insecure=(plain.host,), cache_dir=tmp_path, timeout=60)
    first = resolve.read(text, settings)
    kept = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert len(kept) == 3  # index, manifest, layer
    for path in kept:
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))

    assert resolve.read(text, settings) == first
    assert caplog.text.count("is damaged: removed, fetching again") == 3
    assert fetch(text, cache_dir=tmp_path).files == fetch(text).files


def test_offline_reads_what_is_kept_and_refuses_the_rest(plain: Registry, image: Image, tmp_path: Path) -> None:
    text = f"{plain.host}/{REPOSITORY}@{image.digest}"
    kept = fetch(text, cache_dir=tmp_path)

    assert fetch(text, cache_dir=tmp_path, offline=True).files == kept.files
    for missing in (text.replace(image.digest, release_image.digest_of(b"x")), f"{plain.host}/{REPOSITORY}:4.15.3"):
        with pytest.raises(UsageError, match="--offline") as caught:
            fetch(missing, cache_dir=tmp_path, offline=True)
        assert "dir:PATH" in str(caught.value)
    with pytest.raises(UsageError, match="--offline"):
        fetch(text, offline=True)


def test_many_fetches_at_once(plain: Registry, image: Image, tmp_path: Path) -> None:
    text = f"{plain.host}/{REPOSITORY}@{image.digest}"

    with ThreadPoolExecutor(8) as pool:
        fetched = list(pool.map(lambda _: fetch(text, cache_dir=tmp_path).files, range(16)))

    assert all(files == release_files("4.15.3") for files in fetched)


# --- proxies, what -v shows, progress ---


def test_v_shows_host_authority_and_requests_without_secrets(
    with_tokens: Guarded, certificates: Certificates, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="upgrade_gate")
    with_tokens.tokens.users["alice"] = PASSWORD
    host = with_tokens.registry.host

    pull(with_tokens, certificates, registry_config=authfile(tmp_path, host))

    assert f"host {host}: proxy none, certificate authorities {certificates.authority}" in caplog.text
    assert f"GET https://{host}/v2/{REPOSITORY}/manifests/4.15.3: 200" in caplog.text
    assert f"token for {host}/{REPOSITORY} from https://{with_tokens.realm}/token" in caplog.text
    ours = "\n".join(r.getMessage() for r in caplog.records if r.name.startswith("upgrade_gate"))
    for secret in (PASSWORD, base64.b64encode(f"alice:{PASSWORD}".encode()).decode(), "eyJ", "scope=", "?"):
        assert secret not in ours


def test_progress_is_shown_only_where_it_is_asked_for(
    plain: Registry, image: Image, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    text = f"{plain.host}/{REPOSITORY}@{image.digest}"

    fetch(text)
    silent = capsys.readouterr()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: fetch(text, progress=True), range(2)))
    shown = capsys.readouterr()

    assert (silent.out, silent.err) == ("", "")
    assert shown.out == ""
    assert plain.host in shown.err


def test_hash_of_the_layer_is_that_of_the_registry(plain: Registry, image: Image) -> None:
    stored = plain.blob_file(image.last_layer).read_bytes()

    assert f"sha256:{hashlib.sha256(stored).hexdigest()}" == image.last_layer


# --- signatures ---


def test_list_is_verified_by_the_digest_of_the_list(plain: Registry, tmp_path: Path) -> None:
    single = build("4.15.3")
    built = build_list({"amd64": single})
    plain.push(built, REPOSITORY, "signed")
    with gpg() as home:
        key = home.new_key("red")
        (tmp_path / "red.asc").write_bytes(home.export(key))
        folders = {}
        for name, digest in (("list", built.digest), ("image", single.digest)):
            folders[name] = tmp_path / name / digest.replace(":", "=")
            folders[name].mkdir(parents=True)
            (folders[name] / "signature-1").write_bytes(home.sign(statement(digest), key))
    text = f"{plain.host}/{REPOSITORY}:signed"

    by_list = fetch(text, signatures=(tmp_path / "red.asc", tmp_path / "list"))
    by_image = fetch(text, signatures=(tmp_path / "red.asc", tmp_path / "image"))

    assert (by_list.verified, by_image.verified) == (True, False)
    assert "red@example.com" in by_list.verification
    assert by_list.digest == built.digest


def test_copy_in_a_layout_is_verified_by_the_same_signature(plain: Registry, tmp_path: Path) -> None:
    built = build("4.15.3", oci=True)
    plain.push(built, "forms/release", "oci")
    (tmp_path / "signatures").mkdir()
    with gpg() as home:
        key = home.new_key("red")
        (tmp_path / "signatures" / "red.asc").write_bytes(home.export(key))
        name = f"{built.digest.replace(':', '-')}-1"
        (tmp_path / "signatures" / name).write_bytes(home.sign(statement(built.digest), key))
    settings = Settings(signatures=(tmp_path / "signatures",))

    for kind in ("oci", "oci-archive"):
        payload = resolve.read(copied(plain, "oci", kind, tmp_path / kind), settings)

        assert payload.verified, payload.verification
        assert payload.digest == built.digest


# --- the whole process ---


def check(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "upgrade_gate", "check", "--no-cluster", "--platform", "AWS", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_exit_codes_of_the_whole_process(plain: Registry, tmp_path: Path) -> None:
    old, new = build("4.15.3"), build("4.15.4")
    broken = build("4.15.5")
    places = {tag: plain.push(each, "exit/release", tag) for tag, each in (("old", old), ("new", new), ("bad", broken))}
    blob = plain.blob_file(broken.last_layer)
    blob.write_bytes(b"\0" + blob.read_bytes()[1:])
    shared = ("--from", places["old"], "--insecure", plain.host, "--no-cache")

    passed = check(*shared, "--to", places["new"], "-o", "json")
    changed = check(*shared, "--to", places["bad"])
    missing = check(*shared, "--to", f"{plain.host}/exit/release:9.9.9")
    offline = check(*shared, "--to", places["new"], "--offline")
    unnamed = check("--from", places["old"], "--to", places["new"], "--no-cache")
    version = check(*shared, "--to", "4.15.4", "--offline")

    assert passed.returncode == 0, passed.stderr
    assert json.loads(passed.stdout)["verdict"]["status"] == "pass"
    assert changed.returncode == 4
    assert "another digest" in changed.stdout + changed.stderr
    assert missing.returncode == 2
    assert "9.9.9 does not exist" in missing.stderr
    assert offline.returncode == 2
    assert "--offline" in offline.stderr
    assert unnamed.returncode == 4
    assert version.returncode == 2
    assert "--graph FILE" in version.stderr
    for done in (changed, missing, offline, unnamed, version):
        assert "no verdict was reached" in done.stderr.splitlines()[0]


def test_second_run_of_the_whole_process_needs_no_network(plain: Registry, tmp_path: Path) -> None:
    with registry(tmp_path / "short") as running:
        texts = [running.push(build(version), "two/release", version) for version in ("4.15.3", "4.15.4")]
        shared = ("--from", texts[0], "--to", texts[1], "--insecure", running.host, "-o", "json")
        first = check(*shared, "--cache-dir", tmp_path / "cache")
    second = check(*shared, "--cache-dir", tmp_path / "cache")

    assert first.returncode == 0, first.stderr
    assert without_time(second.stdout) == without_time(first.stdout)
    assert second.returncode == 0, second.stderr


def without_time(text: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text)
    document.pop("generated")
    return document


# --- the same release in every form ---


def copied(plain: Registry, tag: str, kind: str, path: Path) -> str:
    """Copy a release out of the registry with skopeo, and return the reference to the copy."""
    origin = f"docker://{plain.host}/forms/release:{tag}"
    target = f"{kind}:{path}:release:{tag}" if kind == "docker-archive" else f"{kind}:{path}:{tag}"
    command = ["copy", "--insecure-policy", "--src-tls-verify=false", "--quiet", origin, target]
    subprocess.run([str(require("skopeo")), *command], check=True, timeout=120)
    return f"oci:{path}" if kind == "oci" else f"archive:{path}"


def mirrored(folder: Path, built: Image, tag: str) -> str:
    """Write what `oc adm release mirror --to-dir` writes: blobs, and manifests by digest with a link for the tag."""
    repository = folder / "v2" / "openshift" / "release"
    for name in ("blobs", "manifests"):
        (repository / name).mkdir(parents=True)
    for digest, data in built.blobs.items():
        (repository / "blobs" / digest).write_bytes(data)
    (repository / "manifests" / built.digest).write_bytes(built.manifest)
    (repository / "manifests" / tag).symlink_to(built.digest)
    return f"mirror:{folder}:{tag}"


def test_every_form_gives_the_same_report(plain: Registry, tmp_path: Path) -> None:
    added = release_files("4.15.4")
    added["0000_50_storage_03_request.yaml"] = added["0000_50_storage_03_request.yaml"].replace(
        b"'ec2:DescribeVolumes'", b"'ec2:DescribeVolumes', 'ec2:ModifyVolume'"
    )
    built = {"old": build("4.15.3"), "new": build("4.15.4", files=added)}
    for tag, each in built.items():
        plain.push(each, "forms/release", tag)
    with registry(tmp_path / "through", upstream=f"http://{plain.host}") as through:
        forms: dict[str, tuple[str, ...]] = {"registry": tuple(f"{plain.host}/forms/release:{tag}" for tag in built)}
        forms["pull-through"] = tuple(f"{through.host}/forms/release:{tag}" for tag in built)
        for kind in ("docker-archive", "oci-archive", "oci"):
            forms[kind] = tuple(copied(plain, tag, kind, tmp_path / f"{kind}-{tag}") for tag in built)
        forms["mirror"] = tuple(mirrored(tmp_path / f"mirror-{tag}", each, tag) for tag, each in built.items())
        reports = {}
        for form, (old, new) in forms.items():
            done = check("--from", old, "--to", new, "--insecure", "127.0.0.1", "--no-cache", "-o", "json")
            assert done.returncode == ExitCode.BLOCKED, f"{form}: {done.stderr}"
            reports[form] = judgement(json.loads(done.stdout))

    assert reports["registry"]["permissions"] == ["ec2:ModifyVolume"]
    for form, report in reports.items():
        assert report == reports["registry"], form


def judgement(report: dict[str, Any]) -> dict[str, Any]:
    """Return what a report says, without where the release came from."""
    grants = [grant["permission"] for change in report["changes"] for grant in change["permissions"]["added"]]
    return {
        "permissions": grants,
        "changes": report["changes"],
        "requests": report["requests"],
        "selection": report["selection"],
        "versions": [(hop["from"]["version"], hop["to"]["version"]) for hop in report["hops"]],
        "findings": [(f["rule"], f["fingerprint"], f["severity"]) for f in report["findings"]],
        "verdict": (report["verdict"]["status"], report["verdict"]["counts"]),
    }
