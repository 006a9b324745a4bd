"""Straightforward programs, each the least that does the job: what stands beside a figure of the benchmarks.

They read whole what must be read, with the same libraries, and decide nothing: no selection, no coverage, no verdict.
"""

import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any


def start() -> None:
    """Load what any command line of this kind loads."""
    import click  # noqa: F401


def diff(*folders: str) -> None:
    """Parse every document of two folders of manifests and print what their requests do not share."""
    old, new = (_requests(path.read_bytes() for path in _manifests(Path(folder))) for folder in folders)
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            print(name, json.dumps(old.get(name), sort_keys=True), json.dumps(new.get(name), sort_keys=True))


def check(old: str, new: str, cluster: str) -> None:
    """Do the same, and parse every object of a dump or snapshot."""
    import yaml

    place = Path(cluster)
    for path in [place] if place.is_file() else sorted(p for p in place.rglob("*") if p.is_file()):
        list(yaml.load_all(path.read_bytes(), Loader=yaml.CSafeLoader))
    diff(old, new)


def images(old: str, new: str) -> None:
    """Fetch the last layer of two images of a registry without a login, unpack it, and compare the requests."""
    import requests

    found = []
    for image in (old, new):
        host, _, rest = image.partition("/")
        name, _, tag = rest.rpartition("@" if "@" in rest else ":")
        base = f"http://{host}/v2/{name}"
        types = ", ".join(
            f"application/vnd.{kind}+json" for kind in ("docker.distribution.manifest.v2", "oci.image.manifest.v1")
        )
        manifest = requests.get(f"{base}/manifests/{tag}", headers={"Accept": types}, timeout=30).json()
        layer = requests.get(f"{base}/blobs/{manifest['layers'][-1]['digest']}", timeout=30).content
        with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
            files = [archive.extractfile(one) for one in archive if one.name.endswith((".yaml", ".yml"))]
            found.append(_requests(file.read() for file in files if file is not None))
    print(sorted(name for name in found[0].keys() | found[1].keys() if found[0].get(name) != found[1].get(name)))


def account(export: str) -> None:
    """Parse the details of an AWS account."""
    print(len(json.loads(Path(export).read_bytes())["RoleDetailList"]))


def history(table: str, permission: str) -> None:
    """Parse the table of the history and print whatever names a permission."""
    text = json.loads(Path(table).read_bytes())
    print(sum(permission in str(value) for value in text.values()))


def each(program: str, old: str, new: str, now: str, *snapshots: str) -> None:
    """Run `check` once for each snapshot, one after the other."""
    for snapshot in snapshots:
        call = ["check", "--from", old, "--to", new, "--now", now, "--cluster", f"snapshot:{snapshot}", "-o", "json"]
        subprocess.run([program, *call], stdout=subprocess.DEVNULL, check=False)


def _manifests(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix in {".yaml", ".yml", ".json"})


def _requests(contents: Any) -> dict[str, Any]:
    import yaml

    def text(loader: Any, node: Any) -> Any:
        return loader.construct_scalar(node)

    yaml.CSafeLoader.add_constructor("tag:yaml.org,2002:value", text)
    found = {}
    for content in contents:
        for body in yaml.load_all(content, Loader=yaml.CSafeLoader):
            if isinstance(body, dict) and body.get("kind") == "CredentialsRequest":
                found[body["metadata"]["name"]] = body.get("spec")
    return found


PROGRAMS: dict[str, Callable[..., None]] = {
    one.__name__: one for one in (start, diff, check, images, account, history, each)
}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]](*sys.argv[2:])
