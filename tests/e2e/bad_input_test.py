# SPDX-License-Identifier: MIT
"""Bad input and bad command lines: one clear line that names file and cause, nothing left behind."""

import os
import re
import resource
import signal
import struct
import unittest

from harness import GOLDEN, RATE, UTTER, ProgramTest, golden_cases, golden_samples, wav, without_root_powers


class BadSound(ProgramTest):
    def refuse(self, data, *causes, name="talk.wav", arguments=()):
        self.write(name, data)
        result = self.run_utter("transcribe", "--model", GOLDEN / "digits", "-o", "out.txt", *arguments, name)
        self.assert_refused(result, name, *causes)
        self.assert_folder(name)

    def test_empty_file(self):
        self.refuse(b"", "is empty, not a sound file")
        self.refuse(b"", "is empty", arguments=("--raw", "s16le:16000:1"))

    def test_no_samples(self):
        self.refuse(wav(b""), "holds no sound")
        self.refuse(b"x", "holds no sound", arguments=("--raw", "s16le:16000:1"))

    def test_too_short(self):
        self.refuse(wav(b"\0" * 4), "too short: 1 sample, and the model needs 400")
        self.refuse(wav(b"\0" * 4 * 399), "too short: 399 samples", "400")
        self.refuse(wav(b"\0" * 4 * 199, rate=8000), "too short: 199 samples", "200")

    def test_short_enough(self):
        self.write("talk.wav", wav(b"\0" * 4 * 400))
        self.assertTrue(self.transcribe("digits", "talk.wav").endswith("\n"))

    def test_garbage(self):
        self.refuse(b"no sound at all, just words " * 50, "not a sound file")
        self.refuse(bytes(range(256)) * 8, "not a sound file")
        self.refuse(b"RIFF\xff\xff\xff\xffWAVEfmt ", "not a sound file")
        self.refuse(b"fLaC" + b"\xff" * 500, "not a sound file")
        self.refuse(b"OggS" + b"\0" * 500, "not a sound file")

    def test_truncated_header(self):
        whole = wav(b"\0" * 8000)
        for size in (1, 4, 11, 12, 20, 30, 36, 43):
            self.refuse(whole[:size])

    def test_absurd_header(self):
        broken = bytearray(wav(b"\0" * 8000))
        struct.pack_into("<H", broken, 22, 0)  # channels
        self.refuse(bytes(broken))
        struct.pack_into("<H", broken, 22, 60000)
        self.refuse(bytes(broken))
        broken = bytearray(wav(b"\0" * 8000))
        struct.pack_into("<I", broken, 24, 0)  # rate
        self.refuse(bytes(broken))

    def test_not_finite(self):
        self.refuse(wav(b"\0" * 4000 + struct.pack("<f", float("nan")) + b"\0" * 4000), "damaged", "not finite")
        self.refuse(wav(b"\0" * 4000 + struct.pack("<f", float("inf")) + b"\0" * 4000), "damaged", "not finite")

    def test_cut_off(self):
        """What is there is transcribed; that it is not all is said, and the exit status tells."""
        case = golden_cases("digits")["sentence"]
        samples = golden_samples("digits", case)
        self.write("talk.wav", wav(samples, declared=2 * len(samples)))
        result = self.run_utter("transcribe", "--model", GOLDEN / "digits", "talk.wav")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout.decode(), case["text"] + "\n")
        self.assertEqual(result.stderr.decode(),
                         "utter: talk.wav: cut off: ends 2.50 s before the 5.00 s that its header promises\n")


class BadFile(ProgramTest):
    def refuse(self, *arguments, causes, status=1, **options):
        result = self.run_utter("transcribe", "--model", GOLDEN / "digits", *arguments, **options)
        self.assert_refused(result, *causes, status=status)

    def test_missing(self):
        self.refuse("none.wav", causes=("none.wav: No such file or directory",))

    def test_directory(self):
        (self.folder / "music").mkdir()
        self.refuse("music", causes=("music: is a directory",))

    def test_no_permission(self):
        self.write("talk.wav", wav(b"\0" * 4000)).chmod(0)
        self.refuse("talk.wav", causes=("talk.wav: Permission denied",), preexec_fn=without_root_powers)

    def test_hostile_name(self):
        name = "\x1b[2J\x1b]0;owned\x07a\n\u202eb.wav"
        self.refuse(name, causes=("a b.wav: No such file",))
        case = self.write_golden("digits", "second", name)
        self.write_golden("digits", "second", "b.wav")
        self.assertEqual(self.transcribe("digits", name, "b.wav"), f"a b.wav: {case['text']}\nb.wav: {case['text']}\n")
        self.assertNotIn("\\u001b", self.transcribe("digits", "-f", "json", name))
        os.rename(self.folder / name, os.fsencode(self.folder) + b"/\xff\xfe.wav")
        output = self.transcribe("digits", "-f", "json", b"\xff\xfe.wav")
        self.assertIn('"file": "\ufffd\ufffd.wav"', output)

    def test_terminal_as_input(self):
        master, slave = os.openpty()
        self.refuse("-", causes=("standard input is a terminal",), stdin_file=slave)
        os.close(master)
        os.close(slave)


