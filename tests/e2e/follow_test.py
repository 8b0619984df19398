#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Somebody plugs headphones in, or pulls them out: what was asked for is heard from then on where it
is now, an input that was asked for by name stays that one, and what was missed is a gap."""

import glob
import os
import signal
import subprocess
import time

import live
import spoken_time

LIMIT_MS = 100
SINKS = ["speakers", "headset", "second"]


class Outputs(live.Microphone):
    """Two outputs, of which "speakers" is the default one, and two microphones, "mic" and "second"."""

    def modules(self):
        return super().modules() + [
            f"module-null-sink sink_name={name} sink_properties=device.description={name.title()}" for name in SINKS]

    def plug_in(self):
        super().plug_in()
        self.use("speakers")

    def use(self, sink):
        assert self.call("pactl", "set-default-sink", sink)

    def take_away(self, sink):
        shown = subprocess.run(["pactl", "list", "short", "modules"], env=self.home.environment,
                               stdout=subprocess.PIPE, check=True, encoding="utf-8").stdout
        (module,) = [line.split("\t")[0] for line in shown.splitlines() if f"sink_name={sink}" in line]
        assert self.call("pactl", "unload-module", module)


class Awake:
    """Sinks deliver at once, as those do that somebody else listens to: one that was idle sleeps for 2 s."""

    def __init__(self, home, *sinks):
        self.recorders = [
            subprocess.Popen(["parec", "--raw", f"--device={sink}.monitor", "--latency-msec=20"],
                             env=home.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for sink in sinks]
        time.sleep(3)

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        for recorder in self.recorders:
            recorder.kill()
            recorder.wait()


def listen(home, *arguments):
    program = live.Pipe(home, ["--format", "jsonl", *arguments])
    program.wait_to_listen()
    return program


def hear(outputs, program, sink):
    """What the sink plays, from now on."""
    before = len(program.events("final"))
    live.play_until(outputs, live.clip(), lambda: any(
        live.contains(live.words_of(event["text"]), live.clip_words())
        for event in program.events("final")[before:]), f"what {sink} plays", sink)


def wait_to_hear_from(program, name, times=1):
    live.wait_for(lambda: program.says(f"is heard from {name} now", times), f"a word about {name}")


def the_desktop_goes_where_the_default_output_is():
    for mode in (["--device", "desktop"], ["--mix"]):
        with live.Home() as home, Outputs(home) as outputs, listen(home, *mode) as program:
            hear(outputs, program, "speakers")
            outputs.use("headset")
            mix = mode == ["--mix"]
            wait_to_hear_from(program, "Monitor of Null Output + Monitor of Headset" if mix else "Monitor of Headset")
            hear(outputs, program, "headset")
            assert not program.says("is lost")
            program.end()


def a_talk_goes_on_in_the_headphones():
    """Its player's stream moves with the default output, as on every desktop."""
    with live.Home() as home, Outputs(home) as outputs, Awake(home, "speakers", "headset"):
        with listen(home, "--device", "desktop") as program:
            talk = f"while :; do paplay {live.clip()}; done"
            player = subprocess.Popen(["sh", "-c", talk], env=home.environment, stdin=subprocess.DEVNULL,
                                      start_new_session=True)
            for sink in ("headset", "speakers", "headset"):
                live.wait_for(lambda: program.heard(live.clip_words()), "the talk")
                before = len(program.events("final"))
                outputs.use(sink)
                live.wait_for(lambda: any(live.contains(live.words_of(event["text"]), live.clip_words())
                                          for event in program.events("final")[before:]), "the talk to go on")
            os.killpg(player.pid, signal.SIGKILL)
            player.wait()
            program.end()
            lost = [event["lost"] for event in program.events("gap")]
            print(f"   gaps of {lost} s")
            assert len(lost) == 3, lost


