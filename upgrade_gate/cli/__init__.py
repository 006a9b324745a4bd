"""The command line: one group whose commands are the modules beside this one, and one way out with an exit code.

A command is a module with an attribute `command`; its file name is its name and the first line of its docstring,
"`name`: what it does.", its line in `--help`. So there is no list to edit, and `--help` imports no command at all.
A folder is a group of commands, found in the same way.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import click

from upgrade_gate import __version__
from upgrade_gate.base import plugins
from upgrade_gate.base.errors import ExitCode, UpgradeGateError
from upgrade_gate.cli import same_call, stderr, stdout

if TYPE_CHECKING:
    from collections.abc import Sequence

PLUGIN_PREFIXES = ("oc-", "kubectl-")
COMPLETE_VARIABLE = "_UPGRADE_GATE_COMPLETE"


class CommandFiles(click.Group):
    """A group that finds its commands by the names of the files in a package, this one or a folder of it."""

    package = "cli.commands"

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return every command's name, sorted."""
        return [name.replace("_", "-") for name in plugins.names(self.package)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of that name and return its command, None where there is no such module."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: object = plugins.load(self.package, cmd_name.replace("-", "_")).command
        assert isinstance(command, click.Command), cmd_name  # noqa: S101 - a command module without a command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a line for each command, taken from the first line of its file: importing them all takes too long."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._summary(name)) for name in self.list_commands(ctx)])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; an unknown name suggests those that look like it."""
        try:
            name, command, rest = super().resolve_command(ctx, args)
        except click.UsageError as exc:
            if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
                raise click.UsageError(f"no such command {args[0]!r}", ctx) from exc
            raise
        if command is not None and not ctx.resilient_parsing:
            _refuse_repeated(ctx, name, command, rest)
        ctx.meta[same_call.ARGUMENTS] = tuple(rest)
        return name, command, rest

    def _summary(self, name: str) -> str:
        folder = Path(__file__).parent.joinpath(*self.package.split(".")[1:])
        file = folder / f"{name.replace('-', '_')}.py"
        with (file if file.exists() else file.with_suffix("") / "__init__.py").open(encoding="utf-8") as stream:
            text = stream.readline().strip().strip('"').partition(": ")[2]
        return text[:1].upper() + text[1:]


@click.group(
    cls=CommandFiles,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 pass, 1 internal error or an output that could not be written, 2 usage or configuration, "
    "3 blocked, 4 cannot tell, 130 interrupted. Only 0 and 3 are verdicts.",
)
@click.version_option(__version__, message="upgrade-gate %(version)s")
@click.option("-v", "--verbose", is_flag=True, help="Log to stderr, and where an error comes from.")
def cli(*, verbose: bool) -> None:
    """Say before an OpenShift upgrade whether the cluster holds every cloud permission that the target needs."""
    if verbose:
        stderr.set_verbose()


def main(arguments: Sequence[str] | None = None, *, group: click.Group = cli) -> int:
    """Run the command line and return its exit code (docs/contract.md#exit-codes).

    This is the one place that turns an exception into an exit code. On 1, 2 and 4 the first line on stderr says
    that no verdict was reached, whatever happened; stdout holds what the command was asked for and nothing else.
    """
    args = list(sys.argv[1:] if arguments is None else arguments)
    program = program_name(sys.argv[0])
    if not args and (instruction := os.environ.get(COMPLETE_VARIABLE)) and completes(instruction):
        return _complete(program, instruction)
    code = _execute(group, program, args)
    if code in (ExitCode.INTERNAL, ExitCode.USAGE, ExitCode.UNDETERMINED):
        stderr.no_verdict("see the report")
    stderr.end()
    return int(code)


def console() -> int:
    """Run the command line as a process of its own, without the garbage collector: it ends before it would help.

    A run builds trees, not cycles; measured on a cached diff of two releases it saves about 6 % of the time.
    """
    import gc

    gc.disable()
    _end_in_order()
    code = main()
    gc.freeze()  # else the interpreter looks through everything once more on its way out
    if code in (128 + signal.SIGTERM, 128 + signal.SIGHUP):
        os.kill(os.getpid(), code - 128)  # the first process of a container is not ended by that: it returns the code
    return code


class Ended(KeyboardInterrupt):
    """SIGTERM or SIGHUP: whatever Ctrl-C would clean up is cleaned up, then the signal ends the process."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    @property
    def code(self) -> int:
        """What a shell calls a process that the signal ended."""
        return 128 + self.number


def _end_in_order() -> None:
    """Let SIGTERM and SIGHUP end this process as Ctrl-C does; one that the caller has ignored stays ignored."""

    def end(number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_DFL)  # a second one waits for nothing
        raise Ended(number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, end)


def program_name(path: str) -> str:
    """Return how the user called the program: `upgrade-gate`, or `oc upgrade-gate` for the plugin of that name."""
    name = PurePath(path).name
    for prefix in PLUGIN_PREFIXES:
        if name.startswith(prefix):
            return f"{prefix[:-1]} upgrade-gate"
    return "upgrade-gate"


def _execute(group: click.Group, program: str, args: list[str]) -> int:
    try:
        with group.make_context(program, args) as context:
            stderr.hold_back_logs()
            code = ExitCode(group.invoke(context) or ExitCode.PASS)
        stdout.flush()
    except click.exceptions.Exit as exc:
        return exc.exit_code
    except click.ClickException as exc:
        _explain_usage(group, exc)
        return ExitCode.USAGE
    except UpgradeGateError as exc:
        stderr.no_verdict(exc.message, hint=exc.hint, cause=exc)
        return exc.exit_code
    except (KeyboardInterrupt, click.Abort) as exc:
        stdout.discard()  # half a report that waits in the buffer must not be taken for one
        stderr.error("interrupted: no verdict was reached")
        return exc.code if isinstance(exc, Ended) else ExitCode.INTERRUPTED
    except BrokenPipeError as exc:
        stdout.discard()
        stderr.no_verdict("stdout was closed before the report was written whole", cause=exc)
        return ExitCode.INTERNAL
    except Exception as exc:  # noqa: BLE001 - the entry point: any fault of ours must end in exit code 1
        stdout.discard()  # click's own texts are written past it: what they left there must not fail once more
        stderr.no_verdict(
            f"internal error: {type(exc).__name__}: {exc}",
            hint="this is a bug in upgrade-gate: run it again with -v and report it with what that prints",
            cause=exc,
        )
        return ExitCode.INTERNAL
    return code


def _explain_usage(group: click.Group, exc: click.ClickException) -> None:
    context = getattr(exc, "ctx", None)
    if context is None:
        stderr.no_verdict(exc.format_message())
        return
    if type(exc).__name__ == "NoArgsIsHelpError":
        stderr.no_verdict("no command was given", details=context.get_help())
        return
    hint = f"{context.command_path} --help tells more"
    if exc.format_message().startswith("no such command"):
        import difflib

        wanted = exc.format_message().split("'")[1]
        near = difflib.get_close_matches(wanted, group.list_commands(context))
        hint = f"did you mean {' or '.join(near)}? {hint}" if near else hint
    stderr.no_verdict(exc.format_message(), details=context.get_usage(), hint=hint)


def _refuse_repeated(ctx: click.Context, name: str | None, command: click.Command, args: list[str]) -> None:
    """Raise a usage error where an option that takes one value is given twice: the last would silently win."""
    inner = click.Context(command, info_name=name, parent=ctx, **command.context_settings)
    _, _, given = command.make_parser(inner).parse_args(args=list(args))
    for option in given:
        single = isinstance(option, click.Option) and not (option.multiple or option.is_flag or option.count)
        if single and given.count(option) > 1:
            raise click.UsageError(f"{option.opts[-1]} is given more than once, but takes one value", inner)


def completes(instruction: str) -> bool:
    """Return whether a shell asks for completion: a variable that was left behind must not stand for a run."""
    shell, _, what = instruction.partition("_")
    return shell in {"bash", "zsh", "fish"} and (
        what == "source" or (what == "complete" and "COMP_WORDS" in os.environ)
    )


def _complete(program: str, instruction: str) -> int:
    from click.shell_completion import shell_complete

    return shell_complete(cli, {}, program, COMPLETE_VARIABLE, instruction)
