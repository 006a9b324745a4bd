"""Azure live: the same documents that the CLI exports, read from Azure Resource Manager by GET alone."""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from upgrade_gate.base.errors import EntitlementError, UsageError
from upgrade_gate.clouds.azure.shapes import ASSIGNED_TO, DENY_LISTING, PRINCIPAL
from upgrade_gate.clouds.contract.holdings import Document
from upgrade_gate.clouds.shared.live import SILENCE, maybe
from upgrade_gate.clouds.shared.rest import Rest, authority, read_settings
from upgrade_gate.reading.http.session import library_session
from upgrade_gate.reading.node import mapping, text

_ENDPOINT = "https://management.azure.com"
_ENDPOINTS = {
    "login.microsoftonline.us": "https://management.usgovcloudapi.net",
    "login.chinacloudapi.cn": "https://management.chinacloudapi.cn",
    "login.partner.microsoftonline.cn": "https://management.chinacloudapi.cn",
}
"""Resource Manager of the other clouds, by the host that AZURE_AUTHORITY_HOST names: one cloud's token is of no use in
another."""
_LOGIN = "AZURE_AUTHORITY_HOST"
_RETRIES = 2
_RENEW = 120.0
"""Seconds before its end at which a token is replaced."""
_AUTHORIZATION = "2022-04-01"
_IDENTITY = "2023-01-31"
_IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"
_FEDERATED = f"{_IDENTITIES}/federatedIdentityCredentials/read"
_READER = "Microsoft.Authorization/*/read (the role Reader)"


def collect(settings: Mapping[str, Any]) -> tuple[Document, ...]:
    """Read assignments, definitions, deny assignments, managed identities and their federated credentials.

    Settings: `account` (subscription, required), `identities` (client IDs or `principal:ID`; empty: all), `endpoint`
    (Resource Manager; by default that of the cloud whose login AZURE_AUTHORITY_HOST names, else the public one),
    `token`, `certificate_authority`, `timeout`. Deny assignments and federated credentials that the caller may not
    read are left out, and the verdicts say so; anything else that cannot be read raises EntitlementError. Raises
    UsageError naming the extra where azure-identity is not installed.
    """
    subscription, seconds = read_settings(settings, "Azure", "subscription")
    login = os.environ.get(_LOGIN, "").casefold().removeprefix("https://").strip("/")
    endpoint = text(settings.get("endpoint")).rstrip("/") or _ENDPOINTS.get(login, _ENDPOINT)
    rest = Rest(_token(settings, endpoint, seconds), settings=settings, seconds=seconds)
    try:
        return tuple(_documents(rest, endpoint, subscription, [str(i) for i in settings.get("identities") or ()]))
    finally:
        rest.close()


def _token(settings: Mapping[str, Any], endpoint: str, seconds: float) -> Callable[[], str]:
    given = settings.get("token")
    if given:
        return lambda: str(given)
    try:
        from azure.core.exceptions import AzureError
        from azure.core.pipeline.transport import RequestsTransport
        from azure.identity import DefaultAzureCredential
    except ImportError as exc:
        raise UsageError(
            "--identities live on Azure needs the extra `azure`", hint="pip install 'upgrade-gate[azure]'"
        ) from exc
    # the library prints every credential that it tried, on lines of its own
    logging.getLogger("azure").addHandler(logging.NullHandler())
    wait = min(seconds, SILENCE)
    transport = RequestsTransport(connection_timeout=wait, read_timeout=wait)
    transport.open()
    # with our trust: by itself it knows the environment's authorities alone
    transport.session.mount("https://", library_session(authority(settings)).get_adapter("https://"))
    credential = DefaultAzureCredential(
        exclude_interactive_browser_credential=True,
        # whoever names a login host of his own has said that he trusts it; the public one may not be reachable there
        disable_instance_discovery=bool(os.environ.get(_LOGIN)),
        transport=transport,
        retry_total=_RETRIES,
        process_timeout=int(wait) or 1,
    )
    held: list[Any] = []

    def fetch() -> str:
        """Return the token, a new one shortly before it expires: some credentials start a program for each."""
        if not held or held[0].expires_on - time.time() < _RENEW:
            try:
                held[:] = [credential.get_token(f"{endpoint}/.default")]
            except (AzureError, OSError, ValueError) as exc:
                code = re.search(r"AADSTS\d+|CERTIFICATE_VERIFY_FAILED", str(exc))
                reason = f"no Azure credential gives a token{f' ({code.group()})' if code else ''}"
                raise EntitlementError(reason, hint="az login, or use an export") from exc
        return str(held[0].token)

    return fetch


def _documents(rest: Rest, endpoint: str, subscription: str, wanted: list[str]) -> list[Document]:
    base = f"{endpoint}/subscriptions/{quote(subscription, safe='')}/providers"
    authorization = f"{base}/Microsoft.Authorization"

    def listing(path: str, version: str, permission: str) -> Document:
        url = f"{path}?api-version={version}"
        return Document(rest.pages(url, "value", permission), path.removeprefix(endpoint))

    found: list[Document | None] = [
        listing(f"{authorization}/{kind}", _AUTHORIZATION, _READER) for kind in ("roleAssignments", "roleDefinitions")
    ]
    found.append(maybe(_denies, rest, authorization))
    identities = listing(f"{base}/{_IDENTITIES}", _IDENTITY, f"{_IDENTITIES}/read")
    found.append(identities)
    principals = [w.removeprefix(PRINCIPAL) for one in wanted if (w := one.casefold()).startswith(PRINCIPAL)]
    for item in identities.body["value"]:
        client, principal = (text(mapping(mapping(item).get("properties")).get(k)) for k in ("clientId", "principalId"))
        if (
            wanted
            and client.casefold() not in {w.casefold() for w in wanted}
            and principal.casefold() not in principals
        ):
            continue
        path = f"{endpoint}{quote(text(mapping(item).get('id')), safe='/')}/federatedIdentityCredentials"
        found.append(maybe(listing, path, _IDENTITY, _FEDERATED))
        principals.append(principal.casefold())
    found += [maybe(_groups, rest, authorization, principal) for principal in sorted(set(principals) - {""})]
    return [one for one in found if one is not None]


def _denies(rest: Rest, authorization: str) -> Document:
    """Read deny assignments, marked so that an empty list is known to be one of them."""
    url = f"{authorization}/denyAssignments?api-version={_AUTHORIZATION}"
    return Document({"listing": DENY_LISTING, **rest.pages(url, "value", _READER)}, DENY_LISTING)


def _groups(rest: Rest, authorization: str, principal: str) -> Document:
    """Read what is assigned to a principal or to its groups: the filter that sees membership."""
    condition = quote(f"assignedTo('{principal}')", safe="")
    url = f"{authorization}/roleAssignments?api-version={_AUTHORIZATION}&$filter={condition}"
    return Document({ASSIGNED_TO: principal, **rest.pages(url, "value", _READER)}, f"roleAssignments of {principal}")
