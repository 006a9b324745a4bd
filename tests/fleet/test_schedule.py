"""Work on many items at once: what fails or hangs is told, and delays nobody."""

import threading

from upgrade_gate.fleet import schedule


def test_every_item_ends_once_however_many_run_at_once() -> None:
    for jobs in (1, 3, 50):
        done = list(schedule.run(range(20), lambda n: n * n, jobs=jobs, deadline=60))
        assert sorted((d.item, d.result) for d in done) == [(n, n * n) for n in range(20)]


def test_no_more_run_at_once_than_asked() -> None:
    lock, running, most = threading.Lock(), 0, 0

    def work(_: int) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        with lock:
            running -= 1

    list(schedule.run(range(50), work, jobs=3, deadline=60))
    assert most <= 3


def test_what_fails_is_told_with_its_reason() -> None:
    def work(item: int) -> int:
        if item == 1:
            raise ZeroDivisionError("one")
        return item

    failures = {d.item: d.failure for d in schedule.run(range(3), work, jobs=2, deadline=60)}
    assert failures[0] is failures[2] is None
    assert isinstance(failures[1], ZeroDivisionError)


def test_what_hangs_is_left_behind_and_its_place_goes_to_the_next() -> None:
    never = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            never.wait()
        return item

    done = list(schedule.run(range(4), work, jobs=1, deadline=2))
    never.set()
    assert [(d.item, d.result) for d in done] == [(0, None), (1, 1), (2, 2), (3, 3)]
    assert done[0].failure is None
