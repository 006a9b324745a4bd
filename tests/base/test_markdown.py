"""Text in Markdown shows as it stands; a code span and a block hold any run of backticks."""

import pytest

from upgrade_gate.base import markdown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("a_b *c* [d](e)", r"a\_b \*c\* \[d\](e)"),
        ("1. first", r"1\. first"),
        ("- item", r"\- item"),
        ("ask @you, now", "ask `@you`, now"),
        ("see https://x.example.", "see `https://x.example`."),
    ],
)
def test_a_line_shows_as_it_stands(line: str, shown: str) -> None:
    assert markdown.text(line) == shown


@pytest.mark.parametrize(("line", "span"), [("a", "`a`"), ("a``b", "```a``b```"), ("`a", "`` `a ``"), ("", "` `")])
def test_a_span_is_fenced_by_more_backticks_than_it_holds(line: str, span: str) -> None:
    assert markdown.code(line) == span


def test_a_block_is_fenced_by_more_backticks_than_it_holds() -> None:
    assert markdown.fence(["a", "````"], "sh") == "`````sh\na\n````\n`````"
