#!/bin/sh
# The house's measures: formatting, sizes, endings, and what may lie at the top.
# Usage: test_style.sh SOURCE_ROOT
set -eu
cd "$1"

status=0
complain() {
  echo "$@"
  status=1
}

# What is in the repository; without git, what lies here.
if git -c safe.directory='*' rev-parse --is-inside-work-tree >/dev/null 2>&1; then
  list=$(git -c safe.directory='*' ls-files --cached --others --exclude-standard)
else
  list=$(find . -type f -not -path './build*' -not -path './.git/*' | sed 's|^\./||')
fi

for entry in $(echo "$list" | sed 's|/.*||' | sort -u); do
  case $entry in
    meson.build | meson_options.txt | README.md | LICENSE | src | include | models | tests | tools) ;;
    .*) ;;
    *) complain "$entry: does not belong at the top" ;;
  esac
done

sources=$(echo "$list" | grep -E '\.[ch]$' || true)
[ -n "$sources" ] || complain "no C files"
for file in $sources; do
  [ -f "$file" ] || continue # deleted, not committed yet
  lines=$(wc -l <"$file")
  [ "$lines" -le 500 ] || complain "$file: $lines lines, of 500 at most"
  awk -v file="$file" '
    /^\{/ { start = NR }
    /^\}/ && start {
      if (NR - start - 1 > 80) {
        print file ":" start ": a function of " NR - start - 1 " lines, of 80 at most"
        failed = 1
      }
      start = 0
    }
    END { exit failed }' "$file" || status=1
done

texts=$(echo "$list" | grep -E '\.(c|h|py|sh|md|build|map)$|^tools/(run|test|install|packages)$')
for file in $texts; do
  [ -f "$file" ] || continue
  if grep -nE '[[:space:]]+$' "$file" | head -n 5 | grep .; then
    complain "$file: space at a line's end"
  fi
  [ -z "$(tail -c 1 "$file")" ] || complain "$file: no newline at its end"
done

formatter=$(command -v clang-format-14 || true)
if [ -n "$formatter" ]; then
  for file in $sources; do
    [ -f "$file" ] || continue
    "$formatter" "$file" | cmp -s - "$file" || complain "$file: not as clang-format-14 writes it"
  done
else
  echo "clang-format-14 is not here: formatting is not checked"
fi
exit $status
