#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The configuration: what it says counts, `utter config` tells who said what, and what it prints is a
configuration again."""

import unittest

from harness import GOLDEN, ProgramTest


class Configuration(ProgramTest):
    def configure(self, text):
        path = self.write("config", text.encode())
        self.environment["UTTER_CONFIG"] = str(path)
        return path

    def config(self, *arguments):
        result = self.run_utter("config", *arguments)
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        return result.stdout.decode()

    def value(self, output, section, name):
        """(value, who says so) of a line of `utter config`; value None: not set."""
        lines = output.split(f"[{section}]\n")[1].split("\n\n")[0].splitlines()
        (line,) = [line for line in lines if line.lstrip("# ").startswith(f"{name} = ")]
        setting, _, origin = line.partition(" ; ")
        return None if line.startswith("#") else setting.split(" = ")[1].strip(), origin

    def test_who_says_what(self):
        path = self.configure("threads = 2\n[listen]\ncase = lower\n[keys]\nquit = x\n")
        self.environment["UTTER_DEVICE"] = "a microphone"
        output = self.config()
        self.assertEqual(self.value(output, "listen", "threads"), ("2", f"{path}:1"))
        self.assertEqual(self.value(output, "eval", "threads"), ("2", f"{path}:1"))
        self.assertEqual(self.value(output, "listen", "case"), ("lower", f"{path}:3"))
        self.assertEqual(self.value(output, "transcribe", "case"), ("as-is", "default"))
        self.assertEqual(self.value(output, "listen", "device"), ("a microphone", "UTTER_DEVICE"))
        self.assertEqual(self.value(output, "listen", "output"), (None, "default"))
        self.assertEqual(self.value(output, "keys", "quit"), ("x", f"{path}:5"))
        output = self.config("listen", "--case", "sentence", "--drafts")
        self.assertTrue(output.startswith("[listen]\n"))
        self.assertEqual(self.value(output, "listen", "case"), ("sentence", "--case"))
        self.assertEqual(self.value(output, "listen", "drafts"), ("yes", "--drafts"))

    def test_what_it_prints_is_a_configuration(self):
        self.configure("threads = 2\n[listen]\ncase = lower\n[transcribe]\nwindow = 12.5\n")
        before = self.config()
        self.configure(before)
        after = self.config()
        strip = lambda text: [line.split(" ; ")[0] for line in text.splitlines()[1:]]
        self.assertEqual(strip(before), strip(after))

    def test_it_counts(self):
        self.write_golden("base", "second")
        plain = self.transcribe("base", "talk.wav")
        self.configure("case = lower\n")
        self.assertEqual(self.transcribe("base", "talk.wav"), plain.lower())
        self.assertEqual(self.transcribe("base", "--case", "as-is", "talk.wav"), plain)
        self.configure(f"[transcribe]\nmodel = {GOLDEN}/base\noutput = out.txt\n")
        result = self.run_utter("transcribe", "talk.wav")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, b"", b""))
        self.assertEqual((self.folder / "out.txt").read_text(), plain)

    def test_mistakes_are_said_by_line(self):
        path = self.configure("threads = 2\n\n[listen]\ndevise = x\n")
        for arguments in ((), ("config",), ("--demo",), ("config", "listen")):
            self.assert_refused(self.run_utter(*arguments), f"{path}:4: unknown option devise",
                                "did you mean device?", status=2)
        path = self.configure("model = ~/none/here\n")
        self.environment["HOME"] = "/home/me"
        self.write("talk.wav", b"")
        self.assert_refused(self.run_utter("transcribe", "talk.wav"),
                            f"/home/me/none/here: no such model", f"from {path}:1: model")
        self.assert_refused(self.run_utter("config", "lisen"), "did you mean `utter config listen`?", status=2)
        self.assert_refused(self.run_utter("config", "--path", "listen"), "name the command", status=2)
        # A way out of a broken file, and what has nothing to do with it.
        path = self.configure("nonsense\n")
        self.assert_refused(self.run_utter("config"), f"{path}:1: is neither", status=2)
        self.assertEqual(self.config("--path"), f"{path}\n")
        self.assertEqual(self.run_utter("--help").returncode, 0)
        self.assertEqual(self.run_utter("listen", "--help").returncode, 0)

    def test_where_it_lies(self):
        del self.environment["UTTER_CONFIG"]
        self.environment.pop("XDG_CONFIG_HOME", None)
        self.environment["HOME"] = "/home/me"
        self.assertEqual(self.config("--path"), "/home/me/.config/utter/config\n")
        self.environment["XDG_CONFIG_HOME"] = str(self.folder)
        self.assertEqual(self.config("--path"), f"{self.folder}/utter/config\n")
        self.assertIn("(there is no such file)", self.config().splitlines()[0])


if __name__ == "__main__":
    unittest.main()
