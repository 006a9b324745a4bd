"""The document about a fleet keeps to its published schema."""

import json

import msgspec
import pytest

from tests.worlds.fleets import cluster, fleet_of
from upgrade_gate.fleet import document


def test_it_is_what_the_schema_says_and_comes_back() -> None:
    fleet = fleet_of(cluster("a"), cluster("b", id=None, collected=None))
    content = b"".join(document.encode(fleet))
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator(document.schema()).validate(json.loads(content))
    assert document.decode(content) == fleet


def test_another_document_is_none() -> None:
    for content in (b"", b"{}", b"".join(document.encode(fleet_of())).replace(b"fleet/v1", b"fleet/v2")):
        with pytest.raises(msgspec.DecodeError):
            document.decode(content)
