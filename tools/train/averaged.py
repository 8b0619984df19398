"""A stage whose product is the running mean of its weights: kept where validation likes it best."""

import math

import numpy as np
import torch

import export
import network
from stage import Stage


class Averaged(Stage):
    """`module.model` is what is kept; `alphabet` what it prints."""

    def __init__(self, module, recipe, session, validation, alphabet, minutes):
        super().__init__(module, recipe["training"], recipe.get("seed", 0), session, "checkpoint.pt", minutes)
        self.recipe, self.validation, self.alphabet = recipe, validation, alphabet
        self.normalise = recipe.get("normalise", False)
        self.best = math.inf
        self.start_mean()

    def start_mean(self):
        self.mean = {k: v.clone() for k, v in self.module.model.state_dict().items()}

    def begin(self, init, after):
        """The weights to begin with: this training's checkpoint's, else those of `after`, another's, else
        those of `init`, else new ones."""
        if self.path.exists():
            self.resume()
        elif after:
            self.restore(torch.load(after, map_location=self.session.device, weights_only=True))
            self.step, self.seconds, self.best = 0, 0.0, math.inf
        elif init:
            self.begin_with(init)
        else:
            self.begin_anew()

    def begin_anew(self):
        """After pre-training, if there was any."""
        if "pretraining" in self.recipe:
            kept = torch.load(self.session.work / "pretrained.pt", weights_only=True)
            self.module.model.wav2vec2.load_state_dict(kept)
            self.start_mean()

    def begin_with(self, init):
        """The weights of `init` but for what has another shape here: a head that prints else."""
        kept = network.Wav2Vec2ForCTC.from_pretrained(init, dtype=torch.float32).state_dict()
        shapes = {name: value.shape for name, value in self.module.model.state_dict().items()}
        fitting = {name: value for name, value in kept.items() if value.shape == shapes.get(name)}
        self.module.model.load_state_dict(fitting, strict=False)
        for name in sorted(set(kept) ^ set(fitting) | set(shapes) ^ set(fitting)):
            self.session.say(f"# not taken from {init}: {name}")
        self.start_mean()

    def state(self):
        return {**super().state(), "mean": self.mean, "best": self.best}

    def restore(self, state):
        super().restore(state)
        self.mean, self.best = state["mean"], state["best"]

    def limits(self):
        """What this step sees: everything, or chunks with contexts drawn at random."""
        rng = np.random.default_rng([self.seed, self.step, 1])
        early = self.step < self.training.get("limits_after", 0)
        if early or rng.random() < self.training["full_context"]:
            return None
        return [int(rng.choice(self.training[name]))
                for name in ("chunk_frames", "left_frames", "right_frames")]

    @torch.no_grad()
    def after_step(self):
        keep = min(self.training["average"], (1 + self.step) / (10 + self.step))
        values = self.module.model.state_dict()
        torch._foreach_lerp_(list(self.mean.values()), [values[k] for k in self.mean], 1 - keep)

    def averaged(self):
        model = network.build(self.recipe).eval()
        model.load_state_dict(self.mean)
        return model.to(self.session.device)

    def calibrated(self):
        """What is exported at the end."""
        return self.averaged()

    def heard(self, model):
        return self.validation.hear(model, self.alphabet, self.normalise)

    def validate(self, last):
        model = self.averaged()
        heard = self.heard(model)
        self.session.say(f"{self.step:6d}  validation {heard}; {self.seconds:.0f} s")
        if heard.figure <= self.best:
            self.best = heard.figure
            export.save(model.cpu(), self.session.work / "best", self.alphabet, self.normalise)
