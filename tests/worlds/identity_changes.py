"""Changes of identities and what their names have in common, each field with a plain default."""

import json
from collections.abc import Sequence
from typing import Any

import yaml

from upgrade_gate.base.secret_ref import SecretRef
from upgrade_gate.base.steps import CommandLine, Placeholder, Serves, Step
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import Document
from upgrade_gate.clouds.contract.remedy import ClusterNames, Draft, IdentityChange, Subject

SECRET = SecretRef("openshift-x", "x-credentials")
ISSUER = "https://oidc.example.com/c1"


def action(name: str, resource: str = "*", condition: Any = None) -> Grant:
    return Grant("action", name, "Allow", resource, condition)


def change(kind: str, delta: Sequence[Grant] = (), **fields: Any) -> IdentityChange:
    """Return a change of one identity that lacks `delta`; unless told otherwise before and target are the delta."""
    values: dict[str, Any] = {
        "kind": kind,
        "label": f"{SECRET.namespace}-{SECRET.name}",
        "secrets": (SECRET,),
        "requests": ("openshift-cloud-credential-operator/x-operator",),
        "components": ("x-operator",),
        "identity": None,
        "ccoctl": None,
        "before": tuple(delta),
        "target": tuple(delta),
        "delta": tuple(delta),
        "gone": (),
        "subjects": (Subject(SECRET.namespace, "x-sa"),),
        "untrusted": (),
        "gone_subjects": (),
        "create": False,
    }
    return IdentityChange(**{**values, **fields})


def cluster_names(platform: str, *documents: Any, **fields: Any) -> ClusterNames:
    values: dict[str, Any] = {
        "platform": platform,
        "release": (4, 14),
        "version": "4.14.0",
        "token": True,
        "documents": tuple(Document(body, "export.json") for body in documents),
    }
    return ClusterNames(**{**values, **fields})


def step(draft: Draft, serves: Serves) -> Step:
    """Return the one step that serves something."""
    (found,) = (s for s in draft.steps if s.serves is serves)
    return found


def unknown(line: CommandLine) -> set[str]:
    """Return the names of the values that are to be filled in in a command line."""
    return {part.name for part in line.parts if isinstance(part, Placeholder)}


def parsed(draft: Draft, ending: str) -> Any:
    """Return the one document whose file name ends so."""
    (name,) = (n for n in draft.files if n.endswith(ending))
    text = draft.files[name]
    return json.loads(text) if name.endswith(".json") else yaml.safe_load(text)


def subjects(*accounts: str) -> tuple[Subject, ...]:
    return tuple(Subject(SECRET.namespace, account) for account in accounts)
