"""Acknowledgement files: what they may say, and which finding they close on which cluster and day."""

import io
import json
import sys
from datetime import date
from pathlib import Path

import pytest

from upgrade_gate.base.errors import ConfigurationError, UsageError
from upgrade_gate.gate import acknowledgements
from upgrade_gate.gate.acknowledgements import Acknowledgement, in_range, load, match

FINGERPRINT = "4c1d9f0be2a77c35"
ENTRY = {"fingerprint": FINGERPRINT, "reason": "by hand", "owner": "platform-team", "expires": "2026-11-10"}
TEXT = f"""\
acknowledgements:
  - fingerprint: {FINGERPRINT}
    reason: by hand
    owner: platform-team
    expires: 2026-11-10
"""


def write(folder: Path, text: str, name: str = "acknowledgements.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def acknowledgement(**more: object) -> Acknowledgement:
    fields = {"fingerprint": FINGERPRINT, "reason": "r", "owner": "o", "expires": date(2026, 11, 10)}
    return Acknowledgement(**(fields | more))  # type: ignore[arg-type]


def test_an_entry_keeps_its_place(tmp_path: Path) -> None:
    path = write(tmp_path, TEXT)
    assert load([path]) == (
        Acknowledgement(FINGERPRINT, "by hand", "platform-team", date(2026, 11, 10), file=str(path), line=2),
    )


def test_json_reads_like_yaml(tmp_path: Path) -> None:
    entry = {**ENTRY, "reference": "CHG1", "to": ">=4.15", "clusters": ["prod-*"]}
    path = write(tmp_path, json.dumps({"acknowledgements": [entry]}, indent=1), "a.json")
    (read,) = load([path])
    assert (read.reference, read.to, read.clusters) == ("CHG1", ">=4.15", ("prod-*",))


def test_json_with_a_character_beyond_the_basic_plane_reads(tmp_path: Path) -> None:
    path = write(tmp_path, json.dumps({"acknowledgements": [{**ENTRY, "reason": "fine \U0001f680"}]}), "a.json")
    assert load([path])[0].reason == "fine \U0001f680"


def test_several_files_stand_in_the_order_given(tmp_path: Path) -> None:
    one = write(tmp_path, TEXT, "one.yaml")
    two = write(tmp_path, TEXT.replace("by hand", "again"), "two.yaml")
    assert [a.reason for a in load([two, one])] == ["again", "by hand"]


def test_the_version_it_wants_is_checked_before_any_other_key(tmp_path: Path) -> None:
    path = write(tmp_path, f"of-a-later-version: 1\n{TEXT}required-version: '>=999'\n")
    with pytest.raises(
        ConfigurationError, match=r"acknowledgements\.yaml:7: required-version: >=999 is wanted, .* too old"
    ):
        load([path])
    assert len(load([write(tmp_path, f"required-version: '>=0'\n{TEXT}")])) == 1
    with pytest.raises(ConfigurationError, match=r":1: unknown key 'of-a-later-version'"):
        load([write(tmp_path, f"of-a-later-version: 1\nrequired-version: '>=0'\n{TEXT}")])
    with pytest.raises(ConfigurationError, match="acknowledgements is missing"):
        load([write(tmp_path, "required-version: '>=0'\n")])


def test_a_dash_reads_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    (read,) = load(["-"])
    assert (read.fingerprint, read.file) == (FINGERPRINT, "stdin")


def test_stdin_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode() + b"#" * (4 * 2**20))))
    with pytest.raises(ConfigurationError, match=r"stdin.* is larger than"):
        load(["-"])


def test_one_cluster_needs_no_list(tmp_path: Path) -> None:
    (read,) = load([write(tmp_path, TEXT + "    clusters: prod-*\n")])
    assert read.clusters == ("prod-*",)


def test_a_fingerprint_of_digits_needs_no_quotes(tmp_path: Path) -> None:
    path = write(tmp_path, TEXT.replace(FINGERPRINT, "0123456701234567"))
    assert load([path])[0].fingerprint == "0123456701234567"


def test_an_empty_list_acknowledges_nothing(tmp_path: Path) -> None:
    assert load([write(tmp_path, "acknowledgements: []\n")]) == ()


