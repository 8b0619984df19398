# SPDX-License-Identifier: MIT
"""`utter transcribe`: what the reference implementation hears, in every format, to every place."""

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import unittest

from harness import GOLDEN, RATE, UTTER, ProgramTest, golden_cases, golden_samples, wav


def cue_times(text, point):
    """[(start, end, lines)] of subtitles, in seconds."""
    cues = []
    for block in text.strip().split("\n\n"):
        if block == "WEBVTT":
            continue
        number, times, *lines = block.split("\n")
        assert int(number) == len(cues) + 1
        times = re.fullmatch(r"(\d\d):(\d\d):(\d\d)%s(\d{3}) --> (\d\d):(\d\d):(\d\d)%s(\d{3})" % (point, point),
                             times).groups()
        seconds = [int(h) * 3600 + int(m) * 60 + int(s) + int(ms) / 1000
                   for h, m, s, ms in (times[:4], times[4:])]
        cues.append((*seconds, lines))
    return cues


def heed_signals():
    """For `preexec_fn`: jobs in the background are started with Ctrl-C ignored."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Reference(ProgramTest):
    """Text, words and times are the reference's, whichever way the samples come in."""

    def test_texts(self):
        for model in ("base", "digits", "group-plain", "hubert-base", "layer-stable", "xlsr"):
            for name in ("one-frame", "second", "quiet", "loud", "silence"):
                with self.subTest(model=model, case=name):
                    case = self.write_golden(model, name)
                    self.assertEqual(self.transcribe(model, "talk.wav"), case["text"] + "\n")

    def test_a_poor_model_says_so(self):
        """On standard error, once; the text is as ever."""
        text = self.write_golden("digits", "second")["text"] + "\n"
        model = self.folder / "poor"
        shutil.copytree(GOLDEN / "digits", model)
        for wrong, said in ((30, ""), (61.4, "utter: poor is experimental: about 61 of 100 words wrong\n")):
            (model / "utter.json").write_text(json.dumps({"word_error_rate": wrong}))
            result = self.run_utter("transcribe", "--model", model, "talk.wav", "talk.wav", encoding="utf-8", stdin="")
            self.assertEqual((result.returncode, result.stdout, result.stderr), (0, 2 * f"talk.wav: {text}", said))

    def test_words(self):
        case = self.write_golden("digits", "sentence")
        result = json.loads(self.transcribe("digits", "--format", "json", "talk.wav"))
        self.assertEqual(result["file"], "talk.wav")
        self.assertEqual(result["text"], case["text"])
        self.assertAlmostEqual(result["duration"], case["samples"] / RATE, places=5)
        frame = 320 / RATE
        self.assertEqual([(word["text"], word["start"], word["end"]) for word in result["words"]],
                         [(word["word"], round(word["start_offset"] * frame, 6), round(word["end_offset"] * frame, 6))
                          for word in case["words"]])
        for word in result["words"]:
            self.assertTrue(0 < word["confidence"] <= 1)

    def test_windows(self):
        """Longer than a window: the reference is the pipeline with chunk_length_s, stride_length_s."""
        for model in ("base", "large"):
            case = self.write_golden(model, "chunked")
            chunks = case["chunks"]
            self.assertEqual(chunks["left"], chunks["right"])
            text = self.transcribe(model, "--window", str(chunks["chunk"] / RATE), "--stride",
                                   str(chunks["left"] / RATE), "talk.wav")
            self.assertEqual(text, case["text"] + "\n")

    def test_inputs(self):
        """Raw samples, two equal channels, a pipe, a redirected file, a stream of unknown length."""
        case = golden_cases("digits")["sentence"]
        samples = golden_samples("digits", case)
        expected = case["text"] + "\n"
        self.write("talk.raw", samples)
        self.write("stereo.wav", wav(b"".join(samples[i:i + 4] * 2 for i in range(0, len(samples), 4)), channels=2))
        path = self.write("talk.wav", wav(samples))
        transcribe = lambda *arguments, **options: self.transcribe("digits", *arguments, **options)
        self.assertEqual(transcribe("--raw", "f32le:16000:1", "talk.raw"), expected)
        self.assertEqual(transcribe("--raw", "f32le:16000:1", "-", stdin=samples), expected)
        self.assertEqual(transcribe("stereo.wav"), expected)
        self.assertEqual(transcribe("-", stdin=wav(samples)), expected)
        self.assertEqual(transcribe("-", stdin=wav(samples, declared=0xFFFFFFFF)), expected)
        with open(path, "rb") as file:
            self.assertEqual(transcribe("-", stdin_file=file), expected)

    def test_threads_change_nothing(self):
        self.write_golden("base", "long")
        outputs = {self.transcribe("base", "--format", "json", "-j", str(threads), "talk.wav") for threads in (1, 2, 5)}
        self.assertEqual(len(outputs), 1)

    def test_other_rates(self):
        """Times are seconds of the recording, whatever its rate."""
        self.write("slow.wav", wav(golden_samples("digits", golden_cases("digits")["sentence"]), rate=8000))
        result = json.loads(self.transcribe("digits", "--format", "json", "slow.wav"))
        self.assertAlmostEqual(result["duration"], 40001 / 8000, places=5)
        self.assertGreater(result["words"][-1]["end"], 2.6)
        self.assertLessEqual(result["words"][-1]["end"], result["duration"])

    def test_model_by_environment(self):
        case = self.write_golden("digits", "second")
        self.environment["UTTER_MODEL"] = str(GOLDEN / "digits")
        result = self.run_utter("transcribe", "talk.wav")
        self.assertEqual((result.returncode, result.stdout.decode()), (0, case["text"] + "\n"))


