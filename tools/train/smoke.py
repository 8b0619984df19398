"""Runs the whole pipeline on the clips of tests/e2e/data, in three minutes: python smoke.py

Pre-training, training, a stop half way, going on, export, measuring, the card; the same with a teacher. A
run that was stopped must give the very weights of one that was not, and one begun after it must begin
where it ended; one is trained by the clock, with two workers. `--build BUILD` also compares utter with
transformers (agree.py).
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import soundfile
from safetensors.torch import load_file

HERE = Path(__file__).resolve().parent
CLIPS = HERE.parents[1] / "tests" / "e2e" / "data"
HEAD = "file\tseconds\tsource\tspeaker\ttext"


def lay_out(data):
    """The tables of README.md: the last clip is for measuring, the others are for training."""
    names = sorted(path.stem for path in CLIPS.glob("*.flac"))
    for split, chosen in (("train", names[:-1]), ("dev", names[-1:])):
        (data / split).mkdir(parents=True)
        lines = [HEAD]
        for name in chosen:
            shutil.copy(CLIPS / f"{name}.flac", data / split)
            seconds = soundfile.info(CLIPS / f"{name}.flac").duration
            text = (CLIPS / f"{name}.txt").read_text().strip()
            lines.append(f"{name}.flac\t{seconds:.3f}\tso762\t{name}\t{text}")
        (data / f"{split}.tsv").write_text("\n".join(lines) + "\n")
    (data / "untranscribed").mkdir()
    shutil.copy(CLIPS / f"{names[0]}.flac", data / "untranscribed")


def train(folder, name, *more, recipe="smoke"):
    subprocess.run([sys.executable, HERE / "train.py", HERE / "recipes" / f"{recipe}.toml", "--data",
                    folder / "data", "--work", folder / name, "--out", folder / name / "model",
                    "--device", "cpu", "--threads", "1", *more], check=True)
    return folder / name / "model"


def digest(model):
    return hashlib.sha256((model / "model.safetensors").read_bytes()).hexdigest()


def distance(model, other):
    """Between the weights of two models, as a share of the first one's size."""
    one, two = (load_file(folder / "model.safetensors") for folder in (model, other))
    apart = sum(float((one[name].float() - two[name].float()).square().sum()) for name in one)
    return (apart / sum(float(value.float().square().sum()) for value in one.values())) ** 0.5


def stopped_and_not(folder, name, other, recipe):
    """The model of a run in one go, like which one must be that was stopped now and then."""
    unbroken, broken = train(folder, name, recipe=recipe), folder / other / "model"
    stops = 0
    while not (broken / "README.md").exists():
        train(folder, other, "--stop-after", "0.03", recipe=recipe)
        stops += 1
    assert stops > 1, "the run was never stopped"
    assert digest(broken) == digest(unbroken), "stopping changed the weights"
    print(f"{recipe}: stopped {stops - 1} times, the same weights")
    return unbroken


def main():
    parser = argparse.ArgumentParser(description="Runs the whole pipeline on a handful of clips.")
    parser.add_argument("--build", help="a build folder of utter: compare its logits and text too")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        lay_out(folder / "data")
        unbroken = stopped_and_not(folder, "unbroken", "broken", "smoke")
        taught = stopped_and_not(folder, "taught", "taught-broken", "smoke-taught")
        begun = train(folder, "begun", "--steps", "1")
        after = train(folder, "after", "--steps", "1", "--after", folder / "unbroken" / "checkpoint.pt")
        assert "from step 0" in (folder / "after" / "log.txt").read_text(), "it went on instead of beginning"
        moved, all_of_it = distance(unbroken, after), distance(unbroken, begun)
        assert 0 < moved < all_of_it / 3, f"{moved:.5f} from the end of the first, whose beginning is {all_of_it:.5f} off"
        print(f"begun after it, one step: {moved:.5f} of the weights' size away; at the very beginning {all_of_it:.5f}")
        timed = train(folder, "timed", "--minutes", "0.05", "--pretraining-minutes", "0.02", "--workers", "2")
        figures = json.loads((timed / "figures.json").read_text())
        assert figures["minutes"] >= 0.05, figures
        print(f"trained by the clock: {figures['steps']} steps")
        if args.build:
            clips = [CLIPS / f"{path.stem}.flac" for path in sorted(CLIPS.glob("*.flac"))]
            for model in (unbroken, taught):
                subprocess.run([sys.executable, HERE / "agree.py", model, "--build", args.build, *clips], check=True)


if __name__ == "__main__":
    main()
