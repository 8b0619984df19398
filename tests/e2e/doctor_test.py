#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""utter doctor tells a good microphone from one that is mute, silent, too loud or not there, and says
what to do, a line each."""

import os
import re
import subprocess
import time

import live


def make_sound(home, name, *effects):
    path = os.path.join(home.path, name)
    subprocess.run(["sox", "-q", "-n", "-r", "48000", "-c", "1", "-b", "16", path, *effects], check=True)
    return path


def examine(home, *arguments):
    """{what: (verdict, line)} and the exit status."""
    done = subprocess.run(
        [live.PROGRAM, "doctor", "--seconds", "2", *arguments],
        env=home.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert done.stderr == "", done.stderr
    found = {}
    for line in done.stdout.splitlines():
        verdict, what, text = re.fullmatch(r"(ok  |warn|FAIL)  (\w+) {2,}(.+)", line).groups()
        assert what not in found, f"{what} twice"
        found[what] = (verdict.strip(), text)
    return found, done.returncode


def expect(found, what, verdict, part):
    assert found[what][0] == verdict and part in found[what][1], f"{what}: {found[what]}"


def it_hears_what_a_microphone_hears():
    with live.Home() as home, live.Microphone(home) as microphone:
        sounds = [
            ("good.wav", ["synth", "30", "sine", "440", "vol", "0.3"], "ok", "dB at most, peak"),
            ("loud.wav", ["synth", "30", "square", "440", "vol", "1"], "warn", "too loud"),
            ("quiet.wav", ["synth", "30", "sine", "440", "vol", "0.0005"], "warn", "very quiet"),
            ("off.wav", ["synth", "30", "sine", "440", "vol", "0.3", "dcshift", "0.3"], "warn", "faulty"),
        ]
        for name, effects, verdict, part in sounds:
            player = microphone.play_in_background(make_sound(home, name, *effects))
            try:
                time.sleep(1)
                found, status = examine(home)
            finally:
                player.kill()
                player.wait()
            expect(found, "level", verdict, part)
            expect(found, "microphone", "warn", "monitor")  # which it is
            assert "Hz, 1 channel" in found["rate"][1] or found["rate"][0] == "warn", found
            assert status == (found["speed"][0] == "FAIL"), found
        found, status = examine(home)
        expect(found, "level", "FAIL", "digital silence")
        assert status == 1
        microphone.call("pactl", "set-source-mute", "mic.monitor", "1")
        found, status = examine(home)
        expect(found, "microphone", "FAIL", "is muted: pactl set-source-mute")


def it_says_what_is_missing():
    with live.Home() as home:
        found, status = examine(home, "--model", "/nowhere/model", "--device", "none such")
        expect(found, "model", "FAIL", "/nowhere/model")
        assert status == 1 and found["microphone"][0] == "FAIL", found
        expect(found, "configuration", "ok", "none, so defaults")
        expect(found, "history", "ok", "MB free")
        expect(found, "terminal", "ok", "plain lines")
        assert "speed" not in found

        folder = os.path.join(home.path, "config", "utter")
        os.makedirs(folder)
        with open(os.path.join(folder, "config"), "w", encoding="utf-8") as file:
            file.write("[listen]\nhistory = no\n[transcribe]\nwindow = soon\n")
        found, status = examine(home)
        expect(found, "configuration", "warn", "config:4: window = soon")
        expect(found, "history", "ok", "nothing is kept")
        expect(found, "model", "ok" if found["model"][0] == "ok" else "warn", "million parameters")
        assert "of computing for a second of speech" in found["speed"][1]


def it_knows_the_terminal():
    with live.Home() as home:
        for term, line in [
            ("tmux-256color", r"ok    terminal       tmux-256color, 100×30, 256 colours, UTF-8"),
            ("dumb", r"ok    terminal       TERM is dumb: captions are plain lines"),
            ("nonsense", r"FAIL  terminal       TERM is nonsense, which this machine does not know"),
        ]:
            with live.Terminal(home, ["doctor"], columns=100, rows=30, term=term) as terminal:
                live.wait_for(lambda: terminal.shows(line), line)
                terminal.wait_end()
                for name in ("pid", "status", "before", "settings"):
                    os.remove(terminal.file(name))
                terminal.tmux("kill-server")


if __name__ == "__main__":
    live.skip_unless_all_is_here(*live.NEEDED, "sox")
    live.run(it_hears_what_a_microphone_hears, it_says_what_is_missing, it_knows_the_terminal)
