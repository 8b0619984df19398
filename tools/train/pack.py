"""Takes a data folder to another machine: python pack.py DATA PIECES; there: python pack.py --join PIECES DATA

Tar files of at most 60 MiB, each of use by itself: tables go into the first, recordings as they are
(Opus), and what WORK already knows of them (`--work`: where the words are, the teacher, what it wrote) so that this
need not be found out there. `--file FILE` takes one big file (a model's weights) in pieces of 15 MiB instead.
"""

import argparse
import io
import tarfile
from pathlib import Path

PIECE = 60 << 20
PART = 15 << 20
HEADER = 512  # what tar adds to a file, whose names here are short


def arguments():
    parser = argparse.ArgumentParser(description="Takes data to another machine in small pieces.")
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--work", type=Path, help="add what was found out about the recordings")
    parser.add_argument("--without", action="append", default=[], metavar="NAME",
                        help="leave out NAME.tsv and the folder NAME, such as dev")
    parser.add_argument("--file", action="store_true", help="the source is one big file")
    parser.add_argument("--join", action="store_true", help="the way back")
    return parser.parse_args()


def listed(data, work, without):
    """[(name in the tar, path)], tables first."""
    found = [(path.name, path) for path in sorted(data.glob("*.tsv")) if path.stem not in without]
    for pattern in ("*.words.json", "*.phones.npy", "*.heard.json", "teacher.pt") if work else ():
        found += [(f"work/{path.name}", path) for path in sorted(work.glob(pattern))
                  if path.name.split(".")[0] not in without]
    for folder in sorted(path for path in data.iterdir() if path.is_dir() and path.name not in without):
        found += [(str(path.relative_to(data)), path)
                  for path in sorted(folder.rglob("*")) if path.is_file()]
    return found


def pack(data, work, target, without):
    target.mkdir(parents=True, exist_ok=True)
    number, size, tar = 0, PIECE, None
    for name, path in listed(data, work, without):
        needs = HEADER + (path.stat().st_size + 511) // 512 * 512
        if size + needs > PIECE - 20480:  # what tar adds at the end
            if tar:
                tar.close()
            piece = target / f"piece-{number:02d}.tar"
            tar = tarfile.open(piece, "w", format=tarfile.GNU_FORMAT)
            size, number = 0, number + 1
        tar.add(path, name)
        size += needs
    tar.close()
    print(f"{number} pieces in {target}")


def unpack(source, data):
    data.mkdir(parents=True, exist_ok=True)
    for piece in sorted(source.glob("piece-*.tar")):
        with tarfile.open(piece) as tar:
            tar.extractall(data, filter="data")


def split(source, target):
    target.mkdir(parents=True, exist_ok=True)
    with open(source, "rb") as file:
        for number, part in enumerate(iter(lambda: file.read(PART), b"")):
            (target / f"{source.name}.{number:02d}").write_bytes(part)


def join(source, target):
    whole = io.BytesIO()
    for part in sorted(source.glob(f"{target.name}.[0-9][0-9]")):
        whole.write(part.read_bytes())
    target.write_bytes(whole.getvalue())


def main():
    args = arguments()
    if args.file:
        (join if args.join else split)(args.source, args.target)
    elif args.join:
        unpack(args.source, args.target)
    else:
        pack(args.source, args.work, args.target, args.without)


if __name__ == "__main__":
    main()
