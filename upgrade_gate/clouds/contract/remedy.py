"""What is missing at one identity, and the steps, commands and files that a cloud answers with.

Each cloud is a plugin in `remedies/` that fulfils `Cloud`. Nothing here knows a cloud's rules, and nothing here or
there runs anything: a step is text, an argv and files (design section 8).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, cast

from msgspec import Struct, field

from upgrade_gate.base import plugins
from upgrade_gate.base.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from upgrade_gate.base.secret_ref import SecretRef
    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.clouds.contract.holdings import Document

__all__ = [
    "FILL",
    "CcoctlCommand",
    "Cloud",
    "ClusterNames",
    "Command",
    "Draft",
    "IdentityChange",
    "Placeholder",
    "Serves",
    "Step",
    "Subject",
    "argv",
    "cloud_of",
    "file_name",
    "file_names",
    "fill",
    "json_file",
    "placeholders_in",
    "sentence",
    "variable",
    "yaml_file",
]

When: TypeAlias = Literal["before", "after"]

FILL = re.compile(r"<FILL_ME: ([A-Z][A-Z0-9_]*)>")
"""A value that only the reader knows, in a command or a document; the name is also the script's variable."""


class Serves(StrEnum):
    """What a step is good for."""

    NAMESPACE = "namespace"
    GRANTS = "grants"
    TRUST = "trust"
    SECRET = "secret"  # noqa: S105
    ANNOTATION = "annotation"
    CLEAN_UP = "clean-up"


class Placeholder(Struct, frozen=True):
    """A value that nothing known to the tool gives."""

    name: str
    meaning: str
    pattern: str = "[A-Za-z0-9][A-Za-z0-9._:@/+=,-]*"
    """What a filled-in value must look like as a whole (extended regular expression)."""
    path: bool = False
    """Whether it names a file that must exist and hold no unfilled value."""
    default: str = ""
    mentions: tuple[str, ...] = ()
    """Text that the file must hold: the subjects that a merged trust policy must name."""

    @property
    def token(self) -> str:
        """How it stands in a command or document."""
        return f"<FILL_ME: {self.name}>"


class Command(Struct, frozen=True):
    """One command line; words may hold placeholders."""

    argv: tuple[str, ...]
    unless: tuple[str, ...] = ()
    """Not run where this command succeeds: the object is there already."""
    counts: tuple[str, ...] = ()
    """Run only where this command prints 0."""
    otherwise: tuple[str, ...] = ()
    """Run instead where the object is there already."""
    done: str = ""
    """What the command says, as an extended regular expression, where it was done before: then that is no failure."""


class Step(Struct, frozen=True):
    """One step of the remedy."""

    title: str
    reason: str
    when: When
    serves: Serves
    secrets: frozenset[str] = frozenset()
    """`namespace/name` of the Secrets whose components need it."""
    commands: tuple[Command, ...] = ()
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    placeholders: tuple[Placeholder, ...] = ()
    scripted: bool = True
    """False: it needs a person, so commands.sh only names it."""
    asks: tuple[Placeholder, ...] = ()
    """What must be filled in before it is run although no command holds it: that something else was done."""
    first: bool = False
    """Whether it makes what later steps need filled in, so that it can be run alone: `commands.sh new`."""


class Draft(Struct, frozen=True):
    """What a cloud answers for one identity."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    terraform: tuple[tuple[str, Any], ...] = ()
    """Name and content of entries for the cloud's `*.tf.json`, see `Cloud.terraform`."""


class CcoctlCommand(Struct, frozen=True):
    """The ccoctl command that does the job where the cluster was made with it."""

    argv: tuple[str, ...]
    traps: tuple[str, ...]
    placeholders: tuple[Placeholder, ...] = ()
    requests: str = "credentials-requests"
    """The folder of requests that it reads."""


class Subject(Struct, frozen=True, order=True):
    """A service account that acts as an identity."""

    namespace: str
    account: str

    def __str__(self) -> str:
        return f"system:serviceaccount:{self.namespace}:{self.account}"


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

    @property
    def names(self) -> frozenset[str]:
        """The Secrets as `namespace/name`."""
        return frozenset(str(secret) for secret in self.secrets)

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
    infrastructure: str | None = None
    region: str | None = None
    issuer: str | None = None
    account: str | None = None
    scopes: tuple[str, ...] = ()
    """The cluster's own: Azure's resource group, GCP's project, IBM's resource group."""
    ccoctl_name: str | None = None
    documents: tuple[Document, ...] = ()
    """The export of this cloud, empty where there is none."""


class Cloud(Protocol):
    """A plugin module in `remedies/`. Every function is pure."""

    KINDS: frozenset[str]
    FOLDER: str
    """Folder of its files in the bundle."""

    def draft(self, work: IdentityChange, site: ClusterNames) -> Draft:
        """Return documents and steps for one identity."""
        ...

    def secret_value(self, key: str, work: IdentityChange, site: ClusterNames) -> str | None:
        """Return the form of one key's value with what must be filled in, None for a value of no known form."""
        ...

    def terraform(self, entries: Sequence[tuple[str, Any]]) -> Mapping[str, Any]:
        """Return the content of the cloud's `*.tf.json`: data only, no provider and no resource."""
        ...

    def ccoctl(self, works: Sequence[IdentityChange], site: ClusterNames) -> CcoctlCommand | None:
        """Return the ccoctl command, None where this release's ccoctl has none for these credentials."""
        ...


@cache
def cloud_of(kind: str) -> Cloud | None:
    """Return the plugin for a providerSpec kind, None for a kind nobody knows."""
    modules = cast("Iterator[Cloud]", plugins.load_role("remedy", kind))
    return next((module for module in modules if kind in module.KINDS), None)


def argv(command: str, *words: str, **options: str | bool | None) -> tuple[str, ...]:
    """Return `command` with further words and `--long-options`; True is a bare flag, None and False are left out."""
    line = [*command.split(), *words]
    for name, value in options.items():
        if value is None or value is False:
            continue
        line.append(f"--{name.replace('_', '-')}")
        if value is not True:
            line.append(value)
    return tuple(line)


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


def placeholders_in(*texts: str) -> tuple[str, ...]:
    """Return the names of the placeholders that texts hold, each once, in order."""
    return tuple(dict.fromkeys(name for text in texts for name in FILL.findall(text)))


def json_file(body: Any) -> bytes:
    """Return a document as indented ASCII JSON: no byte of a payload can do anything on a terminal."""
    return (json.dumps(body, indent=2, ensure_ascii=True) + "\n").encode()


def yaml_file(body: Any, *, comment: str = "") -> bytes:
    """Return a document as ASCII YAML, keys in their order, under a comment line."""
    import yaml

    class Dumper(yaml.CSafeDumper):
        """Writes text of several lines as it will read, so that a person can fill it in."""

    def text_of(dumper: yaml.CSafeDumper, value: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, text_of)
    text = yaml.dump(body, Dumper=Dumper, sort_keys=False, default_flow_style=False, width=10**6, allow_unicode=False)
    head = f"# {one_line(comment)}\n" if comment else ""
    return f"{head}---\n{text}".encode("utf-8", "replace")


def sentence(parts: Iterable[str]) -> str:
    """Return parts as `a, b and c`."""
    listed = list(parts)
    return " and ".join([", ".join(listed[:-1]), listed[-1]] if len(listed) > 1 else listed)
