#!/usr/bin/env bash
# @TITLE@
# Made by upgrade-gate, which runs nothing of this itself. README.md says more.
#   bash commands.sh plan [CLUSTER…]                    prints every step and changes nothing
#   bash commands.sh grant [CLUSTER…]                   does what must be in place before the upgrade
#   bash commands.sh annotate --reports DIR [CLUSTER…]  tells CCO, where a later upgrade-gate fleet -d DIR found nothing else
#   bash commands.sh after [CLUSTER…]                   cleans up, once the upgrade is complete
# All but plan are for the cluster that this login is at. The account is proven once; the cluster's own script proves
# that it is at that cluster before it changes anything.
set -euo pipefail

usage() {
  sed -n '4,7s/^#   //p' "${BASH_SOURCE[0]}" >&2
  exit 2
}

part=${1:-}
case $part in
  plan | grant | annotate | after) shift ;;
  *) usage ;;
esac
REPORTS=''
named=''
while [ $# -gt 0 ]; do
  case $1 in
    --reports) if [ $# -ge 2 ]; then REPORTS=$2 && shift; else usage; fi ;;
    -*) usage ;;
    *) named="$named/$1/" ;;
  esac
  shift
done
if [ "$part" = annotate ] && [ -z "$REPORTS" ]; then usage; fi
case $REPORTS in '' | /*) ;; *) REPORTS=$PWD/$REPORTS ;; esac
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
exec </dev/null
code=0
at=''
done_here=''
left=''

cluster() { # its folder, its ID; one whose ID is not known is done only where it is named
  if [ -n "$named" ] && [[ $named != *"/$1/"* ]]; then return 0; fi
  if [ "$part" = plan ]; then
    printf '\n## %s\n' "$1"
    bash "$1/commands.sh" plan || code=$?
    return 0
  fi
  if [ "$2" != "$at" ] && { [ -n "$2" ] || [ -z "$named" ]; }; then
    left="$left $1"
    return 0
  fi
  done_here=yes
  printf '%s: %s\n' "$1" "$part"
  if [ "$part" = annotate ]; then
    bash "$1/commands.sh" annotate --report "$REPORTS/clusters/$1/report.json" || code=$?
  else
    bash "$1/commands.sh" "$part" || code=$?
  fi
}

clusters() {
@CLUSTERS@
}

if [ "$part" = plan ]; then
  clusters
  exit "$code"
fi

@LIBRARY@

@PROOF@
at=$("$kube" get --request-timeout=30s clusterversion version -o 'jsonpath={.spec.clusterID}') || at=''
at=$(plain "$at")
proceed 'nothing was changed'
clusters
[ -z "$left" ] || printf 'not the cluster that this login is at, so left:%s\n' "$left"
if [ -z "$done_here" ]; then
  printf 'commands.sh: wrong place: this login is at cluster ID %q, which none of these clusters has\n' "${at:0:60}" >&2
  exit 2
fi
exit "$code"
