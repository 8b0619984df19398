"""A model directory in Hugging Face layout, F16: what transformers and utter both open."""

import json
import math
from pathlib import Path

from safetensors.torch import load_file, save_file
from transformers import Wav2Vec2CTCTokenizer, Wav2Vec2FeatureExtractor, Wav2Vec2Processor
from transformers.utils import logging

import figures

logging.disable_progress_bar()
CACHED_MAY_COST, LOW_MAY_COST = 2.0, 0.5  # of 100 words
LOW = [0.32, 4.0, 0.48]  # what is heard with --latency low: seconds settled at a time, left and right context


def write(path, value):
    path.write_text(json.dumps(value, indent=2) + "\n")


def processor(folder, alphabet, normalise):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = folder / "vocab.json"
    write(vocabulary, alphabet.label)
    return Wav2Vec2Processor(
        feature_extractor=Wav2Vec2FeatureExtractor(
            feature_size=1, sampling_rate=16000, padding_value=0.0,
            do_normalize=normalise, return_attention_mask=True,
        ),
        tokenizer=Wav2Vec2CTCTokenizer(
            str(vocabulary), bos_token="<s>", eos_token="</s>", unk_token="<unk>",
            pad_token="<pad>", word_delimiter_token="|", do_lower_case=False,
        ),
    )


def save(model, folder, alphabet, normalise=False):
    """Writes config, vocabulary, processor and the weights, rounded to F16."""
    folder = Path(folder)
    made = processor(folder, alphabet, normalise)
    made.tokenizer.save_pretrained(folder)
    made.feature_extractor.save_pretrained(folder)
    tokens = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    write(folder / "special_tokens_map.json", tokens)  # older readers want it
    model.save_pretrained(folder)
    weights = load_file(folder / "model.safetensors")
    save_file({name: tensor.half() for name, tensor in weights.items()},
              folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    for key in ("torch_dtype", "dtype"):
        if key in config:
            config[key] = "float16"
    write(folder / "config.json", config)
    (folder / "model.safetensors").chmod(0o644)


def describe(folder, measured):
    """utter.json: how a stream of it is best heard, and of 100 words how many are wrong."""
    rate = figures.main_rate(measured)
    chunked = {tuple(one["what"]): one["rate"] for one in measured.get("contexts", [])}
    near = rate is not None and chunked and min(chunked.values()) <= rate + CACHED_MAY_COST
    known = {"encoder": "cached" if near else "window"}
    if near and chunked.get(tuple(LOW), math.inf) <= rate + LOW_MAY_COST:
        known["latency"] = "low"
    if rate is not None:
        known["word_error_rate"] = round(rate, 1)
    write(Path(folder) / "utter.json", known)
