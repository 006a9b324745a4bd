"""Packed streams and layers: what is taken, what is refused, and that no cap can be passed."""

from __future__ import annotations

import contextlib
import gzip
import io
import tarfile
from collections.abc import Callable
from hashlib import sha256

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tests.worlds.release_image import tar_of
from upgrade_gate.base.errors import SourceError
from upgrade_gate.payloads.image.layers import Layer, Unpacked, packing, read_layer
from upgrade_gate.payloads.image.tar import Tar, looks_like_tar
from upgrade_gate.reading.limits import Limits

FILES = {"image-references": b"{}", "release-metadata": b"{}", "0000_50_a.yaml": b"kind: A\n" * 2000}
PLAIN = tar_of(FILES)


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=3, write_checksum=True).compress(data)


def zstd_of_unknown_size(data: bytes) -> bytes:
    packer = zstandard.ZstdCompressor().compressobj()
    return packer.compress(data) + packer.flush()


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "gzip of two members": lambda data: gzip.compress(data[:700]) + gzip.compress(data[700:]),
    "gzip padded": lambda data: gzip.compress(data) + bytes(1000),
    "gzip with an empty member": lambda data: gzip.compress(b"") + gzip.compress(data) + gzip.compress(b""),
    "zstd": zstd,
    "zstd of unknown size": zstd_of_unknown_size,
    "zstd of two frames": lambda data: zstd(data[:700]) + zstd(data[700:]),
    "zstd with a skippable frame": lambda data: b"\x50\x2a\x4d\x18\x90\x01\x00\x00" + bytes(400) + zstd(data),
    "zstd with a long skippable frame behind": lambda data: (
        zstd(data) + b"\x5f\x2a\x4d\x18\x00\x00\x02\x00" + bytes(2**17)
    ),
}


def layer(data: bytes, limits: Limits | None = None) -> Layer:
    return read_layer(io.BytesIO(data), "layer sha256:1", limits or Limits(), hashed=True)


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.linkname = kind, link
    return found


@pytest.mark.parametrize("name", PACKINGS)
def test_every_packing_gives_the_same_layer(name: str) -> None:
    assert layer(PACKINGS[name](PLAIN)) == Layer(FILES, content_digest=f"sha256:{sha256(PLAIN).hexdigest()}")


@pytest.mark.parametrize("name", PACKINGS)
def test_packing_is_told_by_content(name: str) -> None:
    assert packing(PACKINGS[name](PLAIN)) == name.split(maxsplit=1)[0]