class Formats(ProgramTest):
    def check_subtitles(self, text, point, words):
        earliest, shown = 0.0, []
        for start, end, lines in cue_times(text, point):
            self.assertGreaterEqual(start, earliest)
            self.assertGreaterEqual(round(end - start, 3), 1.0)
            self.assertLessEqual(round(end - start, 3), 7.0)
            self.assertIn(len(lines), (1, 2))
            self.assertTrue(all(0 < len(line) <= 42 for line in lines))
            earliest = end
            shown += lines
        self.assertEqual("".join(shown).replace(" ", ""), "".join(words))

    def test_srt(self):
        case = self.write_golden("digits", "sentence")
        text = self.transcribe("digits", "--format", "srt", "talk.wav")
        self.check_subtitles(text, ",", [word["word"] for word in case["words"]])

    def test_vtt(self):
        case = self.write_golden("digits", "sentence")
        text = self.transcribe("digits", "--format", "vtt", "talk.wav")
        self.assertTrue(text.startswith("WEBVTT\n\n1\n"))
        self.check_subtitles(text, r"\.", [word["word"] for word in case["words"]])

    def test_case(self):
        case = self.write_golden("base", "loud")
        self.assertEqual(case["text"], "RGRVR")
        self.assertEqual(self.transcribe("base", "--case", "as-is", "talk.wav"), "RGRVR\n")
        self.assertEqual(self.transcribe("base", "--case", "lower", "talk.wav"), "rgrvr\n")
        self.assertEqual(self.transcribe("base", "--case", "sentence", "talk.wav"), "Rgrvr\n")
        words = json.loads(self.transcribe("base", "-f", "json", "--case", "sentence", "talk.wav"))["words"]
        self.assertEqual([word["text"] for word in words], ["Rgrvr"])

    def test_format_follows_the_outputs_name(self):
        self.write_golden("digits", "second")
        for name, begin in (("a.srt", "1\n00:"), ("a.VTT", "WEBVTT"), ("a.json", "{"), ("a.txt", "e ztg")):
            self.assertEqual(self.transcribe("digits", "-o", name, "talk.wav"), "")
            self.assertTrue((self.folder / name).read_text().startswith(begin))


class SeveralFiles(ProgramTest):
    def setUp(self):
        super().setUp()
        self.texts = [self.write_golden("digits", "second", "a.wav")["text"],
                      self.write_golden("digits", "loud", "b.wav")["text"]]

    def test_text(self):
        expected = f"a.wav: {self.texts[0]}\nb.wav: {self.texts[1]}\n"
        self.assertEqual(self.transcribe("digits", "a.wav", "b.wav"), expected)
        self.transcribe("digits", "-o", "both.txt", "a.wav", "b.wav")
        self.assertEqual((self.folder / "both.txt").read_text(), expected)

    def test_json(self):
        result = json.loads(self.transcribe("digits", "-f", "json", "a.wav", "b.wav"))
        self.assertEqual([(one["file"], one["text"]) for one in result],
                         [("a.wav", self.texts[0]), ("b.wav", self.texts[1])])

    def test_directory(self):
        (self.folder / "out").mkdir()
        for ending in ("srt", "vtt", "json", "text"):
            self.transcribe("digits", "-f", ending, "-o", "out", "a.wav", "b.wav")
        self.assertEqual(sorted(os.listdir(self.folder / "out")),
                         sorted(f"{name}.{ending}" for name in "ab" for ending in ("srt", "vtt", "json", "txt")))
        self.assertEqual((self.folder / "out" / "a.txt").read_text(), self.texts[0] + "\n")

    def test_one_of_them_fails(self):
        """The others are not lost, and the exit status tells."""
        result = self.run_utter("transcribe", "--model", GOLDEN / "digits", "a.wav", "none.wav", "b.wav")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout.decode(), f"a.wav: {self.texts[0]}\nb.wav: {self.texts[1]}\n")
        self.assertEqual(result.stderr.decode(), "utter: none.wav: No such file or directory\n")

    def test_mistakes(self):
        (self.folder / "other").mkdir()
        self.write("other/a.wav", b"")
        run = lambda *arguments: self.run_utter("transcribe", "--model", GOLDEN / "digits", *arguments)
        self.assert_refused(run("-f", "srt", "a.wav", "b.wav"), "need a directory", status=2)
        self.assert_refused(run("-o", "other", "a.wav", "other/a.wav"), "two recordings", status=2)
        self.assert_refused(run("-o", "a.wav", "a.wav"), "a.wav", "overwrite a recording", status=2)
        os.link(self.folder / "a.wav", self.folder / "linked.txt")
        self.assert_refused(run("-o", "linked.txt", "a.wav"), "overwrite a recording", status=2)
        self.assert_refused(run("-o", "none/", "a.wav"), "none/a.txt", "No such file or directory")


