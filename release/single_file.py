"""Make `upgrade-gate.pyz`: product and libraries in one file that `python3` runs, for one Python on one platform.

zipapp's form with a start of our own (`release/bootstrap.py`). shiv and pex were read: both take a folder that is there
for the right one, and what to run from variables of the environment (`SHIV_ENTRY_POINT`, `PEX_MODULE`), which a gate
must not.

Nothing outside is compressed: to inflate, Python would import `zlib`, and before it is isolated that could come from
PYTHONPATH. The same wheels and the same zlib give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from release.bill import bill
from release.stamp import stamp
from release.wheelhouse import checksums

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SHEBANG = b"#!/usr/bin/env -S python3 -I -S\n"
NAME = "upgrade-gate.pyz"


def pack(wheels: Iterable[Path]) -> bytes:
    """Return the file for the Python that runs this; raises ValueError where two wheels disagree about a file."""
    files: dict[str, bytes] = {}
    for wheel in wheels:
        for name, content in _installed(wheel):
            if files.setdefault(name, content) != content:
                raise ValueError(f"{wheel.name}: {name} stands in another wheel with other content")
    head = " ".join((str(sys.implementation.cache_tag), sys.platform, os.uname().machine))
    lines = (f"{hashlib.sha256(files[name]).hexdigest()} {len(files[name])} {name}" for name in sorted(files))
    start = Path(__file__).with_name("bootstrap.py").read_bytes()
    parts = {
        "__main__.py": start,
        "manifest": "".join(f"{line}\n" for line in (head, *lines)).encode(),
        "packages.zip": _zip(files, zipfile.ZIP_DEFLATED),
    }
    return _zip(parts, zipfile.ZIP_STORED, before=SHEBANG)


def _installed(wheel: Path) -> Iterable[tuple[str, bytes]]:
    """Yield what an installer would put beside the packages (PyPA's wheel specification): no scripts, no headers."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            top, _, rest = name.partition("/")
            if name.endswith("/") or (top.endswith(".data") and not rest.startswith(("purelib/", "platlib/"))):
                continue
            yield (rest.partition("/")[2] if top.endswith(".data") else name), archive.read(name)


def _zip(files: Mapping[str, bytes], method: int, before: bytes = b"") -> bytes:
    written = io.BytesIO()
    written.write(before)
    with zipfile.ZipFile(written, "a", method) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, stamp().timetuple()[:6])
            info.create_system, info.external_attr, info.compress_type = 3, 0o644 << 16, method
            archive.writestr(info, files[name], compresslevel=6)
    return written.getvalue()


def main() -> None:
    """Write the file, its bill of materials and the digests of both."""
    parser = argparse.ArgumentParser(description="Make upgrade-gate.pyz of the wheels of a wheelhouse.")
    parser.add_argument("wheelhouse", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    wheels = sorted(arguments.wheelhouse.glob("*.whl"))
    target = arguments.folder / NAME
    arguments.folder.mkdir(parents=True, exist_ok=True)
    content = pack(wheels)
    target.write_bytes(content)
    target.chmod(0o755)
    materials = arguments.folder / f"{NAME}.cdx.json"
    materials.write_text(bill(wheels, file=NAME, digest=hashlib.sha256(content).hexdigest()), encoding="utf-8")
    (arguments.folder / f"{NAME}.sha256").write_text(checksums((target, materials)), encoding="utf-8")


if __name__ == "__main__":
    main()
