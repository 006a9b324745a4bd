"""Labels choose clusters as `oc get -l` does (Kubernetes, "Labels and Selectors", equality-based)."""

import pytest

from upgrade_gate.base.errors import UsageError
from upgrade_gate.fleet import selector

LABELS = {"env": "prod", "canary": ""}


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("env=prod", True),
        ("env==prod", True),
        ("env = prod", True),
        ("env=lab", False),
        ("env!=lab", True),
        ("env!=prod", False),
        ("region!=eu", True),
        ("canary", True),
        ("region", False),
        ("!region", True),
        ("!env", False),
        ("env=prod,canary", True),
        ("env=prod,region", False),
        ("canary=", True),
    ],
)
def test_a_selector_chooses_by_every_term(text: str, chosen: bool) -> None:
    assert selector.matches(text, LABELS) is chosen


@pytest.mark.parametrize("text", ["", ",", "env in (prod,lab)", "=prod", "a=b=c", "!", "! env", "a b"])
def test_what_is_no_selector_is_an_error(text: str) -> None:
    with pytest.raises(UsageError):
        selector.terms([text])


def test_terms_are_said_in_the_words_of_kubernetes() -> None:
    found = selector.terms(["env=prod, region!=eu", "canary,!old"])
    assert [(term.key, term.operator, term.values) for term in found] == [
        ("env", "In", ("prod",)),
        ("region", "NotIn", ("eu",)),
        ("canary", "Exists", ()),
        ("old", "DoesNotExist", ()),
    ]
