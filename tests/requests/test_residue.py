"""The net under the comparison: whatever else of a request's spec differs is listed."""

from typing import Any

import pytest

from tests.requests.test_credentials_request import SECRET, parsed
from upgrade_gate.requests.credentials_request import CredentialsRequest
from upgrade_gate.requests.residue import unexplained

ENTRY = {"effect": "Allow", "action": ["ec2:A"], "resource": "*"}


def aws(*, provider: dict[str, Any] | None = None, **spec: Any) -> CredentialsRequest:
    whole = {"apiVersion": "x/v1", "kind": "AWSProviderSpec", "statementEntries": [ENTRY], **(provider or {})}
    return parsed(providerSpec=whole, **spec)


def leaves(before: CredentialsRequest | None, after: CredentialsRequest) -> list[tuple[str, Any, Any, bool]]:
    return [(leaf.path, leaf.before, leaf.after, leaf.harmless) for leaf in unexplained(before, after)]


@pytest.mark.parametrize(
    "after",
    [
        aws(),
        aws(provider={"statementEntries": [{**ENTRY, "action": ["ec2:B"]}]}),
        aws(serviceAccountNames=["one"]),
        aws(cloudTokenPath="/token"),
        aws(secretRef={"name": "other", "namespace": "n"}),
        aws(audience=None),
        aws(provider={"statementEntries": [ENTRY, ENTRY]}),
    ],
    ids=["nothing", "grants", "accounts", "token path", "secret", "null", "a grant twice"],
)
def test_what_another_comparison_explains_is_not_listed(after: CredentialsRequest) -> None:
    assert leaves(aws(), after) == []
    assert leaves(after, aws()) == []


