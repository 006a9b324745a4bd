"""How options become one object for a command: contradictions, and the configuration file as the source of defaults.

Precedence: command line, then the configuration file, then the default. Two options that contradict each other on
the same level are a usage error; one from the command line silences one from the configuration.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click
from click.core import ParameterSource

from upgrade_gate.cli import configuration

if TYPE_CHECKING:
    from upgrade_gate.cli.configuration import Configuration, Shape
    from upgrade_gate.cli.option_types import ClusterSource, IdentitiesSource

Decorator: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]

CONTRADICTIONS: tuple[tuple[str, str, str], ...] = (
    ("no_cluster", "cluster", "give one of them"),
    ("no_cluster", "kubeconfig", "a kubeconfig is only for reading a live cluster"),
    ("no_cluster", "context", "a context is only for reading a live cluster"),
    ("no_cluster", "read_secrets", "there is no cluster to read Secrets from"),
    ("no_cluster", "mirrors_from_cluster", "there is no cluster to read mirrors from; use --idms-file"),
    ("no_cluster", "pull_secret_from_cluster", "there is no cluster to read it from; use --registry-config"),
    ("no_cache", "cache_dir", "give one of them"),
    ("pull_secret_from_cluster", "registry_config", "give one of them"),
    ("verbose", "quiet", "give one of them"),
)
"""Pairs of parameters that cannot both be given, with the reason in words."""
_OF_A_RUN = frozenset({"read_secrets", "mirrors_from_cluster", "pull_secret_from_cluster"})
"""What a command that prints something beforehand may be told without a cluster: the later run will have one."""


def group(name: str | None, build: Callable[[Mapping[str, Any]], Any], *options: Decorator) -> Decorator:
    """Return a decorator that adds the options and passes `build` of all settled values as `name`, if there is one."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(**values: Any) -> Any:
            built = build(_settled())
            return function(**{k: v for k, v in values.items() if k not in own}, **({name: built} if name else {}))

        before = {p.name for p in getattr(function, "__click_params__", ())}
        decorated: Callable[..., Any] = call
        for option in reversed(options):
            decorated = option(decorated)
        own = {p.name for p in decorated.__click_params__} - before  # type: ignore[attr-defined]
        return decorated

    return decorate


def _settled() -> Mapping[str, Any]:
    """Return the values of all options of this call, contradictions settled.

    Raises click.UsageError where two contradict each other on the same level.
    """
    context = click.get_current_context()
    values: dict[str, Any] = dict(context.params)
    for one, other, why in CONTRADICTIONS:
        if not (values.get(one) and values.get(other)):
            continue
        if one == "no_cluster" and other in _OF_A_RUN and getattr(context.command, "beforehand", False):
            continue
        sources = {name: context.get_parameter_source(name) for name in (one, other)}
        configured = [n for n, s in sources.items() if s is ParameterSource.DEFAULT_MAP]
        if len(configured) == 1:
            values[configured[0]] = None
            continue
        where = f" in {values['config'].path}" if configured else ""
        raise click.UsageError(f"{flag(one)} contradicts {flag(other)}{where}: {why}", context)
    return values


def refuse_other_hosts(values: Mapping[str, Any]) -> None:
    """Raise a usage error for each option that asks for another host under `--offline`, naming the file form."""
    cluster: ClusterSource | None = values.get("cluster")
    identities: Sequence[IdentitiesSource] = values.get("identities") or ()
    graph: str | None = values["graph"]
    if cluster is not None and cluster.kind == "live":
        raise click.UsageError("--offline contradicts --cluster live: use snapshot:FILE or must-gather:DIR")
    if any(source.kind == "live" for source in identities):
        raise click.UsageError("--offline contradicts --identities live: use export:PATH")
    if graph is not None and "://" in graph and not graph.startswith("file://"):
        raise click.UsageError("--offline contradicts a --graph on another host: give the file of a saved graph")


def flag(name: str) -> str:
    """Return how an option is written on the command line."""
    return f"--{name.strip('_').replace('_', '-')}"


def long_name(option: click.Parameter) -> str:
    """Return an option's name as the configuration file has it."""
    return option.opts[-1].removeprefix("--")


def config_option(shapes: Callable[[], Mapping[str, Shape]]) -> Decorator:
    """Return `--config`; whatever the file says becomes the default of the command's other options.

    `shapes` is asked for what may stand in the file, once there is one.
    """
    return click.option(
        "--config",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        is_eager=True,
        callback=lambda ctx, _param, path: _configure(ctx, path, shapes),
        help="Configuration file.  [default: upgrade-gate.yaml, if there is one]",
    )


def _configure(
    ctx: click.Context, path: Path | None, shapes: Callable[[], Mapping[str, Shape]]
) -> Configuration | None:
    """Load the configuration and make it the defaults of this command's options.

    Values are checked here, so that a wrong one is reported with its file and line and not as an option.
    """
    if ctx.resilient_parsing:
        return None
    found = configuration.find() if path is None else None
    file = path or found
    loaded = configuration.load(file, shapes(), found=found is not None) if file else configuration.EMPTY
    parameters = {long_name(p): p for p in ctx.command.params if isinstance(p, click.Option)}
    defaults: dict[str, Any] = {}
    for key, value in loaded.options.items():
        parameter = parameters.get(key)
        if parameter is None or parameter.name is None:  # an option of another command
            continue
        try:
            parameter.type_cast_value(ctx, value)
        except click.BadParameter as exc:
            raise loaded.error(key, exc.message) from exc
        defaults[parameter.name] = value
    ctx.default_map = defaults
    return loaded
