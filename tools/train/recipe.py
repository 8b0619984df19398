"""A recipe: a TOML file that says everything about one model, if need be with another one as its base, read into
plain dictionaries."""

import re
import tomllib
from pathlib import Path


def load(path):
    """The recipe; what it does not say is what its `base`, another beside it, says."""
    with open(path, "rb") as file:
        recipe = tomllib.load(file)
    if "base" in recipe:
        base = load(Path(path).parent / recipe["base"])
        recipe = base | {name: base.get(name, {}) | value if isinstance(value, dict) else value
                         for name, value in recipe.items()}
    for section in ("data", "words", "model", "training", "mixture"):
        if section not in recipe:
            raise SystemExit(f"{path}: section [{section}] is missing")
    if isinstance(recipe["words"].get("pieces"), str):  # a file beside the recipe, made by pieces.py
        recipe["words"]["pieces"] = (Path(path).parent / recipe["words"]["pieces"]).read_text().split()
    recipe["name"] = recipe.get("name", Path(path).stem)
    return recipe


def receptive_field(model):
    """(samples that one frame hears, samples from frame to frame)"""
    field, hop = 1, 1
    for kernel, stride in zip(model["conv_kernel"], model["conv_stride"]):
        field, hop = field + (kernel - 1) * hop, hop * stride
    return field, hop


class Words:
    """Which words of a text are printed, and whether the sound alone can tell."""

    def __init__(self, section):
        self.keep = frozenset(section.get("keep", []))
        self.unsure = re.compile(section.get("unsure", "$^"))

    def printed(self, text):
        words = text.split()
        return [w for w in words if w in self.keep] if self.keep else words

    def is_sure(self, text):
        return not any(self.unsure.search(w) for w in text.split() if w not in self.keep)

    def only_kept(self, text):
        return all(w in self.keep for w in text.split()) if self.keep else True
