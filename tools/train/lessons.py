"""What a teacher (moonshine.py) makes of the recordings, made once and kept in WORK: texts for those that
have none, and its output, which a student imitates. Batch n depends on the seed and on n alone.

A row holds whole recordings, each from a frame's first sample on, so that frame t of the teacher's
recording is frame t of the student's, counted from there."""

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


def spelled(text):
    """The teacher's writing -> A-Z, apostrophe, spaces; None where figures or nothing were written."""
    text = text.upper().replace("’", "'").replace("-", " ").replace("&", " AND ")
    if re.search(r"\d", text):
        return None
    return " ".join(re.sub(r"[^A-Z' ]", " ", text).split()) or None


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
        text = spelled(text) if sure > SURE else None
        texts.append(text if text and len(text) < FASTEST * clip.samples / RATE else None)
    return texts


def listen(clips, path, device):
    """Writes the teacher's output for all clips, float16 [frames, WIDTH] one after the other."""
    encoder = moonshine.encoder(path.parent).to(device)
    partial, ends = path.with_suffix(".tmp"), frame_ends(clips)
    kept = np.lib.format.open_memmap(partial, "w+", np.float16, (int(ends[-1]), moonshine.WIDTH))
    for clip, end in zip(clips, ends):
        count = moonshine.frames(clip.samples)
        if count > 0:
            audio = torch.from_numpy(clip.audio.astype(np.float32) / 32768.0)[None].to(device)
            with torch.inference_mode():
                kept[end - count : end] = encoder(audio).last_hidden_state[0].half().cpu().numpy()
    kept.flush()
    os.replace(partial, path)


def frame_ends(clips):
    return np.cumsum([moonshine.frames(clip.samples) for clip in clips])


@dataclass(frozen=True)
class Lesson:
    """One recording: its text, if that is known, and the teacher's output, float16 [frames, WIDTH]."""

    clip: corpus.Clip
    text: str
    states: np.ndarray

    @property
    def frames(self):
        return len(self.states)


def load(clips, texts, split, work, device="cpu"):
    """[Lesson], without recordings too short for the teacher, which listens on `device`."""
    path = Path(work) / f"{split}.states.npy"
    if not path.exists():
        listen(clips, path, device)
    states, ends = np.load(path, mmap_mode="r"), frame_ends(clips)
    if len(states) != ends[-1]:
        raise SystemExit(f"{path}: made from other recordings; delete it and start again")
    starts = np.concatenate([[0], ends[:-1]])
    return [Lesson(clip, text, states[start:end])
            for clip, text, start, end in zip(clips, texts, starts, ends) if end - start > SHORTEST]


@dataclass
class Rows:
    audio: torch.Tensor  # float32 [rows, samples]; None where lessons are given without sound
    texts: list  # of words; None where that of a recording is not known
    states: torch.Tensor  # float16 [rows, frames, WIDTH] of the teacher, 0 where there are none
    known: torch.Tensor  # bool [rows, frames]: where there are such
    spread: float  # their variance as the student has them, which is always the same


