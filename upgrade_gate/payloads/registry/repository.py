"""Where one image is asked for, mirrors first, and a repository as a store of its manifests and blobs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, BinaryIO

from upgrade_gate.base.errors import SourceError, UsageError
from upgrade_gate.payloads.cache import Cache
from upgrade_gate.payloads.image.digests import DIGEST
from upgrade_gate.payloads.image.release import IMAGES, LISTS, ManifestBlob
from upgrade_gate.payloads.registry import mirrors
from upgrade_gate.payloads.registry.credentials import CredentialStore
from upgrade_gate.payloads.registry.image_name import DOCKER_HUB
from upgrade_gate.payloads.registry.tokens import Authorizer
from upgrade_gate.reading.http import progress
from upgrade_gate.reading.http.client import Transport
from upgrade_gate.reading.http.response import registry_words

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from upgrade_gate.payloads.image.release import Descriptor
    from upgrade_gate.payloads.reference import Settings
    from upgrade_gate.payloads.registry.image_name import ImageName
    from upgrade_gate.reading.http.response import Response

    T = TypeVar("T")

_logger = logging.getLogger(__name__)

ACCEPT = ", ".join(LISTS + IMAGES)
"""A registry that holds a type which is not asked for answers 404, not 406 (docs/facts/tests.md#registry)."""
MANIFEST_LIMIT = 4 * 2**20
"""The size that registries themselves accept (distribution-spec, `manifest maximum size`)."""
AUTH_ATTEMPTS = 3
DOCKER_HUB_HOST = "registry-1.docker.io"


class NoSuchTagError(UsageError):
    """The registry knows no such tag or repository."""


class Places:
    """The mirrors and the source of one image, to be tried in order over shared connections."""

    def __init__(self, name: ImageName, settings: Settings) -> None:
        self._name = name
        self._settings = settings
        self._cache = Cache(settings.cache_dir)
        self._credentials = CredentialStore(settings)
        self._transport = Transport(settings)

    def __enter__(self) -> Places:
        return self

    def __exit__(self, *_: object) -> None:
        self._transport.close()

    def first(self, ask: Callable[[RegistryStore], T]) -> T:
        """Return what the first place gives; every failure is told when none does."""
        rules = mirrors.load_rules(self._settings)
        places = mirrors.locations(self._name.repository, rules, by_digest=self._name.digest is not None)
        if not places:
            raise SourceError(
                f"{self._name}: a mirror policy forbids its source and names no mirror", hint="check --idms-file"
            )
        failures: list[SourceError | NoSuchTagError] = []
        for place in places:
            authorizer = Authorizer(self._transport, self._credentials, place.repository)
            store = RegistryStore(place.repository, self._transport, authorizer, self._cache, self._settings)
            try:
                answer = ask(store)
            except (SourceError, NoSuchTagError) as exc:
                failures.append(exc)
                if place is not places[-1]:
                    _logger.warning("%s; trying %s", exc, places[len(failures)].repository)
                continue
            if place.mirror_of is not None:
                _logger.info("%s was read from its mirror %s", self._name, place.repository)
            return answer
        if len(failures) == 1:
            raise failures[0]
        kind = SourceError if any(isinstance(f, SourceError) for f in failures) else UsageError
        told = "; ".join(f.message for f in failures)
        raise kind(f"{self._name} could not be read from any of {len(failures)} places: {told}", hint=failures[-1].hint)


class RegistryStore:
    """One repository as a store of manifests and blobs (`image.release.Store`)."""

    def __init__(
        self, repository: str, transport: Transport, authorizer: Authorizer, cache: Cache, settings: Settings
    ) -> None:
        self._repository = repository
        self._transport = transport
        self._authorizer = authorizer
        self._cache = cache
        self._settings = settings
        host, _, self._path = repository.partition("/")
        self._host = DOCKER_HUB_HOST if host in DOCKER_HUB else host

    def manifest(self, reference: str) -> ManifestBlob:
        """Return the manifest of a tag or digest, its digest checked against all that names one."""
        by_digest = DIGEST.fullmatch(reference) is not None
        cached = self._cache.manifest(reference) if by_digest else None
        if cached is not None:
            return cached
        what = self._named(reference)
        algorithm = reference.partition(":")[0] if by_digest else "sha256"
        response = self._ask(
            "GET", f"manifests/{reference}", what, accept=ACCEPT, limit=MANIFEST_LIMIT, algorithm=algorithm
        )
        if response.status != 200:
            raise self._manifest_error(response, what, by_digest=by_digest)
        data, digest = response.read(), response.digest
        if by_digest and digest != reference:
            raise SourceError(
                f"manifest {what}: its content has the digest {digest}",
                hint="the registry or a proxy changed the manifest",
            )
        announced = response.headers.get("docker-content-digest", "")
        if DIGEST.fullmatch(announced) and announced.startswith(algorithm) and announced != digest:
            raise SourceError(
                f"manifest {what}: {response.host} says its digest is {announced}, its content has {digest}",
                hint="the registry or a proxy changed the manifest",
            )
        media_type = response.headers.get("content-type", "").partition(";")[0].strip()
        blob = ManifestBlob(data, media_type, digest)
        self._cache.store_manifest(blob)
        return blob

    def resolve(self, tag: str) -> str:
        """Return the digest that a tag stands for now: one HEAD where the registry tells it, else one GET."""
        what = self._named(tag)
        response = self._ask("HEAD", f"manifests/{tag}", what, accept=ACCEPT, limit=MANIFEST_LIMIT)
        response.body.close()
        digest = response.headers.get("docker-content-digest", "")
        if response.status == 200 and DIGEST.fullmatch(digest):
            return digest
        return self.manifest(tag).digest  # which also words the error of another status

    def open_blob(self, descriptor: Descriptor) -> BinaryIO:
        """Return a blob whose size and digest were checked whole, out of the cache or from the registry."""
        digest, size = descriptor.digest, descriptor.size
        cached = self._cache.open_blob(digest)
        if cached is not None:
            return cached
        what = f"blob {digest} of {self._repository}"
        algorithm = digest.partition(":")[0]
        with progress.download(self._repository, size, self._settings) as advance:
            response = self._ask(
                "GET", f"blobs/{digest}", what, accept="*/*", limit=size, algorithm=algorithm, advance=advance
            )
        if response.status != 200:
            raise _unexpected(response, what, "the registry lost a part of the image; push it again, or name a mirror")
        if response.size != size or response.digest != digest:
            response.body.close()
            wrong = f"{response.size} bytes, the manifest says {size}" if response.size != size else "another digest"
            raise SourceError(
                f"{what}: {response.host} sent {wrong}", hint="the registry or a proxy changed the blob; try a mirror"
            )
        self._cache.store_blob(digest, response.body)
        return response.body

    def _named(self, reference: str) -> str:
        return f"{self._repository}{'@' if DIGEST.fullmatch(reference) else ':'}{reference}"

    def _ask(
        self,
        method: str,
        path: str,
        what: str,
        *,
        accept: str,
        limit: int,
        algorithm: str = "sha256",
        advance: progress.Advance | None = None,
    ) -> Response:
        """Send one request, answering challenges; returns whatever the registry says but 401 and 403."""
        if self._settings.offline:
            raise UsageError(
                f"{what} is not in the cache, and --offline allows no other host",
                hint="give the release as dir:PATH, archive:FILE, oci:PATH or mirror:PATH",
            )
        sent = self._authorizer.header()
        for _ in range(AUTH_ATTEMPTS):
            headers = {"Accept": accept} | ({"Authorization": sent} if sent else {})
            response = self._transport.send(
                method,
                f"https://{self._host}/v2/{self._path}/{path}",
                what,
                headers=headers,
                limit=limit,
                algorithm=algorithm,
                advance=advance,
            )
            if response.status != 401 or response.redirected:
                break
            response.body.close()
            answer = self._authorizer.answer(response.headers.get("www-authenticate", ""), sent)
            if answer is None:
                break
            sent = answer
        if response.status in (401, 403):
            refused = "wants a login" if response.status == 401 and not sent else "refuses access"
            raise SourceError(
                f"{what}: {response.host} {refused} ({response.status}){_words(response)}", hint=self._authorizer.hint()
            )
        return response

    def _manifest_error(self, response: Response, what: str, *, by_digest: bool) -> SourceError | UsageError:
        if response.status != 404:
            return _unexpected(response, what, "it may be no registry, or a proxy answers in its place")
        text = f"{what} does not exist on {response.host}{_words(response)}"
        if by_digest:
            return SourceError(text, hint="the release is not there, or no longer; name a mirror with --idms-file")
        return NoSuchTagError(text, hint="check repository and tag")


def _unexpected(response: Response, what: str, hint: str) -> SourceError:
    return SourceError(f"{what}: {response.host} answered {response.status}{_words(response)}", hint=hint)


def _words(response: Response) -> str:
    return "" if response.body.closed else registry_words(response)
