"""Files up to a bound: to their end or to the bound, and never the memory of the bound for a small one."""

import os
import threading
import tracemalloc
from pathlib import Path

import pytest

from upgrade_gate.reading.files import read_file


@pytest.mark.parametrize(
    ("size", "most", "given"), [(0, 10, 0), (9, 10, 9), (10, 10, 10), (500, 10, 10), (500, -1, 500)]
)
def test_a_file_is_read_to_its_end_or_the_bound(size: int, most: int, given: int, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * size)
    assert len(read_file(tmp_path / "file", most)) == given


@pytest.mark.parametrize(("size", "given"), [(0, 0), (100, 100), (5000, 5000), (200_000, 200_000), (400_000, 300_000)])
def test_a_pipe_that_is_handed_over_is_read_to_its_end_or_the_bound(size: int, given: int) -> None:
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb", buffering=0) as stream:
            for start in range(0, size, 7000):
                stream.write(b"x" * min(7000, size - start))

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    try:
        assert len(read_file(Path(f"/dev/fd/{reading}"), 300_000)) == given
    finally:
        while os.read(reading, 2**16):  # what stands beyond the bound, so that the writer ends
            pass
        os.close(reading)
        thread.join()


def test_a_small_file_takes_little_memory_whatever_the_bound(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 1000)
    tracemalloc.start()
    try:
        read_file(tmp_path / "file", 2**28)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()
