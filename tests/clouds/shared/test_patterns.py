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


def texts(alphabet: str, length: int, least: int = 0) -> list[str]:
    """Return every text over an alphabet up to a length."""
    return ["".join(t) for n in range(least, length + 1) for t in itertools.product(alphabet, repeat=n)]


FEW = tuple(texts("abc", 4))
SHORT_SEGMENTED = tuple(texts("ab:/", 3))


def test_every_pair_of_short_patterns() -> None:
    for first, second in itertools.product(texts("ab*?", 2), repeat=2):
        one, other = language(first, FEW), language(second, FEW)
        assert contains(first, second) == (other <= one), (first, second)
        assert intersects(first, second) == bool(one & other), (first, second)


def test_every_short_pattern_of_names_against_every_short_one_of_a_policy() -> None:
    for name, policy in itertools.product(texts(f"a:/*{SEGMENT}{FIELD}", 2), texts("a:/*?", 2)):
        names, granted_here = language(name, SHORT_SEGMENTED), language(policy, SHORT_SEGMENTED)
        assert contains(policy, name) == (names <= granted_here), (name, policy)
        assert intersects(policy, name) == intersects(name, policy) == bool(names & granted_here), (name, policy)


def test_every_short_pattern_with_an_exception() -> None:
    for inner, allow, but in itertools.product(texts("a*?", 2), texts("a*?", 2, 1), texts("a*", 2, 1)):
        one = Patterns((allow,), (but,))
        names, left = language(inner, FEW), granted(one, FEW)
        assert covered(inner, [one]) == (names <= left), (inner, one)
        assert overlapping(inner, [one]) == (one if names & left else None), (inner, one)


@pytest.mark.parametrize(
    ("name", "parts", "expected"),
    [
        (SEGMENT, [Patterns(("*",), ("*/*", "*:*"))], True),
        (SEGMENT, [Patterns(("*",), ("*a*",))], False),
        (FIELD, [Patterns(("*",), ("*:*",))], True),
        (FIELD, [Patterns(("*",), ("*/*",))], False),
        ("*", [Patterns(("*",), ("*:*",))], False),
        (f"{SEGMENT}:{FIELD}", [Patterns(("*",), ("?/*",)), Patterns((":*",))], True),
        (f"{FIELD}:{FIELD}", [Patterns(("*",), ("?/*",)), Patterns((":*",))], False),
    ],
)
def test_a_run_of_a_name_ends_at_its_separators(name: str, parts: list[Patterns], *, expected: bool) -> None:
    assert covered(name, parts) is expected


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


def test_such_a_question_mark_is_like_any_other_character() -> None:
    for asked in itertools.product(texts("a*?", 2), texts("a*?", 2, 1), texts("*?", 2, 1)):
        with_mark, with_letter = answers(*asked, single=False), answers(*(one.replace("?", "q") for one in asked))
        assert with_mark == with_letter, asked


def answers(inner: str, allow: str, but: str, *, single: bool = True) -> list[object]:
    """Return what each question says about a pattern, one that allows, and an exception."""
    parts = [Patterns((allow,), (but,))]
    return [
        contains(allow, inner, single=single),
        intersects(allow, inner, single=single),
        covered(inner, parts, single=single),
        overlapping(inner, parts, single=single) is None,
        overlapping(inner, [Patterns((allow,))], single=single) is None,
        [one.replace("?", "q") for one in less([allow, but], [allow], [inner], single=single)],
    ]


@pytest.mark.parametrize(
    ("listed", "gone", "needed", "left"),
    [
        (["s3:Get*", "s3:Put*"], ["S3:get*"], ["s3:GetObject", "ec2:Run*"], ["s3:GetObject", "s3:Put*"]),
        (["s3:Get*"], ["s3:Get*"], ["s3:*"], ["s3:Get*"]),
        (["s3:Get*"], ["s3:Get*"], ["s3:Put*"], []),
        (["s3:Get*"], ["s3:Put*"], ["s3:GetObject"], ["s3:Get*"]),
    ],
)
def test_what_is_taken_away_is_so_without_case(
    listed: list[str], gone: list[str], needed: list[str], left: list[str]
) -> None:
    assert less(listed, gone, needed) == left


def test_the_parts_are_asked_one_after_another() -> None:
    parts = [Patterns(("b*",)), Patterns(("a*",), ("a*",)), Patterns(("ab*",), ("abc",)), Patterns(("a*",))]
    assert overlapping("a*", parts) == overlapping("ab", parts) == parts[2]
    assert overlapping("abc", parts) == parts[3]
    assert covered("a*", parts)
    assert not covered("a*", parts[:3])


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


@pytest.mark.parametrize(
    ("outer", "inner"),
    [("*", "a*"), ("a*", "ab*"), ("*a", "*ba"), ("*b*", "a*b*c"), ("a*b*", "ab*"), ("a?*", "ab*c"), ("a*", "a*")],
)
def test_what_two_patterns_show_symbol_by_symbol_needs_no_search(
    monkeypatch: pytest.MonkeyPatch, outer: str, inner: str
) -> None:
    """However long they are."""
    monkeypatch.setattr(_patterns, "_MAX_STATES", 0)
    assert contains(outer, inner)


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