class BadOutput(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write_golden("digits", "second")

    def refuse(self, *arguments, causes, **options):
        result = self.run_utter("transcribe", "--model", GOLDEN / "digits", *arguments, "talk.wav", **options)
        self.assert_refused(result, *causes)

    def test_full_disk(self):
        self.refuse("-o", "/dev/full", causes=("/dev/full: cannot write: No space left on device",))
        with open("/dev/full", "wb") as full:
            self.refuse(stdout=full, causes=("standard output: cannot write: No space left on device",))

    def test_full_file_system(self):
        """A file that may not grow: nothing half-written is left, the old one stays."""
        self.write("talk.json", b"old")

        def limit_files():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

        self.refuse("-o", "talk.json", causes=("talk.json: cannot write: File too large",), preexec_fn=limit_files)
        self.assertEqual((self.folder / "talk.json").read_bytes(), b"old")
        self.assert_folder("talk.wav", "talk.json")

    def test_no_such_directory(self):
        self.refuse("-o", "none/talk.txt", causes=("none/talk.txt: cannot write: No such file or directory",))

    def test_no_permission(self):
        (self.folder / "locked").mkdir(mode=0o555)
        self.refuse("-o", "locked/talk.txt", causes=("locked/talk.txt: cannot write: Permission denied",),
                    preexec_fn=without_root_powers)
        self.write("old.txt", b"old").chmod(0o444)
        self.refuse("-o", "old.txt", causes=("old.txt: cannot write: Permission denied",),
                    preexec_fn=without_root_powers)
        self.assert_folder("talk.wav", "locked", "old.txt")


class BadModel(ProgramTest):
    def refuse(self, *arguments, causes):
        self.write("talk.wav", wav(b"\0" * 4000))
        self.assert_refused(self.run_utter("transcribe", *arguments, "-o", "out.txt", "talk.wav"), *causes)
        self.assertFalse((self.folder / "out.txt").exists())

    def test_missing(self):
        self.refuse("--model", "none/here", causes=("none/here: no such model", "--model"))
        self.refuse("--model", "none", causes=("none: no such model", "--model"))
        self.environment["UTTER_MODEL"] = "nowhere"
        self.refuse(causes=("nowhere: no such model", "UTTER_MODEL"))

    def test_a_file(self):
        self.refuse("--model", "talk.wav", causes=("talk.wav: is a file", "config.json"))

    def test_an_empty_directory(self):
        (self.folder / "empty").mkdir()
        self.refuse("--model", "empty", causes=("empty: no config.json in it",))

    def test_truncated_checkpoint(self):
        directory = self.folder / "model"
        directory.mkdir()
        for file in (GOLDEN / "digits").iterdir():
            data = file.read_bytes()
            half = len(data) // 2 if file.name == "model.safetensors" else len(data)
            (directory / file.name).write_bytes(data[:half])
        self.refuse("--model", "model", causes=("model/model.safetensors",))


class BadPlayback(ProgramTest):
    """`utter --input`: the same causes, said last."""

    def listen(self, *arguments):
        result = self.run_utter("--model", GOLDEN / "digits", *arguments)
        lines = result.stderr.decode().splitlines()
        self.assertTrue(all(line.startswith("utter: listening to") for line in lines[:-1]), lines)
        return result.returncode, result.stdout.decode(), lines[-1] if lines else ""

    def refuse(self, *arguments, cause):
        status, output, line = self.listen(*arguments)
        self.assertEqual((status, output, line), (1, "", f"utter: {cause}"))

    def test_sounds(self):
        self.write("empty.wav", wav(b""))
        self.refuse("--input", "empty.wav", cause="empty.wav: holds no sound")
        self.write("one.wav", wav(b"\0" * 4))
        self.refuse("--input", "one.wav", cause="one.wav: too short: 1 sample, and the model needs 400")
        self.write("short.wav", wav(b"\0" * 4 * 399))
        self.refuse("--input", "short.wav", cause="short.wav: too short: 399 samples, and the model needs 400")
        self.refuse("--input", "none.wav", cause="none.wav: No such file or directory")
        self.refuse("--input", ".", cause=".: is a directory, not a sound file")

    def test_cut_off(self):
        """What is missing is a gap, in every format."""
        samples = golden_samples("digits", golden_cases("digits")["sentence"])
        self.write("talk.wav", wav(samples, declared=2 * len(samples)))
        for ending, gap in (("text", "\n[2.500063 s of audio lost]\n"),
                            ("srt", "\n00:00:02,700 --> 00:00:05,000\n[2.500063 s of audio lost]\n\n"),
                            ("vtt", "\n00:00:02.700 --> 00:00:05.000\n[2.500063 s of audio lost]\n\n"),
                            ("jsonl", '"type":"gap"')):
            status, output, line = self.listen("--input", "talk.wav", "--format", ending)
            self.assertEqual(status, 1)
            self.assertIn(gap, output)
            self.assertIn("talk.wav: cut off: ends 2.50 s before the 5.00 s", line)

    def test_outputs(self):
        self.write_golden("digits", "sentence")
        self.refuse("--input", "talk.wav", "-o", "none/a.txt",
                    cause="none/a.txt: cannot write: No such file or directory")
        self.write("old.srt", b"1\n")
        self.refuse("--input", "talk.wav", "-o", "old.srt",
                    cause="old.srt: exists already, and this format cannot be appended to; choose another name")
        for arguments, where in ((("-o", "/dev/full"), "/dev/full"), ((), "standard output")):
            with open("/dev/full", "wb") as full:
                result = self.run_utter("--model", GOLDEN / "digits", "--input", "talk.wav", *arguments, stdout=full)
            self.assertEqual(result.returncode, 1)
            self.assertTrue(result.stderr.decode().endswith(
                f"utter: {where}: cannot write: No space left on device\n"), result.stderr)


class CommandLines(ProgramTest):
    def refuse(self, *arguments, causes):
        self.assert_refused(self.run_utter(*arguments), *causes, status=2)

    def test_mistakes(self):
        self.refuse("transcribe", causes=("which file?", "--help"))
        self.refuse("transcribe", "--formt", "srt", "a", causes=("--formt", "did you mean --format?"))
        self.refuse("transcribe", "--format", "doc", "a", causes=("--format doc", "text, json, srt or vtt"))
        self.refuse("transcribe", "--case", "upper", "a", causes=("as-is, lower or sentence",))
        self.refuse("transcribe", "--threads", "0", "a", causes=("--threads 0", "from 1"))
        self.refuse("transcribe", "--window", "soon", "a", causes=("--window soon", "seconds"))
        self.refuse("transcribe", "--window", "4", "--stride", "2", "a", causes=("--stride 2", "half"))
        self.refuse("transcribe", "--raw", "mp3", "a", causes=("--raw", "s16le:16000:1"))
        self.refuse("transcribe", "a", "-o", causes=("-o needs a value",))
        self.refuse("transcirbe", "a", causes=("did you mean `utter transcribe`?",))
        self.refuse("zebra", causes=("zebra: is no command", "utter --help"))
        self.write("talk.wav", b"")
        self.refuse("talk.wav", causes=("did you mean `utter transcribe talk.wav`?",))
        self.refuse("help", "zebra", causes=("zebra: is no command",))
        self.refuse("devices", "all", causes=("all", "no operand"))
        self.refuse("--nonsense", causes=("--nonsense", "utter listen --help"))
        self.refuse("\x1b[31mred", causes=("red: is no command",))

    def test_version(self):
        result = self.run_utter("--version")
        self.assertEqual(result.returncode, 0)
        self.assertTrue(re.fullmatch(r"utter \d+\.\d+\.\d+\n", result.stdout.decode()))

    def test_help_that_cannot_be_written(self):
        with open("/dev/full", "wb") as full:
            self.assert_refused(self.run_utter("--help", stdout=full), "standard output: cannot write")


if __name__ == "__main__":
    unittest.main()
