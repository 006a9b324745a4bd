"""How an input becomes another one: bytes, or the parts of a document that stays JSON."""

from __future__ import annotations

import copy
import json
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

MOST = 2**18
"""Bytes that an input may grow to."""
SYNTAX = (
    b"---\n", b"...\n", b"&a ", b"*a", b"<<: ", b"!!binary ", b"!!str ", b"!", b"? ", b": ", b"- ", b"|\n", b">-\n",
    b"{", b"}", b"[", b"]", b'"', b"'", b"\\", b"\n", b"\r", b"\t", b"\0", b"#", b"%YAML 1.2\n", b"0o7", b"0x",
    b"1e999", b".inf", b".nan", b"~", b"null", b"true", b"=", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff",
    b"\xed\xa0\x80", b"\xe2\x80\xae", b"\xc2\x85", b"\xe2\x80\xa8", b"\\ud800", b"\\u0000", b"_", b"+", b"-",
    b"9" * 5000, b"[" * 300,
)  # fmt: skip
ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**63, 10**400, 1.5, 1e308, float("inf"), float("nan"), "", " ", "*", "?", "0",
    "null", "true", "\0", "\ud800", "\u202e", "\n", "a" * 3000, "$", "${a}", "${aws:username}", "../..", "/", "%",
    "%7B", "{", "[", [], {}, [[]], [{}], [None], {"": ""}, "1" * 5000, "٣", "\u0131", "\u212a",
    "2026-11-01T00:00:00Z", "9999-12-31T23:59:59Z", "::1/0", "0.0.0.0/0",
)  # fmt: skip
"""Values where another type, or another form, is expected."""


MARKS = ("\n", "*", "?", "s", "\u200b", ":", "/", "(", "'", ".", "-", "0")
"""What is put somewhere into a text."""


def of_bytes(data: bytes, random: Random, *, words: Sequence[bytes] = SYNTAX) -> bytes:
    """Return bytes with one to four changes: flipped, removed, doubled, cut, moved, or a word put in."""
    found = bytearray(data)
    for _ in range(random.randint(1, 4)):
        start = random.randrange(len(found) + 1)
        end = min(len(found), start + random.choice((1, 1, 2, 4, 8, 32, 512)))
        match random.randrange(7):
            case 0 if start < len(found):
                found[start] ^= 1 << random.randrange(8)
            case 1 if start < len(found):
                found[start] = random.choice((0, 1, 0x20, 0x7F, 0x80, 0xFF, random.randrange(256)))
            case 2:
                del found[start:end]
            case 3:
                found[start:start] = found[start:end] * random.choice((1, 2, 50))
            case 4:
                del found[start:]
            case 5:
                piece = found[start:end]
                at = random.randrange(len(found) + 1)
                found[at:at] = piece
            case _:
                found[start:start] = random.choice(words)
    return bytes(found[:MOST])


def of_tree(data: bytes, random: Random, *, words: Sequence[Any] = ()) -> bytes:
    """Return a JSON document with one to three changed parts; bytes that are none are changed as bytes.

    `words` are values of the field that are put in beside those that never fit.
    """
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return of_bytes(data, random)
    for _ in range(random.randint(1, 3)):
        body = _changed(body, random, (*ODD, *words, *words))
    text = json.dumps(body).encode()[:MOST]
    return of_bytes(text, random) if random.randrange(16) == 0 else text


def with_words(*words: Any) -> Callable[[bytes, Random], bytes]:
    """Return `of_tree` with the words of a field."""
    return partial(of_tree, words=words)


def leaves(body: Any) -> list[tuple[Any, Any]]:
    """Return every place of a document: its container and key or position."""
    places: list[tuple[Any, Any]] = []
    pending = [body]
    while pending:
        one = pending.pop()
        keys = list(one) if isinstance(one, dict) else range(len(one)) if isinstance(one, list) else ()
        for key in keys:
            places.append((one, key))
            pending.append(one[key])
    return places


def _changed(body: Any, random: Random, values: Sequence[Any]) -> Any:
    places = leaves(body)
    if not places:
        return copy.deepcopy(random.choice(values))
    owner, key = random.choice(places)
    value = owner[key]
    match random.randrange(9):
        case 0:
            del owner[key]
        case 1 if isinstance(owner, dict):
            other = random.choice([_text(str(key), random), *[k for o, k in places if isinstance(o, dict)]])
            owner[other] = owner.pop(key)
        case 2:
            owner[key] = copy.deepcopy(random.choice(places)[0])
        case 3 if isinstance(owner, list):
            owner.insert(key, copy.deepcopy(value))
        case 4:
            owner[key] = random.choice(([value], {"a": value}, str(value), [value, value], {str(value): value}))
        case 5 if isinstance(value, str):
            owner[key] = _text(value, random)
        case 6:
            other, place = random.choice(places)
            owner[key] = copy.deepcopy(other[place])
        case 7 if isinstance(value, list) and value:
            owner[key] = value[0]
        case _:
            owner[key] = copy.deepcopy(random.choice(values))
    return body


def _text(text: str, random: Random) -> str:
    at = random.randrange(len(text) + 1)
    start, end = text[:at], text[at:]
    changed = (
        text.upper(),
        text.lower(),
        text.swapcase(),
        text.title(),
        text[::-1],
        text * 2,
        start,
        end,
        start + end[1:],
    )
    return random.choice((*changed, *(start + mark + end for mark in MARKS), f" {text}", f"{text} "))
