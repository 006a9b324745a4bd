"""Read and write the documents of an input without losing anything that a fault could be about."""

from __future__ import annotations

import json
from typing import Any

import yaml

from tests.faults.kinds import TWIN


class _Loader(yaml.CSafeLoader):
    """YAML without dates and without `=`: both are texts to the program."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in rows if tag.rpartition(":")[2] not in {"timestamp", "value"}]
    for first, rows in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


class _Dumper(yaml.CSafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def read(content: bytes) -> list[Any] | None:
    """Return the documents of a file; None where it holds none that can be read."""
    try:
        text = content.decode()
        found = [json.loads(text)] if text.lstrip()[:1] in {"{", "["} else list(yaml.load_all(text, _Loader))
    except (ValueError, yaml.YAMLError):
        return None
    documents = [document for document in found if document is not None]
    return documents if documents and all(isinstance(one, (dict, list)) for one in documents) else None


def written(documents: list[Any], like: bytes) -> bytes:
    """Return the documents as a file of the same form, with keys that stand twice."""
    if like.lstrip()[:1] in {b"{", b"["} and len(documents) == 1:
        return json.dumps(documents[0], indent=1).replace(json.dumps(TWIN)[1:-1], "").encode()
    text = yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, explicit_start=True)
    return text.replace("\\x01", "").encode()
