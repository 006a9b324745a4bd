"""What reading whole payloads costs: two full folders, and their archives."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import pytest

from tests.benchmarks.conftest import Measure
from tests.worlds import images
from tests.worlds.release_image import build
from upgrade_gate.payloads import payload, reference
from upgrade_gate.payloads.reference import Settings
from upgrade_gate.reading import manifest_index, yaml

pytestmark = pytest.mark.benchmark


@pytest.fixture(scope="module")
def full(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two whole payloads: 4.12.0, and one of 4.13.0's requests in which no file has the same bytes."""
    releases = shared / "corpus" / "releases"
    files = {path.name: path.read_bytes() for path in (releases / "4.12.0").iterdir()}
    changed = {n: data + b"\n# changed\n" if n.endswith(".yaml") else data for n, data in files.items()}
    changed |= {path.name: path.read_bytes() for path in (releases / "4.13.0").iterdir()}
    return releases / "4.12.0", images.write(tmp_path_factory.mktemp("full"), changed)


def test_diff_of_two_full_folders(measure: Measure, full: tuple[Path, Path], tmp_path: Path) -> None:
    def diff(*arguments: str | Path) -> tuple[str | Path, ...]:
        return ("diff", *full, "--platform", "AWS", *arguments)

    plain = ("diff", *full)
    figure = measure("diff of two full folders, no cache", *diff("--no-cache"), budget="0.6 s, 120 MB", plain=plain)
    assert figure.code == 0
    cached = diff("--cache-dir", tmp_path)
    assert measure("diff of two full folders, from the cache", *cached, budget="0.20 s, 120 MB").code == 0


@pytest.mark.parametrize("form", ["docker-archive", "oci-archive", "tar.gz"])
def test_diff_of_two_full_archives(form: str, measure: Measure, full: tuple[Path, Path], tmp_path: Path) -> None:
    paths = []
    for folder in full:
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
        path = tmp_path / f"{folder.name}.{form}"
        if form == "tar.gz":
            path.write_bytes(gzip.compress(images.packed(files, "plain"), 6))
        else:
            image = build("x", base=50_000_000, files=files, oci=form == "oci-archive")
            contents = images.layout_files(image) if form == "oci-archive" else images.docker_files(image)
            path.write_bytes(images.packed(contents, "plain"))
        paths.append(path)
    figure = measure(f"diff of two {form}s", "diff", *paths, "--platform", "AWS", "--no-cache", budget="none", runs=5)
    assert figure.code == 0


def test_parts_of_reading_one_full_folder(full: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    """Process time within one process, the best of five."""
    files = reference.fetch(reference.parse_reference(str(full[0])), Settings())
    yamls = [data for name, data in files.files.items() if name.endswith(".yaml")]

    def best(run: object) -> float:
        assert callable(run)
        times = []
        for _ in range(5):
            manifest_index.outline.cache_clear()
            began = time.process_time()
            run()
            times.append(time.process_time() - began)
        return min(times)

    rows = {
        "fetch": best(lambda: reference.fetch(reference.parse_reference(str(full[0])), Settings())),
        "load": best(lambda: payload.load(files)),
        "every outline": best(lambda: [manifest_index.outline(data) for data in yamls]),
        "every document in full": best(lambda: [yaml.parse(data, "f.yaml") for data in yamls]),
    }
    with capsys.disabled():
        for what, seconds in rows.items():
            print(f"\n{len(yamls)} files: {what:<40} {seconds:6.3f} s", end="")
        print()
