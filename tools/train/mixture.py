"""Training examples, composed on the spot. Batch n depends on the seed and on n alone."""

from dataclasses import dataclass

import numpy as np

import augment
from corpus import RATE
from cut import FRAME
from recipe import receptive_field

STRANGE = 0.4  # of the words in a lonely row
UNKNOWN = -1  # nobody said where the words are

@dataclass
class Batch:
    audio: np.ndarray  # float32 [examples, samples]
    printed: list  # words to print, an example; None where the sound alone cannot tell
    heard: list  # every word spoken
    places: np.ndarray  # int64 [examples, frames]: word number + 1, 0 none, UNKNOWN
    spans: list  # [(word, start, stop)] or None, an example
    early: bool  # one of the short steps


class Voices:
    """Single words by who says them. A voice is drawn by the root of how much it says, between any
    clip alike and any voice alike, times its source's weight."""

    def __init__(self, singles, weights):
        self.clips = {}
        for clip in singles:
            self.clips.setdefault(clip.text, {}).setdefault(clip.speaker, []).append(clip)
        self.words = sorted(self.clips)
        said, source = {}, {}
        for clip in singles:
            said[clip.speaker] = said.get(clip.speaker, 0) + 1
            source[clip.speaker] = clip.source
        self.names = sorted(said)
        weight = {v: weights.get(source[v], 1.0) * said[v] ** 0.5 for v in said}
        self.share = self.cumulative(weight, self.names)
        self.holders = {word: sorted(by_voice) for word, by_voice in self.clips.items()}
        self.shares = {word: self.cumulative(weight, names) for word, names in self.holders.items()}

    def cumulative(self, weight, names):
        total = np.cumsum([weight[name] for name in names])
        return total / total[-1] if len(total) else total

    def draw(self, rng):
        return self.names[np.searchsorted(self.share, rng.random())]

    def say(self, rng, word, voice=None):
        """A clip of the word by that voice, or by any where it does not say it."""
        if voice not in self.clips[word]:
            voice = self.holders[word][np.searchsorted(self.shares[word], rng.random())]
        clips = self.clips[word][voice]
        return clips[rng.integers(len(clips))]


