"""What is missing at one identity, and the steps that a cloud answers with.

Nothing here knows a cloud's rules, and nothing here or there runs anything.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Protocol, cast

from msgspec import Struct

from upgrade_gate.base import plugins
from upgrade_gate.base.steps import BundleFile
from upgrade_gate.base.text import one_line
from upgrade_gate.clouds.contract import grants

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from upgrade_gate.base.secret_ref import SecretRef
    from upgrade_gate.base.steps import CommandLine, Part, Step
    from upgrade_gate.clouds.contract.context import Context
    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.clouds.contract.holdings import Document

REQUESTS = "credentials-requests"
"""Folder of the target's requests in the bundle."""


class Draft(Struct, frozen=True):
    """What a cloud answers for one identity."""

    steps: tuple[Step, ...] = ()
    terraform: tuple[tuple[str, Any], ...] = ()
    """Name and content of entries for the cloud's `*.tf.json`, see `Remedy.terraform`."""

    @property
    def files(self) -> Mapping[str, bytes]:
        """The documents of the steps, by name."""
        return {file.name: file.content for step in self.steps for file in step.files}


class CcoctlCommand(Struct, frozen=True):
    """The ccoctl command that does the job where the cluster was made with it."""

    line: CommandLine
    traps: tuple[str, ...]
    requests: str = REQUESTS
    """The folder of requests that it reads."""


class CloudLogin(Struct, frozen=True):
    """Where a cloud's command line works: the account, subscription or project that it is logged in to."""

    what: str
    """In words, such as `AWS account`."""
    line: CommandLine
    """Prints the ID: alone, or in quotes in a JSON document."""
    judged: Part
    """The ID that was judged, or what the reader fills in where none was."""


class Subject(Struct, frozen=True, order=True):
    """A service account that acts as an identity."""

    namespace: str
    account: str

    def __str__(self) -> str:
        return f"system:serviceaccount:{self.namespace}:{self.account}"


class HeldNarrowly(Struct, frozen=True):
    """A needed permission that is held on some resources, under a condition or in a lower scope."""

    grant: Grant
    how: str
    """What it is held by, in a sentence."""


class IdentityChange(Struct, frozen=True):
    """Everything about one identity: what serves it, what it needs now, and what it no longer needs later."""

    kind: str
    label: str
    """A name for files and variables that is always known, safe and unique: the first Secret's."""
    secrets: tuple[SecretRef, ...]
    requests: tuple[str, ...]
    """The target's requests on these Secrets, as `namespace/name`."""
    components: tuple[str, ...]
    """The names of these requests, in the same order."""
    identity: str | None
    """As the Secret or the configuration names it; None where nothing does."""
    ccoctl: str | None
    """What ccoctl would name it, where `--ccoctl-name` was given."""
    before: tuple[Grant, ...]
    """What it must hold until the upgrade is complete: the running release's grants and the target's."""
    target: tuple[Grant, ...]
    delta: tuple[Grant, ...]
    """What is missing, as far as is known."""
    gone: tuple[Grant, ...]
    """What nothing needs once the upgrade is complete."""
    subjects: tuple[Subject, ...]
    """Every service account of the target on these Secrets."""
    untrusted: tuple[Subject, ...]
    gone_subjects: tuple[Subject, ...]
    create: bool
    """Whether the identity is new."""
    token_path: str | None = None
    """Where the components mount their token, where a request says so."""
    root: bool = False
    """Whether it is the platform's root credential, which CCO passes on or mints with."""
    scopes: tuple[str, ...] | None = ()
    """What grants must cover on this cluster (Azure and IBM resource groups); None: not known."""
    denials: tuple[str, ...] = ()
    """Why an explicit deny stands in the way, whatever is granted."""
    sighted: bool = False
    """Whether an export shows what it holds: then nothing of that is written once more."""
    narrower: tuple[HeldNarrowly, ...] = ()
    """What nobody widens unasked. None of that is in `delta`."""
    unseen: tuple[str, ...] = ()
    """What keeps it from being known whether more is held: what the export lacks. None of that is in `delta`."""
    asked: tuple[tuple[str, tuple[Grant, ...]], ...] = ()
    """Each request of `components`, with what it alone asks for in the target."""
    over: int = 0
    """Index of the update of the path after which all of `gone` and `gone_subjects` may be taken away."""
    spans: tuple[tuple[Grant, int, int | None], ...] = ()
    """Each of `delta` with the update of the path that brings it, and the one that ends it; None: none does."""

    @property
    def secret_names(self) -> frozenset[str]:
        """The Secrets as `namespace/name`."""
        return frozenset(str(secret) for secret in self.secrets)

    @property
    def narrow(self) -> tuple[Grant, ...]:
        """What is held narrowly, as the releases ask for it."""
        return tuple(one.grant for one in self.narrower)

    def unwidened(self, listed: Iterable[Grant]) -> tuple[Grant, ...]:
        """Return grants but for what is held narrowly: a document that a step writes must not give that whole."""
        cloud = grants.cloud_of(self.kind)
        key = cloud.identity if cloud is not None else lambda grant: grant.canonical
        narrow = {key(one) for one in self.narrow}
        return tuple(one for one in listed if key(one) not in narrow)

    @property
    def who(self) -> str:
        """The identity in words."""
        named = self.identity or self.ccoctl
        role = "the root credential " if self.root else ""
        if named and self.secrets[0].name not in named:
            more = f" and {len(self.secrets) - 1} more" if len(self.secrets) > 1 else ""
            return f"{role}{named} (Secret {self.secrets[0]}{more})"
        return f"{role}{named}" if named else f"{role or 'the identity '}behind Secret {self.secrets[0]}"


