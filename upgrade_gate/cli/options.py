"""The options that several commands share, as decorators that hand over one frozen object each.

See docs/contract.md#options.

    @click.command()
    @release_options
    @cluster_options
    @output_options
    def command(release: ReleaseOptions, cluster: ClusterOptions, output: OutputOptions) -> ExitCode: ...

Where their values come from, and what contradicts what, is in `option_sources.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from upgrade_gate.base.platforms import DEFAULT_PROFILE
from upgrade_gate.cli import configuration as configurations
from upgrade_gate.cli import input_paths, stderr, stdout
from upgrade_gate.cli.configuration import Shape
from upgrade_gate.cli.option_sources import Decorator, config_option, flag, group, long_name, refuse_other_hosts
from upgrade_gate.cli.option_types import (
    CapabilityList,
    ClusterForm,
    ClusterSource,
    Duration,
    Host,
    IdentitiesForm,
    IdentitiesSource,
    Label,
    Moment,
    Now,
    Output,
    OutputForm,
    PlatformName,
    ReleaseForm,
    Span,
    identity_sources,
)
from upgrade_gate.cli.single_options import (
    cluster_timeout_option,
    deadline_option,
    kubeconfig_option,
    read_secrets_option,
)
from upgrade_gate.clouds.contract.context import ASSUMPTIONS
from upgrade_gate.cluster.credentials_mode import Mode
from upgrade_gate.payloads.reference import Settings

if TYPE_CHECKING:
    from upgrade_gate.cli.configuration import Configuration

ARCHITECTURES: Mapping[str, str] = {
    "amd64": "amd64",
    "x86_64": "amd64",
    "arm64": "arm64",
    "aarch64": "arm64",
    "ppc64le": "ppc64le",
    "s390x": "s390x",
    "multi": "multi",
}


class ReleaseOptions(Struct, frozen=True):
    """Which releases are compared."""

    to: str
    from_: str | None
    """None: the release that the cluster runs."""


class ClusterOptions(Struct, frozen=True):
    """Which cluster is read, and what the user says about it."""

    source: ClusterSource | None
    """None: a live cluster where a kubeconfig or an in-cluster account is found, unless `no_cluster`."""
    no_cluster: bool
    kubeconfig: Path | None
    context: str | None
    platform: str | None
    """As Infrastructure spells it."""
    mode: Mode | None
    profile: str | None
    feature_set: str | None
    capabilities: tuple[str, ...] | None
    """Enabled capabilities; an empty tuple means none, None that nothing was said."""
    read_secrets: bool
    timeout: float


class GateOptions(Struct, frozen=True):
    """How findings are weighed."""

    configuration: Configuration
    acknowledgements: tuple[str, ...]
    """Paths; `-` is stdin."""
    fail_on: str
    """`blocker` or `warning`."""
    require_proof: bool
    strict_proof: bool
    assume: tuple[str, ...]
    """What is taken for granted of the cluster when grants are judged."""
    max_age: Span | None
    """How old an export may be; None: of any age."""
    now: Moment | None
    """None: the clock."""
    labels: Mapping[str, str]
    via: tuple[str, ...]
    identities: tuple[IdentitiesSource, ...]
    ccoctl_name: str | None


class OutputOptions(Struct, frozen=True):
    """Where reports go."""

    outputs: tuple[Output, ...]
    """At most one of them on stdout."""
    max_bytes: int
    color: bool
    """Whether what goes to stdout is coloured."""


class RegistryOptions(Struct, frozen=True):
    """How releases are read."""

    settings: Settings
    mirrors_from_cluster: bool = False
    pull_secret_from_cluster: bool = False


RELEASE: Mapping[str, Any] = {"type": ReleaseForm(), "metavar": "RELEASE"}
"""What every option that takes a release has in common."""

via_option = click.option("--via", multiple=True, **RELEASE, help="A stop on the way, in order. Repeatable.")


def release_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--to` and `--from`; the command takes `release: ReleaseOptions`."""
    return group(
        "release",
        lambda v: ReleaseOptions(v["to"], v["from_"]),
        click.option(
            "--to",
            required=True,
            **RELEASE,
            help="Target release: image, version, dir:, archive:, …",
        ),
        click.option(
            "--from",
            "from_",
            **RELEASE,
            help="Current release.  [default: what the cluster runs]",
        ),
    )(function)


