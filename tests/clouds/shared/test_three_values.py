"""Three values: the tables of AND, OR and NOT, and what an answer waits for."""

from itertools import product

from upgrade_gate.clouds.shared.three_values import FALSE, TRUE, Answer, Truth, all_of, any_of, not_, undecided

OPEN = undecided("the region")
VALUES = (TRUE, FALSE, OPEN)
ORDER = {Truth.FALSE: 0, Truth.UNDECIDED: 1, Truth.TRUE: 2}


def test_and_is_the_least_and_or_the_greatest_of_three_ordered_values() -> None:
    for first, second in product(VALUES, VALUES):
        lowest = min(first, second, key=lambda a: ORDER[a.truth])
        highest = max(first, second, key=lambda a: ORDER[a.truth])
        assert all_of([first, second]).truth is lowest.truth, (first, second)
        assert any_of([first, second]).truth is highest.truth, (first, second)


def test_not_turns_what_is_decided_and_leaves_what_is_not() -> None:
    assert (not_(TRUE).truth, not_(FALSE).truth, not_(OPEN)) == (Truth.FALSE, Truth.TRUE, OPEN)
    assert [(value.true, value.false) for value in VALUES] == [(True, False), (False, True), (False, False)]


def test_of_nothing_at_all_everything_holds_and_nothing_does() -> None:
    assert all_of([]) == TRUE
    assert any_of([]) == FALSE


def test_an_undecided_answer_names_each_thing_once() -> None:
    assert all_of([OPEN, TRUE, undecided("the time"), OPEN]).open == ("the region", "the time")


def test_what_is_decided_waits_for_nothing() -> None:
    assert all_of([OPEN, FALSE]).open == ()
    assert any_of([OPEN, TRUE]).open == ()


def test_an_answer_says_what_it_rests_on() -> None:
    here = Answer(Truth.TRUE, rests_on=frozenset({"region eu-west-1"}))
    now = Answer(Truth.TRUE, rests_on=frozenset({"now"}))
    assert all_of([here, now]).rests_on == {"region eu-west-1", "now"}
    assert any_of([OPEN, now]).rests_on == {"now"}
    assert not_(here).rests_on == {"region eu-west-1"}
    assert not_(not_(here)) == here
