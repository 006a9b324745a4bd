"""The steps that a cloud drafts for one identity, as a script in a folder beside stand-ins of the command lines."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from tests.worlds.bundles import Ran, Shell
from tests.worlds.identity_changes import action
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.remedy import ClusterNames, IdentityChange, remedy_of
from upgrade_gate.remedy.script import script
from upgrade_gate.remedy.whereabouts import Whereabouts

ACCOUNT = "123456789012"
MANY = [action(f"ec2:DoSomethingQuiteLongNumber{n:04d}") for n in range(300)]
CLIENT, PRINCIPAL = "00000000-0000-4000-8000-00000000c11e", "00000000-0000-4000-8000-0000000000aa"
WRITE = Grant("permission", "Microsoft.Compute/disks/write")
GET = Grant("permission", "compute.disks.get")
ACT_AS = Grant("permission", "iam.serviceAccounts.actAs")
EMAIL, NODE = "c1-x@p1.iam.gserviceaccount.com", "c1-w@p1.iam.gserviceaccount.com"


class Written:
    """The steps of one identity as a script in a folder, and the command lines that it finds."""

    def __init__(
        self,
        folder: Path,
        one: IdentityChange,
        names: ClusterNames,
        endpoint: str = "",
        values: Mapping[str, str] | None = None,
    ) -> None:
        self.values = values or {}
        cloud = remedy_of(one.kind)
        assert cloud is not None
        drafted = cloud.draft(one, names).steps
        self.steps = [replace(step, number=number) for number, step in enumerate(drafted, 1)]
        self.folder, self.endpoint = folder, endpoint
        self.export = folder / "export"
        self.export.mkdir()
        login = cloud.login(one, names)
        self.logins = (login,) if login else ()
        where = Whereabouts("c1-x7k2p", "0f1e", self.logins, ("4.14.0",), None)
        text = script("Remedy", self.steps, where, made="2026-11-01T00:00:00Z", no_annotation="not wanted")
        (folder / "commands.sh").write_bytes(text)
        for step in self.steps:
            for file in step.files:
                (folder / file.name).parent.mkdir(exist_ok=True)
                (folder / file.name).write_bytes(file.content)

    def keep(self, **documents: Any) -> None:
        for name, body in documents.items():
            (self.export / f"{name.replace('_', '-')}.json").write_text(json.dumps(body))

    def shown(self, name: str) -> Any:
        return json.loads((self.export / f"{name}.json").read_text())

    def shell(self, **how: Any) -> Shell:
        return Shell(self.folder / "bin", self.export, None, self.endpoint, **how)

    def run(self, part: str = "grant", *, fails: bool = False, **how: Any) -> Ran:
        ran = self.shell(**how).run(self.folder / "commands.sh", part, values=self.values)
        assert (ran.code != 0) is fails, ran.err
        return ran


def calls(listed: Sequence[tuple[str, ...]], *numbers: int) -> list[str]:
    return [" ".join(call[slice(*numbers)]) for call in listed]


_NEWER = (
    r"\b(declare|local|typeset) -[a-zA-Z]*[Anlugr]",
    r"\b(mapfile|readarray|coproc|EPOCHSECONDS|EPOCHREALTIME|SRANDOM|BASHPID|globstar|inherit_errexit)\b",
    r"\$\{!?\w+(\[[^]]*\])?(,|\^|@[A-Za-z]\})",
    r"\$\{\w+(\[-|: -)",
    r"&>>|\|&|;;&|;&",
    r"\[\[? -[vR] ",
    r"\b(wait -[np]|printf '?%\(|printf -v \w+\[|read -[a-zA-Z]*[iN])",
    r"\bexec \{\w+\}|\{\d+\.\.\d+\.\.",
)
NEWER_BASH = re.compile("|".join(_NEWER))
"""What bash 3.2, which macOS has, does not know (bash's own CHANGES from 4.0 on)."""
