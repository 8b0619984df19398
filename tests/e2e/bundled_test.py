# SPDX-License-Identifier: MIT
"""The models that come with the program: one is found without being named, and they hear real speech.

UTTER_BUILD names the build folder, which is installed into an empty one here.
"""

import difflib
import json
import os
import subprocess
import unittest

from harness import ROOT, ProgramTest

CLIPS = sorted((ROOT / "tests" / "e2e" / "data").glob("*.flac"))


# What transformers 5.23 writes with models/english, greedily: the best label's logit leads by 0.04 at least.
ENGLISH = {
    "one-four-two-nine": "ONE FOUR TO NINE",
    "six-nine-one-three": "SIX NINE ONE THREE",
    "two-two-nine-four": "TWO TWO NINE FOUR",
    "zero-one-seven-six": "ZERO ONE SEVEN SIX",
}


def spoken(clip):
    return clip.with_suffix(".txt").read_text().split()


class Bundled(ProgramTest):
    def hear(self, *arguments, program=None, warned=""):
        command = [program or os.environ["UTTER"], "transcribe", *map(os.fspath, arguments)]
        result = subprocess.run(command, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                                capture_output=True, encoding="utf-8")
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stderr, f"^{warned}$")
        return result.stdout

    def test_english(self):
        """Experimental, which is said; it hears what the reference implementation hears with it."""
        warned = "utter: english is experimental: about [3-9][0-9] of 100 words wrong\n"
        for clip in CLIPS:
            self.assertEqual(self.hear("--model", "english", clip, warned=warned), ENGLISH[clip.stem] + "\n")

    def test_digits(self):
        """Half of the words at least: how many it really hears is measured by `utter eval`."""
        self.assertGreater(len(CLIPS), 1)
        total = right = 0
        for clip in CLIPS:
            wanted, heard = spoken(clip), self.hear(clip).upper().split()
            matcher = difflib.SequenceMatcher(None, wanted, heard, autojunk=False)
            total += len(wanted)
            right += sum(block.size for block in matcher.get_matching_blocks())
        self.assertGreaterEqual(2 * right, total, f"{right} of {total} words")

    def test_by_name(self):
        self.assertEqual(self.hear("--model", "digits", CLIPS[0]), self.hear(CLIPS[0]))

    def test_words_in_time(self):
        """Every word lies in the recording, in order, and takes the time that words take."""
        for clip in CLIPS:
            result = json.loads(self.hear("--format", "json", clip))
            before = 0
            for word in result["words"]:
                self.assertTrue(before <= word["start"] < word["end"] <= result["duration"], word)
                self.assertTrue(word["end"] - word["start"] < 2, word)
                before = word["end"]

    def test_installed(self):
        """What `meson install` puts somewhere else finds its model there."""
        subprocess.run(["meson", "install", "--no-rebuild", "--quiet", "-C", os.environ["UTTER_BUILD"],
                        "--destdir", os.fspath(self.folder)], check=True, capture_output=True)
        programs = [path for path in self.folder.rglob("bin/utter")]
        self.assertEqual(len(programs), 1)
        for name in ("digits", "english"):
            models = list(self.folder.rglob(f"share/utter/models/{name}/config.json"))
            self.assertEqual(len(models), 1, name)
        self.assertTrue(any(self.folder.rglob("include/utter.h")))
        self.assertTrue(any(self.folder.rglob("pkgconfig/utter.pc")))
        self.assertEqual(self.hear(CLIPS[0], program=programs[0]), self.hear(CLIPS[0]))


if __name__ == "__main__":
    unittest.main()
