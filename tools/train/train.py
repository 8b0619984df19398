"""Train one model from its recipe: python train.py recipes/digits.toml --data DIR --work DIR --out DIR

Stops and starts: a run that finds WORK/checkpoint.pt goes on from it. Same recipe, same data, same
number of threads: same weights. README.md says how the data must lie.
"""

import argparse
import math
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

import corpus
import cut
import export
import network
import optimiser
import recipe as recipes
import score
from mixture import UNKNOWN, Mixture

REPORT_EVERY = 20  # steps


def arguments():
    parser = argparse.ArgumentParser(description="Train a CTC model from a recipe.")
    parser.add_argument("recipe")
    parser.add_argument("--data", required=True, help="train.tsv, dev.tsv and the folders train, dev")
    parser.add_argument("--work", required=True, help="caches, checkpoint, log")
    parser.add_argument("--out", help="write the model here at the end (default WORK/model)")
    parser.add_argument("--steps", type=int, help="instead of the recipe's number")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--compile", action="store_true", help="needs a C++ compiler; faster")
    parser.add_argument("--stop-after", type=float, default=math.inf, metavar="MINUTES",
                        help="leave a checkpoint and stop; run again to go on (all runs count)")
    return parser.parse_args()


def prepare(recipe, data, work):
    """(mixture, validation clips)"""
    words = recipes.Words(recipe["words"])
    isolated = set(recipe["data"].get("isolated", []))
    training, validation = corpus.split_validation(corpus.load(data, "train", work), recipe["data"])
    singles = [c for c in training if c.source in isolated]
    speech = [c for c in training if c.source not in isolated]
    if words.keep:
        singles += cut.words(speech, words.keep, work)
        strings = [c for c in speech if words.only_kept(c.text)]
        speech = [c for c in speech if not words.only_kept(c.text)]
    else:
        strings = []
    return Mixture(recipe, words, singles, strings, speech), validation


def learning_rate(step, training):
    """Linear warm-up, then half a cosine down to a hundredth."""
    warm = training["warmup_steps"]
    if step < warm:
        return training["learning_rate"] * (step + 1) / warm
    done = (step - warm) / max(1, training["steps"] - warm)
    return training["learning_rate"] * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1, done))))


class Run:
    """Everything that changes while training, and how it is kept."""

    def __init__(self, recipe, work, kept_words):
        torch.manual_seed(recipe.get("seed", 0))
        self.recipe, self.training = recipe, recipe["training"]
        self.trainee = network.Trainee(recipe, kept_words)
        self.timing = recipes.receptive_field(recipe["model"])
        self.optimisers = optimiser.build(self.trainee, self.training)
        self.mean = {k: v.clone() for k, v in self.trainee.model.state_dict().items()}
        self.step, self.best, self.seconds = 0, math.inf, 0.0
        self.path = Path(work) / "checkpoint.pt"
        if self.path.exists():
            self.resume()

    def resume(self):
        state = torch.load(self.path, weights_only=True)
        self.trainee.load_state_dict(state["trainee"])
        for one, kept in zip(self.optimisers, state["optimisers"]):
            one.load_state_dict(kept)
        self.mean, self.step = state["mean"], state["step"]
        self.best, self.seconds = state["best"], state["seconds"]

    def save(self):
        state = {
            "trainee": self.trainee.state_dict(),
            "optimisers": [one.state_dict() for one in self.optimisers],
            "mean": self.mean, "step": self.step, "best": self.best, "seconds": self.seconds,
        }
        partial = self.path.with_suffix(".tmp")
        torch.save(state, partial)
        os.replace(partial, self.path)

    def limit(self, frames):
        """Attention of this step: whole, or a chunk and some left context, drawn at random."""
        rng = np.random.default_rng([self.recipe.get("seed", 0), self.step, 1])
        if rng.random() < self.training["full_context"]:
            return None
        chunk = int(rng.choice(self.training["chunk_frames"]))
        return network.attention_limit(frames, chunk, int(rng.choice(self.training["left_frames"])))

    def learn(self, batch):
        torch.manual_seed(self.recipe.get("seed", 0) * 1_000_003 + self.step)
        for one in self.optimisers:
            for group in one.param_groups:
                group["lr"] = learning_rate(self.step, self.training) * group["factor"]
        self.trainee.train()
        audio = torch.from_numpy(batch.audio)
        frames = int(self.trainee.model._get_feat_extract_output_lengths(audio.shape[1]))
        printed, heard, places = self.trainee(audio, self.limit(frames))
        loss = network.ctc_loss(printed, batch.printed)
        hearing = network.ctc_loss(heard, batch.heard)
        place = torch.nn.functional.cross_entropy(
            places.flatten(0, 1), torch.from_numpy(batch.places).flatten(), ignore_index=UNKNOWN)
        total = loss + self.training["hearing_weight"] * hearing
        if batch.spans is not None:
            total = total + network.spelling_loss(printed, batch.spans, *self.timing)
        if torch.isfinite(place):  # nothing known in this batch: no mean
            total = total + self.training["place_weight"] * place
        self.trainee.zero_grad()
        total.backward()
        norm = torch.nn.utils.clip_grad_norm_(
            self.trainee.parameters(), self.training["gradient_norm"])
        if torch.isfinite(norm):
            for one in self.optimisers:
                one.step()
        self.step += 1
        keep = min(self.training["average"], (1 + self.step) / (10 + self.step))
        for name, value in self.trainee.model.state_dict().items():
            self.mean[name].lerp_(value, 1 - keep)
        return loss.item(), hearing.item(), place.nan_to_num().item(), norm.item()

    def averaged(self):
        model = network.build(self.recipe["model"]).eval()
        model.load_state_dict(self.mean)
        return model


