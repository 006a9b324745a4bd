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

final() { # the word of a person: what is taken away now is what a rollback would need
  if [ "$NO_ROLLBACK" != yes ]; then
    echo "commands.sh: after takes away what a rollback would need: say after --no-rollback once the cluster will not" \
      "go back" >&2
    stop=1
  fi
}

upgraded() { # the target, the command that prints the newest update and its state: before it is complete, all is needed
  local target=$1 said
  shift
  said=$("$@") || said=
  if [ "$said" != "$target Completed" ]; then
    printf 'commands.sh: too early, or another update came after it: %s must be Completed, and the newest is %q\n' \
      "$target" "${said:0:200}" >&2
    stop=1
  fi
}

reached() { # the releases of the path parted by ;, the command as above: which of the updates is complete
  local left="$1;" target said
  shift
  said=$("$@") || said=
  stage=0
  while [ -n "$left" ]; do
    target=${left%%;*}
    left=${left#*;}
    [ "$said" != "$target Completed" ] || return 0
    stage=$((stage + 1))
  done
  printf 'commands.sh: too early, or another update came after it: no update of the path is Completed, and the newest is %q\n' \
    "${said:0:200}" >&2
  stop=1
}

logged_in_to() { # the judged one, the command that prints which one this is…
  local judged said
  judged=$(plain "$1")
  shift
  said=$("$@") || return 1
  said=$(plain "$said")
  [ "$said" = "$judged" ] || [[ $said == *"\"$judged\""* ]]
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

holds_all() { # names parted by ; and the command: whether each of them is one of the names that it prints
  local wanted=$1 said name
  shift
  said=$("$@" 2>/dev/null) || return 1
  said=";$(printf '%s' "$said" | tr -s '\r\n\t ' ';');"
  while [ -n "$wanted" ]; do
    name=${wanted%%;*}
    [[ $said == *";$name;"* ]] || return 1
    wanted=${wanted#"$name"}
    wanted=${wanted#;}
  done
}

has_value() { # a text, the command: whether it is one of the values that it prints as JSON
  local text=$1 said
  shift
  said=$("$@" 2>/dev/null) && [[ $said == *"\"$text\""* ]]
}

inner_text() { # a name, the command: the text of that value in the JSON that it prints, as it is without JSON around it
  local name=$1 said
  shift
  said=$("$@") || return 1
  case $said in *"\"$name\""*) ;; *) return 0 ;; esac
  said=${said#*"\"$name\""}
  said=${said#*\"}
  said=${said//\\\"/$'\001'}
  said=${said%%\"*}
  printf '%s' "$said" | tr '\001' '"'
}

loses_nothing() { # what is written and what may go as files or texts, --, the command: whether all that it prints stands in one of them
  local files=() known='' said text absent='NoSuchEntity|Not ?Found|not found|NOT_FOUND|not ?exist|NotExist'
  while [ "$1" != -- ]; do
    if [ -f "$1" ]; then files+=("$1"); else known="$known $1"; fi
    shift
  done
  shift
  if ! said=$("$@" 2>/dev/null); then
    said=$("$@" 2>&1) || true
    if [[ $said =~ $absent ]]; then
      return 0
    fi
    printf '%s\n' "$said" >&2
    echo "commands.sh: what stands there now cannot be read, so nothing is written over it: $*" >&2
    exit 2
  fi
  case $said in
    '' | null | None | '{'*'}' | '['*']') ;;
    *)
      echo "commands.sh: what stands there now is not understood, so nothing is written over it: $*" >&2
      exit 2
      ;;
  esac
  while IFS= read -r text; do
    case $text in
      *:) text=${text%:} && case $text in *:*) ;; *) continue ;; esac ;;
    esac
    if [ -n "$text" ] && [[ $known != *"$text"* ]] && ! grep -qiF -e "$text" -- "${files[@]-/dev/null}"; then
      echo "commands.sh: $text stands there, which nobody knew of when this bundle was made, and writing over it would" \
        "take it away: make the bundle again from what stands there now" >&2
      exit 2
    fi
  done <<<"$(printf '%s' "$said" | grep -oE '"([^"\\]|\\.)*"[[:space:]]*:?' | sed -E 's/"[[:space:]]*:$/":/')"
}

grants_roles() { # an access policy, the command: whether what it lists gives the same roles for the same attributes
  local file=$1 said
  shift
  said=$("$@" 2>/dev/null) && printf '%s' "$said" | LC_ALL=C awk '
    function policy(  name) { # one is read: its roles count where its attributes are those that are wanted
      if (!wanted) { for (name in roles) need[name]; want = spelt(); wanted = 1 }
      else if (type == "access" && (state == "" || state == "active") && !odd && spelt() == want)
        for (name in roles) delete need[name]
    }
    function spelt(  all, n, i, j, t) {
      n = split(attributes, all, "\n")
      for (i = 2; i <= n; i++) for (j = i; j > 1 && all[j] < all[j - 1]; j--) { t = all[j]; all[j] = all[j - 1]; all[j - 1] = t }
      t = ""
      for (i = 1; i <= n; i++) if (all[i] != all[i - 1]) t = t "\n" all[i]
      return t
    }
    function value(v) {
      if (key[depth] == "role_id") roles[v]
      else if (about && (key[depth] == "name" || key[depth] == "key")) name = v
      else if (about && key[depth] == "value") held = v
      else if (about && key[depth] == "operator") odd = odd || v != "stringEquals"
      else if (depth == top && key[depth] == "type") type = v
      else if (depth == top && key[depth] == "state") state = v
    }
    { text = text $0 "\n" }
    END {
      while (match(text, /"([^"\\]|\\.)*"|[][{},:]|[^][{},:" \t\r\n]+/)) {
        token = substr(text, RSTART, RLENGTH)
        text = substr(text, RSTART + RLENGTH)
        if (token == "{" || token == "[") {
          kind[++depth] = token; key[depth] = ""
          if (token == "{" && !top) { top = depth; split("", roles); attributes = type = state = ""; odd = 0 }
          if (token == "{") name = held = ""
        } else if (token == "}" || token == "]") {
          if (depth < 1) exit 1
          if (token == "}" && about && name != "") attributes = attributes "\n" name "=" held
          if (token == "}" && depth == top) { policy(); top = 0 }
          if (token == "}") name = ""
          if (--depth == top) about = 0
        } else if (token == ":") {
          key[depth] = last
          if (depth == top) { about = last ~ /^resources?$/; if (last == "rule" || last == "pattern") odd = 1 }
          if (depth == top && last == "policies") top = 0
        } else if (token == ",") { if (kind[depth] == "{") key[depth] = "" }
        else { last = token; gsub(/^"|"$/, "", last); if (kind[depth] == "[" || key[depth] != "") value(last) }
      }
      if (depth) exit 1
      for (name in need) exit 1
      exit !wanted
    }' "$file" -
}

kube=oc
command -v oc >/dev/null 2>&1 || kube=kubectl
tool "$kube"
