"""Join recordings of dev.tsv to one FLAC file and its text: python clips.py OUT.flac --data DATA FILE...

Used for the demo that ships with a model and for test recordings. Every recording keeps its own
silence at both ends; they are brought to one loudness and faded into each other.
"""

import argparse
from pathlib import Path

import numpy as np
import soundfile

import augment
import corpus

FADE = corpus.RATE // 20  # 50 ms
LOUDNESS = 0.08  # root mean square of the loudest half of the 20 ms blocks


def speech_level(audio):
    blocks = audio[: len(audio) // 320 * 320].reshape(-1, 320)
    levels = np.sort(np.sqrt(np.mean(blocks**2, axis=1)))
    return augment.rms(levels[len(levels) // 2 :])


def faded(audio):
    audio = audio * (LOUDNESS / speech_level(audio))
    ramp = np.linspace(0.0, 1.0, FADE, dtype=np.float32)
    audio[:FADE] *= ramp
    audio[-FADE:] *= ramp[::-1]
    return audio


def main():
    parser = argparse.ArgumentParser(description="Join recordings of dev.tsv.")
    parser.add_argument("out")
    parser.add_argument("files", nargs="+")
    parser.add_argument("--data", required=True)
    args = parser.parse_args()
    texts = {row["file"]: row["text"] for row in corpus.read_table(Path(args.data) / "dev.tsv")}
    audio = np.zeros(0, np.float32)
    for name in args.files:
        part = faded(corpus.decode(Path(args.data) / "dev" / name).astype(np.float32) / 32768.0)
        overlap = min(FADE, len(audio))
        joined = np.zeros(len(audio) + len(part) - overlap, np.float32)
        joined[: len(audio)] += audio
        joined[len(audio) - overlap :] += part
        audio = joined
    out = Path(args.out)
    soundfile.write(out, np.clip(audio, -1.0, 1.0), corpus.RATE, subtype="PCM_16")
    out.with_suffix(".txt").write_text("\n".join(texts[name] for name in args.files) + "\n")


if __name__ == "__main__":
    main()
