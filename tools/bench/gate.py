"""What the voice gate costs: python gate.py DATASET.tsv [--model DIR] [--utter PROGRAM] [--json FILE]

Joins the recordings of a table (columns `file`, `text`), shuffled, to sessions of about a minute, with
pauses of 0.5 to 4 s of each recording's own room, at several levels and under several noises; streams
them with the gate and without it, and prints a table. (In a table's own order one speaker says one
word many times over, and without the gate a model hears it by its neighbours.) Deletions are the words that a gate can lose;
words outside are those of `utter transcribe` on the same session that lie in no utterance. Then the
noises alone: the share of them that opens the gate. Needs numpy, scipy and soundfile.
"""

import argparse
import csv
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile
from scipy import stats

RATE = 16000
SEED = 7
SESSION = 60 * RATE
TONE_MOST = 10 ** (-45 / 20)  # a room's tone, of a recording that is nothing but speech

# Name, level of the speech in dBFS, noise, decibels of speech over noise.
CONDITIONS = [("-20 dBFS", -20, None, None), ("-40 dBFS", -40, None, None)] + [
    (f"{kind}, {snr} dB", -20, kind, snr) for kind in ("white", "fan", "babble") for snr in (20, 10, 5)]


def rms(samples):
    return float(np.sqrt(np.mean(np.square(samples)))) if len(samples) else 0.0


