"""Pieces of work and sites for tests of the clouds' remedies, each field with a plain default."""

import json
from collections.abc import Sequence
from typing import Any

import yaml

from upgrade_gate.base.secret_ref import SecretRef
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import Document
from upgrade_gate.clouds.contract.remedy import ClusterNames, Draft, IdentityChange, Serves, Step, Subject

SECRET = SecretRef("openshift-x", "x-credentials")
ISSUER = "https://oidc.example.com/c1"


def action(name: str, resource: str = "*", condition: Any = None) -> Grant:
    return Grant("action", name, "Allow", resource, condition)


def work(kind: str, delta: Sequence[Grant] = (), **fields: Any) -> IdentityChange:
    """Return a piece of work that lacks `delta`; unless said otherwise before and target are the delta alone."""
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


def site(platform: str, *documents: Any, **fields: Any) -> ClusterNames:
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


def parsed(draft: Draft, ending: str) -> Any:
    """Return the one document whose file name ends so."""
    (name,) = (n for n in draft.files if n.endswith(ending))
    text = draft.files[name]
    return json.loads(text) if name.endswith(".json") else yaml.safe_load(text)


def subjects(*accounts: str) -> tuple[Subject, ...]:
    return tuple(Subject(SECRET.namespace, account) for account in accounts)
