"""Shards: every cluster is in exactly one, whoever asks."""

import pytest

from upgrade_gate.base.errors import UsageError
from upgrade_gate.fleet.shard import Shard, parse, refuse_missing


def test_every_name_is_in_exactly_one_shard() -> None:
    shards = [Shard(index, 7) for index in range(1, 8)]
    for name in (f"cluster-{number}" for number in range(500)):
        assert sum(shard.holds(name) for shard in shards) == 1


def test_where_a_name_belongs_is_for_ever() -> None:
    """SHA-256 of "abc" begins ba7816bf8f01cfea (FIPS 180-2, B.1), which is 2 modulo 8."""
    assert int("ba7816bf8f01cfea", 16) % 8 == 2
    assert Shard(3, 8).holds("abc")


def test_the_index_of_a_job_counts_from_zero() -> None:
    assert parse("3/8", {}) == Shard(3, 8)
    assert parse("8", {"JOB_COMPLETION_INDEX": "0"}) == Shard(1, 8)


@pytest.mark.parametrize("text", ["0/8", "9/8", "1/0", "a/b", "8", "", "-1/8", "1/8/9"])
def test_what_is_no_shard_is_an_error(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text, {})
    with pytest.raises(UsageError):
        parse("8", {"JOB_COMPLETION_INDEX": "8"})


def test_a_missing_shard_is_an_error() -> None:
    refuse_missing([Shard(2, 2), Shard(1, 2)])
    refuse_missing([None, None])
    one, other = Shard(1, 2).of(["a", "b"], "4.19.2"), Shard(2, 2).of(["b", "a"], "4.19.2")
    refuse_missing([one, other])
    unequal = [one, Shard(2, 2).of(["a", "b", "c"], "4.19.2")]
    for shards in ([one], [one, None], [Shard(1, 2), Shard(2, 3)], unequal):
        with pytest.raises(UsageError):
            refuse_missing(shards)
