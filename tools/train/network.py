"""The network: transformers' own Wav2Vec2ForCTC, and a training pass with attention limits."""

import torch
from torch import nn
from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

BLANK, DELIMITER = "<pad>", "|"
TOKENS = [BLANK, "<s>", "</s>", "<unk>", DELIMITER, *"ETAONIHSRDLUMWCFGYPBVK'XJQZ"]
LABEL = {token: number for number, token in enumerate(TOKENS)}


def build(section):
    return Wav2Vec2ForCTC(
        Wav2Vec2Config(
            vocab_size=len(TOKENS),
            pad_token_id=LABEL[BLANK],
            bos_token_id=LABEL["<s>"],
            eos_token_id=LABEL["</s>"],
            ctc_loss_reduction="mean",
            ctc_zero_infinity=True,
            mask_time_prob=0.0,
            layerdrop=0.0,
            num_feat_extract_layers=len(section["conv_dim"]),
            **section,
        )
    )


def labels(words):
    """Letters with a delimiter after every word, the last one too: a word ends when it ends."""
    return [LABEL[letter] for word in words for letter in word + DELIMITER]


def attention_limit(frames, chunk, left):
    """Additive mask [1, 1, frames, frames]: own chunk to its end, and `left` frames before it."""
    at = torch.arange(frames)
    start = (at // chunk) * chunk
    seen = (at[None, :] < (start + chunk)[:, None]) & (at[None, :] >= (start - left)[:, None])
    return torch.zeros(frames, frames).masked_fill(~seen, torch.finfo(torch.float32).min)[None, None]


@torch.no_grad()
def start_as_filterbank(conv, gain, rate=16000):
    """Channels four by four: a band's cosine and sine, and both negated, so that the GELU after
    them leaves the band's strength. Bands are spaced as mel, and high ones lifted, for speech has
    less there. The small bias is the loudness below which a frame fades into silence."""
    channels, _, kernel = conv.weight.shape
    mel = torch.linspace(0.0, 1.0, channels // 4)
    hertz = 700.0 * (torch.exp(torch.log(torch.tensor(1 + 7000 / 700.0)) * mel) - 1) + 100.0
    time = (torch.arange(kernel) - (kernel - 1) / 2) / rate
    turn = 2 * torch.pi * hertz[:, None] * time[None, :]
    window = torch.hann_window(kernel, periodic=False)
    lift = (hertz / 1000.0).clamp(0.4, 4.0)[:, None]
    for place, wave in enumerate((turn.cos(), turn.sin(), -turn.cos(), -turn.sin())):
        filters = wave * window
        filters = gain * lift * filters / filters.norm(dim=1, keepdim=True)
        conv.weight[place : channels // 4 * 4 : 4, 0] = filters
    conv.bias.normal_(0.0, 0.1)


class Trainee(nn.Module):
    """The model to keep, and two heads on a middle layer that only teach and are thrown away:
    `hearing` writes down every word, `place` says which of the kept words each frame is part of."""

    def __init__(self, recipe, kept_words):
        super().__init__()
        training = recipe["training"]
        self.model = build(recipe["model"])
        self.hearing_layer = training["hearing_layer"]
        self.hearing = nn.Linear(self.model.config.hidden_size, len(TOKENS))
        self.place = nn.Linear(self.model.config.hidden_size, kept_words + 1)
        self.dropout = training["dropout"]
        if training.get("filterbank_gain"):
            layer = self.model.wav2vec2.feature_extractor.conv_layers[0]
            start_as_filterbank(layer.conv, training["filterbank_gain"])
        self.extract = self.model.wav2vec2.feature_extractor.forward

    def compile(self):
        """Fuse the extractor's norms and GELUs: half the time of a step. One shape, one compile."""
        torch._dynamo.config.recompile_limit = 64
        self.extract = torch.compile(self.extract, dynamic=False)

    def mask(self, features):
        """SpecAugment on the features [batch, frames, channels]: spans of time and of channels."""
        batch, frames, channels = features.shape
        keep = torch.ones_like(features)
        for row in range(batch):
            for _ in range(1 + frames // 80):
                at, width = torch.randint(frames, ()), torch.randint(1, 7, ())
                keep[row, at : at + width] = 0
            at, width = torch.randint(channels, ()), torch.randint(0, channels // 8, ())
            keep[row, :, at : at + width] = 0
        return features * keep

    def forward(self, audio, limit=None):
        """audio [batch, samples] -> (printed, heard, places): log-probs [batch, frames, labels],
        the same, and scores [batch, frames, kept words + 1]."""
        inner = self.model.wav2vec2
        features = self.extract(audio).transpose(1, 2)
        hidden, _ = inner.feature_projection(features)
        if self.training:
            hidden = self.mask(hidden)
        encoder = inner.encoder
        hidden = hidden + encoder.pos_conv_embed(hidden)
        if not self.model.config.do_stable_layer_norm:
            hidden = encoder.layer_norm(hidden)
        hidden = nn.functional.dropout(hidden, self.dropout, self.training)
        for number, layer in enumerate(encoder.layers, 1):
            hidden = layer(hidden, attention_mask=limit)
            if number == self.hearing_layer:
                heard, places = self.hearing(hidden), self.place(hidden)
        if self.model.config.do_stable_layer_norm:
            hidden = encoder.layer_norm(hidden)
        printed = self.model.lm_head(nn.functional.dropout(hidden, self.dropout, self.training))
        return printed.log_softmax(-1), heard.log_softmax(-1), places


def spelling_loss(log_probs, spans, field, hop):
    """The first push off CTC's plateau of blanks: the letters of a word are put evenly over its
    time, one frame each. Same unit as ctc_loss."""
    rows = [row for row, known in enumerate(spans) if known is not None]
    if not rows:
        return log_probs.sum() * 0.0
    frames = log_probs.shape[1]
    target = torch.full((len(rows), frames), LABEL[BLANK])
    for number, row in enumerate(rows):
        for word, start, stop in spans[row]:
            letters = labels([word])
            for place, label in enumerate(letters):
                at = (start + (stop - start) * (place + 0.5) / len(letters) - field / 2) / hop
                target[number, min(frames - 1, max(0, round(at)))] = label
    loss = nn.functional.nll_loss(log_probs[rows].flatten(0, 1), target.flatten(), reduction="sum")
    return loss / (len(spans) * frames / 50.0)


def ctc_loss(log_probs, texts):
    """Mean over the examples that have a text (None has not) of the CTC loss for each frame."""
    rows = [row for row, text in enumerate(texts) if text is not None]
    if not rows:
        return log_probs.sum() * 0.0
    targets = [labels(texts[row]) for row in rows]
    frames = torch.full((len(rows),), log_probs.shape[1], dtype=torch.long)
    sizes = torch.tensor([len(t) for t in targets])
    flat = torch.tensor([label for t in targets for label in t], dtype=torch.long)
    loss = nn.functional.ctc_loss(
        log_probs[rows].transpose(0, 1), flat, frames, sizes,
        blank=LABEL[BLANK], reduction="none", zero_infinity=True,
    )
    return loss.sum() / (len(texts) * log_probs.shape[1] / 50.0)
