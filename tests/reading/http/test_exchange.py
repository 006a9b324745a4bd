"""Attempts at one question: what is asked again, what is not, and that no wait passes the deadline."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from upgrade_gate.reading.http.exchange import ATTEMPTS, Deadline, End, Peer, ask, exchange
from upgrade_gate.reading.http.failures import ExchangeError, Kind
from upgrade_gate.reading.http.response import Terms


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)


class GaveUpError(Exception):
    def __init__(self, outcome: Answer | ExchangeError, end: End) -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.end = end


BROKEN = ExchangeError(Kind.CONNECTION, "broken", may_pass=True)
UNTRUSTED = ExchangeError(Kind.CERTIFICATE, "not trusted")


def asking(*outcomes: Answer | ExchangeError) -> tuple[Callable[[], Answer], list[Answer | ExchangeError]]:
    """Return what gives these outcomes one after another, and what is left of them."""
    left = list(outcomes)

    def once() -> Answer:
        outcome = left.pop(0)
        if isinstance(outcome, ExchangeError):
            raise outcome
        return outcome

    return once, left


@pytest.mark.parametrize("status", [200, 301, 401, 404, 410])
def test_an_answer_stands_at_once(status: int) -> None:
    once, _ = asking(Answer(status))
    assert ask(once, "it", Deadline.after(10), GaveUpError).status == status


@pytest.mark.parametrize("passing", [Answer(408), Answer(429), Answer(500), Answer(503), BROKEN])
def test_what_may_pass_is_asked_again(passing: Answer | ExchangeError) -> None:
    once, left = asking(passing, passing, Answer(200))
    assert ask(once, "it", Deadline.after(10), GaveUpError, pause=0.01).status == 200
    assert not left


def test_what_will_not_pass_is_asked_once() -> None:
    once, left = asking(UNTRUSTED, Answer(200))
    with pytest.raises(GaveUpError) as caught:
        ask(once, "it", Deadline.after(10), GaveUpError)
    assert caught.value.outcome is UNTRUSTED
    assert caught.value.end.times == ""
    assert len(left) == 1


def test_attempts_come_to_an_end_that_is_told() -> None:
    once, left = asking(*[Answer(500)] * ATTEMPTS, Answer(200))
    with pytest.raises(GaveUpError) as caught:
        ask(once, "it", Deadline.after(10), GaveUpError, pause=0.01)
    assert caught.value.end.times == f" {ATTEMPTS} times"
    assert not caught.value.end.late
    assert len(left) == 1


def test_no_wait_that_would_pass_the_deadline_is_begun() -> None:
    once, left = asking(Answer(429, {"retry-after": "3600"}), Answer(200))
    began = time.monotonic()
    with pytest.raises(GaveUpError) as caught:
        ask(once, "it", Deadline.after(10), GaveUpError)
    assert time.monotonic() - began < 5
    assert caught.value.end.late
    assert caught.value.end.wait == 3600
    assert len(left) == 1


def test_after_the_deadline_nothing_is_opened() -> None:
    opened: list[object] = []
    with pytest.raises(ExchangeError) as caught:
        exchange(opened.append, Peer("api.example.com", None), Terms(10), Deadline.after(0))
    assert caught.value.kind is Kind.TIMEOUT
    assert not opened
