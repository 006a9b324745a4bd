"""Versions: the order of semver 2.0.0, and what blang/semver refuses."""

import itertools

import pytest

from upgrade_gate.base.versions import Version, minor_of, of, parse

ORDER = [
    # semver.org, section 11, and OpenShift's own kinds of builds
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "4.9.12",
    "4.10.0-ec.0",
    "4.10.0-rc.3",
    "4.10.0",
    "4.10.1",
    "5.0.0-0.nightly-2026-01-01-000000",
    "5.0.0-ec.1",
    "5.0.0",
]


def test_versions_are_ordered_as_semver_orders_them() -> None:
    parsed = [parse(text) for text in ORDER]
    assert None not in parsed
    for lower, higher in itertools.pairwise(version for version in parsed if version):
        assert lower < higher
        assert not higher < lower


def test_build_metadata_takes_no_part() -> None:
    assert parse("4.14.3+a.1") == parse("4.14.3+b") == Version(4, 14, 3)


@pytest.mark.parametrize("text", ORDER)
def test_a_version_is_written_as_it_was_read(text: str) -> None:
    assert str(parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4",
        "4.14",
        "v4.14.3",
        "4.014.3",
        "4.14.3-",
        "4.14.3-01",
        "4.14.3-a..b",
        "4.14.3 ",
        "4.14.٣",
        "4.14.3\n",
        "4.14.3.1",
        "latest",
        "4.14." + "9" * 400,
        "4.14.3-" + "9" * 5000,
    ],
)
def test_what_is_no_version_is_none(text: str) -> None:
    assert parse(text) is None
    assert minor_of(text) is None


def test_the_minor_is_a_pair_of_numbers() -> None:
    assert minor_of("4.14.3-rc.1") == (4, 14)


def test_what_was_found_to_be_a_version_before_is_one_or_an_error() -> None:
    assert of("4.16.3") == Version(4, 16, 3)
    with pytest.raises(ValueError, match="is no version"):
        of("4.16")
