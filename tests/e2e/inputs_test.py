#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Inputs: what the desktop plays, two at once, another one while the program runs; and the clock:
words after the sound server was away bear the time at which they were spoken."""

import json
import os
import re
import signal
import subprocess
import time

import live


class Desktop(live.Microphone):
    """A microphone, and loudspeakers that somebody else plays into."""

    def plug_in(self):
        super().plug_in()
        assert self.call("pactl", "load-module", "module-null-sink", "sink_name=speakers")
        assert self.call("pactl", "set-default-sink", "speakers")


def listen(home, *arguments):
    program = live.Pipe(home, ["--format", "jsonl", *arguments])
    program.wait_to_listen()
    return program


def hear_on(desktop, sink, heard):
    live.play_until(desktop, live.clip(), heard, f"what {sink} plays", sink)


def the_desktop_is_heard():
    for device in ("desktop", "speakers.monitor", "speakers.mon"):
        with live.Home() as home, Desktop(home) as desktop, listen(home, "--device", device) as program:
            hear_on(desktop, "speakers", lambda: program.heard(live.clip_words()))
            program.end()


def two_speakers_have_lines_of_their_own():
    with live.Home() as home, Desktop(home) as desktop, listen(home, "--split") as program:
        program.wait_to_listen(2)

        def said_by(speaker):
            return any(
                event["speaker"] == speaker and live.contains(live.words_of(event["text"]), live.clip_words())
                for event in program.events("final")
            )

        hear_on(desktop, "mic", lambda: said_by(1))
        assert not said_by(2), "the desktop said nothing"
        hear_on(desktop, "speakers", lambda: said_by(2))
        program.end()
        ids = [event["utterance"] for event in program.events("final")]
        assert len(ids) == len(set(ids)), f"two utterances of one number: {ids}"


def what_two_said_is_kept_with_their_names():
    """In every format of an export as live; two recordings, which are deleted with the session."""
    with live.Home() as home, Desktop(home) as desktop:
        written = os.path.join(home.path, "live.srt")

        def said_by(speaker):
            events = map(json.loads, home.history("export", "--format", "jsonl").splitlines())
            return any(event.get("speaker") == speaker and
                       live.contains(live.words_of(event["text"]), live.clip_words()) for event in events)

        arguments = ["--split", "--record", "--device", "mic.monitor", "-o", written]
        with live.Terminal(home, arguments, columns=100) as terminal:
            live.wait_for(lambda: "◉ listening" in terminal.screen(), "the sign of a recording")
            hear_on(desktop, "mic", lambda: said_by(1))
            hear_on(desktop, "speakers", lambda: said_by(2))
            terminal.keys("q")
            assert terminal.wait_end() == 0
        with open(written, encoding="utf-8") as file:
            assert home.history("export", "--format", "srt") == file.read()
        text = home.history("export", "--format", "text")
        for shown in (text, home.history("show"), *(home.history("export", "--format", f) for f in ("srt", "vtt"))):
            for name in ("mic: ", "desktop: "):
                assert name + live.words_of(text)[1] in shown, f"{name}has said nothing: {shown}"
        words = json.loads(home.history("export", "--format", "json"))["words"]
        assert {word["speaker"] for word in words} == {1, 2}, words
        folder = os.path.dirname(home.sessions()[0])
        assert len([name for name in os.listdir(folder) if name.endswith(".flac")]) == 2
        home.history("delete", "last")
        assert os.listdir(folder) == [], "something of the session is left"


def two_inputs_become_one():
    with live.Home() as home, Desktop(home) as desktop, listen(home, "--mix") as program:
        hear_on(desktop, "mic", lambda: program.heard(live.clip_words()))
        before = len(program.events("final"))
        hear_on(desktop, "speakers", lambda: any(
            live.contains(live.words_of(event["text"]), live.clip_words())
            for event in program.events("final")[before:]))
        assert "speaker" not in program.events("final")[0]
        program.end()


def lose(program, device):
    """One of two inputs dies and comes back."""
    os.kill(live.capture_processes(program.process.pid)[device], signal.SIGKILL)
    live.wait_for(lambda: program.is_back(), "the input to be back")


def what_one_of_two_lost_is_told():
    for mode, device, speaker in [("--mix", "desktop", 2), ("--mix", "", 1), ("--split", "desktop", 2)]:
        with live.Home() as home, Desktop(home), listen(home, mode) as program:
            live.wait_for(lambda: program.says("listening to", 2 if mode == "--split" else 1), "both inputs")
            time.sleep(1)
            lose(program, device)
            live.wait_for(lambda: program.events("gap"), "a gap")
            program.end()
            gaps = [(event.get("speaker"), event["lost"]) for event in program.events("gap")]
            assert {speaker for speaker, _ in gaps} == {speaker}, (mode, device, gaps)
            assert 0.4 < max(lost for _, lost in gaps) < 60, gaps
            print(f"   {mode}: input {speaker} was away: {gaps}")


def what_one_of_two_lost_is_shown():
    for mode in ("--mix", "--split"):
        with live.Home() as home, Desktop(home), live.Terminal(home, [mode], columns=100) as terminal:
            live.wait_for(lambda: terminal.shows("listening"), "the program to listen")
            time.sleep(3)
            os.kill(live.capture_processes(terminal.pid)["desktop"], signal.SIGKILL)
            live.wait_for(lambda: re.search(r"desktop: \[\d+\.\d\d s of audio lost\]", terminal.screen()),
                          "the gap, and whose it is")
            live.wait_for(lambda: "listening" in terminal.screen(), "the program to listen again")
            terminal.keys("q")
            assert terminal.wait_end() == 0


def one_of_two_is_pulled_out_and_put_back():
    """The other one is heard all the time."""
    with live.Home() as home, Desktop(home) as desktop:

        def plug_in():
            load = ["pactl", "load-module", "module-null-sink", "sink_name=headset"]
            return subprocess.run(load, env=home.environment, stdout=subprocess.PIPE, check=True,
                                  encoding="ascii").stdout.strip()

        module = plug_in()
        with listen(home, "--split", "--device", "headset.monitor") as program:
            live.wait_for(lambda: program.says("listening to", 2), "both inputs")

            def said_by(speaker, after=0.0):
                return any(event["speaker"] == speaker and event["start"] > after and
                           live.contains(live.words_of(event["text"]), live.clip_words())
                           for event in program.events("final"))

            assert desktop.call("pactl", "unload-module", module)
            live.wait_for(lambda: program.says("is lost"), "a word about the microphone")
            hear_on(desktop, "speakers", lambda: said_by(2))
            assert not program.is_back(), "it is pulled out"
            plug_in()
            live.wait_for(lambda: program.is_back(), "the microphone to be back")
            (gap,) = live.wait_for(lambda: program.events("gap"), "a gap")
            assert gap["speaker"] == 1, gap
            hear_on(desktop, "headset", lambda: said_by(1, gap["end"] - 0.5))
            program.end()


def what_both_of_a_mix_lost_is_a_gap_of_the_mix():
    with live.Home() as home, Desktop(home) as desktop, listen(home, "--mix") as program:
        desktop.pull_out()
        live.wait_for(lambda: program.says("is lost"), "a word about the microphone")
        begin = time.monotonic()
        time.sleep(1)
        desktop.plug_in()
        away = time.monotonic() - begin
        live.wait_for(lambda: program.is_back(), "the inputs to be back")
        live.wait_for(lambda: program.events("gap"), "a gap")
        program.end()
        gaps = [event["lost"] for event in program.events("gap") if "speaker" not in event]
        assert gaps and max(gaps) > away - 0.5, f"away for {away} s: {program.events('gap')}"


def choose_input(terminal, *keys):
    terminal.keys("d")
    live.wait_for(lambda: terminal.shows("what the desktop plays"), "the list of inputs")
    terminal.keys(*keys, "Enter")
    live.wait_for(lambda: terminal.shows("listening") or terminal.shows("waiting"), "the other input")


def the_input_is_changed_and_remembered():
    with live.Home() as home, Desktop(home) as desktop:
        words = os.path.join(home.path, "words.txt")
        with live.Terminal(home, ["-o", words], columns=100) as terminal:
            live.wait_for(lambda: terminal.shows("listening"), "the program to listen")
            hear_on(desktop, "mic", lambda: live.contains(live.words_of(terminal.screen()), live.clip_words()))
            before = len(live.words_of(terminal.read("words.txt")))
            choose_input(terminal, "Down")
            live.wait_for(lambda: terminal.shows("desktop sound"), "the other input")

            def heard():
                return live.contains(live.words_of(terminal.read("words.txt"))[before:], live.clip_words())

            hear_on(desktop, "speakers", heard)
            terminal.keys("o")
            live.wait_for(lambda: terminal.shows("model: Enter"), "the list of models")
            terminal.keys("Enter")
            live.wait_for(lambda: not terminal.shows("model: Enter"), "the captions")
            before = len(live.words_of(terminal.read("words.txt")))
            hear_on(desktop, "speakers", heard)
            terminal.keys("q")
            assert terminal.wait_end() == 0
        with listen(home) as program:
            assert "listening to desktop sound" in program.errors(), program.errors()
            program.end()


def another_input_follows_a_recording_that_ended():
    with live.Home() as home, Desktop(home) as desktop:
        words = os.path.join(home.path, "words.jsonl")
        arguments = ["--input", live.clip(), "--speed", "20", "-o", words]
        with live.Terminal(home, arguments, columns=100) as terminal:
            live.wait_for(lambda: terminal.shows("the end"), "the end of the recording")
            before = len(live.words_of(home.history("export", "--format", "text")))
            choose_input(terminal)

            def heard():
                kept = live.words_of(home.history("export", "--format", "text"))[before:]
                return live.contains(kept, live.clip_words())

            hear_on(desktop, "mic", heard)
            terminal.keys("q")
            assert terminal.wait_end() == 0
        with open(words, encoding="utf-8") as file:
            finals = [event for event in map(json.loads, file) if event["type"] == "final"]
        ends = [0] + [event["end"] for event in finals]
        assert all(event["start"] >= end for event, end in zip(finals, ends)), f"time runs back: {finals}"
        shown = home.history("show")
        assert "lost" not in shown, f"a time in which nobody listened is no loss: {shown}"


def another_input_follows_one_that_failed():
    with live.Home() as home, Desktop(home) as desktop:
        broken = os.path.join(home.path, "broken.flac")
        with open(live.clip(), "rb") as file, open(broken, "wb") as half:
            data = file.read()
            half.write(data[: len(data) // 2] + bytes(len(data) // 2))
        with live.Terminal(home, ["--input", broken, "--speed", "20"], columns=100) as terminal:
            live.wait_for(lambda: terminal.shows("the end") and terminal.shows("broken.flac: "), "the failure")
            choose_input(terminal, "Down")
            live.wait_for(lambda: not terminal.shows("broken.flac: "), "the failure to be overcome")
            hear_on(desktop, "speakers", lambda: live.contains(home.kept_words(), live.clip_words()))
            terminal.keys("q")
            assert terminal.wait_end() == 1, "a recording that failed is no success"
            assert "broken.flac: " in terminal.screen(), "the failure is not told at the end"
        with listen(home) as program:
            assert "listening to desktop sound" in program.errors(), program.errors()
            program.end()


def words_keep_their_time_over_a_gap():
    """Played at a known moment before and after the server was away; the program's time between the
    two must be the clock's."""
    with live.Home() as home, Desktop(home) as desktop, listen(home) as program:

        def play():
            for _ in range(4):
                before = len(program.events("final"))
                moment = time.monotonic()
                desktop.play(live.clip())
                try:
                    live.wait_for(
                        lambda: any(event["text"] for event in program.events("final")[before:]),
                        "a FINAL", live.PATIENCE / 10)
                except AssertionError:
                    continue
                return moment, next(e["start"] for e in program.events("final")[before:] if e["text"])
            raise AssertionError("nothing is heard")

        play()
        moment, position = play()
        player = desktop.play_in_background(live.clip())
        time.sleep(0.5)
        desktop.pull_out()
        live.wait_for(lambda: program.says("is lost"), "a word about the microphone")
        player.wait()
        time.sleep(1)
        desktop.plug_in()
        live.wait_for(lambda: program.is_back(), "the microphone to be back")
        play()
        later, far = play()
        off = (far - position) - (later - moment)
        lost = sum(event["lost"] for event in program.events("gap"))
        print(f"   over {later - moment:.1f} s with {lost:.2f} s lost, words are {1000 * off:+.0f} ms off the clock")
        assert abs(off) < 1.0, "words after the gap have another time than they were spoken at"
        program.end()


if __name__ == "__main__":
    live.skip_unless_all_is_here()
    live.run(
        the_desktop_is_heard,
        two_speakers_have_lines_of_their_own,
        what_two_said_is_kept_with_their_names,
        two_inputs_become_one,
        what_one_of_two_lost_is_told,
        what_one_of_two_lost_is_shown,
        one_of_two_is_pulled_out_and_put_back,
        what_both_of_a_mix_lost_is_a_gap_of_the_mix,
        the_input_is_changed_and_remembered,
        another_input_follows_a_recording_that_ended,
        another_input_follows_one_that_failed,
        words_keep_their_time_over_a_gap,
    )
