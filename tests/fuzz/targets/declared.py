"""Policy files of a repository: what they declare, where it stands, and the patch that adds what is missing.

A file must never cover a permission that none of its text can stand for. A patch puts in and takes nothing out, reads
as the old file with the additions, and what it adds is then declared, unless something denies it.
"""

from __future__ import annotations

from functools import partial

from tests.fuzz import harness
from tests.fuzz.harness import Target
from tests.fuzz.mutation import of_bytes
from tests.fuzz.targets.entitlements import AWS, AZURE, GCP, IBM, Cloud
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import Coverage
from upgrade_gate.proof import declared
from upgrade_gate.proof.declared import Declarations, Served
from upgrade_gate.reading import insertion
from upgrade_gate.remedy import policy_patch

SECRET = "openshift-storage/cloud"
NAME = "openshift-storage-cloud.yaml"


def _load(data: bytes) -> Declarations:
    path = harness.file(NAME, data)
    return declared.load("policies:x", [path], {SECRET: [str(path)]})


def read_policies(cloud: Cloud, data: bytes) -> None:
    """Judge one grant by a file, and patch the file where that grant is missing."""
    found = _load(data)
    served = found.serving(cloud.kind, SECRET, [SECRET], None)
    if not isinstance(served, Served):
        assert served.verdict is Coverage.UNKNOWN
        assert served.reason
        return
    grant = Grant(**{"effect": None, "resource": None, "condition": None, "scope": None, **cloud.needed})
    result = found.judge(served, grant, (), None)
    text = "".join(file.text for file in found.files).lower().replace("\\", "")
    if result.verdict is Coverage.COVERED:
        assert any(word in text for word in cloud.stands_for), "covered by a file that does not name it"
    assert all(place.line >= 1 for place in found.places(served, [grant]))
    if result.verdict is not Coverage.MISSING:
        return
    for one in served.found:
        for part in one.declaration.parts:
            edits = policy_patch.edits(cloud.kind, one, part, [grant], None)
            if edits:
                _check_patch(cloud, grant, one.file.text, insertion.apply(one.file.text, edits))
                return


def _check_patch(cloud: Cloud, grant: Grant, before: str, after: str) -> None:
    rest = iter(after)
    assert all(letter in rest for letter in before), "the patch takes something out"
    again = _load(after.encode())
    served = again.serving(cloud.kind, SECRET, [SECRET], None)
    assert isinstance(served, Served), "the patched file is another one"
    assert again.judge(served, grant, (), None).verdict is not Coverage.MISSING, "still missing with the patch"


TARGETS = tuple(
    Target(f"declared-{name}", partial(read_policies, cloud), of_bytes, memory=128 * 2**20)
    for name, cloud in (("aws", AWS), ("azure", AZURE), ("gcp", GCP), ("ibm", IBM))
)
