#!/bin/sh
# What `meson install` leaves is a usable library: the program of README.md, taken from its text,
# builds with pkg-config against the installed header, shared and static, and hears a recording.
# It hears what the program hears.
# Usage: test_install.sh BUILD_ROOT SOURCE_ROOT PREFIX RECORDING PROGRAM
set -eu
build=$1 source=$2 prefix=$3 recording=$4 utter=$5

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

DESTDIR="$work/root" meson install -C "$build" --no-rebuild >install.log 2>&1 || {
  cat install.log
  exit 1
}
description=$(find root -name utter.pc)
[ -n "$description" ] || { echo "utter.pc is not installed"; exit 1; }
header=$(cd root && find . -name '*.h')
[ "$header" = ".$prefix/include/utter.h" ] || { echo "installed headers: $header"; exit 1; }

# What belongs to the program lies where each shell, man and the desktop look for it.
share=root$prefix/share
for file in man/man1/utter.1 man/man1/utter-bench.1 man/man1/utter-quantize.1 \
  man/man5/utter-config.5 applications/utter.desktop \
  bash-completion/completions/utter zsh/site-functions/_utter \
  fish/vendor_completions.d/utter.fish utter/models/digits/model.safetensors; do
  [ -s "$share/$file" ] || { echo "$share/$file is not installed"; exit 1; }
done
"root$prefix/bin/utter" --version >/dev/null || exit 1
if command -v desktop-file-validate >/dev/null; then
  complaints=$(desktop-file-validate "$share/applications/utter.desktop" 2>&1)
  [ -z "$complaints" ] || { echo "$complaints"; exit 1; }
fi
if command -v mandoc >/dev/null; then
  mandoc -T lint -W warning "$share"/man/man[15]/utter*
fi
complete() { # WORD...: what bash offers for the last of them
  bash -c 'compopt() { :; }; . "$1"; shift; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _utter
    printf "%s\n" "${COMPREPLY[@]}"' bash "$share/bash-completion/completions/utter" "$@"
}
[ "$(complete utter tr)" = transcribe ] || { echo "bash completes no command"; exit 1; }
[ "$(complete utter history --ol)" = --older ] || { echo "bash completes no option"; exit 1; }
[ "$(complete utter transcribe --case l)" = lower ] || { echo "bash completes no value"; exit 1; }
if command -v fish >/dev/null; then
  [ "$(fish -N -c "source $share/fish/vendor_completions.d/utter.fish
    complete -C 'utter transcribe --case l'" | cut -f 1)" = lower ] ||
    { echo "fish completes no value"; exit 1; }
fi
! command -v zsh >/dev/null || zsh -n "$share/zsh/site-functions/_utter"

export PKG_CONFIG_PATH="$work/${description%/*}"
describe() {
  pkg-config --define-variable=prefix="$work/root$prefix" "$@" utter
}

command -v sox >/dev/null || { echo "sox is not here"; exit 77; }
sox "$recording" -t f32 -r 16000 -c 1 audio

awk '/^```c$/ { inside = 1; next } /^```$/ { if (inside) exit } inside' \
  "$source/README.md" >example.c
lines=$(grep -c . example.c)
echo "README.md's program: $lines lines"
[ "$lines" -ge 10 ] && [ "$lines" -le 20 ]

warnings='-std=c11 -Wall -Wextra -Werror'
cc $warnings example.c -o shared $(describe --cflags --libs)
# Ours from the archive, what it needs as shared libraries.
libdir=$(describe --variable=libdir)
cc $warnings example.c -o static -DUTTER_STATIC $(describe --cflags) "$libdir/libutter.a" \
  $(describe --static --libs | sed 's/-lutter//')
if ldd static | grep libutter; then
  echo "the static program needs libutter.so"
  exit 1
fi
LD_LIBRARY_PATH=$libdir ldd shared | grep 'libutter\.so\.[0-9]* => '"$work" >/dev/null

expected=$(echo $("$utter" transcribe --model "$source/models/digits" "$recording"))
[ -n "$expected" ] || { echo "the program heard nothing"; exit 1; }
for program in shared static; do
  heard=$(LD_LIBRARY_PATH=$libdir "./$program" "$source/models/digits" <audio)
  echo "$program: $heard"
  words=$(echo "$heard" | sed 's/.*: //' | tr '\n' ' ')
  [ "$words" = "$expected " ] || { echo "expected: $expected"; exit 1; }
  if LD_LIBRARY_PATH=$libdir "./$program" "$work/nowhere" <audio 2>error; then
    echo "a model that is not there gives no error"
    exit 1
  fi
  grep -q "$work/nowhere" error || { echo "error without the file's name:"; cat error; exit 1; }
done