def cluster_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add what says which cluster is read; the command takes `cluster: ClusterOptions`."""
    return group(
        "cluster",
        _cluster,
        click.option(
            "--cluster",
            type=ClusterForm(),
            metavar="SOURCE",
            help="live, snapshot:FILE or must-gather:DIR.  [default: live where a kubeconfig or account is found]",
        ),
        click.option("--no-cluster", is_flag=True, help="Read no cluster; needs --from and --platform."),
        kubeconfig_option,
        click.option("--context", metavar="NAME", help="Context of the kubeconfig."),
        click.option(
            "--platform", type=PlatformName(), metavar="NAME", help="AWS, Azure, GCP, … as Infrastructure has it."
        ),
        click.option(
            "--mode",
            type=click.Choice([Mode.MANUAL.value, Mode.MINT.value, Mode.PASSTHROUGH.value], case_sensitive=False),
            help="Credentials mode, where the cluster cannot tell.",
        ),
        click.option("--profile", metavar="NAME", help=f"Cluster profile, such as {DEFAULT_PROFILE}."),
        click.option("--feature-set", metavar="NAME", help="Default, TechPreviewNoUpgrade, …"),
        click.option(
            "--capabilities", type=CapabilityList(), metavar="NAME,…", help="Enabled capabilities; '' for none."
        ),
        read_secrets_option,
        cluster_timeout_option,
    )(function)


def configuration_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--config` alone, for commands without a gate; the command takes `configuration: Configuration`."""
    return group("configuration", lambda v: v["config"] or configurations.EMPTY, config_option(configurable))(function)


def gate_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add what weighs findings, `--config` and `--via` included; the command takes `gate: GateOptions`."""
    return group("gate", _gate, *_weighing(), via_option, *_identifying())(function)


def weighing_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the same without `--via`, for a command that finds the stops itself."""
    return group("gate", _gate, *_weighing(), *_identifying())(function)


def _weighing() -> tuple[Decorator, ...]:
    return (
        config_option(configurable),
        click.option(
            "--acknowledgements", multiple=True, metavar="FILE", help="Acknowledged findings; - is stdin. Repeatable."
        ),
        click.option(
            "--fail-on",
            type=click.Choice(["blocker", "warning"]),
            default="blocker",
            show_default=True,
            help="Lowest severity that blocks.",
        ),
        click.option("--require-proof", is_flag=True, help="No pass unless today's permissions are proven too."),
        click.option("--strict-proof", is_flag=True, help="Take what no export can show (such as SCPs) as unknown."),
        click.option(
            "--assume",
            type=click.Choice(list(ASSUMPTIONS)),
            multiple=True,
            help="Assume that all that the cluster has and creates carries its tag. Repeatable.",
        ),
        click.option(
            "--max-age", type=Duration(), metavar="DURATION", help="An export older than this (24h, 7d) proves nothing."
        ),
        click.option("--now", type=Now(), metavar="DATE|TIME", help="Judge expiry by this time.  [default: the clock]"),
        click.option(
            "--label", type=Label(), multiple=True, metavar="KEY=VALUE", help="Put on the report. Repeatable."
        ),
    )


def _identifying() -> tuple[Decorator, ...]:
    return (
        click.option(
            "--identities",
            type=IdentitiesForm(),
            multiple=True,
            metavar="SOURCE",
            help="export:PATH or live: what is really granted; policies:PATH: what a repository declares. Repeatable.",
        ),
        click.option("--ccoctl-name", metavar="NAME", help="The --name that ccoctl was run with."),
    )


def output_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add what says where reports go, a text on stdout if nothing does; the command takes `output: OutputOptions`."""
    return _reports("Report format, to stdout or a file. Repeatable.  [default: text]", Output("text", None))(function)


def copy_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the same for a command whose result holds the report: what nobody asks for is not written once more."""
    return _reports("The report as well, to stdout or a file. Repeatable.  [default: only in the bundle]")(function)


def answer_options(*formats: str) -> Decorator:
    """Return what says where an answer of its own formats goes, a text on stdout if nothing does."""
    text = f"Format, {', '.join(formats)}; to stdout or a file. Repeatable.  [default: text]"
    return group("output", lambda values: _output(values, (Output("text", None),)), _to(text, formats), *_log_options())


