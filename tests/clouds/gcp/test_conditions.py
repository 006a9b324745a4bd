"""Conditions of GCP bindings: what the time decides, and what stays open.

The expected values follow from the order of the moments and from CEL's own precedence: `!` before a bracket, then
comparison, `&&`, `||`, and `? :` last.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upgrade_gate.clouds.gcp import conditions
from upgrade_gate.clouds.shared.three_values import Truth

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
PAST, NEXT = 'timestamp("2026-01-01T00:00:00Z")', 'timestamp("2027-01-01T00:00:00Z")'
OVER, OPEN = f"request.time < {PAST}", f"request.time < {NEXT}"
NAME = 'resource.name.startsWith("projects/p1/")'


def holds(expression: str, now: datetime | None) -> bool | None:
    """Return the answer as True, False or None."""
    answer = conditions.holds(expression, now)
    assert bool(answer.open) is (answer.truth is Truth.UNDECIDED), "what is undecided says what it waits for"
    return {Truth.TRUE: True, Truth.FALSE: False, Truth.UNDECIDED: None}[answer.truth]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (OPEN, True),
        (OVER, False),
        (f"request.time<{NEXT}", True),
        (f"  request.time\n  <=  {NEXT} ", True),
        (f"request.time > {PAST}", True),
        (f"request.time >= {NEXT}", False),
        (f"{PAST} < request.time", True),
        (f"{NEXT} <= request.time", False),
        ('request.time <= timestamp("2026-11-30T12:00:00Z")', True),
        ('request.time < timestamp("2026-11-30T12:00:00Z")', False),
        ('request.time < timestamp("2026-11-30T12:30:00+01:00")', False),
        ("request.time < timestamp('2026-11-30T12:00:00.5Z')", True),
        ('request.time > timestamp("2026-11-30T12:00:00Z")', False),
        ('request.time >= timestamp("2026-11-30T12:00:00Z")', True),
        ('request.time < timestamp(r"2027-01-01T00:00:00Z")', None),
        ("request.time < timestamp('''2027-01-01T00:00:00Z''')", None),
        (f'resource.name == r"\\" && {OVER}', False),
        (f'resource.name == "\\"" && {OVER}', False),
        (f'resource.name == """a"b\\"""" && {OVER}', False),
        (f"({OPEN})", True),
        (f"({NEXT} > request.time)", True),
        (f"({OPEN}]", None),
        (f"[{OPEN})", None),
        (f"f({OPEN})", None),
        (f"!a {OPEN} b", None),
        (f"{OVER} && ({NAME}) == ({NAME})", False),
        (f"{OPEN} || ({NAME}", None),
        (f"{OPEN} || {OPEN} ? {NAME} : {NAME}", None),
        ("(" * 39 + OPEN + ")" * 39, True),
        ("!(" * 38 + OPEN + ")" * 38, True),
        ("!(" * 5000 + OPEN + ")" * 5000, None),
        (f"!({OVER})", True),
        (f"!({OPEN} || {NAME})", False),
        (f"{OPEN} && {NAME}", None),
        (f"{OVER} && {NAME}", False),
        (f"{OPEN} || {NAME}", True),
        (f"{OVER} || {NAME}", None),
        (f"{OVER} || {OPEN} && {OPEN}", True),
        (f"({OVER} || {OPEN}) && {OVER}", False),
        (f"!({NAME})", None),
        (NAME, None),
        ("request.time.getHours('Europe/Berlin') >= 9", None),
        (f"request.time == {NEXT}", None),
        (f"request.time != {NEXT}", None),
        (f"request.time < {NEXT} + duration('3600s')", None),
        (f"request.time < {NEXT} ? {NAME} : true", None),
        (f"true ? {OPEN} : false", None),
        ('resource.name == "a && b || request.time"', None),
        ("resource.matchTag('999/env', 'prod')", None),
        ('request.time < timestamp("2027-01-01")', None),
        ('request.time < timestamp("2027-13-01T00:00:00Z")', None),
        (f"request.time < {NEXT} && ", None),
        (f"(request.time < {NEXT}", None),
        (f"request.time < {NEXT})", None),
        ("", None),
        ("'never closed", None),
        ("(" * 5000 + OPEN + ")" * 5000, None),
    ],
)
def test_a_condition_at_a_moment(expression: str, value: bool | None) -> None:
    assert holds(expression, NOON) is value


@pytest.mark.parametrize("expression", [OPEN, OVER, f"!({OVER})", f"{OPEN} && {NAME}"])
def test_without_a_moment_nothing_is_decided(expression: str) -> None:
    assert holds(expression, None) is None


def _joined(parts: tuple[str, tuple[str, bool | None], tuple[str, bool | None]]) -> tuple[str, bool | None]:
    mark, (left, a), (right, b) = parts
    wins = mark == "||"
    value = wins if wins in (a, b) else None if None in (a, b) else not wins
    return f"({left}) {mark} ({right})", value


VALUES = st.recursive(
    st.sampled_from([(OPEN, True), (OVER, False), (NAME, None)]),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["&&", "||"]), inner, inner).map(_joined),
        inner.map(lambda one: (f"!({one[0]})", None if one[1] is None else not one[1])),
        inner.map(lambda one: (f"({one[0]})", one[1])),
    ),
    max_leaves=8,
)


@given(VALUES)
def test_joined_conditions_follow_three_valued_logic(case: tuple[str, bool | None]) -> None:
    expression, value = case
    assert holds(expression, NOON) is value


@given(st.text(max_size=200))
def test_no_text_is_decided_that_names_no_time(text: str) -> None:
    assert "request.time" in text or holds(text, NOON) is None


@given(st.integers(-(10**6), 10**6))
def test_the_end_is_the_end(seconds: int) -> None:
    end = NOON + timedelta(seconds=seconds)
    written = f'request.time < timestamp("{end.strftime("%Y-%m-%dT%H:%M:%SZ")}")'
    assert holds(written, NOON) is (seconds > 0)
