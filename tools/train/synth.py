"""Speech made on the spot: python synth.py --data DATA --count 4000 --seed 1 [--recipe RECIPE]

Adds DATA/synthetic.tsv and DATA/synthetic/: WordNet's examples (package wordnet-base) and sentences of texts.py,
spoken by the many of voices.py and by Debian's voices (packages flite, festival, festvox-kallpc16k, festvox-kdlpc16k,
festvox-us-slt-hts, espeak-ng). With a recipe the words that it keeps, by Debian's voices alone. A recipe draws from
them with `source_weights`, as from any other source: hibari, flite, festival, espeak.
"""

import argparse
import subprocess
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import soundfile
from pocketsphinx import Decoder
from scipy.signal import resample_poly

import recipe as recipes
import texts
import voices
from corpus import HEADINGS, RATE

FLITE = "awb kal16 rms slt".split()
FESTIVAL = "kal_diphone ked_diphone cmu_us_slt_arctic_hts".split()
ACCENTS = ("en-us en-gb en-gb-scotland en-gb-x-gbclan en-gb-x-rp en-gb-x-gbcwmd en-029").split()
VARIANTS = ("Alex Alicia Andrea Annie Antonio Boris Diogo Gene Henrique Hugo Jacky Lee Marcelo Mario "
            "Max Michael Michel Mike Nguyen Robert Steph Tweaky f1 f2 f3 f4 f5 m1 m2 m3 m4 m5 m6 m7 "
            "m8").split()


def arguments():
    parser = argparse.ArgumentParser(description="Speech made on the spot, with Debian's voices.")
    parser.add_argument("--data", required=True)
    parser.add_argument("--count", type=int, default=4000, help="recordings to make")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--recipe", help="only the words that it keeps, one to seven at a time")
    parser.add_argument("--processes", type=int, default=2)
    return parser.parse_args()


DEBIANS = {"flite": 0.4, "festival": 0.25, "espeak": 0.35}  # shares of the recordings
ALL = {"hibari": 0.85, "flite": 0.06, "festival": 0.04, "espeak": 0.05}


def odd_words():
    """The words of PocketSphinx's dictionary that are made of letters alone, sorted."""
    dictionary = Path(Decoder(lm=None, loglevel="FATAL").config["dict"])
    words = {line.split(None, 1)[0] for line in dictionary.read_text().splitlines() if line.strip()}
    return sorted(word for word in words if word.isalpha() and word.isascii() and len(word) > 2)


def flite(rng, text, wav):
    voice = FLITE[rng.integers(len(FLITE))]
    stretch = f"duration_stretch={rng.uniform(0.8, 1.25):.3f}"
    pitch = f"int_f0_target_mean={rng.uniform(85, 220):.0f}"
    return voice, ["flite", "-voice", voice, "--setf", stretch, "--setf", pitch, "-t", text, "-o", wav]


def festival(rng, text, wav):
    voice = FESTIVAL[rng.integers(len(FESTIVAL))]
    slower = f"(Parameter.set 'Duration_Stretch {rng.uniform(0.8, 1.2):.3f})"
    return voice, ["text2wave", "-eval", f"(voice_{voice})", "-eval", slower, "-o", wav]


def espeak(rng, text, wav):
    accent, variant = ACCENTS[rng.integers(len(ACCENTS))], VARIANTS[rng.integers(len(VARIANTS))]
    voice = f"{accent}+{variant}"
    return voice, ["espeak-ng", "-v", voice, "-s", str(rng.integers(120, 210)), "-p",
                   str(rng.integers(20, 80)), "-w", wav, text]


ENGINES = {"flite": flite, "festival": festival, "espeak": espeak}


def program_says(source, rng, text):
    """(voice, float32 samples, rate) of one of Debian's"""
    with tempfile.TemporaryDirectory() as folder:
        wav = str(Path(folder) / "spoken.wav")
        voice, command = ENGINES[source](rng, text.lower(), wav)
        subprocess.run(command, input=text.lower(), text=True, check=True, capture_output=True)
        return voice, *soundfile.read(wav, dtype="float32")


def speak(job):
    """(seconds, source, voice) of one recording, written as 16 kHz Opus."""
    number, seed, shares, text, path = job
    rng = np.random.default_rng([seed, number])
    source = rng.choice(list(shares), p=list(shares.values()))
    if source == "hibari":
        spoken = text.lower() if text.isupper() else text  # else it spells
        voice, audio, rate = number, voices.Speaker(rng).say(rng, spoken), voices.dsp.SR
    else:
        voice, audio, rate = program_says(source, rng, text)
    common = np.gcd(rate, RATE)
    audio = resample_poly(audio, RATE // common, rate // common)
    audio = 0.5 * audio / (np.max(np.abs(audio)) + 1e-6)
    soundfile.write(path, audio, RATE, format="OGG", subtype="OPUS")
    return len(audio) / RATE, source, f"{source}-{voice}"


def writer(args):
    """What makes up the next text: sentences, or words that a recipe keeps."""
    rng = np.random.default_rng([args.seed, 0])
    if not args.recipe:
        return texts.Writer(rng, odd_words(), texts.examples()).sentence
    keep = recipes.load(args.recipe)["words"]["keep"]
    return lambda: " ".join(rng.choice(keep, rng.integers(1, 8)))


def main():
    args = arguments()
    sentence, shares = writer(args), DEBIANS if args.recipe else ALL
    folder = Path(args.data) / "synthetic"
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [(number, args.seed, shares, sentence(), folder / f"{number:05d}.opus")
            for number in range(1, args.count + 1)]
    lines, total = ["\t".join(HEADINGS)], 0.0
    with ProcessPoolExecutor(args.processes) as pool:
        for (*_, text, path), (seconds, source, voice) in zip(jobs, pool.map(speak, jobs, chunksize=20)):
            lines.append(f"{path.name}\t{seconds:.3f}\t{source}\t{voice}\t{texts.written(text)}")
            total += seconds
            if len(lines) % 200 == 0:
                print(f"{len(lines)} of {len(jobs)}, {total / 3600:.2f} h", flush=True)
    (Path(args.data) / "synthetic.tsv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
