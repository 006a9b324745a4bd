"""tests/phrases.txt holds every sentence that the program can print, and no word that only its authors understand."""

import re
from pathlib import Path

import pytest

from tests.generators import phrases
from tests.generators.reference import ROOT

WORDS_OF_THE_CODE = (
    "undetermined|could not be determined|rests? on nothing|guard(?:s|ed)?|unclassified|missed by|applied ->|accepted"
)
"""What only the code calls so, and what people say: cannot tell, not known, caught by OpenShift, acknowledged."""
OF_THE_CODE = re.compile(rf"(?<![\w-])(?:{WORDS_OF_THE_CODE})(?![\w-])", re.IGNORECASE)
VALUES = ("pass, blocked, undetermined",)
"""Values of JSON and of pipelines, where a sentence lists them."""
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs" / "using").glob("*.md"))]


def words_of_the_code(text: str) -> list[str]:
    """Return the words that only the code uses; what stands in backticks or in a block of code is a value."""
    prose = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
    for value in VALUES:
        prose = prose.replace(value, "")
    return OF_THE_CODE.findall(prose)


def test_the_list_of_sentences_is_what_the_code_says() -> None:
    assert phrases.PAGE.read_text(encoding="utf-8") == phrases.page(), "run `make reference`, then read what changed"


def test_no_sentence_speaks_as_the_code_does() -> None:
    lines = [one for one in phrases.page().splitlines() if not one.startswith("# upgrade_gate/")]
    assert [one for one in lines if words_of_the_code(one)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_for_users_speaks_as_the_code_does(page: Path) -> None:
    assert words_of_the_code(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("4 Undetermined", ["Undetermined"]),
        ("It is missed by OpenShift.", ["missed by"]),
        ("requests (applied -> left out)", ["applied ->"]),
        ("an unclassified change", ["unclassified"]),
        ("verdict.status is `undetermined`", []),
        ("explain unclassified-change", []),
        ("one of pass, blocked, undetermined or none", []),
        ("acknowledged, not known, safeguards", []),
    ],
)
def test_words_of_the_code_are_found_but_not_in_values(text: str, found: list[str]) -> None:
    assert words_of_the_code(text) == found


def test_a_sentence_with_values_is_one_line() -> None:
    code = 'raise UsageError(f"{path}: {len(found)} files " f"are here", hint="name %s" % one)'
    assert list(phrases.of_code(code)) == ["{…}: {…} files are here", "name {…}"]


def test_a_sentence_inside_a_value_is_found_too() -> None:
    assert list(phrases.of_code("""f"read {'the one file' if x else 'all files'}" """)) == [
        "read {…}",
        "the one file",
        "all files",
    ]


def test_docstrings_and_patterns_are_left_out_but_for_the_help_of_a_command() -> None:
    command = '@click.command()\ndef f():\n    """Do it now."""\n'
    code = f'"""A module."""\n{command}def g():\n    """Not it."""\n    re.compile("a b")'
    assert list(phrases.of_code(code)) == ["Do it now."]


def test_a_script_gives_its_comments_and_its_messages() -> None:
    assert [one for one in phrases.of_script("# why it is so\nlist=$(ls)\necho 'not here' >&2") if one] == [
        " why it is so",
        "not here",
    ]


def test_a_page_gives_its_texts_without_tags() -> None:
    html = '<p>Read <b>this</b> {{ name }}</p><i title="what it is">{{ "an old one" if x }}</i>'
    assert [one for one in phrases.of_page(html) if one] == ["an old one", "what it is", "Read this {…}", "{…}"]
