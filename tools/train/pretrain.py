"""Self-supervised pre-training: wav2vec 2.0's contrastive task, by transformers' own model, on all
the audio there is, with or without a text."""

from dataclasses import dataclass

import numpy as np
import torch
from transformers.models.wav2vec2.modeling_wav2vec2 import (
    _compute_mask_indices, _sample_negative_indices)

import augment
import network
from corpus import RATE
from recipe import receptive_field
from stage import Stage

WARM, COLD = 2.0, 0.5  # temperature of the Gumbel choice of code words, at the first and last step


@dataclass
class Snippets:
    audio: np.ndarray  # float32 [examples, samples]
    masked: np.ndarray  # bool [examples, frames]
    others: np.ndarray  # int [examples, frames, negatives]: frames to tell the right one from


class Listening:
    """Rows of audio without gaps, from anywhere in the recordings. Batch n depends on n alone."""

    def __init__(self, recipe, clips):
        self.field, self.hop = receptive_field(recipe["model"])
        self.training, self.seed = recipe["pretraining"], recipe.get("seed", 0)
        self.clips = clips
        lengths = np.array([clip.samples for clip in clips])
        self.cumulative = np.cumsum(lengths / lengths.sum())

    def row(self, rng, samples):
        audio, at = np.zeros(samples, np.float32), 0
        while at < samples:
            chosen = min(np.searchsorted(self.cumulative, rng.random()), len(self.clips) - 1)
            voice = self.clips[chosen].audio
            start = int(rng.integers(0, max(1, len(voice) - (samples - at) + 1)))
            piece = voice[start : start + samples - at].astype(np.float32) / 32768.0
            audio[at : at + len(piece)] = piece * (0.1 / max(augment.rms(piece), 1e-3))
            at += len(piece)
        if rng.random() < self.training["clean"]:
            return augment.gentle(rng, audio)
        return augment.spoil(rng, audio, self.clips)

    def batch(self, number):
        rng = np.random.default_rng([self.seed, number, 2])
        samples = int(rng.choice(self.training["seconds"]) * RATE)
        count = max(1, round(self.training["batch_seconds"] * RATE / samples))
        audio = np.stack([self.row(rng, samples) for _ in range(count)])
        shape = (count, (samples - self.field) // self.hop + 1)
        np.random.seed(rng.integers(2**32))  # what transformers' two functions draw from
        masked = _compute_mask_indices(shape, self.training["mask_share"],
                                       self.training["mask_frames"], min_masks=2)
        others = _sample_negative_indices(shape, self.training["negatives"], masked)
        return Snippets(audio, masked, others)


class Pretraining(Stage):
    columns = ("contrast", "diversity", "right")

    def __init__(self, recipe, session, minutes=None):
        torch.manual_seed(recipe.get("seed", 0))
        module = network.build_for_pretraining(recipe)
        super().__init__(module, recipe["pretraining"], recipe.get("seed", 0), session,
                         "pretraining.pt", minutes)
        self.resume()

    def losses(self, batch):
        device = self.session.device
        audio, masked, others = (torch.from_numpy(part).to(device, non_blocking=True)
                                 for part in (batch.audio, batch.masked, batch.others))
        self.module.set_gumbel_temperature(WARM * (COLD / WARM) ** self.done())
        with self.precision:
            out = self.module(audio, mask_time_indices=masked, sampled_negative_indices=others)
        count = masked.sum()
        similar = torch.cosine_similarity(out.projected_states, out.projected_quantized_states, -1)
        return out.loss / count, [out.contrastive_loss / count, out.diversity_loss / count,
                                  similar[masked].mean()]

    def keep(self, path):
        """The part that a recogniser begins with."""
        kept = {name: value.cpu() for name, value in self.module.wav2vec2.state_dict().items()
                if name != "masked_spec_embed"}
        torch.save(kept, path)
