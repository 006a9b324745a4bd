"""Which clusters one of several runs judges: by a hash of the name, so that every run knows without asking another."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from msgspec import Struct

from upgrade_gate.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

INDEX = "JOB_COMPLETION_INDEX"
"""What Kubernetes sets in the pods of an Indexed Job, from 0."""
_FORM = re.compile(r"(?:(\d{1,5})/)?(\d{1,5})", re.ASCII)


class Shard(Struct, frozen=True):
    """One of `count` shards; `index` counts from 1."""

    index: int
    count: int
    fleet: str = ""
    """A digest of the names of all clusters that were cut into shards."""
    asked: str = ""
    """A digest of what was asked of them: the target, acknowledgements and options that decide."""

    def of(self, names: Iterable[str], asked: str) -> Shard:
        """Return the shard as one of the fleet with these clusters, of which that is asked."""
        return Shard(self.index, self.count, _digest(repr(sorted(names))), _digest(asked))

    def holds(self, name: str) -> bool:
        """Return whether the cluster of this name belongs to this shard."""
        digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
        return int.from_bytes(digest[:8]) % self.count == self.index - 1


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def parse(text: str, environment: Mapping[str, str]) -> Shard:
    """Return the shard for `3/8`, for `8` the one that the Job's index names; raises UsageError for what is neither."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise UsageError(f"--shard {text!r} is no shard", hint=f"3/8, or 8 where {INDEX} says which")
    index, count = found.groups()
    if index is None:
        given = environment.get(INDEX, "")
        if not re.fullmatch(r"\d{1,5}", given, re.ASCII):
            raise UsageError(f"--shard {text}: {INDEX} does not say which of them ({given!r})", hint="give --shard 3/8")
        index = str(int(given) + 1)
    shard = Shard(int(index), int(count))
    if not 1 <= shard.index <= shard.count:
        raise UsageError(f"--shard {text}: there is no shard {shard.index} of {shard.count}")
    return shard


def refuse_missing(shards: Sequence[Shard | None]) -> None:
    """Raise UsageError where shards of one run are missing, or are of runs that were cut in another way.

    Shards of two fleets are: a cluster that only one of them has may lie in the shard that is not here.
    """
    known = {shard for shard in shards if shard is not None}
    counts = {shard.count for shard in known}
    if len(counts) > 1 or (known and None in shards):
        raise UsageError("these are not the shards of one run: it was cut into another number of them")
    if len({shard.fleet for shard in known}) > 1:
        raise UsageError(
            "these are not the shards of one run: their inventories name other clusters",
            hint="run every shard with the same inventories and --selector",
        )
    if len({shard.asked for shard in known}) > 1:
        raise UsageError(
            "these are not the shards of one run: they were asked about another target, or with other options",
            hint="run every shard with the same --to, acknowledgements, configuration and options",
        )
    for count in counts:
        missing = sorted(set(range(1, count + 1)) - {shard.index for shard in known})
        if missing:
            listed = ", ".join(f"{index}/{count}" for index in missing)
            raise UsageError(f"shards are missing: {listed}", hint="run them, then merge all")
