"""GCP: allow and deny policies of projects and what is above them, accounts with their policies, roles, and pools.

The projects are the cluster's own and those of its DNS zones, its network and its nodes' accounts: there grants must
hold too (`places`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.base.shell import quote
from upgrade_gate.clouds.contract.export import Fill, Steps
from upgrade_gate.clouds.gcp.members import home_of

if TYPE_CHECKING:
    from upgrade_gate.clouds.contract.export import Wanted

REACHES_ABOVE = True

_FUNCTIONS = """\
export CLOUDSDK_CORE_DISABLE_PROMPTS=1
members=' '
roles=' '
levels=' '

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

level() { # project|folder|organization, ID, more members: the allow policy there, once
  local kind=$1 id=$2 more=${3:-}
  case $levels in *" $kind/$id "*) return 0 ;; esac
  levels="$levels$kind/$id "
  case $kind in
    project) set -- gcloud projects get-iam-policy "$id" ;;
    folder) set -- gcloud resource-manager folders get-iam-policy "$id" ;;
    organization) set -- gcloud organizations get-iam-policy "$id" ;;
    *) return 0 ;;
  esac
  if [ "$kind/$id" = "project/$PROJECT" ]; then
    wrap policy "\\"project\\": \\"$id\\", $more\\"policy\\":" "$@" --format=json
  elif [ "$kind" = project ]; then
    may wrap "policy-$id" "\\"project\\": \\"$id\\", $more\\"policy\\":" "$@" --format=json || {
      unread allow "projects/$id"
      return 0
    }
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
  case $levels in *" denies/$1/$2 "*) return 0 ;; esac
  levels="${levels}denies/$1/$2 "
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
    if may save deny gcloud iam policies get "${one##*/}" "--attachment-point=$point" --kind=denypolicies \\
      --format=json; then continue; fi
    file deny-unread
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

node() { # email: the policy of an account that machines run as, which may let others act as it
  case $members in *" serviceAccount:$1 "*) return 0 ;; esac
  set -- "$1" gcloud iam service-accounts get-iam-policy "$1" "--project=$PROJECT"
  local email=$1
  shift
  may wrap "account-$email" "\\"serviceAccount\\": \\"$email\\", \\"policy\\":" "$@" --format=json || return 0
  bound "$@"
}

hierarchy() { # project: the policies there, and those of what is above it
  local above kind id folders='' organization=''
  above=$(gcloud projects get-ancestors "$1" '--format=csv[no-heading,separator="|"](type,id)') || above=
  while IFS='|' read -r kind id <&3; do
    case $kind in
      folder) folders="$folders${folders:+, }\\"folders/$id\\"" ;;
      organization) organization="\\"organization\\": \\"organizations/$id\\", " ;;
    esac
  done 3<<<"$above"
  [ -z "$folders" ] || folders="\\"folders\\": [$folders], "
  level project "$1" "$folders$organization"
  denies project "$1"
  if [ -z "$above" ]; then
    unread allow "what is above projects/$1"
    unread deny "what is above projects/$1"
  fi
  while IFS='|' read -r kind id <&3; do
    case $kind in
      folder | organization)
        level "$kind" "$id"
        denies "$kind" "$id"
        ;;
    esac
  done 3<<<"$above"
}

accounts() { # filter: every account that it picks
  local found one
  found=$(gcloud iam service-accounts list "--project=$PROJECT" "--filter=$1" '--format=value(email)')
  for one in $found; do account "$one"; done
}

save accounts gcloud iam service-accounts list "--project=$PROJECT" --format=json
"""

_ROLES = 'for one in $roles; do describe "$one"; done\n'

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
    project = (wanted.account or next(iter(wanted.scopes), "")).strip().removeprefix("projects/")
    lines.append('hierarchy "$PROJECT"')
    homes = (home_of(email) for email in wanted.node_accounts)
    others = dict.fromkeys(one for one in (*wanted.projects, *homes) if one not in ("", project))
    lines += [f"hierarchy {quote(other)}" for other in others]
    lines += [f"node {quote(email)}" for email in wanted.node_accounts]
    lines.append(_ROLES)
    if wanted.trust:
        lines.append(_POOLS)
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
    "resourcemanager.projects.get": "what is above a project",
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
        "# Where zones, network or the nodes' accounts are in other projects, it is needed there as well.",
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
