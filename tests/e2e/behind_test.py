#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Behind real time: processors that are busy with other work, and a microphone that delivers faster
than a clock. What waits is heard later and whole; what no ring holds any more is a gap of exactly the
samples that are missing, the same in every transcript; and the program catches up.

    behind_test.py [SPEED...]     at these speeds more is said than the rings hold (10)

The microphone is a pipe of the sound server, and a recording that the program makes holds each sample
at its position: it is compared with what was written into the pipe, sample by sample. What is awaited
are events, never times: a machine that is too fast gets more work."""

import array
import collections
import contextlib
import glob
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time

import live

RATE = 16000
STEP_SECONDS = 0.01
LIVE_RINGS = 120 + 131.1  # seconds that wait in the library, and before it in the capture process
ROOM = 7  # seconds that are heard at least between two gaps
RUNGS = 3
CLIPS = 8  # that are said before another look, about 40 s
PATIENCE = 900  # seconds: four minutes of audio on a processor that others want, too


def samples_of(path):
    raw = ["sox", path, "-t", "raw", "-r", str(RATE), "-c", "1", "-e", "signed", "-b", "16", "-"]
    return array.array("h", subprocess.run(raw, stdout=subprocess.PIPE, check=True).stdout)


class PipeMicrophone(live.Microphone):
    """Delivers what is written into its pipe, as fast as it is written."""

    def __init__(self, home):
        super().__init__(home)
        self.pipe = os.path.join(home.path, "pipe")

    def modules(self):
        return [f"module-pipe-source source_name=mic.monitor file={self.pipe} format=s16le rate={RATE} channels=1"]


class Speaker(threading.Thread):
    """Writes faint noise into a pipe at the speed of a clock, and speech when it is told to."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path = path
        self.random = random.Random(7)
        self.clips = [samples_of(clip) for clip in sorted(glob.glob(os.path.join(live.DATA, "*.flac")))]
        self.sent = array.array("h")
        self.waiting = collections.deque()  # (samples, speed)
        self.said = 0  # clips, wholly
        self.stopped = threading.Event()

    def noise(self, seconds):
        return array.array("h", (self.random.randint(-20, 20) for _ in range(int(seconds * RATE))))

    def say(self, clips, speed):
        """So many clips, with pauses after which an utterance has ended."""
        for _ in range(clips):
            self.waiting.append((self.random.choice(self.clips) + self.noise(self.random.uniform(1.2, 2)), speed))

    def write(self, pipe, samples, speed):
        begin, done = time.monotonic(), 0
        while done < len(samples) and not self.stopped.is_set():
            time.sleep(STEP_SECONDS)
            due = min(len(samples), int((time.monotonic() - begin) * RATE * speed))
            data = memoryview(samples[done:due].tobytes())
            while data:
                data = data[os.write(pipe, data):]
            self.sent.extend(samples[done:due])
            done = due

    def run(self):
        pipe = os.open(self.path, os.O_WRONLY)
        try:
            self.speak(pipe)
        except BrokenPipeError:
            pass  # the sound server has gone
        os.close(pipe)

    def speak(self, pipe):
        while not self.stopped.is_set():
            try:
                samples, speed = self.waiting.popleft()
            except IndexError:
                self.write(pipe, self.noise(0.1), 1)
                continue
            self.write(pipe, samples, speed)
            self.said += 1


class OtherWork:
    """Keeps all processors busy, and has a claim on them that the program's threads have not."""

    def __init__(self, pid):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(ProcessLookupError):  # it has ended since
                os.setpriority(os.PRIO_PROCESS, int(thread), 19)
        self.processes = []

    def add(self):
        for _ in range(os.cpu_count()):
            self.processes.append(subprocess.Popen(["nice", "-n", "5", "sh", "-c", "while :; do :; done"]))

    def __enter__(self):
        self.add()
        self.add()
        return self

    def __exit__(self, *failure):
        for process in self.processes:
            process.kill()
            process.wait()
        self.processes = []


