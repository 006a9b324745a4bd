"""Words keep their parts until they are rendered; a step knows which values it holds."""

from upgrade_gate.base.steps import BundleFile, Command, CommandLine, Placeholder, Step, Word, line, word

ACCOUNT, REGION = Placeholder("ACCOUNT", "the account"), Placeholder("REGION", "the region")
POLICY = BundleFile("aws/x.json", b'{"a": "<FILL_ME: REGION>", "b": "<FILL_ME: words>", "c": "<FILL_ME: REGION>"}')


def test_a_line_is_made_of_words_and_long_options() -> None:
    made = line("aws iam put", "x y", policy_name=word("arn:", ACCOUNT, ":p"), quiet=True, left_out=None, no=False)
    assert made.argv == ("aws", "iam", "put", "x y", "--policy-name", "arn:<FILL_ME: ACCOUNT>:p", "--quiet")
    assert made.words[5].parts == ("arn:", ACCOUNT, ":p")
    assert list(line("cat", word("file://", POLICY)).parts) == ["cat", "file://", POLICY]


def test_text_that_looks_like_a_value_stays_text() -> None:
    assert list(line("echo", "<FILL_ME: ACCOUNT>").parts) == ["echo", "<FILL_ME: ACCOUNT>"]


def test_words_are_joined_flat() -> None:
    assert word(word("a", ACCOUNT), "b") == Word(("a", ACCOUNT, "b"))


def test_a_document_names_each_value_that_is_to_be_filled_in_once() -> None:
    assert POLICY.marked == ("REGION",)


def test_a_command_tells_when_it_is_run() -> None:
    make, look = line("make"), line("look")
    assert Command(make).condition == ""
    assert Command(make, unless=look).condition == "it does not exist yet"
    assert Command(make, counts=look).condition == "it does not exist yet"
    assert Command(make, unless=look, shows="1").condition == ""
    assert Command(make, unless=look, in_case="it is old").condition == "it is old"
    assert not CommandLine()


def test_a_step_asks_for_what_its_commands_and_documents_hold() -> None:
    unused = Placeholder("UNUSED", "nothing")
    step = Step(
        "do", "before", commands=(Command(line("x", ACCOUNT)),), files=(POLICY,), unknown=(REGION, unused, ACCOUNT)
    )
    assert step.placeholders == (REGION, ACCOUNT)
    assert Step("do", "before", unknown=(ACCOUNT,)).placeholders == ()
