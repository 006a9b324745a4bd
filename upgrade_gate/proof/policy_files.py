"""The files of a policy repository: their text, their documents, and where in the text each value stands."""

from __future__ import annotations

import codecs
import errno
import hashlib
import logging
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from upgrade_gate.base.errors import UsageError
from upgrade_gate.base.paths import is_dir
from upgrade_gate.reading import places, yaml
from upgrade_gate.reading.files import read_file
from upgrade_gate.reading.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from upgrade_gate.reading.places import Place

_logger = logging.getLogger(__name__)

SUFFIXES = frozenset({".json", ".yaml", ".yml", ".template", ".tfstate"})
"""What a file of a folder must be called to be read; one that is named is read whatever it is called."""
SOURCES = frozenset({".bicep", ".bicepparam", ".hcl", ".j2", ".tf", ".tfplan", ".tftpl", ".tofu", ".tpl"})
"""What says what is to be granted in a form that is not read: it is named, so that nobody takes it for read."""
_MAX_FILES = 20_000
_LIMITS = Limits(nodes=100_000)
_MOST_YAML = 4 * 2**20
"""Characters of YAML that are read, and of any text in which places are looked for: each node costs microseconds."""


class PolicyFile:
    """One file: what it holds, or why that is not known."""

    def __init__(self, path: Path, name: str, *, outside: bool = False) -> None:
        """Read it; what is wrong with it is `problem`. `outside`: it is not in the folder that was given."""
        self.path = path
        self.name = name
        """As reports show it: from the working folder, else from the path that was given."""
        self.sha256 = ""
        self.text = ""
        self.encoding = ""
        """Empty where its bytes are no UTF-8, so that no patch can be made."""
        self.documents: tuple[yaml.Parsed, ...] = ()
        self.problem: str | None = None
        try:
            self._read(outside=outside)
        except OSError as exc:
            self.problem = f"{name}: {exc.strerror or exc}"
        except yaml.DocumentError as exc:
            self.problem = exc.message
        if self.problem is not None:
            _logger.warning("%s", self.problem)

    def _read(self, *, outside: bool) -> None:
        """Read and parse it; raises OSError and DocumentError for what cannot be."""
        if outside:
            raise OSError(errno.EXDEV, "a link that leads out of the folder, which is not followed")
        data = read_file(self.path, _LIMITS.file + 1)
        self.sha256 = hashlib.sha256(data).hexdigest()
        self.text = yaml.decode(data, self.name, limits=_LIMITS)
        if len(self.text) > _MOST_YAML and self.text.lstrip()[:1] not in ("{", "["):
            raise yaml.DocumentError(self.name, f"{len(self.text)} characters, more than the {_MOST_YAML} of YAML")
        marked = data.startswith(codecs.BOM_UTF8)
        if data.removeprefix(codecs.BOM_UTF8) == self.text.encode("utf-8"):
            self.encoding = "utf-8-sig" if marked else "utf-8"
        self.documents = yaml.parse(data, self.name, limits=_LIMITS, functions=True)
        twice = next((p.duplicate_keys[0] for p in self.documents if p.duplicate_keys), None)
        if twice is not None:
            self.problem = f"{self.name}: the key {twice} stands twice with differing values"

    @cached_property
    def places(self) -> tuple[Place | None, ...]:
        """Where the values of each document stand; empty where nobody can tell."""
        short = self.problem is None and len(self.text) <= _MOST_YAML
        return (places.locate(self.text) or ()) if short else ()

    def place(self, document: int, path: Sequence[str | int]) -> Place | None:
        """Return the place of a value, or of what it stands in; None where nobody can tell.

        `document` counts the empty ones of the file too.
        """
        root = self.root(document)
        return root.nearest(path) if root is not None else None

    def root(self, document: int) -> Place | None:
        """Return the places of a document, None where nobody can tell."""
        return self.places[document] if document < len(self.places) else None


def read(roots: Iterable[Path], named: Iterable[Path] = ()) -> tuple[PolicyFile, ...]:
    """Return the files of folders, and files that are given or named, each once, sorted by name.

    Of a folder those count that are called like JSON, YAML or a template; hidden ones do not. Raises UsageError
    where there is none.
    """
    roots = tuple(roots)
    found: dict[Path, str] = {}
    outside: set[Path] = set()
    for root in roots:
        for path in sorted(_files(root)) if is_dir(root) else [root]:
            found.setdefault(path.resolve(), _shown(path, root))
            if path != root and root.resolve() not in path.resolve().parents:
                outside.add(path.resolve())
    for path in named:
        found.setdefault(path.resolve(), _shown(path, path.parent))
        outside.discard(path.resolve())
    if not found:
        listed = ", ".join(str(root) for root in roots)
        raise UsageError(f"{listed}: holds no policy file", hint=f"files are read that end in {_endings()}")
    if len(found) > _MAX_FILES:
        raise UsageError(f"{roots[0]}: holds {len(found)} files, more than {_MAX_FILES}")
    ordered = sorted(found.items(), key=lambda item: item[1])
    return tuple(PolicyFile(path, name, outside=path in outside) for path, name in ordered)


def sources(roots: Iterable[Path]) -> tuple[str, ...]:
    """Return the files of folders that are written in a language that is not read, as reports show them."""
    return tuple(_shown(path, root) for root in roots if is_dir(root) for path in sorted(_files(root, SOURCES)))


def _files(root: Path, suffixes: frozenset[str] = SUFFIXES) -> Iterable[Path]:
    """Yield the files of a folder by name; a link is followed to a file and to no folder.

    A bundle of ours holds policies to be put, and declares nothing.
    """
    found = [path for path in root.rglob("*") if not any(p.startswith(".") for p in path.relative_to(root).parts)]
    bundles = {path.parent for path in found if path.name == "SHA256SUMS" and (path.parent / "commands.sh").exists()}
    for path in found:
        closed = suffixes is SUFFIXES and is_dir(path) and not os.access(path, os.R_OK | os.X_OK)
        named = path.suffix.casefold() in suffixes and not bundles & set(path.parents) and not is_dir(path)
        if named or closed:  # a folder that nobody may enter is a file that cannot be read
            yield path


def _shown(path: Path, root: Path) -> str:
    """Return the path from the working folder, where what was given lies there, else from its repository's root.

    Where it is in no repository of git, the path is from what was given.
    """
    here, given = Path.cwd().resolve(), root.resolve()
    inside = path.relative_to(root)
    if here == given or here in given.parents:
        return (given.relative_to(here) / inside).as_posix()
    top = next((folder for folder in (given, *given.parents) if (folder / ".git").exists()), None)
    if top is not None:
        return (given.relative_to(top) / inside).as_posix()
    return inside.as_posix() if path != root else path.name


def _endings() -> str:
    return ", ".join(sorted(SUFFIXES))
