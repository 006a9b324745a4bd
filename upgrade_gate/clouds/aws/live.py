"""Live reads of AWS identities: the account's details, or role by role where those may not be read. Read-only calls."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from upgrade_gate.base.errors import EntitlementError, UsageError
from upgrade_gate.clouds.aws.token_issuers import ARN_KEY, LIST_KEY
from upgrade_gate.clouds.contract.holdings import Document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_logger = logging.getLogger(__name__)

_TIMEOUT = 30.0
_FILTER = ["Role", "User", "Group", "LocalManagedPolicy", "AWSManagedPolicy"]
_REFUSED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})


def collect(settings: Mapping[str, Any]) -> tuple[Document, ...]:
    """Return documents as `aws iam` would print them.

    Settings: `identities` (role and user ARNs or names, for the per-role way), `region`, `profile`, `endpoint`,
    `timeout` (seconds per call). Credentials come from the SDK's own chain. Raises UsageError where boto3 is not
    installed, EntitlementError where nothing can be read.
    """
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError
    except ImportError as exc:
        raise UsageError(
            "--identities live on AWS needs boto3", hint="pip install 'upgrade-gate[aws]', or --identities export:PATH"
        ) from exc
    timeout = float(settings.get("timeout") or _TIMEOUT)
    config = Config(
        connect_timeout=timeout, read_timeout=timeout, retries={"mode": "standard", "total_max_attempts": 4}
    )
    try:
        session = boto3.session.Session(
            profile_name=settings.get("profile"), region_name=settings.get("region") or "us-east-1"
        )
        iam, sts = (
            session.client(service, endpoint_url=settings.get("endpoint"), config=config) for service in ("iam", "sts")
        )
        try:
            documents = [Document(_plain(sts.get_caller_identity()), "sts get-caller-identity")]
        except ClientError as exc:
            documents = []
            _logger.debug("the caller's account could not be read: %s", exc)
        try:
            return (*documents, _details(iam), *_token_issuers(iam, ClientError))
        except ClientError as exc:
            if not _is_refused(exc):
                raise
            _logger.debug("account details are refused, reading role by role: %s", exc)
        found = tuple(_each(iam, settings.get("identities") or (), ClientError))
        found += tuple(_token_issuers(iam, ClientError)) if found else ()
    except ResponseParserError as exc:  # its text is the answer itself
        raise EntitlementError("AWS IAM: an answer is cut off, or no XML", hint="a proxy may have changed it") from exc
    except (BotoCoreError, ClientError) as exc:
        raise EntitlementError(
            f"AWS IAM: {exc}", hint="`upgrade-gate init iam-reader` prints the policy to add"
        ) from exc
    if not found:
        raise EntitlementError(
            "AWS IAM: iam:GetAccountAuthorizationDetails is refused and no identity could be read by itself",
            hint="`upgrade-gate init iam-reader` prints the policy to add",
        )
    return (*documents, *found)


def _is_refused(error: Any) -> bool:
    return error.response.get("Error", {}).get("Code") in _REFUSED


def _plain(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in answer.items() if k != "ResponseMetadata"}


def _pages(iam: Any, operation: str, key: str, **arguments: Any) -> list[Any]:
    return [item for page in iam.get_paginator(operation).paginate(**arguments) for item in page.get(key, [])]


def _details(iam: Any) -> Document:
    """Return the account's details as one document, from every page."""
    whole: dict[str, list[Any]] = {"RoleDetailList": [], "UserDetailList": [], "GroupDetailList": [], "Policies": []}
    for page in iam.get_paginator("get_account_authorization_details").paginate(Filter=_FILTER):
        for key in whole:
            whole[key] += page.get(key, [])
    return Document(whole, "iam get-account-authorization-details")


def _token_issuers(iam: Any, client_error: Any) -> Iterator[Document]:
    """Yield the OIDC providers with what they take; what is refused stays unseen, which is a caveat of trust."""
    try:
        listing = _plain(iam.list_open_id_connect_providers())
        yield Document(listing, "iam list-open-id-connect-providers")
        for arn in (provider["Arn"] for provider in listing[LIST_KEY]):
            provider = _plain(iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn))
            yield Document({ARN_KEY: arn, **provider}, f"iam get-open-id-connect-provider {arn}")
    except client_error as exc:
        _logger.warning("AWS IAM: OIDC providers: %s", exc.response.get("Error", {}).get("Code"))


def _each(iam: Any, identities: Sequence[str], client_error: Any) -> Iterator[Document]:
    """Yield what can be read of each identity; what is refused stays unseen, and so UNKNOWN where it matters."""
    policies: dict[str, str] = {}

    def ask(call: Callable[[], Any], what: str) -> Any:
        try:
            return call()
        except client_error as exc:
            _logger.warning("AWS IAM: %s: %s", what, exc.response.get("Error", {}).get("Code"))
            return None

    for identity in sorted(set(identities)):
        kind = "user" if ":user/" in identity or identity.startswith("user/") else "role"
        name = identity.rpartition("/")[2]
        yield from _principal(iam, kind, name, policies, ask)
    for arn, label in sorted(policies.items()):
        policy = ask(partial(_get_policy, iam, arn), f"get-policy {arn}")
        version = policy and ask(
            partial(iam.get_policy_version, PolicyArn=arn, VersionId=policy["DefaultVersionId"]),
            f"get-policy-version {arn}",
        )
        if version:
            yield Document({"PolicyArn": arn, **_plain(version)}, f"iam get-policy-version {label}")


def _get_policy(iam: Any, arn: str) -> Any:
    return iam.get_policy(PolicyArn=arn)["Policy"]


def _principal(
    iam: Any, kind: str, name: str, policies: dict[str, str], ask: Callable[[Callable[[], Any], str], Any]
) -> Iterator[Document]:
    key = {"role": "RoleName", "user": "UserName", "group": "GroupName"}[kind]
    who = {key: name}
    bare = ask(lambda: _plain(getattr(iam, f"get_{kind}")(**who)), f"get-{kind} {name}") if kind != "group" else None
    if bare:
        yield Document(bare, f"iam get-{kind} {name}")
        boundary = (bare[kind.capitalize()].get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn")
        if boundary:
            policies[boundary] = boundary
    names = ask(lambda: _pages(iam, f"list_{kind}_policies", "PolicyNames", **who), f"list-{kind}-policies {name}")
    if names is not None:
        yield Document({**who, "PolicyNames": names}, f"iam list-{kind}-policies {name}")
    for policy in names or ():
        document = ask(
            partial(getattr(iam, f"get_{kind}_policy"), **who, PolicyName=policy),
            f"get-{kind}-policy {name}",
        )
        if document:
            yield Document(_plain(document), f"iam get-{kind}-policy {name} {policy}")
    attached = ask(
        lambda: _pages(iam, f"list_attached_{kind}_policies", "AttachedPolicies", **who),
        f"list-attached-{kind}-policies {name}",
    )
    if attached is not None:
        yield Document({**who, "AttachedPolicies": attached}, f"iam list-attached-{kind}-policies {name}")
        policies.update({p["PolicyArn"]: p["PolicyName"] for p in attached})
    if kind == "user":
        groups = ask(lambda: _pages(iam, "list_groups_for_user", "Groups", **who), f"list-groups-for-user {name}")
        if groups is not None:
            yield Document({**who, "Groups": groups}, f"iam list-groups-for-user {name}")
        for group in groups or ():
            yield from _principal(iam, "group", group["GroupName"], policies, ask)
