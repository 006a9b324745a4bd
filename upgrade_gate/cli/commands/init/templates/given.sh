# options from variables: what is empty or not set is not given, and nothing in a value is expanded or run
words() { # VARIABLE PREFIX: its words, separated as a shell does it, a line each, behind "=" and the prefix
  python3 -I -c '
import os, shlex, sys
name, prefix = sys.argv[1:]
try:
    words = shlex.split(os.environ.get(name, ""))
except ValueError as error:
    sys.exit(f"error: {name}: {error}")
if any("\n" in word for word in words):
    sys.exit(f"error: {name}: a line break within quotes")
for word in words:
    print(f"={prefix}{word}")
' "$1" "$2"
}
given=$(
  words UPGRADE_GATE_VIA --via= &&
    words UPGRADE_GATE_ACKNOWLEDGEMENTS --acknowledgements= &&
    words UPGRADE_GATE_ARGUMENTS ""
) || stop "a variable holds what is no list of words"
while IFS= read -r word; do
  if [ -n "$word" ]; then set -- "$@" "${word#=}"; fi
done <<GIVEN
$given
GIVEN
if [ -z "${UPGRADE_GATE_ACKNOWLEDGEMENTS:-}" ] && [ -f acknowledgements.yaml ]; then
  set -- "$@" --acknowledgements=acknowledgements.yaml
fi
if [ -n "${UPGRADE_GATE_CONFIG:-}" ]; then
  set -- "$@" --config="$UPGRADE_GATE_CONFIG"
elif [ -f upgrade-gate.yaml ]; then
  set -- "$@" --config=upgrade-gate.yaml
fi
if [ -n "${UPGRADE_GATE_IDENTITIES:-}" ]; then
  set -- "$@" --identities="$UPGRADE_GATE_IDENTITIES"
fi
