#!/bin/sh
# A source file includes only what the table of src/README.md, part 2, allows its room, and the
# library knows no sound card, no screen and no sound files.
# Usage: test_layers.sh SOURCE_ROOT
set -eu
cd "$1"

# "room: place..." for each row of the table. A cell names rooms, "itself" or "all above".
rules=$(awk -F '|' '
  $2 ~ /^ `(src\/[a-z0-9]+\/|include\/utter\.h)` *$/ {
    place = $2; gsub(/[` ]|src\//, "", place); sub(/\/$/, "", place)
    allowed = ""
    count = split($4, cells, /, | and | alone| only/)
    for (i = 1; i <= count; i++) {
      cell = cells[i]; gsub(/[` ]/, "", cell)
      if (cell == "allabove") allowed = allowed above
      else if (cell == "include/utter.h") allowed = allowed " utter.h"
      else if (cell ~ /^[a-z0-9]+$/ && cell != "itself") allowed = allowed " " cell
    }
    if (place == "include/utter.h") next
    print place ": utter.h " place allowed
    above = above " " place
  }' src/README.md)

for room in base nn model w2v2 ctc stream app; do
  echo "$rules" | grep -q "^$room: " || { echo "src/README.md: no row for $room"; exit 1; }
done

status=0
complain() {
  echo "$@"
  status=1
}

if grep -n '^ *# *include *"' include/utter.h; then
  complain "include/utter.h includes a header of ours"
fi

files=$(find src -name '*.[ch]' | LC_ALL=C sort)
[ -n "$files" ] || { echo "no sources under src"; exit 1; }
checked=0
for file in $files; do
  room=${file#src/}
  room=${room%%/*}
  allowed=$(echo "$rules" | sed -n "s/^$room://p")
  [ -n "$allowed" ] || complain "$file: its folder is not in the table of src/README.md"
  for header in $(sed -n 's/^ *# *include *"\([^"]*\)".*/\1/p' "$file"); do
    checked=$((checked + 1))
    [ "$header" = utter.h ] || [ -f "src/$header" ] ||
      complain "$file: \"$header\" is not written relative to src"
    case " $allowed " in
      *" ${header%%/*} "*) ;;
      *) complain "$file: \"$header\" is not for $room, which may include:$allowed" ;;
    esac
  done
  if [ "$room" != app ] &&
    grep -nE '^ *# *include *<(portaudio|n?curses|ncursesw|sndfile|pulse|alsa)' "$file"; then
    complain "$file: the library knows no sound card, no screen and no sound files"
  fi
done
echo "$checked includes checked"
[ "$checked" -gt 0 ] || status=1
exit $status
