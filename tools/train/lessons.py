"""What a teacher (moonshine.py) makes of the recordings, made once and kept in WORK: texts for those that
have none, and its output, which a student imitates. Batch n depends on the seed and on n alone."""

import json
import os
import re
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

import augment
import corpus
import moonshine
from corpus import RATE
from recipe import receptive_field

SURE = -0.35  # mean log probability of its tokens; below that its text is not used
FASTEST = 25.0  # letters a second that anyone says
SAMPLE = 200  # recordings that tell how much states vary
SHORTEST = 8  # frames
SPEEDS = (17, 18, 19, 21, 22, 23)  # twentieths
LEAD, PAUSE = RATE // 2, RATE // 5  # samples: at most before the first recording, on average after each
TIGHT = 0.8  # share of rows whose recordings lose the silence around them, but for MARGIN samples
MARGIN, QUIET = RATE // 10, 3e-4  # silence: 20 ms with that share of the loudest ones' power
ROOM = 5 * RATE // 2  # for one more recording
CHOICE = 12  # recordings that are tried for what is left of a row: the longest that fits comes last


def spelled(text):
    """The teacher's writing -> A-Z, apostrophe, spaces; None where figures or nothing were written."""
    text = text.upper().replace("’", "'").replace("-", " ").replace("&", " AND ")
    if re.search(r"\d", text):
        return None
    return " ".join(re.sub(r"[^A-Z' ]", " ", text).split()) or None


def usable(text, sure):
    return spelled(text) if sure > SURE else None


def hear_part(clips):
    listener = moonshine.Listener()
    return [listener.hear(audio.astype(np.float32) / 32768.0) for audio in clips]


def heard(clips, split, work):
    """[text or None] by the teacher; WORK/SPLIT.heard.json has all it wrote, and how sure it was."""
    path = Path(work) / f"{split}.heard.json"
    if not path.exists():
        parts = [[clip.audio for clip in clips[at : at + 50]] for at in range(0, len(clips), 50)]
        with ProcessPoolExecutor(os.cpu_count()) as pool:
            found = [one for part in pool.map(hear_part, parts) for one in part]
        partial = path.with_suffix(".tmp")
        partial.write_text(json.dumps(found, indent=0))
        os.replace(partial, path)
    texts = []
    for clip, (text, sure) in zip(clips, json.loads(path.read_text()), strict=True):
        text = usable(text, sure)
        texts.append(text if text and len(text) < FASTEST * clip.samples / RATE else None)
    return texts


def listen(clips, path, device):
    """Writes the teacher's output for all clips, float16 [frames, WIDTH] one after the other."""
    encoder = moonshine.encoder(path.parent).to(device)
    partial, ends = path.with_suffix(".tmp"), frame_ends(clips)
    kept = np.lib.format.open_memmap(partial, "w+", np.float16, (int(ends[-1]), moonshine.WIDTH))
    for clip, start, end in zip(clips, ends, ends[1:]):
        audio = torch.from_numpy(clip.audio.astype(np.float32) / 32768.0)[None].to(device)
        with torch.inference_mode():
            kept[start:end] = encoder(audio).last_hidden_state[0].half().cpu().numpy()
    kept.flush()
    os.replace(partial, path)


def frame_ends(clips):
    """The first frame of each, and the end"""
    return np.cumsum([0, *(moonshine.frames(clip.samples) for clip in clips)])


