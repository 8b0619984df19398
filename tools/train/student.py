"""A student of a teacher that hears better (moonshine.py): CTC on all recordings, those whose text the teacher
wrote as well, while a middle layer tells what the teacher's encoder makes of the same moment (after Chang et
al. 2022, arXiv:2110.01900). Without that it prints blanks for a long time. With a `consistency_weight` each row
is heard twice, other parts left out, and both are to print the same (CR-CTC, Yao et al. 2024, arXiv:2410.05101),
which is a hindrance to learning by heart. (Tried: README.md.)
"""

import torch
from torch import nn

import labels
import moonshine
import network
from averaged import Averaged
from recipe import receptive_field

IDENTITY = 0.3  # what is left of the random weights of a convolution that begins by passing on
QUIET = 0.1  # and of the last ones of an encoder's layer


class LockedDropout(nn.Module):
    """Leaves channels of [batch, frames, channels] out of a whole row: on a CPU a draw for every frame would be a
    fifth of a step."""

    def __init__(self, share):
        super().__init__()
        self.share = share

    def forward(self, hidden):
        if not (self.training and self.share):
            return hidden
        kept = torch.rand(hidden.shape[0], 1, hidden.shape[2]) >= self.share
        return hidden * (kept / (1 - self.share)).to(hidden.device, hidden.dtype, non_blocking=True)


class Student(nn.Module):
    """The model to keep, and `likeness`, a head that only teaches and is thrown away."""

    def __init__(self, recipe):
        super().__init__()
        training = recipe["training"]
        self.views = 2 if training.get("consistency_weight") else 1
        self.model = network.build(recipe)
        self.middle_layer, self.dropout, self.masks = (training[name] for name in ("likeness_layer", "dropout", "masks"))
        self.likeness = nn.Linear(self.model.config.hidden_size, moonshine.WIDTH)
        extractor = self.model.wav2vec2.feature_extractor.conv_layers
        network.start_as_filterbank(extractor[0].conv, training["filterbank_gain"])
        for layer in extractor[2:]:
            pass_on(layer.conv)
        for layer in self.model.wav2vec2.encoder.layers:
            for last in (layer.attention.out_proj, layer.feed_forward.output_dense):
                last.weight.data.mul_(QUIET)
            locked = LockedDropout(training.get("locked_dropout", 0.0))
            layer.dropout = layer.feed_forward.intermediate_dropout = layer.feed_forward.output_dropout = locked

    def forward(self, audio, limits=None):
        """audio [batch, samples] -> (log-probs [views * batch, frames, labels], the teacher's output as it
        seems to be [views * batch, frames, WIDTH]); one view unless training; `limits` as network.Trainee's."""
        inner, dropout = self.model.wav2vec2, self.dropout if self.training else 0.0
        hidden = network.hear(inner, audio)
        if self.training:
            hidden = hidden.repeat(self.views, 1, 1)
        if self.training and self.masks:
            hidden = network.masked(hidden, *self.masks)
        hidden, middle = network.encode(inner.encoder, hidden, limits, self.middle_layer, dropout)
        middle = nn.functional.layer_norm(middle, middle.shape[-1:])
        return self.model.lm_head(hidden).float().log_softmax(-1), self.likeness(middle).float()


@torch.no_grad()
def pass_on(conv):
    conv.weight.mul_(IDENTITY)
    conv.weight[:, :, conv.kernel_size[0] // 2] += torch.eye(conv.weight.shape[0])


def consistency(printed, hop):
    """How far two views [2 * batch, frames, labels] are from printing the same, each learning from the other:
    nats for each second of sound."""
    ones, others = printed.chunk(2)
    apart = sum((aim.exp() * (aim - here)).sum() for here, aim in ((ones, others.detach()), (others, ones.detach())))
    return network.per_second(apart / 2, *ones.shape[:2], hop)


class Taught(Averaged):
    """What is printed for the sound, and how far the likeness is off, as a share of the variance, and
    where rows are heard twice how far their prints are from each other."""

    columns = ("print", "likeness", "apart")

    def __init__(self, recipe, session, validation, minutes=None):
        torch.manual_seed(recipe.get("seed", 0))
        self.hop = receptive_field(recipe["model"])[1]
        super().__init__(Student(recipe), recipe, session, validation, labels.of(recipe), minutes)

    def losses(self, batch):
        audio, wanted, known = (part.to(self.session.device, non_blocking=True)
                                for part in (batch.audio, batch.states, batch.known))
        with self.precision:
            printed, likeness = self.module(audio, self.limits())
        views = len(printed) // len(wanted)
        loss = network.ctc_loss(printed, batch.texts * views, self.hop, self.alphabet)
        unlike = (likeness - wanted.repeat(views, 1, 1)).square().mean(-1)
        unlike = (unlike * known.repeat(views, 1)).sum() / known.sum().clamp(min=1) / views
        apart = consistency(printed, self.hop) if views == 2 else torch.zeros_like(loss)
        total = (loss + self.training["likeness_weight"] * unlike
                 + self.training.get("consistency_weight", 0.0) * apart)
        return total, [loss, unlike, apart]
