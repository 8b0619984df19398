"""Word error rates of a model directory: python evaluate.py MODEL --data DIR --recipe recipes/digits.toml

Opens the directory with transformers, as anyone would, and decodes greedily. Clips of dev.tsv only:
nobody in them was heard in training. `--raw FILE=TEXT` adds a headerless 16 kHz s16le recording.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from transformers import Wav2Vec2ForCTC, Wav2Vec2Processor

import augment
import corpus
import cut
import recipe as recipes
import score
import validation

SEED = 20  # of the strings that are joined here


def arguments():
    parser = argparse.ArgumentParser(description="Word error rates of a model directory.")
    parser.add_argument("model")
    parser.add_argument("--data", required=True)
    parser.add_argument("--work", required=True, help="folder for the decoded clips")
    parser.add_argument("--recipe", required=True)
    parser.add_argument("--raw", action="append", default=[], metavar="FILE=TEXT")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--errors", action="store_true", help="print every wrong recording")
    return parser.parse_args()


class Recogniser:
    def __init__(self, folder):
        self.processor = Wav2Vec2Processor.from_pretrained(folder)
        self.model = Wav2Vec2ForCTC.from_pretrained(folder, dtype=torch.float32).eval()

    @torch.inference_mode()
    def text(self, audio):
        values = self.processor(audio, sampling_rate=corpus.RATE, return_tensors="pt").input_values
        logits = self.model(values).logits
        return self.processor.batch_decode(logits.argmax(-1))[0]


def as_float(audio):
    return audio.astype(np.float32) / 32768.0


def strings(clips, longest=0.5, count=100):
    """`count` strings of three to seven single words of one speaker, pauses of 0 to `longest` s."""
    rng = np.random.default_rng(SEED)
    for _ in range(count):
        chosen = [clips[i] for i in rng.integers(0, len(clips), rng.integers(3, 8))]
        parts = [np.zeros(int(rng.uniform(0.1, 0.6) * corpus.RATE), np.float32)]
        for clip in chosen:
            gap = np.zeros(int(rng.uniform(0.0, longest) * corpus.RATE), np.float32)
            parts += [as_float(clip.audio), gap]
        audio = np.concatenate(parts)
        yield audio + 1e-4 * rng.standard_normal(len(audio), dtype=np.float32), \
            " ".join(c.text for c in chosen)


def repeated(clips, times=10):
    """Each word of one speaker so many times in a row, without pauses; five rows a word."""
    rng = np.random.default_rng(SEED)
    for word in sorted({c.text for c in clips}):
        takes = [as_float(c.audio) for c in clips if c.text == word]
        for _ in range(5):
            row = np.concatenate([takes[i] for i in rng.integers(0, len(takes), times)])
            yield np.pad(row, corpus.RATE // 4), " ".join([word] * times)


def noisy(pairs, ratio):
    """The same with noise of a random colour, `ratio` decibels below the whole recording."""
    rng = np.random.default_rng(SEED)
    for audio, text in pairs:
        noise = augment.coloured_noise(rng, len(audio))
        yield audio + noise * (augment.rms(audio) * augment.decibels(-ratio)), text


def in_silence(pairs, silence):
    for audio, text in pairs:
        yield augment.in_silence(audio, silence), text


def louder(pairs, peak):
    for audio, text in pairs:
        yield audio * (augment.decibels(peak) / np.max(np.abs(audio))), text


def measure(recogniser, title, pairs, show):
    total = score.Errors()
    for audio, text in pairs:
        heard = recogniser.text(audio)
        total += score.compare(text.split(), heard.split())
        if show and heard != text:
            print(f"    {text}  <-  {heard}")
    print(f"{title:48s} {total}", flush=True)
    return total


def main():
    args = arguments()
    torch.set_num_threads(args.threads)
    recipe = recipes.load(args.recipe)
    words = recipes.Words(recipe["words"])
    isolated = set(recipe["data"].get("isolated", []))
    clips = corpus.load(args.data, "dev", args.work)
    recogniser = Recogniser(args.model)

    singles = [c for c in clips if c.source in isolated]
    spoken = [(as_float(c.audio), c.text) for c in clips
              if c.source not in isolated and words.only_kept(c.text)]
    bare = [(as_float(c.audio), c.text) for c in singles]
    joined = list(strings(singles)) if singles else []
    sets = [
        ("single words", bare),
        ("spoken strings", spoken),
        *((f"{title}, {silence}", list(in_silence(pairs, silence)))
          for title, pairs in (("single words", bare), ("spoken strings", spoken))
          for silence in augment.SILENCES[1:]),
        ("joined strings", joined),
        ("joined strings, no pauses", list(strings(singles, 0.0)) if singles else []),
        ("one word ten times, no pauses", list(repeated(singles)) if singles else []),
        ("joined strings, noise at 20 dB", list(noisy(joined, 20.0))),
        ("joined strings, noise at 10 dB", list(noisy(joined, 10.0))),
        ("spoken strings, peak at -40 dBFS", list(louder(spoken, -40.0))),
        ("spoken strings, noise at 10 dB", list(noisy(spoken, 10.0))),
    ]
    for title, pairs in sets:
        if pairs:
            measure(recogniser, title, pairs, args.errors)
    for item in args.raw:
        path, _, text = item.partition("=")
        audio = as_float(np.fromfile(path, dtype="<i2"))
        print(f"{Path(path).name}: {recogniser.text(audio)}")
        measure(recogniser, Path(path).name, [(audio, text)], False)
    if words.keep:
        others = [c for c in clips if c.source not in isolated and words.is_sure(c.text)
                  and not words.printed(c.text)]
        said = sum(len(c.text.split()) for c in others)
        printed = sum(len(recogniser.text(as_float(c.audio)).split()) for c in others)
        print(f"{len(others)} sentences without these words ({said} words): {printed} words printed")
        alone = list(validation.lonely(cut.strangers(others, words, args.work, "dev-strangers")))
        printed = sum(len(recogniser.text(audio).split()) for audio, _ in alone)
        print(f"{len(alone)} single words out of these, disguised and alone: {printed} words printed")


if __name__ == "__main__":
    main()
