"""Writes a model's card from its recipe, what was measured, and the log of its training."""

import json
import re
from pathlib import Path

from safetensors import safe_open


def parameters(folder):
    with safe_open(folder / "model.safetensors", "pt") as weights:
        shapes = [weights.get_slice(name).get_shape() for name in weights.keys()]
    total = 0
    for shape in shapes:
        count = 1
        for size in shape:
            count *= size
        total += count
    return total


def front_matter(card):
    return ["---", f"language: {card['language']}", f"license: {card['licence']}",
            "library_name: transformers", "pipeline_tag: automatic-speech-recognition",
            "tags: [wav2vec2, ctc, streaming]", "---", ""]


def network(folder, recipe):
    config = json.loads((folder / "config.json").read_text())
    hop = 1
    for stride in config["conv_stride"]:
        hop *= stride
    signs = "letters and pieces of words" if "pieces" in recipe["words"] else "letters"
    ahead = (config["num_conv_pos_embeddings"] - 1) // 2 * hop / 16000
    return [
        "| | |", "| --- | --- |",
        f"| network | `Wav2Vec2ForCTC`, {parameters(folder) / 1e6:.1f} M parameters, F16: "
        f"{len(config['conv_dim'])} convolutions, {config['num_hidden_layers']} layers of "
        f"{config['hidden_size']}, positional convolution {ahead:.2f} s ahead |",
        "| input | 16 kHz mono, no normalisation (`do_normalize: false`), trained at peaks from −45 "
        "to 0 dBFS |",
        f"| output | {signs}, `\\|` after every word, blank `<pad>`; {16000 / hop:g} frames a second |",
        f"| made by | `tools/train`, recipe `{recipe['name']}` |", "",
    ]


def table(title, rows, name):
    return [f"| {title} | word error rate | words | wrong, lost, added |",
            "| --- | ---: | ---: | --- |",
            *(f"| {name(row['what'])} | {row['rate']:.2f} % | {row['words']} | "
              f"{row['wrong']}, {row['lost']}, {row['added']} |" for row in rows), ""]


def accuracy(measured):
    if not measured.get("sets"):
        return []
    lines = ["## Accuracy", "", "Greedy decoding of these F16 weights; nobody in these recordings was "
             "trained on.", "", *table("recordings", measured["sets"], str)]
    if measured["contexts"]:
        lines += [f"In chunks, as a stream with the cached encoder hears it ({measured['main']}):", "",
                  *table("settled at a time, left and right context (s)", measured["contexts"],
                         lambda what: ", ".join(f"{seconds:g}" for seconds in what))]
    return lines


def curve(log):
    """[(step, print loss)] a tenth of the way at a time, and [(step, validation per cent)]."""
    text = log.read_text()
    losses = [(int(step), float(value))
              for step, value in re.findall(r"^ *(\d+)  print +([\d.]+)", text, re.M)]
    rates = [(int(step), float(value))
             for step, value in re.findall(r"^ *(\d+)  validation +([\d.]+)", text, re.M)]
    every = max(1, len(losses) // 10)
    return losses[every - 1 :: every], rates


def training(measured, log):
    losses, rates = curve(log)
    lines = ["## Training", "", f"{measured['steps']} steps, {measured['minutes']:.0f} minutes.", "",
             "| step | loss a second of audio | words wrong in validation |", "| ---: | ---: | ---: |"]
    at = dict(rates)
    for step, loss in losses:
        near = [s for s in at if s <= step]
        shown = f"{at[max(near)]:.1f} %" if near else ""
        lines.append(f"| {step} | {loss:.1f} | {shown} |")
    return [*lines, ""]


def write(folder, recipe, measured, log):
    folder, card = Path(folder), recipe.get("card")
    if not card:
        return
    lines = [*front_matter(card), f"# {recipe['name']}", "", card["summary"].strip(), "",
             *network(folder, recipe),
             "## Data and licences", "", "| source | what was used | licence |", "| --- | --- | --- |",
             *(f"| {one['name']} | {one['used']} | {one['licence']} |" for one in card["source"]), "",
             *accuracy(measured), *training(measured, log),
             "## Limits", "", card["limits"].strip()]
    (folder / "README.md").write_text("\n".join(lines) + "\n")
