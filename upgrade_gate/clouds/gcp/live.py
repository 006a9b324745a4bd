"""GCP live: the same documents that gcloud exports, read by GET and by the POST `:getIamPolicy`, which only reads."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from msgspec.structs import replace

from upgrade_gate.base.errors import EntitlementError, UsageError
from upgrade_gate.clouds.contract.holdings import Document
from upgrade_gate.clouds.gcp.members import home_of
from upgrade_gate.clouds.gcp.shapes import DENY_LISTING, UNREAD
from upgrade_gate.clouds.shared.live import SILENCE, maybe
from upgrade_gate.clouds.shared.rest import Rest, authority, read_settings
from upgrade_gate.reading.http.session import library_session
from upgrade_gate.reading.node import mapping, strings, text

_RESOURCES = "https://cloudresourcemanager.googleapis.com"
_IAM = "https://iam.googleapis.com"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
"""The narrowest that the IAM API takes; it refuses `cloud-platform.read-only`. The calls are what only reads."""
_WITH_CONDITIONS = 3
"""The policy version that shows conditions; at a lower one they are hidden."""
_MAX_ANCESTORS = 12


def collect(settings: Mapping[str, Any]) -> tuple[Document, ...]:
    """Read allow policies of project, ancestors and accounts, roles, accounts, deny policies, pools and providers.

    Settings: `account` (project ID, required), `identities` (emails; empty: every account of the project), `projects`
    and `node_accounts` (other projects where grants must hold, and whom machines run as), `endpoint` (stands for both
    APIs), `token`, `certificate_authority`, `timeout`. The project's policy must be readable; what else the caller may
    not read is left out, and the verdicts say so. Raises UsageError naming the extra where google-auth is not
    installed, EntitlementError where the project cannot be read.
    """
    project, seconds = read_settings(settings, "GCP", "project")
    endpoint = text(settings.get("endpoint")).rstrip("/")
    token, headers = _credential(settings, seconds)
    rest = Rest(token, settings=settings, seconds=seconds, headers=headers)
    reader = _Reader(rest, endpoint or _RESOURCES, endpoint or _IAM, project)
    try:
        wanted, others, nodes = (strings(settings.get(k)) for k in ("identities", "projects", "node_accounts"))
        homes = (home for email in nodes if (home := home_of(email)))
        return tuple(reader.documents(wanted, [p for p in dict.fromkeys((*others, *homes)) if p != project], nodes))
    finally:
        rest.close()


def _credential(settings: Mapping[str, Any], seconds: float) -> tuple[Callable[[], str], dict[str, str]]:
    """Return what gives a token, and the headers that go with it: the project that a user's calls are counted for."""
    given = settings.get("token")
    if given:
        return (lambda: str(given)), {}
    try:
        import google.auth
        from google.auth.exceptions import GoogleAuthError
        from google.auth.transport.requests import Request
    except ImportError as exc:
        raise UsageError(
            "--identities live on GCP needs the extra `gcp`", hint="pip install 'upgrade-gate[gcp]'"
        ) from exc

    # the library warns that it does not know a project, which is ours to know
    logging.getLogger("google.auth").addHandler(logging.NullHandler())
    session = library_session(authority(settings))
    request = partial(Request(session), timeout=min(seconds, SILENCE))
    library: Any = google.auth  # which types only a part of its functions
    try:
        # without a scope, for with one it asks Resource Manager for the project of a workload identity
        found, _ = library.default(request=request)
    except (GoogleAuthError, OSError, ValueError) as exc:
        hint = "gcloud auth application-default login, or use an export"
        raise EntitlementError("no Google credential was found", hint=hint) from exc

    credentials = library.credentials.with_scopes_if_required(found, [_SCOPE])

    def fetch() -> str:
        try:
            if not credentials.valid:
                credentials.refresh(request)
        except (GoogleAuthError, OSError, ValueError) as exc:
            reason = type(exc).__name__
            raise EntitlementError(f"the Google credential gives no token ({reason})", hint="use an export") from exc
        return str(credentials.token)

    payer = getattr(credentials, "quota_project_id", None)
    return fetch, {"x-goog-user-project": str(payer)} if payer else {}