def log_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add what says how much stderr tells; the command takes nothing."""
    return group(None, lambda _: None, *_log_options())(function)


def _log_options() -> tuple[Decorator, Decorator]:
    return (
        click.option("-v", "--verbose", is_flag=True, is_eager=True, callback=_verbose, help="Log to stderr."),
        click.option("-q", "--quiet", is_flag=True, is_eager=True, callback=_quiet, help="Only errors on stderr."),
    )


def _reports(text: str, *default: Output) -> Decorator:
    return group(
        "output",
        lambda values: _output(values, default),
        _to(text),
        click.option(
            "--max-bytes",
            type=click.IntRange(min=1000),
            default=65_000,
            show_default=True,
            help="Largest markdown report.",
        ),
        click.option(
            "--color",
            type=click.Choice(["auto", "always", "never"]),
            default="auto",
            show_default=True,
            help="Colours.",
        ),
        *_log_options(),
    )


def _to(text: str, formats: tuple[str, ...] = ()) -> Decorator:
    return click.option("-o", "--output", type=OutputForm(formats), multiple=True, metavar="FORMAT[=PATH]", help=text)


def registry_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add what says how releases are read; the command takes `registry: RegistryOptions`."""
    file = click.Path(exists=True, dir_okay=False, path_type=Path)
    return group(
        "registry",
        _registry,
        click.option("-a", "--registry-config", type=file, help="Registry credentials, as oc takes them."),
        click.option("--certificate-authority", type=file, help="CA bundle for registries, Azure, Google and a hub."),
        click.option(
            "--insecure", type=Host(), multiple=True, metavar="HOST", help="No TLS check for this host. Repeatable."
        ),
        click.option("--idms-file", type=file, multiple=True, help="ImageDigestMirrorSets and ImageTagMirrorSets."),
        click.option("--icsp-file", type=file, multiple=True, help="ImageContentSourcePolicies."),
        click.option(
            "--verify",
            type=click.Choice(["auto", "require", "off"]),
            default="auto",
            show_default=True,
            help="Release signatures.",
        ),
        click.option(
            "--signatures",
            type=click.Path(exists=True, path_type=Path),
            multiple=True,
            help="Signatures and keyrings. Repeatable.",
        ),
        click.option("--offline", is_flag=True, help="Refuse whatever would need another host."),
        deadline_option("--timeout", 120.0, "Deadline of one download."),
        click.option(
            "--graph", metavar="URL|FILE", help="Update graph.  [default: the cluster's, else the public one]"
        ),
        click.option("--channel", metavar="NAME", help="Update channel.  [default: the cluster's]"),
        click.option(
            "--architecture",
            type=click.Choice(list(ARCHITECTURES)),
            default="amd64",
            show_default=True,
            help="Architecture to look up in the update graph.",
        ),
        click.option("--cache-dir", type=click.Path(file_okay=False, path_type=Path), help="Where releases are kept."),
        click.option("--no-cache", is_flag=True, help="Neither use nor fill the cache."),
        click.option("--mirrors-from-cluster", is_flag=True, help="Use the cluster's own mirror settings."),
        click.option("--pull-secret-from-cluster", is_flag=True, help="Use the cluster's own pull secret."),
    )(function)


def configurable() -> Mapping[str, Shape]:
    """Return which options may have a default in the configuration file: those that commands share."""

    def command() -> None: ...

    decorated: Callable[..., Any] = command
    for add in (release_options, cluster_options, gate_options, output_options, registry_options):
        decorated = add(decorated)
    found = {long_name(option): _shape(option) for option in decorated.__click_params__}  # type: ignore[attr-defined]
    return {name: shape for name, shape in found.items() if name not in {"config", "identities"}}


def _shape(option: click.Option) -> Shape:
    if option.is_flag:
        return Shape.FLAG
    if isinstance(option.type, CapabilityList):
        return Shape.JOINED
    return Shape.LIST if option.multiple else Shape.ONE


