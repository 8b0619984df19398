#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Live captions without a screen: lines, files, formats, and what is said when something is wrong.
The sound comes from a file at the speed of a microphone."""

import os
import re
import subprocess

import live


def finish(home, *arguments, **options):
    """Runs the program to its end; returns its status, output and errors."""
    done = subprocess.run(
        [live.PROGRAM, *arguments],
        env={**home.environment, **options},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    return done.returncode, done.stdout, done.stderr


def text_is_a_line_for_each_utterance():
    with live.Home() as home:
        status, text, errors = finish(home, "--input", live.clip())
        assert status == 0, errors
        assert live.contains(live.words_of(text), live.clip_words()), text
        assert text.endswith("\n") and "\033" not in text
        status, lower, errors = finish(home, "--input", live.clip(), "--case", "lower")
        assert status == 0 and lower == text.lower(), f"{lower!r} is not {text!r} in lower case"


def files_hold_what_their_names_say():
    with live.Home() as home:
        for name, pattern in [
            ("a.jsonl", r'^{"type":"'),
            ("a.srt", r"^1\n00:00:\d\d,\d{3} --> 00:00:\d\d,\d{3}\n"),
            ("a.vtt", r"^WEBVTT\n\n1\n00:00:\d\d\.\d{3} --> "),
            ("a.txt", r"^\w"),
        ]:
            path = os.path.join(home.path, name)
            status, out, errors = finish(home, "--input", live.clip(), "-o", path)
            assert status == 0 and out == "", errors
            with open(path, encoding="utf-8") as file:
                text = file.read()
            assert re.search(pattern, text), text
            words = live.words_of(re.sub(r"[^A-Za-z' ]+", " ", text))
            assert set(live.clip_words()) <= set(words), text


def drafts_come_when_asked_for():
    with live.Home() as home:
        with live.Pipe(home, ["--input", live.clip(), "--format", "jsonl", "--drafts"]) as program:
            assert program.wait_end() == 0
            kinds = [event["type"] for event in program.events()]
            assert {"draft", "commit", "final", "state"} <= set(kinds), kinds
            assert kinds.index("commit") < kinds.index("final")
            committed = [
                word
                for event in program.events("commit")
                for word in live.words_of(event["text"])
            ]
            assert len(committed) >= len(live.clip_words()) - 1, committed


def a_typewriter_gets_plain_lines():
    with live.Home() as home:
        with live.Terminal(home, ["--input", live.clip()], term="dumb") as terminal:
            terminal.tmux("pipe-pane", "-O", f"cat > {terminal.file('raw')}")
            terminal.wait_end()
            assert live.contains(live.words_of(terminal.screen()), live.clip_words())
            assert "\033" not in terminal.read("raw"), "control sequences for a typewriter"


def a_reader_may_have_enough():
    with live.Home() as home:
        program = subprocess.Popen(
            [live.PROGRAM, "--input", live.clip(), "--format", "jsonl"],
            env=home.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        program.stdout.readline()
        program.stdout.close()
        program.wait(live.PATIENCE)
        assert b"Broken pipe" not in program.stderr.read()
        program.stderr.close()


def what_is_wrong_is_said_in_one_line():
    with live.Home() as home:
        missing = os.path.join(home.path, "missing")
        text = os.path.join(home.path, "text.wav")
        with open(text, "w") as file:
            file.write("this is no sound\n")
        for arguments, expected, cause in [
            (["--input", missing], 1, missing),
            (["--input", text], 1, text),
            (["--input", home.path], 1, home.path),
            (["--input", live.clip(), "-o", "/dev/full"], 1, "/dev/full"),
            (["--input", live.clip(), "-o", f"{missing}/x"], 1, missing),
            (["--input", live.clip(), "--model", missing], 1, missing),
            (["--input", live.clip(), "--demo"], 2, "only one"),
            (["--device", "x", "--demo"], 2, "only one"),
            (["--drafts"], 2, "--drafts"),
            (["--format", "doc"], 2, "doc"),
            (["--device", "there is no such microphone"], 3, "utter --demo"),
        ]:
            status, out, errors = finish(home, *arguments)
            assert status == expected, f"{arguments}: {status}: {errors}"
            lines = [line for line in errors.split("\n") if line and "listening to" not in line]
            assert cause in errors and out == "", f"{arguments}: {out}{errors}"
            assert len(lines) <= 2 and all(line.startswith("utter: ") for line in lines), errors


def without_a_microphone_it_offers_the_demo():
    with live.Home() as home:
        if os.path.exists("/proc/asound/cards") and "no soundcards" not in open(
            "/proc/asound/cards"
        ).read():
            print("   this machine has a sound card: not tested")
            return
        status, out, errors = finish(home)
        assert status == 3 and out == ""
        assert re.fullmatch(r"utter: no microphone: .*utter --demo.*utter --input FILE.*\n", errors)


if __name__ == "__main__":
    live.skip_unless_all_is_here("tmux", "stty")
    live.run(
        text_is_a_line_for_each_utterance,
        files_hold_what_their_names_say,
        drafts_come_when_asked_for,
        a_typewriter_gets_plain_lines,
        a_reader_may_have_enough,
        what_is_wrong_is_said_in_one_line,
        without_a_microphone_it_offers_the_demo,
    )
