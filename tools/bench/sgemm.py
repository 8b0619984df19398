#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""utter's products against OpenBLAS's sgemm on the encoder's shapes, one thread: GFLOP/s of each.

utter's include bias, GELU and residual; OpenBLAS's are the plain product, weights as PyTorch keeps them. The
OpenBLAS is that of numpy's wheel, and packs the weights in every call.

    sgemm.py --bench ../../build/tools/bench/utter-bench --model DIR
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

KERNELS = {"avx2": ("Haswell", "Zen"), "avx512": ("SkylakeX",)}  # utter's, and OpenBLAS's OPENBLAS_CORETYPE
REPEAT, SECONDS = 9, 0.03


def measure_openblas(shapes):
    """In a process of its own: OpenBLAS chooses its kernels when it is loaded. Prints a list of GFLOP/s."""
    import numpy

    rates = []
    for rows, outputs, inputs in shapes:
        x = numpy.random.rand(rows, inputs).astype(numpy.float32)
        weights = numpy.random.rand(outputs, inputs).astype(numpy.float32)
        y = numpy.empty((rows, outputs), numpy.float32)
        work = 2e-9 * rows * outputs * inputs
        count, times = max(1, int(SECONDS * 100 / work)), []
        for _ in range(REPEAT):
            begin = time.process_time()
            for _ in range(count):
                numpy.matmul(x, weights.T, out=y)
            times.append((time.process_time() - begin) / count)
        rates.append(work / sorted(times)[REPEAT // 2])
    print(json.dumps(rates))


def openblas(core, shapes):
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OPENBLAS")}
    environment.update(OPENBLAS_CORETYPE=core, OPENBLAS_NUM_THREADS="1")
    result = subprocess.run([sys.executable, __file__, "--shapes", json.dumps(shapes)], env=environment, check=True,
                            capture_output=True)
    return json.loads(result.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default="utter-bench")
    parser.add_argument("--model", help="a model in Hugging Face layout")
    parser.add_argument("--windows", default="1,4", help="seconds")
    parser.add_argument("--shapes", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.shapes:
        return measure_openblas(json.loads(options.shapes))
    config = json.loads((pathlib.Path(options.model) / "config.json").read_text())
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    steps = {"qkv": (3 * hidden, hidden), "out": (hidden, hidden), "up": (inner, hidden), "down": (hidden, inner)}
    print("GFLOP/s            " + "".join(f"{step:>8}" for step in steps))
    for window in options.windows.split(","):
        for kernels, cores in KERNELS.items():
            command = [options.bench, "--model", options.model, "--window", window, "--threads", "1", "--kernels",
                       kernels, "--dtype", "fp32", "--json"]
            report = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
            rates = [report["steps"][step]["gflop"] / report["steps"][step]["seconds"] for step in steps]
            print(f"{report['frames']:4d} frames, registers alone: {report['peak_gflops']:.1f}")
            print(f"  utter {kernels:8s}   " + "".join(f"{rate:8.1f}" for rate in rates))
            shapes = [(report["frames"], *shape) for shape in steps.values()]
            for core in cores:
                print(f"  OpenBLAS {core:8s}" + "".join(f"{rate:8.1f}" for rate in openblas(core, shapes)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
