"""Is a model the same in transformers and in utter? python agree.py MODEL --build BUILD CLIP...

Logits within 1e-4 of the greatest of a clip (never finer than 1e-4), by the program of tests/golden,
and the same text by `utter transcribe`. BUILD is a build folder of utter, with its tests.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile
import torch
from safetensors.numpy import save_file
from transformers import Wav2Vec2ForCTC, Wav2Vec2Processor

TOLERANCE = 1e-4


def by_transformers(folder, clips):
    """({clip: samples and logits}, [text])"""
    processor = Wav2Vec2Processor.from_pretrained(folder)
    model = Wav2Vec2ForCTC.from_pretrained(folder, dtype=torch.float32).eval()
    tensors, texts = {}, []
    for number, clip in enumerate(clips):
        audio, rate = soundfile.read(clip, dtype="float32")
        values = processor(audio, sampling_rate=rate, return_tensors="pt").input_values
        with torch.inference_mode():
            logits = model(values).logits
        tensors[f"{number}.input"] = values[0].numpy()
        tensors[f"{number}.logits"] = np.ascontiguousarray(logits[0].numpy())
        texts.append(" ".join(processor.batch_decode(logits.argmax(-1))[0].split()))
    return tensors, texts


def compare_logits(program, folder, tensors, count):
    with tempfile.TemporaryDirectory() as golden:
        shutil.copytree(folder, golden, dirs_exist_ok=True)
        save_file(tensors, Path(golden) / "expected.safetensors")
        cases = [{"name": str(number), "input": f"{number}.input"} for number in range(count)]
        (Path(golden) / "cases.json").write_text(
            json.dumps({"tolerance": TOLERANCE, "cases": cases}))
        return subprocess.run([program, golden]).returncode == 0


def compare_texts(program, folder, clips, texts):
    same = True
    for clip, text in zip(clips, texts):
        heard = subprocess.run([program, "transcribe", "--model", folder, clip], check=True,
                               capture_output=True, text=True).stdout
        if " ".join(heard.split()) != text:
            print(f"{clip}: transformers: {text}\n{clip}: utter: {heard}")
            same = False
    return same


def main():
    parser = argparse.ArgumentParser(description="Is a model the same in transformers and in utter?")
    parser.add_argument("model")
    parser.add_argument("clips", nargs="+", help="16 kHz mono recordings")
    parser.add_argument("--build", required=True, help="a build folder of utter")
    args = parser.parse_args()
    build = Path(args.build)
    tensors, texts = by_transformers(args.model, args.clips)
    logits = compare_logits(build / "tests" / "golden" / "utter-golden", args.model, tensors,
                            len(args.clips))
    same = compare_texts(build / "utter", args.model, args.clips, texts)
    print(f"{len(args.clips)} clips: logits {'agree' if logits else 'DIFFER'}, "
          f"texts {'agree' if same else 'DIFFER'}")
    return 0 if logits and same else 1


if __name__ == "__main__":
    sys.exit(main())
