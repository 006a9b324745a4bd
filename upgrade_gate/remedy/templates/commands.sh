stop=0

proceed() { # or stop with these words, where anything was found that is not as it must be
  if [ "$stop" -ne 0 ]; then
    echo "commands.sh: $1" >&2
    exit 2
  fi
}

tool() {
  command -v "$1" >/dev/null 2>&1 || {
    echo "commands.sh: $1 is not installed" >&2
    stop=1
  }
}

value() { # name, value, pattern, meaning
  if [ -z "$2" ]; then
    echo "commands.sh: $1 is not filled in: $4" >&2
    stop=1
  elif ! [[ $2 =~ ^($3)$ ]]; then
    echo "commands.sh: $1 does not look like this: $4" >&2
    stop=1
  fi
}

file() { # name, path, meaning, text that it must hold…
  local name=$1 path=$2 meaning=$3 text
  shift 3
  if [ -z "$path" ]; then
    echo "commands.sh: $name is not filled in: $meaning" >&2
    stop=1
  elif ! [ -f "$path" ]; then
    echo "commands.sh: $name: there is no file $path" >&2
    stop=1
  elif grep -q '<FILL_ME' -- "$path"; then
    echo "commands.sh: $name: $path still holds <FILL_ME: …>: $meaning" >&2
    stop=1
  else
    for text in "$@"; do
      grep -qF -e "$text" -- "$path" || {
        echo "commands.sh: $name: $path does not name $text" >&2
        stop=1
      }
    done
  fi
}

report() {
  if [ -z "$REPORT" ]; then
    echo "commands.sh: REPORT is not filled in: annotate --report FILE wants the JSON report of a later run of" \
      "upgrade-gate check on this cluster, with nothing else open" >&2
    stop=1
  fi
}

plain() { # an ID, in lower case
  printf '%s' "$1" | tr -d '\r' | tr '[:upper:]' '[:lower:]'
}

here() { # what, the judged one, the command that prints it…
  local what=$1 judged said
  judged=$(plain "$2")
  shift 2
  if ! said=$("$@"); then
    echo "commands.sh: cannot tell which $what this is: $* failed" >&2
    stop=1
    return
  fi
  said=$(plain "$said")
  if [ "$said" != "$judged" ] && [[ $said != *"\"$judged\""* ]]; then
    printf 'commands.sh: wrong place: this is %s %q, and %s %q was judged\n' "$what" "${said:0:200}" "$what" \
      "$judged" >&2
    stop=1
  fi
}

attempt() { # what it says where it was done before, what it says until the cloud knows, seconds, the command…
  local known=$1 passing=$2 left=$3 told=0 said
  shift 3
  while :; do
    if said=$("$@" 2>&1); then
      [ -z "$said" ] || printf '%s\n' "$said"
      return 0
    elif [ -n "$known" ] && [[ $said =~ $known ]]; then
      echo "  in place already"
      return 0
    elif [ -z "$passing" ] || ! [[ $said =~ $passing ]] || [ "$left" -le 0 ]; then
      printf '%s\n' "$said" >&2
      return 1
    fi
    [ "$told" -ne 0 ] || echo "  not known everywhere yet: tried again for up to $left seconds"
    told=1
    sleep 10
    left=$((left - 10))
  done
}

wait_for() { # seconds, the command that must succeed and print something else than nothing, 0 or an empty list…
  local left=$1 told=0 said
  shift
  while :; do
    if said=$("$@" 2>/dev/null) && [ -n "$said" ] && [ "$said" != 0 ] && [ "$said" != '[]' ]; then
      return 0
    elif [ "$left" -le 0 ]; then
      echo "commands.sh: what was made is still not seen by: $*" >&2
      echo "commands.sh: stopped here; run this part again later" >&2
      return 1
    fi
    [ "$told" -ne 0 ] || echo "  waiting up to $left seconds until it is known everywhere"
    told=1
    sleep 10
    left=$((left - 10))
  done
}

shows() { # a text, the command: whether it prints that
  local text=$1 said
  shift
  said=$("$@" 2>/dev/null) && [ "$said" = "$text" ]
}

same() { # a document, the command: whether it prints that, white space aside
  local document=$1 said
  shift
  said=$("$@" 2>/dev/null) && [ "$(printf '%s' "$said" | tr -d '[:space:]')" = "$(tr -d '[:space:]' <"$document")" ]
}

kube=oc
command -v oc >/dev/null 2>&1 || kube=kubectl
tool "$kube"