@pytest.mark.parametrize(
    ("after", "leaf"),
    [
        (aws(audience="x"), ("spec.audience", None, "x", False)),
        (aws(empty={}), ("spec.empty", None, {}, False)),
        (aws(secretRef={**SECRET, "key": "k"}), ("spec.secretRef", None, {"key": "k"}, False)),
        (aws(provider={"new": [1]}), ("spec.providerSpec.new", None, [1], False)),
        (aws(provider={"apiVersion": "x/v2"}), ("spec.providerSpec.apiVersion", "x/v1", "x/v2", False)),
        (
            aws(provider={"statementEntries": [{**ENTRY, "principal": "p"}]}),
            ("spec.providerSpec.statementEntries", None, [{"principal": "p"}], False),
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_every_other_leaf_that_differs_is_listed(after: CredentialsRequest, leaf: tuple[str, Any, Any, bool]) -> None:
    assert leaves(aws(), after) == [leaf]
    path, before, now, harmless = leaf
    assert leaves(after, aws()) == [(path, now, before, harmless)]


def test_the_same_in_another_order_is_the_same_and_twice_is_not() -> None:
    assert leaves(aws(more=[{"a": [1, 2]}, 3]), aws(more=[3, {"a": [2, 1]}])) == []
    assert [leaf[0] for leaf in leaves(aws(more=[1, 2], b=1), aws(more=[2, 1], b=2))] == ["spec.b"]
    assert all(leaf[0].startswith("spec.more") for leaf in leaves(aws(more=[1]), aws(more=[1, 1])))
    assert leaves(aws(more=[1]), aws(more=[1, 1]))
    assert [leaf[0] for leaf in leaves(aws(b=1, a=1), aws(b=2, a=2))] == ["spec.a", "spec.b"]


def test_a_new_request_is_compared_with_one_that_says_nothing() -> None:
    assert leaves(None, aws()) == []
    assert leaves(None, aws(audience="x")) == [("spec.audience", None, "x", False)]
    assert leaves(None, parsed(providerSpec={"kind": "AWSProviderSpec", "statementEntries": [ENTRY]})) == []


def test_a_new_request_of_a_kind_that_nobody_knows_is_left_to_its_secret() -> None:
    mars = parsed(providerSpec={"kind": "MarsProviderSpec", "anything": 1})
    assert leaves(None, mars) == []
    assert [leaf[0] for leaf in leaves(mars, parsed(providerSpec={"kind": "MarsProviderSpec", "anything": 2}))] == [
        "spec.providerSpec.anything"
    ]


@pytest.mark.parametrize(
    ("field", "harmless"), [("skipServiceCheck", True), ("checkService", False), ("SkipServiceCheck", False)]
)
def test_only_a_field_that_is_known_to_ask_for_nothing_is_harmless(field: str, *, harmless: bool) -> None:
    def gcp(**more: Any) -> CredentialsRequest:
        return parsed(providerSpec={"kind": "GCPProviderSpec", "predefinedRoles": ["roles/a"], **more})

    assert leaves(gcp(), gcp(**{field: True})) == [(f"spec.providerSpec.{field}", None, True, harmless)]
    elsewhere = parsed(providerSpec={"kind": "GCPProviderSpec", "predefinedRoles": ["roles/a"]}, **{field: True})
    assert leaves(gcp(), elsewhere) == [(f"spec.{field}", None, True, False)]


def test_a_field_with_a_private_name_is_a_field() -> None:
    assert leaves(aws(), aws(__x=1)) == [("spec.__x", None, 1, False)]


def test_a_list_that_was_emptied_is_listed() -> None:
    field = "spec.providerSpec.statementEntries"
    assert leaves(aws(), aws(provider={"statementEntries": []})) == [(field, [ENTRY], [], False)]


GCP = {"kind": "GCPProviderSpec"}


def gcp(**provider: Any) -> CredentialsRequest:
    return parsed(providerSpec={**GCP, **provider})


def test_a_list_that_is_empty_is_listed_where_the_request_asked_for_something_else_before() -> None:
    roles = gcp(predefinedRoles=["roles/a"])
    assert [leaf[0] for leaf in leaves(roles, gcp(permissions=[]))] == ["spec.providerSpec.permissions"]
    assert leaves(roles, gcp(predefinedRoles=["roles/a"], permissions=[])) == []
    both = gcp(predefinedRoles=["roles/a"], permissions=["a.b.c"])
    assert leaves(both, gcp(predefinedRoles=["roles/a"], permissions=[])) == [
        ("spec.providerSpec.permissions", ["a.b.c"], [], False)
    ]
    assert leaves(gcp(permissions=[]), gcp(permissions=[])) == []


def test_what_lies_below_a_harmless_field_is_not_known_to_be_harmless() -> None:
    before, after = gcp(skipServiceCheck={"a": 1}), gcp(skipServiceCheck={"a": 2})
    assert leaves(before, after) == [("spec.providerSpec.skipServiceCheck.a", 1, 2, False)]


def test_a_field_of_a_harmless_name_in_another_place_is_not_known_to_be_harmless() -> None:
    before, after = (parsed(providerSpec=GCP, other={"skipServiceCheck": value}) for value in (1, 2))
    assert leaves(before, after) == [("spec.other.skipServiceCheck", 1, 2, False)]


def test_a_difference_that_the_net_does_not_see_is_listed_as_a_whole() -> None:
    """To DeepDiff minus zero is zero; the documents differ all the same."""
    (leaf,) = leaves(aws(more=0.0), aws(more=-0.0))
    assert (leaf[0], leaf[3]) == ("spec", False)


def test_only_the_entries_that_say_more_are_listed() -> None:
    more = aws(provider={"statementEntries": [ENTRY, {**ENTRY, "principal": "p"}]})
    assert leaves(aws(provider={"statementEntries": [ENTRY, ENTRY]}), more) == [
        ("spec.providerSpec.statementEntries", None, [{"principal": "p"}], False)
    ]


def test_an_entry_that_is_no_mapping_is_listed_and_a_field_that_no_cloud_reads_at_all_is_left_to_its_reader() -> None:
    """A provider spec whose field is no list is told as malformed before anything is compared."""
    assert leaves(aws(), aws(provider={"statementEntries": [ENTRY, "all"]})) == [
        ("spec.providerSpec.statementEntries", None, ["all"], False)
    ]
    assert leaves(aws(), aws(provider={"statementEntries": "all"})) == []


def test_a_new_request_that_asks_for_nothing_by_an_empty_list_is_not_understood() -> None:
    assert [leaf[0] for leaf in leaves(None, aws(provider={"statementEntries": []}))] == [
        "spec.providerSpec.statementEntries"
    ]
    assert leaves(None, gcp(predefinedRoles=["roles/a"], permissions=[])) == []
