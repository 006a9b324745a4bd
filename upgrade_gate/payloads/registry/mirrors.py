"""Where an image may be read instead: ImageDigestMirrorSet, ImageTagMirrorSet and ImageContentSourcePolicy.

Sources: openshift/api `config/v1/types_image_digest_mirror_set.go`, `types_image_tag_mirror_set.go`,
`operator/v1alpha1/types_image_content_source_policy.go`; matching as containers/image `sysregistriesv2` does it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from upgrade_gate.base.errors import ManifestError, UsageError
from upgrade_gate.reading.files import read_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from upgrade_gate.payloads.reference import Settings

_logger = logging.getLogger(__name__)

MAX_FILE = 4 * 2**20
NEVER = "NeverContactSource"
ALLOW = "AllowContactingSource"
KINDS = {
    "ImageDigestMirrorSet": ("config.openshift.io", "imageDigestMirrors", True),
    "ImageTagMirrorSet": ("config.openshift.io", "imageTagMirrors", False),
    "ImageContentSourcePolicy": ("operator.openshift.io", "repositoryDigestMirrors", True),
}
"""Kind to API group, the list in spec, and whether it speaks about digests (else about tags)."""


class MirrorRule(Struct, frozen=True):
    """The mirrors of one source."""

    source: str
    """`host[:port][/path]`, or `*.domain`."""
    mirrors: tuple[str, ...]
    for_digests: bool
    never_source: bool | None
    """None where the object does not say."""
    origin: str
    """File or object, for messages."""
    fault: str | None = None
    """Why the entry cannot be read: that matters only where it applies. `source` is then what it seems to be about."""

    def suffix(self, repository: str) -> str | None:
        """Return what follows the source in a repository that lies in it, None where it does not."""
        if not self.source:
            return None
        if self.source.startswith("*."):
            host, slash, path = repository.partition("/")
            return slash + path if host.endswith(self.source[1:]) else None
        if repository == self.source:
            return ""
        return repository.removeprefix(self.source) if repository.startswith(self.source + "/") else None


class MirrorPlace(Struct, frozen=True):
    """One place to read a repository from."""

    repository: str
    mirror_of: str | None
    """The source that it mirrors; None for the repository that the user named."""


def locations(repository: str, rules: Sequence[MirrorRule], *, by_digest: bool) -> tuple[MirrorPlace, ...]:
    """Return where to read a repository, in order: mirrors of the longest source first, the source itself last.

    The longest matching source decides whether the source may be contacted at all, as on a node. Mirrors of digests
    do not answer for tags, nor the other way round: what they hold under a tag is not said to be the same. Raises
    UsageError for an entry that applies and cannot be read.
    """
    matching = [
        (rule, suffix)
        for rule in rules
        if rule.for_digests == by_digest and (suffix := rule.suffix(repository)) is not None
    ]
    for rule in rules:
        if rule.fault and rule.for_digests == by_digest and rule.suffix(repository) is not None:
            raise UsageError(rule.fault, hint="write host[:port]/path, without scheme, tag or digest")
        if rule.fault:
            _logger.warning("%s; it does not apply to %s and is passed over", rule.fault, repository)
    if not matching and any(rule.suffix(repository) is not None for rule in rules):
        form = "a tag" if not by_digest else "a digest"
        _logger.warning("%s is named by %s: the mirrors given for it do not apply to that form", repository, form)
    matching.sort(key=lambda pair: (pair[0].source.startswith("*."), -len(pair[0].source)))
    found: dict[str, MirrorPlace] = {}
    for rule, suffix in matching:
        for mirror in rule.mirrors:
            place = mirror + suffix
            if place != repository:
                found.setdefault(place, MirrorPlace(place, rule.source))
    longest = matching[0][0].source if matching else None
    if not any(rule.never_source for rule, _ in matching if rule.source == longest):
        found[repository] = MirrorPlace(repository, None)
    return tuple(found.values())


def load_rules(settings: Settings) -> tuple[MirrorRule, ...]:
    """Read the mirror rules of every file and cluster object; raises UsageError for one that cannot be understood.

    Two objects that disagree about contacting one source are refused, as the API does.
    """
    rules: list[MirrorRule] = []
    for option, paths in (("--idms-file", settings.idms_files), ("--icsp-file", settings.icsp_files)):
        for path in paths:
            documents = tuple(_documents(option, path))
            found = [rule for document in documents for rule in _rules(document, f"{option} {path}")]
            if not any(rule.source for rule in found):
                fault = next((rule.fault for rule in found if rule.fault), None)
                kinds = dict.fromkeys(f"a {each.get('kind') or 'document without kind'}" for each in documents)
                held = f": it holds {', '.join(kinds)}" if kinds else ""
                why = f"{option} {path} names no mirrors{held}"
                raise UsageError(fault or why, hint=f"it should hold {', '.join(KINDS)}")
            rules += found
    for policy in settings.mirror_policies:
        rules += _rules(policy, "the cluster")
    _refuse_conflicts(rules)
    return tuple(rules)


def _refuse_conflicts(rules: Sequence[MirrorRule]) -> None:
    said: dict[tuple[str, bool], MirrorRule] = {}
    for rule in rules:
        if rule.never_source is None or rule.fault:
            continue
        other = said.setdefault((rule.source, rule.for_digests), rule)
        if other.never_source != rule.never_source:
            raise UsageError(
                f"{rule.origin} and {other.origin} disagree whether {rule.source} itself may be contacted",
                hint="give both entries the same mirrorSourcePolicy",
            )


def _documents(option: str, path: Path) -> Iterator[Mapping[str, Any]]:
    from upgrade_gate.reading import yaml

    try:
        content = read_file(path, MAX_FILE + 1)
        if len(content) > MAX_FILE:
            raise UsageError(f"{option} {path} is larger than {MAX_FILE >> 20} MiB: no mirror configuration")
        parsed = yaml.parse(content, str(path))
    except OSError as exc:
        raise UsageError(f"{option} {path} cannot be read: {exc.strerror}") from exc
    except ManifestError as exc:
        raise UsageError(f"{option} {exc.message}", hint=exc.hint) from exc
    for document in parsed:
        if not isinstance(document.body, dict):
            raise UsageError(f"{option} {path}:{document.line} is not an object")
        yield document.body


def _rules(document: Mapping[str, Any], origin: str) -> Iterator[MirrorRule]:
    kind = document.get("kind")
    if isinstance(kind, str) and kind.endswith("List") and isinstance(document.get("items"), list):
        for item in document["items"]:
            if not isinstance(item, dict):
                raise UsageError(f"{origin} holds a list with an item that is not an object")
            # Items of a typed list (`oc get -o json` of one kind through the API) need not repeat their kind.
            named = {"kind": kind.removesuffix("List"), "apiVersion": document.get("apiVersion"), **item}
            yield from _rules(named, origin)
        return
    if not isinstance(kind, str) or kind not in KINDS:
        _pass_over(kind, origin)
        return
    group, field, for_digests = KINDS[kind]
    version = document.get("apiVersion")
    if not isinstance(version, str) or version.partition("/")[0] != group:
        raise UsageError(f"{origin} holds a {kind} with apiVersion {version!r}", hint=f"it should be of {group}")
    spec = document.get("spec")
    entries = spec.get(field) if isinstance(spec, dict) else None
    if entries is None:
        return
    if not isinstance(entries, list):
        raise UsageError(f"{origin}: spec.{field} of a {kind} is not a list")
    metadata = document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    title = f"{origin}: {kind} {name}" if isinstance(name, str) else f"{origin}: {kind}"
    for entry in entries:
        yield _rule(entry, f"{title}: spec.{field}", origin, for_digests=for_digests)


def _pass_over(kind: object, origin: str) -> None:
    """Pass over a document of another kind; raises UsageError for one that is nearly a kind of mirrors."""
    spelt = {known.casefold(): known for known in KINDS}
    near = spelt.get(kind.casefold().removesuffix("s")) if isinstance(kind, str) else None
    if near is not None:
        raise UsageError(f"{origin} holds a {kind}", hint=f"the kind is spelt {near}")
    _logger.info("%s holds a %s, which is not a kind of mirrors", origin, kind or "document without kind")


def _rule(entry: object, where: str, origin: str, *, for_digests: bool) -> MirrorRule:
    """Return the rule of an entry; one that cannot be read carries why, and what it seems to be about."""
    if not isinstance(entry, dict):
        return MirrorRule("", (), for_digests, None, origin, f"{where} holds an entry that is not an object")
    source, listed = _trimmed(entry.get("source")), entry.get("mirrors") or []
    policy = entry.get("mirrorSourcePolicy")
    mirrors = [_trimmed(mirror) for mirror in listed] if isinstance(listed, list) else [listed]
    fault = None
    if not isinstance(source, str) or not _repository(source.removeprefix("*.")):
        fault = f"{where}: {source!r} is not a source"
    elif not isinstance(listed, list) or not all(isinstance(m, str) and _repository(m) for m in mirrors):
        fault = f"{where}: the mirrors of {source} are no list of host[:port]/path"
    elif policy not in (None, "", ALLOW, NEVER):
        fault = f"{where}: mirrorSourcePolicy {policy!r} of {source} is neither {ALLOW} nor {NEVER}"
    if fault is not None:
        return MirrorRule(_seeming(source), (), for_digests, None, origin, fault)
    never = {NEVER: True, ALLOW: False}.get(policy) if isinstance(policy, str) else None
    return MirrorRule(str(source), tuple(str(mirror) for mirror in mirrors), for_digests, never, origin)


def _trimmed(place: object) -> object:
    """Return a location without slashes at its end, as containers/image reads it (sysregistriesv2, parseLocation)."""
    return place.rstrip("/") if isinstance(place, str) else place


def _seeming(source: object) -> str:
    """Return which repository a source that cannot be read seems to be about, empty where nothing says so."""
    if not isinstance(source, str):
        return ""
    place = source.strip().rpartition("://")[2].partition("@")[0].partition("?")[0].rstrip("/")
    host, slash, path = place.partition("/")
    return host + slash + path.partition(":")[0]


def _repository(text: str) -> bool:
    return bool(text) and not any(c in "@ \t\r\n?#\\" for c in text) and "://" not in text and not text.endswith("/")