class ClusterNames(Struct, frozen=True):
    """What the names and commands of every identity have in common; None where it is not known."""

    platform: str
    release: tuple[int, int]
    """The target's minor."""
    version: str
    token: bool
    """Whether the components use tokens rather than keys."""
    token_known: bool = True
    """Whether that is known: else it is taken to be keys, and what rests on it says so."""
    infrastructure: str | None = None
    region: str | None = None
    issuer: str | None = None
    account: str | None = None
    scopes: tuple[str, ...] = ()
    """The cluster's own: Azure's resource group, GCP's project, IBM's resource group."""
    ccoctl_name: str | None = None
    documents: tuple[Document, ...] = ()
    """The export of this cloud, empty where there is none."""
    network_scopes: tuple[str, ...] | None = ()
    """Azure's resource group of the cluster's network, where it is another one; None: not read."""
    zone_scopes: tuple[str, ...] | None = ()
    """Those of its DNS zones, where they are others; None: not read."""
    context: Context | None = None
    """Where and under which conditions its grants are used; None where no cluster was read."""


class Remedy(Protocol):
    """What a cloud's `remedy` knows. Every function is pure."""

    FOLDER: str
    """Folder of its files in the bundle."""
    FILES: str
    """What each of its documents is, in words."""

    def draft(self, change: IdentityChange, names: ClusterNames) -> Draft:
        """Return documents and steps for one identity."""
        ...

    def login(self, change: IdentityChange, names: ClusterNames) -> CloudLogin | None:
        """Return where the cloud's command line must be logged in for an identity, None where no step has one."""
        ...

    def secret_value(self, key: str, change: IdentityChange, names: ClusterNames) -> str | None:
        """Return the form of one key's value with what must be filled in, None for a value of no known form."""
        ...

    def terraform(self, entries: Sequence[tuple[str, Any]]) -> Mapping[str, Any]:
        """Return the content of the cloud's `*.tf.json`: data only, no provider and no resource."""
        ...

    def ccoctl(self, changes: Sequence[IdentityChange], names: ClusterNames) -> CcoctlCommand | None:
        """Return the ccoctl command, None where this release's ccoctl has none for these credentials."""
        ...


def remedy_of(kind: str) -> Remedy | None:
    """Return the plugin for a providerSpec kind, None for a kind nobody knows."""
    return cast("Remedy | None", plugins.for_kind("remedy", kind))


_LONGEST_NAME = 120


def file_name(text: str) -> str:
    """Return a file name without a way out of its folder, the same for equal texts and different for others.

    A name that must be changed to be safe carries a piece of its digest, since two such names could become one.
    """
    safe = re.sub(r"[^A-Za-z0-9._-]", "-", text).lstrip(".-")[:_LONGEST_NAME]
    if safe == text:
        return safe
    return f"{safe}-{_digest(text)}".lstrip("-")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def file_names(named: Mapping[str, str]) -> Mapping[str, str]:
    """Return a safe file name for each key, from the text it should be called by; no two differ by case alone."""
    plain = {key: file_name(text) for key, text in named.items()}
    folded = Counter(name.casefold() for name in plain.values())
    return {key: name if folded[name.casefold()] == 1 else f"{name}-{_digest(key)}" for key, name in plain.items()}


def variable(prefix: str, text: str) -> str:
    """Return a shell variable's name for something that a payload or cluster named."""
    return re.sub(r"[^A-Z0-9]+", "_", f"{prefix}_{file_name(text)}".upper()).strip("_")


def fill(words: str) -> str:
    """Return the mark of a value in a Secret, with what belongs there in words."""
    return f"<FILL_ME: {one_line(words)}>"


def json_file(name: str, body: Any) -> BundleFile:
    """Return a document as indented ASCII JSON: no byte of a payload can do anything on a terminal."""
    return BundleFile(name, (json.dumps(body, indent=2, ensure_ascii=True) + "\n").encode())


def yaml_file(name: str, body: Any, *, comment: str = "") -> BundleFile:
    """Return a document as ASCII YAML, keys in their order, under a comment line."""
    import yaml

    class Dumper(yaml.CSafeDumper):
        """Writes text of several lines as it will read, so that a person can fill it in."""

    def text_of(dumper: yaml.CSafeDumper, value: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, text_of)
    text = yaml.dump(body, Dumper=Dumper, sort_keys=False, default_flow_style=False, width=10**6, allow_unicode=False)
    head = f"# {one_line(comment)}\n" if comment else ""
    return BundleFile(name, f"{head}---\n{text}".encode("utf-8", "replace"))
