"""`fleet.csv`: what a spreadsheet opens, and what it must not run."""

import csv
import io

from tests.worlds.fleets import cluster, fleet_of
from upgrade_gate.base import plugins


def rows(*names: str) -> list[dict[str, str]]:
    content = b"".join(
        plugins.load("fleet.formats", "csv").files(fleet_of(*(cluster(name) for name in names)))["fleet.csv"]
    )
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def test_a_line_for_each_cluster() -> None:
    first, second = rows("a", 'b,"c"')
    assert (first["name"], first["status"], first["open"], first["missed"]) == ("a", "blocked", "1", "1")
    assert (first["labels"], first["causes"]) == ("env=prod", "4c1d9f0be2a77c35")
    assert second["name"] == 'b,"c"'


def test_no_cell_is_a_formula_or_a_line_more() -> None:
    found = rows("=cmd()", "+1", "-1", "@x", "a\nb\x1b[31m")
    assert [row["name"][:2] for row in found[:4]] == ["'=", "'+", "'-", "'@"]
    assert "\n" not in found[4]["name"]
    assert "\x1b" not in found[4]["name"]
