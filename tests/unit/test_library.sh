#!/bin/sh
# The library as its host sees it: it exports utter_* alone, has a soname, prints nothing, never
# exits, and keeps no mutable global.
# Usage: test_library.sh libutter.a libutter.so
set -eu
static=$1
shared=$2

status=0
complain() {
  echo "$@"
  status=1
}

exported=$(nm -D --defined-only "$shared" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }')
echo "exported: $(echo "$exported" | wc -l)"
echo "$exported" | grep -qx utter_version || complain "utter_version is not exported"
foreign=$(echo "$exported" | grep -v '^utter_' || true)
[ -z "$foreign" ] || complain "exported, but not ours:" $foreign

readelf -d "$shared" | grep -q 'SONAME.*\[libutter\.so\.[0-9][0-9]*\]' || complain "no soname"

used=$(nm -u "$static" | awk '$1 == "U" { print $2 }' | sort -u)
# The _chk names are what fortified builds call.
for name in printf fprintf vprintf vfprintf dprintf puts fputs putchar fputc putc fwrite perror \
  stdout stderr exit _exit quick_exit abort; do
  if echo "$used" | grep -qE "^(__)?$name(_chk)?$"; then
    complain "the library calls $name"
  fi
done

# Constants that hold addresses lie in .data.rel.ro and are no mutable data.
globals=$(nm -f sysv --defined-only "$static" |
  awk -F '|' '$7 ~ /^\.(t?data|t?bss)/ && $7 !~ /^\.data\.rel\.ro/ && $4 !~ /SECTION/ {
    gsub(/ /, "", $1); print $1 }' | sort -u)
[ -z "$globals" ] || complain "mutable globals:" $globals
exit $status
