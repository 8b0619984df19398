#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Other scripts than Latin on the screen and in the history: from right to left, two columns wide, and
with marks that combine. The words are those of real speech: the bundled model with other letters in
its vocabulary. What the program hands the terminal is the logical order; the rest is the terminal's."""

import json
import os
import subprocess
import unicodedata

import live

LETTERS = "EFGHINORSTUVWXZ"  # of which digits are written
SCRIPTS = {
    "hebrew": list("אבגדהוזחטילמנסע"),
    "hebrew with points": [letter + "\u05b8" for letter in "אבגדהוזחטילמנסע"],
    "arabic": list("ابتثجحخدذرزسشصض"),
    "arabic with vowels": [letter + "\u064e\u0651" for letter in "ابتثجحخدذرزسشصض"],
    "han": list("一二三四五六七八九十百千万億兆"),
    "hangul": list("가나다라마바사아자차카타파하각"),
    "latin with marks": [letter.lower() + "\u0323\u0301" for letter in LETTERS],
    "devanagari": [letter + "ि" for letter in "कखगघचछजझटठडढतथद"],
}
SIZES = [(20, 5), (21, 6), (80, 24), (400, 120)]


def make_model(folder, script):
    """The bundled model with letters of the script; its directory."""
    path = os.path.join(folder, script.replace(" ", "-"))
    os.mkdir(path)
    for name in os.listdir(live.MODEL):
        if not name.startswith("demo"):
            os.symlink(os.path.join(live.MODEL, name), os.path.join(path, name))
    with open(os.path.join(live.MODEL, "vocab.json"), encoding="utf-8") as file:
        vocabulary = json.load(file)
    tokens = {written_in(script, token) if token.isalpha() else token: vocabulary[token] for token in vocabulary}
    os.unlink(os.path.join(path, "vocab.json"))
    with open(os.path.join(path, "vocab.json"), "w", encoding="utf-8") as file:
        json.dump(tokens, file)
    return path


def written_in(script, word):
    other = dict(zip(LETTERS, SCRIPTS[script]))
    return "".join(other[letter] for letter in word)


def columns_of(line):
    """That a terminal needs."""
    return sum(0 if unicodedata.category(c) in ("Mn", "Me", "Cf") else 1 + (unicodedata.east_asian_width(c) in "WF")
               for c in line)


def spoken(model=None):
    return subprocess.run([live.PROGRAM, "transcribe", *(["--model", model] if model else []), live.clip()],
                          stdout=subprocess.PIPE, check=True, encoding="utf-8").stdout.split()


def squeezed(text):
    """Without spaces: lines break where they have to."""
    return "".join(text.split())


def check_screen(terminal, words, columns, rows):
    shown = terminal.screen().split("\n")
    assert [i for i, line in enumerate(shown) if "● the end" in line] == [rows - 2], shown
    assert all(columns_of(line) <= columns for line in shown), shown
    assert squeezed("".join(words)) in squeezed(" ".join(shown[: rows - 2])), (words, shown)


def use_it(terminal, words):
    """Search, copy, and large letters that stay small where the block font lacks them."""
    terminal.tmux("set-option", "-s", "set-clipboard", "on")
    terminal.keys("/")
    terminal.tmux("send-keys", "-l", words[0])
    live.wait_for(lambda: terminal.shows("/" + words[0]), "the word that is searched for")
    terminal.keys("Enter")
    assert not terminal.shows("nothing of that"), terminal.screen()
    terminal.keys("Escape", "y")
    live.wait_for(lambda: terminal.shows("is copied"), "a word about the copy")
    copied = live.wait_for(lambda: terminal.tmux("list-buffers") and terminal.tmux("show-buffer"), "the copy")
    assert copied.split() == words, copied
    terminal.resize(200, 60)
    live.wait_for(lambda: "● the end" in terminal.screen().split("\n")[58], "the other size")
    small = terminal.screen()
    terminal.keys("l")
    live.wait_for(lambda: terminal.screen() != small, "the cells of large letters")
    check_screen(terminal, words, 200, 60)


def every_script_is_shown_whole():
    latin = spoken()
    for script in SCRIPTS:
        words = [written_in(script, word) for word in latin]
        with live.Home() as home:
            model = make_model(home.path, script)
            assert spoken(model) == words, (spoken(model), words)
            arguments = ["--model", model, "--input", live.clip(), "--speed", "8"]
            with live.Terminal(home, arguments, columns=80, rows=24) as terminal:
                live.wait_for(lambda: terminal.shows("the end"), "the end of the recording")
                for columns, rows in SIZES:
                    terminal.resize(columns, rows)
                    live.wait_for(lambda: "● the end" in terminal.screen().split("\n")[rows - 2], "the other size")
                    check_screen(terminal, words, columns, rows)
                use_it(terminal, words)
                terminal.keys("q")
                assert terminal.wait_end() == 0
            assert home.history("export", "--format", "text").split() == words
            assert " ".join(words) in home.history("show")
            assert words[-1] in home.history("export", "--format", "srt")
            assert json.loads(home.history("export", "--format", "json"))["text"].split() == words
        print(f"   {script}: {' '.join(words)}")


if __name__ == "__main__":
    live.skip_unless_all_is_here("tmux", "stty")
    live.run(every_script_is_shown_whole)