class Session:
    """The program with a microphone and a speaker, until the end of a `with`; then what it left."""

    def __enter__(self):
        self.home = live.Home().__enter__()
        self.microphone = PipeMicrophone(self.home).__enter__()
        self.speaker = Speaker(self.microphone.pipe)
        self.speaker.start()
        self.program = live.Pipe(self.home, ["--format", "jsonl", "--record"])
        self.program.wait_to_listen()
        return self

    def __exit__(self, *failure):
        self.speaker.stopped.set()
        self.program.__exit__(*failure)
        self.microphone.__exit__(*failure)
        self.home.__exit__(*failure)

    def wait_for(self, condition, what):
        return live.wait_for(condition, what, PATIENCE)

    def rung(self):
        states = [event.get("rung", 0) for event in self.program.events("state")]
        return states[-1] if states else 0

    def rungs(self):
        """[(position, rung)] as they were told; 0 when it had caught up."""
        return [
            (event["start"], event.get("rung", 0))
            for event in self.program.events("state")
            if event["state"] in ("behind", "caught up")
        ]

    def in_time(self):
        rungs = self.rungs()
        return not rungs or rungs[-1][1] == 0

    def behind_by(self):
        """Seconds that were said and of which no event tells."""
        ends = [event["end"] for event in self.program.events()]
        return len(self.speaker.sent) / RATE - max(ends, default=0)

    def spoken_finals(self):
        return [event for event in self.program.events("final") if event["text"]]

    def end(self):
        self.program.end()
        assert "lacks" not in self.program.errors(), self.program.errors()
        (self.recording,) = glob.glob(os.path.join(self.home.state, "utter", "sessions", "*.flac"))


def check_order(session):
    """Rungs are taken one by one and given back at once, in the order of time; every utterance of which
    words were committed has its final."""
    rung, before = 0, 0
    for position, now in session.rungs():
        assert now in (0, rung + 1) and now != rung and position >= before, session.rungs()
        rung, before = now, position
    assert rung == 0, f"it did not catch up: {session.rungs()}"
    finals = [event["utterance"] for event in session.program.events("final")]
    assert finals == sorted(set(finals)), "a final comes twice, or too late"
    assert {event["utterance"] for event in session.program.events("commit")} <= set(finals)


def before_speech(session, gaps):
    """Where the recording is judged from. A server that starts on a busy machine delivers late, and only the
    clock can tell whether anything is missing; as soon as more comes than a clock would bring, that is over."""
    speech = [event["start"] * RATE for event in session.program.events("state") if event["state"] == "speech"]
    return max([start + lost for start, lost in gaps if start < speech[0]], default=0)


def check_samples(session):
    """All that was said is in the recording or in a gap. (the gaps, samples, where judging began)"""
    heard, sent = samples_of(session.recording), session.speaker.sent
    gaps = [(round(event["start"] * RATE), round(event["lost"] * RATE)) for event in session.program.events("gap")]
    end = judged = before_speech(session, gaps)
    gaps = [gap for gap in gaps if gap[0] >= end]
    begin = sent.tobytes().find(heard[end:end + 4000].tobytes())
    assert begin >= 0 and begin % 2 == 0, "the recording begins with what nobody said"
    begin = begin // 2 - end
    for start, lost in [*gaps, (len(heard), 0)]:
        assert start >= end, "gaps overlap"
        assert heard[end:start] == sent[begin + end:begin + start], f"other samples in [{end}, {start})"
        assert not any(heard[start:start + lost]), "a gap that was heard"
        end = start + lost
    return gaps, len(heard), judged


def check_transcripts(session):
    """The same numbers in every transcript."""
    lost = [event["lost"] for event in session.program.events("gap")]
    export = lambda form: session.home.history("export", "--format", form)
    kept = [json.loads(line) for line in export("jsonl").splitlines()]
    assert [event["lost"] for event in kept if event["type"] == "gap"] == lost
    for form in ("text", "srt", "vtt"):
        told = [float(number) for number in re.findall(r"\[([0-9.]+) s of audio lost\]", export(form))]
        assert told == lost, f"{form} tells gaps of {told} s, and {lost} s are lost"


