# SPDX-License-Identifier: MIT
"""utter-quantize: what it writes, that the program computes with it, and what it refuses."""

import array
import json
import os
import resource
import shutil
import signal
import struct
import subprocess
import unittest

from harness import GOLDEN, ProgramTest, golden_cases, golden_samples, wav

QUANTIZE = os.environ["UTTER_QUANTIZE"]
MODELS = ("base", "digits", "group-plain", "hubert-large", "layer-stable", "xlsr")


def read_tensors(folder):
    """name -> (dtype, shape, bytes), and the metadata"""
    data = (folder / "model.safetensors").read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    metadata = header.pop("__metadata__", {})
    body = data[8 + size:]
    return {name: (entry["dtype"], entry["shape"], body[slice(*entry["data_offsets"])])
            for name, entry in header.items()}, metadata


def floats(tensor):
    return array.array("f", tensor[2])


def refuse_big_files():
    """For `preexec_fn`: as on a full disk, writing ends in an error."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))


class Quantize(ProgramTest):
    def quantize(self, *arguments, **options):
        return subprocess.run([QUANTIZE, *map(os.fspath, arguments)], cwd=self.folder, env=self.environment,
                              capture_output=True, text=True, timeout=120, **options)

    def quantized(self, model):
        result = self.quantize(GOLDEN / model, self.folder / model)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return self.folder / model

    def test_weights_are_rounded(self):
        """Every integer times its step is within half a step of what the weight was."""
        before, _ = read_tensors(GOLDEN / "base")
        after, metadata = read_tensors(self.quantized("base"))
        self.assertIn("I8", metadata["utter.weights"])
        rounded = [name for name, (dtype, _, _) in after.items() if dtype == "I8"]
        self.assertGreater(len(rounded), 15)
        for name in rounded:
            if "pos_conv" in name:
                continue  # its weight norm is multiplied out
            self.assertEqual(after[name][1], before[name][1])
            weights, steps, outputs = floats(before[name]), floats(after[name + "_scale"]), after[name][1][0]
            self.assertEqual(after[name + "_scale"][:2], ("F32", [outputs]))
            row = len(weights) // outputs
            for i, integer in enumerate(array.array("b", after[name][2])):
                self.assertLessEqual(abs(integer * steps[i // row] - weights[i]), 0.501 * steps[i // row])

    def test_the_rest_stays(self):
        before, _ = read_tensors(GOLDEN / "base")
        after, _ = read_tensors(self.quantized("base"))
        for name, tensor in after.items():
            if not name.endswith("_scale") and tensor[0] != "I8":
                self.assertEqual(tensor, before[name])
        for name in ("lm_head.weight", "wav2vec2.feature_extractor.conv_layers.0.conv.weight"):
            self.assertEqual(after[name][0], "F32")
        for name in ("config.json", "vocab.json", "preprocessor_config.json", "tokenizer_config.json"):
            source = GOLDEN / "base" / name
            self.assertEqual((self.folder / "base" / name).exists(), source.exists())
            if source.exists():
                self.assertEqual((self.folder / "base" / name).read_bytes(), source.read_bytes())

    def test_the_program_computes_the_same(self):
        """A file of bytes, and floats that become bytes when they are read: one result."""
        for model in MODELS:
            with self.subTest(model=model):
                case = golden_cases(model)["second"]
                (self.folder / "talk.wav").write_bytes(wav(golden_samples(model, case)))
                options = ("transcribe", "--format", "json", "talk.wav", "--model")
                stored = self.run_utter(*options, self.quantized(model))
                asked = self.run_utter(*options, GOLDEN / model, "--precision", "int8")
                self.assertEqual((stored.returncode, stored.stderr), (0, b""))
                self.assertEqual(stored.stdout, asked.stdout)
                exact = self.run_utter(*options, self.folder / model, "--precision", "fp32")
                self.assertEqual(exact.returncode, 0)

    def test_what_is_refused(self):
        for arguments, status, cause in (
                ((), 2, "usage"), (("one",), 2, "usage"), (("--loud", "a", "b"), 2, "usage"),
                (("nowhere", "out"), 1, "nowhere: No such file or directory"),
                ((GOLDEN / "base", "missing/out"), 1, "missing/out: No such file or directory")):
            result = self.quantize(*arguments)
            self.assertEqual(result.returncode, status, result.stderr)
            self.assertIn(cause, result.stderr)
            self.assertEqual(list(self.folder.iterdir()), [])

    def test_what_is_there_stays(self):
        out = self.quantized("digits")
        before = {path: path.read_bytes() for path in out.iterdir()}
        result = self.quantize(GOLDEN / "base", out)
        self.assertEqual((result.returncode, result.stderr), (1, f"utter-quantize: {out}: File exists\n"))
        result = self.quantize(out, "again")
        self.assertEqual(result.returncode, 1)
        self.assertIn("is in 8 bits already", result.stderr)
        self.assertFalse((self.folder / "again").exists())
        self.assertEqual({path: path.read_bytes() for path in out.iterdir()}, before)

    def test_a_full_disk_leaves_nothing(self):
        result = self.quantize(GOLDEN / "base", "out", preexec_fn=refuse_big_files)
        self.assertEqual(result.returncode, 1)
        self.assertIn("model.safetensors: cannot be written: ", result.stderr)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_numbers_that_are_none(self):
        """A weight that is not a number gives an error that names its tensor, and no model."""
        folder = self.folder / "model"
        shutil.copytree(GOLDEN / "base", folder)
        path, name = folder / "model.safetensors", "wav2vec2.encoder.layers.0.attention.k_proj.weight"
        data = bytearray(path.read_bytes())
        size = struct.unpack("<Q", data[:8])[0]
        begin = 8 + size + json.loads(data[8:8 + size])[name]["data_offsets"][0]
        data[begin:begin + 4] = struct.pack("<f", float("nan"))
        path.write_bytes(data)
        result = self.quantize(folder, "out")
        self.assertEqual(result.returncode, 1)
        self.assertIn(name, result.stderr)
        self.assertFalse((self.folder / "out").exists())

    def test_help_and_version(self):
        lines = self.quantize("--help").stdout.splitlines()
        self.assertIn("usage: utter-quantize DIR OUT", lines)
        self.assertTrue(len(lines) < 24 and max(map(len, lines)) <= 80, "it does not fit a terminal")
        self.assertTrue(self.quantize("--version").stdout.startswith("utter-quantize "))


if __name__ == "__main__":
    unittest.main()