@pytest.mark.parametrize("name", [name for name in PACKINGS if name != "plain"])
def test_stream_cut_off_anywhere_is_an_error(name: str) -> None:
    data = PACKINGS[name](PLAIN).rstrip(b"\0") if "padded" in name else PACKINGS[name](PLAIN)
    for length in {2, 20, len(data) // 3, len(data) // 2, len(data) - 1}:
        with pytest.raises(SourceError, match="sha256:1"):
            layer(data[:length])


@pytest.mark.parametrize("length", [0, 1, 511, 512, 700, len(PLAIN) // 2])
def test_plain_archive_cut_off_is_an_error(length: int) -> None:
    with pytest.raises(SourceError, match="sha256:1"):
        layer(PLAIN[:length])


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_damage_and_foreign_data_are_errors(name: str) -> None:
    data = PACKINGS[name](PLAIN)
    middle = len(data) // 2
    for bad in (
        data[:middle] + bytes([data[middle] ^ 0x55]) + data[middle + 1 :],
        data[:-3] + bytes(byte ^ 1 for byte in data[-3:]),
        data + b"other data",
        data[:4] + b"\xff" * 40,
    ):
        with pytest.raises(SourceError, match="sha256:1"):
            layer(bad)


@pytest.mark.parametrize("name", ["plain", "gzip", "zstd", "zstd of unknown size"])
def test_bomb_stops_at_the_cap(name: str) -> None:
    bomb = PACKINGS[name](tar_of({"0000_50_bomb.yaml": bytes(2**22)}))
    with pytest.raises(SourceError, match="unpacks to more than 1000000 bytes"):
        layer(bomb, Limits(unpacked=1_000_000))


@pytest.mark.slow
def test_zstd_bomb_never_holds_more_than_a_piece() -> None:
    data = zstandard.ZstdCompressor(level=19).compress(bytes(2**28))
    stream = Unpacked(io.BytesIO(data), "bomb", Limits(unpacked=2**20))
    with pytest.raises(SourceError, match="bomb unpacks to more than"):
        stream.read(2**30)


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_packed_size_has_a_cap(name: str) -> None:
    noise = b"".join(sha256(bytes([i % 256, i // 256])).digest() for i in range(9000))
    with pytest.raises(SourceError, match="larger than the 100000 packed bytes"):
        layer(PACKINGS[name](tar_of({"a.yaml": noise})), Limits(compressed=100_000))


def test_one_file_has_a_cap() -> None:
    with pytest.raises(SourceError, match=r"release-manifests/0000_50_a\.yaml: 16000 bytes, more than the 15000"):
        layer(PLAIN, Limits(file=15_000))


def test_entries_have_a_cap() -> None:
    with pytest.raises(SourceError, match="more than the 3 entries"):
        layer(PLAIN, Limits(entries=3))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
@pytest.mark.parametrize("name", ["release-manifests/x.yaml", "./release-manifests/x", "release-manifests"])
def test_links_and_devices_among_the_manifests_are_refused(kind: bytes, name: str) -> None:
    with pytest.raises(SourceError, match=r"release-manifests(/x.*)? is not a regular file"):
        layer(tar_of({}, odd=[entry(name, kind, "/etc/passwd")]))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE])
def test_links_and_devices_elsewhere_are_of_no_concern(kind: bytes) -> None:
    assert layer(tar_of(FILES, odd=[entry("usr/bin/sh", kind, "/bin/bash")])).files == FILES


@pytest.mark.parametrize("name", ["/etc/x", "../x", "usr/../../x", "release-manifests/../../x", "a/.."])
def test_names_that_leave_the_layer_are_refused(name: str) -> None:
    with pytest.raises(SourceError, match="points outside"):
        layer(tar_of(FILES, odd=[entry(name)]))


def test_name_that_is_no_text_is_refused() -> None:
    with pytest.raises(SourceError, match="not printable text"):
        layer(tar_of({"a\x1b[31m.yaml": b""}))


def test_file_in_place_of_the_folder_is_refused() -> None:
    with pytest.raises(SourceError, match="release-manifests is not a folder"):
        layer(tar_of({}, folder="x", odd=[entry("release-manifests")]))


def test_file_that_stands_twice_must_be_the_same() -> None:
    odd = entry("release-manifests/image-references")
    assert layer(tar_of({"image-references": b""}, odd=[odd])).files == {"image-references": b""}
    with pytest.raises(SourceError, match="image-references appears twice"):
        layer(tar_of(FILES, odd=[odd]))


def test_only_manifests_are_kept() -> None:
    found = layer(tar_of({**FILES, "install.sh": b"x", "sub/b.yml": b"y"}, odd=[entry("manifests/c.yaml")]))
    assert found.files == {**FILES, "sub/b.yml": b"y"}


@pytest.mark.parametrize(
    ("name", "removed", "opaque"),
    [
        ("release-manifests/.wh.0000_50_a.yaml", {"0000_50_a.yaml"}, False),
        ("release-manifests/sub/.wh.a.yaml", {"sub/a.yaml"}, False),
        ("release-manifests/.wh..wh..opq", set(), True),
        (".wh.release-manifests", set(), True),
        (".wh..wh..opq", set(), True),
        ("usr/.wh.release-manifests", set(), False),
        ("usr/.wh..wh..opq", set(), False),
    ],
)
def test_whiteouts_are_understood(name: str, removed: set[str], opaque: bool) -> None:
    found = layer(tar_of({}, odd=[entry(name)]))
    assert (set(found.removed), found.opaque, dict(found.files)) == (removed, opaque, {})


LONG = "sub/" + "n" * 120 + "/" + "m" * 130 + ".yaml"


FORMATS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)
NAMES = ("a.yaml", "sub/" + "x" * 90 + ".yaml", "grün.yaml")


@pytest.mark.parametrize(
    ("form", "name"),
    [*((form, name) for form in FORMATS for name in NAMES), (tarfile.GNU_FORMAT, LONG), (tarfile.PAX_FORMAT, LONG)],
)
def test_every_tar_format_gives_the_name(form: int, name: str) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form, pax_headers={"comment": "x"}) as tar:
        info = tarfile.TarInfo(f"release-manifests/{name}")
        info.size = 3
        tar.addfile(info, io.BytesIO(b"abc"))
    assert layer(buffer.getvalue()).files == {name: b"abc"}


def test_header_that_is_damaged_is_not_the_end() -> None:
    """Python's tarfile would take it for the end of the archive, and everything behind it would be gone."""
    at = PLAIN.index(b"release-manifests/0000_50_a.yaml")
    with pytest.raises(SourceError, match="checksum of a header"):
        layer(PLAIN[:at] + b"X" + PLAIN[at + 1 :])


def changed(data: bytes, at: int, field: bytes) -> bytes:
    """Return a tar whose first header has other bytes at a place, with its checksum put right."""
    header = bytearray(data[:512])
    header[at : at + len(field)] = field
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + data[512:]


ONE = tar_of({}, folder="f", odd=[entry("release-manifests/a.yaml")])[512:]


def pax(text: bytes, kind: bytes = b"x") -> bytes:
    """Return an extended header in front of one file."""
    info = entry("pax", kind)
    info.size = len(text)
    return info.tobuf(tarfile.USTAR_FORMAT) + text.ljust(-(-len(text) // 512) * 512, b"\0") + ONE


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (changed(ONE, 124, b"not a number"), "is not a number"),
        (changed(ONE, 124, b"\xff" * 12), "negative"),
        (changed(ONE, 124, b"\x80" + b"\x7f" * 11), "cut off|more than"),
        (changed(ONE, 156, b"S"), "sparse"),
        (pax(b"nonsense\n"), "without its length"),
        (pax(b"99 path=x\n"), "does not end"),
        (pax(b"10 path=xy"), "does not end"),
        (pax(b"10 size=x\n"), "is not a number"),
        (pax(b"11 path=\0x\n"), "NUL"),
        (pax(b"13 path=/abs\n"), "points outside"),
        (pax(b"10 path=x\n", b"g"), "for all entries"),
        (pax(b"22 GNU.sparse.major=1\n"), "not a regular file"),
        (pax(b"10 path=x\n")[:1024] + bytes(1024), "after an extended header"),
        (pax(b"10 path=x\n")[:515], "cut off inside an extended header"),
        (changed(pax(b"10 path=x\n"), 124, b"00100000000\0"), "extended header of 16777216 bytes"),
    ],
)
def test_hostile_headers_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(SourceError, match=words):
        layer(data)


def test_folder_written_as_a_file_with_a_slash_is_a_folder() -> None:
    old = changed(
        tar_of({}, folder="f", odd=[entry("release-manifests/a.yaml")])[512:], 0, b"release-manifests/sub/\0\0\0"
    )
    assert layer(old).files == {}


def test_old_checksums_count_bytes_with_their_sign() -> None:
    header = bytearray(ONE[:512])
    header[300:302] = b"\xff\xfe"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % (sum(header) - 512)
    assert looks_like_tar(bytes(header))
    assert not looks_like_tar(b"x" * 512)
    assert not looks_like_tar(bytes(100))
    assert looks_like_tar(bytes(512))


def test_data_that_nobody_read_is_passed_over() -> None:
    stream = Unpacked(io.BytesIO(PLAIN), "x", Limits())
    tar = Tar(stream, "x", 100)
    kept = [(member.name, tar.data(member) if member.name.endswith("yaml") else b"") for member in tar]
    assert kept[-1] == ("release-manifests/0000_50_a.yaml", FILES["0000_50_a.yaml"])


@given(st.data())
def test_changed_bytes_never_give_other_content_unnoticed(data: st.DataObject) -> None:
    """A packed layer carries a checksum: one changed byte is an error, or changes nothing that is read."""
    packed = data.draw(st.sampled_from([gzip.compress(PLAIN, mtime=0), zstd(PLAIN)]))
    at = data.draw(st.integers(0, len(packed) - 1))
    bad = packed[:at] + bytes([packed[at] ^ data.draw(st.integers(1, 255))]) + packed[at + 1 :]
    try:
        found = layer(bad)
    except SourceError:
        return
    assert found.files == FILES


@given(
    st.binary(max_size=3000)
    | st.lists(st.sampled_from([ONE, PLAIN[:512], bytes(512), pax(b"10 path=x\n")])).map(b"".join)
)
def test_any_bytes_give_a_layer_or_a_source_error(data: bytes) -> None:
    with contextlib.suppress(SourceError):
        assert isinstance(layer(data, Limits(compressed=10**6, unpacked=10**6)), Layer)
