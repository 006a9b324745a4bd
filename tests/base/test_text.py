"""Text from payloads and clusters: what is left of it when it is shown."""

import pytest

from upgrade_gate.base.text import one_line


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain", "plain"),
        ("two\nlines\r\nhere", "two lines  here"),
        ("no\u00a0break", "no break"),
        ("\x1b[31m", "\N{REPLACEMENT CHARACTER}[31m"),
        ("a\u202eb", "a\N{REPLACEMENT CHARACTER}b"),
        ("a\u200bb", "a\N{REPLACEMENT CHARACTER}b"),
        ("\ud800", "\N{REPLACEMENT CHARACTER}"),
        ("\u5e73\u53f0 \u00e9", "\u5e73\u53f0 \u00e9"),
    ],
)
def test_text_becomes_one_harmless_line(raw: str, shown: str) -> None:
    assert one_line(raw) == shown
