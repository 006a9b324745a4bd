refuse() {
  echo "commands.sh: not annotated: $*" >&2
  stop=1
}

ready() { # target's version, its digest or nothing, cluster ID, when this bundle was made
  # Reads the report line by line, as upgrade-gate and jq lay it out: a string of JSON never breaks a line, so what
  # stands at an indentation is of that level. Another layout is refused.
  local target=$1 image=$2 meant=$3 made=$4
  local line name text last='' ends=0 section='' side=''
  local schema='' generated='' cluster='' version='' digest='' status='' next=''
  if ! [ -r "$REPORT" ] || ! [ -f "$REPORT" ]; then
    refuse "there is no report $REPORT"
    return
  fi
  while IFS= read -r line || [ -n "$line" ]; do
    line=${line%$'\r'}
    last=$line
    [ "$line" != '}' ] || ends=$((ends + 1))
    name=${line#*\"}
    name=${name%%\"*}
    text=${line#*\": \"}
    text=${text%,}
    text=${text%\"}
    case $line in
      '        "version": "'* | '        "digest": "'*)
        [ "$section $side" != 'hops to' ] || case $name in version) version=$text ;; digest) digest=$text ;; esac
        ;;
      '      "from": {') side=from ;;
      '      "to": {') side=to digest='' version='' ;;
      '    "id": "'*) [ "$section" != cluster ] || cluster=$text ;;
      '    "status": "'*) [ "$section" != verdict ] || status=$text ;;
      '    "next": "'*) [ "$section" != verdict ] || next=$text ;;
      '   '*) ;;
      '  "schema": "'*) schema=$text section='' ;;
      '  "generated": "'*) generated=$text section='' ;;
      '  "'*) section=$name side='' ;;
    esac
  done <"$REPORT"
  if [ "$schema" != upgrade-gate/v1 ] || [ "$last" != '}' ] || [ "$ends" -ne 1 ]; then
    refuse "$REPORT is no whole report as upgrade-gate check -o json=FILE writes it"
    return
  fi
  [ "$(plain "$cluster")" = "$(plain "$meant")" ] || refuse "the report is about cluster ${cluster:-none}, not $meant"
  [ "$version" = "$target" ] || refuse "the report is about release ${version:-none}, not $target"
  [ -z "$image" ] || [ "$digest" = "$image" ] || refuse "the report is about image ${digest:-none}, not $image"
  [ -z "$made" ] || ! [[ $generated < $made ]] || refuse "the report is of $generated, older than this bundle of $made"
  case "$status $next" in
    'blocked annotate' | 'pass upgrade') ;;
    *) refuse "something else is still open: the report says ${status:-nothing}, and to ${next:-nothing} next" ;;
  esac
}