@pytest.mark.parametrize("key", acknowledgements.REQUIRED)
def test_a_required_key_that_is_missing_is_named_with_its_line(tmp_path: Path, key: str) -> None:
    entry = {k: v for k, v in ENTRY.items() if k != key}
    path = write(tmp_path, "# who may upgrade\n" + json.dumps({"acknowledgements": [entry]}))
    with pytest.raises(ConfigurationError, match=rf"acknowledgements.yaml:2: .*{key} is missing"):
        load([path])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("reason: by hand", "reason: by hand\n    reazon: typo", r":4: .*unknown key 'reazon'"),
        ("reason: by hand", "reason: by hand\n    reason: twice", r":4: .*reason appears twice"),
        ("reason: by hand", "reason: ''", r":3: reason: must not be empty"),
        ("reason: by hand", "reason: yes", r":3: reason: must be text, not true or false"),
        ("reason: by hand", "reason:", r":3: reason: must be text, not nothing"),
        ("reason: by hand", "reason: [a]", r":3: reason: must be text, not list"),
        ("2026-11-10", "2026-11-31", r":5: expires: '2026-11-31'"),
        ("2026-11-10", "10.11.2026", r":5: expires: '10.11.2026' is not a date"),
        ("2026-11-10", "2026-11-10T00:00:00Z", r":5: expires: .* is not a date"),
        (FINGERPRINT, "4C1D9F0BE2A77C35", r":2: fingerprint: .*16 hex digits"),
        (FINGERPRINT, "4c1d", r":2: fingerprint: .*16 hex digits"),
        ("owner: platform-team", "owner: o\n    to: newest", r":5: to: 'newest' is not a version range"),
        ("owner: platform-team", "owner: o\n    clusters: []", r":5: clusters: names no cluster"),
        ("acknowledgements:", "acknowledgments:", r":1: unknown key 'acknowledgments'"),
        ("acknowledgements:", "version: 1\nacknowledgements:", r":1: unknown key 'version'"),
        ("acknowledgements:", "- acknowledgements:", r":1: must be a mapping, not list"),
        ("  - fingerprint", "    fingerprint", r":2: acknowledgements: must be a list, not mapping"),
        ("reason: by hand", "reason: !!python/object:os.system x", r":3: reason: must be text"),
        ("reason: by hand", "reason: 'by hand", r":\d+: not YAML"),
        ("acknowledgements:", "a: 1\n---\nacknowledgements:", r":3: a second document"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in TEXT
    with pytest.raises(ConfigurationError, match=r"acknowledgements\.yaml" + message):
        load([write(tmp_path, TEXT.replace(old, new))])


@pytest.mark.parametrize("content", ["", "# nothing yet\n", "---\n"])
def test_a_file_without_a_list_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(UsageError):
        load([write(tmp_path, content)])


def test_a_file_that_does_not_exist_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.yaml: No such file"):
        load([tmp_path / "none.yaml"])


def test_nesting_that_would_end_the_process_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nested deeper than 20"):
        load([write(tmp_path, "acknowledgements: " + "[" * 100_000)])


def test_a_file_without_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is larger than"):
        load([write(tmp_path, "acknowledgements: []\n" + "#" * (4 * 2**20))])


def test_text_that_is_no_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(TEXT.replace("by hand", "h\xe4nd").encode("latin-1"))
    with pytest.raises(ConfigurationError, match="not YAML"):
        load([path])


def test_a_fleet_needs_clusters(tmp_path: Path) -> None:
    path = write(tmp_path, TEXT)
    assert load([path])
    with pytest.raises(ConfigurationError, match=r":2: .*clusters is missing"):
        load([path], clusters_required=True)


def test_it_counts_through_its_last_day() -> None:
    entry = acknowledgement()
    assert not entry.expired(date(2026, 11, 10))
    assert entry.expired(date(2026, 11, 11))


@pytest.mark.parametrize(
    ("today", "soon"),
    [(date(2026, 10, 26), False), (date(2026, 10, 27), True), (date(2026, 11, 10), True), (date(2026, 11, 11), False)],
)
def test_fourteen_days_before_its_end_it_expires_soon(today: date, *, soon: bool) -> None:
    assert acknowledgement().expires_soon(today) is soon


def test_another_fingerprint_matches_nothing() -> None:
    assert match([acknowledgement()], "0" * 16, today=date(2026, 11, 1)) is None


def test_an_expired_one_matches_and_says_so() -> None:
    found = match([acknowledgement()], FINGERPRINT, today=date(2026, 11, 11))
    assert found is not None
    assert found.expired


def test_a_renewal_beats_what_has_expired() -> None:
    renewed = acknowledgement(expires=date(2027, 1, 1))
    found = match([acknowledgement(), renewed], FINGERPRINT, today=date(2026, 12, 1))
    assert found is not None
    assert found.acknowledgement is renewed
    assert not found.expired


@pytest.mark.parametrize(
    ("clusters", "cluster_id", "cluster_name", "applies"),
    [
        ((), None, None, True),
        (("prod-*",), "0f1e", "prod-7k2xp", True),
        (("0f1e*",), "0f1e2d3c", "prod-7k2xp", True),
        (("test-*",), "0f1e", "prod-7k2xp", False),
        (("test-*", "prod-*"), "0f1e", "prod-7k2xp", True),
        (("*",), None, None, False),
        (("PROD-*",), "0f1e", "prod-7k2xp", False),
    ],
)
def test_clusters_are_matched_by_id_or_name(
    clusters: tuple[str, ...], cluster_id: str | None, cluster_name: str | None, *, applies: bool
) -> None:
    entry = acknowledgement(clusters=clusters)
    found = match([entry], FINGERPRINT, today=date(2026, 11, 1), cluster_id=cluster_id, cluster_name=cluster_name)
    assert (found is not None) is applies


@pytest.mark.parametrize(
    ("version", "wanted", "inside"),
    [
        ("4.15.3", "4.15", True),
        ("4.15.3", "4.15.*", True),
        ("4.15.3", "4.15.3", True),
        ("4.15.4", "4.15.3", False),
        ("4.16.0", "4.15", False),
        ("4.15.3", ">=4.15,<4.17", True),
        ("4.17.0", ">=4.15,<4.17", False),
        ("4.14.9", ">=4.15,<4.17", False),
        ("4.9.0", "<4.10", True),
        ("4.15.3", ">4.15", False),
        ("4.15.3", "<=4.15", True),
        ("4.16.0", "<=4.15", False),
        ("4.16.1", "<=4.16.0", False),
        ("4.16.0", ">4.15", True),
        ("4.15.3", ">4.15.2", True),
        ("4.15.2", "<4.15.3", True),
        ("4.15.2-rc.1", "<4.15.3", True),
        ("4.15.3-rc.1", "<4.15.3-rc.2", True),
        ("4.15.3-rc.1", "<4.15.3", False),
        ("4.15.3", "!=4.15.3", False),
        ("4.15.3", "==4.15.3, !=4.16", True),
        ("4.16.0-rc.1", "<4.16", False),
        ("4.16.0-rc.1", "<4.16.0", False),
        ("4.16.0-rc.1", "<=4.16.0", True),
        ("4.16.0-rc.1", ">=4.16.0", False),
        ("4.16.0-rc.1", "4.16.0-rc.1", True),
        ("4.16.0-0.okd-2024-08-01-000000", "4.16", True),
        ("5.0.1", ">=4.15", True),
        ("latest", ">=4.15", False),
        ("", ">=4.15", False),
    ],
)
def test_a_range_is_read_as_its_writer_meant_it(version: str, wanted: str, *, inside: bool) -> None:
    assert in_range(version, wanted) is inside
    found = match([acknowledgement(to=wanted)], FINGERPRINT, today=date(2026, 11, 1), to_version=version)
    assert (found is not None) is inside


def test_a_target_that_is_not_known_is_in_no_range() -> None:
    assert match([acknowledgement(to="4.15")], FINGERPRINT, today=date(2026, 11, 1), to_version=None) is None


@pytest.mark.parametrize("wanted", ["", "4", ">=", "=>4.15", "4.15.3.1", ">=4.15;<4.17", "~=4.15", "4.15,"])
def test_what_is_no_range_is_refused(wanted: str) -> None:
    with pytest.raises(ValueError, match="is not a version range"):
        in_range("4.15.0", wanted)
