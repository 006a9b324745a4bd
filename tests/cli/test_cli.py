"""The command line as a whole: exit codes, what goes to which stream, and options that several commands share."""

import json
import logging
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import pytest

from tests.worlds.running import run
from upgrade_gate.base import errors
from upgrade_gate.base.errors import ExitCode
from upgrade_gate.cli import main, program_name
from upgrade_gate.cli.options import (
    ClusterOptions,
    GateOptions,
    OutputOptions,
    RegistryOptions,
    ReleaseOptions,
    cluster_options,
    gate_options,
    output_options,
    registry_options,
    release_options,
)
from upgrade_gate.cli.plugin_completion import answer

NO_VERDICT = "error: no verdict was reached: "


def group_with(action: Callable[[], Any]) -> click.Group:
    """Return a command line whose one command, `act`, does this."""

    @click.group()
    @click.option("-v", "--verbose", is_flag=True)
    def group(*, verbose: bool) -> None:
        if verbose:
            from upgrade_gate.cli import stderr

            stderr.set_verbose()

    group.command("act")(action)
    return group


def raising(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


# exit codes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.UsageError("no such path"), 2),
        (errors.ConfigurationError("upgrade-gate.yaml:3: unknown key"), 2),
        (errors.ReadError("x"), 4),
        (errors.SourceError("sha256:1: cut off"), 4),
        (errors.ManifestError("a.yaml:1: not a mapping"), 4),
        (errors.ClusterError("the dump is empty"), 4),
        (errors.EntitlementError("no policy"), 4),
        (errors.OutputError("report.html: disk full"), 1),
        (errors.UpgradeGateError("odd"), 1),
        (ValueError("a fault of ours"), 1),
        (EOFError("cut off"), 1),
        (RecursionError("too deep"), 1),
        (click.UsageError("bad"), 2),
        (click.FileError("x", "gone"), 2),
        (BrokenPipeError(32, "Broken pipe"), 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_an_error_ends_in_its_exit_code_and_says_first_that_there_is_no_verdict(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["act"], group=group_with(raising(error))) == code
    out, err = capsys.readouterr()
    assert err.startswith(NO_VERDICT)
    assert out == ""


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()], ids=["ctrl-c", "abort"])
def test_an_interrupt_is_130(error: BaseException, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["act"], group=group_with(raising(error))) == 130
    assert "no verdict was reached" in capsys.readouterr().err


@pytest.mark.parametrize("code", list(ExitCode))
def test_a_command_may_return_any_exit_code(code: ExitCode, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["act"], group=group_with(lambda: code)) == code
    told = capsys.readouterr().err.startswith(NO_VERDICT)
    assert told is (code in {1, 2, 4})


def test_a_command_that_returns_nothing_has_done_its_work() -> None:
    assert main(["act"], group=group_with(lambda: None)) == 0


def test_an_exit_code_that_is_none_of_ours_is_an_internal_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["act"], group=group_with(lambda: 7)) == 1
    assert "internal error: ValueError: 7" in capsys.readouterr().err


def test_the_hint_stands_on_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    main(["act"], group=group_with(raising(errors.SourceError("blob is cut off", hint="retry with --no-cache"))))
    assert capsys.readouterr().err.splitlines() == [f"{NO_VERDICT}blob is cut off", "hint: retry with --no-cache"]


def test_a_message_cannot_drive_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    main(["act"], group=group_with(raising(errors.SourceError("\x1b[2Jgone\r\nerror: pass\x9b"))))
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{NO_VERDICT}\N{REPLACEMENT CHARACTER}[2Jgone error: pass")


@pytest.mark.parametrize("arguments", [["act"], ["-v", "act"]])
def test_a_log_line_cannot_drive_the_terminal_nor_pretend_to_be_another(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    def act() -> None:
        logging.getLogger("upgrade_gate.x").warning("entry %s is passed over", "\x1b[2J\nPASS 4.15.3\u202e")

    main(arguments, group=group_with(act))
    (line,) = capsys.readouterr().err.splitlines()
    mark = "\N{REPLACEMENT CHARACTER}"
    assert line.endswith(f"entry {mark}[2J PASS 4.15.3{mark} is passed over")


def test_a_traceback_is_shown_only_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    group = group_with(raising(ValueError("odd")))
    main(["act"], group=group)
    assert "Traceback" not in capsys.readouterr().err
    main(["-v", "act"], group=group)
    assert "Traceback" in capsys.readouterr().err
    main(["act"], group=group)
    assert "Traceback" not in capsys.readouterr().err


def test_warnings_wait_until_the_first_line_is_out(capsys: pytest.CaptureFixture[str]) -> None:
    def act() -> None:
        logging.getLogger("upgrade_gate.x").warning("the cache is damaged")
        raise errors.SourceError("cut off")

    main(["act"], group=group_with(act))
    assert capsys.readouterr().err.splitlines() == [f"{NO_VERDICT}cut off", "WARNING: the cache is damaged"]


def test_warnings_of_libraries_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    def act() -> None:
        warnings.warn("old interface", DeprecationWarning, stacklevel=1)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        main(["act"], group=group_with(act))
    out, err = capsys.readouterr()
    assert "old interface" in err
    assert out == ""


# as a process ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "no command was given"),
        (("--nonsense",), "No such option"),
        (("nonsense",), "no such command 'nonsense'"),
        (("explain",), "Missing argument"),
        (("explain", "a", "b"), "unexpected extra argument"),
    ],
)
def test_a_usage_error_is_2(arguments: tuple[str, ...], said: str) -> None:
    result = run(*arguments)
    assert result.code == 2
    assert result.first.startswith(NO_VERDICT)
    assert said in result.first
    assert result.out == ""


