#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""utter doctor tells a good microphone from one that is mute, silent, too loud or not there, and says
what to do, a line each."""

import os
import re
import shlex
import subprocess
import time

import live


# $1 becomes a /dev of this process, with a card that nobody but root may open; then nobody runs the rest.
CARD_OF_ANOTHER_USER = """
set -e
folder=$1
shift
mkdir -p "$folder"
mount -t tmpfs none "$folder"
for file in null full urandom; do
  touch "$folder/$file"
  mount --bind "/dev/$file" "$folder/$file"
done
mkdir "$folder/snd"
touch "$folder/snd/pcmC0D0c"
chmod 600 "$folder/snd/pcmC0D0c"
mount --rbind "$folder" /dev
exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
"""


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


def it_asks_about_the_input_that_is_meant():
    """Of two sources, the one that --device names, not the default one."""
    with live.Home() as home, live.Microphone(home) as microphone:
        assert microphone.call("pactl", "load-module", "module-null-sink", "sink_name=speakers")
        assert microphone.call("pactl", "set-default-sink", "speakers")
        assert microphone.call("pactl", "set-source-mute", "speakers.monitor", "1")
        found, status = examine(home)
        expect(found, "microphone", "warn", "mic.monitor is what this machine plays")
        found, status = examine(home, "--device", "speakers.monitor")
        expect(found, "microphone", "FAIL", "is muted: pactl set-source-mute speakers.monitor 0")
        assert status == 1
        found, status = examine(home, "--device", "desktop")
        expect(found, "microphone", "FAIL", "is muted: pactl set-source-mute @DEFAULT_MONITOR@ 0")
        assert microphone.call("pactl", "set-source-mute", "speakers.monitor", "0")
        found, status = examine(home, "--device", "desktop")
        expect(found, "microphone", "ok", "desktop sound")


def it_says_why_there_is_no_sound():
    """Neither a server nor a card; a server that hangs; cards that this user may not open."""
    with live.Home() as home:
        found, status = examine(home)
        if not os.path.isdir("/dev/snd"):
            expect(found, "microphone", "FAIL", "neither a sound card with an input nor a sound server")
        assert status == 1 and "level" not in found and "rate" not in found, found

    with live.Home() as home, live.Microphone(home) as microphone:
        microphone.freeze(True)
        begin = time.monotonic()
        found, status = examine(home)
        microphone.freeze(False)
        expect(found, "microphone", "FAIL", "does not answer")
        assert status == 1
        print(f"   a server that hangs was told after {time.monotonic() - begin:.1f} s")

    with live.Home() as home:
        for folder, _, _ in os.walk(home.path):
            os.chmod(folder, 0o777)
        script = os.path.join(home.path, "as_nobody")
        with open(script, "w", encoding="ascii") as file:
            file.write(CARD_OF_ANOTHER_USER)
        nobody = ["unshare", "--mount", "sh", script, os.path.join(home.path, "dev")]
        if subprocess.run([*nobody, "test", "-x", live.PROGRAM], stderr=subprocess.DEVNULL).returncode != 0:
            print("   a card that may not be opened cannot be made here: not tested")
            return
        done = subprocess.run([*nobody, live.PROGRAM, "doctor", "--seconds", "1", "--model", live.MODEL],
                              env=home.environment, stdout=subprocess.PIPE, encoding="utf-8")
        assert done.returncode == 1 and "join the group audio" in done.stdout, done.stdout


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
    live.run(
        it_hears_what_a_microphone_hears,
        it_says_what_is_missing,
        it_asks_about_the_input_that_is_meant,
        it_says_why_there_is_no_sound,
        it_knows_the_terminal,
    )
