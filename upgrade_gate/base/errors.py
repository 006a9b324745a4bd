"""The exception tree and the exit codes that it maps to.

UpgradeGateError
├── UsageError            2   the command line, a path that does not exist
│   └── ConfigurationError    the configuration or acknowledgements file
├── ReadError             4   something that exists could not be read: no verdict
│   ├── SourceError           a release payload
│   ├── ManifestError         a document of a payload
│   ├── ClusterError          the cluster, a dump of it, a snapshot
│   └── EntitlementError      an export of identities, or a cloud's API
└── OutputError           1   a report or a bundle could not be written
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of the command (docs/contract.md#exit-codes). All others are reserved."""

    PASS = 0
    """Pass."""
    INTERNAL = 1
    """Internal error, or an output that could not be written (a closed pipe too): never a verdict."""
    USAGE = 2
    """Usage or configuration error."""
    BLOCKED = 3
    """Blocked."""
    UNDETERMINED = 4
    """Cannot tell: a release, the cluster or an identity could not be read."""
    INTERRUPTED = 130
    """Interrupted."""


class UpgradeGateError(Exception):
    """Anything the tool reports to its user; `message` names the object, `hint` the next step."""

    exit_code: ExitCode = ExitCode.INTERNAL

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class UsageError(UpgradeGateError):
    """The command was called wrongly, or names a path that does not exist."""

    exit_code = ExitCode.USAGE


class ConfigurationError(UsageError):
    """A configuration or acknowledgements file is wrong; the message names file and line."""


class ReadError(UpgradeGateError):
    """Something that exists could not be read: no verdict can rest on it."""

    exit_code = ExitCode.UNDETERMINED


class SourceError(ReadError):
    """A release payload could not be fetched, verified or unpacked."""


class ManifestError(ReadError):
    """A document of a payload cannot be understood; the message names file and line."""


class ClusterError(ReadError):
    """The cluster, a dump or a snapshot of it cannot be read at all."""


class EntitlementError(ReadError):
    """An export of identities, or a cloud's own API, cannot be read at all."""


class OutputError(UpgradeGateError):
    """A report, a bundle or another output could not be written."""

    exit_code = ExitCode.INTERNAL
