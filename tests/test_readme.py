"""README.md says what the program says of itself."""

import re

import pytest

from tests import reference


@pytest.mark.parametrize("name", ["commands", "demo", "reference", "rules"])
def test_readme_holds_what_the_program_says(name: str) -> None:
    text = reference.README.read_text(encoding="utf-8")
    block = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- /{name} -->", text, re.DOTALL)
    assert block, f"README.md has no block {name}"
    assert block[1] == reference.blocks()[name], "run `make reference`"


def test_readme_names_every_exit_code() -> None:
    text = reference.README.read_text(encoding="utf-8")
    for code in (0, 1, 2, 3, 4, 130):
        assert f"\n| {code} | " in text, code
