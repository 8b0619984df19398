"""What a stream's limits let the network see: python -m unittest test_network (needs torch)."""

import unittest

import torch

import network
import pretrain

MODEL = {
    "conv_dim": [16, 16], "conv_kernel": [400, 3], "conv_stride": [160, 2], "conv_bias": True,
    "feat_extract_norm": "layer", "do_stable_layer_norm": True, "hidden_size": 32,
    "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 48,
    "num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 4,
    "attention_dropout": 0.0, "activation_dropout": 0.0, "hidden_dropout": 0.0,
    "feat_proj_dropout": 0.0,
}
HOP, FIELD = 320, 720
FRAMES = 53
SAMPLES = FIELD + (FRAMES - 1) * HOP


class Limits(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(1)
        training = {"hearing_layer": 2, "dropout": 0.0, "filterbank_gain": 30.0}
        self.trainee = network.Trainee({"model": MODEL, "training": training}, 3).eval()
        for parameter in self.trainee.parameters():  # norms and biases that do something
            parameter.data += 0.1 * torch.randn_like(parameter)
        self.audio = 0.1 * torch.randn(2, SAMPLES)

    @torch.inference_mode()
    def printed(self, limits, audio=None):
        return self.trainee(self.audio if audio is None else audio, limits)[0]

    @torch.inference_mode()
    def test_without_limits_it_is_the_model(self):
        logits = self.trainee.model(self.audio).logits.log_softmax(-1)
        torch.testing.assert_close(self.printed(None), logits, atol=1e-5, rtol=0)

    def test_convolutions_by_products_are_transformers_own(self):
        inner, gradients = self.trainee.model.wav2vec2, []
        weights = list(inner.feature_extractor.parameters())
        for made in (network.hear(inner, self.audio),
                     inner.feature_projection(inner.feature_extractor(self.audio).transpose(1, 2))[0]):
            gradients.append([made, *torch.autograd.grad(made.square().sum(), weights)])
        for ours, theirs in zip(*gradients):
            torch.testing.assert_close(ours, theirs, atol=1e-4 * float(theirs.detach().abs().max()), rtol=0)

    def test_one_block_of_everything_is_the_model(self):
        for chunk in (FRAMES, FRAMES + 9):
            torch.testing.assert_close(
                self.printed((chunk, 0, 4)), self.printed(None), atol=1e-5, rtol=0)

    def test_later_sound_is_not_seen(self):
        """Other audio from the first sample that only frames after the block hear."""
        for chunk, left, right in ((8, 16, 0), (8, 16, 3), (5, 50, 5), (16, 0, 4)):
            whole = self.printed((chunk, left, right))
            for block in range(FRAMES // chunk):
                last = (block + 1) * chunk + right  # the first frame that must not be seen
                other = self.audio.clone()
                other[:, (last - 1) * HOP + FIELD :] = torch.randn_like(
                    other[:, (last - 1) * HOP + FIELD :])
                heard = self.printed((chunk, left, right), other)
                settled = slice(0, (block + 1) * chunk)
                torch.testing.assert_close(heard[:, settled], whole[:, settled], atol=1e-6, rtol=0)
                if last + chunk < FRAMES:
                    self.assertGreater((heard - whole)[:, last:].abs().max(), 1e-3)

    def test_what_is_allowed_is_seen(self):
        """The last ragged frame reaches the first settled one; without it, it would not."""
        chunk, right = 8, 3
        whole, other = self.printed((chunk, 16, right)), self.audio.clone()
        other[:, (chunk + right - 2) * HOP + FIELD : (chunk + right - 1) * HOP + FIELD] = 0.3
        heard = self.printed((chunk, 16, right), other)
        self.assertGreater((heard - whole)[:, 0].abs().max(), 1e-4)
        whole, heard = self.printed((chunk, 16, 0)), self.printed((chunk, 16, 0), other)
        self.assertEqual((heard - whole)[:, :chunk].abs().max(), 0.0)

    @torch.inference_mode()
    def test_chunk_by_chunk_is_the_same(self):
        """The plain way: chunk after chunk, every layer's settled inputs kept."""
        for chunk, left, right in ((8, 16, 3), (5, 7, 0), (6, 0, 4)):
            torch.testing.assert_close(self.printed((chunk, left, right)),
                                       self.by_chunks(chunk, left, right), atol=1e-5, rtol=0)

    def by_chunks(self, chunk, left, right):
        inner = self.trainee.model.wav2vec2
        features = inner.feature_extractor(self.audio).transpose(1, 2)
        hidden = inner.feature_projection(features)[0]
        kept = [torch.zeros(2, 0, MODEL["hidden_size"]) for _ in inner.encoder.layers]
        out = []
        for start in range(0, FRAMES, chunk):
            stop = min(FRAMES, start + chunk + right)
            seen = hidden[:, :stop]
            at = (seen + inner.encoder.pos_conv_embed(seen))[:, start:]
            settled = min(chunk, FRAMES - start)
            for number, layer in enumerate(inner.encoder.layers):
                before = kept[number][:, max(0, start - left) :]
                kept[number] = torch.cat([kept[number], at[:, :settled]], 1)
                at = layer(torch.cat([before, at], 1))[:, before.shape[1] :]
            out.append(inner.encoder.layer_norm(at)[:, :settled])
        return self.trainee.model.lm_head(torch.cat(out, 1)).log_softmax(-1)


class Contrast(unittest.TestCase):
    def test_its_losses_are_transformers_own(self):
        torch.manual_seed(3)
        model = network.build_for_pretraining({
            "model": MODEL, "training": {"filterbank_gain": 30.0},
            "pretraining": {"mask_share": 0.5, "mask_frames": 4, "negatives": 9}}).eval()
        audio, masked = 0.1 * torch.randn(2, SAMPLES), torch.rand(2, FRAMES) < 0.5
        others = torch.randint(FRAMES, (2, FRAMES, 9)) + FRAMES * torch.arange(2)[:, None, None]
        theirs = model(audio, mask_time_indices=masked, sampled_negative_indices=others)
        found, diversity, cosine = pretrain.losses(model, audio, masked, others)
        torch.testing.assert_close(found, theirs.contrastive_loss, atol=1e-3, rtol=1e-5)
        torch.testing.assert_close(diversity, theirs.diversity_loss, atol=1e-3, rtol=1e-5)
        own = torch.cosine_similarity(theirs.projected_states, theirs.projected_quantized_states, -1)[masked].mean()
        torch.testing.assert_close(cosine, own, atol=1e-5, rtol=0)


if __name__ == "__main__":
    unittest.main()
