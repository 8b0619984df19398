"""Rooms by the image method (Allen and Berkley, 1979): a box, a mouth and a microphone in it."""

import numpy as np

from corpus import RATE

SOUND = 343.0  # m/s
IMAGES = 9  # walls to each side that a sound may have passed; later sound decays as noise anyway
POOL = 48  # rooms, made once


def axis(source, microphone, length, reflect):
    """Along one axis, of every image: (distance to the microphone, what the walls left of it)."""
    box = np.arange(-IMAGES, IMAGES + 1)[:, None]
    turned = np.array([0, 1])[None, :]
    distance = (1 - 2 * turned) * source + 2 * box * length - microphone
    bounces = np.abs(box - turned) + np.abs(box)
    return distance.ravel(), (reflect ** bounces).ravel()


def response(rng):
    """float32 [samples]: the direct sound first, with energy 1, then what the walls send back."""
    size = np.array([rng.uniform(2.5, 10.0), rng.uniform(2.5, 8.0), rng.uniform(2.2, 4.0)])
    reflect = np.sqrt(1.0 - rng.uniform(0.15, 0.7))
    source = size * rng.uniform(0.2, 0.8, 3)
    toward = rng.standard_normal(3) * [1.0, 1.0, 0.4]
    away = rng.uniform(0.3, 2.5) * toward / np.linalg.norm(toward)
    microphone = np.clip(source + away, 0.1, size - 0.1)
    parts = [axis(s, m, l, reflect) for s, m, l in zip(source, microphone, size)]
    (x, a), (y, b), (z, c) = parts
    distance = np.sqrt(x[:, None, None] ** 2 + y[:, None] ** 2 + z**2).ravel()
    strength = (a[:, None, None] * b[:, None] * c).ravel() / np.maximum(distance, 0.1)
    at = (distance - distance.min()) / SOUND * RATE
    near = at < 0.5 * RATE
    whole = at[near].astype(int)
    share = at[near] - whole
    made = np.zeros(RATE // 2 + 2)
    np.add.at(made, whole, strength[near] * (1 - share))  # between two samples
    np.add.at(made, whole + 1, strength[near] * share)
    made[80:] -= np.convolve(made, np.ones(160) / 160, "same")[80:]  # real walls pass the lowest
    return (made / np.linalg.norm(made[:16])).astype(np.float32)


class Rooms:
    """The same rooms for the same seed."""

    def __init__(self, seed):
        self.responses = [response(np.random.default_rng([seed, n, 3])) for n in range(POOL)]

    def draw(self, rng):
        return self.responses[rng.integers(POOL)]
