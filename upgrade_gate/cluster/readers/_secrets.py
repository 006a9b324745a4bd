"""What may be kept of a Secret: names of keys, and on request the parts that identify without authenticating.

No value leaves this module but a role ARN, an access key ID, a client ID, a service account's email and the path
of a token file (docs/contract.md#secret-contents).
"""

from __future__ import annotations

import base64
import binascii
import configparser
import json
import re
from typing import Any, TypeAlias

from upgrade_gate.base.facts import Fact, Known
from upgrade_gate.base.secret_ref import SecretRef
from upgrade_gate.cluster.model import SecretForm, SecretRecord
from upgrade_gate.reading.node import Malformed, Part, attempt

_REDACTED = re.compile(r"\d+ bytes long")
_NOTHING = frozenset({"", "0 bytes long", base64.b64encode(b"0 bytes long").decode()})
"""What stands where a key has no value: `oc adm inspect` writes its length in place of a value."""
_SHORT = 2048
_PREFIX = "cloudcredential.openshift.io/"
_ROLE_ARN = re.compile(r"arn:[a-z0-9-]+:iam::[0-9]{12}:role/[\w+=,.@/-]{1,600}", re.ASCII)
_ACCESS_KEY_ID = re.compile(r"A[A-Z0-9]{15,127}", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_EMAIL = re.compile(r"[a-z0-9.-]{1,128}@[a-z0-9.:-]{1,128}\.gserviceaccount\.com", re.ASCII)
_IMPERSONATION = re.compile(r"/serviceAccounts/([^/:]+):generateAccessToken$")
_PATH = re.compile(r"/[\w./-]{1,500}", re.ASCII)

_Told: TypeAlias = "tuple[str | None, str | None, SecretForm | None]"
"""Identity, path of the token file, and form."""


def reduce_secret(body: Any, ref: SecretRef, *, read_values: bool) -> Fact[SecretRecord]:
    """Reduce a Secret, or its metadata alone, to a record.

    Without `read_values` no value is decoded or looked at. A redacted value (`24 bytes long`) identifies nothing.
    """
    return attempt(lambda: Known(_record(Part(body, f"Secret {ref}"), ref, read_values)))


def _record(body: Part, ref: SecretRef, read_values: bool) -> SecretRecord:
    metadata = body["metadata"].required()
    named = SecretRef(metadata["namespace"].text(), metadata["name"].text())
    if named != ref:
        raise Malformed(f"in the place of Secret {ref} lies {str(named)[:120]}")
    if not metadata["deletionTimestamp"].missing:
        raise Malformed(f"{body.name} is being deleted: run again when it is gone")
    if not body["stringData"].missing:
        raise Malformed(f"{body.name} has stringData: it is a manifest to apply, and no API server says that it was")
    data = body["data"].mapping()
    has_data = "data" in body.mapping() or body["kind"].text() == "Secret"
    keys = frozenset(key for key, some in _has_value(body["data"]).items() if some)
    values = {key: text for key in keys if (text := _decode(data.get(key)))} if read_values else {}
    identity, token_path, form = _identify(values)
    return SecretRecord(
        ref=ref,
        annotations=_ours(metadata["annotations"].labels()),
        labels=_ours(metadata["labels"].labels()),
        keys=keys if has_data else None,
        identity=identity,
        token_path=token_path,
        form=form or (_form_of_keys(keys) if has_data else None),
    )


def _has_value(data: Part) -> dict[str, bool]:
    """Return whether each key has a value: one without a value serves nobody. Of a value only its length is seen."""
    return {
        Part(key, data.name, "data (a key)").some_text(): isinstance(value, str) and value.strip() not in _NOTHING
        for key, value in data.mapping().items()
    }


def _ours(marks: dict[str, str]) -> dict[str, str]:
    # Others can hold anything: `kubectl apply` stores the whole object, values included, in an annotation.
    return {key: text for key, text in marks.items() if key.startswith(_PREFIX)}


def _form_of_keys(keys: frozenset[str]) -> SecretForm | None:
    """Tell the form by key names, where they tell it alone (docs/facts/cco.md#secret-keys and docs/facts/cco.md#modes).

    An AWS `credentials` key and GCP's `service_account.json` hold either form, so they tell nothing.
    """
    if "azure_client_id" in keys:
        token, secret = "azure_federated_token_file" in keys, "azure_client_secret" in keys
        if token != secret:
            return "token" if token else "keys"
        return None
    if {"aws_access_key_id", "aws_secret_access_key"} <= keys and "credentials" not in keys:
        return "keys"
    return None


def _decode(encoded: object) -> str | None:
    if not isinstance(encoded, str):
        return None
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return None if _REDACTED.fullmatch(text.strip()) else text


def _identify(values: dict[str, str]) -> _Told:
    """Return identity, token path and form, from whichever cloud's keys are there."""
    if text := values.get("service_account.json"):
        return _google(text)
    if "azure_client_id" in values:
        path = _match(_PATH, values.get("azure_federated_token_file"))
        return _match(_UUID, values["azure_client_id"]), path, None
    # `credentials` wins over the two key fields wherever it is not empty (docs/facts/cco.md#secret-keys).
    if text := values.get("credentials", "").strip():
        return _amazon(text)
    if "aws_access_key_id" in values:
        return _match(_ACCESS_KEY_ID, values["aws_access_key_id"]), None, "keys"
    return None, None, None


def _amazon(text: str) -> _Told:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return None, None, None
    section = dict(parser.items("default")) if parser.has_section("default") else {}
    role, path = section.get("role_arn"), section.get("web_identity_token_file")
    if role is not None and path is not None:
        return _match(_ROLE_ARN, role), _match(_PATH, path), "token"
    if "aws_access_key_id" in section:
        return _match(_ACCESS_KEY_ID, section["aws_access_key_id"]), None, "keys"
    return None, None, None


def _google(text: str) -> _Told:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return None, None, None
    if not isinstance(body, dict):
        return None, None, None
    if body.get("type") == "external_account":
        url = body.get("service_account_impersonation_url")
        found = _IMPERSONATION.search(url) if isinstance(url, str) else None
        source = body.get("credential_source")
        path = source.get("file") if isinstance(source, dict) else None
        return _match(_EMAIL, found.group(1) if found else None), _match(_PATH, path), "token"
    if body.get("type") == "service_account":
        return _match(_EMAIL, body.get("client_email")), None, "keys"
    return None, None, None


def _match(shape: re.Pattern[str], text: object) -> str | None:
    """Return the text only where it has the shape of what may be kept: a misplaced password has not."""
    if not isinstance(text, str) or len(text) > _SHORT:
        return None
    text = text.strip()
    return text if shape.fullmatch(text) else None
