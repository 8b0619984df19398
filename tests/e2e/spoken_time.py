# SPDX-License-Identifier: MIT
"""A voice that says nothing but the time: each sample of it is a number, and so every sample of a recording
says when it was spoken. No player's or recogniser's moods are in such a measure."""

import array
import os
import subprocess
import threading
import time

import live

RATE = 16000
STEP = RATE // 1000  # a value stands for a millisecond ...
TURN = 8192  # ... and they begin again after so many: a sound too quiet to be speech
HELD_UP_MS = 50  # the clock that speaks was itself late by so much: then this tells nothing


def samples(begin, end):
    """16-bit samples of the positions from begin to end."""
    return array.array("h", ((n // STEP) % TURN + 1 for n in range(begin, end))).tobytes()


class TimeSpeaker(threading.Thread):
    """Writes the time into a pipe, for as long as somebody reads it; the same time as `other`, if there is one."""

    def __init__(self, path, other=None):
        super().__init__(daemon=True)
        self.path = path
        self.begin = other.begin if other else time.monotonic_ns()
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
            os.write(pipe, samples(position, end))
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


class TimePlayer(TimeSpeaker):
    """Plays the time into a sink of the sound server."""

    def __init__(self, home, sink, other):
        super().__init__(None, other)
        self.player = subprocess.Popen(
            ["pacat", "--raw", f"--device={sink}", f"--rate={RATE}", "--channels=1", "--format=s16le",
             "--latency-msec=200"],
            env=home.environment, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def run(self):
        try:
            self.speak(self.player.stdin.fileno())
        except BrokenPipeError:
            pass

    def stop(self):
        self.stopped.set()
        self.join()
        self.player.kill()
        self.player.wait()


def delay_ms(home, source, speaker):
    """How old the time is that the source delivers just now: what a sink and a player kept back."""
    recorder = subprocess.Popen(
        ["parec", "--raw", f"--device={source}", f"--rate={RATE}", "--channels=1", "--format=s16le",
         "--latency-msec=20"],
        env=home.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    delays = []
    while len(delays) < 50:
        block = recorder.stdout.read1(4096)
        (value,) = array.array("h", block[-2:])
        if value > 0:
            delays.append((speaker.now() // STEP - (value - 1)) % TURN)
    recorder.kill()
    recorder.wait()
    return min(delays)


class TimeMicrophone(live.Microphone):
    def __init__(self, home):
        super().__init__(home)
        self.pipe = os.path.join(home.path, "pipe")

    def modules(self):
        if os.path.exists(self.pipe):  # the dead server's: a new one takes none that is there
            os.remove(self.pipe)
        return [f"module-pipe-source source_name=mic.monitor file={self.pipe} format=s16le rate={RATE} channels=1"]


def recorded_values(path):
    """What was spoken in each millisecond of the recording; 0: nothing."""
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
