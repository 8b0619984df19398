"""Self-supervised pre-training: wav2vec 2.0's contrastive task (Baevski et al. 2020, arXiv:2006.11477) on all
the audio there is, with or without a text. The model is transformers'; its loss is computed by products of
matrices, for its own pass holds a vector for each frame and code word, and each frame and negative."""

import contextlib
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from transformers.models.wav2vec2.modeling_wav2vec2 import (
    _compute_mask_indices, _sample_negative_indices)

import augment
import network
from corpus import RATE
from recipe import receptive_field
from stage import Stage

SAME = 0.9999  # cosine of two code words that are one
NEVER = 1e-7  # added to the probability of a code word before its logarithm
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


def coded(quantizer, features, masked):
    """Features [batch, frames, width] -> (their code words, [batch, frames, n]; perplexity where masked)"""
    groups, words = quantizer.num_groups, quantizer.num_vars
    scores = quantizer.weight_proj(features).flatten(0, 1).unflatten(-1, (groups, words))
    if quantizer.training:
        chosen = nn.functional.gumbel_softmax(scores, tau=quantizer.temperature, hard=True)
        likely = scores.softmax(-1)
    else:
        likely = chosen = nn.functional.one_hot(scores.argmax(-1), words).float()
    book = quantizer.codevectors.view(groups, words, -1)
    made = torch.einsum("ngw,gwd->ngd", chosen, book).reshape(*features.shape[:2], -1)
    share = likely[masked.flatten()].mean(0)
    entropy = -(share * (share + NEVER).log()).sum(-1)
    return made, entropy.exp().sum()


def contrast(predicted, right, masked, others, temperature):
    """(sum over masked frames of -log the probability of the right code word among the others', mean cosine)"""
    predicted, right = nn.functional.normalize(predicted, dim=-1), nn.functional.normalize(right, dim=-1)
    frames = predicted.shape[1]
    others = others - frames * torch.arange(len(others), device=others.device)[:, None, None]
    similar = (predicted @ right.transpose(1, 2)) / temperature
    same = (right @ right.transpose(1, 2) > SAME).gather(2, others)
    wrong = similar.gather(2, others).masked_fill(same, -torch.inf)
    own = similar.diagonal(dim1=1, dim2=2)
    scores = torch.cat([own[:, :, None], wrong], -1)[masked]
    return -scores.log_softmax(-1)[:, 0].sum(), own[masked].mean() * temperature


def losses(model, audio, masked, others, precision=None):
    """What transformers' own pass of Wav2Vec2ForPreTraining gives: (contrastive, diversity loss, mean cosine).
    `precision` is for the network: cosines and code words are too fine for bfloat16."""
    inner, config = model.wav2vec2, model.config
    with precision or contextlib.nullcontext():
        features = inner.feature_projection.layer_norm(network.extracted(inner, audio))
        hidden = inner.feature_projection.projection(features)
        hidden = torch.where(masked[:, :, None], inner.masked_spec_embed.to(hidden.dtype), hidden)
        hidden = network.encode(inner.encoder, hidden, None)[0]
    words, perplexity = coded(model.quantizer, features.float(), masked)
    found, cosine = contrast(model.project_hid(hidden.float()), model.project_q(words), masked, others,
                             config.contrastive_logits_temperature)
    count = config.num_codevectors_per_group * config.num_codevector_groups
    return found, (count - perplexity) / count * masked.sum(), cosine


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
        found, diversity, cosine = losses(self.module, audio, masked, others, self.precision)
        count = masked.sum()
        total = found + self.module.config.diversity_loss_weight * diversity
        return total / count, [found / count, diversity / count, cosine]

    def keep(self, path):
        """The part that a recogniser begins with."""
        kept = {name: value.cpu() for name, value in self.module.wav2vec2.state_dict().items()
                if name != "masked_spec_embed"}
        torch.save(kept, path)
