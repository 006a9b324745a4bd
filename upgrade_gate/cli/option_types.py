"""The shapes of option values that click does not know: releases and clusters by form, outputs, labels, dates."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from upgrade_gate.base import platforms, plugins
from upgrade_gate.base.paths import exists, is_dir
from upgrade_gate.reading.files import open_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from click.shell_completion import CompletionItem

    ParamType = click.ParamType[Any]
else:
    ParamType = click.ParamType

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_RFC_3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_SPAN = re.compile(r"(\d{1,6})([mhdw])", re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_ENOUGH = 4096
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+)(:\d{1,5})?", re.ASCII)


class ClusterSource(Struct, frozen=True):
    """Where the facts of the cluster come from."""

    kind: str
    """`live`, `snapshot` or `must-gather`: the plugin in `readers/`, with `-` for `_`."""
    path: Path | None
    """The file or folder; None for a live cluster."""
    text: str
    """As the user gave it."""


class IdentitiesSource(Struct, frozen=True):
    """Where the policies of identities come from."""

    kind: str
    """`export`, `policies` or `live`."""
    path: Path | None
    text: str


class Output(Struct, frozen=True):
    """One `-o FORMAT[=PATH]`."""

    format: str
    """The plugin in `formats/`."""
    path: Path | None
    """None: stdout."""


class Moment(Struct, frozen=True):
    """The time by which acknowledgements are judged, as the user gave it and as a point in time (UTC)."""

    text: str
    at: datetime


def near(name: str, known: tuple[str, ...]) -> str:
    """Return ` (did you mean …?)` for names like this one, else the list of all; for messages."""
    import difflib

    close = difflib.get_close_matches(name, known)
    return f"did you mean {' or '.join(close)}?" if close else f"there is {', '.join(known)}"


class Form(ParamType):
    """A kind of value, with the words that a shell may complete."""

    def words(self) -> tuple[str, ...]:
        """Return the words that such a value may begin with."""
        return ()

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:  # noqa: ARG002
        """Offer the words."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(w) for w in self.words() if w.lower().startswith(incomplete.lower())]