def validate(model, clips, words):
    """Errors on kept words alone; words printed and spoken in sentences that hold none of them."""
    errors, invented, others, sentences = score.Errors(), 0, 0, 0
    for clip in clips:
        if words.only_kept(clip.text):
            text = score.transcribe(model, clip.audio)
            errors += score.compare(clip.text.split(), text.split())
        elif words.is_sure(clip.text) and not words.printed(clip.text) and sentences < 30:
            invented += len(score.transcribe(model, clip.audio).split())
            others += len(clip.text.split())
            sentences += 1
    return errors, invented, others


class Trainer:
    """The loop: learns, reports, validates, keeps."""

    def __init__(self, args, recipe):
        self.args, self.recipe, self.training = args, recipe, recipe["training"]
        self.work = Path(args.work)
        self.words = recipes.Words(recipe["words"])
        self.mixture, self.validation = prepare(recipe, args.data, args.work)
        self.run = Run(recipe, args.work, len(self.mixture.vocabulary))
        if args.compile:
            self.run.trainee.compile()
        self.log = open(self.work / "log.txt", "a", buffering=1)
        self.began, self.sums, self.counted = time.monotonic(), np.zeros(4), 0

    def say(self, line):
        print(line, flush=True)
        self.log.write(line + "\n")

    def introduce(self):
        parameters = sum(p.numel() for p in self.run.trainee.model.parameters())
        mixture = self.mixture
        self.say(f"# {self.recipe['name']}: {parameters} parameters, {len(mixture.strings)} strings, "
                 f"{len(mixture.speech)} sentences, {sum(map(len, mixture.by_word.values()))} single "
                 f"words of {len(mixture.voices)} voices, from step {self.run.step}")

    def report(self):
        took = time.monotonic() - self.began
        loss, hearing, place, norm = self.sums / self.counted
        self.say(f"{self.run.step:6d}  print {loss:7.3f}  hear {hearing:7.3f}  place {place:6.3f}  "
                 f"norm {norm:7.2f}  {took / self.counted:5.2f} s/step")
        self.run.seconds += took
        self.began, self.sums, self.counted = time.monotonic(), np.zeros(4), 0

    def validate(self, last):
        run, model = self.run, self.run.averaged()
        errors, invented, others = validate(model, self.validation, self.words)
        self.say(f"{run.step:6d}  validation {errors}; {invented} words printed for {others} "
                 f"others; {run.seconds:.0f} s")
        figure = errors.rate + invented / max(1, others)
        if figure <= run.best:
            run.best = figure
            export.save(model, self.work / "best")
        if last:
            export.save(model, self.args.out or self.work / "model")

    def go(self):
        run, training = self.run, self.training
        self.introduce()
        with ThreadPoolExecutor(1) as pool:
            ahead = pool.submit(self.mixture.batch, run.step)
            while run.step < training["steps"]:
                batch = ahead.result()
                ahead = pool.submit(self.mixture.batch, run.step + 1)
                self.sums, self.counted = self.sums + run.learn(batch), self.counted + 1
                last = run.step == training["steps"]
                if run.step % REPORT_EVERY == 0 or last:
                    self.report()
                if run.step % training["validate_every"] == 0 or last:
                    self.validate(last)
                stop = run.seconds > self.args.stop_after * 60
                if run.step % training["checkpoint_every"] == 0 or last or stop:
                    run.save()
                if stop:
                    break


def main():
    args = arguments()
    torch.set_num_threads(args.threads)
    recipe = recipes.load(args.recipe)
    if args.steps:
        recipe["training"]["steps"] = args.steps
    Trainer(args, recipe).go()


if __name__ == "__main__":
    main()
