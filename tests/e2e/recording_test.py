#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Recordings hold all that was heard, at its time: of two inputs, of which one dies and comes back, and of
an input that is changed for another while the program runs. The microphones say the time
(spoken_time.py), all the same one; the history says where each recording begins."""

import contextlib
import glob
import json
import os
import signal
import subprocess
import time

import live
import spoken_time

LIMIT_MS = 100


class TwoMicrophones(spoken_time.TimeMicrophone):
    """Two sources that hear the same voice, the default one and "second"."""

    def modules(self):
        second = self.pipe + "2"
        if os.path.exists(second):
            os.remove(second)
        return super().modules() + [
            f"module-pipe-source source_name=second source_properties=device.description=second file={second}"
            f" format=s16le rate={spoken_time.RATE} channels=1"]


class MicrophoneAndDesktop(spoken_time.TimeMicrophone):
    """The microphone's voice, and a player that says the same to the loudspeakers."""

    def modules(self):
        return super().modules() + [
            f"module-null-sink sink_name=speakers format=s16le rate={spoken_time.RATE} channels=1"]

    def plug_in(self):
        super().plug_in()
        assert self.call("pactl", "set-default-sink", "speakers")


def recordings(home):
    """[(start in the session, its values by the millisecond)] as the history tells."""
    (session,) = home.sessions()
    with open(session, encoding="utf-8") as file:
        told = [event for event in map(json.loads, file) if event["type"] == "recording"]
    shown = home.history("show")
    found = []
    for event in told:
        number = event["number"]
        path = session.replace(".jsonl", ".flac" if number == 1 else f".{number}.flac")
        assert path in shown, shown
        assert event.get("speaker", 1) == number or "speaker" not in event, told
        found.append((event["start"], spoken_time.recorded_values(path)))
    assert len(found) == len(glob.glob(session.replace(".jsonl", "*.flac"))), "a recording that is not told of"
    return found


def moments(start, values):
    """[(first, last, off)] of all that is heard in one piece: milliseconds of the session, and by how much
    these are off the time that was spoken."""
    begin = round(1000 * start)
    return [(first + begin, last + begin, (off + begin) % spoken_time.TURN)
            for first, last, off in spoken_time.stretches(values)]


def apart(a, b):
    return abs((a - b + spoken_time.TURN // 2) % spoken_time.TURN - spoken_time.TURN // 2)


def judge(speaker, heard, limit=LIMIT_MS):
    """All of it lies where it was spoken, as far as the voice itself was in time."""
    off = [apart(stretch[2], heard[0][2]) for stretch in heard]
    print(f"   {len(heard)} pieces, off the clock by up to {max(off)} ms")
    if max(off) > limit and speaker.held_up:
        print(f"   not judged: this process itself was held up {len(speaker.held_up)} times")
    else:
        assert max(off) <= limit, list(zip(heard, off))


def the_inputs_of_a_split_are_recorded_each():
    with live.Home() as home, MicrophoneAndDesktop(home) as microphone:
        speaker = spoken_time.TimeSpeaker(microphone.pipe)
        speaker.start()
        desktop = spoken_time.TimePlayer(home, "speakers", speaker)
        desktop.start()
        with live.Pipe(home, ["--split", "--record", "--format", "jsonl"]) as program:
            program.wait_to_listen(2)
            time.sleep(3)
            os.kill(live.capture_processes(program.process.pid)["desktop"], signal.SIGKILL)
            live.wait_for(lambda: program.is_back(), "the desktop to be back")
            time.sleep(3)
            delay = spoken_time.delay_ms(home, "speakers.monitor", speaker)
            program.end()
            gaps = program.events("gap")
        speaker.stopped.set()
        desktop.stop()
        mine, theirs = (moments(*recording) for recording in recordings(home))
    assert {event["speaker"] for event in gaps} == {2}, gaps
    lost = sum(event["lost"] for event in gaps)
    holes = sum(b[0] - a[1] for a, b in zip(theirs, theirs[1:]))
    print(f"   the desktop was away for {lost:.2f} s; its recording has holes of {holes / 1000:.2f} s")
    assert abs(holes - 1000 * lost) < 100, (theirs, gaps)
    assert sum(last - first for first, last, _ in mine) > mine[-1][1] - mine[0][0] - 100, mine
    judge(speaker, mine)
    judge(speaker, theirs)
    off = apart(theirs[-1][2], mine[-1][2] + delay)
    print(f"   the desktop's time, which is spoken {delay} ms later, is {off} ms off the microphone's")
    assert off <= 2 * LIMIT_MS, (mine, theirs)


def open_recordings(pid):
    """The recordings that the process has open."""
    folder = f"/proc/{pid}/fd"
    targets = []
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):  # it has been closed since
            targets.append(os.readlink(os.path.join(folder, name)))
    return [target for target in targets if target.endswith(".flac")]


def an_input_that_is_changed_goes_on_in_another_file():
    with live.Home() as home, TwoMicrophones(home) as microphone:
        speaker = spoken_time.TimeSpeaker(microphone.pipe)
        speaker.start()
        spoken_time.TimeSpeaker(microphone.pipe + "2", speaker).start()
        words = os.path.join(home.path, "words.jsonl")
        with live.Terminal(home, ["--record", "-o", words], columns=100) as terminal:
            live.wait_for(lambda: terminal.shows("listening"), "the program to listen")
            assert terminal.shows("REC"), "nobody says that it records"
            time.sleep(3)
            terminal.keys("d")
            live.wait_for(lambda: terminal.shows("second"), "the list of inputs")
            lines = terminal.screen().split("\n")
            rows = [next(i for i, line in enumerate(lines) if text in line) for text in ("the default input", "second")]
            terminal.keys(*["Down"] * (rows[1] - rows[0]), "Enter")
            live.wait_for(lambda: live.capture_processes(terminal.pid).keys() == {"second"}, "the other input")
            capture = live.capture_processes(terminal.pid)
            live.wait_for(lambda: terminal.shows("listening"), "the program to listen")
            time.sleep(3)
            assert live.capture_processes(terminal.pid) == capture, "the new input was lost at once"
            live.wait_for(lambda: len(open_recordings(terminal.pid)) == 1, "the first recording to be closed")
            assert terminal.shows("REC"), "nobody says that it records"
            terminal.keys("q")
            assert terminal.wait_end() == 0
        speaker.stopped.set()
        with open(words, encoding="utf-8") as file:
            gaps = [event for event in map(json.loads, file) if event["type"] == "gap"]
        (first, second) = (moments(*recording) for recording in recordings(home))
    lost = sum(event["lost"] for event in gaps)
    hole = second[0][0] - first[-1][1]
    print(f"   {hole} ms between the two recordings, {1000 * lost:.0f} ms are told to be lost")
    assert hole <= 1000 * lost + 60, (first, second, gaps)
    judge(speaker, first + second)


if __name__ == "__main__":
    live.skip_unless_all_is_here(*live.NEEDED, "pacat", "sox")
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    live.run(the_inputs_of_a_split_are_recorded_each, an_input_that_is_changed_goes_on_in_another_file)
