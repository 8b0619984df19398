#!/bin/sh
# The house's measures: formatting, sizes, endings, and what may lie at the top.
# Usage: test_style.sh SOURCE_ROOT
set -eu
cd "$1"

scratch=$(mktemp)
trap 'rm -f "$scratch"' EXIT

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

# Names, one a line, of those that are still there.
existing() {
  while read -r file; do
    [ ! -f "$file" ] || printf '%s\n' "$file"
  done
}
sources=$(echo "$list" | grep -E '\.[ch]$' | existing)
[ -n "$sources" ] || complain "no C files"
awk '
  FNR == 1 { start = 0 }
  FNR == 501 { print FILENAME ": more than 500 lines"; failed = 1 }
  /^\{/ { start = FNR }
  /^\}/ && start {
    if (FNR - start - 1 > 80) {
      print FILENAME ":" start ": a function of " FNR - start - 1 " lines, of 80 at most"
      failed = 1
    }
    start = 0
  }
  END { exit failed }' $sources || status=1

texts=$(echo "$list" | grep -E '\.(c|h|py|sh|md|build|map)$|^tools/(run|test|install|packages)$' |
  existing)
if grep -nE '[[:space:]]+$' $texts | cut -c -100 | head -n 20 | grep .; then
  complain "space at the ends of these lines"
fi
# awk adds the newline that is missing, so its output is longer by the files that lack one.
[ "$(cat $texts | wc -c)" = "$(awk 1 $texts | wc -c)" ] || complain "a file ends without a newline"

formatter=$(command -v clang-format-14 || true)
if [ -n "$formatter" ]; then
  "$formatter" --dry-run $sources 2>&1 |
    sed -n 's/^\([^:]*\):.*code should be clang-formatted.*/\1/p' | sort -u >"$scratch"
  [ ! -s "$scratch" ] || complain "not as clang-format-14 writes it:" $(cat "$scratch")
else
  echo "clang-format-14 is not here: formatting is not checked"
fi
exit $status
