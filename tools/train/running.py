"""Training examples of running speech. Batch n depends on the seed and on n alone.

Every row of a batch is filled from end to end: whole recordings and parts of them, cut between
words, with pauses from none to a second. Nothing is padding. A row may begin and end inside a word,
which is not written down, as a stream's window does.
"""

import numpy as np

import align
import augment
from corpus import RATE
from mixture import UNKNOWN, Batch
from recipe import receptive_field

EDGE = 80  # samples of fading where speech was cut


class Running:
    """`clips`: with `words` [(word, start, stop)] and `sounds`, both in frames of 10 ms."""

    def __init__(self, recipe, clips):
        self.field, self.hop = receptive_field(recipe["model"])
        self.training = recipe["training"]
        self.seed = recipe.get("seed", 0)
        self.clips = [clip for clip in clips if clip.words]
        weights = recipe["data"].get("source_weights", {})
        share = np.array([weights.get(c.source, 1.0) * c.samples for c in self.clips])
        self.cumulative = np.cumsum(share / share.sum())
        self.vocabulary = align.PHONES[1:]

    def describe(self):
        hours = sum(clip.samples for clip in self.clips) / RATE / 3600
        return f"{len(self.clips)} recordings, {hours:.1f} h"

    def batch(self, number):
        rng = np.random.default_rng([self.seed, number])
        early = number < self.training["short_steps"]
        seconds = rng.choice(self.training["short_seconds" if early else "seconds"])
        samples = int(seconds * RATE)
        count = max(1, round(self.training["batch_seconds"] / seconds))
        rows = [self.row(rng, samples, early) for _ in range(count)]
        audio, said, spans, places = zip(*rows)
        return Batch(np.stack(audio), list(said), list(said), np.stack(places),
                     list(spans), early)

    def row(self, rng, samples, early):
        audio, spans, sounds = self.fill(rng, samples)
        if early or rng.random() < self.training["clean"]:
            audio = augment.gentle(rng, audio)
        else:
            audio = augment.spoil(rng, audio, self.clips)
        middles = self.field // 2 + np.arange(0, samples - self.field + 1, self.hop)
        places = sounds[np.minimum(middles // align.FRAME, len(sounds) - 1)].astype(np.int64)
        places[places == align.UNKNOWN] = UNKNOWN
        return audio, [word for word, _, _ in spans], spans, places

    def draw(self, rng):
        return self.clips[min(np.searchsorted(self.cumulative, rng.random()), len(self.clips) - 1)]

    def fill(self, rng, samples):
        """(float32 [samples], [(word, first sample, last + 1)], phones [10 ms])"""
        audio = np.zeros(samples, np.float32)
        sounds = np.zeros(samples // align.FRAME + 1, np.uint8)
        spans = []
        at = 0 if rng.random() < 0.5 else int(rng.uniform(0.0, 0.5) * RATE)
        for _ in range(12):
            clip = self.draw(rng)
            rate = int(rng.integers(18, 24)) if rng.random() < 0.7 else 20
            stop = self.place(rng, clip, rate, at, audio, sounds, spans)
            if stop >= samples - RATE // 2:
                break
            at = stop + int(rng.exponential(0.2) * RATE)
            if at > samples - RATE // 2:
                break
        return audio, spans, sounds

    def place(self, rng, clip, rate, at, audio, sounds, spans):
        """Puts as many words of `clip` as fit at sample `at`; returns the sample after them."""
        scale = 20.0 / rate
        room = len(audio) - at
        first = 0
        if at == 0 or clip.samples * scale > room:
            first = int(rng.integers(0, max(1, len(clip.words) - 1)))
        begin = self.beginning(rng, clip, first, at)
        end, last = self.ending(clip, first, begin + int(room / scale) - 1)
        if last == first:
            return at
        piece = augment.speed(clip.audio[begin:end].astype(np.float32) / 32768.0, rate)[:room]
        if rng.random() < 0.15:
            piece = augment.pitch(piece, int(rng.integers(17, 25)))
        piece *= 0.1 / augment.rms(piece) * augment.decibels(rng.uniform(-4.0, 4.0))
        ramp = np.linspace(0.0, 1.0, EDGE, dtype=np.float32)
        if begin > 0 and at > 0:
            piece[:EDGE] *= ramp
        if at + len(piece) < len(audio):
            piece[-EDGE:] *= ramp[::-1]
        audio[at : at + len(piece)] = piece
        for word, start, stop in clip.words[first:last]:
            place = [at + int((edge * align.FRAME - begin) * scale) for edge in (start, stop)]
            spans.append((word, max(at, place[0]), place[1]))
        here = np.arange(at // align.FRAME, (at + len(piece)) // align.FRAME)
        there = begin // align.FRAME + ((here - at // align.FRAME) / scale).astype(int)
        sounds[here] = clip.sounds[np.minimum(there, len(clip.sounds) - 1)]
        return at + len(piece)

    def beginning(self, rng, clip, first, at):
        """The first sample: half the pause before the word, or within the word before it."""
        start = clip.words[first][1]
        before = clip.words[first - 1][2] if first else 0
        if first and at == 0 and rng.random() < 0.4:  # cut off: less than half a word is heard
            before -= int(rng.uniform(0.0, 0.45) * (before - clip.words[first - 1][1]))
            return before * align.FRAME
        lead = min(start - before, int(rng.integers(5, 60))) if first == 0 else (start - before) // 2
        return max(0, (start - lead) * align.FRAME)

    def ending(self, clip, first, limit):
        """(the sample to stop before, the number of the word to stop before)"""
        last = first
        while last < len(clip.words) and clip.words[last][2] * align.FRAME <= limit:
            last += 1
        if last == len(clip.words):
            return min(limit, clip.samples, (clip.words[-1][2] + 30) * align.FRAME), last
        _, start, stop = clip.words[last]
        if limit < (start + 0.45 * (stop - start)) * align.FRAME:
            return limit, last  # the row ends inside a word that is not heard out
        return (clip.words[last - 1][2] + start) // 2 * align.FRAME, last
