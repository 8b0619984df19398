# SPDX-License-Identifier: MIT
"""`utter eval`: the data sets it reads, the errors it counts, and sclite's verdict on the same texts."""

from array import array
import importlib.util
import json
import random
import re
import shutil
import subprocess
import sys
import unittest

from harness import GOLDEN, RATE, ROOT, ProgramTest, golden_cases, golden_samples, wav

MODEL = "digits"
BUNDLED = ROOT / "models" / "digits"
CASES = ("sentence", "second", "loud", "quiet")


class Evaluation(ProgramTest):
    def evaluate(self, *arguments, model=GOLDEN / MODEL):
        result = self.run_utter("eval", "--model", model, "--json", *arguments)
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        return json.loads(result.stdout)

    def write_case(self, case, stem):
        """The golden sound as STEM.wav; its text."""
        return self.write_golden(MODEL, case, f"{stem}.wav")["text"]

    def assert_counts(self, score, correct, substitutions, insertions, deletions):
        self.assertEqual((correct, substitutions, insertions, deletions),
                         tuple(score[key] for key in ("correct", "substitutions", "insertions", "deletions")))

    def test_right_texts(self):
        """The reference's own texts, in each layout of a data set, are all right."""
        texts = {case: self.write_case(case, case) for case in CASES}
        count = sum(len(text.split()) for text in texts.values())
        self.write("table.tsv", "".join(["file\tsource\ttext\n"] + [
            f"{case}.wav\tgolden\t{text}\n" for case, text in texts.items()]).encode())
        for case, text in texts.items():
            self.write(f"{case}.txt", text.encode())
        for data_set in ("table.tsv", "."):
            with self.subTest(data_set=data_set):
                report = self.evaluate(data_set)
                self.assertEqual(report["recordings"], len(CASES))
                self.assert_counts(report["words"], count, 0, 0, 0)
                self.assertEqual(report["characters"]["rate"], 0)
                self.assertEqual(sum(row["words"] for row in report["reliability"]), count)
                self.assertEqual(sum(row["words"] * row["correct"] for row in report["reliability"]), count)

    def test_librispeech(self):
        folder = self.folder / "19" / "198"
        folder.mkdir(parents=True)
        text = self.write_case("sentence", "19/198/19-198-0001")
        subprocess.run(["sox", "19-198-0001.wav", "-b", "16", "19-198-0001.flac"], cwd=folder, check=True)
        (folder / "19-198.trans.txt").write_text(f"19-198-0001 {text.upper()}\n")
        self.assertEqual(self.evaluate(".")["words"]["reference"], len(text.split()))

    def test_errors_are_counted(self):
        words = self.write_case("sentence", "talk").split()
        self.assertGreater(len(words), 3)
        altered = ["wrong", *words[1:-1], "missing", "missing", words[-1]]
        self.write("table.tsv", f"file\ttext\ntalk.wav\t{' '.join(altered)}\n".encode())
        self.assert_counts(self.evaluate("table.tsv")["words"], len(words) - 1, 1, 0, 2)

    @unittest.skipUnless(shutil.which("sctk"), "sctk is not installed")
    def test_sclite_agrees(self):
        rows = ["file\ttext\n"]
        for number, case in enumerate(CASES):
            words = self.write_case(case, case).split()
            spoilt = [word for i, word in enumerate(words) if (i + number) % 3] + ["more"] * number
            rows.append(f"{case}.wav\t{' '.join(spoilt)}\n")
        self.write("table.tsv", "".join(rows).encode())
        ours = self.evaluate("--trn", "out", "table.tsv")["words"]
        output = subprocess.run("sctk sclite -r out.ref.trn trn -h out.hyp.trn trn -i rm -o pralign stdout".split(),
                                cwd=self.folder, check=True, capture_output=True, text=True).stdout
        counts = [[int(n) for n in row] for row in
                  re.findall(r"Scores: \(#C #S #D #I\) (\d+) (\d+) (\d+) (\d+)", output)]
        self.assertEqual(len(counts), len(CASES))
        correct, substitutions, deletions, insertions = map(sum, zip(*counts))
        self.assert_counts(ours, correct, substitutions, insertions, deletions)

    def test_intervals_and_cost(self):
        for number, case in enumerate(CASES):
            self.write_case(case, case)
        self.write("table.tsv", "file\ttext\n".encode() + "".join(
            f"{case}.wav\tnot what is said\n" for case in CASES).encode())
        report = self.evaluate("table.tsv")
        for kind in ("words", "characters"):
            low, high = report[kind]["interval_95"]
            self.assertLessEqual(low, report[kind]["rate"])
            self.assertGreaterEqual(high, report[kind]["rate"])
        self.assertGreater(report["words"]["interval_95"][1], 0)
        self.assertGreater(report["cost"]["cpu_seconds_per_second"], 0)
        self.assertGreater(report["peak_kib"], 1000)

    def test_stream(self):
        text = self.write_case("sentence", "talk")
        self.write("table.tsv", f"file\ttext\ntalk.wav\t{text}\n".encode())
        for arguments in (["--stream", "--no-gate"], ["--join", "0.5", "--no-gate"]):
            with self.subTest(arguments=arguments):
                stream = self.evaluate(*arguments, "table.tsv")["stream"]
                self.assertGreaterEqual(stream["utterances"], 1)
                self.assertEqual(stream["lost_samples"], 0)
                self.assertGreater(stream["final_latency"]["words"], 0)
                for kind in ("draft", "commit", "final"):
                    p50, p95 = (stream[f"{kind}_latency"][p] for p in ("p50", "p95"))
                    self.assertLessEqual(p50["seconds"], p95["seconds"])
                    self.assertGreaterEqual(p50["compute"], 0)
                low, high = stream["unstable_partial_word_ratio_95"]
                self.assertTrue(low <= stream["unstable_partial_word_ratio"] <= high)
                self.assertGreater(stream["cost"]["cpu_seconds_per_second"], 0)
                self.assertGreater(stream["utterance_share"], 0)
        whole = self.evaluate("--stream", "--no-gate", "table.tsv")["stream"]
        self.assertEqual(whole["finals_against_offline"]["rate"], 0)
        self.assertEqual(whole["finals_against_offline_at_edges"]["rate"], 0)
        self.assertEqual(whole["offline_words_outside_utterances"], 0)
        self.assertEqual((whole["offline_words_cut"], whole["words_doubled_at_edges"]), (0, 0))

    def test_a_models_own_latency(self):
        """Its utter.json says how soon words come, unless one asks for another latency."""
        model = self.folder / "model"
        shutil.copytree(GOLDEN / MODEL, model)
        text = self.write_case("sentence", "talk")
        self.write("table.tsv", f"file\ttext\ntalk.wav\t{text}\n".encode())

        def committed_after(latency, *arguments):
            """Seconds of sound, whatever computing took."""
            (model / "utter.json").write_text(json.dumps({"latency": latency}))
            stream = self.evaluate("--stream", "--no-gate", *arguments, "table.tsv", model=model)["stream"]
            return stream["commit_latency"]["p50"]["audio"]

        low, high = committed_after("low"), committed_after("high")
        self.assertLess(low, high)
        self.assertEqual(committed_after("high", "--latency", "low"), low)
        self.assertEqual(committed_after("low", "--latency", "auto"), low)
        self.assertEqual(committed_after("low", "--latency", "high"), high)

    def test_a_word_across_an_edge(self):
        """Half of the recording is one word: the limit falls into it, no FINAL has it, and that is counted."""
        text = self.write_case("sentence", "talk")
        self.write("table.tsv", f"file\ttext\ntalk.wav\t{text}\n".encode())
        stream = self.evaluate("--stream", "--no-gate", "--limit", "2", "table.tsv")["stream"]
        self.assertEqual((stream["utterances"], stream["offline_words_cut"]), (2, 1))

    @unittest.skipUnless((BUNDLED / "config.json").exists(), "not without the bundled model")
    def test_sound_of_two_finals_counts_once(self):
        """A hiss in which no word is heard: each FINAL but the first is of the utterance before, too."""
        hiss = array("f", (random.Random(1).uniform(-1e-3, 1e-3) for _ in range(20 * RATE)))
        self.write("hiss.wav", wav(hiss.tobytes()))
        self.write("table.tsv", b"file\ttext\nhiss.wav\t-\n")
        result = self.run_utter("eval", "--model", BUNDLED, "--json", "--stream", "--no-gate", "table.tsv")
        self.assertEqual(result.returncode, 0, result.stderr)
        stream = json.loads(result.stdout)["stream"]
        self.assertGreater(stream["utterances"], 3)
        self.assertEqual(stream["finals"]["insertions"] + stream["finals"]["substitutions"], 0)
        self.assertAlmostEqual(stream["utterance_share"], 1, delta=0.01)

    def test_joined(self):
        """Every error of the joined stream is counted, with some recording."""
        rows = [f"{case}.wav\t{self.write_case(case, case)} more\n" for case in CASES]
        self.write("table.tsv", ("file\ttext\n" + "".join(rows)).encode())
        report = self.evaluate("--join", "1", "--no-gate", "table.tsv")
        words = sum(len(row.split("\t")[1].split()) for row in rows)
        for kind in ("commits", "finals", "offline_joined"):
            score = report["stream"][kind]
            self.assertEqual(score["reference"], words)
            self.assertEqual(score["correct"] + score["substitutions"] + score["deletions"], words)
            self.assertGreater(score["rate"], 0)

    def test_level(self):
        """Recordings of any loudness are brought to the same one, and then heard alike."""
        case = golden_cases(MODEL)["sentence"]
        samples = array("f", golden_samples(MODEL, case))
        reports = []
        for gain in (0.01, 0.1):
            quiet = array("f", (gain * sample for sample in samples))
            self.write("talk.wav", wav(quiet.tobytes()))
            self.write("table.tsv", b"file\ttext\ntalk.wav\tone\n")
            report = self.evaluate("--level", "-20", "table.tsv")
            reports.append((report["words"], report["characters"]))
        self.assertEqual(*reports)

    def test_sweep(self):
        text = self.write_case("sentence", "talk")
        self.write("table.tsv", f"file\ttext\ntalk.wav\t{text}\n".encode())
        grid = ["--left", "1", "--hop", "0.2,0.4", "--right", "0.3,0.6"]
        for name in ("curve.json", "curve.tsv"):
            result = self.run_utter("eval", "--model", GOLDEN / MODEL, "--no-gate", "--encoder", "window",
                                    "--sweep", name, *grid, "table.tsv")
            self.assertEqual((result.returncode, result.stderr), (0, b""))
            self.assertEqual(len(result.stdout.decode().splitlines()), 5)
        rows = json.loads((self.folder / "curve.json").read_text())
        self.assertEqual([(row["hop_seconds"], row["right_seconds"]) for row in rows],
                         [(0.2, 0.3), (0.2, 0.6), (0.4, 0.3), (0.4, 0.6)])
        lines = (self.folder / "curve.tsv").read_text().splitlines()
        self.assertEqual(lines[0].split("\t"), list(rows[0]))
        self.assertEqual(len(lines), 5)
        for row, line in zip(rows, lines[1:]):
            for (key, value), printed in zip(row.items(), line.split("\t")):
                if key == "encoder":
                    self.assertEqual((value, printed), ("window", "window"))
                elif not key.startswith(("cpu", "draft", "commit_latency", "final_latency")):
                    self.assertAlmostEqual(value, float(printed), places=4)

    def test_sweep_of_both_encoders(self):
        text = self.write_case("sentence", "talk")
        self.write("table.tsv", f"file\ttext\ntalk.wav\t{text}\n".encode())
        self.run_utter("eval", "--model", GOLDEN / MODEL, "--sweep", "curve.json", "--left", "1", "--hop", "0.4",
                       "--right", "0.3", "table.tsv")
        self.assertEqual([row["encoder"] for row in json.loads((self.folder / "curve.json").read_text())],
                         ["window", "cached"])

    @unittest.skipUnless(importlib.util.find_spec("matplotlib"), "matplotlib is not installed")
    def test_plot(self):
        text = self.write_case("sentence", "talk")
        self.write("table.tsv", f"file\ttext\ntalk.wav\t{text}\n".encode())
        pictures = []
        for table in ("curve.json", "curve.tsv"):
            self.run_utter("eval", "--model", GOLDEN / MODEL, "--encoder", "window", "--sweep", table, "--left", "1",
                           "--hop", "0.2,0.4", "--right", "0.3", "table.tsv")
            subprocess.run([sys.executable, ROOT / "tools" / "plot", table, "-o", "curve.svg"], cwd=self.folder, check=True)
            pictures.append((self.folder / "curve.svg").read_text())
            self.assertIn("<svg", pictures[-1])
        self.write("other.json", b"[]")
        refused = subprocess.run([sys.executable, ROOT / "tools" / "plot", "other.json", "-o", "a.svg"], cwd=self.folder,
                                 capture_output=True, text=True)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("other.json", refused.stderr)

    def test_mistakes(self):
        self.write("empty.tsv", b"")
        self.write("columns.tsv", b"path\ttext\n")
        self.write("rows.tsv", b"file\ttext\nonly\n")
        self.write("nothing.tsv", b"file\ttext\n")
        self.write("lost.tsv", b"file\ttext\nlost.wav\tone\n")
        for name, cause in (("empty.tsv", "empty"), ("columns.tsv", "file"), ("rows.tsv", ":2:"),
                            ("nothing.tsv", "no recording"), ("lost.tsv", "lost.wav"), ("absent", "absent")):
            with self.subTest(name=name):
                self.assert_refused(self.run_utter("eval", "--model", GOLDEN / MODEL, name), cause)
        self.assert_refused(self.run_utter("eval"), "data set", status=2)
        for arguments, cause in ((["--hop", "x"], "--hop"), (["--hop", "0.2,0.4"], "--sweep"),
                                 (["--left", "1,"], "--left"), (["--level", "5"], "--level"),
                                 (["--sweep", "a.tsv", "--json"], "--sweep"),
                                 (["--right", ",".join(["1"] * 20), "--sweep", "a.tsv"], "16")):
            self.assert_refused(self.run_utter("eval", *arguments, "."), cause, status=2)
        self.write("one.tsv", f"file\ttext\n{self.write_case('second', 'one') and 'one.wav'}\tone\n".encode())
        self.assert_refused(self.run_utter("eval", "--model", GOLDEN / MODEL, "--sweep", "no/such/curve.tsv",
                                           "--hop", "0.4", "--left", "1", "--right", "0.3", "one.tsv"), "no/such")


if __name__ == "__main__":
    unittest.main(verbosity=2)