def test_a_mistyped_command_suggests_the_right_one() -> None:
    assert "did you mean explain" in run("explian").err


def test_without_a_command_the_help_stands_on_stderr() -> None:
    result = run()
    assert "Commands:" in result.err
    assert result.out == ""


def test_help_tells_the_exit_codes_and_every_command() -> None:
    result = run("--help")
    assert result.code == 0
    assert result.err == ""
    for word in ("3 blocked", "4 cannot tell", "130 interrupted", "ack", "completion", "explain", "rules", "schema"):
        assert word in " ".join(result.out.split()), word


def test_version() -> None:
    from upgrade_gate import __version__

    assert run("--version").out == f"upgrade-gate {__version__}\n"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/usr/bin/upgrade-gate", "upgrade-gate"),
        ("/usr/bin/oc-upgrade_gate", "oc upgrade-gate"),
        ("kubectl-upgrade_gate", "kubectl upgrade-gate"),
        ("/x/upgrade_gate/__main__.py", "upgrade-gate"),
    ],
)
def test_the_program_is_called_as_its_user_calls_it(path: str, name: str) -> None:
    assert program_name(path) == name


def test_as_a_plugin_of_oc_it_shows_the_plugin_s_name(tmp_path: Path) -> None:
    plugin = tmp_path / "oc-upgrade_gate"
    plugin.write_text(f"#!{sys.executable}\nimport sys\nfrom upgrade_gate.cli import main\nsys.exit(main())\n")
    plugin.chmod(0o755)
    done = subprocess.run([plugin, "explain"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "Usage: oc upgrade-gate explain" in done.stderr


def test_a_closed_pipe_is_no_verdict_and_no_traceback() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as gone:
        done = subprocess.run(
            [sys.executable, "-m", "upgrade_gate", "schema"],
            stdout=gone,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [f"{NO_VERDICT}stdout was closed before the report was written whole"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is not on this system")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [("schema",), ("--help",), ("completion", "bash")], ids=" ".join)
def test_a_full_disk_under_stdout_is_1(arguments: tuple[str, ...], unbuffered: str) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "upgrade_gate", *arguments],
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith(NO_VERDICT)
    assert "No space left on device" in done.stderr


def test_a_closed_stdout_is_1() -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f'"{sys.executable}" -m upgrade_gate schema >&-'],
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "stdout is closed" in done.stderr


def test_ctrl_c_in_a_running_process_is_130() -> None:
    # a process started in the background inherits that SIGINT is ignored
    script = (
        "import signal, sys\n"
        "from upgrade_gate.cli import main\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    arguments = ["ack", "--report", "-", "0" * 16, "--reason", "r", "--owner", "o", "--expires", "2999-01-01"]
    process = subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    # the pipe takes 64 KiB: once more has gone in, the process is reading
    process.stdin.write(" " * 300_000)
    process.stdin.flush()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "no verdict was reached" in err


@pytest.mark.parametrize(
    "words", [["check", "--to"], ["check", "--from"], ["remediate", "--via"], ["diff"], ["snapshot", "--to"]]
)
def test_shell_completion_offers_the_forms_of_a_release(words: list[str]) -> None:
    assert answer([*words, "di"]).splitlines()[0] == "dir:"


def test_shell_completion_offers_commands_and_values() -> None:
    env = {"_UPGRADE_GATE_COMPLETE": "bash_complete", "COMP_WORDS": "upgrade-gate exp", "COMP_CWORD": "1"}
    assert run(env=env).out.split() == ["plain,explain"]
    env = {"_UPGRADE_GATE_COMPLETE": "bash_complete", "COMP_WORDS": "upgrade-gate explain request-c", "COMP_CWORD": "2"}
    assert run(env=env).out.split() == ["plain,request-conflict"]


# shared options -------------------------------------------------------------------------------------------------


class Probe:
    """A command with every shared option, that keeps what it was given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.got: dict[str, Any] = {}

        @click.group()
        def group() -> None: ...

        @group.command("probe")
        @release_options
        @cluster_options
        @gate_options
        @output_options
        @registry_options
        def probe(**values: Any) -> None:
            self.got = values

        self.group = group

    def __call__(self, *arguments: str) -> int:
        self.got = {}
        return main(["probe", "--to", "dir:new", *arguments], group=self.group)

    @property
    def release(self) -> ReleaseOptions:
        value = self.got["release"]
        assert isinstance(value, ReleaseOptions)
        return value

    @property
    def cluster(self) -> ClusterOptions:
        value = self.got["cluster"]
        assert isinstance(value, ClusterOptions)
        return value

    @property
    def gate(self) -> GateOptions:
        value = self.got["gate"]
        assert isinstance(value, GateOptions)
        return value

    @property
    def output(self) -> OutputOptions:
        value = self.got["output"]
        assert isinstance(value, OutputOptions)
        return value

    @property
    def registry(self) -> RegistryOptions:
        value = self.got["registry"]
        assert isinstance(value, RegistryOptions)
        return value

    def configure(self, text: str) -> None:
        (self.folder / "upgrade-gate.yaml").write_text(text, encoding="utf-8")


@pytest.fixture
def probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Probe:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("dump", "export"):
        (tmp_path / name).mkdir()
    for name in ("facts.json", "kubeconfig", "auth.json", "ca.pem", "idms.yaml", "acks.yaml"):
        (tmp_path / name).write_text("")
    return Probe(tmp_path)


def test_defaults(probe: Probe, tmp_path: Path) -> None:
    assert probe() == 0
    assert probe.release == ReleaseOptions("dir:new", None)
    assert probe.cluster == ClusterOptions(None, False, None, None, None, None, None, None, None, False, 30.0)
    assert probe.gate.fail_on == "blocker"
    assert probe.gate.configuration.path is None
    assert [(o.format, o.path) for o in probe.output.outputs] == [("text", None)]
    assert probe.output.max_bytes == 65_000
    settings = probe.registry.settings
    assert (settings.verify, settings.architecture, settings.timeout, settings.offline) == ("auto", "amd64", 120, False)
    assert settings.cache_dir == tmp_path / "cache" / "upgrade-gate"
    assert not settings.progress


def test_everything_arrives_where_it_belongs(probe: Probe, tmp_path: Path) -> None:
    arguments = (
        "--from dir:old --cluster must-gather:dump --platform powervs --mode MANUAL --profile p --feature-set Default "
        "--capabilities Storage,Console --read-secrets --acknowledgements acks.yaml --acknowledgements - "
        "--fail-on warning --require-proof --strict-proof --assume cluster-tag --max-age 36h "
        "--now 2026-11-01 --label a=1 --label b=x=y --via 4.15.3 "
        "--identities export:export --ccoctl-name c1 -o json -o text=r.txt --max-bytes 2000 --color always -q "
        "-a auth.json --certificate-authority ca.pem --insecure Mirror.example.com:5000 --idms-file idms.yaml "
        "--icsp-file idms.yaml --verify require --signatures dump --offline --timeout 7.5 --graph graph.json "
        "--channel stable-4.15 --architecture aarch64 --cache-dir kept --mirrors-from-cluster"
    )
    assert probe(*arguments.split()) == 0
    assert probe.cluster.source is not None
    assert (probe.cluster.source.kind, probe.cluster.source.path) == ("must-gather", Path("dump"))
    assert (probe.cluster.platform, probe.cluster.mode) == ("PowerVS", "manual")
    assert probe.cluster.capabilities == ("Console", "Storage")
    assert probe.gate.labels == {"a": "1", "b": "x=y"}
    assert probe.gate.assume == ("cluster-tag",)
    assert probe.gate.max_age is not None
    assert probe.gate.max_age.length == timedelta(hours=36)
    assert probe.gate.now is not None
    assert probe.gate.now.at.isoformat() == "2026-11-01T00:00:00+00:00"
    assert probe.gate.acknowledgements == ("acks.yaml", "-")
    assert [(o.format, o.path) for o in probe.output.outputs] == [("json", None), ("text", Path("r.txt"))]
    assert probe.output.color
    settings = probe.registry.settings
    assert settings.insecure == ("mirror.example.com:5000",)
    assert (settings.architecture, settings.cache_dir) == ("arm64", Path("kept"))
    assert probe.registry.mirrors_from_cluster


@pytest.mark.parametrize(
    "arguments",
    [
        "--no-cluster",
        "--no-cluster --from dir:old",
        "--no-cluster --platform AWS",
        "--no-cluster --from dir:old --platform AWS --cluster live",
        "--no-cluster --from dir:old --platform AWS --kubeconfig kubeconfig",
        "--no-cluster --from dir:old --platform AWS --context admin",
        "--no-cluster --from dir:old --platform AWS --read-secrets",
        "--no-cluster --from dir:old --platform AWS --mirrors-from-cluster",
        "--no-cluster --from dir:old --platform AWS --pull-secret-from-cluster",
        "--cluster snapshot:facts.json --kubeconfig kubeconfig",
        "--cluster must-gather:dump --context admin",
        "--cluster snapshot:gone.json",
        "--cluster must-gather:gone",
        "--cluster must-gather:",
        "--cluster nowhere",
        "--kubeconfig gone",
        "--platform Azur",
        "--mode automatic",
        "--identities export:gone",
        "--identities everything",
        "--label nothing",
        "--label =x",
        "--label a=1 --label a=2",
        "--acknowledgements - --acknowledgements -",
        "--fail-on info",
        "--max-age 0h",
        "--max-age 24",
        "--max-age 1.5d",
        "--max-age -1d",
        "--max-age 7days",
        "--max-age 9999999w",
        "--now yesterday",
        "--now 2026-13-01",
        "--now 2026-11-01T08:00:00",
        "--now 20261101",
        "-o text -o json",
        "-o pdf",
        "-o json=",
        "-o json=r -o text=r",
        "--max-bytes 0",
        "--color pink",
        "-v -q",
        "--insecure https://mirror.example.com",
        "--insecure mirror.example.com/path",
        "--registry-config gone",
        "--registry-config auth.json --pull-secret-from-cluster",
        "--certificate-authority gone",
        "--verify maybe",
        "--verify off --signatures dump",
        "--timeout 0",
        "--timeout soon",
        "--architecture sparc",
        "--cache-dir kept --no-cache",
        "--offline --cluster live",
        "--offline --identities live",
        "--offline --graph https://graph.example.com/",
        "--config gone.yaml",
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(
    probe: Probe, arguments: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert probe(*arguments.split()) == 2
    assert capsys.readouterr().err.startswith(NO_VERDICT)
    assert probe.got == {}


def test_a_name_that_is_almost_right_gets_a_suggestion(probe: Probe, capsys: pytest.CaptureFixture[str]) -> None:
    probe("--platform", "Azur")
    assert "did you mean Azure?" in capsys.readouterr().err
    probe("-o", "jsn")
    assert "did you mean json?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-01", "2026-11-01T00:00:00+00:00"),
        ("2026-11-01T08:30:00Z", "2026-11-01T08:30:00+00:00"),
        ("2026-11-01t08:30:00.5z", "2026-11-01T08:30:00.500000+00:00"),
        ("2026-11-01T01:30:00+02:00", "2026-10-31T23:30:00+00:00"),
    ],
)
def test_now_is_a_date_or_a_time_with_its_zone(probe: Probe, text: str, moment: str) -> None:
    assert probe("--now", text) == 0
    assert probe.gate.now is not None
    assert (probe.gate.now.text, probe.gate.now.at.isoformat()) == (text, moment)


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("cluster.json", '{"schema": "upgrade-gate/snapshot/v1"}', "snapshot"),
        ("objects.json", '{"kind": "List"}', "must-gather"),
        ("folder", None, "must-gather"),
    ],
)
def test_a_path_alone_is_a_dump_or_a_snapshot(probe: Probe, name: str, content: str | None, kind: str) -> None:
    path = probe.folder / name
    path.mkdir() if content is None else path.write_text(content)
    assert probe("--cluster", str(path)) == 0
    assert probe.cluster.source is not None
    assert (probe.cluster.source.kind, probe.cluster.source.path) == (kind, path)


def test_no_capability_at_all_is_not_the_same_as_nothing_said(probe: Probe) -> None:
    probe()
    assert probe.cluster.capabilities is None
    probe("--capabilities", "")
    assert probe.cluster.capabilities == ()


@pytest.mark.parametrize(
    ("choice", "no_color", "coloured"), [("auto", "", False), ("always", "1", True), ("never", "", False)]
)
def test_an_explicit_colour_wins(
    probe: Probe, monkeypatch: pytest.MonkeyPatch, choice: str, no_color: str, *, coloured: bool
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    probe("--color", choice)
    assert probe.output.color is coloured


@pytest.mark.parametrize("name", ["FORCE_COLOR", "CLICOLOR_FORCE"])
@pytest.mark.parametrize(
    ("value", "no_color", "coloured"), [("1", "", True), ("0", "", False), ("", "", False), ("1", "1", False)]
)
def test_colour_can_be_forced_by_the_environment(
    probe: Probe, monkeypatch: pytest.MonkeyPatch, name: str, value: str, no_color: str, *, coloured: bool
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv(name, value)
    probe("--color", "auto")
    assert probe.output.color is coloured


# the configuration file under the options -----------------------------------------------------------------------


def test_the_file_gives_defaults_and_the_command_line_wins(probe: Probe) -> None:
    (probe.folder / "mine.yaml").write_text("platform: azure\nfail-on: warning\nvia: [a, b]\nrequire-proof: true\n")
    assert probe("--config", "mine.yaml") == 0
    assert (probe.cluster.platform, probe.gate.fail_on, probe.gate.via) == ("Azure", "warning", ("a", "b"))
    assert probe.gate.require_proof
    assert probe("--config", "mine.yaml", "--fail-on", "blocker", "--via", "c") == 0
    assert (probe.gate.fail_on, probe.gate.via) == ("blocker", ("c",))


def test_a_named_file_replaces_the_found_one(probe: Probe) -> None:
    probe.configure("platform: AWS\n")
    (probe.folder / "mine.yaml").write_text("channel: stable-4.15\n")
    assert probe("--config", "mine.yaml") == 0
    assert probe.cluster.platform is None
    assert probe.registry.settings.channel == "stable-4.15"
    assert probe("--config", "/dev/null") == 0
    assert probe.registry.settings.channel is None


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("\nplatform: Azur\n", ":2: platform: "),
        ("timeout: soon\n", ":1: timeout: "),
        ("-o: json\n", ":1: unknown key '-o'"),
        ("kubeconfig: kubeconfig\n", ":1: kubeconfig: is refused"),
        ("verify: false\n", ":1: verify: "),
        ("cluster: snapshot:gone.json\n", ":1: cluster: "),
    ],
)
def test_a_wrong_value_in_the_file_is_reported_with_its_line(
    probe: Probe, text: str, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    probe.configure(text)
    assert probe() == 2
    assert f"upgrade-gate.yaml{place}" in capsys.readouterr().err.splitlines()[0]


def test_the_command_line_silences_what_contradicts_it_in_the_file(probe: Probe) -> None:
    (probe.folder / "mine.yaml").write_text("cluster: must-gather:dump\ncache-dir: kept\n")
    arguments = "--config mine.yaml --no-cluster --from dir:old --platform AWS --no-cache"
    assert probe(*arguments.split()) == 0
    assert probe.cluster.source is None
    assert probe.registry.settings.cache_dir is None


def test_a_contradiction_inside_the_file_is_a_usage_error(probe: Probe, capsys: pytest.CaptureFixture[str]) -> None:
    (probe.folder / "mine.yaml").write_text("no-cache: true\ncache-dir: kept\n")
    assert probe("--config", "mine.yaml") == 2
    assert "contradicts --cache-dir in mine.yaml" in capsys.readouterr().err


def test_every_option_of_a_command_can_stand_in_the_file() -> None:
    from tests.generators.reference import walk
    from upgrade_gate.cli.options import configurable

    names = {
        option.opts[-1].removeprefix("--")
        for path, command in walk()
        if path in {"check", "diff", "extract"}
        for option in command.params
        if isinstance(option, click.Option)
    }
    per_run = {"config", "help", "identities", "exit-code", "directory", "bundle"}
    assert names - per_run == set(configurable())


def test_the_report_goes_where_it_is_sent(tmp_path: Path) -> None:
    from upgrade_gate.cli import stdout

    target = tmp_path / "report.json"
    target.write_text("old")
    target.chmod(0o644)
    stdout.write_file(target, json.dumps({"a": 1}), mode=0o600)
    assert target.read_text() == '{"a": 1}'
    assert target.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["report.json"]


@pytest.mark.parametrize("name", ["gone/report.json", "file/report.json", "folder"])
def test_a_report_that_cannot_be_written_names_its_path(tmp_path: Path, name: str) -> None:
    from upgrade_gate.cli import stdout

    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    with pytest.raises(errors.OutputError, match=name):
        stdout.write_file(tmp_path / name, b"x")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]
