"""GCP: allow and deny policies of the project and what is above it, accounts with their policies, roles, and pools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.base.shell import quote
from upgrade_gate.clouds.contract.export import Fill, Steps

if TYPE_CHECKING:
    from upgrade_gate.clouds.contract.export import Wanted

REACHES_ABOVE = True

_FUNCTIONS = """\
export CLOUDSDK_CORE_DISABLE_PROMPTS=1
members=' '
roles=' '

unread() { # allow|deny, resource: say that it may hold something
  file "unread-$1"
  printf '{"unread": "%s", "resource": "%s"}\\n' "$1" "$2" >"$path"
}

bound() { # command that prints an allow policy: note the roles of accounts that count, and of groups
  local listed role member
  listed=$("$@" '--flatten=bindings[].members' '--format=csv[no-heading,separator="|"](bindings.role,bindings.members)')
  while IFS='|' read -r role member <&3; do
    case $member in
      serviceAccount:*) case $members in *" $member "*) ;; *) continue ;; esac ;;
      '' | user:* | deleted:*) continue ;;
    esac
    role=${role%%_withcond_*}
    case $roles in *" $role "*) ;; *) roles="$roles$role " ;; esac
  done 3<<<"$listed"
}

level() { # project|folder|organization, ID: the allow policy there
  case $1 in
    project) set -- "$@" gcloud projects get-iam-policy "$2" ;;
    folder) set -- "$@" gcloud resource-manager folders get-iam-policy "$2" ;;
    organization) set -- "$@" gcloud organizations get-iam-policy "$2" ;;
    *) return 0 ;;
  esac
  local kind=$1 id=$2
  shift 2
  if [ "$kind" = project ]; then
    wrap policy "\\"project\\": \\"$id\\", \\"policy\\":" "$@" --format=json
  else
    may wrap "policy-$kind" "\\"id\\": \\"$id\\", \\"type\\": \\"$kind\\", \\"policy\\":" "$@" --format=json || {
      unread allow "${kind}s/$id"
      return 0
    }
  fi
  bound "$@"
}

denies() { # project|folder|organization, ID: the deny policies there; a listing leaves their rules out
  local point="cloudresourcemanager.googleapis.com%2F${1}s%2F$2" listed more one
  listed=$(gcloud iam policies list "--attachment-point=$point" --kind=denypolicies --page-size=1000 \\
    '--format=csv[no-heading,separator="|"](policies[].name,nextPageToken)') || {
    unread deny "${1}s/$2"
    return 0
  }
  more=${listed#*|}
  [ "$more" != "$listed" ] || more=
  file denies
  printf '{"listing": "denyPolicies", "policies": [], "nextPageToken": "%s"}\\n' "$more" >"$path"
  listed=${listed%%|*}
  for one in ${listed//;/ }; do
    may save deny gcloud iam policies get "${one##*/}" "--attachment-point=$point" --kind=denypolicies --format=json ||
      printf '{"name": "%s"}\\n' "$one" >"$path" # it is there, and nobody knows what it denies
  done
}

describe() { # role: its permissions
  local place=${1#*/}
  place=${place%%/*}
  case $1 in
    projects/*) set -- "${1##*/}" "--project=$place" ;;
    organizations/*) set -- "${1##*/}" "--organization=$place" ;;
  esac
  may save role gcloud iam roles describe "$@" --format=json || true
}

account() { # email: its own policy
  members="${members}serviceAccount:$1 "
  may wrap "account-$1" "\\"serviceAccount\\": \\"$1\\", \\"policy\\":" \\
    gcloud iam service-accounts get-iam-policy "$1" "--project=$PROJECT" --format=json || true
}

accounts() { # filter: every account that it picks
  local found one
  found=$(gcloud iam service-accounts list "--project=$PROJECT" "--filter=$1" '--format=value(email)')
  for one in $found; do account "$one"; done
}

save accounts gcloud iam service-accounts list "--project=$PROJECT" --format=json
"""

_LEVELS = """\
above=$(gcloud projects get-ancestors "$PROJECT" '--format=csv[no-heading,separator="|"](type,id)') || above=
level project "$PROJECT"
denies project "$PROJECT"
if [ -z "$above" ]; then
  unread allow "what is above projects/$PROJECT"
  unread deny "what is above projects/$PROJECT"
fi
while IFS='|' read -r kind id <&3; do
  case $kind in
    folder | organization)
      level "$kind" "$id"
      denies "$kind" "$id"
      ;;
  esac
done 3<<<"$above"
for one in $roles; do describe "$one"; done
"""

_POOLS = """\
if may save pools gcloud iam workload-identity-pools list --location=global "--project=$PROJECT" --format=json; then
  pools=$(gcloud iam workload-identity-pools list --location=global "--project=$PROJECT" '--format=value(name)')
  for one in $pools; do
    may save providers gcloud iam workload-identity-pools providers list "--workload-identity-pool=${one##*/}" \\
      --location=global "--project=$PROJECT" --format=json || true
  done
fi
"""


def steps(wanted: Wanted) -> Steps:
    """Return the commands: the project's policies as a whole, accounts by name where every one is known."""
    lines = [_FUNCTIONS]
    if wanted.complete:
        lines += [f"account {quote(email)}" for email in wanted.identities]
        lines += [f"accounts {quote(f'displayName={name}')}" for name in wanted.names]
    else:
        lines.append("accounts ''")
    lines.append(_LEVELS)
    if wanted.trust:
        lines.append(_POOLS)
    project = (wanted.account or next(iter(wanted.scopes), "")).strip().removeprefix("projects/")
    fill = Fill("PROJECT", "ID of the project that the cluster is in (gcloud projects list)", project)
    return Steps("gcloud", (fill,), tuple(lines))


_PROJECT = {
    "iam.denypolicies.get": "the rules of deny policies",
    "iam.denypolicies.list": "which deny policies there are",
    "iam.roles.get": "what custom roles contain",
    "iam.serviceAccounts.getIamPolicy": "who may act as an account",
    "iam.serviceAccounts.list": "the accounts, and whether they are disabled",
    "iam.workloadIdentityPoolProviders.list": "the issuer of each pool",
    "iam.workloadIdentityPools.list": "the pools",
    "resourcemanager.projects.get": "what is above the project",
    "resourcemanager.projects.getIamPolicy": "who holds which role",
}
_ABOVE = {
    "resourcemanager.folders.get": "what is above a folder",
    "resourcemanager.folders.getIamPolicy": "who holds which role there",
    "resourcemanager.organizations.getIamPolicy": "who holds which role there",
}


def access(account: str | None, organization: str | None) -> str:
    """Return a custom role as `gcloud iam roles create --file` takes it; a project's cannot reach above it."""
    project = (account or "PROJECT").strip().removeprefix("projects/")
    place = f"--organization={organization}" if organization else f"--project={project}"
    lines = [
        "# Reads who may do what in the project of a cluster; writes nothing.",
        f"#   gcloud iam roles create upgradeGateReader {quote(place)} --file=FILE",
    ]
    if not organization:
        lines.append(
            "# A project's role cannot read the policies of folders and organisation: --organization ID prints one"
        )
        lines.append("# that can. Without it, what may be granted or denied above the project stays unknown.")
    permissions = {**_PROJECT, **(_ABOVE if organization else {})}
    lines += ["title: upgrade-gate reader", "description: Reads IAM for upgrade-gate", "stage: GA"]
    lines.append("includedPermissions:")
    lines += [f"- {name}  # {why}" for name, why in sorted(permissions.items())]
    return "\n".join(lines) + "\n"
