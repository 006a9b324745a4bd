"""`check`: the gate, whether this cluster holds what the target release needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from upgrade_gate.commands import _stderr, _wiring
from upgrade_gate.commands._options import (
    cluster_options,
    gate_options,
    output_options,
    registry_options,
    release_options,
)
from upgrade_gate.errors import ExitCode

if TYPE_CHECKING:
    from upgrade_gate.commands._options import (
        ClusterOptions,
        GateOptions,
        OutputOptions,
        RegistryOptions,
        ReleaseOptions,
    )

__all__ = ["command"]


@click.command()
@release_options
@cluster_options
@gate_options
@output_options
@registry_options
def command(
    *,
    release: ReleaseOptions,
    cluster: ClusterOptions,
    gate: GateOptions,
    output: OutputOptions,
    registry: RegistryOptions,
) -> ExitCode:
    """Decide whether the cluster holds what the target release needs.

    Exit codes: 0 pass, 3 blocked, 4 cannot tell, 2 usage; 1 is never a verdict.
    """
    from upgrade_gate import acknowledgements, assembly, pipeline

    reader = _wiring.open_reader(cluster, timeout=registry.settings.timeout, offline=registry.settings.offline)
    plan = pipeline.Plan(
        to=release.to,
        from_=release.from_,
        via=gate.via,
        settings=_wiring.settings_for(registry, reader),
        reader=reader,
        given=_wiring.given(cluster),
        accept_secret_exists="secret-exists" in gate.configuration.accept,
        claims=_wiring.claims(gate, timeout=registry.settings.timeout),
    )
    weighing = pipeline.Weighing(
        acknowledgements=acknowledgements.load(gate.acknowledgements),
        policy=gate.configuration.policy,
        fail_on_warning=gate.fail_on == "warning",
        require_proof=gate.require_proof,
        today=gate.now.at.date() if gate.now else None,
    )
    outcome = pipeline.check(plan, weighing)
    document = assembly.of_outcome(outcome, labels=gate.labels, now=gate.now.text if gate.now else None)
    _wiring.write_reports(document, output)
    if outcome.verdict.exit_code is ExitCode.UNDETERMINED:
        _stderr.no_verdict(outcome.verdict.summary)
    else:
        _stderr.say(outcome.verdict.summary)
    return outcome.verdict.exit_code
