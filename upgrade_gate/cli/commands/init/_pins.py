"""What ready files are pinned to: actions by commit, images by digest, upgrade-gate by its version; and what is put in.

A pin is looked up at its publisher and moved by hand, together with the version beside it.
"""

from __future__ import annotations

import json
import re
import shlex
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from upgrade_gate import __version__
from upgrade_gate.cli.commands.init._roles import OWN_ACCOUNT, AccountName
from upgrade_gate.cli.option_types import Form
from upgrade_gate.proof import policy_files

if TYPE_CHECKING:
    from collections.abc import Callable

ACTIONS = {
    "checkout": "actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2",
    "setup_python": "actions/setup-python@a309ff8b426b58ec0e2a45f0f869d46889d02405 # v6.2.0",
    "upload_artifact": "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0",
    "download_artifact": "actions/download-artifact@70fc10c6e5e1ce46ad2ea6f2b72d43f7d47b13c3 # v8.0.0",
    "upload_sarif": "github/codeql-action/upload-sarif@b96794f015dfd88f77b49b1c93e0fa7110f94c63 # v4.38.0",
}
"""Actions by full commit, as `uses:` has them."""

PYTHON_IMAGE = (
    "docker.io/library/python:3.13-slim-trixie@sha256:9d2e5553305c7c7b0097999bb17187c69b921ccd6bc9d40e4bb5ebe652c00285"
)
"""Python 3.13.15 on Debian 13.6."""

_REQUIREMENT = f"upgrade-gate[verify]=={__version__}"
_TEMPLATES = Path(__file__).parent / "templates"
_MARK = re.compile(r"@\{([a-z_]+)\}")
_IMAGE = re.compile(r"[a-z0-9][a-z0-9.:/_-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?@sha256:[0-9a-f]{64}", re.ASCII)
_PATH = re.compile(r"(?![-/])(?!.*\.\./)[A-Za-z0-9._/-]+", re.ASCII)
_RELEASE = re.compile(r"[A-Za-z0-9./][A-Za-z0-9._:/@+~-]*", re.ASCII)
_INSTALLED = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9,._-]+\])?==[A-Za-z0-9.+!]+|[A-Za-z0-9./][A-Za-z0-9._/+-]*\.(whl|txt)",
    re.ASCII,
)


class Written(Form):
    """A text that means itself in YAML, in a shell and to every engine: no blanks, no quotes, no `$`."""

    def __init__(self, name: str, pattern: re.Pattern[str], what: str) -> None:
        self.name, self._pattern, self._what = name, pattern, what

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text."""
        if not self._pattern.fullmatch(str(value)):
            self.fail(f"{value!r} is not {self._what}", param, ctx)
        return str(value)


_FOLDER = Written("folder", _PATH, "a path that can stand in a file: letters, digits and ._/- only")
_TARGET = Written("release", _RELEASE, "a release that can stand in a file: letters, digits and ._:/@+~- only")
_REQUIRED = Written("requirement", _INSTALLED, "NAME==VERSION, a wheel's path or a .txt of requirements with hashes")
BY_DIGEST = Written(
    "image", _IMAGE, "IMAGE@sha256:DIGEST; `oc image info IMAGE` or `skopeo inspect docker://IMAGE` shows the digest"
)


def target_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--to`, the target that the file has ready; the command takes `to: str | None`."""
    text = "Target release that the file has ready.  [default: to be given with each run, or filled in]"
    return click.option("--to", type=_TARGET, metavar="RELEASE", help=text)(function)


def image_option(text: str, flag: str = "--image") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that adds an option for an image by digest."""
    return click.option(flag, type=BY_DIGEST, metavar="IMAGE@DIGEST", help=text)


own_image_option = image_option("Image that holds upgrade-gate (init containerfile).  [default: to be filled in]")
"""Adds `--image`, the image that a pod runs; the command takes `image: str | None`."""


def settings_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add what an administrator supplies; the command takes `config_map: str | None` and `no_pull_secret: bool`."""
    config_map = click.option(
        "--config-map", metavar="NAME", help="ConfigMap with upgrade-gate.yaml and what that names."
    )
    no_pull_secret = click.option(
        "--no-pull-secret", is_flag=True, help="The registry of the releases wants no credentials."
    )
    return config_map(no_pull_secret(function))


def install_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--install`; the command takes `install: str`."""
    return click.option(
        "--install",
        type=_REQUIRED,
        default=_REQUIREMENT,
        show_default=True,
        metavar="REQUIREMENT",
        help="What pip installs: a pinned requirement, a wheel's path, or a requirements file with hashes (.txt).",
    )(function)


def report_only_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--report-only`; the command takes `report_only: bool`."""
    text = "Let the pipeline go on after blocked and cannot tell, with a warning; no verdict at all still fails it."
    return click.option("--report-only", is_flag=True, help=text)(function)


def service_account_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--service-account`, as `init rbac` has it; the command takes `service_account: Account`."""
    text = "Run as this account, in its namespace."
    return click.option(
        "--service-account",
        type=AccountName(),
        default=OWN_ACCOUNT,
        show_default=True,
        metavar="NAMESPACE/NAME",
        help=text,
    )(function)


def policies_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--policies`, with or without a folder; the command takes `policies: str | None`."""
    text = "For a repository of policies: checked without a cluster, on requests that touch them (--policies iam)."
    return click.option("--policies", type=_FOLDER, is_flag=False, flag_value=".", metavar="FOLDER", help=text)(
        function
    )


def policy_paths(policies: str, *others: str, indent: int) -> str:
    """Return the paths that a change must touch, as the entries of a list: the policies, and what weighs them."""
    folder = "" if policies == "." else f"{policies.strip('/')}/"
    kinds = [f"{folder}**"] if folder else [f"**/*{ending}" for ending in sorted(policy_files.SUFFIXES)]
    entries = (*kinds, "upgrade-gate.yaml", "acknowledgements.yaml", *others)
    return "\n".join(f"{' ' * indent}- {quoted(entry)}" for entry in entries)


def install_command(install: str) -> str:
    """Return the arguments of pip for a requirement, a wheel or a file of requirements with hashes.

    Nothing is built on the way: wheels only. Exit codes of pip must not be taken for ours, so callers map them to 1.
    """
    if install.endswith(".txt"):
        return shlex.join(["install", "--only-binary", ":all:", "--require-hashes", "--requirement", install])
    return shlex.join(["install", "--only-binary", ":all:", install])


def placeholder(name: str) -> str:
    """Return a value that only the reader knows; no run gets past one."""
    return f"<FILL_ME: {name}>"


def quoted(text: str) -> str:
    """Return a text as a YAML scalar that stays a string."""
    return json.dumps(text)


def part(name: str, indent: int) -> str:
    """Return a script that several ready files share, indented as a block of YAML and without its last line break."""
    return textwrap.indent((_TEMPLATES / name).read_text(encoding="utf-8"), " " * indent).rstrip("\n")


def filled(template: str, **values: str) -> str:
    """Return a template with each `@{name}` replaced; one that is not given, or not there, is our mistake."""
    text = (_TEMPLATES / template).read_text(encoding="utf-8")
    marks = set(_MARK.findall(text))
    assert marks == set(values) | {"version"}, marks ^ set(values)  # noqa: S101
    return _MARK.sub(lambda mark: {**values, "version": __version__}[mark[1]], text)
