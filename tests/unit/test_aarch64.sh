#!/bin/sh
# The kernels for 64-bit ARM, built by a cross compiler, pass the tests of kernels in an emulator.
# Usage: test_aarch64.sh SOURCE_ROOT
set -eu
cd "$1"

compiler=$(command -v aarch64-linux-gnu-gcc || true)
emulator=$(command -v qemu-aarch64 || true)
[ -n "$compiler" ] && [ -n "$emulator" ] || {
  echo "aarch64-linux-gnu-gcc or qemu-aarch64 is not here"
  exit 77
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

build() {
  "$compiler" -std=c11 -D_GNU_SOURCE -O3 -Wall -Wextra -Wno-missing-field-initializers -Werror \
    -Iinclude -Isrc -Itests/unit/aarch64 "$@"
}

# As src/nn/meson.build has it.
flags_of() {
  [ "$1" = portable ] || echo -march=armv8.2-a+dotprod
}

for set in portable neon_dot; do
  for kernel in src/nn/kernel_*.c; do
    build $(flags_of $set) -ffp-contract=fast -DKERNEL_SET=$set \
      -c "$kernel" -o "$scratch/$set-$(basename "$kernel" .c).o"
  done
done
for test in attention gemm int8; do
  build -o "$scratch/test" tests/unit/test_nn_$test.c tests/unit/kernel_test.c \
    tests/unit/aarch64/error.c src/base/memory.c src/base/pool.c src/nn/attention.c \
    src/nn/attention_int16.c src/nn/gemm.c src/nn/int8.c src/nn/kernels.c \
    src/nn/transpose.c \
    "$scratch"/*.o -static -lm -lpthread
  "$emulator" -cpu max "$scratch/test" | tee "$scratch/output"
  [ $test != int8 ] || grep -q neon_dot "$scratch/output"
done
