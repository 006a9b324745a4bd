"""By what requests are selected: what the cluster says, what the user says, and where the two cannot both be right."""

from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from tests.requests.test_capabilities import _crd
from tests.requests.test_frame import PROFILE, release, stated
from upgrade_gate.base.errors import UsageError
from upgrade_gate.base.facts import Absent, Known, Unknown
from upgrade_gate.payloads.payload import Location, Manifest
from upgrade_gate.requests.selection_context import SelectionContext, check_names, selection_context
from upgrade_gate.requests.update import Given

INCLUDE = "include.release.openshift.io/"


def cluster(**facts: Any) -> Any:
    """Return a cluster with these facts; nothing else of it was read."""
    names = ("platform", "profile", "feature_set", "newest_completed", "capabilities")
    return SimpleNamespace(**{name: facts.get(name, Unknown("not read")) for name in names})


def manifest(**annotations: str) -> Manifest:
    marks = {f"{INCLUDE}{name.replace('_', '-')}": value for name, value in annotations.items()}
    return Manifest("", "v1", "ConfigMap", "x", "m", marks, Location("m.yaml", 0, 1))


def test_what_the_cluster_says_counts_and_an_option_may_say_the_same() -> None:
    here = cluster(
        platform=Known("AWS"), profile=Known("p"), feature_set=Known("OKD"), newest_completed=Known("4.14.1")
    )
    plain = selection_context(here, Given())
    assert (plain.platform, plain.profile, plain.feature_set, plain.running) == ("AWS", "p", "OKD", "4.14.1")
    same = selection_context(here, Given(platform="aws", profile="P", feature_set="okd"))
    assert (same.platform, same.profile, same.feature_set) == ("AWS", "p", "OKD")


@pytest.mark.parametrize(
    ("given", "option"),
    [
        (Given(platform="GCP"), "--platform GCP"),
        (Given(profile="other"), "--profile other"),
        (Given(feature_set="OKD"), "--feature-set OKD"),
    ],
)
def test_an_option_that_contradicts_the_cluster_is_a_usage_error(given: Given, option: str) -> None:
    here = cluster(platform=Known("AWS"), profile=Known("p"), feature_set=Known("Default"))
    with pytest.raises(UsageError, match=f"{option} contradicts the cluster, which says"):
        selection_context(here, given)


def test_an_option_stands_for_what_was_not_read() -> None:
    told = selection_context(cluster(), Given(platform="aws", profile="p", feature_set="techpreviewnoupgrade"))
    assert (told.platform, told.profile, told.feature_set) == ("AWS", "p", "TechPreviewNoUpgrade")
    assert told.running is None


def test_a_platform_that_nobody_says_is_not_known_and_never_guessed() -> None:
    silent = selection_context(cluster(), Given())
    assert (silent.platform, silent.profile, silent.feature_set) == ("", PROFILE, None)
    assert selection_context(cluster(platform=Known("Moon")), Given()).platform == "Moon"


def test_without_a_cluster_a_platform_is_needed_that_exists() -> None:
    with pytest.raises(UsageError, match="--platform is needed"):
        selection_context(None, Given())
    with pytest.raises(UsageError, match="--platform Moon: unknown platform"):
        selection_context(None, Given(platform="Moon"))
    alone = selection_context(None, Given(platform="ibmcloud"))
    assert (alone.platform, alone.profile, alone.running) == ("IBMCloud", PROFILE, None)


def test_the_update_graph_that_was_named_is_asked() -> None:
    def asked(old: str, new: str) -> bool:
        return old < new

    assert selection_context(None, Given(platform="AWS"), asked).has_edge is asked
    assert selection_context(None, Given(platform="AWS")).has_edge is None


def context(given: Given, about: Any = None, *, profile: str = PROFILE, feature_set: str | None = None) -> Any:
    return SelectionContext("AWS", profile, feature_set, given, about, None)


def test_a_profile_that_no_manifest_is_for_is_a_slip_of_the_pen() -> None:
    bare = Manifest("", "v1", "ConfigMap", "x", "m", None, Location("m.yaml", 0, 1))
    marked = replace(bare, annotations={"capability.openshift.io/name": "Build"})
    own = release("4.14.0", manifest(one="true"), bare, marked)
    other = release("4.15.0", manifest(two="true", one="true"))
    check_names([own, other], context(Given(profile="two"), profile="two"))
    with pytest.raises(UsageError, match="--profile three: no manifest of these releases is for it") as wrong:
        check_names([own, other], context(Given(profile="three"), profile="three"))
    assert wrong.value.hint == "one, two"
    check_names([release("4.6.0", manifest())], context(Given(profile="three"), profile="three"))
    check_names([own], context(Given(), profile="three"))


@pytest.mark.parametrize("name", ["Default", "OKD", "LatencySensitive", "CustomNoUpgrade"])
def test_a_feature_set_that_exists_may_be_named(name: str) -> None:
    check_names([release("4.14.0")], context(Given(feature_set=name), feature_set=name))


def test_a_feature_set_that_does_not_exist_is_a_slip_of_the_pen() -> None:
    with pytest.raises(UsageError, match="--feature-set Tech does not exist") as wrong:
        check_names([release("4.14.0")], context(Given(feature_set="Tech"), feature_set="Tech"))
    assert "TechPreviewNoUpgrade" in (wrong.value.hint or "")
    check_names([release("4.14.0")], context(Given(), feature_set="Tech"))


def test_a_capability_that_none_of_the_releases_has_is_a_slip_of_the_pen() -> None:
    releases = [release("4.14.0", _crd("Console", "Build")), release("4.15.0", _crd("baremetal", "Console", "Novelty"))]
    check_names(releases, context(Given(capabilities=("Build", "Novelty"))))
    with pytest.raises(UsageError, match="--capabilities Konsole: these releases have no such capability") as wrong:
        check_names(releases, context(Given(capabilities=("Console", "Konsole"))))
    assert wrong.value.hint == "baremetal, Build, Console, Novelty"
    newer = [release("9.9.0"), release("9.10.0")]  # whose capabilities nobody knows
    check_names(newer, context(Given(capabilities=("Konsole",))))


def test_capabilities_are_not_given_for_a_cluster_that_says_others() -> None:
    releases = [release("4.14.0", _crd("Console", "Build"))]
    says = cluster(capabilities=stated("Console", "Build"))
    check_names(releases, context(Given(capabilities=("Build", "Console")), says))
    with pytest.raises(UsageError, match="--capabilities is not for a cluster whose ClusterVersion says") as wrong:
        check_names(releases, context(Given(capabilities=("Build",)), says))
    assert "Build, Console" in (wrong.value.hint or "")
    check_names(releases, context(Given(capabilities=("Build",)), cluster()))
    check_names(releases, context(Given(capabilities=("Build",)), cluster(capabilities=Absent())))
    check_names(releases, context(Given(), says))
