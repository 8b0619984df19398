#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sound cards and sources of every make: what PortAudio refuses is opened as the device has it, one that
is slow to start loses no word, and what an overrun took is counted.

The cards are an ALSA plug-in of a test (device/sound_card.c): one rate, one format, no sound server."""

import glob
import os
import signal
import subprocess
import time

import live
import spoken_time

CARD = os.environ["UTTER_SOUND_CARD"]
ENCODINGS = {
    "S16_LE": ["-e", "signed", "-b", "16"],
    "S24_3LE": ["-e", "signed", "-b", "24"],
    "S32_LE": ["-e", "signed", "-b", "32"],
    "FLOAT_LE": ["-e", "float", "-b", "32"],
}


def plug_in(home, path, rate, channels, encoding, delay_ms=0):
    """A card that hears the raw file."""
    with open(os.path.join(home.path, ".asoundrc"), "w", encoding="ascii") as file:
        file.write(
            f'pcm_type.card {{ lib "{CARD}" }}\n'
            f'pcm.odd {{ type card file "{path}" rate {rate} channels {channels} format {encoding} delay {delay_ms} }}\n'
        )


def make_speech(home, rate, channels, encoding, times=1):
    path = os.path.join(home.path, "speech.raw")
    subprocess.run(
        ["sox", "-V1", live.clip(), "-t", "raw", "-r", str(rate), "-c", str(channels), *ENCODINGS[encoding], path,
         "pad", "0", "1", "repeat", str(times - 1)],
        check=True)
    return path


def what_a_card_refuses_is_converted():
    """None of these takes what the model wants, 16 kHz and one channel. It is said again: a card does not wait
    for a machine that is busy."""
    for rate, channels, encoding in [
        (44100, 2, "S16_LE"), (48000, 1, "S24_3LE"), (48000, 6, "FLOAT_LE"), (8000, 1, "S16_LE"), (96000, 4, "S32_LE"),
    ]:
        with live.Home() as home:
            plug_in(home, make_speech(home, rate, channels, encoding, 10), rate, channels, encoding)
            begin = time.monotonic()
            with live.Pipe(home, ["--device", "odd", "--format", "jsonl"]) as program:
                live.wait_for(lambda: program.heard(live.clip_words()), f"words at {rate} Hz, {channels} × {encoding}")
                print(f"   {rate} Hz, {channels} × {encoding}: heard after {time.monotonic() - begin:.1f} s,"
                      f" {len(program.events('gap'))} gaps")
                program.end()


def a_server_converts_what_its_source_has():
    for source in ["rate=44100 channels=2", "rate=48000 channels=6 format=s24le", "rate=8000 channels=1",
                   "rate=96000 channels=2 format=float32le"]:
        class Odd(live.Microphone):
            def modules(self):
                return [f"module-null-sink sink_name=mic {source}"]

        with live.Home() as home, Odd(home) as microphone:
            with live.Pipe(home, ["--format", "jsonl"]) as program:
                program.wait_to_listen()
                live.play_until(microphone, live.clip(), lambda: program.heard(live.clip_words()), source)
                program.end()


def a_card_that_starts_late_loses_no_word():
    """As Bluetooth does: it opens, and the first sample comes seconds later, in the middle of speech."""
    delay = 4
    with live.Home() as home:
        plug_in(home, make_speech(home, 16000, 1, "S16_LE"), 16000, 1, "S16_LE", 1000 * delay)
        begin = time.monotonic()
        with live.Pipe(home, ["--device", "odd", "--format", "jsonl"]) as program:
            program.wait_to_listen()
            after = time.monotonic() - begin
            assert after > delay, f"it says that it listens {delay - after:.1f} s before anything came"
            live.wait_for(lambda: program.heard(live.clip_words()), "every word, the first one too")
            (first, *_) = program.events("final")
            assert first["start"] < 0.5 and not program.events("gap"), program.events()
            print(f"   the first sample came after {delay} s; it listens after {after:.2f} s")
            program.end()


class SlowSource(live.Microphone):
    """A source of a sound server that delivers nothing at all until somebody speaks."""

    def __init__(self, home):
        super().__init__(home)
        self.pipe = os.path.join(home.path, "pipe")

    def modules(self):
        return [f"module-pipe-source source_name=mic.monitor file={self.pipe} format=s16le rate=16000 channels=1"]

    def speak(self, samples):
        begin = time.monotonic()
        with open(self.pipe, "wb", buffering=0) as pipe:
            for at in range(0, len(samples), 640):
                pipe.write(samples[at : at + 640])
                time.sleep(max(0, begin + (at + 640) / 32000 - time.monotonic()))


def a_source_that_starts_late_loses_no_word():
    with live.Home() as home, SlowSource(home) as source:
        with open(make_speech(home, 16000, 1, "S16_LE"), "rb") as file:
            speech = file.read() + bytes(64000)
        with live.Pipe(home, ["--format", "jsonl"]) as program:
            live.wait_for(lambda: live.capture_processes(program.process.pid), "its recording to start")
            time.sleep(5)
            assert "listening" not in program.errors(), "nothing has come, and it says that it listens"
            source.speak(speech)
            live.wait_for(lambda: program.heard(live.clip_words()), "every word, the first one too")
            assert program.says("listening to")
            program.end()


def what_an_overrun_took_is_counted():
    """The card goes on while nobody fetches what it heard: the recording's time must go on, too."""
    seconds = 60
    with live.Home() as home:
        path = os.path.join(home.path, "time.raw")
        with open(path, "wb") as file:
            file.write(spoken_time.samples(0, seconds * spoken_time.RATE))
        plug_in(home, path, spoken_time.RATE, 1, "S16_LE")
        with live.Pipe(home, ["--device", "odd", "--format", "jsonl", "--record"]) as program:
            program.wait_to_listen()
            capture = live.capture_processes(program.process.pid)["odd"]
            for pause in (0.2, 0.7, 1.0, 1.2, 0.6):
                time.sleep(1.5)
                os.kill(capture, signal.SIGSTOP)
                time.sleep(pause)
                os.kill(capture, signal.SIGCONT)
            time.sleep(1.5)
            program.end()
            gaps = [event["lost"] for event in program.events("gap")]
        (recording,) = glob.glob(os.path.join(home.state, "utter", "sessions", "*.flac"))
        values = spoken_time.recorded_values(recording)
    heard = spoken_time.stretches(values)
    off = spoken_time.off_the_clock(heard)
    print(f"   {len(gaps)} overruns took {sum(gaps):.2f} s; then the time is off by {min(off)} to {max(off)} ms")
    assert sum(gaps) > 1, f"held up for 3.7 s, but gaps of {gaps}"
    assert values.count(0) <= 1000 * sum(gaps) + 10 * len(gaps), "audio is missing that is not told to be lost"
    assert max(map(abs, off)) <= 100, list(zip(heard, off))


if __name__ == "__main__":
    live.skip_unless_all_is_here(*live.NEEDED, "sox")
    live.run(
        what_a_card_refuses_is_converted,
        a_server_converts_what_its_source_has,
        a_card_that_starts_late_loses_no_word,
        a_source_that_starts_late_loses_no_word,
        what_an_overrun_took_is_counted,
    )
