"""`junit.xml`: a case for each cluster."""

from junitparser import Error, Failure, JUnitXml

from tests.worlds.fleets import cluster, fleet_of
from upgrade_gate.base import plugins


def test_blocked_fails_undetermined_is_an_error_and_a_pass_passes() -> None:
    fleet = fleet_of(
        cluster("a"), cluster("b", status="undetermined"), cluster("c\x00", status="pass", causes={}, next="upgrade")
    )
    content = b"".join(plugins.load("fleet.formats", "junit").files(fleet)["junit.xml"])
    (suite,) = list(JUnitXml.fromstring(content))
    assert (suite.tests, suite.failures, suite.errors) == (3, 1, 1)
    blocked, unknown, passed = list(suite)
    assert isinstance(blocked.result[0], Failure)
    assert "permission-added 4c1d9f0be2a77c35 ingress gains sts:AssumeRole" in blocked.result[0].text
    assert isinstance(unknown.result[0], Error)
    assert passed.result == []