class _Reader:
    """Reads one project, and what must be known of others."""

    def __init__(self, rest: Rest, resources: str, iam: str, project: str) -> None:
        self._rest = rest
        self._resources = resources
        self._iam = iam
        self._project = project
        self._attached: list[str] = []
        """What deny policies can hang on: projects and the ancestors that were seen."""
        self._hidden: list[tuple[str, str]] = []
        """Kind of policy (allow, deny) and resource, where the caller may not read it."""

    def documents(self, wanted: Sequence[str], others: Sequence[str], nodes: Sequence[str]) -> Iterator[Document]:
        """Yield every document; only a policy of the own project that may not be read stops it."""
        policies = self._hierarchy(self._project, self._project_policy(self._project))
        for other in others:
            policy = maybe(self._project_policy, other)
            policies += self._hierarchy(other, policy) if policy is not None else ()
        accounts = maybe(self._listing, f"/v1/projects/{self._project}/serviceAccounts", "accounts")
        if accounts is not None:
            yield accounts
            wanted = wanted or [text(mapping(a).get("email")) for a in accounts.body["accounts"]]
        emails = sorted({w.removeprefix("serviceAccount:") for w in wanted if "@" in w})
        policies += self._all(self._account_policy, sorted({*emails, *nodes}))
        yield from policies
        yield from self._all(self._described, sorted(_bound(policies, emails)))
        yield from self._deny_policies()
        yield from self._pools()
        for kind, resource in self._hidden:
            yield Document({"unread": kind, "resource": resource}, f"{kind} policies of {resource}")

    def _all(self, read: Callable[[str], Document], names: Iterable[str]) -> list[Document]:
        return [one for name in names if (one := maybe(read, name)) is not None]

    def _listing(self, path: str, key: str) -> Document:
        permission = f"the permission to list {key} (roles/iam.securityReviewer has it)"
        return Document(self._rest.pages(f"{self._iam}{path}", key, permission), path)

    def _described(self, name: str) -> Document:
        return Document(self._rest.get(f"{self._iam}/v1/{quote(name, safe='/')}", "iam.roles.get"), name)

    def _policy(self, resource: str, version: str, permission: str) -> Any:
        body = {"options": {"requestedPolicyVersion": _WITH_CONDITIONS}}
        return self._rest.post(f"{self._resources}/{version}/{resource}:getIamPolicy", body, permission)

    def _project_policy(self, project: str) -> Document:
        policy = self._policy(f"projects/{project}", "v1", "resourcemanager.projects.getIamPolicy")
        return Document({"project": project, "policy": policy}, f"policy of project {project}")

    def _hierarchy(self, project: str, policy: Document) -> list[Document]:
        """Return the policy of a project, with what is said to be above it, and those of what was not seen yet."""
        above = self._above(f"projects/{project}")
        said = {"folders": [one for one in above if one.startswith("folders/")]}
        top = {"organization": above[-1]} if above and above[-1].startswith("organizations/") else {}
        found = [replace(policy, body={**policy.body, **said, **top})]
        for parent in above:
            if parent not in self._attached:
                higher = maybe(self._ancestor_policy, parent)
                found += [higher] if higher is not None else []
                self._hidden += [("allow", parent)] if higher is None else []
        self._attached += dict.fromkeys(one for one in (f"projects/{project}", *above) if one not in self._attached)
        return found

    def _above(self, at: str) -> list[str]:
        """Return the folders and the organisation above a project, from below, as far as they may be seen."""
        found: list[str] = []
        while len(found) < _MAX_ANCESTORS and not at.startswith("organizations/"):
            place = maybe(self._place, at)
            if place is None:
                self._hidden += [(kind, f"what is above {at}") for kind in UNREAD]
            at = text(mapping(place.body).get("parent")) if place is not None else ""
            if not at:
                break
            found.append(at)
        return found

    def _place(self, resource: str) -> Document:
        kind = resource.partition("/")[0]
        return Document(self._rest.get(f"{self._resources}/v3/{resource}", f"resourcemanager.{kind}.get"), resource)

    def _ancestor_policy(self, parent: str) -> Document:
        kind, _, number = parent.partition("/")
        policy = self._policy(parent, "v3", f"resourcemanager.{kind}.getIamPolicy")
        return Document({"id": number, "type": kind.removesuffix("s"), "policy": policy}, f"policy of {parent}")

    def _account_policy(self, email: str) -> Document:
        """Read an account's policy; this API takes the version as a query."""
        account = f"projects/-/serviceAccounts/{quote(email, safe='@')}"
        url = f"{self._iam}/v1/{account}:getIamPolicy?options.requestedPolicyVersion={_WITH_CONDITIONS}"
        policy = self._rest.post(url, {}, "iam.serviceAccounts.getIamPolicy")
        return Document({"serviceAccount": email, "policy": policy}, f"policy of {email}")

    def _deny_policies(self) -> Iterator[Document]:
        """Yield deny policies with their rules, which a listing leaves out."""
        for resource in self._attached:
            point = quote(f"cloudresourcemanager.googleapis.com/{resource}", safe="")
            listed = maybe(self._listing, f"/v2/policies/{point}/denypolicies", "policies")
            if listed is None:
                self._hidden.append(("deny", resource))
                continue
            yield Document({"listing": DENY_LISTING, "policies": []}, f"deny policies of {resource}")
            for item in listed.body["policies"]:
                name = text(mapping(item).get("name"))
                yield maybe(self._deny_policy, name) or Document(item, name)

    def _deny_policy(self, name: str) -> Document:
        return Document(self._rest.get(f"{self._iam}/v2/{quote(name, safe='/%')}", "iam.denypolicies.get"), name)

    def _pools(self) -> Iterator[Document]:
        path = f"/v1/projects/{self._project}/locations/global/workloadIdentityPools"
        pools = maybe(self._listing, path, "workloadIdentityPools")
        if pools is None:
            return
        yield pools
        for item in pools.body["workloadIdentityPools"]:
            below = f"/v1/{quote(text(mapping(item).get('name')), safe='/')}/providers"
            providers = maybe(self._listing, below, "workloadIdentityPoolProviders")
            if providers is not None:
                yield providers


def _bound(policies: Iterable[Document], emails: Sequence[str]) -> set[str]:
    """Return the roles bound to a wanted account, or to a group or set that might hold it."""
    wanted = {f"serviceAccount:{email}".casefold() for email in emails}
    roles: set[str] = set()
    for policy in policies:
        for binding in mapping(policy.body["policy"]).get("bindings") or ():
            members = [m.casefold() for m in strings(mapping(binding).get("members"))]
            if any(m in wanted or not m.startswith(("serviceaccount:", "user:", "deleted:")) for m in members):
                roles.add(text(mapping(binding).get("role")).partition("_withcond_")[0])
    return roles - {""}