class ClusterForm(Form):
    """`live`, `snapshot:FILE` or `must-gather:DIR`; a path that does not exist is a usage error."""

    name = "source"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> ClusterSource:
        """Return the source."""
        if isinstance(value, ClusterSource):
            return value
        kind, _, rest = str(value).partition(":")
        if kind == "live" and not rest:
            return ClusterSource("live", None, value)
        if kind not in {"snapshot", "must-gather"} or not rest:
            return self._bare(str(value), param, ctx)
        path = _existing(self, rest, param, ctx)
        if kind == "snapshot" and is_dir(path):
            self.fail(f"{value!r} is a folder: a dump is given as must-gather:{rest}", param, ctx)
        return ClusterSource(kind, path, value)

    def _bare(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> ClusterSource:
        """Return the source for a path without its form, as releases take one; a snapshot calls itself so."""
        path = Path(value)
        if not exists(path):
            self.fail(f"{value!r} is not live, snapshot:FILE or must-gather:DIR, and no path that is there", param, ctx)
        family: str = plugins.load("cluster.readers", "snapshot").FAMILY
        kind = "snapshot" if path.is_file() and family.encode() in _beginning(path) else "must-gather"
        return ClusterSource(kind, path, f"{kind}:{value}")

    def words(self) -> tuple[str, ...]:
        """Return the forms."""
        return ("live", "snapshot:", "must-gather:")


class ReleaseForm(Form):
    """A release: a version, an image, or a form with its path; `payloads.reference` reads it."""

    name = "release"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002
        """Return the text as it is."""
        return str(value)

    def words(self) -> tuple[str, ...]:
        """Return the forms, and the release that the cluster runs."""
        return ("dir:", "archive:", "oci:", "mirror:", "registry:", "cluster")


class IdentitiesForm(Form):
    """`live`, `export:PATH` or `policies:PATH`."""

    name = "source"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> IdentitiesSource:
        """Return the source."""
        if isinstance(value, IdentitiesSource):
            return value
        kind, _, rest = str(value).partition(":")
        if kind == "live" and not rest:
            return IdentitiesSource("live", None, value)
        if kind not in {"export", "policies"} or not rest:
            self.fail(f"{value!r} is not live, export:PATH or policies:PATH", param, ctx)
        return IdentitiesSource(kind, _existing(self, rest, param, ctx), value)

    def words(self) -> tuple[str, ...]:
        """Return the forms."""
        return ("live", "export:", "policies:")


def identity_sources(sources: Sequence[IdentitiesSource]) -> tuple[IdentitiesSource, ...]:
    """Return the sources; raises a usage error where an account is asked and an export of one is given as well."""
    kinds = [source.kind for source in sources]
    if "live" in kinds and "export" in kinds:
        raise click.UsageError("--identities live contradicts --identities export: what is really granted is read once")
    return tuple(dict.fromkeys(sources))


class PlatformName(Form):
    """A platform as Infrastructure spells it, case ignored."""

    name = "platform"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name in Infrastructure's spelling."""
        platform = platforms.by_name(str(value))
        if platform is None:
            self.fail(f"{value!r} is not a platform: {near(str(value), _platform_names())}", param, ctx)
        return platform.name

    def words(self) -> tuple[str, ...]:
        """Return the platforms."""
        return _platform_names()


class OutputForm(Form):
    """`FORMAT` for stdout or `FORMAT=PATH` for a file; the formats are the files in `formats/`, else those given."""

    name = "format[=path]"

    def __init__(self, formats: tuple[str, ...] = ()) -> None:
        self._formats = formats

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Output:
        """Return the output."""
        if isinstance(value, Output):
            return value
        form, _, path = str(value).partition("=")
        known = self.words()
        if form not in known:
            self.fail(f"{form!r} is not a format: {near(form, known)}", param, ctx)
        if "=" in str(value) and not path:
            self.fail(f"{value!r} names no path after the =", param, ctx)
        return Output(form, None if path in {"", "-"} else Path(path))

    def words(self) -> tuple[str, ...]:
        """Return the formats."""
        return self._formats or plugins.names("report.formats")


class Label(Form):
    """`KEY=VALUE`."""

    name = "key=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Return key and value."""
        if isinstance(value, tuple):
            return value
        key, equals, text = str(value).partition("=")
        if not equals or not key.strip():
            self.fail(f"{value!r} is not KEY=VALUE", param, ctx)
        return key.strip(), text.strip()


class Host(Form):
    """A registry's host, with a port where it has one; no scheme and no path."""

    name = "host"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the host in lower case."""
        if not _HOST.fullmatch(str(value)):
            self.fail(f"{value!r} is not HOST or HOST:PORT", param, ctx)
        return str(value).lower()


class HttpsUrl(ParamType):
    """An https address, without its last slash and without anything that may be a credential."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the address."""
        from upgrade_gate.reading.http.urls import is_url, shown_url

        text = str(value)
        if not (is_url(text) and text.startswith("https://") and shown_url(text) == text and text.isprintable()):
            self.fail(f"{text[:80]!r} is no https address, or has a user, query or fragment", param, ctx)
        return text.rstrip("/")


class CapabilityList(Form):
    """Names divided by commas; an empty text means none at all."""

    name = "name,…"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:  # noqa: ARG002
        """Return the names, sorted, each once."""
        if isinstance(value, tuple):
            return value
        return tuple(sorted({n.strip() for n in str(value).split(",") if n.strip()}))


class Now(Form):
    """A date, meaning 00:00 UTC, or an RFC 3339 time."""

    name = "date|time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Moment:
        """Return the moment."""
        if isinstance(value, Moment):
            return value
        text = str(value)
        try:
            if _DAY.fullmatch(text):
                return Moment(text, datetime.fromisoformat(text).replace(tzinfo=UTC))
            if _RFC_3339.fullmatch(text):
                return Moment(text, datetime.fromisoformat(text.upper().replace(" ", "T")).astimezone(UTC))
        except (ValueError, OverflowError) as exc:
            self.fail(f"{text!r}: {exc}", param, ctx)
        return self.fail(
            f"{text!r} is neither a date (2026-11-01) nor an RFC 3339 time (2026-11-01T08:00:00Z)", param, ctx
        )


class Span(Struct, frozen=True):
    """A length of time, as the user gave it and as one."""

    text: str
    length: timedelta


class Duration(Form):
    """A number with a unit: `90m`, `24h`, `7d` or `2w`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Span:
        """Return the length of time."""
        if isinstance(value, Span):
            return value
        found = _SPAN.fullmatch(str(value))
        if found is None or not int(found.group(1)):
            return self.fail(f"{value!r} is not a duration, such as 90m, 24h, 7d or 2w", param, ctx)
        return Span(str(value), timedelta(**{_UNITS[found.group(2)]: int(found.group(1))}))


class Day(Form):
    """A date, `YYYY-MM-DD`."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the date."""
        if isinstance(value, date):
            return value
        if not _DAY.fullmatch(str(value)):
            self.fail(f"{value!r} is not a date such as 2027-03-31", param, ctx)
        try:
            return date.fromisoformat(str(value))
        except ValueError as exc:
            self.fail(f"{value!r}: {exc}", param, ctx)


def _platform_names() -> tuple[str, ...]:
    return tuple(sorted(p.name for p in platforms.PLATFORMS.values()))


def _beginning(path: Path) -> bytes:
    """Return the first bytes of a file; of one that cannot be read none: its reader says why."""
    try:
        with open_file(path) as stream:
            return stream.read(_ENOUGH)
    except OSError:
        return b""


def _existing(form: Form, text: str, param: click.Parameter | None, ctx: click.Context | None) -> Path:
    path = Path(text)
    if not exists(path):
        form.fail(f"{text!r} does not exist", param, ctx)
    return path
