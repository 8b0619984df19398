"""The mean of some models of one recipe: python mean.py OUT MODEL MODEL...

Models that went on from one another hear differently well, and their mean often better than each
(Wortsman et al. 2022, "Model soups"). OUT gets the other files of the last.
"""

import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

WEIGHTS = "model.safetensors"


def mean(models):
    """{name: float16 weights}; every model has the same names and shapes."""
    opened = [load_file(Path(model) / WEIGHTS) for model in models]
    if any({k: v.shape for k, v in one.items()} != {k: v.shape for k, v in opened[0].items()}
           for one in opened):
        raise SystemExit("mean.py: the models are not of one shape")
    return {name: torch.stack([one[name].float() for one in opened]).mean(0).half()
            for name in opened[0]}


def main():
    if len(sys.argv) < 4:
        raise SystemExit(__doc__.splitlines()[0])
    out, *models = sys.argv[1:]
    weights = mean(models)
    shutil.copytree(models[-1], out, dirs_exist_ok=True)
    save_file(weights, Path(out) / WEIGHTS, metadata={"format": "pt"})


if __name__ == "__main__":
    main()
