#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The program's time is the clock's, however often the sound server dies: what is recorded plus what
is told to be lost is the time that went by.

The microphone here says nothing but the time: a pipe into which each sample's number is written when
the clock reaches it. So every sample of the program's recording, where a position is one of the
session's, says when it was spoken, and no player's or recogniser's moods are in the measure."""

import array
import glob
import os
import signal
import subprocess
import threading
import time

import live

RATE = 16000
STEP = RATE // 1000  # a value stands for a millisecond ...
TURN = 8192  # ... and they begin again after so many: a sound too quiet to be speech
LIMIT_MS = 100
HELD_UP_MS = 50  # the clock that speaks was itself late by so much: then this tells nothing
RESTARTS = 10


class TimeSpeaker(threading.Thread):
    """Writes the time into a pipe, for as long as somebody reads it."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path = path
        self.begin = time.monotonic_ns()
        self.held_up = []  # ms of its time at which it had been late
        self.stopped = threading.Event()

    def now(self):
        return (time.monotonic_ns() - self.begin) * RATE // 10**9

    def speak(self, pipe):
        position = self.now()
        while not self.stopped.is_set():
            time.sleep(0.01)
            end = self.now()
            if end - position > HELD_UP_MS * STEP:
                self.held_up.append(end // STEP)
            values = ((n // STEP) % TURN + 1 for n in range(position, end))
            os.write(pipe, array.array("h", values).tobytes())
            position = end

    def run(self):
        while not self.stopped.is_set():
            try:
                pipe = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:  # nobody reads it
                time.sleep(0.005)
                continue
            os.set_blocking(pipe, True)
            try:
                self.speak(pipe)
            except BrokenPipeError:
                pass
            os.close(pipe)


class TimeMicrophone(live.Microphone):
    def __init__(self, home):
        super().__init__(home)
        self.pipe = os.path.join(home.path, "pipe")

    def modules(self):
        if os.path.exists(self.pipe):  # the dead server's: a new one takes none that is there
            os.remove(self.pipe)
        return [f"module-pipe-source source_name=mic.monitor file={self.pipe} format=s16le rate={RATE} channels=1"]


def recorded_values(home):
    (path,) = glob.glob(os.path.join(home.state, "utter", "sessions", "*.flac"))
    raw = subprocess.run(
        ["sox", path, "-t", "raw", "-e", "signed", "-b", "16", "-c", "1", "-"], stdout=subprocess.PIPE, check=True
    ).stdout
    return array.array("h", raw)[::STEP]


def stretches(values):
    """[(first, last, off)]: milliseconds of the recording that are by one number off the time that was
    spoken. A recording begins at any time: only differences mean something."""
    found = []
    for at, value in enumerate(values):
        off = (at - (value - 1)) % TURN
        if value == 0:
            continue
        if found and abs(off - found[-1][2]) <= 1 and at - found[-1][1] < 20:
            found[-1][1] = at
        else:
            found.append([at, at, off])
    return [stretch for stretch in found if stretch[1] - stretch[0] > 100]


def off_the_clock(stretches):
    """By how many milliseconds each stretch is off the first."""
    return [(off - stretches[0][2] + TURN // 2) % TURN - TURN // 2 for _, _, off in stretches]


def time_goes_on_while_the_server_is_gone():
    with live.Home() as home, TimeMicrophone(home) as microphone:
        speaker = TimeSpeaker(microphone.pipe)
        speaker.start()
        with live.Pipe(home, ["--format", "jsonl", "--record"]) as program:
            live.wait_for(lambda: program.says("listening to"), "the program to listen")
            for i in range(RESTARTS):
                time.sleep(1 + i % 4 * 0.3)
                microphone.pull_out()
                live.wait_for(lambda: program.says("is lost", i + 1), "a word about the microphone")
                time.sleep(i % 3 * 0.3)
                microphone.plug_in()
                live.wait_for(lambda: program.says("is back", i + 1), "the microphone to be back")
            time.sleep(1)
            program.kill(signal.SIGINT)
            assert program.wait_end() == 0
            gaps = [event["lost"] for event in program.events("gap")]
        speaker.stopped.set()
        values = recorded_values(home)
    assert len(gaps) >= RESTARTS, f"{RESTARTS} restarts, but gaps of {gaps} s"
    assert values.count(0) <= sum(gaps) * 1000 + 10 * len(gaps), "audio is missing that is not told to be lost"
    heard = stretches(values)
    assert len(heard) > RESTARTS // 2, heard
    off = off_the_clock(heard)
    print(f"   {len(gaps)} gaps of {min(gaps):.2f} to {max(gaps):.2f} s; off the clock by {min(off)} to {max(off)} ms")
    if speaker.held_up:
        print(f"   not judged: this process itself was held up {len(speaker.held_up)} times")
    else:
        assert max(map(abs, off)) <= LIMIT_MS, [(stretch, ms) for stretch, ms in zip(heard, off)]


if __name__ == "__main__":
    live.skip_unless_all_is_here(*live.NEEDED, "sox")
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    live.run(time_goes_on_while_the_server_is_gone)
