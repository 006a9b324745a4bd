"""Registry credentials: which files are read, in which order, and which of their entries answers for a repository.

The rules are those of `oc` (docs/facts/releases.md#registry-credentials): a file named by `--registry-config` or
REGISTRY_AUTH_FILE stands alone; otherwise the files of podman and docker are looked through together, the most specific
key wins, and among equal keys the earlier file. Passwords and tokens live only in a `Credential`, whose repr does not
show them.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import os
import re
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upgrade_gate.base.errors import UsageError
from upgrade_gate.payloads.registry.image_name import DOCKER_HUB
from upgrade_gate.reading.files import read_file

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from upgrade_gate.payloads.reference import Settings

_logger = logging.getLogger(__name__)

MAX_FILE = 4 * 2**20
HELPER_SECONDS = 30.0
HELPER_NAME = re.compile(r"[A-Za-z0-9._-]+")
HELPER_FOUND_NOTHING = "credentials not found"
TOKEN_USER = "<token>"  # noqa: S105 - the user name by which a helper says that its secret is an identity token
DOCKER_HUB_KEY = "https://index.docker.io/v1/"


@dataclass(frozen=True, slots=True)
class Credential:
    """What a registry may be told about the user, and which file and entry said so."""

    source: str
    """`~/.docker/config.json, entry quay.io`: for messages."""
    username: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    """An OAuth2 refresh token, sent to the token server only."""
    registry_token: str = field(default="", repr=False)
    """A bearer token for the registry itself."""

    @property
    def basic(self) -> str:
        """The value of a basic Authorization header; a secret."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()


@dataclass(frozen=True, slots=True)
class _File:
    """One credential file, parsed as far as it is needed."""

    name: str
    auths: Mapping[str, Any] = field(repr=False)
    helpers: Mapping[str, str] = field(default_factory=dict)
    default_helper: str = ""


