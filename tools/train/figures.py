"""What a model of running speech gets wrong on dev: for each source, and for each context size."""

import functools

import torch
from transformers import Wav2Vec2ForCTC

import corpus
import labels
import recipe as recipes
import score


def measure(folder, recipe, data, work, device="cpu"):
    """{"sets": [...], "contexts": [...]} with counts and rates; `recipe` has [evaluation]."""
    model = Wav2Vec2ForCTC.from_pretrained(folder, dtype=torch.float32).eval().to(device)
    clips = corpus.load(data, "dev", work)
    section = recipe["evaluation"]
    hear = functools.partial(score.transcribe, model, alphabet=labels.of(recipe),
                             normalise=recipe.get("normalise", False))
    sets = [line(title, errors(hear, [c for c in clips if c.source in sources]))
            for title, sources in section["sets"].items()]
    main = [c for c in clips if c.source in section["sets"][section["main"]]]
    frame = recipes.receptive_field(recipe["model"])[1] / corpus.RATE
    contexts = []
    for chunk, left, right in section.get("contexts", []):
        limits = [round(seconds / frame) for seconds in (chunk, left, right)]
        found = errors(functools.partial(hear, limits=limits), main)
        contexts.append(line([chunk, left, right], found))
    return {"main": section["main"], "sets": sets, "contexts": contexts}


def errors(hear, clips):
    total = score.Errors()
    for clip in clips:
        total += score.compare(clip.text.split(), hear(clip.audio).split())
    return total


def line(title, found):
    wrong, lost, added, words = found.parts()
    return {"what": title, "rate": round(100 * found.rate, 2), "words": words,
            "wrong": wrong, "lost": lost, "added": added}


def main_rate(measured):
    """Word error rate, per cent, of the set that counts; None when nothing was measured."""
    rates = [one["rate"] for one in measured.get("sets", []) if one["what"] == measured["main"]]
    return rates[0] if rates else None
