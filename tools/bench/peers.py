#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""utter against what else runs wav2vec2 on a CPU: the same weights, windows and threads, pass by pass in turns.

Makes a random model with utter-bench, brings it into each peer's form, and lets every peer decode every
window, one after the other, round after round. Every peer computes the logits of all frames. Prints medians
and, for each peer, the median over rounds of utter's time over the peer's, and of its CPU time: that holds on a
busy machine too, for one thread (threads that wait spin in some peers). Exit status 1 when an output in
fp32 differs from utter's by more than TOLERANCE; outputs in int8 are only described.

    pip install -r requirements.txt
    peers.py --bench ../../build/tools/bench/utter-bench --folder /tmp/peers --prepare   # slow, once
    peers.py --bench ../../build/tools/bench/utter-bench --folder /tmp/peers             # measures

With --stream: the CPU seconds that utter's live captions take for each second of speech, over those of ONNX Runtime
in fp32 when it decodes a window of 4 s every 0.5 s, with as many threads.

Peers: ort and ort-attention (fp32, all optimisations, fixed shapes; the second with ONNX Runtime's fused
attention operator), ort-int8-dynamic (matrix products), ort-int8-static (convolutions too), torch (scaled
dot-product attention, weight norm folded), torch-compile (with frozen weights), openvino (fp32, latency
hint), ctranslate2 (fp32; it knows only models with layer norm in the extractor).
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy

import peer_models

TOLERANCE = 1e-3  # of the greatest log-probability of all: engines round differently
DEFAULT_PEERS = {"base": "ort,ort-attention,torch,openvino", "large": "ort,ort-attention,torch,openvino,ctranslate2"}
STREAM_WINDOW, STREAM_HOP = 4, 0.5  # seconds: what live captions without utter's streaming would decode, and how often
STREAM_WINDOWS = 6  # a round: one alone is so short that a busy moment of the machine counts as much as all of a stream
PAUSE = 0.05  # seconds from one pass to the next: threads that spin after their work are asleep then


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default="utter-bench", help="the utter-bench to run")
    parser.add_argument("--bench-options", default="", help="more options for it, such as '--dtype int8'")
    parser.add_argument("--folder", required=True, help="keeps the models, a folder for each shape")
    parser.add_argument("--shape", default="base", help="as utter-bench --random knows it")
    parser.add_argument("--windows", default="1,2,4,8", help="seconds")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=7, help="passes of each that are timed")
    parser.add_argument("--peers", help="names with commas between them; default: those that run in fp32")
    parser.add_argument("--stream", action="store_true", help="compare what live captions cost instead")
    parser.add_argument("--avx2", action="store_true", help="as on a machine without AVX-512: only utter and torch "
                        "can be told so")
    parser.add_argument("--prepare", action="store_true", help="make the models and stop")
    parser.add_argument("--json", help="write all times there")
    options = parser.parse_args()
    options.threads = [int(threads) for threads in options.threads.split(",")]
    options.windows = [float(window) for window in options.windows.split(",")]
    if options.stream:
        options.peers, options.windows = "ort,ort-attention", [float(STREAM_WINDOW)]
    options.peers = (options.peers or DEFAULT_PEERS.get(options.shape, "ort,torch")).split(",")
    options.folder = pathlib.Path(options.folder) / options.shape
    return options


def environment(threads, avx2):
    """No variable of a shell may slow a peer down."""
    narrow = {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}
    clean = {key: value for key, value in os.environ.items()
             if not key.startswith(("OPENBLAS", "MKL", "GOTO", "KMP", "ONEDNN", "ATEN"))}
    return dict(clean, OMP_NUM_THREADS=str(threads), TOKENIZERS_PARALLELISM="false", **(narrow if avx2 else {}))


