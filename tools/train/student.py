"""A student of a teacher that hears better (moonshine.py), and the three stages in which it learns.

The teacher's layers cannot be copied: they turn queries and keys by their places, which wav2vec2 does not
know. (Tried: README.md.) So the student's last layers learn to spell from the teacher's own output, without
any sound, which is cheap. Then many narrow convolutions and the other layers, which begin by passing on what
they are given, imitate that output (as in Chang et al. 2022, arXiv:2110.01900), most of all where it changes
the spelling (Hinton et al. 2015, arXiv:1503.02531). At last all learn together.
"""

import contextlib

import torch
from torch import nn

import labels
import moonshine
import network
from averaged import Averaged
from stage import Stage

IDENTITY = 0.3  # what is left of the random weights of a convolution that begins by passing on
QUIET = 0.01  # and of the positional one


class Student(nn.Module):
    """`teacher` is moonshine.encoder()."""

    def __init__(self, recipe, teacher):
        super().__init__()
        self.model = network.build(recipe)
        self.imitating = len(self.encoder.layers) - recipe["spelling"]["layers"]
        extractor = self.model.wav2vec2.feature_extractor.conv_layers
        network.start_as_filterbank(extractor[0].conv, recipe["training"]["filterbank_gain"])
        for layer in extractor[2:]:
            pass_on(layer.conv)
        for layer in self.encoder.layers[: self.imitating]:
            for last in (layer.attention.out_proj, layer.feed_forward.output_dense):
                nn.init.zeros_(last.weight)
        self.encoder.pos_conv_embed.conv.parametrizations.weight.original0.data.mul_(QUIET)
        self.register_buffer("scale", teacher.layer_norm.weight.detach().clone())

    @property
    def encoder(self):
        return self.model.wav2vec2.encoder

    def hear(self, audio):
        """[batch, samples] -> what the encoder is given, [batch, frames, width]"""
        inner = self.model.wav2vec2
        return inner.feature_projection(inner.feature_extractor(audio).transpose(1, 2))[0]

    def understand(self, given, blocks=None):
        """What the layers before those that spell make of it, with a stream's limits or without."""
        embed = self.encoder.pos_conv_embed
        hidden = blocks.spread(given) + blocks.positions(embed, given) if blocks else given + embed(given)
        return self.layers(hidden, 0, self.imitating, blocks)

    def layers(self, hidden, first, last, blocks=None):
        for layer in self.encoder.layers[first:last]:
            hidden = layer(hidden, attention_mask=blocks and blocks.mask)
        return hidden

    def spell(self, hidden, blocks=None, dropout=0.0):
        """Log-probs of letters [batch, frames, labels]"""
        hidden = self.encoder.layer_norm(self.layers(hidden, self.imitating, None, blocks))
        hidden = hidden[:, blocks.settled] if blocks else hidden
        hidden = nn.functional.dropout(hidden, dropout, self.training)
        return self.model.lm_head(hidden).float().log_softmax(-1)

    def wanted(self, output):
        """The teacher's output as the student is to have it: without the gains of its last norm."""
        return output.to(self.scale.device, non_blocking=True).float() / self.scale

    @contextlib.contextmanager
    def without_learning_to_spell(self):
        spelling = [*self.encoder.layers[self.imitating :].parameters(), *self.encoder.layer_norm.parameters(),
                    *self.model.lm_head.parameters()]
        for parameter in spelling:
            parameter.requires_grad_(False)
        yield
        for parameter in spelling:
            parameter.requires_grad_(True)


@torch.no_grad()
def pass_on(conv):
    conv.weight.mul_(IDENTITY)
    conv.weight[:, :, conv.kernel_size[0] // 2] += torch.eye(conv.weight.shape[0])


class Spelling(Stage):
    """The last layers and the head, on the teacher's output."""

    columns = ("print",)

    def __init__(self, student, recipe, session, minutes=None):
        super().__init__(student, recipe["spelling"], recipe.get("seed", 0), session, "spelling.pt", minutes)

    def losses(self, batch):
        with self.precision:
            printed = self.module.spell(self.module.wanted(batch.states))
        loss = network.ctc_loss(printed, batch.texts, moonshine.HOP, labels.LETTERS)
        return loss, [loss]


class Likeness:
    """How far a student is from its teacher in a batch, where the teacher heard the same."""

    def __init__(self, student, batch):
        self.student = student
        self.known = batch.known.to(student.scale.device, non_blocking=True)
        self.wanted = student.wanted(batch.states)
        self.spread, self.any = batch.spread, bool(batch.known.any())

    def of_states(self, made):
        """The mean square beside the variance of the teacher's."""
        if not self.any:
            return made.sum() * 0.0
        return (made - self.wanted)[self.known].float().square().mean() / self.spread

    def of_letters(self, printed):
        """The divergence from what is spelled of the teacher's states, a frame's mean."""
        if not self.any:
            return printed.sum() * 0.0
        with torch.no_grad():
            right = self.student.spell(self.wanted)[self.known]
        return (right.exp() * (right - printed[self.known])).sum(-1).mean()


class Imitation(Stage):
    """The convolutions and the layers before those that spell."""

    columns = ("given", "states", "letters")

    def __init__(self, student, recipe, session, minutes=None):
        super().__init__(student, recipe["imitation"], recipe.get("seed", 0), session, "imitation.pt", minutes)

    def learn(self, batch):
        with self.module.without_learning_to_spell():
            return super().learn(batch)

    def losses(self, batch):
        student, likeness = self.module, Likeness(self.module, batch)
        with self.precision:
            given = student.hear(batch.audio.to(self.session.device, non_blocking=True))
            hidden = student.understand(given)
            letters = likeness.of_letters(student.spell(hidden))
        parts = [likeness.of_states(given), likeness.of_states(hidden), letters]
        return 0.5 * parts[0] + parts[1] + self.training["letters_weight"] * letters, parts


class Together(Averaged):
    """Everything: what is printed for the sound, and still what the teacher makes of it."""

    columns = ("print", "states")

    def __init__(self, student, recipe, session, validation, minutes=None):
        super().__init__(student, recipe, session, validation, labels.LETTERS, minutes)

    def losses(self, batch):
        student, limits = self.module, self.limits()
        with self.precision:
            given = student.hear(batch.audio.to(self.session.device, non_blocking=True))
            given = network.masked(given) if self.training["masks"] else given
            blocks = network.Blocks(given.shape[1], *limits, given.device) if limits else None
            hidden = student.understand(given, blocks)
            printed = student.spell(hidden, blocks, self.training["dropout"])
        loss = network.ctc_loss(printed, batch.texts, moonshine.HOP, self.alphabet)
        states = Likeness(student, batch).of_states(hidden[:, blocks.settled] if blocks else hidden)
        first, last = self.training["imitation_weight"]
        return loss + (first + (last - first) * self.done()) * states, [loss, states]