def nothing_is_missing_that_is_not_told():
    """Of what was said until one output was left, and since the next is heard, no sample lies elsewhere
    than the clock does. The server moves the player's stream to the new output, too."""
    with live.Home() as home, Outputs(home) as outputs, Awake(home, "speakers", "headset"):
        speaker = spoken_time.TimePlayer(home, "speakers", None)
        speaker.start()
        with listen(home, "--device", "desktop", "--record") as program:
            time.sleep(2)
            delays = [spoken_time.delay_ms(home, "speakers.monitor", speaker)]
            outputs.use("headset")
            wait_to_hear_from(program, "Monitor of Headset")
            time.sleep(3)
            delays.append(spoken_time.delay_ms(home, "headset.monitor", speaker))
            program.end()
            gaps = program.events("gap")
        speaker.stop()
        (path,) = glob.glob(os.path.join(home.state, "utter", "sessions", "*.flac"))
        values = spoken_time.recorded_values(path)
    heard = spoken_time.stretches(values)
    off = (heard[-1][2] - heard[0][2] - delays[1] + delays[0] + spoken_time.TURN // 2) % spoken_time.TURN
    off -= spoken_time.TURN // 2
    print(f"   a gap of {gaps[0]['lost']} s; {off} ms off the clock, with delays of {delays} ms")
    assert len(gaps) == 1, gaps
    if speaker.held_up:
        print("   not judged: this process itself was held up")
    else:
        assert abs(off) <= LIMIT_MS, (heard, delays)


def an_output_that_is_pulled_out_is_left():
    """The server moves who hears it to the default microphone, which nobody has asked for."""
    with live.Home() as home, Outputs(home) as outputs, listen(home, "--device", "desktop") as program:
        hear(outputs, program, "speakers")
        outputs.use("headset")
        wait_to_hear_from(program, "Monitor of Headset")
        hear(outputs, program, "headset")
        assert outputs.call("pactl", "set-default-source", "mic.monitor")
        outputs.take_away("second")
        outputs.take_away("mic")
        outputs.take_away("headset")
        wait_to_hear_from(program, "Monitor of Speakers")
        hear(outputs, program, "speakers")
        program.end()


def a_named_input_stays_that_one_when_it_is_no_default_any_more():
    with live.Home() as home, Outputs(home) as outputs, listen(home, "--device", "mic.monitor") as program:
        hear(outputs, program, "mic")
        assert outputs.call("pactl", "set-default-source", "second.monitor")
        time.sleep(2)
        hear(outputs, program, "mic")
        assert not program.says("is lost") and not program.says("Second"), program.errors()
        program.end()


def a_named_input_stays_that_one():
    with live.Home() as home, Outputs(home) as outputs, Awake(home, "mic"):
        with listen(home, "--device", "speakers.monitor") as program:
            outputs.use("headset")
            assert outputs.call("pactl", "set-default-source", "second.monitor")
            time.sleep(1)
            hear(outputs, program, "speakers")
            assert outputs.call("pactl", "set-default-source", "mic.monitor")
            assert program.events("gap") == [] and "is heard from" not in program.errors(), program.errors()
            outputs.take_away("speakers")
            live.wait_for(lambda: program.says("is lost"), "a word about the input")
            before = len(program.events("final"))
            outputs.play(live.clip())
            time.sleep(2)
            assert len(program.events("final")) == before, "another input is heard"
            assert outputs.call("pactl", "load-module", "module-null-sink", "sink_name=speakers",
                                "sink_properties=device.description=Speakers")
            live.wait_for(lambda: program.is_back(), "the input to be back")
            hear(outputs, program, "speakers")
            program.end()


def one_that_is_lost_and_found_elsewhere_is_back():
    """The default output changes before the new server delivers anything."""
    with live.Home() as home, Outputs(home) as outputs, listen(home, "--device", "desktop") as program:
        outputs.pull_out()
        live.wait_for(lambda: program.says("is lost"), "a word about the desktop")
        outputs.plug_in()
        for _ in range(50):
            outputs.use("headset")
            time.sleep(0.1)
            outputs.use("speakers")
            time.sleep(0.1)
        live.wait_for(lambda: program.is_back(), "the desktop to be back")
        hear(outputs, program, "speakers")
        program.end()


class Dumb(live.Microphone):
    """Plugged in again it has two inputs from which nothing comes, and the default is now this one, now that."""

    def modules(self):
        pipes = {name: os.path.join(self.home.path, name) for name in ("left", "right")}
        for path in filter(os.path.exists, pipes.values()):
            os.remove(path)
        return super().modules() + [
            f"module-pipe-source source_name={name} file={path}" for name, path in pipes.items()]

    def waver(self):
        for name in ("left", "right") * 10:
            assert self.call("pactl", "set-default-source", name)
            time.sleep(0.1)


def who_quits_before_one_is_back_is_told():
    """Also while it is neither lost nor back: the next source is opened, and nothing has come from it."""
    for waver in (False, True):
        with live.Home() as home, Dumb(home) as microphone, listen(home) as program:
            microphone.pull_out()
            live.wait_for(lambda: program.says("is lost"), "a word about the microphone")
            if waver:
                microphone.plug_in()
                microphone.waver()
            assert not program.is_back()
            program.end(1)
            assert "did not come back" in program.errors(), program.errors()


def the_default_microphone_is_followed():
    """The server itself moves the stream; until the next microphone delivers, that is no loss of it."""
    with live.Home() as home, Outputs(home) as outputs, listen(home) as program:
        hear(outputs, program, "mic")
        assert outputs.call("pactl", "set-default-source", "second.monitor")
        wait_to_hear_from(program, "Monitor of Second")
        hear(outputs, program, "second")
        assert not program.says("is lost")
        program.end()
        print(f"   gaps of {[event['lost'] for event in program.events('gap')]} s")


def the_screen_says_where_the_sound_comes_from():
    with live.Home() as home, Outputs(home) as outputs:
        with live.Terminal(home, ["--device", "desktop"], columns=100) as terminal:
            live.wait_for(lambda: terminal.shows("listening"), "the program to listen")
            outputs.use("headset")
            live.wait_for(lambda: terminal.shows("desktop sound is heard from Monitor of Headset now"), "a notice")
            live.wait_for(lambda: not terminal.shows("is heard from"), "the end of the notice")
            live.wait_for(lambda: terminal.shows("of audio lost]"), "the gap")
            assert terminal.screen().count("Monitor of Headset") == 1, "the status line tells of another input"
            assert not terminal.shows("desktop sound")
            terminal.keys("q")
            assert terminal.wait_end() == 0


if __name__ == "__main__":
    live.skip_unless_all_is_here(*live.NEEDED, "parec", "pacat", "sox")
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    live.run(
        the_desktop_goes_where_the_default_output_is,
        a_talk_goes_on_in_the_headphones,
        nothing_is_missing_that_is_not_told,
        an_output_that_is_pulled_out_is_left,
        a_named_input_stays_that_one_when_it_is_no_default_any_more,
        a_named_input_stays_that_one,
        one_that_is_lost_and_found_elsewhere_is_back,
        who_quits_before_one_is_back_is_told,
        the_default_microphone_is_followed,
        the_screen_says_where_the_sound_comes_from,
    )
