"""Text as people have it: Windows PowerShell 5 writes UTF-16 with a byte order mark for `oc get … > file`."""

from __future__ import annotations

import codecs


def as_utf8(content: bytes) -> bytes:
    """Return text in UTF-8 without a byte order mark, and with line ends as Unix has them where it was UTF-16.

    What is neither marked nor plainly UTF-16 stays as it is. Raises UnicodeDecodeError where marked text is damaged.
    """
    if content.startswith(codecs.BOM_UTF8):
        return content.removeprefix(codecs.BOM_UTF8)
    name = _utf16(content[:4])
    return content.decode(name).removeprefix("\ufeff").replace("\r\n", "\n").encode() if name else content


def _utf16(head: bytes) -> str | None:
    """Return the form of UTF-16 that a text begins in; a text of YAML or JSON begins with two ASCII characters."""
    if head.startswith(codecs.BOM_UTF16_LE) or (len(head) == 4 and head[1] == head[3] == 0 < head[0]):
        return "utf-16-le"
    if head.startswith(codecs.BOM_UTF16_BE) or (len(head) == 4 and head[0] == head[2] == 0 < head[1]):
        return "utf-16-be"
    return None
