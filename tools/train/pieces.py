"""Which pieces of words to write: python pieces.py recipes/english.pieces --data DATA --work WORK

Learns them by byte pair encoding from the texts of train.tsv and those the teacher wrote (WORK, after `train.py
--prepare`). A recipe names the file in [words] as `pieces`; labels.py takes words apart.
"""

import argparse
import json
import textwrap
from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

import corpus
import labels
import lessons


def arguments():
    parser = argparse.ArgumentParser(description="Which pieces of words to write.")
    parser.add_argument("out")
    parser.add_argument("--data", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--count", type=int, default=400, help="pieces besides the letters")
    return parser.parse_args()


def learnt(texts, count):
    """The pieces in the order in which they were joined."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    alphabet = list(labels.A_TO_Z)
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=len(alphabet) + count, initial_alphabet=alphabet, limit_alphabet=len(alphabet), show_progress=False))
    known = tokenizer.get_vocab()
    return [piece for piece in sorted(known, key=known.get) if len(piece) > 1]


def main():
    args = arguments()
    texts = [row["text"] for row in corpus.read_table(Path(args.data) / "train.tsv")]
    for path in sorted(Path(args.work).glob("*.heard.json")):
        texts += filter(None, (lessons.usable(*one) for one in json.loads(path.read_text())))
    Path(args.out).write_text(textwrap.fill(" ".join(learnt(texts, args.count)), 100) + "\n")


if __name__ == "__main__":
    main()
