#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--help of every command fits a terminal of 24 rows and 80 columns. It, the manual pages and the
completions of the shells name the options that the command has, and no others."""

import re
import unittest

from harness import ROOT, ProgramTest

COMMANDS = ("listen", "transcribe", "devices", "eval", "doctor", "history", "config")
DATA = ROOT / "src/app/data"
ROWS = 23  # and the prompt
COLUMNS = 80
OPTION = re.compile(r"--([a-z][a-z-]*)")


def shell_part(name, command):
    """Of the completion for bash or zsh: from the command's label to its `;;`."""
    text = (DATA / name).read_text()
    return text.split(f"\n    {command})\n")[1].split(";;")[0]


def zsh_options(command):
    """The names alone: the descriptions, in brackets, may mention others."""
    return set(OPTION.findall(re.sub(r"\[.*\]", "", shell_part("_utter", command))))


def fish_options(command):
    lines = re.findall(r"-n '__utter_runs ([a-z ]+)'.* -l ([a-z-]+)", (DATA / "utter.fish").read_text())
    return {option for commands, option in lines if command in commands.split()}


class Help(ProgramTest):
    def help_of(self, *arguments):
        result = self.run_utter(*arguments)
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        return result.stdout.decode()

    def options(self, command):
        """What stands from the first line with an option to the examples."""
        text = self.help_of(command, "--help").split("\nexamples:\n")[0]
        return set(OPTION.findall(text[re.search(r"^  +-", text, re.MULTILINE).start():]))

    def test_it_fits_a_screen(self):
        for arguments in (("--help",), ("help",), *((command, "--help") for command in COMMANDS),
                          *(("help", command) for command in COMMANDS)):
            with self.subTest(arguments=arguments):
                lines = self.help_of(*arguments).splitlines()
                self.assertTrue(any(line.startswith("usage: ") for line in lines))
                self.assertLessEqual(len(lines), ROWS)
                self.assertLessEqual(max(map(len, lines)), COLUMNS)

    def test_the_manual_names_the_same(self):
        page = (DATA / "utter.1").read_text().replace("\\-", "-")
        for command in COMMANDS:
            with self.subTest(command=command):
                part = re.split(r"\n\.S[sh] ", page.split(f"\n.Ss utter {command}\n")[1])[0]
                entries = "\n".join(re.findall(r"^\.It .*", part, re.MULTILINE))
                self.assertEqual(set(re.findall(r"Fl -([a-z-]+)", entries)), self.options(command))

    def test_the_configuration_names_the_same(self):
        page = (DATA / "utter-config.5").read_text().split("\n.Sh SECTIONS\n")[1]
        printed = self.help_of("config")
        sections = set(re.findall(r"^\[(.*)\]", printed, re.MULTILINE))
        self.assertEqual(set(re.findall(r"^\.It Li \[(.*)\]", page, re.MULTILINE)), sections | {"keys"})
        for section in sections:
            with self.subTest(section=section):
                part = page.split(f".It Li [{section}]\n")[1].split("\n.It")[0]
                named = re.findall(r"[a-z-]+(?= [,.])", "".join(re.findall(r"^\.Li .*", part, re.MULTILINE)))
                settings = printed.split(f"[{section}]\n")[1].split("\n\n")[0]
                self.assertEqual(set(named), set(re.findall(r"^#? *([a-z-]+) = ", settings, re.MULTILINE)))

    def test_the_shells_name_the_same(self):
        for command in COMMANDS:
            with self.subTest(command=command):
                options = self.options(command)
                self.assertEqual(set(OPTION.findall(shell_part("utter.bash", command))), options)
                self.assertEqual(zsh_options(command), options)
                self.assertEqual(fish_options(command), options)


if __name__ == "__main__":
    unittest.main()