def check_finals(session, begin):
    """Nobody would know from the finals how busy the processors were. After a gap frames are counted anew, but
    what was learnt of the room before it stays: an utterance may begin a little earlier or later then."""
    heard = os.path.join(session.home.path, "heard.wav")
    subprocess.run(["sox", session.recording, heard, "trim", f"{begin}s"], check=True)
    quiet = subprocess.run(
        [live.PROGRAM, "--input", heard, "--speed", "4", "--format", "jsonl"],
        env=session.home.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        check=True)
    events = [json.loads(line) for line in quiet.stdout.splitlines()]
    wanted = [(event["start"] + begin / RATE, event["text"])
              for event in events if event["type"] == "final" and event["text"]]
    finals = [(event["start"], event["text"]) for event in session.spoken_finals()]
    assert [text for _, text in finals] == [text for _, text in wanted], (finals, wanted)
    off = max(abs(start - other) for (start, _), (other, _) in zip(finals, wanted))
    assert off < (0.1 if begin else 1e-6), (finals, wanted)


def climb(session, work, speed):
    """Until the last rung is taken: with more work for a processor that is too fast."""
    for clips in range(CLIPS, 1000, CLIPS):
        session.speaker.say(CLIPS, speed)
        session.wait_for(lambda: session.speaker.said == clips, "the clips to be said")
        if any(rung == RUNGS for _, rung in session.rungs()):
            return
        if session.behind_by() < LIVE_RINGS / 4:
            work.add()
    raise AssertionError("however much other work there is, it is in time")


def speech_is_late_and_whole(speed):
    with Session() as session:
        begin = time.monotonic()
        with OtherWork(session.program.process.pid) as work:
            climb(session, work, speed)
            processes, loaded = len(work.processes), time.monotonic() - begin
        session.wait_for(session.in_time, "the program to catch up")
        caught_up = time.monotonic() - begin
        session.wait_for(lambda: len(session.spoken_finals()) >= session.speaker.said, "a final for every clip")
        session.end()
        check_order(session)
        gaps, heard, begin = check_samples(session)
        assert not gaps, gaps
        check_finals(session, begin)
        print(f"   {speed} times as fast, {processes} busy processes: {session.speaker.said} clips in {loaded:.0f} s, "
              f"rungs {session.rungs()}, caught up after {caught_up - loaded:.1f} s more; {heard} samples, none lost")


def what_no_ring_holds_is_a_gap(speed):
    with Session() as session:
        begin = time.monotonic()
        with OtherWork(session.program.process.pid) as work:
            climb(session, work, speed)
            while session.behind_by() < LIVE_RINGS + 60:
                if len(session.speaker.waiting) < 2:
                    session.speaker.say(1, speed)
                time.sleep(0.05)
            session.speaker.waiting.clear()
            processes, loaded = len(work.processes), time.monotonic() - begin
        session.wait_for(session.in_time, "the program to catch up")
        caught_up = time.monotonic() - begin
        session.wait_for(lambda: session.program.events("gap"), "the gap")
        before = len(session.spoken_finals())
        session.speaker.say(2, 1)
        session.wait_for(lambda: len(session.spoken_finals()) >= before + 2, "words after the gap")
        session.end()
        check_order(session)
        gaps, heard, _ = check_samples(session)
        assert gaps, "nothing was lost"
        heard_between = [later[0] - sum(gap) for gap, later in zip(gaps, gaps[1:])]
        assert all(count > ROOM * RATE for count in heard_between), f"too many gaps: {gaps}"
        check_transcripts(session)
        print(f"   {speed} times as fast, {processes} busy processes: {loaded:.0f} s, {session.speaker.said} clips, "
              f"rungs {session.rungs()}, caught up after {caught_up - loaded:.1f} s more; {heard} samples, "
              f"gaps of {[lost for _, lost in gaps]}")


if __name__ == "__main__":
    live.skip_unless_all_is_here(*live.NEEDED, "sox", "nice")
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    speeds = [int(speed) for speed in sys.argv[1:]]
    for speed in speeds or [2, 4, 10]:
        speech_is_late_and_whole(speed)
    for speed in speeds or [10]:
        what_no_ring_holds_is_a_gap(speed)
