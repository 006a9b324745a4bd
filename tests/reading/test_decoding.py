"""Typed decoding: the same values from every thread, and an error where the shape does not fit."""

import threading
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from upgrade_gate.reading import decoding


class Leaf(msgspec.Struct):
    """One value."""

    name: str


class Tree(msgspec.Struct):
    """A type that nothing has decoded into before."""

    leaves: list[Leaf]


def test_threads_that_decode_into_a_new_type_at_once_all_get_the_value() -> None:
    barrier = threading.Barrier(8)

    def read(_: int) -> Tree:
        barrier.wait()
        return decoding.from_json(b'{"leaves": [{"name": "a"}]}', Tree)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read, range(8))) == [Tree([Leaf("a")])] * 8


def test_every_form_gives_the_same_value() -> None:
    tree = Tree([Leaf("a"), Leaf("b")])
    assert decoding.from_msgpack(msgspec.msgpack.encode(tree), Tree) == tree


@pytest.mark.parametrize("content", [b"{}", b"[]", b"{", b'{"leaves": [1]}'])
def test_what_does_not_fit_is_an_error(content: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        decoding.from_json(content, Tree)
