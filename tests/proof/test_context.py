"""What a cluster's facts say of the context in which its grants are judged."""

from tests.worlds.cluster_objects import changed, observed, sample
from upgrade_gate.clouds.contract.context import Context
from upgrade_gate.proof.context import context_of

ROLE = "arn:aws:iam::444455556666:role/shared-zone"


def test_the_context_is_what_the_cluster_says_of_itself() -> None:
    cluster = changed("DNS/cluster", lambda body: body["spec"].update(platform={"aws": {"privateZoneIAMRole": ROLE}}))
    found = context_of(cluster, account="111122223333", now="2026-11-01T00:00:00+00:00", assume=("cluster-tag",))
    assert found == Context(
        account="111122223333",
        region="eu-west-1",
        infrastructure_name="c1-x7k2p",
        private_zone_role=ROLE,
        now="2026-11-01T00:00:00+00:00",
        assume=("cluster-tag",),
    )


def test_what_is_absent_or_not_known_decides_nothing() -> None:
    objects = sample()
    del objects["Infrastructure/cluster"]
    found = context_of(observed(objects), account=None, now=None, assume=())
    assert found == Context()


def test_without_a_cluster_only_the_letter_counts() -> None:
    assert context_of(None, account="1", now=None, assume=()) is None
