"""Whether a member of a GCP policy stands for an identity: yes, no, or None where membership cannot be seen."""

from __future__ import annotations

import re
from collections.abc import Sequence

_EVERYBODY = frozenset({"allusers", "allauthenticatedusers", "principalset://goog/public:all"})
"""`allAuthenticatedUsers` includes every service account."""
_ACCOUNT_PRINCIPAL = re.compile(r"^principal://iam\.googleapis\.com/projects/[^/]+/serviceaccounts/([^/]+)$")
_SINGLE = ("serviceaccount:", "user:", "deleted:", "principal://")
"""Members that stand for one principal each. All others may stand for many, those of a form that nobody knows too:
groups, domains, sets, hierarchies, and `projectEditor:P`, which is whoever has the role Editor of the project."""
_POOL = re.compile(r"^principal(?:set)?://(iam\.[^/]+/projects/[^/]+/locations/[^/]+/workloadidentitypools/[^/]+)/")


def fold(name: str) -> str:
    """Return a name as Google compares it: without case, which only ASCII has; another letter makes another name."""
    return name.casefold() if name.isascii() else name


def stands_for(member: str, email: str, unique_id: str = "") -> bool | None:
    """Return whether a member string includes a service account, or whom a pool lets in (`principal://…`)."""
    folded = fold(member.strip())
    own = email.casefold() if "://" in email else f"serviceaccount:{email.casefold()}"
    if folded in _EVERYBODY or folded == own:
        return True
    named = _ACCOUNT_PRINCIPAL.match(folded)
    if named:
        if named.group(1).isdecimal() and not unique_id:
            return None
        return named.group(1) in (email.casefold(), unique_id)
    if folded.startswith(_SINGLE):
        return False
    pool, mine = _POOL.match(folded), _POOL.match(own)
    if pool and (mine is None or mine.group(1) != pool.group(1)):
        return False
    return True if pool and folded == f"principalset://{pool.group(1)}/*" else None


def among(members: Sequence[str], email: str, unique_id: str = "") -> bool | None:
    """Return whether any member includes the account; None where only a group or set might."""
    answers = [stands_for(m, email, unique_id) for m in members]
    return True if True in answers else (None if None in answers else False)


def is_deleted(member: str, email: str) -> bool:
    """Return whether a member is a deleted account of that email: its bindings grant nothing to a new one."""
    return member.casefold().partition("?")[0] == f"deleted:serviceaccount:{email.casefold()}"


def home_of(email: str) -> str:
    """Return the ID of the project in which an account of any kind lives, empty where its email does not say.

    `NAME@P.iam.gserviceaccount.com` lives in P, `NAME@P.example.com.iam…` in the domain's project `example.com:P`, and
    `P@appspot.gserviceaccount.com` in P; `NUMBER-compute@developer.gserviceaccount.com` names a number only.
    """
    local, _, host = email.casefold().partition("@")
    if host == "appspot.gserviceaccount.com":
        return local
    place = host.removesuffix(".iam.gserviceaccount.com")
    if place == host:
        return ""
    project, _, domain = place.partition(".")
    return f"{domain}:{project}" if domain else project


def host_of(project: str) -> str:
    """Return what stands after the `@` of the accounts of a project; `example.com:P` is spelt `P.example.com`."""
    domain, colon, name = project.rpartition(":")
    return f"{name}.{domain}.iam.gserviceaccount.com" if colon else f"{project}.iam.gserviceaccount.com"
