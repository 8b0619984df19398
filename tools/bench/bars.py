#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every bar of streaming accuracy and latency with one command, for one model:

    python bars.py DATASET.tsv [--hour FOLDER] [--model DIR] [--utter PROGRAM] [--json FILE]

DATASET.tsv (columns `file`, `text`) holds words that the model knows. FOLDER holds an hour or more of any
other speech, without texts: it is for the seams. Prints a table: what is asked, what was measured, whether
that meets it. Needs numpy, scipy and soundfile (gate.py).

- Joined: all recordings as one stream, with pauses of a second and with none; FINALs against the same
  recordings transcribed one by one. In the table's order, and `--orders` times in one drawn at random: where a
  table has one word many times running, a model hears it by its neighbours.
- Seams: FINALs against `utter transcribe` of the whole stream. Doubled: on both sides of where an utterance
  ends, within half a second of it, and once in the other; cut: one begins or ends within the word, and no FINAL
  has it whole; at a seam: within half a second of it.
- Gate: deletions with the voice gate less those without it (gate.py).
- Commits: each recording a stream of its own, at the default latency. Where a recording holds one word, its
  end brings the word out: latencies of the joined stream say more.
"""

import argparse
import json
import random
import subprocess
import tempfile
from pathlib import Path

import soundfile

import gate


def evaluate(args, dataset, *options):
    model = ["--model", args.model] if args.model else []
    command = [args.utter, "eval", "--json", *model, *options, str(dataset)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


class Table:
    def __init__(self):
        self.rows = []
        print("| what | asked | measured | met |\n| --- | --- | --- | --- |", flush=True)

    def add(self, what, value, most, unit="", note=""):
        """`most` None: only reported."""
        met = "" if most is None else "yes" if value <= most + 1e-9 else "**no**"
        asked = "reported" if most is None else f"at most {most:g}{unit}"
        self.rows.append({"what": what, "value": value, "most": most, "note": note})
        print(f"| {what} | {asked} | {value:.3g}{unit}{note and ', ' + note} | {met} |", flush=True)


def points(interval):
    return f"95 % {100 * interval[0]:+.1f} to {100 * interval[1]:+.1f}"


def add_seams(table, name, stream):
    edges, whole = stream["finals_against_offline_at_edges"], stream["finals_against_offline"]
    table.add(f"{name}: words doubled at a seam", stream["words_doubled_at_edges"], 0,
              note=f"of {whole['reference']}; {stream['utterances']} utterances; of {whole['insertions']} words that "
                   f"offline has not {edges['insertions']} lie at a seam")
    table.add(f"{name}: words cut by a seam", stream["offline_words_cut"], 0)
    table.add(f"{name}: words lost between utterances", stream["offline_words_outside_utterances"], 0,
              note=f"of {whole['deletions']} words that offline alone has {edges['deletions']} lie at a seam")


def add_latencies(table, name, stream):
    for kind, most in (("commit", 1.5), ("draft", 0.7), ("final", None)):
        latency = stream[f"{kind}_latency"]
        table.add(f"{name}: {kind}s, median latency", latency["p50"]["seconds"], most, " s",
                  f"p95 {latency['p95']['seconds']:.2f} s")
    low, high = stream["unstable_partial_word_ratio_95"]
    table.add(f"{name}: unstable partial word ratio", stream["unstable_partial_word_ratio"], 0.15,
              note=f"95 % {low:.2f} to {high:.2f}")


def measure_joined(args, table, report):
    for pause in ("1", "0"):
        joined = report[f"joined, {pause} s"] = evaluate(args, args.dataset, "--join", pause)
        stream, alone = joined["stream"], joined["words"]["rate"]
        name = f"joined with pauses of {pause} s"
        table.add(f"{name}: FINALs above one by one", 100 * (stream["finals"]["rate"] - alone), 0.5, " points",
                  f"{points(stream['finals_above_words_95'])}; {100 * stream['finals']['rate']:.2f} %, one by one "
                  f"{100 * alone:.2f} %, the joined stream transcribed {100 * stream['offline_joined']['rate']:.2f} %")
        add_seams(table, name, stream)
        if pause == "1":
            add_latencies(table, name, stream)


def shuffled(dataset, seed, folder):
    """The same table in another order."""
    heading, *lines = dataset.read_text().splitlines()
    columns = heading.split("\t")
    random.Random(seed).shuffle(lines)
    table = folder / f"{seed}.tsv"
    with open(table, "w") as out:
        out.write(heading + "\n")
        for line in lines:
            fields = line.split("\t")
            fields[columns.index("file")] = str((dataset.parent / fields[columns.index("file")]).resolve())
            out.write("\t".join(fields) + "\n")
    return table


def measure_orders(args, table, report):
    for pause in ("1", "0"):
        with tempfile.TemporaryDirectory() as folder:
            runs = [evaluate(args, shuffled(args.dataset, seed, Path(folder)), "--join", pause)
                    for seed in range(1, args.orders + 1)]
        report[f"random orders, {pause} s"] = runs
        streams, alone = [run["stream"] for run in runs], 100 * runs[0]["words"]["rate"]
        each = [100 * stream["finals"]["rate"] - alone for stream in streams]
        whole = sum(100 * stream["offline_joined"]["rate"] for stream in streams) / len(streams)
        name = f"{args.orders} random orders, pauses of {pause} s"
        table.add(f"{name}: FINALs above one by one", sum(each) / len(each), 0.5, " points",
                  f"{', '.join(f'{more:+.1f}' for more in each)}; the joined stream transcribed {whole:.2f} %")
        for key, what in (("words_doubled_at_edges", "doubled at a seam"), ("offline_words_cut", "cut by a seam"),
                          ("offline_words_outside_utterances", "lost between utterances")):
            table.add(f"{name}: words {what}", sum(stream[key] for stream in streams), 0,
                      note=f"{sum(stream['utterances'] for stream in streams)} utterances")


def measure_hour(args, table, report):
    files, seconds = [], 0.0
    for path in sorted(args.hour.iterdir()):
        if seconds >= 3600:
            break
        seconds += soundfile.info(path).duration
        files.append(path.resolve())
    with tempfile.TemporaryDirectory() as folder:
        dataset = Path(folder) / "hour.tsv"
        dataset.write_text("file\ttext\n" + "".join(f"{path}\t-\n" for path in files))
        report["hour"] = evaluate(args, dataset, "--join", "1")
    add_seams(table, f"{seconds / 60:.0f} minutes of other speech", report["hour"]["stream"])


def measure_alone(args, table, report):
    report["alone"] = evaluate(args, args.dataset, "--stream")
    stream, offline = report["alone"]["stream"], report["alone"]["words"]
    table.add("one by one: commits above offline", 100 * (stream["commits"]["rate"] - offline["rate"]), 0.5, " points",
              f"{points(stream['commits_above_words_95'])}; {100 * stream['commits']['rate']:.2f} % and "
              f"{100 * offline['rate']:.2f} % of {offline['reference']}")
    add_latencies(table, "one by one", stream)


def measure_gate(args, table, report):
    clips, texts = gate.read_clips(args.dataset)
    report["gate"] = []
    for name, level, kind, snr in gate.CONDITIONS:
        on, off = gate.run_condition(args, clips, texts, level, kind, snr)
        report["gate"].append({"condition": name, "on": on, "off": off})
        lost = [gate.percent(streams, "finals", "deletions") for streams in (on, off)]
        outside = sum(stream["offline_words_outside_utterances"] for stream in on)
        table.add(f"gate, {name}: deletions more", lost[0] - lost[1], 0.1, " points",
                  f"{lost[0]:.2f} and {lost[1]:.2f} % of {sum(stream['finals']['reference'] for stream in on)}; "
                  f"{outside} words outside; {gate.wrong(on):.1f} and {gate.wrong(off):.1f} % wrong")
    for kind in ("white", "fan", "babble"):
        with tempfile.TemporaryDirectory() as folder:
            gate.write_set(Path(folder), gate.noise_items(clips, kind, args.noise_seconds))
            stream = gate.evaluate(args, Path(folder), True)
        table.add(f"{kind} noise that opens the gate", 100 * stream["utterance_share"], None, " %")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--hour", type=Path, metavar="FOLDER")
    parser.add_argument("--model")
    parser.add_argument("--utter", default="build/utter")
    parser.add_argument("--json", type=Path, help="also write all reports there")
    parser.add_argument("--seeds", type=int, default=1, help="the gate's conditions so many times")
    parser.add_argument("--orders", type=int, default=3, help="random ones of the joined recordings; 0: none")
    parser.add_argument("--noise-seconds", type=int, default=60, help="of each level of each noise")
    parser.add_argument("--no-gate", action="store_true", help="leave the gate out, which takes longest")
    return parser.parse_args()


def main():
    args = arguments()
    table, report = Table(), {}
    measure_alone(args, table, report)
    measure_joined(args, table, report)
    if args.orders:
        measure_orders(args, table, report)
    if args.hour:
        measure_hour(args, table, report)
    if not args.no_gate:
        measure_gate(args, table, report)
    if args.json:
        args.json.write_text(json.dumps({"table": table.rows, "reports": report}, indent=1) + "\n")


if __name__ == "__main__":
    main()