def speech_level(samples):
    """Root mean square of the louder half of the 20 ms blocks."""
    blocks = samples[: len(samples) // 320 * 320].reshape(-1, 320)
    levels = np.sort(np.sqrt(np.mean(blocks**2, axis=1)))
    return rms(levels[len(levels) // 2:])


def coloured(rng, count, slope, low, high):
    """Noise whose power falls by `slope` dB an octave between two frequencies."""
    size = 1 << (count - 1).bit_length()
    frequencies = np.fft.rfftfreq(size, 1 / RATE)
    gain = np.where((frequencies >= low) & (frequencies <= high), 1.0, 0.0)
    gain[1:] *= (frequencies[1:] / low) ** (-slope / 6.02)
    noise = np.fft.irfft(gain * np.fft.rfft(rng.standard_normal(size)), size)[:count]
    return (noise / rms(noise)).astype(np.float32)


def fan(rng, count):
    """A ventilator: rushing air, the blades' tones, and a slow beat."""
    time = np.arange(count) / RATE
    air = coloured(rng, count, 4.0, 60, 7000)
    blades = sum(np.sin(2 * np.pi * 92 * k * time + rng.uniform(0, 6)) / k for k in range(1, 6))
    noise = (air + 0.7 * blades) * (1 + 0.15 * np.sin(2 * np.pi * 0.7 * time))
    return (noise / rms(noise)).astype(np.float32)


def babble(rng, count, clips, voices=8):
    """Many people at once, none of them in front."""
    noise = np.zeros(count, np.float32)
    for _ in range(voices):
        at = 0
        while at < count:
            clip = clips[rng.integers(len(clips))]
            part = clip[: count - at] / max(speech_level(clip), 1e-6)
            noise[at:at + len(part)] += part
            at += len(part)
    return noise / rms(noise)


def make_noise(kind, rng, count, clips):
    if kind == "babble":
        return babble(rng, count, clips)
    return fan(rng, count) if kind == "fan" else coloured(rng, count, 0.0, 1, RATE)


def room(rng, clip, count, grain=800):
    """`count` samples made of grains of the quietest 200 ms of a recording."""
    span = min(3200, len(clip))
    starts = range(0, len(clip) - span + 1, 320)
    quiet = min((clip[s:s + span] for s in starts), key=rms)
    grain = min(grain, span // 2)
    window = np.sin(np.pi * (np.arange(grain) + 0.5) / grain).astype(np.float32)
    out = np.zeros(count + 2 * grain, np.float32)
    for at in range(0, count + grain, grain // 2):
        start = rng.integers(span - grain + 1)
        out[at:at + grain] += window * quiet[start:start + grain] * rng.choice((-1, 1))
    most = TONE_MOST * speech_level(clip)
    return out[grain:grain + count] * min(1.0, most / max(rms(quiet), 1e-9))


def faded_onto(parts, part, fade=160):
    if not parts:
        return [part]
    last = parts.pop()
    fade = min(fade, len(last), len(part))
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    cross = last[len(last) - fade:] * np.sqrt(1 - ramp) + part[:fade] * np.sqrt(ramp)
    return parts + [last[: len(last) - fade], cross, part[fade:]]


def sessions(clips, texts, seed):
    """Yields (samples, text), the speech at a level of 1; with another seed another order and pauses."""
    rng = np.random.default_rng(SEED + seed)
    parts, words = [], []
    for number in rng.permutation(len(clips)):
        clip, text = clips[number], texts[number]
        clip = clip / max(speech_level(clip), 1e-6)
        pause = room(rng, clip, int(rng.uniform(0.5, 4.0) * RATE))
        parts = faded_onto(faded_onto(parts, pause), clip)
        words.append(text)
        if sum(map(len, parts)) >= SESSION:
            yield np.concatenate(parts), " ".join(words)
            parts, words = [], []
    if words:
        yield np.concatenate(parts), " ".join(words)


def write_set(folder, items):
    with open(folder / "set.tsv", "w") as table:
        table.write("file\ttext\n")
        for number, (samples, text) in enumerate(items):
            soundfile.write(folder / f"{number}.wav", samples, RATE, subtype="FLOAT")
            table.write(f"{number}.wav\t{text}\n")


def condition_items(clips, texts, level, kind, snr, seed):
    rng = np.random.default_rng(SEED + seed)
    for samples, text in sessions(clips, texts, seed):
        if kind:
            samples = samples + make_noise(kind, rng, len(samples), clips) * 10 ** (-snr / 20)
        yield samples * 10 ** (level / 20), text


def noise_items(clips, kind, seconds):
    rng = np.random.default_rng(SEED)
    for level in (-60, -50, -40, -30):
        yield make_noise(kind, rng, seconds * RATE, clips) * 10 ** (level / 20), "-"


def evaluate(args, folder, gate):
    command = [args.utter, "eval", "--stream", "--json", *(["--model", args.model] if args.model else []),
               *([] if gate else ["--no-gate"]), str(folder / "set.tsv")]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["stream"]


def percent(streams, kind, what):
    """Of all streams together."""
    return 100 * sum(stream[kind][what] for stream in streams) / sum(stream[kind]["reference"] for stream in streams)


def wrong(streams):
    return sum(percent(streams, "finals", what) for what in ("substitutions", "insertions", "deletions"))


def more_deletions(on, off):
    """Points, with half the width of its 95 % interval over pairs of streams; None: of one pair."""
    each = [percent([a], "finals", "deletions") - percent([b], "finals", "deletions") for a, b in zip(on, off)]
    if len(each) < 2:
        return each[0], None
    return float(np.mean(each)), float(stats.t.ppf(0.975, len(each) - 1) * np.std(each, ddof=1) / len(each) ** 0.5)


def points(difference):
    value, half = difference
    return f"{value:+.2f}" + ("" if half is None else f" ± {half:.2f}")


def run_condition(args, clips, texts, level, kind, snr):
    """Reports with the gate and without it, one of each for every seed."""
    on, off = [], []
    for seed in range(args.seeds):
        with tempfile.TemporaryDirectory() as folder:
            write_set(Path(folder), condition_items(clips, texts, level, kind, snr, seed))
            on.append(evaluate(args, Path(folder), True))
            off.append(evaluate(args, Path(folder), False))
    return on, off


def run_conditions(args, clips, texts):
    rows, pairs = [], [[], []]
    print("| condition | words | WER on, off | deletions on, off | difference | words outside | in utterances |\n"
          "| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, level, kind, snr in CONDITIONS:
        if args.only and name not in args.only:
            continue
        on, off = run_condition(args, clips, texts, level, kind, snr)
        lost = [percent(streams, "finals", "deletions") for streams in (on, off)]
        pairs[0] += on
        pairs[1] += off
        share = sum(stream["utterance_share"] for stream in on) / len(on)
        rows.append({"condition": name, "on": on, "off": off, "difference": lost[0] - lost[1]})
        print(f"| {name} | {sum(stream['finals']['reference'] for stream in on)} | {wrong(on):.1f}, {wrong(off):.1f} | "
              f"{lost[0]:.2f}, {lost[1]:.2f} | {points(more_deletions(on, off))} | "
              f"{sum(stream['offline_words_outside_utterances'] for stream in on)} | {100 * share:.0f} % |", flush=True)
    print(f"deletions more with the gate, all of them: {points(more_deletions(*pairs))}")
    return rows


def run_noises(args, clips):
    rows = []
    for kind in ("white", "fan", "babble"):
        with tempfile.TemporaryDirectory() as folder:
            write_set(Path(folder), noise_items(clips, kind, args.noise_seconds))
            stream = evaluate(args, Path(folder), True)
        rows.append({"noise": kind, "utterance_share": stream["utterance_share"]})
        print(f"{kind} alone: {100 * stream['utterance_share']:.1f} % of it in utterances, "
              f"{stream['finals']['insertions'] + stream['finals']['substitutions']} words written", flush=True)
    return rows


def arguments():
    parser = argparse.ArgumentParser(description="What the voice gate costs.")
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--model")
    parser.add_argument("--utter", default="build/utter")
    parser.add_argument("--json", type=Path, help="also write all reports there")
    parser.add_argument("--only", nargs="*", help="conditions, as the table calls them")
    parser.add_argument("--noise-seconds", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=1, help="as many times, each in another order, with other pauses and noise")
    args = parser.parse_args()
    known = [name for name, *_ in CONDITIONS]
    if unknown := [name for name in args.only or [] if name not in known]:
        parser.error(f"--only: no such condition: {'; '.join(unknown)}; there are: {'; '.join(known)}")
    return args


def read_clips(dataset):
    """Samples and texts."""
    with open(dataset) as table:
        items = list(csv.DictReader(table, delimiter="\t"))
    clips = [soundfile.read(dataset.parent / item["file"], dtype="float32")[0] for item in items]
    return clips, [item["text"] for item in items]


def main():
    args = arguments()
    clips, texts = read_clips(args.dataset)
    report = {"conditions": run_conditions(args, clips, texts), "noises": run_noises(args, clips)}
    if args.json:
        args.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
