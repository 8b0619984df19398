"""The network: transformers' own Wav2Vec2ForCTC, and a training pass with attention limits."""

import torch
from torch import nn
from transformers import Wav2Vec2Config, Wav2Vec2ForCTC, Wav2Vec2ForPreTraining

import labels
from corpus import RATE
from labels import LETTERS


def config(section, alphabet, **more):
    return Wav2Vec2Config(
        vocab_size=len(alphabet),
        pad_token_id=alphabet.blank,
        bos_token_id=alphabet.label["<s>"],
        eos_token_id=alphabet.label["</s>"],
        ctc_loss_reduction="mean",
        ctc_zero_infinity=True,
        layerdrop=0.0,
        num_feat_extract_layers=len(section["conv_dim"]),
        **section,
        **more,
    )


def build(recipe):
    return Wav2Vec2ForCTC(config(recipe["model"], labels.of(recipe), mask_time_prob=0.0))


def build_for_pretraining(recipe):
    """A share of masked time above zero, for else there is no embedding to mask with."""
    training = recipe["pretraining"]
    model = Wav2Vec2ForPreTraining(config(
        recipe["model"], LETTERS, mask_time_prob=training["mask_share"],
        mask_time_length=training["mask_frames"], num_negatives=training["negatives"]))
    start_as_filterbank(model.wav2vec2.feature_extractor.conv_layers[0].conv,
                        recipe["training"]["filterbank_gain"])
    return model


def normalised(audio):
    """What `do_normalize` asks for: each recording [batch, samples] at mean 0 and variance 1."""
    spread = audio.var(-1, unbiased=False, keepdim=True)
    return (audio - audio.mean(-1, keepdim=True)) / torch.sqrt(spread + 1e-7)


UNSEEN = -1e9  # added to a score: no attention; not infinite, for padding sees nothing and must not make NaNs


