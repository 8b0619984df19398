"""Greedy decoding and word error rate."""

from dataclasses import dataclass

import numpy as np
import torch

from network import log_probs


@dataclass
class Errors:
    substituted: int = 0
    deleted: int = 0
    inserted: int = 0
    words: int = 0

    def __add__(self, other):
        return Errors(*(a + b for a, b in zip(self.parts(), other.parts())))

    def parts(self):
        return self.substituted, self.deleted, self.inserted, self.words

    @property
    def rate(self):
        return (self.substituted + self.deleted + self.inserted) / max(1, self.words)

    def __str__(self):
        s, d, i, n = self.parts()
        return f"{100 * self.rate:6.2f} % of {n} words ({s} wrong, {d} lost, {i} added)"


def compare(reference, hypothesis):
    """The fewest substitutions, deletions and insertions between two lists of words."""
    row = [(j, 0, 0, j) for j in range(len(hypothesis) + 1)]  # (cost, sub, del, ins)
    for i, word in enumerate(reference, 1):
        above, row = row, [(i, 0, i, 0)]
        for j, other in enumerate(hypothesis, 1):
            c, s, d, n = above[j - 1]
            best = (c + (word != other), s + (word != other), d, n)
            c, s, d, n = above[j]
            best = min(best, (c + 1, s, d + 1, n))
            c, s, d, n = row[j - 1]
            row.append(min(best, (c + 1, s, d, n + 1)))
    _, s, d, n = row[-1]
    return Errors(s, d, n, len(reference))


def transcribe(model, audio, alphabet, limits=None, normalise=False):
    """int16 or float samples of one recording -> text in the signs of `alphabet`, as network.log_probs hears it."""
    if audio.dtype == np.int16:
        audio = audio.astype(np.float32) / 32768.0
    batch = torch.from_numpy(np.ascontiguousarray(audio))[None].to(next(model.parameters()).device)
    return alphabet.read(log_probs(model, batch, limits, normalise)[0].argmax(-1).tolist())
