"""tests/phrases.txt holds every sentence that the program can print, and no word that only its authors understand."""

from tests.generators import phrases


def test_the_list_of_sentences_is_what_the_code_says() -> None:
    assert phrases.PAGE.read_text(encoding="utf-8") == phrases.page(), "run `make reference`, then read what changed"


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
