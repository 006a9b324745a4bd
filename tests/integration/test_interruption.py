"""Many runs on one cache, and runs that are ended at any moment: what they leave is whole, or not there.

The moments come from kept seeds and are spread over a run's length. No moment is expected to hit anything: each
assertion holds whenever the signal comes, also where the run was over before.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import re
import signal
import subprocess
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.worlds.small_site import DEADLINE, NEW, OLD, SmallSite, small_site

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.worlds.certificates import Certificates

SEEDS = (11, 23, 47)
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
FIXED = ("--now", "2026-11-02")
VERDICTS = {"check": 3, "archive": 3}
OUTPUTS: Mapping[str, Sequence[str]] = {
    "check": (*FIXED, "-o", "json=out.json", "-o", "html"),
    "diff": ("-o", "json=out.json", "-o", "text"),
    "remediate": (*FIXED, "-d", "out"),
    "snapshot": ("out.json",),
    "extract": ("-d", "out"),
    "archive": (*FIXED, "-o", "json=out.json"),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, fixtures: Path, certificates: Certificates) -> Iterator[SmallSite]:
    """A live cluster and its registries."""
    with small_site(tmp_path_factory.mktemp("site"), fixtures, certificates) as found:
        yield found


def packed(folder: Path, file: Path) -> Path:
    """Write a folder's files into a packed archive, which is unpacked into a temporary file when it is read."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        archive.add(folder, "release-manifests")
    file.write_bytes(gzip.compress(data.getvalue()))
    return file


def line_of(name: str, site: SmallSite, home: Path) -> list[str]:
    """Return the command line of one row of OUTPUTS."""
    home.mkdir(parents=True, exist_ok=True)
    if name != "archive":
        return site.line(name, *OUTPUTS[name])
    old, new = (packed(site.releases / version, home / f"{version}.tar.gz") for version in (OLD, NEW))
    line = site.line("check", "--from", f"archive:{old}", "--no-cluster", "--platform", "AWS", *OUTPUTS[name])
    line[line.index("--to") + 1] = f"archive:{new}"
    return line