class School:
    """Rows of whole recordings in rooms, noise and pauses, some of them faster or slower, which the
    teacher did not hear so. `scale` [WIDTH]: what the student divides the teacher's output by."""

    def __init__(self, recipe, section, lessons, scale):
        self.field, self.hop = receptive_field(recipe["model"])
        if self.hop != moonshine.HOP:
            raise SystemExit(f"conv_stride: a student's frames are {moonshine.HOP} samples apart, as its teacher's")
        # The teacher's frame whose middle lies where that of the student's frame 0 does.
        self.shift = round((self.field - moonshine.FIELD) / 2 / self.hop)
        self.section, self.seed = recipe[section], recipe.get("seed", 0)
        self.lessons = lessons
        room = int(min(self.section["seconds"]) * RATE) // self.hop - 2 * self.shift - 20
        if min((lesson.frames for lesson in lessons), default=room) >= room:  # else a row may stay empty for ever
            raise SystemExit(f"[{section}] seconds: no recording fits in, or none has a text")
        self.clips = [lesson.clip for lesson in lessons]
        weights = recipe["data"].get("source_weights", {})
        share = np.array([weights.get(clip.source, 1.0) * clip.samples for clip in self.clips])
        self.cumulative = np.cumsum(share / share.sum())
        some = [lesson.states for lesson in lessons[:: -(-len(lessons) // SAMPLE)]]
        self.spread = float((np.concatenate(some).astype(np.float32) / scale).var(0).mean())

    def describe(self):
        hours = sum(clip.samples for clip in self.clips) / RATE / 3600
        return f"{len(self.lessons)} recordings, {hours:.1f} h"

    def draw(self, rng):
        return min(int(np.searchsorted(self.cumulative, rng.random())), len(self.lessons) - 1)

    def batch(self, number):
        rng = np.random.default_rng([self.seed, number, 3])
        seconds = rng.choice(self.section["seconds"])
        samples = int(seconds * RATE)
        count = max(1, round(self.section["batch_seconds"] / seconds))
        audio, texts, placed = zip(*(self.row(rng, samples) for _ in range(count)))
        frames = (samples - self.field) // self.hop + 1
        return Rows(torch.from_numpy(np.stack(audio)), list(texts), *self.states(placed, frames), self.spread)

    def row(self, rng, samples):
        """(float32 [samples], words or None, [(first frame, lesson)])"""
        audio, text, placed = np.zeros(samples, np.float32), [], []
        frames = samples // self.hop
        at = self.shift + int(rng.integers(0, 20))
        rate = int(rng.choice([17, 18, 19, 21, 22, 23])) if rng.random() < self.section["speed"] else 20
        for _ in range(14):
            lesson = self.lessons[self.draw(rng)]
            if at + lesson.frames * 20 // rate + self.shift + 1 > frames:
                continue
            piece = augment.speed(lesson.clip.audio.astype(np.float32) / 32768.0, rate)
            piece = piece[: samples - at * self.hop]
            piece *= 0.1 / augment.rms(piece) * augment.decibels(rng.uniform(-4.0, 4.0))
            audio[at * self.hop :][: len(piece)] = piece
            text.append(lesson.text)
            if rate == 20:
                placed.append((at - self.shift, lesson))
            at += -(-len(piece) // self.hop) + int(rng.exponential(8.0))
            if frames - at < 40:
                break
        if not text:
            return self.row(rng, samples)
        clean = rng.random() < self.section["clean"]
        audio = augment.gentle(rng, audio) if clean else augment.spoil(rng, audio, self.clips)
        return audio, None if None in text else " ".join(text).split(), placed

    def states(self, placed, frames):
        """(float16 [rows, frames, WIDTH], bool [rows, frames])"""
        states = np.zeros((len(placed), frames, moonshine.WIDTH), np.float16)
        known = np.zeros((len(placed), frames), bool)
        for row, ones in enumerate(placed):
            for first, lesson in ones:
                there = lesson.states[: frames - first]
                states[row, first : first + len(there)] = there
                known[row, first : first + len(there)] = True
        return torch.from_numpy(states), torch.from_numpy(known)


class Dictation:
    """Rows of the teacher's own output, without sound, and their texts."""

    def __init__(self, recipe, section, lessons, scale):
        self.section = recipe[section]
        self.school = School(recipe, section, lessons, scale)

    def describe(self):
        return self.school.describe()

    def batch(self, number):
        rng = np.random.default_rng([self.school.seed, number, 4])
        seconds = rng.choice(self.section["seconds"])
        frames = int(seconds * RATE) // moonshine.HOP
        count = max(1, round(self.section["batch_seconds"] / seconds))
        states, texts = np.zeros((count, frames, moonshine.WIDTH), np.float16), []
        for row in states:
            at, said = 0, []
            for lesson in (self.school.lessons[self.school.draw(rng)] for _ in range(14)):
                if at + lesson.frames <= frames:
                    row[at : at + lesson.frames] = lesson.states
                    at += lesson.frames
                    said += lesson.text.split()
                if frames - at < 40:
                    break
            texts.append(said)
        return Rows(None, texts, torch.from_numpy(states), None, self.school.spread)
