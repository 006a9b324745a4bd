"""The real 4.12.0 (whole) and 4.13.0, in five forms: one document on every platform."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.worlds import images
from tests.worlds.release_image import build
from upgrade_gate.base import platforms
from upgrade_gate.payloads import payload, reference
from upgrade_gate.payloads.payload import Payload
from upgrade_gate.payloads.reference import Settings
from upgrade_gate.report import build as assembly
from upgrade_gate.report import document as report
from upgrade_gate.requests import upgrade_path
from upgrade_gate.requests.comparison import Comparison
from upgrade_gate.requests.selection_context import selection_context
from upgrade_gate.requests.update import Given

FORMS = ("folder", "docker-archive", "oci-archive", "tar.zst", "OCI layout")


@pytest.fixture(scope="module")
def pairs(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, tuple[Payload, Payload]]:
    loaded: dict[str, list[Payload]] = {form: [] for form in FORMS}
    for version in ("4.12.0", "4.13.0"):
        place = tmp_path_factory.mktemp(version)
        folder = shared / "corpus" / "releases" / version
        files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
        layout = images.layout_files(build(version, files=files, oci=True))
        (place / "docker").write_bytes(images.packed(images.docker_files(build(version, files=files)), "plain"))
        (place / "oci").write_bytes(images.packed(layout, "plain"))
        (place / "zst").write_bytes(images.packed(files, "zstd"))
        images.write(place / "layout", layout)
        references = (
            *(f"dir:{folder}", f"archive:{place / 'docker'}", f"archive:{place / 'oci'}"),
            *(f"archive:{place / 'zst'}", f"oci:{place / 'layout'}"),
        )
        for form, text in zip(FORMS, references, strict=True):
            files_of = reference.fetch(reference.parse_reference(text), Settings(verify="off"))
            loaded[form].append(payload.load(files_of))
    return {form: (old, new) for form, (old, new) in loaded.items()}


def _document(pair: tuple[Payload, Payload], platform: str) -> Any:
    context = selection_context(None, Given(platform=platform))
    survey = Comparison(None, ("old", "new"), upgrade_path.compare(pair, context), (), context)
    document = json.loads(report.encode(assembly.of_comparison(survey)))
    for key in ("generated", "notes"):
        document.pop(key)
    for hop in document["hops"]:
        for side in ("from", "to"):
            hop[side] = hop[side]["version"]
    return document


@pytest.mark.parametrize("platform", sorted(p.name for p in platforms.PLATFORMS.values()))
def test_every_form_gives_the_same_document(platform: str, pairs: Mapping[str, tuple[Payload, Payload]]) -> None:
    first = _document(pairs["folder"], platform)
    assert first["hops"] == [{"from": "4.12.0", "to": "4.13.0", "kind": "minor"}]
    for form in FORMS[1:]:
        assert _document(pairs[form], platform) == first, form
