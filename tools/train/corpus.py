"""Recorded speech in memory: 16 kHz mono int16, decoded once and kept in a cache file."""

import csv
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

RATE = 16000
HEADINGS = ("file", "seconds", "source", "speaker", "text")


@dataclass(frozen=True)
class Clip:
    source: str
    speaker: str
    text: str
    audio: np.ndarray  # int16 [samples], a view into the cache
    words: tuple = ()  # where aligned: (word, start, stop) in frames of 10 ms
    sounds: np.ndarray = None  # where aligned: phone numbers, uint8 [frames of 10 ms]

    @property
    def samples(self):
        return len(self.audio)


def read_table(path):
    """Rows of a tab-separated table with the columns of HEADINGS."""
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def decode(path):
    audio, rate = soundfile.read(path, dtype="int16")
    if rate != RATE or audio.ndim != 1:
        raise SystemExit(f"{path}: {rate} Hz, {audio.ndim} dimensions; want {RATE} Hz mono")
    return audio


def load(data, split, work):
    """All clips of DATA/split.tsv, whose files lie under DATA/split/."""
    if not (Path(data) / f"{split}.tsv").exists():
        raise SystemExit(f"{data}/{split}.tsv is missing: README.md says how the data must lie")
    return load_rows(read_table(Path(data) / f"{split}.tsv"), data, split, work)


def load_untranscribed(data, work):
    """All recordings below DATA/untranscribed; none if there is no such folder."""
    folder = Path(data) / "untranscribed"
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    rows = [{"file": name, "source": "", "speaker": "", "text": ""} for name in names]
    return load_rows(rows, data, "untranscribed", work) if rows else []


def load_rows(rows, data, split, work):
    data, work = Path(data), Path(work)
    sound, ends = work / f"{split}.pcm", work / f"{split}.ends.npy"
    if not ends.exists():
        work.mkdir(parents=True, exist_ok=True)
        lengths = []
        with open(sound, "wb") as file, ThreadPoolExecutor(os.cpu_count()) as pool:
            for audio in pool.map(lambda row: decode(data / split / row["file"]), rows):
                file.write(audio.tobytes())
                lengths.append(len(audio))
        partial = work / f"{split}.ends.tmp.npy"
        np.save(partial, np.cumsum(lengths))
        os.replace(partial, ends)
    stops = np.load(ends)
    if len(stops) != len(rows):
        raise SystemExit(f"{sound}: made from another table; delete {work} and start again")
    samples = np.fromfile(sound, dtype=np.int16)
    starts = np.concatenate([[0], stops[:-1]])
    return [
        Clip(row["source"], row["speaker"], row["text"].upper(), samples[start:stop])
        for row, start, stop in zip(rows, starts, stops)
    ]


def split_validation(clips, section):
    """(training, validation): whole speakers, and each n-th clip of the isolated words."""
    speakers = set(section.get("validation_speakers", []))
    isolated, every = set(section.get("isolated", [])), section.get("validation_every", 0)
    training, validation = [], []
    for number, clip in enumerate(clips):
        held_out = clip.speaker in speakers
        if clip.source in isolated and every:
            held_out = number % every == 0
        (validation if held_out else training).append(clip)
    return training, validation