class Outputs(ProgramTest):
    def setUp(self):
        super().setUp()
        self.text = self.write_golden("digits", "second")["text"] + "\n"

    def test_replaces(self):
        path = self.write("talk.txt", b"an older, longer transcript " * 100)
        path.chmod(0o640)
        os.symlink("talk.txt", self.folder / "link.txt")
        self.transcribe("digits", "-o", "link.txt", "talk.wav")
        self.assertEqual(path.read_text(), self.text)
        self.assertEqual(path.stat().st_mode & 0o777, 0o640)
        self.assertTrue((self.folder / "link.txt").is_symlink())
        self.assert_folder("talk.txt", "talk.wav", "link.txt")

    def test_standard_output_by_name(self):
        self.assertEqual(self.transcribe("digits", "-o", "-", "talk.wav"), self.text)

    def test_pipe(self):
        os.mkfifo(self.folder / "pipe")
        reader = subprocess.Popen(["cat", "pipe"], cwd=self.folder, stdout=subprocess.PIPE)
        # Opening a pipe to see whether it can be written must not end it for its reader.
        self.transcribe("digits", "-o", "pipe", "talk.wav")
        self.assertEqual(reader.communicate()[0].decode(), self.text)

    def test_failure_keeps_the_old_file(self):
        path = self.write("talk.txt", b"an older transcript")
        self.write("broken.wav", b"broken")
        result = self.run_utter("transcribe", "--model", GOLDEN / "digits", "-o", "talk.txt", "broken.wav")
        self.assert_refused(result, "broken.wav")
        self.assertEqual(path.read_bytes(), b"an older transcript")
        self.assert_folder("talk.txt", "talk.wav", "broken.wav")


class Terminal(ProgramTest):
    """Progress and Ctrl-C, with standard error on a terminal."""

    def start(self, *arguments, **options):
        master, slave = pty.openpty()
        process = subprocess.Popen([UTTER, "transcribe", "--model", GOLDEN / "base", *arguments], cwd=self.folder,
                                   env=self.environment, stderr=slave, stdout=subprocess.PIPE,
                                   preexec_fn=heed_signals, **options)
        os.close(slave)
        self.addCleanup(os.close, master)
        self.addCleanup(process.stdout.close)
        return process, master

    def read_all(self, master):
        shown = b""
        while True:
            try:
                data = os.read(master, 4096)
            except OSError:  # the other side is closed
                return shown
            if not data:
                return shown
            shown += data

    def test_bar(self):
        case = self.write_golden("base", "long")
        process, master = self.start("--window", "1", "talk.wav")
        shown = self.read_all(master).decode()
        process.wait()
        self.assertEqual(process.returncode, 0)
        self.assertIn("% [", shown)
        self.assertIn("of 0:04", shown)
        self.assertIn("talk.wav", shown)
        self.assertTrue(shown.endswith("\r\x1b[K"), "the bar is wiped away")
        self.assertEqual(case["samples"], 70403)

    def test_no_bar_for_short_files(self):
        self.write_golden("base", "second")
        process, master = self.start("talk.wav")
        self.assertEqual(self.read_all(master), b"")
        self.assertEqual(process.wait(), 0)

    def test_interrupt_while_reading(self):
        process, master = self.start("-o", "talk.txt", "-", stdin=subprocess.PIPE)
        process.stdin.write(wav(b"\0" * 4000, declared=0xFFFFFFFF))
        process.stdin.flush()
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(), -signal.SIGINT)
        process.stdin.close()
        self.assert_folder()

    def test_interrupt_while_decoding(self):
        self.write("long.wav", wav(b"\0" * (4 * RATE * 600)))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process, master = self.start("-o", "talk.txt", "--window", "1", "long.wav")
            self.assertIn(b"\r", os.read(master, 1))
            process.send_signal(number)
            self.read_all(master)
            # A machine that was busy elsewhere may have finished: then all of it is there.
            if process.wait() == 0:
                self.assertTrue((self.folder / "talk.txt").read_text().endswith("\n"))
                os.unlink(self.folder / "talk.txt")
            else:
                self.assertEqual(process.returncode, -number)
            self.assert_folder("long.wav")


if __name__ == "__main__":
    unittest.main()
