#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`utter devices`: the inputs there are, and one clear line where there are none."""

import json
import os
import re
import subprocess

import live


def devices(home, **variables):
    environment = {**home.environment, "JACK_NO_START_SERVER": "1", "JACK_DEFAULT_SERVER": "none", **variables}
    return subprocess.run([live.PROGRAM, "devices"], env=environment, capture_output=True, encoding="utf-8")


def inputs_are_listed():
    with live.Home() as home, live.Microphone(home):
        result = devices(home)
    assert (result.returncode, result.stderr) == (0, ""), result
    title, *rows = result.stdout.splitlines()
    assert re.fullmatch(r"  no  device +host API +channels  rates in kHz", title), title
    named = {}
    for row in rows:
        match = re.fullmatch(r"([* ]) +(\d+)  (\S.*?)  +(\S.*?)  +(\d+)  ([\d., ]+)", row)
        assert match, row
        mark, number, name, api, channels, rates = match.groups()
        named[name] = (mark, api)
        assert int(channels) > 0 and "16" in rates.split(", "), row
    assert named["default"] == ("*", "ALSA"), named
    assert [mark for mark, _ in named.values()].count("*") == 1, named
    assert named["Monitor of Null Output"] == (" ", "PulseAudio"), named


def a_list_for_programs():
    with live.Home() as home, live.Microphone(home):
        result = subprocess.run([live.PROGRAM, "devices", "--json"], env=home.environment,
                                capture_output=True, encoding="utf-8")
    assert (result.returncode, result.stderr) == (0, ""), result
    names = [entry["name"] for entry in json.loads(result.stdout)]
    assert names[:2] == ["", "desktop"] and {"default", "mic.monitor"} <= set(names), names


def nothing_is_said_in_one_line():
    """No server; no device at all; ALSA set up wrongly, where PortAudio fails or even aborts."""
    with live.Home() as home:
        odd = os.path.join(home.path, "odd.conf")
        with open(odd, "w", encoding="ascii") as file:
            file.write("pcm.odd { type nosuch }\n")
        broken = os.path.join(home.path, "broken.conf")
        with open(broken, "w", encoding="ascii") as file:
            file.write("pcm.!default {\n garbage")
        for configuration in (odd, broken, "/dev/null"):
            result = devices(home, ALSA_CONFIG_PATH=configuration)
            assert (result.returncode, result.stdout) == (1, ""), result
            assert re.fullmatch(r"utter: no microphone: [^\n]+\n", result.stderr), result


def output_that_cannot_be_written():
    with live.Home() as home, live.Microphone(home), open("/dev/full", "w") as full:
        result = subprocess.run([live.PROGRAM, "devices"], env=home.environment, stdout=full,
                                stderr=subprocess.PIPE, encoding="utf-8")
    assert result.returncode == 1, result
    assert result.stderr == "utter: standard output: cannot write: No space left on device\n", result


if __name__ == "__main__":
    live.skip_unless_all_is_here("pulseaudio", "pactl")
    live.run(inputs_are_listed, a_list_for_programs, nothing_is_said_in_one_line, output_that_cannot_be_written)
