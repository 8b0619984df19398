"""Many speakers out of one: hibari-tts, a small English voice (Apache-2.0; its wheel holds the weights), gives pitch,
harmonics and noise of every frame apart, and so pitch, size of the head, breath and accent can be another's each time.
"""

import functools
import re

import numpy as np
from hibari import Hibari, dsp

VOICED = 40.0  # Hz; below that a frame has no pitch
VOWELS = "aeiouæɑɐɒɔəɛɜɪʊʌᵊᵻAIOQWY"

# What another mother tongue or region may make of a sound, as hibari writes it.
ACCENTS = (
    (f"ɹ(?![ˈˌ]?[{VOWELS}])", ""),
    ("θ", "t"), ("θ", "s"), ("θ", "f"), ("ð", "d"), ("ð", "z"), ("v", "w"), ("w", "v"), ("T", "t"), ("z", "s"), ("ŋ", "n"),
    ("æ", "ɛ"), ("ɪ", "i"), ("ʌ", "ɑ"), ("æ", "a"), ("ɔ", "O"), ("ʊ", "u"),
    (r"b(?= |$)", "p"), (r"d(?= |$)", "t"), (r"ɡ(?= |$)", "k"), (r"([td])(?= |$)", ""),
)
ACCENT, RULES = 0.5, 0.08  # shares: of speakers with an accent, and of the rules in one

# (share, lowest and highest mean pitch in Hz, the same of formants against the voice's own, a woman's)
PEOPLE = ((0.45, (85.0, 160.0), (0.80, 0.94)), (0.42, (155.0, 250.0), (0.92, 1.08)), (0.13, (220.0, 330.0), (1.06, 1.24)))


@functools.cache
def voice():
    return Hibari()


def decibels(db):
    return np.float32(np.log(10.0) / 20.0 * db)  # what is added to a logarithm


class Speaker:
    """Drawn anew from the generator."""

    def __init__(self, rng):
        _, pitch, size = PEOPLE[rng.choice(len(PEOPLE), p=[share for share, *_ in PEOPLE])]
        self.pitch, self.size = rng.uniform(*np.log(pitch)), rng.uniform(*size)
        self.lively = rng.uniform(0.4, 1.6)  # spread of the pitch against the voice's own
        self.tremor = rng.uniform(0.0, 0.03)  # of the pitch, from frame to frame
        self.tempo = rng.uniform(0.75, 1.35)
        self.breath, self.rest = decibels(rng.uniform(-4.0, 8.0)), decibels(rng.uniform(-20.0, -4.0))
        self.tilt = decibels(rng.uniform(-4.0, 3.0))  # an octave
        self.rules = [rule for rule in ACCENTS if rng.random() < RULES] if rng.random() < ACCENT else []

    def pronounced(self, phonemes):
        for sound, other in self.rules:
            phonemes = re.sub(sound, other, phonemes)
        return phonemes

    def pitched(self, rng, pitch):
        """[frames] in Hz -> the same melody around another mean"""
        voiced = pitch > VOICED
        if not voiced.any():
            return pitch
        melody = np.log(np.maximum(pitch, VOICED))
        melody = self.pitch + self.lively * (melody - melody[voiced].mean())
        melody += self.tremor * rng.standard_normal(len(pitch))
        return np.where(voiced, np.exp(melody), 0.0).astype(np.float32)

    def sized(self, spectrum):
        """[bins, frames] -> formants as high as those of a head of that size"""
        bins = len(spectrum)
        at = np.minimum(np.arange(bins) / self.size, bins - 1.001)
        below = at.astype(int)
        share = (at - below)[:, None].astype(np.float32)
        return (1 - share) * spectrum[below] + share * spectrum[below + 1]

    def say(self, rng, text):
        """text -> float32 samples at 24 kHz, those of sentences one after the other"""
        spoken = [self.speak(rng, self.pronounced(phonemes)) for phonemes in voice().phonemize(text)]
        return np.concatenate(spoken) if spoken else np.zeros(0, np.float32)

    def speak(self, rng, phonemes):
        tts = voice()
        asked = {"ids": np.array([tts.ids(phonemes)], np.int64), "speed": np.array([self.tempo], np.float32)}
        harmonics, turn, noise, rest, phase, pitch = (made[0] for made in tts.sess.run(None, asked))
        octave = np.log2(np.maximum(np.arange(len(noise)) * dsp.SR / dsp.N_FFT, 200.0) / 1000.0)[:, None]
        tilt = self.tilt * octave.astype(np.float32)
        return dsp.synth(self.sized(harmonics) + tilt, turn, self.sized(noise) + tilt + self.breath,
                         self.sized(rest) + tilt + self.rest, phase, self.pitched(rng, pitch), rng)
