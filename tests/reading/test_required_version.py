"""Which versions may read a settings file: decided before anything else of it is looked at."""

import pytest

from upgrade_gate.base.errors import ConfigurationError, ExitCode
from upgrade_gate.reading import required_version, settings_file


def check(text: str, version: str = "0.5.0") -> None:
    root = settings_file.parse(text.encode(), "a.yaml")
    assert root is not None
    required_version.check(root, version)


@pytest.mark.parametrize(
    ("wanted", "version"),
    [
        (">=0.4,<1", "0.4"),
        (">=0.4,<1", "0.99.7"),
        (" >= 0.4 , < 1 ", "0.5.0"),
        (">=0.4", "0.5.0rc1"),
        (">=0.4", "0.5.0.dev3+g1234567"),
        (">=0.5.0rc1", "0.5.0rc2"),
        ("~=0.4.2", "0.4.9"),
        ("==0.5.*", "0.5.3"),
        ("!=0.5.1", "0.5.0"),
    ],
)
def test_a_version_that_fits_may_read_on(wanted: str, version: str) -> None:
    check(f"required-version: '{wanted}'\nof-a-later-version: 1\n", version)


@pytest.mark.parametrize(
    ("wanted", "version", "too_old"),
    [
        (">=999", "0.5.0", True),
        (">0.5.0", "0.5.0", True),
        (">=0.5.0", "0.5.0rc1", True),
        (">=0.5.0", "0.5.0.dev3", True),
        ("~=0.6", "0.5.0", True),
        ("~=0.4.2", "0.5.0", False),
        ("<0.5.0", "0.5.0rc1", False),
        ("<1", "1.0", False),
        ("==0.4.*", "0.5.0", False),
        ("!=0.5.0", "0.5.0", False),
    ],
)
def test_another_version_is_told_which_one_is_wanted(wanted: str, version: str, too_old: bool) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check(f"# by the platform team\nrequired-version: '{wanted}'\nof-a-later-version: [{{}}]\n", version)
    error = caught.value
    assert error.exit_code is ExitCode.USAGE
    which = "too old" if too_old else "another one"
    said = f"{wanted} is wanted, and this is upgrade-gate {version}, which is {which}"
    assert error.message == f"a.yaml:2: required-version: {said}"
    assert error.hint == f"pip install 'upgrade-gate{wanted}'"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("other: 1\nother: 2\nrequired-version: '>=999'\n", r"a\.yaml:3: required-version: >=999 is .*too old"),
        (
            "required-version: '>=0'\n\nrequired-version: '>=0'\n",
            r"a\.yaml:3: required-version appears twice;.*line 1$",
        ),
        ("required-version: '>=0'\nrequired-version: '>=999'\n", r"a\.yaml:2: required-version appears twice"),
        ("required-version: newest\n", r"a\.yaml:1: required-version: 'newest' is not a version specifier"),
        ("required-version: '1.2'\n", r"a\.yaml:1: required-version: '1\.2' is not a version specifier"),
        ("required-version: 0.4\n", r"a\.yaml:1: required-version: '0\.4' is not a version specifier"),
        ("required-version: '>=0.4 <1'\n", r"a\.yaml:1: required-version: .*is not a version specifier"),
        ("required-version: ','\n", r"a\.yaml:1: required-version: ',' is not a version specifier"),
        *(
            (f"required-version: '{operator}{'9' * 5000}'\n", r"a\.yaml:1: .*is not a version specifier")
            for operator in (">=", "==", "~=1.")
        ),
        ("required-version: ''\n", r"a\.yaml:1: required-version: must not be empty"),
        ("required-version:\n", r"a\.yaml:1: required-version: must be text, not nothing"),
        ("required-version: true\n", r"a\.yaml:1: required-version: must be text, not true or false"),
        ("required-version: ['>=0']\n", r"a\.yaml:1: required-version: must be text, not list"),
        ("required-version: {min: 0}\n", r"a\.yaml:1: required-version: must be text, not mapping"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        check(text)


@pytest.mark.parametrize(
    "text", ["other: 1\n", "- required-version\n", "required-version\n", "a: {required-version: x}\n"]
)
def test_a_file_that_wants_no_version_is_left_to_its_reader(text: str) -> None:
    check(text)
