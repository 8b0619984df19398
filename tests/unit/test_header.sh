#!/bin/sh
# The public header compiles alone, without a warning, in C11 and C++17, by every compiler here.
# Usage: test_header.sh SOURCE_ROOT
set -eu
cd "$1"

checked=0
check() { # COMPILER LANGUAGE STANDARD
  command -v "$1" >/dev/null || return 0
  echo "$1 -std=$3"
  echo '#include "utter.h"' | "$1" -x "$2" -std="$3" -pedantic -Wall -Wextra -Wundef \
    -Werror -Iinclude -fsyntax-only -
  checked=$((checked + 1))
}

for compiler in gcc clang clang-14; do
  check "$compiler" c c11
done
for compiler in g++ clang++ clang++-14; do
  check "$compiler" c++ c++17
done
[ "$checked" -gt 0 ] || { echo "no compiler found"; exit 77; }
