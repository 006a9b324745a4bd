"""Bytes to typed values with msgspec, one thread at a time.

msgspec works out a type when it is first decoded into, and crashes the process where two threads do so at once.
"""

from __future__ import annotations

import threading
from typing import TypeVar

import msgspec

T = TypeVar("T")
_LOCK = threading.Lock()


def from_json(content: bytes, kind: type[T]) -> T:
    """Decode JSON into a type; raises msgspec.MsgspecError where it does not fit."""
    with _LOCK:
        return msgspec.json.decode(content, type=kind)


def from_msgpack(content: bytes, kind: type[T]) -> T:
    """Decode MessagePack into a type; raises msgspec.MsgspecError where it does not fit."""
    with _LOCK:
        return msgspec.msgpack.decode(content, type=kind)
