# SPDX-License-Identifier: MIT
"""utter-bench: it runs, what it decodes is right, and what it prints can be read. Not how fast."""

import array
import json
import math
import os
import re
import subprocess
import unittest

from harness import GOLDEN, ROOT, ProgramTest, golden_cases, golden_samples

BENCH = os.environ.get("UTTER_BENCH", str(ROOT / "build" / "tools" / "bench" / "utter-bench"))


def log_softmax(row):
    greatest = max(row)
    total = math.log(sum(math.exp(value - greatest) for value in row))
    return [value - greatest - total for value in row]


class Bench(ProgramTest):
    def bench(self, *arguments, status=0, input=None):
        environment = dict(self.environment, TMPDIR=str(self.folder))
        result = subprocess.run([BENCH, *map(str, arguments)], capture_output=True, cwd=self.folder,
                                env=environment, input=input, timeout=600)
        self.assertEqual((result.returncode, result.stderr if status == 0 else b""), (status, b""), result)
        return result

    def json(self, *arguments):
        return json.loads(self.bench("--json", *arguments).stdout)

    def test_window(self):
        """Every kind of storage, shape and kernel; the model is gone afterwards."""
        for arguments in (("tiny", "--storage", "f32"), ("tiny-stable", "--storage", "f16", "--threads", 2),
                          ("tiny", "--storage", "bf16", "--kernels", "portable")):
            with self.subTest(arguments=arguments):
                report = self.json("--random", *arguments, "--window", 1, "--repeat", 3)
                self.assertEqual((report["frames"], len(report["seconds"]["all"])), (49, 3))
                self.assertLessEqual(report["check"]["share_of_tolerance"], 1)
                self.assertEqual(report["check"]["seconds_of_audio"], 1)
                self.assertGreater(report["seconds"]["median"], 0)
                self.assertGreater(report["memory"]["peak_bytes"], report["memory"]["weight_bytes"])
                self.assertAlmostEqual(sum(step["gflop"] for step in report["steps"].values()), report["gflop"])
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_lines(self):
        text = self.bench("--random", "tiny", "--window", 0.5, "--repeat", 1).stdout.decode()
        for word in ("tiny", "checked on 0.50 s", "GFLOP/s", "extractor", "memory", "opening", "idle"):
            self.assertIn(word, text)

    def test_golden(self):
        """The log-probabilities that it writes are the reference implementation's."""
        for model in ("base", "large"):
            case = golden_cases(model)["second"]
            self.write("samples.f32", golden_samples(model, case))
            report = self.json("--model", GOLDEN / model, "--samples", "samples.f32", "--output", "out.f32",
                               "--window", case["samples"] / 16000, "--repeat", 1)
            self.assertEqual(report["frames"], case["frames"])
            values = array.array("f", (self.folder / "out.f32").read_bytes())
            logits = array.array("f", golden_samples(model, {"input": f"{case['name']}.logits"}))
            self.assertEqual(len(values), len(logits))
            columns = len(values) // case["frames"]
            for i in range(0, len(values), columns):
                for value, expected in zip(values[i:i + columns], log_softmax(logits[i:i + columns])):
                    self.assertAlmostEqual(value, expected, delta=1e-3 * max(1, abs(expected)))

    def test_on_demand(self):
        for arguments in (("--window", 0.5), ("--stream", "--window", 7)):
            with self.subTest(arguments=arguments):
                lines = self.bench("--random", "tiny", *arguments, "--on-demand", input=b"go\ngo\n").stdout.splitlines()
                self.assertEqual((lines[0], len(lines)), (b"ready", 3))
                for line in lines[1:]:
                    wall, cpu = map(float, line.split())
                    self.assertGreater(min(wall, cpu), 0)

    def test_stream(self):
        """Two utterances, each FINAL of which is what a transcription gives; from a model that was kept."""
        self.bench("--random", "tiny", "--keep", "model", "--window", 0.5, "--repeat", 1)
        report = self.json("--model", "model", "--stream", "--window", 14, "--repeat", 1)
        self.assertEqual(report["finals"], 2)
        self.assertGreater(report["commits"], 0)
        self.assertGreater(report["cpu_per_second_of_speech"], report["final_cpu_per_second_of_speech"])
        for encoder, dtype in (("window", "fp32"), ("cached", "int8")):
            text = self.bench("--model", "model", "--stream", "--repeat", 1, "--encoder", encoder, "--dtype", dtype,
                              "--latency", "low").stdout.decode()
            for word in (encoder, dtype, "FINALs"):
                self.assertIn(word, text)

    def test_mistakes(self):
        for arguments in ((), ("--random", "tiny", "--model", "."), ("--random", "huge"), ("--random",),
                          ("--random", "tiny", "--window", "long"), ("--random", "tiny", "--threads", 0),
                          ("--random", "tiny", "--kernels", "mmx"), ("--model", ".", "--keep", "x"), ("--model", ".", "--dtype", "fp3"),
                          ("--random", "tiny", "--latency", "low"), ("--model", ".", "--stream", "--encoder", ""),
                          ("--random", "tiny", "more"), ("--model", ".", "--stream", "--output", "x")):
            with self.subTest(arguments=arguments):
                result = self.bench(*arguments, status=2)
                self.assertEqual(result.stdout, b"")
                self.assertNotEqual(result.stderr, b"")
        self.assertIn(b"config.json", self.bench("--model", ".", status=1).stderr)

    def test_help(self):
        lines = self.bench("--help").stdout.decode().splitlines()
        self.assertTrue(any(line.startswith("usage: utter-bench") for line in lines))
        self.assertTrue(len(lines) <= 24 and max(map(len, lines)) <= 80, "it does not fit a screen")
        self.assertIn(b"utter-bench", self.bench("--version").stdout)

    def test_manual(self):
        """Its page names the options that --help names, and no others."""
        options = set(re.findall(r"^  (--[a-z-]+)", self.bench("--help").stdout.decode(), re.MULTILINE))
        page = (ROOT / "tools/bench/utter-bench.1").read_text().replace("\\-", "-")
        self.assertGreater(len(options), 10)
        self.assertEqual({f"-{name}" for name in re.findall(r"^\.It Fl (-[a-z-]+)", page, re.MULTILINE)},
                         options | {"--help"})


if __name__ == "__main__":
    unittest.main()
