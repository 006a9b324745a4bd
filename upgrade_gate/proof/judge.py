"""One required grant against one export: the stable function for other programs, and what strict proof makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from upgrade_gate.base import plugins
from upgrade_gate.clouds.contract.context import read_context
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import Coverage, CoverageResult, Document, unknown
from upgrade_gate.proof.collect import as_documents

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from upgrade_gate.clouds.contract.holdings import Provider


def judge(
    provider: str,
    exports: Sequence[Any],
    identity: str,
    grant: Mapping[str, Any] | Grant,
    *,
    account: str | None = None,
    scopes: Sequence[str] = (),
    context: Mapping[str, Any] | None = None,
    assume: Sequence[str] = (),
) -> CoverageResult:
    """Decide whether what an identity holds, as parsed export documents show it, covers one required grant.

    `provider` is `AWS`, `Azure`, `GCP` or `IBMCloud`; `exports` are parsed documents, each recognised by its shape;
    `identity` is spelt as in the configuration (docs/contract.md#identities); `grant` is a GRANT mapping, whose absent
    keys read as null, or a Grant; `account` is what the documents must belong to; `scopes` is what must be covered
    (Azure resource groups, IBM resource group IDs). `context` is the cluster that will use the grant (fields of
    `Context`; what is absent is not known) and `assume` what is taken for granted of it (`cluster-tag`); without both,
    the letter of the policies decides alone. Raises ValueError for another provider, a grant without a name, and
    for an argument or a part of the grant of another type.
    """
    plugin = _provider(provider)
    _check_types(exports, identity, account, scopes)
    cluster = read_context(context, assume, account=account)
    needed = grant if isinstance(grant, Grant) else _grant(plugin, grant)
    documents = [Document(d.body, d.origin, d.truncated) if isinstance(d, Document) else Document(d) for d in exports]
    known = as_documents(plugin, documents)
    if not known:
        return unknown(f"no document of the export has a shape that {provider} prints")
    if not identity:
        return unknown("an export says nothing about an identity without a name")
    return plugin.build(known, account, cluster).judge(identity, needed, tuple(scopes))


def _check_types(exports: object, identity: object, account: object, scopes: object) -> None:
    """Raise ValueError for what no caller can have meant; a text given as `scopes` would be read letter by letter."""
    listed = isinstance(scopes, (list, tuple)) and all(isinstance(scope, str) for scope in scopes)
    for right, text in (
        (isinstance(exports, (list, tuple)), "exports must be a list of parsed documents"),
        (isinstance(identity, str), "identity must be a text"),
        (account is None or isinstance(account, str), "account must be a text, or None"),
        (listed, "scopes must be a list of texts"),
    ):
        if not right:
            raise ValueError(text)


def _provider(wanted: str) -> Provider:
    known: list[str] = []
    for cloud in plugins.clouds("holdings"):
        known.append(plugins.load("clouds", cloud).PROVIDER)
        if wanted == known[-1]:
            return cast("Provider", plugins.load(f"clouds.{cloud}", "holdings"))
    raise ValueError(f"provider {wanted!r} is not one of {', '.join(known)}")


def _grant(plugin: Provider, given: Mapping[str, Any]) -> Grant:
    name = given.get("permission", given.get("action"))  # AWS: a caller may write a policy's own word
    if not isinstance(name, str) or not name:
        raise ValueError("grant: permission must be the name of a permission")
    strange = [key for key in ("type", "effect", "resource") if not isinstance(given.get(key), str | None)]
    if strange:
        raise ValueError(f"grant: {strange[0]} must be a text, or null")
    kind = given.get("type") or plugin.DEFAULT_TYPE
    attributes = given.get("attributes")  # IBM: a caller may write the scope's one field without the scope
    scope = given.get("scope") or ({"attributes": attributes} if attributes else None)
    return Grant(kind, name, given.get("effect"), given.get("resource"), given.get("condition"), scope)


def strict(judgement: CoverageResult) -> CoverageResult:
    """Return the judgement under `--strict-proof`: what exports cannot contain makes it UNKNOWN."""
    if judgement.verdict is not Coverage.COVERED or not judgement.caveats:
        return judgement
    return unknown(f"{judgement.reason}; strict proof asks for more: {'; '.join(judgement.caveats)}")