def slowed(samples, rate=min(SPEEDS)):
    """So many, at so many twentieths of their speed."""
    return -(-samples * 20 // rate)


def sounding(audio, step=RATE // 50):
    """int16 [samples] -> (first, one after the last) of what is no silence around it"""
    power = np.square(audio[: len(audio) // step * step].astype(np.float32)).reshape(-1, step).mean(1)
    loud = np.flatnonzero(power > QUIET * power.max(initial=0.0))
    if not len(loud):
        return 0, len(audio)
    return max(0, int(loud[0]) * step - MARGIN), min(len(audio), int(loud[-1] + 1) * step + MARGIN)


@dataclass(frozen=True)
class Lesson:
    """One recording: its text, and the teacher's output, float16 [frames, WIDTH]."""

    clip: corpus.Clip
    text: str
    states: np.ndarray

    @property
    def frames(self):
        return len(self.states)


def load(clips, texts, split, work, device="cpu"):
    """[Lesson] of those whose text is known and that are long enough; the teacher listens on `device`."""
    known = [(clip, text) for clip, text in zip(clips, texts) if text and moonshine.frames(clip.samples) > SHORTEST]
    path, ends = Path(work) / f"{split}.states.npy", frame_ends(clip for clip, _ in known)
    if not path.exists():
        listen([clip for clip, _ in known], path, device)
    states = np.load(path, mmap_mode="r")
    if len(states) != ends[-1]:
        raise SystemExit(f"{path}: made from other recordings; delete it and start again")
    return [Lesson(clip, text, states[start:end]) for (clip, text), start, end in zip(known, ends, ends[1:])]


def unheard(clips):
    """[Lesson] of recordings whose text is known and that the teacher need not hear: synthetic ones"""
    return [Lesson(clip, clip.text, np.zeros((0, moonshine.WIDTH), np.float16)) for clip in clips]


@dataclass(frozen=True)
class Said:
    """A recording in a row, or its part with sound."""

    first: int  # of the row's samples
    after: int  # the first that is no longer its own
    start: float  # sample at which the recording begins, were it whole
    faster: float
    lesson: Lesson


@dataclass
class Rows:
    audio: torch.Tensor  # float32 [rows, samples]
    texts: list  # of words
    states: torch.Tensor  # float16 [rows, frames, WIDTH]: the teacher's, 0 where there are none
    known: torch.Tensor  # bool [rows, frames]: where there are such


class School:
    """Rows of recordings, most without the silence around them, in rooms, noise and pauses. In some of them all is
    said faster or slower: the states remain those of what the teacher heard."""

    def __init__(self, recipe, lessons):
        self.field, self.hop = receptive_field(recipe["model"])
        self.training, self.seed = recipe["training"], recipe.get("seed", 0)
        self.lessons = lessons
        room = min(self.training["seconds"]) * RATE - self.field - LEAD
        if not any(slowed(lesson.clip.samples) < room for lesson in lessons):  # else a row may stay empty for ever
            raise SystemExit("[training] seconds: no recording fits in, or none has a text")
        self.clips = [lesson.clip for lesson in lessons]
        weights = recipe["data"].get("source_weights", {})
        share = np.array([weights.get(clip.source, 1.0) * clip.samples for clip in self.clips])
        self.cumulative = np.cumsum(share / share.sum())
        self.sounding = [sounding(clip.audio) for clip in self.clips]
        some = np.concatenate([lesson.states for lesson in lessons[:: -(-len(lessons) // SAMPLE)]]).astype(np.float32)
        self.mean, self.deviation = some.mean(0), some.std(0)

    def describe(self):
        hours = sum(clip.samples for clip in self.clips) / RATE / 3600
        return f"{len(self.lessons)} recordings, {hours:.1f} h"

    def draw(self, rng, tight, most):
        """(number, first sample, one after the last) of a recording of at most so many samples: the first drawn
        after which another may fit, else the longest; or None"""
        found = []
        for number in np.minimum(np.searchsorted(self.cumulative, rng.random(CHOICE)), len(self.lessons) - 1).tolist():
            first, after = self.sounding[number] if tight else (0, self.clips[number].samples)
            if after - first <= most - ROOM:
                return number, first, after
            if after - first <= most:
                found.append((after - first, number, first, after))
        return max(found)[1:] if found else None

    def batch(self, number):
        rng = np.random.default_rng([self.seed, number, 3])
        seconds = rng.choice(self.training["seconds"])
        samples = int(seconds * RATE)
        count = max(1, round(self.training["batch_seconds"] / seconds))
        audio, texts, placed = zip(*(self.row(rng, samples) for _ in range(count)))
        frames = (samples - self.field) // self.hop + 1
        return Rows(torch.from_numpy(np.stack(audio)), list(texts), *self.states(placed, frames))

    def row(self, rng, samples):
        """(float32 [samples], words, [Said])"""
        audio, text, placed = np.zeros(samples, np.float32), [], []
        at, end = self.field // 2 + int(rng.integers(LEAD)), samples - self.field // 2
        rate = int(rng.choice(SPEEDS)) if rng.random() < self.training["speed"] else 20
        tight = rng.random() < TIGHT
        while end - at > RATE // 2:
            drawn = self.draw(rng, tight, (end - at) * rate // 20 - 1)
            if not drawn:
                break
            number, first, after = drawn
            lesson = self.lessons[number]
            piece = augment.speed(lesson.clip.audio[first:after].astype(np.float32) / 32768.0, rate)
            audio[at : at + len(piece)] = piece * (0.1 / augment.rms(piece) * augment.decibels(rng.uniform(-4.0, 4.0)))
            text += lesson.text.split()
            placed.append(Said(at, at + len(piece), at - first * 20 / rate, rate / 20, lesson))
            at += len(piece) + int(rng.exponential(PAUSE))
        if not text:
            return self.row(rng, samples)
        clean = rng.random() < self.training["clean"]
        return augment.gentle(rng, audio) if clean else augment.spoil(rng, audio, self.clips), text, placed

    def states(self, placed, frames):
        """(float16 [rows, frames, WIDTH], bool [rows, frames]): what the teacher made of the moment in the
        middle of each frame, between two of its own frames; of variance 1."""
        states = np.zeros((len(placed), frames, moonshine.WIDTH), np.float16)
        known = np.zeros((len(placed), frames), bool)
        middle = self.hop * np.arange(frames) + (self.field - 1) / 2
        for row, ones in enumerate(placed):
            for said in ones:
                at = ((middle - said.start) * said.faster - (moonshine.FIELD - 1) / 2) / moonshine.HOP
                inside = (middle >= said.first) & (middle < said.after)
                heard = inside & (at >= 0) & (at < said.lesson.frames - 1)
                before = at[heard].astype(int)
                share = (at[heard] - before)[:, None].astype(np.float32)
                there = (said.lesson.states.astype(np.float32) - self.mean) / self.deviation
                states[row, heard] = (1 - share) * there[before] + share * there[before + 1]
                known[row] |= heard
        return torch.from_numpy(states), torch.from_numpy(known)
