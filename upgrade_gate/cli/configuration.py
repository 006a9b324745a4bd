"""The configuration file: defaults for options, which identity serves which Secret, and how rules weigh.

Format (docs/contract.md#configuration and docs/contract.md#identities):

    required-version: ">=0.4,<1"           checked before any other key
    fail-on: warning                       any option, as on the command line
    registry-config: ./pull-secret.json
    identities:
      account: "111122223333"              whose exports count
      default: arn:aws:iam::…:role/shared
      openshift-ingress-operator/cloud-credentials: arn:aws:iam::…:role/ingress
      openshift-image-registry/installer-cloud-credentials:
        identity: arn:aws:iam::…:role/registry
        policies: iam/registry.json        what a repository declares of it; a file, file#NAME, or a list
    policy:
      request-unannotated: blocker
      accept: [secret-exists]

Paths are meant from the working folder, as on the command line.
"""

from __future__ import annotations

import logging
import os
import re
import shlex
from enum import Enum, auto
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct, field

from upgrade_gate.base.errors import ConfigurationError, UsageError
from upgrade_gate.proof.identity_map import Identities

if TYPE_CHECKING:
    from collections.abc import Mapping

    from upgrade_gate.gate.findings import Severity
    from upgrade_gate.reading.settings_file import Value

_logger = logging.getLogger(__name__)

FILE_NAME = "upgrade-gate.yaml"
_SPELLING = re.compile(r"\.?upgrade[-_.]?gate\.(ya?ml|json)", re.IGNORECASE)
"""Names that somebody may take for it, and whose rules would silently not hold."""

Default: TypeAlias = "str | bool | tuple[str, ...]"


class Shape(Enum):
    """How the value of an option is written here."""

    ONE = auto()
    FLAG = auto()
    LIST = auto()
    """A list, or one for a list of one."""
    JOINED = auto()
    """The same, for an option that takes one text with commas."""


ACCEPTABLE = frozenset({"secret-exists"})

FOUND_MAY_SAY: Mapping[str, str | None] = MappingProxyType(
    {
        "color": None,
        "fail-on": "warning",
        "label": None,
        "require-proof": "true",
        "strict-proof": "true",
        "timeout": None,
        "verify": "require",
    }
)
"""What may stand in a file that nobody named on the command line, with the one value where only one tightens.

A pull request could plant such a file: it may make the gate stricter, never milder, and never say what is read or
written (docs/using/configuration.md#a-file-that-was-found). Besides these, `policy` may raise.
"""


class Configuration(Struct, frozen=True):
    """What one configuration file says."""

    path: Path | None = None
    """None: there is no file."""
    options: Mapping[str, Default] = field(default_factory=dict)
    """Defaults by the option's long name without dashes in front."""
    identities: Identities = field(default_factory=Identities)
    policy: Mapping[str, Severity] = field(default_factory=dict)
    """Severity by rule id, where it differs from the catalogue."""
    accept: frozenset[str] = frozenset()
    """`secret-exists`: on clouds without a permission model, that a Secret exists stands for its keys."""
    lines: Mapping[str, int] = field(default_factory=dict)
    """Line of each top-level key."""

    def error(self, key: str, message: str) -> ConfigurationError:
        """Return an error about one top-level key, naming file and line; the caller raises it."""
        return ConfigurationError(f"{self.path}:{self.lines.get(key, 1)}: {key}: {message}")


EMPTY = Configuration()


def find(folder: Path | None = None) -> Path | None:
    """Return the configuration file of a folder (default: the working folder), None where there is none.

    A name that is nearly its own is not read, and warned of. Raises UsageError where something else bears its name: a
    pipe would never end, a broken link would say nothing, one out of the folder would show somebody else's file.
    """
    place = folder or Path()
    path = place / FILE_NAME
    for other in _nearly_named(place):
        _logger.warning("%s is not read: %s is what is found; --config names any other", other, FILE_NAME)
    if not path.is_file() and os.path.lexists(path):
        raise UsageError(f"{path} is not a file", hint="remove it, or name another with --config FILE")
    if path.is_symlink() and place.resolve() not in path.resolve().parents:
        raise UsageError(
            f"{path} is a link that leads out of the folder", hint="name the file itself with --config FILE"
        )
    return path if path.is_file() else None


def _nearly_named(folder: Path) -> list[str]:
    try:
        names = [entry.name for entry in os.scandir(folder)]
    except OSError:  # a folder that may be entered and not listed
        return []
    return sorted(name for name in names if name != FILE_NAME and _SPELLING.fullmatch(name))