class CredentialStore:
    """The credentials of one run: files are read at the first question, every answer is kept."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._files: tuple[_File, ...] | None = None
        self._answers: dict[str, Credential | None] = {}
        self._remarks: list[str] = []

    def find(self, repository: str) -> Credential | None:
        """Return the credential for `host[:port]/path`, None where no file has one.

        Raises UsageError where a file that was named does not exist or cannot be understood.
        """
        with self._lock:
            if repository not in self._answers:
                self._answers[repository] = self._find(repository)
            return self._answers[repository]

    def describe(self, repository: str) -> str:
        """Say where the credential for a repository came from, or where it was looked for; for error hints."""
        found = self.find(repository)
        if found is not None:
            who = f" (user {found.username})" if found.username else ""
            return f"credentials came from {found.source}{who}"
        names = [each.name for each in self._loaded()]
        looked = f"no credentials for it in {', '.join(names)}" if names else "no credential file was found"
        return "; ".join([looked, *self._remarks])

    def _loaded(self) -> tuple[_File, ...]:
        if self._files is None:
            self._files = tuple(_load(self._settings, self._remarks))
        return self._files

    def _find(self, repository: str) -> Credential | None:
        first = self._files is None
        files = self._loaded()
        host = repository.partition("/")[0]
        if first:
            self._tell_unreadable(files, {*_keys(repository), _normal_host(host)})
        for key in _keys(repository):
            for each in files:
                found = self._ask(each, each.helpers.get(key), key) or _entry(each, key)
                if found is not None:
                    return found
        for each in files:
            found = self._ask(each, each.default_helper, DOCKER_HUB_KEY if host in DOCKER_HUB else host)
            if found is not None:
                return found
        for each in files:
            for key in each.auths:
                if _normal_key(key) == _normal_host(host):
                    found = _entry(each, key)
                    if found is not None:
                        return found
        return None

    def _tell_unreadable(self, files: Iterable[_File], asked: Collection[str]) -> None:
        """Say which entries cannot be read: they stop only what asks for their registry."""
        for each in files:
            for key in each.auths:
                try:
                    _entry(each, key)
                except UsageError as exc:
                    if key not in asked and _normal_key(key) not in asked:
                        _logger.warning("%s; it is passed over", exc.message)

    def _ask(self, file: _File, helper: str | None, server: str) -> Credential | None:
        if not helper:
            return None
        try:
            return _ask_helper(file, helper, server)
        except _HelperError as exc:
            _logger.warning("%s", exc)
            self._remarks.append(str(exc))
            return None


class _HelperError(Exception):
    """A credential helper gave no answer; the text names helper and file, never what the helper printed on stdout."""


def _keys(repository: str) -> Iterator[str]:
    """Yield the repository path, each parent, then the host with its port."""
    key = repository
    while True:
        yield key
        if "/" not in key:
            return
        key = key.rpartition("/")[0]


def _normal_host(host: str) -> str:
    return "index.docker.io" if host in DOCKER_HUB else host


def _normal_key(key: str) -> str:
    """Reduce old spellings (`https://host/v1/`) to the host; a key without a scheme stays as it is (oc does so)."""
    for scheme in ("https://", "http://"):
        if key.startswith(scheme):
            key = key.removeprefix(scheme).partition("/")[0]
            break
    return _normal_host(key)


def _entry(file: _File, key: str) -> Credential | None:
    """Return the credential under a key; an entry that holds none (docker leaves `{}` for helpers) is no entry."""
    entry = file.auths.get(key)
    if entry is None:
        return None
    source = f"{file.name}, entry {key}"
    if not isinstance(entry, dict) or not isinstance(entry.get("auth", ""), str | None):
        raise UsageError(f"{source}: `auth` is not base64 of user:password", hint="log in again")
    username, password = _text(entry, "username"), _text(entry, "password")
    if encoded := _text(entry, "auth"):
        try:
            decoded = _decoded(encoded).decode()
        except (binascii.Error, ValueError):
            decoded = ""
        user, colon, secret = decoded.partition(":")
        if not colon:
            # The cause would show the secret: it is left out on purpose.
            raise UsageError(f"{source}: `auth` is not base64 of user:password", hint="log in again") from None
        username, password = user, secret.strip("\0")
    identity, registry = _text(entry, "identitytoken"), _text(entry, "registrytoken")
    if not (username or password or identity or registry):
        return None
    return Credential(source, username, password, identity, registry)


def _decoded(encoded: str) -> bytes:
    """Decode base64 as Go does: line ends are nothing (base64.StdEncoding); the kubelet takes a missing padding too."""
    text = encoded.replace("\r", "").replace("\n", "")
    return base64.b64decode(text + "=" * (-len(text) % 4) if "=" not in text else text, validate=True)


def _text(entry: Mapping[str, Any], name: str) -> str:
    value = entry.get(name)
    return value if isinstance(value, str) else ""


def _load(settings: Settings, remarks: list[str]) -> Iterator[_File]:
    named = settings.registry_config
    if named is None and (variable := os.environ.get("REGISTRY_AUTH_FILE")):
        named = Path(variable)
    if named is not None:
        yield _parse(str(named), _read_named(named))
    if settings.pull_secret is not None:
        yield _parse("the cluster's pull secret", settings.pull_secret)
    if named is not None:
        return
    for path in _default_files():
        try:
            content = _read(path)
        except FileNotFoundError:
            continue
        except OSError as exc:
            remarks.append(f"{path} cannot be read ({exc.strerror})")
            continue
        try:
            yield _parse(str(path), content)
        except UsageError as exc:
            _logger.warning("%s; it is left out", exc.message)
            remarks.append(exc.message)


def _default_files() -> Iterator[Path]:
    environment = os.environ
    home = Path(environment.get("HOME") or Path.home())
    containers = [
        Path(f"/run/containers/{os.getuid()}/auth.json"),
        Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "containers" / "auth.json",
    ]
    if runtime := environment.get("XDG_RUNTIME_DIR"):
        containers.insert(0, Path(runtime) / "containers" / "auth.json")
    docker = [home / ".docker" / "config.json", home / ".dockercfg"]
    if folder := environment.get("DOCKER_CONFIG"):
        docker.insert(0, Path(folder) / "config.json")
    docker_first = environment.get("REGISTRY_AUTH_PREFERENCE") == "docker"
    ordered = [*docker, *containers] if docker_first else [*containers, *docker]
    yield from dict.fromkeys(ordered)


def _read(path: Path) -> bytes:
    return read_file(path, MAX_FILE + 1)


def _read_named(path: Path) -> bytes:
    try:
        return _read(path)
    except OSError as exc:
        raise UsageError(
            f"registry configuration {path} cannot be read: {exc.strerror}",
            hint="give a docker config.json or a podman auth.json with -a, or unset REGISTRY_AUTH_FILE",
        ) from exc


def _parse(name: str, content: bytes) -> _File:
    if len(content) > MAX_FILE:
        raise UsageError(f"{name} is larger than {MAX_FILE >> 20} MiB: no credential file")
    try:
        document = json.loads(content) if content.strip() else {}
    except (ValueError, RecursionError):
        document = _yaml(content)
        if document is None:
            # The cause would carry the whole file, secrets included.
            raise UsageError(f"{name} is not valid JSON", hint="it should be a docker config.json") from None
    if not isinstance(document, dict):
        raise UsageError(f"{name} is not a JSON object", hint="it should be a docker config.json")
    if document.get("kind") in {"Secret", "SecretList", "List"}:
        return _parse(name, _unwrapped(name, document))
    helpers, default = document.get("credHelpers"), document.get("credsStore")
    auths = document.get("auths")
    if auths is None and not isinstance(helpers, dict) and not default:
        auths = {k: v for k, v in document.items() if isinstance(v, dict)}  # the form of ~/.dockercfg
    if auths is not None and not isinstance(auths, dict):
        raise UsageError(f"{name}: `auths` is not an object", hint="it should be a docker config.json")
    return _File(
        name,
        auths or {},
        {k: v for k, v in helpers.items() if isinstance(v, str)} if isinstance(helpers, dict) else {},
        default if isinstance(default, str) else "",
    )


_UNWRAP = "oc extract secret/pull-secret -n openshift-config --keys=.dockerconfigjson --to=- writes the file itself"


def _unwrapped(name: str, document: Mapping[str, Any]) -> bytes:
    """Return the credential file in a Secret, as `oc get secret pull-secret -o json` prints it; no cause shows it."""
    items = document.get("items") if document.get("kind") != "Secret" else [document]
    found = []
    for secret in items if isinstance(items, list) else []:
        data = secret.get("data") if isinstance(secret, dict) else None
        found += [data[key] for key in (".dockerconfigjson", ".dockercfg") if isinstance(data, dict) and key in data]
    if len(found) != 1:
        many = "several Secrets" if found else "a Secret"
        raise UsageError(f"{name} holds {many} and not one .dockerconfigjson", hint=_UNWRAP)
    try:
        inner = _decoded(found[0]) if isinstance(found[0], str) else b""
    except (binascii.Error, ValueError):
        inner = b""
    if not inner.lstrip().startswith(b"{") or b'"kind"' in inner:
        raise UsageError(f"{name} is a Secret whose .dockerconfigjson cannot be read", hint=_UNWRAP) from None
    return inner


def _yaml(content: bytes) -> object:
    """Return the one YAML document that a Secret is often saved as, None where it is not one."""
    if b"Secret" not in content:
        return None
    from upgrade_gate.base.errors import ManifestError
    from upgrade_gate.reading import yaml

    try:
        documents = yaml.parse(content, "")
    except (ManifestError, RecursionError):
        return None
    return documents[0].body if len(documents) == 1 else None


def _ask_helper(file: _File, helper: str, server: str) -> Credential | None:
    """Ask `docker-credential-HELPER get`, as docker's credential helper protocol says; None where it has nothing."""
    program = f"docker-credential-{helper}"
    where = f"credential helper {program} (named by {file.name})"
    if not HELPER_NAME.fullmatch(helper):
        raise _HelperError(f"{file.name} names a credential helper that is not a plain program name")
    try:
        done = subprocess.run(  # noqa: S603 - the program that the user's own credential file names
            [program, "get"], input=server.encode(), capture_output=True, timeout=HELPER_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as exc:
        raise _HelperError(f"{where} did not answer within {HELPER_SECONDS:.0f} s") from exc
    except OSError as exc:
        raise _HelperError(f"{where} cannot be run: {exc.strerror}") from exc
    if done.returncode != 0:
        if HELPER_FOUND_NOTHING in done.stdout.decode("utf-8", "replace").lower():
            return None
        raise _HelperError(f"{where} failed for {server} with exit code {done.returncode}")
    try:
        answer = json.loads(done.stdout)
        username, secret = answer["Username"], answer["Secret"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _HelperError(f"{where} printed no answer that can be understood for {server}") from None
    if not isinstance(username, str) or not isinstance(secret, str):
        raise _HelperError(f"{where} printed no answer that can be understood for {server}")
    source = f"{program} for {server}, named by {file.name}"
    if username == TOKEN_USER:
        return Credential(source, identity_token=secret)
    return Credential(source, username, secret) if username or secret else None
