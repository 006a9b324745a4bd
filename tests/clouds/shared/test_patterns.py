"""Pattern containment and overlap against brute force: every name to a length over a small alphabet."""

import itertools
import re
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upgrade_gate.clouds.shared import patterns as _patterns
from upgrade_gate.clouds.shared.patterns import (
    FIELD,
    SEGMENT,
    Patterns,
    contains,
    covered,
    has_wildcard,
    intersects,
    less,
    literal,
    matches,
    overlapping,
)

EXACT = settings(deadline=None, derandomize=True, max_examples=150)

LENGTH = 6
NAMES = tuple("".join(t) for n in range(LENGTH + 1) for t in itertools.product("abc", repeat=n))
"""`c` stands in no pattern: it speaks for every other character."""
patterns = st.text("ab*?", max_size=4)
part = st.builds(Patterns, st.lists(patterns, max_size=2).map(tuple), st.lists(patterns, max_size=2).map(tuple))


@cache
def language(pattern: str, names: tuple[str, ...] = NAMES) -> frozenset[str]:
    """Return the names that a pattern matches, by the regular expression that means the same."""
    text = "".join(
        {"*": ".*", "?": ".", SEGMENT: "[^:/]*", FIELD: "[^:]*"}.get(char, re.escape(char)) for char in pattern
    )
    return frozenset(name for name in names if re.fullmatch(text, name))


def granted(given: Patterns, names: tuple[str, ...] = NAMES) -> frozenset[str]:
    allows = frozenset().union(*(language(p, names) for p in given.allows))
    return allows - frozenset().union(*(language(p, names) for p in given.excepts))


@EXACT
@given(patterns)
def test_a_pattern_matches_what_its_regular_expression_matches(pattern: str) -> None:
    assert {name for name in NAMES if matches(pattern, name)} == language(pattern)


@EXACT
@given(patterns, patterns)
def test_containment_is_that_of_the_languages(outer: str, inner: str) -> None:
    assert contains(outer, inner) == (language(inner) <= language(outer))


@EXACT
@given(patterns, patterns)
def test_two_patterns_intersect_where_they_share_a_name(first: str, second: str) -> None:
    assert intersects(first, second) == bool(language(first) & language(second))
    assert intersects(first, second) == intersects(second, first)


@EXACT
@given(patterns, st.lists(part, max_size=3))
def test_a_union_of_parts_covers_what_its_languages_cover(inner: str, parts: list[Patterns]) -> None:
    union = frozenset().union(*(granted(p) for p in parts))
    assert covered(inner, parts) == (language(inner) <= union)


@EXACT
@given(patterns, st.lists(part, max_size=3))
def test_a_part_overlaps_where_it_grants_a_name_of_the_pattern(inner: str, parts: list[Patterns]) -> None:
    first = next((p for p in parts if granted(p) & language(inner)), None)
    assert overlapping(inner, parts) == first


SEGMENTED = tuple("".join(t) for n in range(LENGTH + 1) for t in itertools.product("a:/", repeat=n))
of_policies = st.text("a:/*?", max_size=4)
of_names = st.text(f"a:/*?{SEGMENT}{FIELD}", max_size=4)
of_policy = st.builds(
    Patterns, st.lists(of_policies, max_size=2).map(tuple), st.lists(of_policies, max_size=2).map(tuple)
)


@EXACT
@given(of_names, st.lists(of_policy, max_size=3))
def test_a_segment_stands_for_any_text_without_a_separator(inner: str, parts: list[Patterns]) -> None:
    names = language(inner, SEGMENTED)
    assert covered(inner, parts) == (names <= frozenset().union(*(granted(p, SEGMENTED) for p in parts)))
    assert overlapping(inner, parts) == next((p for p in parts if granted(p, SEGMENTED) & names), None)
    for pattern in (a for p in parts for a in p.allows):
        assert intersects(pattern, inner) == intersects(inner, pattern) == bool(language(pattern, SEGMENTED) & names)
        assert contains(pattern, inner) == (names <= language(pattern, SEGMENTED))


def test_nothing_is_a_wildcard_in_a_literal_text() -> None:
    assert matches(literal("a*?"), literal("a*?"))
    assert not matches(literal("a*?"), literal("ab?"))
    assert matches("a*", literal("a*?"))
    assert not has_wildcard(literal("a*?"))


@EXACT
@given(patterns, patterns, patterns)
def test_containment_is_reflexive_and_transitive(a: str, b: str, c: str) -> None:
    assert contains(a, a)
    if contains(a, b) and contains(b, c):
        assert contains(a, c)


@pytest.mark.parametrize(
    ("outer", "inner", "expected"),
    [
        ("*", "anything:at/all", True),
        ("ec2:describe*", "ec2:describevolumes", True),
        ("ec2:describevolume?", "ec2:describevolumes", True),
        ("ec2:describevolumes?", "ec2:describevolumes", False),
        ("ec2:[gx]et", "ec2:get", False),
        ("ec2:[gx]et", "ec2:[gx]et", True),
        ("*?", "*a", True),
        ("?*", "*a", True),
        ("*a", "*?", False),
        ("**", "*", True),
        ("", "", True),
        ("", "*", False),
        ("a.c", "abc", False),
    ],
)
def test_containment_of_patterns_seen_in_policies(outer: str, inner: str, expected: bool) -> None:
    assert contains(outer, inner) is expected


def test_a_question_mark_is_a_character_where_the_cloud_has_no_such_wildcard() -> None:
    assert not matches("a?", "ab", single=False)
    assert matches("a?", "a?", single=False)
    assert not has_wildcard("a?", single=False)
    assert not intersects("a?", "ab", single=False)
    assert contains("a*", "a?", single=False)


def test_a_union_covers_what_no_single_pattern_does() -> None:
    """Every name is empty, or begins with an a, or with something else."""
    assert covered("x*", [Patterns(("x", "x?*"))])
    assert not contains("x?*", "x*")


def test_a_pattern_of_a_hundred_stars_is_matched_without_going_round_in_circles() -> None:
    hostile = "*a" * 100
    assert not matches(hostile, "a" * 99 + "b" * 900)
    assert matches(hostile, "ba" * 100)
    assert contains("*" + hostile, hostile)


def test_a_union_too_large_to_settle_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_patterns, "_MAX_STATES", 3)
    assert not covered("x*", [Patterns(("x", "x?*"))])


@EXACT
@given(*[st.lists(patterns, max_size=3)] * 3)
def test_what_is_taken_away_leaves_all_that_is_needed_of_it_and_adds_nothing(
    listed: list[str], gone: list[str], needed: list[str]
) -> None:
    before, after, wanted = (
        frozenset().union(*map(language, several)) for several in (listed, less(listed, gone, needed), needed)
    )
    assert before & wanted <= after <= before
    assert set(less(listed, gone, [])) == set(listed) - set(gone)