class Worker:
    """A process that decodes once for each line that it is given."""

    def __init__(self, command, output, threads, avx2):
        self.output = output
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, env=environment(threads, avx2))

    def wait(self):
        if self.process.stdout.readline().strip() != "ready":
            raise SystemExit(f"peers.py: {self.process.args} does not run")

    def run(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return tuple(map(float, self.process.stdout.readline().split()))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def start_peer(options, peer, window, threads):
    output = options.folder / f"out-{peer}-{window:g}.f32"
    command = [sys.executable, pathlib.Path(__file__).parent / "peer_worker.py", peer, options.folder, window, threads,
               output]
    worker = Worker(command, output, threads, options.avx2)
    worker.wait()
    return worker


def start(options, window, threads):
    """utter and all peers, by name, ready to decode."""
    name = f"{window:g}"
    output = options.folder / f"out-utter-{name}.f32"
    utter = [options.bench, "--model", options.folder / "model", "--window", window, "--threads", threads,
             "--samples", options.folder / f"samples-{name}.f32", "--output", output, "--on-demand",
             *options.bench_options.split(), *(["--kernels", "avx2"] if options.avx2 else [])]
    workers = {"utter": Worker(utter, output, threads, options.avx2)}
    workers["utter"].wait()
    workers.update((peer, start_peer(options, peer, window, threads)) for peer in options.peers)
    return workers


def log_probabilities(path, columns):
    logits = numpy.fromfile(path, dtype=numpy.float32).reshape(-1, columns).astype(numpy.float64)
    logits -= logits.max(axis=1, keepdims=True)
    return logits - numpy.log(numpy.exp(logits).sum(axis=1, keepdims=True))


def compare(workers, columns):
    """Differences from utter's output; False when one is too great."""
    expected, agreed = log_probabilities(workers["utter"].output, columns), True
    for peer, worker in workers.items():
        values = log_probabilities(worker.output, columns)
        if values.shape != expected.shape:
            raise SystemExit(f"peers.py: {peer} gives {values.shape} values, utter {expected.shape}")
        worker.difference = float(abs(values - expected).max() / max(1, abs(expected).max()))
        worker.same_labels = float((values.argmax(axis=1) == expected.argmax(axis=1)).mean())
        if "int8" not in peer and not worker.difference <= TOLERANCE:
            print(f"peers.py: {peer} differs from utter by {worker.difference:.2g}", file=sys.stderr)
            agreed = False
    return agreed


def median_ratio(ours, theirs):
    """Of passes that ran one after the other."""
    return statistics.median(a / b for a, b in zip(ours, theirs))


def measure(options, window, threads, columns):
    workers = start(options, window, threads)
    agreed = compare(workers, columns)
    times, cpu_times = {peer: [] for peer in workers}, {peer: [] for peer in workers}
    names = list(workers)
    for number in range(options.rounds + 1):
        # A different one begins each time; the first round only warms up.
        for peer in names[number % len(names):] + names[:number % len(names)]:
            time.sleep(PAUSE)
            seconds, cpu_seconds = workers[peer].run()
            if number > 0:
                times[peer].append(seconds)
                cpu_times[peer].append(cpu_seconds)
    for worker in workers.values():
        worker.close()
    return [{"window": window, "threads": threads, "peer": peer, "median": statistics.median(times[peer]),
             "ratio": median_ratio(times["utter"], times[peer]),
             "cpu_ratio": median_ratio(cpu_times["utter"], cpu_times[peer]),
             "difference": workers[peer].difference, "same_labels": workers[peer].same_labels,
             "seconds": times[peer], "cpu_seconds": cpu_times[peer]} for peer in names], agreed


def start_stream(options, encoder, dtype, threads):
    worker = Worker([options.bench, "--model", options.folder / "model", "--stream", "--encoder", encoder, "--dtype",
                     dtype, "--threads", threads, "--on-demand", *options.bench_options.split()], None, threads, False)
    worker.wait()
    return worker


def measure_stream(options, threads):
    """CPU seconds for each second of speech, in turns; the peer is the faster of its forms."""
    streams = [(encoder, dtype) for encoder in ("cached", "window") for dtype in ("fp32", "int8")]
    workers = {stream: start_stream(options, *stream, threads) for stream in streams}
    workers.update((peer, start_peer(options, peer, STREAM_WINDOW, threads)) for peer in options.peers)
    times = {name: [] for name in workers}
    for _ in range(options.rounds):
        for name, worker in workers.items():
            time.sleep(PAUSE)
            if name in streams:
                times[name].append(worker.run()[1])
            else:
                windows = [worker.run()[1] for _ in range(STREAM_WINDOWS)]
                times[name].append(statistics.mean(windows) / STREAM_HOP)
    for worker in workers.values():
        worker.close()
    best = min(options.peers, key=lambda peer: statistics.median(times[peer]))
    return [{"threads": threads, "encoder": encoder, "dtype": dtype, "peer": best,
             "cpu": statistics.median(times[encoder, dtype]), "peer_cpu": statistics.median(times[best]),
             "ratio": median_ratio(times[encoder, dtype], times[best]), "cpu_seconds": times[encoder, dtype],
             "peer_cpu_seconds": times[best]} for encoder, dtype in streams]


def compare_streams(options):
    print(f"{options.shape}, live captions: CPU seconds for each second of speech, the median of {options.rounds}; the "
          f"peer decodes {STREAM_WINDOW} s every {STREAM_HOP} s in fp32")
    print("threads  encoder  dtype  utter's  peer           peer's   ratio")
    results = []
    for threads in options.threads:
        for row in measure_stream(options, threads):
            print(f"{row['threads']:7d}  {row['encoder']:7s}  {row['dtype']:5s}  {row['cpu']:7.3f}  {row['peer']:13s}  "
                  f"{row['peer_cpu']:6.3f}  {row['ratio']:6.3f}", flush=True)
            results.append(row)
    return results


def compare_windows(options):
    """The results, and whether outputs agree."""
    columns = json.loads((options.folder / "model" / "config.json").read_text())["vocab_size"]
    results, all_agreed = [], True
    print(f"{options.shape}: seconds for a window, the median of {options.rounds}; utter's time over the peer's, "
          "the median over rounds")
    print("threads  window  peer               seconds   ratio  CPU ratio  difference  same labels")
    for threads in options.threads:
        for window in options.windows:
            rows, agreed = measure(options, window, threads, columns)
            all_agreed = all_agreed and agreed
            for row in rows:
                print(f"{threads:7d} {window:7g}  {row['peer']:17s} {row['median']:8.4f}  {row['ratio']:6.3f}  "
                      f"{row['cpu_ratio']:9.3f}  "
                      f"{row['difference']:10.1e}  {100 * row['same_labels']:9.1f} %", flush=True)
            results += rows
    return results, all_agreed


def main():
    options = parse_arguments()
    model = options.folder / "model"
    if not model.exists():
        options.folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([options.bench, "--random", options.shape, "--keep", model, "--window", "0.1", "--repeat",
                        "1"], check=True, stdout=subprocess.DEVNULL)
    peer_models.prepare(options.folder, options.windows, options.peers)
    if options.prepare:
        return 0
    # A stream checks its own output before it is timed: utter-bench does.
    results, agreed = (compare_streams(options), True) if options.stream else compare_windows(options)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(results, indent=1) + "\n")
    return 0 if agreed else 1


if __name__ == "__main__":
    sys.exit(main())
