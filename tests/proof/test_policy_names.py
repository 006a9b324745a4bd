"""Which Secret a name carries: as ccoctl, policy repositories and CloudFormation write it."""

import pytest

from upgrade_gate.proof.policy_names import Match, carried, match, plain, renamed

INGRESS = "openshift-ingress-operator/cloud-credentials"
NETWORK = "openshift-cloud-network-config-controller/cloud-credentials"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("openshift-ingress-operator-cloud-credentials", Match.WHOLE),
        ("openshift_ingress_operator_cloud_credentials_policy", Match.WHOLE),
        ("openshift-ingress-operator/cloud-credentials", Match.WHOLE),
        ("openshift-ingress-operator.cloud-credentials", Match.WHOLE),
        ("OpenshiftIngressOperatorCloudCredentialsRole", Match.WHOLE),
        ("openshift-ingress-operator-cloud-credentials-policy-policy", Match.WHOLE),
        ("Openshift-IngressOperatorCloudCredentials", Match.WHOLE),
        ("-openshift-ingress-operator-cloud-credentials-", Match.WHOLE),
        ("c1-openshift-ingress-operator-cloud-credentials", Match.PREFIXED),
        ("05-0-c1-openshift-ingress-operator-cloud-credentials-role", Match.PREFIXED),
        ("shared_vpc_openshift_ingress_operator_cloud_credentials_policy", Match.PREFIXED),
        ("openshift-ingress-operator", None),
        ("cloud-credentials", None),
        ("openshift-ingress-operator-cloud-credentials-old", None),
        ("myopenshift-ingress-operator-cloud-credentials", None),
        ("openshift_cloud_ingress_operator_cloud_credentials_policy", None),
        ("", None),
    ],
)
def test_a_name_carries_a_secret_whole(name: str, expected: Match | None) -> None:
    assert match(name, INGRESS) is expected


def test_a_role_name_that_aws_cut_still_carries_it() -> None:
    name = f"a-cluster-{NETWORK.replace('/', '-')}"[:64]
    assert len(name) == 64
    assert match(name, NETWORK) is Match.PREFIXED
    assert match(name[:63], NETWORK) is None


def test_a_name_that_may_be_that_of_two_secrets_is_nobodys() -> None:
    first, second = "openshift-storage/cloud-credentials-a", "openshift-storage/cloud-credentials-b"
    cut = f"{'x' * 26}-openshift-storage-cloud-credentials-a"[:64]
    assert carried([cut[:-1]], first, [first]) is None
    assert carried([cut], first, [first, second]) is Match.PREFIXED
    short = f"{'x' * 28}-openshift-storage-cloud-credentials-a"[:64]
    assert carried([short], first, [first]) is Match.PREFIXED
    assert carried([short], first, [first, second]) is None
    assert carried(["a-b-c"], "a-b/c", ["a-b/c", "a/b-c"]) is None
    assert carried(["a-b-c", "x"], "a-b/c", ["a-b/c", "b/c"]) is Match.WHOLE


def test_a_name_that_ends_like_another_secret_is_that_ones() -> None:
    short, long = "operator/creds", "openshift-operator/creds"
    assert carried(["openshift-operator-creds"], short, [short, long]) is None
    assert carried(["openshift-operator-creds"], long, [short, long]) is Match.WHOLE
    assert carried(["operator-creds"], short, [short, long]) is Match.WHOLE
    assert carried(["c1-openshift-operator-creds"], long, [short, long]) is Match.PREFIXED
    assert carried(["c1-openshift-operator-creds"], short, [short, long]) is None
    assert carried([], short, [short]) is None


@pytest.mark.parametrize(
    ("letters", "expected"), [(58, Match.PREFIXED), (43, Match.PREFIXED), (42, None), (41, None), (30, None)]
)
def test_a_name_that_was_cut_has_the_namespace_whole_and_a_part_of_the_name(
    letters: int, expected: Match | None
) -> None:
    key = NETWORK.replace("/", "-")
    assert match(f"-{key[:letters]}".rjust(64, "x"), NETWORK) is expected


def test_a_name_that_was_cut_may_have_nothing_before_it() -> None:
    secret = f"{'n' * 40}/{'s' * 40}"
    assert match(f"{'n' * 40}-{'s' * 23}", secret) is Match.WHOLE
    assert match(f"{'n' * 40}-{'s' * 24}", secret) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("openshift-ingress-operator-cloud-credentials", "openshift-storage-cloud"),
        ("openshift_ingress_operator_cloud_credentials_policy", "openshift_storage_cloud_policy"),
        ("c1-openshift-ingress-operator-cloud-credentials", None),
        ("OpenshiftIngressOperatorCloudCredentials", None),
        ("other", None),
    ],
)
def test_a_file_for_another_secret_is_called_as_its_neighbour_is(name: str, expected: str | None) -> None:
    assert renamed(name, INGRESS, "openshift-storage/cloud") == expected


def test_what_says_that_a_name_is_a_policys_is_left_out() -> None:
    assert plain("A_b.policy-ROLE") == "a-b"
    assert plain("policy") == "policy"
    assert plain("role-policy") == "role"
