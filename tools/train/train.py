"""Make one model from its recipe: python train.py recipes/english.toml --data DIR --work DIR --out DIR

Prepares the data, pre-trains where the recipe says so, trains, exports, and measures on dev. Stops
and starts: what is found in WORK is not done again. Same recipe, data, threads and machine: same
weights. README.md says how the data must lie.
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch

import align
import card
import corpus
import cut
import export
import figures
import labels
import lessons
import network
import pretrain
import recipe as recipes
import student
from averaged import Averaged
from mixture import UNKNOWN, Mixture
from running import Running
from stage import Session
from validation import Validation


def arguments():
    parser = argparse.ArgumentParser(description="Make a CTC model from a recipe.")
    parser.add_argument("recipe")
    parser.add_argument("--data", required=True, help="train.tsv, dev.tsv and the folders train, dev")
    parser.add_argument("--work", required=True, help="caches, checkpoints, log")
    parser.add_argument("--out", help="write the model here at the end (default WORK/model)")
    parser.add_argument("--init", metavar="MODEL", help="begin with the weights of this directory")
    parser.add_argument("--after", metavar="CHECKPOINT", help="begin with what another training of such a "
                        "network ended with, its optimisers and teaching heads too")
    parser.add_argument("--steps", type=int, help="instead of the recipe's number")
    parser.add_argument("--batch-seconds", type=float, help="of sound a step, in every stage; instead of the recipe's")
    parser.add_argument("--minutes", type=float, help="of training, instead of a number of steps; not the same "
                        "weights again")
    parser.add_argument("--pretraining-minutes", type=float, metavar="MINUTES", help="likewise")
    parser.add_argument("--stop-after", type=float, default=math.inf, metavar="MINUTES",
                        help="leave a checkpoint and stop; run again to go on")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--bfloat16", action="store_true", help="most products in bfloat16: on a GPU, or a CPU "
                        "with AVX512-BF16")
    parser.add_argument("--threads", type=int, default=2, help="of the network, on a CPU")
    parser.add_argument("--workers", type=int, default=1, help="processes that compose batches")
    parser.add_argument("--prepare", action="store_true", help="decode and align, then stop")
    return parser.parse_args()


def prepare(recipe, data, work):
    """(mixture, validation)"""
    words = recipes.Words(recipe["words"])
    clips = corpus.load(data, "train", work)
    if not words.keep:
        clips = align.aligned(clips, "train", work)
    training, validation = corpus.split_validation(clips, recipe["data"])
    if not words.keep:
        if recipe["data"].get("synthetic"):
            spoken = corpus.load(data, "synthetic", work)
            training = training + align.aligned(spoken, "synthetic", work)
        return Running(recipe, training), Validation(validation, [], words)
    isolated = set(recipe["data"].get("isolated", []))
    singles = [c for c in training if c.source in isolated]
    speech = [c for c in training if c.source not in isolated]
    sets = [(speech, "words")]
    if recipe["data"].get("synthetic"):
        sets.append((corpus.load(data, "synthetic", work), "synthetic"))
    strings = []
    for clips, name in sets:
        known = cut.places(clips, words.keep.__contains__, work, name)
        singles += cut.words(clips, known)
        strings += [cut.with_places(clip, found) for clip, found in zip(clips, known)
                    if words.only_kept(clip.text)]
    speech = [c for c in speech if not words.only_kept(c.text)]
    alone = [c for c in validation if c.source in isolated]
    spoken = [c for c in validation if c.source not in isolated]
    places = cut.places(spoken, words.keep.__contains__, work, "validation")
    alone = cut.words(spoken, places) + alone
    lonely = "lonely" in recipe["training"]
    strangers = cut.strangers(speech, words, work, "strangers") if lonely else []
    unheard = cut.strangers(spoken, words, work, "validation-strangers")
    return (Mixture(recipe, words, singles, strings, speech, strangers),
            Validation(validation, alone, words, unheard))


DELIMITER_SHIFTS = (0.0, 1.0, 2.0, 3.0)  # of its logit
BLANK_SHIFTS = (0.0, -0.5, -1.0, -1.5)


class Recognition(Averaged):
    """CTC training with the two teaching heads; keeps a running mean of the weights."""

    columns = ("print", "hear", "place", "span")

    def __init__(self, recipe, session, vocabulary, validation, minutes=None):
        torch.manual_seed(recipe.get("seed", 0))
        self.words = recipes.Words(recipe["words"])
        self.timing = recipes.receptive_field(recipe["model"])
        super().__init__(network.Trainee(recipe, len(vocabulary)), recipe, session, validation,
                         labels.of(recipe), minutes)

    def span_weight(self):
        """From the first to the second of two: words that last, then words that are right."""
        first, last = self.training["span_weight"]
        return first + (last - first) * min(1.0, self.step / self.training["span_steps"])

    def losses(self, batch):
        audio = torch.from_numpy(batch.audio).to(self.session.device, non_blocking=True)
        known = torch.from_numpy(batch.places).to(self.session.device, non_blocking=True)
        hop = self.timing[1]
        audio = network.normalised(audio) if self.normalise else audio
        with self.precision:
            printed, heard, places = self.module(audio, self.limits())
        loss = network.ctc_loss(printed, batch.printed, hop, self.alphabet)
        hearing = network.ctc_loss(heard, batch.heard, hop, labels.LETTERS)
        total = loss + self.training["hearing_weight"] * hearing
        place = span = loss.detach() * 0.0
        if "span_weight" in self.training:
            span = network.span_loss(printed, batch.spans, self.timing, self.alphabet)
            total = total + self.span_weight() * span
        elif batch.early:
            total = total + network.spelling_loss(printed, batch.spans, self.timing, self.alphabet)
        if (batch.places != UNKNOWN).any():  # else no mean
            place = torch.nn.functional.cross_entropy(
                places.flatten(0, 1), known.flatten(), ignore_index=UNKNOWN)
            total = total + self.training["place_weight"] * place
        return total, [loss, hearing, place, span]

    def calibrated(self):
        """The averaged model; of whole words the delimiter is raised by what is best in validation, for a
        delimiter that is left out makes one wrong word of two, and then the blank lowered likewise."""
        model = self.averaged()
        if self.alphabet is not labels.LETTERS:
            self.shift(model, "delimiter", self.alphabet.delimiter, DELIMITER_SHIFTS)
            self.shift(model, "blank", self.alphabet.blank, BLANK_SHIFTS)
        return model

    def shift(self, model, name, label, shifts):
        """Leaves the bias of `label` shifted by the best of `shifts` in validation."""
        bias, figures = model.lm_head.bias.data, {}
        before = float(bias[label])
        for shift in shifts:
            bias[label] = before + shift
            heard = self.heard(model)
            figures[shift] = heard.figure
            self.session.say(f"# {name} {shift:+g}: {heard}")
        bias[label] = before + min(figures, key=figures.get)


def pretrained(recipe, data, session, minutes):
    """True when that is done, or the recipe does not ask for it."""
    kept = session.work / "pretrained.pt"
    if "pretraining" not in recipe or kept.exists():
        return True
    clips = corpus.load(data, "train", session.work)
    clips += corpus.load_untranscribed(data, session.work)
    hours = sum(clip.samples for clip in clips) / corpus.RATE / 3600
    stage = pretrain.Pretraining(recipe, session, minutes)
    session.say(f"# {recipe['name']}: pre-training on {hours:.1f} h from step {stage.step}")
    if not stage.go(pretrain.Listening(recipe, clips)):
        return False
    stage.keep(kept)
    return True


def train(args, recipe, session):
    """The finished stage, or None when the session is over before."""
    mixture, validation = prepare(recipe, args.data, args.work)
    stage = Recognition(recipe, session, mixture.vocabulary, validation, args.minutes)
    return run(args, recipe, stage, mixture)


def lessons_of(recipe, data, work, device):
    """([Lesson] to learn from, recordings for validation)"""
    clips = corpus.load(data, "train", work)
    found = lessons.load(clips, [clip.text for clip in clips], "train", work, device)
    _, validation = corpus.split_validation(clips, recipe["data"])
    apart = {id(clip) for clip in validation}
    found = [lesson for lesson in found if id(lesson.clip) not in apart]
    if recipe["data"].get("synthetic"):
        found += lessons.unheard(corpus.load(data, "synthetic", work))
    more = corpus.load_untranscribed(data, work)
    if more:
        found += lessons.load(more, lessons.heard(more, "untranscribed", work), "untranscribed", work, device)
    return found, Validation(validation, [], recipes.Words(recipe["words"]))


def teach(args, recipe, session):
    """Likewise, of a student (student.py)."""
    found, validation = lessons_of(recipe, args.data, args.work, args.device)
    school, stage = lessons.School(recipe, found), student.Taught(recipe, session, validation, args.minutes)
    return run(args, recipe, stage, school)


def run(args, recipe, stage, dataset):
    """Begins where it is to begin, or goes on: the stage at its end, or None when the session is over before."""
    stage.begin(args.init, args.after)
    parameters = sum(p.numel() for p in stage.module.model.parameters())
    stage.session.say(f"# {recipe['name']}: {parameters} parameters, {dataset.describe()}, from step {stage.step}")
    return stage if stage.done() >= 1 or stage.go(dataset) else None


def finish(args, recipe, stage):
    """Exports the calibrated running mean, measures what was exported, and writes its card."""
    out = Path(args.out or stage.session.work / "model")
    export.save(stage.calibrated().cpu(), out, stage.alphabet, stage.normalise)
    measured = {"recipe": recipe["name"], "steps": stage.step, "minutes": stage.seconds / 60}
    if (Path(args.data) / "dev.tsv").exists() and not recipe["words"].get("keep"):
        measured |= figures.measure(out, recipe, args.data, args.work, args.device)
    (out / "figures.json").write_text(json.dumps(measured, indent=2) + "\n")
    export.describe(out, measured)
    card.write(out, recipe, measured, stage.session.work / "log.txt")
    stage.session.say(f"# {out} is written")


def main():
    args = arguments()
    torch.set_num_threads(args.threads)
    torch.set_float32_matmul_precision("high")
    recipe = recipes.load(args.recipe)
    if args.steps:
        recipe["training"]["steps"] = args.steps
    for stage in ("pretraining", "training"):
        if args.batch_seconds and stage in recipe:
            recipe[stage]["batch_seconds"] = args.batch_seconds
        if args.bfloat16 and stage in recipe:
            recipe[stage]["bfloat16"] = True
    work = Path(args.work)
    work.mkdir(parents=True, exist_ok=True)
    taught = "likeness_layer" in recipe["training"]
    if args.prepare:
        if taught:
            lessons_of(recipe, args.data, args.work, args.device)
        else:
            prepare(recipe, args.data, args.work)
        return
    session = Session(work, args.device, args.workers, args.stop_after)
    ready = args.init or args.after or pretrained(recipe, args.data, session, args.pretraining_minutes)
    stage = (teach if taught else train)(args, recipe, session) if ready else None
    if stage:
        finish(args, recipe, stage)


if __name__ == "__main__":
    main()