def _cluster(values: Mapping[str, Any]) -> ClusterOptions:
    source: ClusterSource | None = values["cluster"]
    if source is not None and source.kind != "live":
        for name in ("kubeconfig", "context"):
            if values[name]:
                raise click.UsageError(f"{flag(name)} is for a live cluster, not for --cluster {source.text}")
    if values["no_cluster"]:
        missing = [flag(n) for n in ("from_", "platform") if n in values and not values[n]]
        if missing:
            raise click.UsageError(f"--no-cluster needs {' and '.join(missing)}: no cluster can tell")
    return ClusterOptions(
        source=source,
        no_cluster=bool(values["no_cluster"]),
        kubeconfig=values["kubeconfig"],
        context=values["context"],
        platform=values["platform"],
        mode=Mode(values["mode"]) if values["mode"] else None,
        profile=values["profile"],
        feature_set=values["feature_set"],
        capabilities=values["capabilities"],
        read_secrets=bool(values["read_secrets"]),
        timeout=values["cluster_timeout"],
    )


def _gate(values: Mapping[str, Any]) -> GateOptions:
    labels: dict[str, str] = {}
    for key, text in values["label"]:
        if labels.setdefault(key, text) != text:
            raise click.UsageError(f"--label {key} is given twice, with {labels[key]!r} and {text!r}")
    if values["acknowledgements"].count("-") > 1:
        raise click.UsageError("--acknowledgements - is given twice: stdin can be read once")
    return GateOptions(
        configuration=values["config"] or configurations.EMPTY,
        acknowledgements=tuple(values["acknowledgements"]),
        fail_on=values["fail_on"],
        require_proof=values["require_proof"],
        strict_proof=values["strict_proof"],
        assume=tuple(dict.fromkeys(values["assume"])),
        max_age=values["max_age"],
        now=values["now"],
        labels=labels,
        via=tuple(values.get("via", ())),
        identities=identity_sources(values["identities"]),
        ccoctl_name=values["ccoctl_name"],
    )


def _output(values: Mapping[str, Any], default: tuple[Output, ...]) -> OutputOptions:
    outputs: tuple[Output, ...] = tuple(values["output"]) or default
    if sum(o.path is None for o in outputs) > 1:
        raise click.UsageError("at most one -o goes to stdout: give the others a path, -o FORMAT=PATH")
    paths = [o.path for o in outputs if o.path is not None]
    places = [path.resolve() for path in paths]
    twice = next((path for path in paths if places.count(path.resolve()) > 1), None)
    if twice:
        raise click.UsageError(f"two reports cannot both be written to {twice}")
    for path in paths:
        stdout.check_file(path)
        input_paths.refuse(path)
    return OutputOptions(
        outputs=outputs,
        max_bytes=values.get("max_bytes", 0),
        color="color" in values and stdout.wants_color(values["color"]),
    )


def _registry(values: Mapping[str, Any]) -> RegistryOptions:
    if values["offline"]:
        refuse_other_hosts(values)
    if values["verify"] == "off" and values["signatures"]:
        raise click.UsageError("--signatures contradicts --verify off: nothing would look at them")
    if values["verify"] == "require" and find_spec("pysequoia") is None:
        raise click.UsageError("--verify require needs the extra `verify`: pip install 'upgrade-gate[verify]'")
    settings = Settings(
        registry_config=values["registry_config"],
        certificate_authority=values["certificate_authority"],
        insecure=tuple(values["insecure"]),
        idms_files=tuple(values["idms_file"]),
        icsp_files=tuple(values["icsp_file"]),
        verify=values["verify"],
        signatures=tuple(values["signatures"]),
        graph=values["graph"],
        channel=values["channel"],
        architecture=ARCHITECTURES[values["architecture"]],
        offline=bool(values["offline"]),
        timeout=values["timeout"],
        cache_dir=None if values["no_cache"] else values["cache_dir"] or _cache_folder(),
        progress=not stderr.silent(),
    )
    return RegistryOptions(
        settings=settings,
        mirrors_from_cluster=bool(values["mirrors_from_cluster"]),
        pull_secret_from_cluster=bool(values["pull_secret_from_cluster"]),
    )


def _cache_folder() -> Path:
    from upgrade_gate.payloads import cache

    return cache.default_folder()


def _verbose(ctx: click.Context, _param: click.Parameter, value: bool) -> bool:
    if value and not ctx.resilient_parsing:
        stderr.set_verbose()
    return value


def _quiet(ctx: click.Context, _param: click.Parameter, value: bool) -> bool:
    if value and not ctx.resilient_parsing:
        stderr.set_quiet()
    return value
