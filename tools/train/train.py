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
import recipe as recipes
import score
from mixture import UNKNOWN, Mixture


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
                        help="leave a checkpoint and stop; run again to go on")
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
        self.optimiser = torch.optim.AdamW(
            self.trainee.parameters(), betas=(0.9, 0.98),
            weight_decay=self.training["weight_decay"], fused=True,
        )
        self.mean = {k: v.clone() for k, v in self.trainee.model.state_dict().items()}
        self.step, self.best, self.seconds = 0, math.inf, 0.0
        self.path = Path(work) / "checkpoint.pt"
        if self.path.exists():
            self.resume()

    def resume(self):
        state = torch.load(self.path, weights_only=True)
        self.trainee.load_state_dict(state["trainee"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.mean, self.step = state["mean"], state["step"]
        self.best, self.seconds = state["best"], state["seconds"]

    def save(self):
        state = {
            "trainee": self.trainee.state_dict(), "optimiser": self.optimiser.state_dict(),
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
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.step, self.training)
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
            total = total + network.spelling_loss(printed, batch.spans)
        if torch.isfinite(place):  # nothing known in this batch: no mean
            total = total + self.training["place_weight"] * place
        self.optimiser.zero_grad()
        total.backward()
        norm = torch.nn.utils.clip_grad_norm_(
            self.trainee.parameters(), self.training["gradient_norm"])
        if torch.isfinite(norm):
            self.optimiser.step()
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
    """Errors on kept words alone, and the words printed for sentences that hold none."""
    errors, invented, sentences = score.Errors(), 0, 0
    for clip in clips:
        if words.only_kept(clip.text):
            text = score.transcribe(model, clip.audio)
            errors += score.compare(clip.text.split(), text.split())
        elif words.is_sure(clip.text) and not words.printed(clip.text) and sentences < 30:
            invented += len(score.transcribe(model, clip.audio).split())
            sentences += 1
    return errors, invented, sentences


def main():
    args = arguments()
    torch.set_num_threads(args.threads)
    recipe = recipes.load(args.recipe)
    if args.steps:
        recipe["training"]["steps"] = args.steps
    training = recipe["training"]
    mixture, validation = prepare(recipe, args.data, args.work)
    words = recipes.Words(recipe["words"])
    run = Run(recipe, args.work, len(mixture.vocabulary))
    if args.compile:
        run.trainee.compile()
    log = open(Path(args.work) / "log.txt", "a", buffering=1)

    def say(line):
        print(line, flush=True)
        log.write(line + "\n")

    say(f"# {recipe['name']}: {sum(p.numel() for p in run.trainee.model.parameters())} parameters, "
        f"{len(mixture.strings)} strings, {len(mixture.speech)} sentences, "
        f"{sum(map(len, mixture.by_word.values()))} single words of {len(mixture.voices)} voices, "
        f"from step {run.step}")
    began, sums, counted = time.monotonic(), np.zeros(4), 0
    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(mixture.batch, run.step)
        while run.step < training["steps"]:
            batch = ahead.result()
            ahead = pool.submit(mixture.batch, run.step + 1)
            sums, counted = sums + run.learn(batch), counted + 1
            if run.step % 20 == 0:
                took = time.monotonic() - began
                loss, hearing, place, norm = sums / counted
                say(f"{run.step:6d}  print {loss:7.3f}  hear {hearing:7.3f}  place {place:6.3f}  norm {norm:7.2f}  "
                    f"{took / counted:5.2f} s/step")
                run.seconds, began, sums, counted = run.seconds + took, time.monotonic(), sums * 0, 0
            last = run.step == training["steps"]
            if run.step % training["validate_every"] == 0 or last:
                model = run.averaged()
                errors, invented, sentences = validate(model, validation, words)
                say(f"{run.step:6d}  validation {errors}; "
                    f"{invented} words in {sentences} other sentences; {run.seconds:.0f} s")
                figure = errors.rate + invented / max(1, errors.words)
                if figure <= run.best:
                    run.best = figure
                    export.save(model, Path(args.work) / "best")
                if last:
                    export.save(model, args.out or Path(args.work) / "model")
            stop = run.seconds > args.stop_after * 60
            if run.step % training["checkpoint_every"] == 0 or last or stop:
                run.save()
            if stop:
                break
        ahead.cancel()


if __name__ == "__main__":
    main()
