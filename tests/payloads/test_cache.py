"""The cache: checked when read, whole or absent, safe for runs at the same time, never a reason to fail."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from upgrade_gate.payloads.cache import Cache, load_index, prune, store_index
from upgrade_gate.payloads.image.release import ManifestBlob
from upgrade_gate.payloads.payload import Location, Manifest, Payload, Unreadable
from upgrade_gate.payloads.reference import Settings

if TYPE_CHECKING:
    from pathlib import Path

DATA = b"layer" * 1000
DIGEST = f"sha256:{hashlib.sha256(DATA).hexdigest()}"
PLACE = Location("0000_50_storage.yaml", 1, 12)
PAYLOAD = Payload(
    reference="quay.io/release:4.15.3",
    version="4.15.3",
    digest=DIGEST,
    verified=True,
    manifests=(
        Manifest(
            "cloudcredential.openshift.io",
            "v1",
            "CredentialsRequest",
            "ns",
            "name",
            {"a": "b"},
            PLACE,
            body={"spec": {"list": [1, 2.5, None, True, "é", {"deep": []}], "2": 2**63}},
            duplicate_keys=("spec.x",),
        ),
        Manifest("", "v1", "Namespace", "", "ns", None, PLACE),
        Manifest("", "v1", "Namespace", "", "ns", {}, PLACE),
    ),
    unreadable=(Unreadable(PLACE, "a tab", True),),
    previous=("4.14.1",),
    verification="Signed.",
    pullspec="quay.io/release@sha256:x",
    notes=("A note.",),
)


def entries(folder: Path, kind: str) -> list[Path]:
    return [p for p in (folder / kind).rglob("*") if p.is_file()]


def test_blob_comes_back_as_it_was_stored(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "c")
    content = io.BytesIO(DATA)
    content.seek(7)

    cache.store_blob(DIGEST, content)

    assert content.tell() == 0
    file = Cache(tmp_path / "c").open_blob(DIGEST)
    assert file is not None
    with file:
        assert file.read() == DATA


def test_manifest_comes_back_with_its_media_type(tmp_path: Path) -> None:
    manifest = ManifestBlob(DATA, "application/vnd.oci.image.manifest.v1+json", DIGEST)

    Cache(tmp_path).store_manifest(manifest)

    assert Cache(tmp_path).manifest(DIGEST) == manifest


def test_absent_entries_and_no_cache_give_nothing(tmp_path: Path) -> None:
    for cache in (Cache(tmp_path), Cache(None)):
        assert cache.open_blob(DIGEST) is None
        assert cache.manifest(DIGEST) is None
        assert cache.index("key") is None
    Cache(None).store_blob(DIGEST, io.BytesIO(DATA))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", [b"", DATA[:-1], DATA + b"x", b"X" + DATA[1:]])
def test_damaged_blob_is_dropped_with_a_warning(
    damage: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Cache(tmp_path).store_blob(DIGEST, io.BytesIO(DATA))
    (entry,) = entries(tmp_path, "blobs")
    entry.write_bytes(damage)

    assert Cache(tmp_path).open_blob(DIGEST) is None
    assert "is damaged: removed, fetching again" in caplog.text
    assert not entry.exists()


@pytest.mark.parametrize("at", [0, 7, 12, -1])
def test_damaged_manifest_is_dropped_with_a_warning(at: int, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Cache(tmp_path).store_manifest(ManifestBlob(DATA, "application/x", DIGEST))
    (entry,) = entries(tmp_path, "manifests")
    content = bytearray(entry.read_bytes())
    content[at] ^= 1
    entry.write_bytes(content)

    assert Cache(tmp_path).manifest(DIGEST) is None
    assert "damaged" in caplog.text
    assert not entry.exists()


def test_index_comes_back_equal(tmp_path: Path) -> None:
    settings = Settings(cache_dir=tmp_path)

    store_index(DIGEST, PAYLOAD, settings)

    assert load_index(DIGEST, settings) == PAYLOAD
    assert load_index("sha256:other", settings) is None
    assert load_index(DIGEST, Settings(cache_dir=None)) is None


@pytest.mark.parametrize("at", [0, 31, 32, -1])
def test_damaged_index_is_dropped_with_a_warning(at: int, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(cache_dir=tmp_path)
    store_index(DIGEST, PAYLOAD, settings)
    (entry,) = entries(tmp_path, "index")
    content = bytearray(entry.read_bytes())
    content[at] ^= 1
    entry.write_bytes(content)

    assert load_index(DIGEST, settings) is None
    assert "damaged" in caplog.text
    assert not entry.exists()


def test_whole_index_of_another_shape_is_dropped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(cache_dir=tmp_path)
    Cache(tmp_path).store_index(DIGEST, b"\x93\x01\x02\x03")

    assert load_index(DIGEST, settings) is None
    assert "damaged" in caplog.text
    assert entries(tmp_path, "index") == []


def test_index_that_cannot_be_kept_is_no_error(tmp_path: Path) -> None:
    odd = replace(PAYLOAD, manifests=(replace(PAYLOAD.manifests[0], body={"x": object()}),))

    store_index(DIGEST, odd, Settings(cache_dir=tmp_path))

    assert load_index(DIGEST, Settings(cache_dir=tmp_path)) is None


@pytest.mark.parametrize("digest", ["sha256:../../../etc/passwd", "sha512:ab", "", "sha256:" + "A" * 64])
def test_what_is_no_digest_never_becomes_a_path(digest: str, tmp_path: Path) -> None:
    cache = Cache(tmp_path)

    cache.store_blob(digest, io.BytesIO(DATA))

    assert cache.open_blob(digest) is None
    assert list(tmp_path.iterdir()) == []


def test_folders_and_entries_are_the_users_own(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "c")
    cache.store_blob(DIGEST, io.BytesIO(DATA))
    (entry,) = entries(tmp_path / "c", "blobs")

    assert entry.stat().st_mode & 0o077 == 0


def test_folder_that_everyone_may_write_is_not_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Cache(tmp_path).store_blob(DIGEST, io.BytesIO(DATA))
    tmp_path.chmod(0o777)

    assert Cache(tmp_path).open_blob(DIGEST) is None
    assert "may be written by everyone" in caplog.text


def test_folder_that_cannot_be_written_ends_the_use_of_the_cache(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = Cache(tmp_path / "file")

    cache.store_blob(DIGEST, io.BytesIO(DATA))
    cache.store_blob(DIGEST, io.BytesIO(DATA))

    assert cache.open_blob(DIGEST) is None
    assert caplog.text.count("going on without it") == 1


def test_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    """A process that may write no file beyond 4 KiB, as on a full disk."""
    script = (
        "import io, resource, sys; from pathlib import Path; from upgrade_gate.payloads.cache import Cache\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        f"Cache(Path(sys.argv[1])).store_blob({DIGEST!r}, io.BytesIO(b'layer' * 1000))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == 0, done.stderr
    assert "going on without it" in done.stderr
    assert entries(tmp_path, "blobs") == []


@pytest.mark.parametrize("signal", [KeyboardInterrupt, SystemExit])
def test_a_run_that_ends_while_it_writes_leaves_nothing_behind(signal: type[BaseException], tmp_path: Path) -> None:
    class Cut(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise signal

    with pytest.raises(signal):
        Cache(tmp_path).store_blob(DIGEST, Cut(DATA))
    assert list(tmp_path.rglob(".writing-*")) == []


def test_index_under_the_name_of_another_release_is_dropped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(cache_dir=tmp_path)
    store_index("sha256:old", PAYLOAD, settings)
    (old,) = entries(tmp_path, "index")
    store_index("sha256:new", replace(PAYLOAD, version="4.16.0"), settings)
    (new,) = (path for path in entries(tmp_path, "index") if path != old)
    kept = new.read_bytes()
    new.write_bytes(old.read_bytes())
    old.write_bytes(kept)
    assert load_index("sha256:new", settings) is None
    assert load_index("sha256:old", settings) is None
    assert caplog.text.count("is damaged") == 2
    assert entries(tmp_path, "index") == []


def test_blobs_and_manifests_that_change_places_are_dropped(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    other = b"another layer"
    digest = f"sha256:{hashlib.sha256(other).hexdigest()}"
    for data, name in ((DATA, DIGEST), (other, digest)):
        cache.store_blob(name, io.BytesIO(data))
        cache.store_manifest(ManifestBlob(data, "x/y", name))
    for kind in ("blobs", "manifests"):
        one, two = sorted(entries(tmp_path, kind))
        one_data, two_data = one.read_bytes(), two.read_bytes()
        one.write_bytes(two_data)
        two.write_bytes(one_data)
    assert [cache.open_blob(DIGEST), cache.open_blob(digest), cache.manifest(DIGEST), cache.manifest(digest)] == [
        None
    ] * 4


HOSTILE = {
    "empty": b"",
    "a pickle that runs a command": b"cos\nsystem\n(S'exit 1'\ntR.",
    "deep nesting": b"\x91" * 100_000,
    "a length beyond all bounds": b"\xdd\xff\xff\xff\xff",
    "another type": b"\xa5hello",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("sealed", [True, False])
def test_hostile_index_is_dropped(content: bytes, sealed: bool, tmp_path: Path) -> None:
    settings = Settings(cache_dir=tmp_path)
    Cache(tmp_path).store_index("sha256:x", content)
    (path,) = entries(tmp_path, "index")
    if not sealed:
        path.write_bytes(content)
    assert load_index("sha256:x", settings) is None
    assert entries(tmp_path, "index") == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
@pytest.mark.parametrize("whose", ["folder", "entry", "behind a link"])
def test_what_another_user_may_have_written_is_not_used(
    whose: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "cache"
    folder.mkdir()
    store_index("sha256:x", PAYLOAD, Settings(cache_dir=folder))
    given = tmp_path / "link"
    given.symlink_to(folder)
    (entry,) = entries(folder, "index")
    os.chown(entry if whose == "entry" else folder, 65534, 65534)
    settings = Settings(cache_dir=given if whose == "behind a link" else folder)
    assert load_index("sha256:x", settings) is None
    assert "belongs to another user" in caplog.text
    assert entry.exists()


def test_cache_behind_a_link_of_the_users_own_is_used(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    settings = Settings(cache_dir=tmp_path / "link")
    store_index("sha256:x", PAYLOAD, settings)
    assert load_index("sha256:x", settings) == PAYLOAD


@pytest.mark.parametrize("kind", ["pipe", "folder", "dangling link", "link to a device"])
def test_entry_that_is_no_file_is_passed_over(kind: str, tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.store_blob(DIGEST, io.BytesIO(DATA))
    cache.store_manifest(ManifestBlob(DATA, "x/y", DIGEST))
    cache.store_index("x", DATA)
    for path in [path for name in ("blobs", "manifests", "index") for path in entries(tmp_path, name)]:
        path.unlink()
        match kind:
            case "pipe":
                os.mkfifo(path)
            case "folder":
                path.mkdir()
            case "dangling link":
                path.symlink_to("nowhere")
            case _:
                path.symlink_to("/dev/zero")
    assert [cache.open_blob(DIGEST), cache.manifest(DIGEST), cache.index("x")] == [None] * 3
    cache.store_blob(DIGEST, io.BytesIO(DATA))  # goes on, with the entry or without it


def test_cache_folder_that_is_a_file_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("mine")
    settings = Settings(cache_dir=tmp_path / "cache")
    store_index("sha256:x", PAYLOAD, settings)
    assert load_index("sha256:x", settings) is None
    assert (tmp_path / "cache").read_text() == "mine"


@pytest.mark.slow
def test_runs_at_the_same_time_see_whole_entries_only(tmp_path: Path) -> None:
    content = os.urandom(3 * 2**20)
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"

    def one(_: int) -> bool:
        cache = Cache(tmp_path)
        cache.store_blob(digest, io.BytesIO(content))
        file = cache.open_blob(digest)
        assert file is not None
        with file:
            return file.read() == content

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(one, range(24)))
    assert len(entries(tmp_path, "blobs")) == 1


def test_prune_removes_what_was_not_used_lately(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.store_blob(DIGEST, io.BytesIO(DATA))
    cache.store_index("old", b"x" * 100)
    cache.store_index("new", b"y")
    (blob,) = entries(tmp_path, "blobs")
    old = next(p for p in entries(tmp_path, "index") if p.stat().st_size == 132)
    ten_days_ago = time.time() - 10 * 86400
    for path in (blob, old):
        os.utime(path, (ten_days_ago, ten_days_ago))
    file = cache.open_blob(DIGEST)
    assert file is not None
    file.close()

    removed = prune(tmp_path, 7)

    assert (removed.files, removed.size) == (1, 132)
    assert blob.exists()
    assert cache.index("new") == b"y"


def test_prune_removes_what_a_run_that_was_cut_off_left_and_nothing_of_anyone_else(tmp_path: Path) -> None:
    Cache(tmp_path).store_blob(DIGEST, io.BytesIO(DATA))
    (blob,) = entries(tmp_path, "blobs")
    abandoned = blob.parent / ".writing-abc"
    fresh = blob.parent / ".writing-new"
    foreign = blob.parent / "notes.txt"
    outside = tmp_path / "thesis.odt"
    for path in (abandoned, fresh, foreign, outside):
        path.write_text("x")
    two_hours_ago = time.time() - 7200
    os.utime(abandoned, (two_hours_ago, two_hours_ago))
    os.utime(foreign, (0, 0))

    removed = prune(tmp_path, 30)

    assert removed.files == 1
    assert not abandoned.exists()
    assert fresh.exists()
    assert foreign.exists()
    assert outside.exists()
    assert blob.exists()


FIRST_DECODE = """
import os, sys, threading
sys.setswitchinterval(1e-6)
from pathlib import Path
from upgrade_gate.payloads.reference import Settings
from upgrade_gate.payloads import cache as _cache
settings = Settings(cache_dir=Path(sys.argv[1]))
def load_at_once():
    barrier, found = threading.Barrier(4), []
    def load():
        barrier.wait()
        found.append(_cache.load_index(sys.argv[2], settings))
    threads = [threading.Thread(target=load) for _ in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    return len(found) == 4 and all(found)
for _ in range(40):  # each child is a process in which nothing was decoded yet
    child = os.fork()
    if not child:
        os._exit(0 if load_at_once() else 1)
    assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.slow
def test_several_threads_may_load_the_first_index_at_once(tmp_path: Path) -> None:
    """msgspec crashes the process (5 of 60) where threads decode into a type that none has decoded into before."""
    settings = Settings(cache_dir=tmp_path)
    key = "sha256:" + "ab" * 32
    store_index(key, Payload("r", "4.15.3", None, verified=False, manifests=()), settings)
    assert load_index(key, settings) is not None
    done = subprocess.run([sys.executable, "-c", FIRST_DECODE, tmp_path, key], capture_output=True, check=False)
    assert done.returncode == 0, (done.returncode, done.stderr[-300:])
