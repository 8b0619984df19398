#!/usr/bin/env python3
"""tools/convert against checkpoints that torch wrote, damaged ones and hostile ones.

usage: convert_test.py          (standard library only; one line of result, status 0 or 1)

The inputs under convert/ are made by tools/fixtures/pickles.py; every damaged or hostile file is
made here from them.
"""

import io
import json
import os
import pathlib
import pickle
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CONVERT = ROOT / "tools" / "convert"
DATA = HERE / "convert"


def read_safetensors(path):
    """name -> (dtype, shape, bytes); checks that the file is well-formed"""
    data = path.read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    body, end, tensors = data[8 + size :], 0, {}
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        start, stop = entry["data_offsets"]
        assert start == end, f"a gap before {name}"
        tensors[name] = (entry["dtype"], entry["shape"], body[start:stop])
        end = stop
    assert end == len(body) and size % 8 == 0
    return tensors


class Hostile:
    """Pickles as a call of `function`."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def torch_zip(pickled, members=(), compression=zipfile.ZIP_STORED):
    """A file in torch's format around a pickle of ours."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        archive.writestr("archive/data.pkl", pickled)
        for name, data in members:
            archive.writestr(f"archive/{name}", data)
    return out.getvalue()


def tensor_pickle(shape, strides, offset=0, length=4, after=b""):
    """A pickle, written opcode by opcode, of {"x": tensor of `length` floats}."""

    def numbers(values):
        return b"(" + b"".join(b"I%d\n" % value for value in values) + b"t"

    storage = (
        b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu"
    )
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"I%d\ntQ" % length
    tensor += b"I%d\n" % offset + numbers(shape) + numbers(strides) + b"I00\nNtR" + after
    return b"}X\x01\x00\x00\x00x" + tensor + b"s."


class ConvertTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="utter-convert-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def convert(self, *arguments, **options):
        command = [sys.executable, str(CONVERT), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)

    def checkpoint(self, name):
        shutil.copytree(DATA / name, self.folder / name)
        return self.folder / name

    def broken(self, data):
        (self.folder / "pytorch_model.bin").write_bytes(data)
        return self.folder

    def assert_refused(self, folder, *words, **options):
        """One line that names the file and the cause, status 1, nothing written."""
        before = sorted(folder.iterdir())
        result = self.convert(folder, **options)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        for word in (str(folder), *words):
            self.assertIn(word, result.stderr)
        self.assertTrue(result.stderr.isascii(), result.stderr)
        self.assertEqual(sorted(folder.iterdir()), before)

    # --- what torch wrote -------------------------------------------------------------------

    def assert_converted(self, name, expected):
        folder = self.checkpoint(name)
        result = self.convert(folder)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(read_safetensors(folder / "model.safetensors"), read_safetensors(expected))
        self.assertEqual((folder / "model.safetensors").stat().st_mode & 0o444, 0o444)

    def test_zip(self):
        self.assert_converted("zip", ROOT / "tests/golden/group-plain/model.safetensors")

    def test_legacy(self):
        self.assert_converted("legacy", ROOT / "tests/golden/group-plain/model.safetensors")

    def test_every_type_and_layout(self):
        self.assert_converted("kinds-zip", DATA / "kinds.safetensors")

    def test_every_type_and_layout_in_the_legacy_format(self):
        self.assert_converted("kinds-legacy", DATA / "kinds.safetensors")

    def test_shards(self):
        folder = self.checkpoint("kinds-shards")
        self.assertEqual(self.convert(folder).returncode, 0)
        index = json.loads((folder / "model.safetensors.index.json").read_text())
        found = {}
        for file in sorted(set(index["weight_map"].values())):
            tensors = read_safetensors(folder / file)
            self.assertEqual({index["weight_map"][name] for name in tensors}, {file})
            found.update(tensors)
        self.assertEqual(found, read_safetensors(DATA / "kinds.safetensors"))

    # --- the command ------------------------------------------------------------------------

    def test_output_directory_gets_the_json_files(self):
        folder = self.checkpoint("zip")
        (folder / "config.json").write_text("{}")
        out = self.folder / "new" / "place"
        self.assertEqual(self.convert(folder, "-o", out).returncode, 0)
        self.assertEqual(sorted(os.listdir(out)), ["config.json", "model.safetensors"])
        self.assertFalse((folder / "model.safetensors").exists())

    def test_replaces_only_when_told_to(self):
        folder = self.checkpoint("kinds-zip")
        (folder / "model.safetensors").write_text("mine")
        self.assert_refused(folder, "model.safetensors", "--force")
        self.assertEqual(self.convert(folder, "--force").returncode, 0)
        self.assertIn("scalar", read_safetensors(folder / "model.safetensors"))

    def test_nothing_to_convert(self):
        self.assert_refused(self.folder, "no pytorch_model.bin")
        result = self.convert(self.folder / "nowhere")
        self.assertEqual((result.returncode, result.stderr.count("\n")), (1, 1))
        self.assertIn("not a directory", result.stderr)

    def test_help(self):
        result = self.convert("--help")
        self.assertEqual(result.returncode, 0)
        self.assertIn("--output", result.stdout)

    def test_full_disk_leaves_nothing(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

        self.assert_refused(self.checkpoint("zip"), "File too large", preexec_fn=limit)

    # --- damaged ----------------------------------------------------------------------------

    def test_cut_anywhere(self):
        for name in ("kinds-zip", "kinds-legacy"):
            whole = (DATA / name / "pytorch_model.bin").read_bytes()
            for size in range(0, len(whole), 797):
                with self.subTest(name=name, size=size):
                    self.assert_refused(self.broken(whole[:size]))

    def test_flipped_bytes_never_end_in_a_traceback(self):
        for name in ("kinds-zip", "kinds-legacy"):
            whole = bytearray((DATA / name / "pytorch_model.bin").read_bytes())
            for place in range(0, len(whole), 431):
                data = whole.copy()
                data[place] ^= 0xFF
                with self.subTest(name=name, place=place):
                    result = self.convert(self.broken(data), "--force")
                    self.assertIn(result.returncode, (0, 1))
                    self.assertLessEqual(result.stderr.count("\n"), 1, result.stderr)

    def test_not_a_checkpoint(self):
        self.assert_refused(self.broken(b""), "empty")
        self.assert_refused(self.broken(b"version https://git-lfs.github.com/spec/v1\n"), "lfs")
        self.assert_refused(self.broken(b"hello, I am a text\n" * 20))
        self.assert_refused(self.broken(pickle.dumps([1, 2, 3], 2)), "not a PyTorch file")
        self.assert_refused(self.broken(torch_zip(pickle.dumps([], 2))), "no dictionary")
        self.assert_refused(self.broken(torch_zip(pickle.dumps({}, 2))), "no tensors")
        self.assert_refused(self.broken(torch_zip(pickle.dumps({"epoch": 3}, 2))), "epoch")
        fairseq = {"model": {"w": 1}, "args": None}
        self.assert_refused(self.broken(torch_zip(pickle.dumps(fairseq, 2))), "fairseq")

    def test_tensor_that_lies(self):
        member = [("data/0", bytes(16))]
        for shape, strides, offset, words in (
            ((2, 2), (2, 1), 1, "beyond"),
            ((5,), (1,), 0, "beyond"),
            ((2,), (4,), 0, "beyond"),
            ((1 << 40,), (0,), 0, "more elements"),
            ((1 << 70, 1 << 70), (0, 0), 0, "more elements"),
            ((-1,), (1,), 0, "not a whole number"),
            ((2,), (-1,), 1, "not a whole number"),
            ((2, 2), (1,), 0, "not described"),
            ((1,) * 40, (1,) * 40, 0, "not described"),
        ):
            with self.subTest(shape=shape, strides=strides):
                pickled = tensor_pickle(shape, strides, offset)
                self.assert_refused(self.broken(torch_zip(pickled, member)), words)

    def test_storage_that_lies(self):
        pickled = tensor_pickle((4,), (1,), 0)
        self.assert_refused(self.broken(torch_zip(pickled)), "missing")
        self.assert_refused(self.broken(torch_zip(pickled, [("data/0", bytes(12))])), "cut short")
        self.assert_refused(self.broken(torch_zip(pickled, [("data/0", bytes(20))])), "larger")
        packed = torch_zip(pickled, [("data/0", bytes(16))], zipfile.ZIP_DEFLATED)
        self.assert_refused(self.broken(packed), "compressed")
        big_endian = torch_zip(pickled, [("data/0", bytes(16)), ("byteorder", b"big")])
        self.assert_refused(self.broken(big_endian), "big-endian")

    def test_index_that_lies(self):
        folder = self.checkpoint("kinds-shards")
        index = folder / "pytorch_model.bin.index.json"
        good = index.read_text()
        for text in ("", "[]", "{}", '{"weight_map": 3}', '{"weight_map": {"a": "../x.bin"}}'):
            index.write_text(text)
            self.assert_refused(folder, "index.json")
        index.write_text(good.replace('"scalar"', '"no such tensor"'))
        self.assert_refused(folder, "no such tensor")
        index.write_text(good.replace("00002-of-00002", "00009-of-00002"))
        self.assert_refused(folder, "No such file")

    # --- hostile ----------------------------------------------------------------------------

    def test_calls_are_refused_and_not_made(self):
        marker = self.folder / "was-run"
        calls = [
            Hostile(os.system, f"touch {marker}"),
            Hostile(eval, f"open({str(marker)!r}, 'w')"),
            Hostile(subprocess.check_call, ["touch", str(marker)]),
            Hostile(open, str(marker), "w"),
            Hostile(getattr, "", "upper"),
        ]
        for protocol in (0, 4):
            for call in calls:
                for value in (call, {"x": call}):
                    try:
                        pickled = pickle.dumps(value, protocol)
                    except pickle.PicklingError:
                        continue
                    with self.subTest(call=call.call, protocol=protocol):
                        self.assert_refused(self.broken(torch_zip(pickled)), "it calls")
                        self.assert_refused(self.broken(pickled), "it calls")
                        self.assertFalse(marker.exists())

    def test_names_are_not_printed_raw(self):
        pickled = b"cos\x1b]0;title\x07\nsys\x1b[2Jtem\n)R."
        self.assert_refused(self.broken(torch_zip(pickled)), "\\x1b")

    def test_checked_values_cannot_be_changed(self):
        """BUILD after the tensor is made sets its attributes, if it has any."""
        change = b"}X\x05\x00\x00\x00shape(I1000000\ntsb"
        pickled = tensor_pickle((4,), (1,), after=change)
        self.assert_refused(self.broken(torch_zip(pickled, [("data/0", bytes(16))])), "damaged")
        slots = b"(N}X\x05\x00\x00\x00shape(I1000000\ntstb"
        pickled = tensor_pickle((4,), (1,), after=slots)
        self.assert_refused(self.broken(torch_zip(pickled, [("data/0", bytes(16))])), "damaged")
        pickled = b"ccollections\nOrderedDict\n(N}X\x09\x00\x00\x00_function(lsttb."
        self.assert_refused(self.broken(torch_zip(pickled)))


def main():
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(ConvertTest)
    report = io.StringIO()
    result = unittest.TextTestRunner(stream=report, verbosity=2).run(suite)
    if not result.wasSuccessful():
        print(report.getvalue(), file=sys.stderr)
    failed = len(result.failures) + len(result.errors)
    print(f"convert: {result.testsRun} tests, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
