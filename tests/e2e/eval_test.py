# SPDX-License-Identifier: MIT
"""`utter eval`: the data sets it reads, the errors it counts, and sclite's verdict on the same texts."""

import json
import re
import shutil
import subprocess
import unittest

from harness import GOLDEN, ProgramTest

MODEL = "digits"
CASES = ("sentence", "second", "loud", "quiet")


class Evaluation(ProgramTest):
    def evaluate(self, *arguments):
        result = self.run_utter("eval", "--model", GOLDEN / MODEL, "--json", *arguments)
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

    def test_stream(self):
        text = self.write_case("sentence", "talk")
        self.write("table.tsv", f"file\ttext\ntalk.wav\t{text}\n".encode())
        for arguments in (["--stream", "--no-gate"], ["--join", "0.5", "--no-gate"]):
            with self.subTest(arguments=arguments):
                stream = self.evaluate(*arguments, "table.tsv")["stream"]
                self.assertGreaterEqual(stream["utterances"], 1)
                self.assertEqual(stream["lost_samples"], 0)
                self.assertGreater(stream["final_latency"]["words"], 0)
        whole = self.evaluate("--stream", "--no-gate", "table.tsv")["stream"]
        self.assertEqual(whole["finals_against_offline"]["rate"], 0)

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
        self.assert_refused(self.run_utter("eval", "--hop", "x", "."), "--hop", status=2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