class Mixture:
    """`singles`: one kept word a clip; `strings`: kept words only; `speech`: anything; `strangers`: one
    word a clip that is not kept."""

    def __init__(self, recipe, words, singles, strings, speech, strangers):
        self.field, self.hop = receptive_field(recipe["model"])
        self.shares = recipe["mixture"]
        self.short_shares = recipe.get("short_mixture", self.shares)
        self.training = recipe["training"]
        self.seed = recipe.get("seed", 0)
        self.words, self.singles = words, len(singles)
        self.strings, self.speech, self.strangers = strings, speech, strangers
        weights = recipe["data"].get("source_weights", {})
        self.voices = Voices(singles, recipe["data"].get("voice_weights", {}))
        self.vocabulary = self.voices.words
        self.string_weights = np.array([weights.get(c.source, 1.0) for c in strings])
        self.kinds = {
            "words": self.row,
            "strings": self.string,
            "speech": self.sentence,
            "noise": self.noise,
        }
        self.lengths = np.array([c.samples for c in speech]) if speech else np.zeros(0)

    def describe(self):
        return (f"{len(self.strings)} strings, {len(self.speech)} sentences, "
                f"{self.singles} single words of {len(self.voices.names)} voices, "
                f"{len(self.strangers)} other words")

    def batch(self, number):
        rng = np.random.default_rng([self.seed, number])
        early = number < self.training["short_steps"]
        seconds = rng.choice(self.training["short_seconds" if early else "seconds"])
        samples = int(seconds * RATE)
        count = max(1, round(self.training["batch_seconds"] / seconds))
        shares = self.short_shares if early else self.shares
        kinds, weights = list(shares), np.array(list(shares.values()))
        examples = []
        for kind in rng.choice(kinds, size=count, p=weights / weights.sum()):
            audio, printed, heard, spans = self.kinds[kind](rng, samples)
            clean = audio
            if early or rng.random() < self.training["clean"]:
                audio = augment.gentle(rng, audio)
            else:
                audio = augment.spoil(rng, audio, self.speech)
            if rng.random() < self.training.get("other_silence", 0.0):
                audio = augment.other_silence(rng, audio, clean)
            examples.append((audio, printed, heard, spans))
        audio, printed, heard, spans = zip(*examples)
        places = np.stack([self.places(known, samples) for known in spans])
        return Batch(np.stack(audio), list(printed), list(heard), places,
                     list(spans), early)

    def places(self, spans, samples):
        """The word at the middle of each frame."""
        middles = self.field // 2 + np.arange(0, samples - self.field + 1, self.hop)
        if spans is None:
            return np.full(len(middles), UNKNOWN)
        found = np.zeros(len(middles), np.int64)
        for word, start, stop in spans:
            found[(middles >= start) & (middles < stop)] = 1 + self.vocabulary.index(word)
        return found

    # Kinds of examples: each returns (float32 [samples], printed words or None, heard words,
    # [(word, start, stop)] or None).

    def noise(self, rng, samples):
        level = augment.coloured_noise(rng, samples)
        if rng.random() < 0.3:  # thumps and clicks
            for at in rng.integers(0, samples, rng.integers(1, 6)):
                click = level[: min(int(rng.uniform(0.002, 0.2) * RATE), samples - at)]
                level[at : at + len(click)] += click * rng.uniform(2, 20)
        return level * 0.05, [], [], []

    def row(self, rng, samples):
        """Single words of one voice (mostly) in disguise, in a row, pauses from none at all to a second;
        in lonely rows a word or few, with seconds around each, and some of them others than are kept. Some
        rows say the same word again and again, some begin with a word and some end with one."""
        audio = np.zeros(samples, np.float32)
        one_voice = rng.random() < 0.6
        voice = self.voices.draw(rng)
        disguise = augment.Disguise(rng)
        lonely = "lonely" in self.training and rng.random() < self.training["lonely"]
        pause = 3.0 if lonely else rng.choice([0.0, 0.0, 0.0, 0.0, 0.02, 0.06, 0.2, 0.6, 1.0])
        again = 0.75 if rng.random() < 0.3 else 0.0
        before = min(0.5 * samples / RATE, 3.0 if lonely else 1.0)
        at = int(rng.uniform(0.0, before) * RATE * (rng.random() < 0.7))
        last = min(0.06, 0.4 * RATE / samples)  # nearly half of the long rows are full
        spans, heard, word = [], [], None
        while True:
            strange = lonely and self.strangers and rng.random() < STRANGE
            if word is None or rng.random() >= again:
                word = self.vocabulary[rng.integers(len(self.vocabulary))]
            if not one_voice and rng.random() < 0.7:
                disguise = augment.Disguise(rng)
            clip = (self.strangers[rng.integers(len(self.strangers))] if strange
                    else self.voices.say(rng, word, voice if one_voice else None))
            piece = disguise.put_on(rng, clip.audio.astype(np.float32) / 32768.0)
            if at + len(piece) > samples:
                break
            edge = min(rng.integers(16, 160), len(piece) // 4)
            ramp = np.linspace(0.0, 1.0, edge, dtype=np.float32)
            piece[:edge] *= ramp
            piece[-edge:] *= ramp[::-1]
            audio[at : at + len(piece)] += piece
            heard.append(clip.text)
            end = at + len(piece)
            if not strange:
                spans.append((clip.text, at, end))
            at = end + int(rng.exponential(pause) * RATE) - int(rng.uniform(0, 0.04) * RATE)
            at = max(at, end - len(piece) // 4)
            if rng.random() < last:
                break
        if not heard:
            return self.noise(rng, samples)
        if rng.random() < 0.4:
            audio = augment.narrowed(audio)
        if rng.random() < 0.2:
            late = samples - end
            audio = np.roll(audio, late)
            spans = [(word, start + late, stop + late) for word, start, stop in spans]
        return audio, [word for word, _, _ in spans], heard, spans

    def joined(self, rng, samples, clips, most):
        """(audio, text, spans) of up to `most` whole recordings with pauses and silence after."""
        audio, said, spans = np.zeros(samples, np.float32), [], []
        at = int(rng.uniform(0.0, 0.5 if rng.random() < 0.6 else 1.5) * RATE)
        rate = int(rng.integers(17, 25))
        pause = rng.choice([0.0, 0.2, 0.8])
        for _ in range(max(8, 2 * most)):
            clip = clips[rng.integers(len(clips))]
            if at + clip.samples * 20 // rate + 1 > samples:
                continue
            piece = augment.speed(clip.audio.astype(np.float32) / 32768.0, rate)
            piece *= 0.1 / augment.rms(piece) * augment.decibels(rng.uniform(-4.0, 4.0))
            audio[at : at + len(piece)] = piece[: samples - at]
            said.append(clip.text)
            scale = FRAME * 20 / rate
            spans += [(word, at + int(start * scale), at + int(stop * scale))
                      for word, start, stop in clip.words] or [None]
            at += len(piece) + int(rng.exponential(pause) * RATE)
            most -= 1
            if most == 0:
                break
        return audio, " ".join(said), None if None in spans else spans

    def part(self, text):
        return self.words.printed(text) if self.words.is_sure(text) else None

    def string(self, rng, samples):
        fitting = np.flatnonzero([c.samples < samples for c in self.strings])
        if len(fitting) == 0:
            return self.row(rng, samples)
        share = self.string_weights[fitting]
        most = max(4, samples * 2 // (3 * RATE))
        chosen = rng.choice(fitting, 2 * most, p=share / share.sum())
        audio, text, spans = self.joined(rng, samples, [self.strings[i] for i in chosen], most)
        if not text:
            return self.row(rng, samples)
        return audio, text.split(), text.split(), spans

    def sentence(self, rng, samples):
        """A sentence that fits; of its words only the kept ones are printed."""
        fitting = np.flatnonzero((self.lengths < samples) & (self.lengths > 0.4 * samples))
        if len(fitting) == 0:
            return self.row(rng, samples)
        chosen = [self.speech[i] for i in rng.choice(fitting, 4)]
        audio, text, _ = self.joined(rng, samples, chosen, 1)
        if not text:
            return self.row(rng, samples)
        return audio, self.part(text), text.split(), None
