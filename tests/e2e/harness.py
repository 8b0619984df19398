# SPDX-License-Identifier: MIT
"""What tests of the program share: running it, golden sounds, WAV files. Only Python's own library.

The program under test is named by the environment variable UTTER.
"""

import ctypes
import json
import os
import pathlib
import struct
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
UTTER = os.environ.get("UTTER", str(ROOT / "build" / "utter"))
GOLDEN = ROOT / "tests" / "golden"
RATE = 16000


def golden_cases(model):
    return {case["name"]: case for case in json.loads((GOLDEN / model / "cases.json").read_text())["cases"]}


def golden_samples(model, case):
    """The bytes of a golden input: 32-bit floats, little-endian, at 16 kHz."""
    data = (GOLDEN / model / "expected.safetensors").read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    begin, end = json.loads(data[8:8 + size])[case["input"]]["data_offsets"]
    return data[8 + size + begin:8 + size + end]


def wav(samples, channels=1, rate=RATE, bits=32, declared=None):
    """A WAV file: 32-bit floats or 16-bit integers; `declared` bytes in the header, or the truth."""
    block = channels * bits // 8
    kind = 3 if bits == 32 else 1
    length = len(samples) if declared is None else declared
    header = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", min(36 + length, 0xFFFFFFFF), b"WAVE", b"fmt ", 16,
                         kind, channels, rate, rate * block, block, bits, b"data", length)
    return header + samples


def without_root_powers():
    """For `preexec_fn`: file permissions bind root too."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        if libc.prctl(24, capability, 0, 0, 0) != 0 and os.geteuid() == 0:  # PR_CAPBSET_DROP
            os._exit(99)


class ProgramTest(unittest.TestCase):
    """Each test has an empty folder of its own, self.folder, which is the working directory."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="utter-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("UTTER")}
        self.environment["LC_ALL"] = "C.UTF-8"
        self.environment["UTTER_CONFIG"] = "/dev/null"
        state = tempfile.TemporaryDirectory(prefix="utter-state-")
        self.addCleanup(state.cleanup)
        self.environment["XDG_STATE_HOME"] = state.name

    def run_utter(self, *arguments, stdin=b"", **options):
        """Runs the program to its end. Bytes of standard input; returns a CompletedProcess."""
        if "stdin_file" in options:
            source = {"stdin": options.pop("stdin_file")}
        else:
            source = {"input": stdin}
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("env", self.environment)
        return subprocess.run([UTTER, *map(os.fspath, arguments)], cwd=self.folder,
                              stderr=subprocess.PIPE, **source, **options)

    def transcribe(self, model, *arguments, **options):
        """`utter transcribe` with a golden model, which must succeed in silence; its output."""
        result = self.run_utter("transcribe", "--model", GOLDEN / model, *arguments, **options)
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        return result.stdout.decode() if result.stdout is not None else None

    def assert_refused(self, result, *causes, status=1):
        """One clear line on standard error that holds all `causes`; nothing on standard output."""
        line = result.stderr.decode()
        self.assertEqual(result.returncode, status, line)
        self.assertEqual(result.stdout or b"", b"")
        self.assertRegex(line, r"\Autter: [^\n\x00-\x1f\x7f]+\n\Z")
        for cause in causes:
            self.assertIn(str(cause), line)

    def assert_folder(self, *names):
        self.assertEqual(sorted(os.listdir(self.folder)), sorted(names))

    def write(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def write_golden(self, model, case_name, name="talk.wav"):
        """The golden sound as a WAV file in the folder, and its case."""
        case = golden_cases(model)[case_name]
        self.write(name, wav(golden_samples(model, case)))
        return case