class Blocks:
    """What a stream in chunks sees, for a whole utterance in one pass (utter's cached encoder).

    Block b is the frames that a chunk settles, [b * chunk, (b + 1) * chunk), and copies of the
    `right` ragged ones after them. Its frames attend to each other and to the settled frames of up
    to `left` frames before; the positional convolution sees zeros after the block."""

    def __init__(self, frames, chunk, left, right, device):
        self.frames, self.chunk, self.right = frames, chunk, right
        self.count, self.size = -(-frames // chunk), chunk + right
        block = torch.arange(self.count, device=device)[:, None].expand(-1, self.size).flatten()
        inside = torch.arange(self.size, device=device).repeat(self.count)
        at = block * chunk + inside
        same = block[:, None] == block[None, :]
        before = (inside < chunk)[None, :] & (at[None, :] < (block * chunk)[:, None])
        near = at[None, :] >= (block * chunk - left)[:, None]
        seen = (same | (before & near)) & (at < frames)[None, :]
        self.mask = torch.zeros(seen.shape, device=device).masked_fill(~seen, UNSEEN)[None, None]  # to be added
        frame = torch.arange(frames, device=device)
        self.settled = frame // chunk * self.size + frame % chunk

    def cut(self, hidden, before, after):
        """[batch, frames, n] -> [batch * count, before + size + after, n], zeros where nothing is"""
        spare = self.count * self.chunk + self.right - self.frames
        padded = nn.functional.pad(hidden, (0, 0, before, spare))
        windows = padded.unfold(1, before + self.size, self.chunk)  # [batch, count, n, frames]
        windows = windows.transpose(2, 3).flatten(0, 1)
        return nn.functional.pad(windows, (0, 0, 0, after))

    def positions(self, embed, hidden):
        """The positional convolution, block by block: [batch, count * size, n]"""
        kernel = embed.conv.kernel_size[0]
        windows = self.cut(hidden, kernel // 2, kernel - 1 - kernel // 2).transpose(1, 2)
        made = nn.functional.conv1d(windows, embed.conv.weight, embed.conv.bias,
                                    groups=embed.conv.groups)
        made = embed.activation(made).transpose(1, 2)
        return made.unflatten(0, (hidden.shape[0], self.count)).flatten(1, 2)

    def spread(self, hidden):
        made = self.cut(hidden, 0, 0)
        return made.unflatten(0, (hidden.shape[0], self.count)).flatten(1, 2)


@torch.no_grad()
def start_as_filterbank(conv, gain):
    """Channels four by four: a band's cosine and sine, and both negated, so that the GELU after
    them leaves the band's strength. Bands are spaced as mel, and high ones lifted, for speech has
    less there. The small bias is the loudness below which a frame fades into silence."""
    channels, _, kernel = conv.weight.shape
    mel = torch.linspace(0.0, 1.0, channels // 4)
    hertz = 700.0 * (torch.exp(torch.log(torch.tensor(1 + 7000 / 700.0)) * mel) - 1) + 100.0
    time = (torch.arange(kernel) - (kernel - 1) / 2) / RATE
    turn = 2 * torch.pi * hertz[:, None] * time[None, :]
    window = torch.hann_window(kernel, periodic=False)
    lift = (hertz / 1000.0).clamp(0.4, 4.0)[:, None]
    for place, wave in enumerate((turn.cos(), turn.sin(), -turn.cos(), -turn.sin())):
        filters = wave * window
        filters = gain * lift * filters / filters.norm(dim=1, keepdim=True)
        conv.weight[place : channels // 4 * 4 : 4, 0] = filters
    conv.bias.normal_(0.0, 0.1)


def uncovered(batch, count, size, widths):
    """bool [batch, size]: False within `count` spans anywhere, from the first to before the second width long."""
    first = torch.randint(size, (batch, count, 1))
    after = first + torch.randint(*widths, (batch, count, 1))
    place = torch.arange(size)
    return ~((place >= first) & (place < after)).any(1)


def masked(features, every=80, longest=6):
    """SpecAugment on the features [batch, frames, channels]: spans of time, on average one in so many frames, and
    of channels."""
    batch, frames, channels = features.shape
    times = uncovered(batch, 1 + frames // every, frames, (1, longest + 1))[:, :, None]
    bands = uncovered(batch, 1, channels, (0, channels // 8))[:, None, :]
    times, bands = (part.to(features.device, non_blocking=True) for part in (times, bands))
    return features * (times & bands)


def extracted(inner, audio):
    """[batch, samples] -> features [batch, frames, channels]: transformers' extractor, but where each frame is
    normalised by itself all is done frame by frame, which a CPU does sooner."""
    if inner.config.feat_extract_norm != "layer":
        return inner.feature_extractor(audio).transpose(1, 2)
    hidden = audio[:, :, None]
    for layer in inner.feature_extractor.conv_layers:
        hidden = layer.activation(layer.layer_norm(convolved(layer.conv, hidden)))
    return hidden


def hear(inner, audio):
    """[batch, samples] -> what the encoder is given, [batch, frames, width]"""
    return inner.feature_projection(extracted(inner, audio))[0]


def convolved(conv, hidden):
    """A convolution of [batch, frames, channels] as one product of matrices; torch's own keeps frames last."""
    kernel, stride = conv.kernel_size[0], conv.stride[0]
    if conv.in_channels == 1:
        windows = hidden[:, :, 0].unfold(1, kernel, stride)
    else:
        reach = (hidden.shape[1] - kernel) // stride * stride + 1
        windows = torch.cat([hidden[:, at : at + reach : stride] for at in range(kernel)], -1)
    return nn.functional.linear(windows, conv.weight.transpose(1, 2).flatten(1), conv.bias)


class Trainee(nn.Module):
    """The model to keep, and two heads on a middle layer that only teach and are thrown away:
    `hearing` writes down every word in letters, `place` says which of the kept words each frame is part of."""

    def __init__(self, recipe, kept_words):
        super().__init__()
        training = recipe["training"]
        self.model = build(recipe)
        self.hearing_layer = training["hearing_layer"]
        self.hearing = nn.Linear(self.model.config.hidden_size, len(LETTERS))
        self.place = nn.Linear(self.model.config.hidden_size, kept_words + 1)
        self.dropout = training["dropout"]
        if training.get("filterbank_gain"):
            layer = self.model.wav2vec2.feature_extractor.conv_layers[0]
            start_as_filterbank(layer.conv, training["filterbank_gain"])

    def forward(self, audio, limits=None):
        """audio [batch, samples] -> (printed, heard, places): log-probs [batch, frames, labels],
        the same, and scores [batch, frames, kept words + 1]. `limits`: (chunk, left, right) frames
        of a stream, or None: everything is seen."""
        hidden = hear(self.model.wav2vec2, audio)
        if self.training:
            hidden = masked(hidden)
        hidden, middle = encode(self.model.wav2vec2.encoder, hidden, limits, self.hearing_layer,
                                self.dropout if self.training else 0.0)
        printed = self.model.lm_head(nn.functional.dropout(hidden, self.dropout, self.training))
        heard, places = self.hearing(middle), self.place(middle)
        return printed.float().log_softmax(-1), heard.float().log_softmax(-1), places.float()


def encode(encoder, hidden, limits, middle_layer=0, dropout=0.0):
    """transformers' encoder, with the limits of a stream: (last, middle layer's) hidden states."""
    blocks = Blocks(hidden.shape[1], *limits, hidden.device) if limits else None
    if blocks:
        hidden = blocks.spread(hidden) + blocks.positions(encoder.pos_conv_embed, hidden)
    else:
        hidden = hidden + encoder.pos_conv_embed(hidden)
    before = type(encoder).__name__ == "Wav2Vec2EncoderStableLayerNorm"  # norms before, not after
    if not before:
        hidden = encoder.layer_norm(hidden)
    hidden, middle = nn.functional.dropout(hidden, dropout), None
    for number, layer in enumerate(encoder.layers, 1):
        hidden = layer(hidden, attention_mask=blocks and blocks.mask)
        if number == middle_layer:
            middle = hidden[:, blocks.settled] if blocks else hidden
    if before:
        hidden = encoder.layer_norm(hidden)
    return hidden[:, blocks.settled] if blocks else hidden, middle


@torch.inference_mode()
def log_probs(model, audio, limits=None, normalise=False):
    """What the model prints for audio [batch, samples], as a stream with `limits` would hear it."""
    audio = normalised(audio) if normalise else audio
    inner = model.wav2vec2
    hidden = inner.feature_projection(inner.feature_extractor(audio).transpose(1, 2))[0]
    return model.lm_head(encode(inner.encoder, hidden, limits)[0]).float().log_softmax(-1)


def per_second(loss, examples, frames, hop):
    """A loss summed over a batch -> for each second of it: the unit of the losses below."""
    return loss / (examples * frames * hop / RATE)


def spelling_loss(log_probs, spans, timing, alphabet):
    """The first push off CTC's plateau of blanks: the letters of a word are put evenly over its
    time, one frame each. `timing` is recipe.receptive_field's."""
    field, hop = timing
    rows = [row for row, known in enumerate(spans) if known is not None]
    if not rows:
        return log_probs.sum() * 0.0
    frames = log_probs.shape[1]
    target = torch.full((len(rows), frames), alphabet.blank)
    for number, row in enumerate(rows):
        for word, start, stop in spans[row]:
            spelled = alphabet.spell([word])
            for place, label in enumerate(spelled):
                at = (start + (stop - start) * (place + 0.5) / len(spelled) - field / 2) / hop
                target[number, min(frames - 1, max(0, round(at)))] = label
    target = target.flatten().to(log_probs.device)
    loss = nn.functional.nll_loss(log_probs[torch.tensor(rows)].flatten(0, 1), target, reduction="sum")
    return per_second(loss, len(spans), frames, hop)


FREE = -100  # a frame that may print what it likes
ENDING = 4  # frames of delimiter after a word: where exactly it ends is for nobody to tell


def span_targets(spans, frames, timing, alphabet):
    """Where words are known [(word, start, stop)]: from its middle to its end a frame is the word's,
    then come frames of delimiter, pauses are blank. By the middle a word can be told."""
    field, hop = timing
    frame = lambda sample: min(frames, max(0, round((sample - field / 2) / hop)))
    target = torch.full((frames,), alphabet.blank)
    ended = -ENDING
    for word, start, stop in spans:
        middle, end = max(ended + 1, frame((start + stop) / 2)), frame(stop)
        target[max(ended + ENDING, frame(start)) : middle] = FREE
        target[middle:end] = alphabet.label[word]
        target[end : end + ENDING] = alphabet.delimiter
        ended = end
    return target


def span_loss(log_probs, spans, timing, alphabet):
    """Makes whole words last: CTC alone prints each in a single frame, anywhere near its end."""
    frames = log_probs.shape[1]
    free = torch.full((frames,), FREE)
    target = torch.stack([free if known is None else span_targets(known, frames, timing, alphabet)
                          for known in spans]).flatten().to(log_probs.device)
    loss = nn.functional.nll_loss(log_probs.flatten(0, 1), target, ignore_index=FREE,
                                  reduction="sum")
    return per_second(loss, len(spans), frames, timing[1])


def ctc_loss(log_probs, texts, hop, alphabet):
    """Sum over the examples that have a text (None has not)."""
    rows = [row for row, text in enumerate(texts) if text is not None]
    if not rows:
        return log_probs.sum() * 0.0
    targets = [alphabet.spell(texts[row]) for row in rows]
    frames = torch.full((len(rows),), log_probs.shape[1], dtype=torch.long)
    sizes = torch.tensor([len(t) for t in targets])
    flat = torch.tensor([label for t in targets for label in t], dtype=torch.long)
    loss = nn.functional.ctc_loss(
        log_probs[torch.tensor(rows)].transpose(0, 1), flat.to(log_probs.device), frames, sizes,
        blank=alphabet.blank, reduction="none", zero_infinity=True,
    )
    return per_second(loss.sum(), len(texts), log_probs.shape[1], hop)
