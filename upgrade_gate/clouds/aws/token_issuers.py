"""IAM's OIDC providers: whose tokens an account takes at all, and for which audiences.

STS refuses a token whose issuer has no provider in the role's account, and one whose audience is none of the
provider's client IDs. Provider URLs compare with case, a slash at the end included (IAM user guide, "Create an OpenID
Connect (OIDC) identity provider in IAM").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from upgrade_gate.clouds.contract.holdings import Coverage, CoverageResult, unknown
from upgrade_gate.clouds.shared.trust import AUDIENCE
from upgrade_gate.reading.node import readable_strings, text

ARN_KEY = "OpenIDConnectProviderArn"
"""What `get-open-id-connect-provider` was asked for, where a collector wrote it beside the answer."""
LIST_KEY = "OpenIDConnectProviderList"

_RESOURCE = "oidc-provider/"
_NOT_SEEN = "the OIDC provider of IAM was not seen, nor which audiences it takes"
_AUDIENCES_NOT_SEEN = "which audiences the OIDC provider of IAM takes was not seen"


class Provider(Struct, frozen=True):
    """One provider with what it takes."""

    url: str
    """Without its scheme, as IAM prints it."""
    arn: str
    """Empty where the answer does not say."""
    audiences: tuple[str, ...] | None
    """None where they cannot be read."""


class Listing(Struct, frozen=True):
    """The answer to a question for all providers of an account."""

    arns: tuple[str, ...]
    whole: bool
    """Whether every provider of it could be read, and no page follows."""


def read_provider(body: Mapping[str, Any]) -> Provider:
    """Read one provider."""
    url = text(body.get("Url")).removeprefix("https://")
    return Provider(url, text(body.get(ARN_KEY)), readable_strings(body.get("ClientIDList")))


def read_listing(body: Mapping[str, Any], *, more: bool) -> Listing:
    """Read a list of providers; `more` says that it is one page."""
    listed = body.get(LIST_KEY)
    entries = listed if isinstance(listed, list) else [None]
    arns = [text(entry.get("Arn")) if isinstance(entry, Mapping) else "" for entry in entries]
    return Listing(tuple(arn for arn in arns if arn), not more and all(_url(arn) for arn in arns))


def judge(role: str | None, issuer: str, providers: Sequence[Provider], listings: Sequence[Listing]) -> CoverageResult:
    """Decide whether the account of a role (its ARN, None where it is not known) takes tokens of an issuer.

    What was not supplied is a caveat; what was supplied counts.
    """
    host = issuer.removeprefix("https://")
    own = [p for p in providers if p.url == host and (not p.arn or _is_of(p.arn, role, host))]
    naming = [any(_is_of(arn, role, host) for arn in listing.arns) for listing in listings]
    if listings and not any(naming):
        return _unlisted(role, host, own, listings)
    if not all(naming):
        return unknown(f"two lists of OIDC providers disagree about {host}")
    if not own:
        others = [p.url for p in providers if p.url != host]
        alike = _alike(host, others) if not listings else None
        if alike:
            return unknown(f"the export shows the OIDC provider {alike}, and the cluster's issuer is {host}")
        caveat = _AUDIENCES_NOT_SEEN if listings else _NOT_SEEN
        return CoverageResult(Coverage.COVERED, f"{host} may have an OIDC provider", (caveat,))
    audiences = {None if p.audiences is None else frozenset(p.audiences) for p in own}
    if len(audiences) > 1:
        return unknown(f"two documents disagree about the OIDC provider {host}")
    (taken,) = audiences
    if taken is None:
        return unknown(f"the client IDs of the OIDC provider {host} cannot be read")
    if AUDIENCE not in taken:
        listed = ", ".join(sorted(taken)) or "none"
        return CoverageResult(
            Coverage.MISSING,
            f"the OIDC provider {host} does not take tokens for the audience {AUDIENCE}: its client IDs are {listed}",
        )
    return CoverageResult(Coverage.COVERED, f"the OIDC provider {host} takes tokens for the audience {AUDIENCE}")


def _unlisted(role: str | None, host: str, own: Sequence[Provider], listings: Sequence[Listing]) -> CoverageResult:
    """Return what follows where no list names the provider."""
    if own:
        return unknown(f"two documents disagree about the OIDC provider {host}: it is shown, and no list names it")
    if all(one.arns and not any(_is_of(a, role, _url(a)) for a in one.arns) for one in listings):
        return unknown(f"the list of OIDC providers is not of the role's account ({listings[0].arns[0]})")
    if not all(listing.whole for listing in listings):
        return unknown(f"the list of OIDC providers cannot be read as a whole, and {host} is not in it")
    alike = _alike(host, [_url(a) for one in listings for a in one.arns if _is_of(a, role, _url(a))])
    if alike:
        return unknown(f"IAM has the OIDC provider {alike}, and the cluster's issuer is {host}")
    return CoverageResult(Coverage.MISSING, f"the account has no OIDC provider for the issuer {host}")


def _url(arn: str) -> str:
    """Return the URL in a provider's ARN, empty where it is none."""
    parts = arn.split(":", 5)
    is_provider = len(parts) == 6 and parts[0] == "arn" and parts[2] == "iam" and parts[5].startswith(_RESOURCE)
    return parts[5].removeprefix(_RESOURCE) if is_provider else ""


def _is_of(arn: str, role: str | None, host: str) -> bool:
    """Return whether an ARN is that of the provider in the account and partition of a role."""
    if not host or _url(arn) != host:
        return False
    own = (role or "").split(":")
    return len(own) < 6 or arn.split(":")[1:5] == own[1:5]


def _alike(host: str, urls: Sequence[str]) -> str | None:
    """Return a URL that differs by no more than case or the slash at its end."""
    return next((u for u in urls if u.rstrip("/").casefold() == host.rstrip("/").casefold()), None)
