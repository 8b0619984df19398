#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The program's time is the clock's, however often the sound server dies: what is recorded plus what
is told to be lost is the time that went by.

The microphone here says nothing but the time (spoken_time.py), and in the program's recording a position
is one of the session's."""

import glob
import os
import signal
import time

import live
from spoken_time import TimeMicrophone, TimeSpeaker, off_the_clock, recorded_values, stretches

LIMIT_MS = 100
RESTARTS = 10


def time_goes_on_while_the_server_is_gone():
    with live.Home() as home, TimeMicrophone(home) as microphone:
        speaker = TimeSpeaker(microphone.pipe)
        speaker.start()
        with live.Pipe(home, ["--format", "jsonl", "--record"]) as program:
            program.wait_to_listen()
            for i in range(RESTARTS):
                time.sleep(1 + i % 4 * 0.3)
                microphone.pull_out()
                live.wait_for(lambda: program.says("is lost", i + 1), "a word about the microphone")
                time.sleep(i % 3 * 0.3)
                microphone.plug_in()
                live.wait_for(lambda: program.is_back(i + 1), "the microphone to be back")
            time.sleep(1)
            program.end()
            gaps = [event["lost"] for event in program.events("gap")]
        speaker.stopped.set()
        (path,) = glob.glob(os.path.join(home.state, "utter", "sessions", "*.flac"))
        values = recorded_values(path)
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