def content(folder: Path) -> dict[str, bytes]:
    """Return the outputs below a folder by name, the time at which a snapshot was taken left out."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            if b'"upgrade-gate/snapshot/' in data:
                data = json.dumps({k: v for k, v in json.loads(data).items() if k != "taken"}).encode()
            found[str(path.relative_to(folder))] = data
    return found


def is_whole_bundle(files: Mapping[str, bytes]) -> bool:
    """Return whether the sums that a bundle begins with are those of its files."""
    sums = [line.split("  ", 1) for line in files.get("out/SHA256SUMS", b"").decode().splitlines()]
    return bool(sums) and all(
        hashlib.sha256(files.get(f"out/{name}", b"\0gone")).hexdigest() == digest for digest, name in sums
    )


def temporary(home: Path) -> list[Path]:
    """Return what only a running program may have: temporary files, beside outputs and in the cache too."""
    hidden = [path for path in (home / "work").iterdir() if path.name.startswith(".")]
    return [*(home / "tmp").iterdir(), *hidden, *(home / "cache").rglob(".writing-*")]


def ended(line: Sequence[str], site: SmallSite, home: Path, number: int, after: float) -> tuple[int, bytes, bytes]:
    """Start a run and send it a signal after some seconds; return exit code, stdout and stderr."""
    process = subprocess.Popen(
        line,
        cwd=home / "work",
        env=site.environment(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    time.sleep(after)
    process.send_signal(number)
    out, err = process.communicate(timeout=DEADLINE)
    return process.returncode, out, err


def _length(name: str, site: SmallSite, tmp_path: Path) -> float:
    """Return how long a run takes whose cache is warm, as those are that a signal ends: the shorter of two."""
    home, found = tmp_path / "timed", []
    for _ in range(3):
        (home / "work").mkdir(parents=True)
        begun = time.monotonic()
        site.run(line_of(name, site, tmp_path), home, home / "work")
        found.append(time.monotonic() - begun)
        subprocess.run(["rm", "-rf", home / "work"], check=True)
    return min(found[1:])


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_run_that_is_ended_leaves_all_or_nothing(name: str, site: SmallSite, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    (fresh / "work").mkdir(parents=True)
    whole = site.run(line_of(name, site, tmp_path), fresh, fresh / "work")
    assert whole.returncode == VERDICTS.get(name, 0), whole.stderr.decode()
    wanted = content(fresh / "work")
    assert wanted
    length = _length(name, site, tmp_path)
    codes = {signal.SIGINT: (130, -2), signal.SIGTERM: (-15,), signal.SIGHUP: (-1,), signal.SIGKILL: (-9,)}

    home = tmp_path / "home"
    (home / "work").mkdir(parents=True)
    line = line_of(name, site, tmp_path)
    hits = 0
    for number in SIGNALS:
        for seed in SEEDS:
            moment = random.Random(f"{name} {number} {seed}").uniform(0.1, 1.0) * length
            code, out, err = ended(line, site, home, number, moment)
            told = f"{name}, {signal.Signals(number).name} after {moment:.2f} s: {code}: {err.decode()}"
            found = content(home / "work")
            over = code == whole.returncode
            hits += not over
            assert over or code in codes[number], told
            if over:
                assert (found, out) == (wanted, whole.stdout), told
            elif name == "remediate":
                assert not is_whole_bundle(found) or found == wanted, told
            else:
                assert {n: data for n, data in found.items() if not n.startswith(".")} in ({}, wanted), told
            if number != signal.SIGKILL:
                assert not temporary(home), told
            if code == 130:
                assert b"no verdict was reached" in err, told
            for path in (home / "work").iterdir():
                if path.is_file() or name == "extract":
                    subprocess.run(["rm", "-rf", path], check=True)

    again = site.run(line, home, home / "work")
    assert again.returncode == whole.returncode, again.stderr.decode()
    assert b"damaged" not in again.stderr
    assert {n: data for n, data in content(home / "work").items() if not n.startswith(".")} == wanted
    assert again.stdout == whole.stdout
    assert hits, "no signal came in time"


def test_many_runs_at_once_on_a_cold_cache_agree(site: SmallSite, tmp_path: Path) -> None:
    line = line_of("check", site, tmp_path)
    line[line.index("json=out.json")] = "json"
    del line[-2:]
    alone = site.run(line, tmp_path / "alone", tmp_path)
    home = tmp_path / "shared"
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda _: site.run(line, home, tmp_path), range(6)))
    for done in together:
        assert done.returncode == 3, done.stderr.decode()
        assert done.stdout == alone.stdout
        assert b"damaged" not in done.stderr
    assert not list((home / "cache").rglob(".writing-*"))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_run_that_is_killed_harms_no_other_on_the_same_cache(seed: int, site: SmallSite, tmp_path: Path) -> None:
    line = line_of("check", site, tmp_path)
    line[line.index("json=out.json")] = "json"
    del line[-2:]
    home = tmp_path / "shared"
    (home / "work").mkdir(parents=True)
    moment = random.Random(seed).uniform(0.2, 2.0)
    with ThreadPoolExecutor(4) as pool:
        killed = pool.submit(ended, line, site, home, signal.SIGKILL, moment)
        others = [pool.submit(site.run, line, home, tmp_path) for _ in range(3)]
        assert killed.result()[0] in (-9, 3)
        reports = {done.stdout for other in others if (done := other.result()).returncode == 3}
    assert len(reports) == 1
    last = site.run(line, home, tmp_path)
    assert (last.returncode, {last.stdout}) == (3, reports)
    assert b"damaged" not in last.stderr


def ignores(pid: int, which: signal.Signals) -> bool:
    """Return whether a process ignores a signal, from Linux's mask of those (proc(5), SigIgn)."""
    (mask,) = re.findall(r"^SigIgn:\s*([0-9a-f]+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return bool(int(mask, 16) >> (which - 1) & 1)


def test_ignored_signals_stay_ignored(site: SmallSite, tmp_path: Path) -> None:
    """`nohup` ignores SIGHUP for what it starts; the run goes on and is whole."""
    process = subprocess.Popen(
        ["nohup", *line_of("diff", site, tmp_path)],
        cwd=tmp_path,
        env=site.environment(tmp_path / "home"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while process.poll() is None and not ignores(process.pid, signal.SIGHUP):
        time.sleep(0.001)  # until `nohup` itself has started and said so
    while process.poll() is None:
        process.send_signal(signal.SIGHUP)
        time.sleep(0.2)
    _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, err.decode()
    assert (tmp_path / "out.json").exists()
    assert list((tmp_path / "home" / "tmp").iterdir()) == []