def load(path: Path | None, shapes: Mapping[str, Shape], *, found: bool) -> Configuration:
    """Read a configuration file; without a path there is nothing configured.

    `shapes` are the options that may have a default here, by long name without dashes. `found` says that nobody named
    the file: then it may only tighten, since a pull request could plant it. Raises
    ConfigurationError, naming file and line, for anything that is not understood; UsageError if it cannot be opened.
    """
    if path is None:
        return EMPTY
    from upgrade_gate.reading import required_version, settings_file

    root = settings_file.read(path)
    if root is None:
        return Configuration(path=path)
    required_version.check(root)
    values = root.fields({*shapes, required_version.KEY, "identities", "policy"})
    values.pop(required_version.KEY, None)
    if found:
        _refuse_planted(values, root.keys())
    policy = values.pop("policy", None)
    identities = values.pop("identities", None)
    weights, accept = _policy(policy, found=found) if policy else ({}, frozenset())
    return Configuration(
        path=path,
        options={key: _default(shapes[key], value) for key, value in values.items()},
        identities=_identities(identities) if identities else Identities(),
        policy=weights,
        accept=accept,
        lines={name: key.line for name, key in root.keys().items()},
    )


def _refuse_planted(values: Mapping[str, Value], keys: Mapping[str, Value]) -> None:
    for name, value in values.items():
        if name == "policy":
            continue
        only = FOUND_MAY_SAY.get(name)
        if name not in FOUND_MAY_SAY:
            raise _planted(keys[name], "is refused")
        if only is not None and not _says(value, only):
            raise _planted(keys[name], f"may only be {only}")


def _says(value: Value, wanted: str) -> bool:
    return str(value.flag()).lower() == wanted if wanted == "true" else value.written() == wanted


def _planted(key: Value, refused: str) -> ConfigurationError:
    """Return the error about a key that a file may not hold when nobody named it; the caller raises it."""
    return key.error(
        f"{refused} in a file that was found, since a pull request could plant it",
        f"name the file: --config {shlex.quote(key.file)}",
    )


def _default(shape: Shape, value: Value) -> Default:
    if shape is Shape.FLAG:
        return value.flag()
    if shape is Shape.ONE:
        return value.written()
    texts = value.texts() if value.kind == "list" else (value.written(),)
    return ",".join(texts) if shape is Shape.JOINED else texts


def _identities(value: Value) -> Identities:
    texts: dict[str, str] = {}
    policies: dict[str, tuple[str, ...]] = {}
    for key, entry in value.mapping().items():
        if entry.kind != "mapping" or key == "account":
            texts[key] = entry.text().strip()
            continue
        fields = entry.fields({"identity", "policies"})
        if "identity" in fields:
            texts[key] = fields["identity"].text().strip()
        if "policies" in fields:
            named = fields["policies"]
            policies[key] = named.texts() if named.kind == "list" else (named.text(),)
    for key, entry in value.mapping().items():
        parts = key.split("/")
        if key not in {"default", "account"} and (len(parts) != 2 or not all(parts)):
            raise entry.error("must be namespace/secret, default or account")
    default, account = texts.pop("default", None), texts.pop("account", None)
    return Identities(by_secret=texts, default=default, account=account, policies=policies)


def _policy(value: Value, *, found: bool) -> tuple[dict[str, Severity], frozenset[str]]:
    from upgrade_gate.gate import findings

    entries = value.mapping()
    accepted = entries.pop("accept", None)
    if accepted is not None and found:
        raise _planted(value.keys()["accept"], "is refused")
    accept = frozenset(accepted.texts()) if accepted is not None else frozenset()
    for name in sorted(accept - ACCEPTABLE):
        raise ConfigurationError(f"{value.file}:{value.line}: accept: {name!r} is not one of {', '.join(ACCEPTABLE)}")
    rules = findings.catalogue()
    order = list(findings.Severity)
    weights: dict[str, Severity] = {}
    for rule_id, entry in entries.items():
        rule = rules.get(rule_id)
        if rule is None:
            raise entry.error("is not a rule", "upgrade-gate rules lists them")
        text = entry.text()
        if text not in order:
            raise entry.error(f"{text!r} is not a severity", f"one of {', '.join(order)}")
        severity = findings.Severity(text)
        if rule.only_upwards and order.index(severity) > order.index(rule.severity):
            raise entry.error(
                f"cannot be lowered from {rule.severity} to {severity}",
                "the gate must not pass on what it does not know",
            )
        if found and order.index(severity) > order.index(rule.severity):
            raise _planted(value.keys()[rule_id], f"may only be raised from {rule.severity}: {severity} is refused")
        weights[rule_id] = severity
    return weights, accept
